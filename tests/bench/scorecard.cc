#include "tests/bench/scorecard.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace interlock::bench {

void Scorecard::AtLeast(const std::string& what, double measured, double target) {
  lines_.push_back({what, measured, absl::StrCat("at least ", target), measured >= target});
}

void Scorecard::AtMost(const std::string& what, double measured, double target) {
  lines_.push_back({what, measured, absl::StrCat("at most ", target), measured <= target});
}

std::string Scorecard::Text() const {
  size_t width = 0;
  for (const Line& line : lines_) width = std::max(width, line.what.size());
  std::string text;
  for (const Line& line : lines_) {
    absl::StrAppendFormat(&text, "%-*s  %12.3f  %-18s %s\n", static_cast<int>(width), line.what, line.measured,
                          line.target, line.met ? "met" : "MISSED");
  }
  return text;
}

}  // namespace interlock::bench
