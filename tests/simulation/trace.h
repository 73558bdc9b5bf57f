// What happened in a run, line by line: hashed whole, the newest lines kept, and what went wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/simulation/timeline.h"

namespace interlock::simulation {

// What contradicts a promise.
struct Violation {
  // The name of the checker that found it; empty: nothing was found.
  std::string checker;
  std::string text;
};

// Thread-compatible.
class Trace {
 public:
  // How many of the newest lines are kept.
  static constexpr size_t kLinesKept = 50;

  // `print`: each line also goes to stdout at once. `timeline` must outlive the trace.
  Trace(const Timeline& timeline, bool print) : timeline_(timeline), print_(print) {}

  template <typename... Parts>
  void Add(const Parts&... parts) {
    AddLine(absl::StrCat(parts...));
  }
  // Takes bytes into the hash that nobody needs to read.
  void AddBytes(absl::string_view bytes);

  // Notes that `checker` found a promise broken. The first one counts.
  template <typename... Parts>
  void Fail(absl::string_view checker, const Parts&... parts) {
    FailWith(checker, absl::StrCat(parts...));
  }

  bool failed() const { return !violation_.checker.empty(); }
  const Violation& violation() const { return violation_; }
  uint64_t hash() const { return hash_; }
  const std::deque<std::string>& lines() const { return lines_; }

 private:
  void AddLine(absl::string_view text);
  void FailWith(absl::string_view checker, std::string text);

  const Timeline& timeline_;
  const bool print_;
  // FNV-1a.
  uint64_t hash_ = 0xcbf29ce484222325u;
  std::deque<std::string> lines_;
  Violation violation_;
};

}  // namespace interlock::simulation
