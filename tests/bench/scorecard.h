// The promises about speed and space, each with what was measured.
#pragma once

#include <string>
#include <vector>

namespace interlock::bench {

// Thread-compatible.
class Scorecard {
 public:
  // `measured` and `target` in the same unit, which `what` names. Met: at least the target.
  void AtLeast(const std::string& what, double measured, double target);
  // Met: at most the target.
  void AtMost(const std::string& what, double measured, double target);

  // A table with a line for each.
  std::string Text() const;

 private:
  struct Line {
    std::string what;
    double measured;
    std::string target;
    bool met;
  };
  std::vector<Line> lines_;
};

}  // namespace interlock::bench
