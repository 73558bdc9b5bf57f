// A line on a terminal that says how far a long work is.
#pragma once

#include <cstdint>
#include <ostream>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace interlock::cli {

// One thread at a time. Borrows the stream.
class ProgressBar {
 public:
  // Where `enabled` is false nothing is written. `begin` is when the work began.
  ProgressBar(std::ostream& stream, bool enabled, absl::Time begin)
      : stream_(stream), enabled_(enabled), begin_(begin) {}
  ~ProgressBar() { Clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Writes over the line: the share that is done (0..1), how many of what were done, how fast, and how long it will
  // still take. `before` stands in front of the count.
  void Show(double done, absl::string_view before, int64_t count, absl::string_view unit, absl::Time now);
  // Removes the line, so that other text can follow.
  void Clear();

 private:
  std::ostream& stream_;
  const bool enabled_;
  const absl::Time begin_;
  bool shown_ = false;
};

}  // namespace interlock::cli
