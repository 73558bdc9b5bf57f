// Reads a recording line by line: JSON lines, gzipped or plain.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace interlock::cli {

// One thread at a time. Memory holds one block and one line.
class Recording {
 public:
  // Errors: NOT_FOUND.
  static absl::StatusOr<std::unique_ptr<Recording>> Open(const std::string& path);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // The next line without its end; nothing after the last. A line of nothing is passed over.
  // Errors: DATA_LOSS (the gzip data is broken or cut off, after which there is nothing more), INVALID_ARGUMENT (the
  // line is longer than 16 MiB; the next one can be read).
  absl::StatusOr<std::optional<std::string>> Next();

  // The number of the line that Next answered last, from 1.
  int64_t line_number() const { return line_number_; }
  // How much of the file was read, 0..1.
  double progress() const;

 private:
  struct File;
  explicit Recording(std::unique_ptr<File> file);
  // Reads the next block. False: the end. Errors: DATA_LOSS.
  absl::StatusOr<bool> Fill();

  const std::unique_ptr<File> file_;
  int64_t line_number_ = 0;
  std::string block_;
  size_t place_ = 0;
  // The gzip data cannot be read any further.
  bool broken_ = false;
};

}  // namespace interlock::cli
