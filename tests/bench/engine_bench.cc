// Measures Engine::Apply of an Arbitrate in process: what a decision costs before gRPC and the disk.

#include <iostream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_format.h"
#include "tests/bench/engine_apply.h"
#include "tests/bench/machine.h"
#include "tests/bench/scorecard.h"

ABSL_FLAG(int32_t, actions, 50000, "How many actions are timed in each row, at most 90000.");

namespace interlock::bench {
namespace {

void Run() {
  Scorecard scorecard;
  const int actions = absl::GetFlag(FLAGS_actions);
  std::cout << "\nmicroseconds                                        Apply p50      p90      p99   share of a batch\n";
  for (const v1::Verdict verdict : {v1::VERDICT_ALLOW, v1::VERDICT_DENY}) {
    for (const bool with_request_id : {true, false}) {
      for (const bool cold : {false, true}) {
        const EngineTimes times = MeasureEngine({.verdict = verdict,
                                                 .with_request_id = with_request_id,
                                                 .agents = cold ? actions : 1000,
                                                 .actions = actions});
        const auto us = [&](double share) { return absl::ToDoubleMicroseconds(times.apply.Percentile(share)); };
        const std::string what = absl::StrFormat("%s, %s, %s", verdict == v1::VERDICT_ALLOW ? "allowed" : "denied",
                                                 with_request_id ? "with request_id" : "without request_id",
                                                 cold ? "agents act first" : "agents act again");
        std::cout << absl::StrFormat("%-50s %10.2f %8.2f %8.2f %18.2f\n", what, us(0.5), us(0.9), us(0.99),
                                     absl::ToDoubleMicroseconds(times.batch_share));
        if (verdict == v1::VERDICT_ALLOW && with_request_id) {
          scorecard.AtMost("Engine Apply of an Arbitrate, " + what + ", p50, us", us(0.5), 3);
        }
      }
    }
  }
  const EngineTimes unrecorded = MeasureEngine({.agents = 1000, .records = false, .actions = actions});
  const auto unrecorded_us = [&](double share) {
    return absl::ToDoubleMicroseconds(unrecorded.apply.Percentile(share));
  };
  std::cout << absl::StrFormat("%-50s %10.2f %8.2f %8.2f %18.2f\n", "allowed, with request_id, not recorded",
                               unrecorded_us(0.5), unrecorded_us(0.9), unrecorded_us(0.99),
                               absl::ToDoubleMicroseconds(unrecorded.batch_share));
  const EngineTimes times = MeasureEngine({.agents = 1000, .many_rules = true, .actions = actions});
  const auto us = [&](double share) { return absl::ToDoubleMicroseconds(times.apply.Percentile(share)); };
  std::cout << absl::StrFormat("%-50s %10.2f %8.2f %8.2f %18.2f\n",
                               "allowed, 100 constraints, 4 limits, locks elsewhere", us(0.5), us(0.9), us(0.99),
                               absl::ToDoubleMicroseconds(times.batch_share));
  scorecard.AtMost("Engine Apply with 100 constraints, 5 lock scopes, 4 limits, p50, us", us(0.5), 5);
  scorecard.AtMost("Engine Apply with 100 constraints, 5 lock scopes, 4 limits, p99, us", us(0.99), 20);
  std::cout << "\n" << scorecard.Text();
}

}  // namespace
}  // namespace interlock::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Measures the engine alone.");
  absl::ParseCommandLine(argc, argv);
  std::cout << interlock::bench::DescribeRun(argc, argv, ".");
  interlock::bench::Run();
  return 0;
}
