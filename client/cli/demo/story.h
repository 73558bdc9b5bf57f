// What the demo tells: a small fleet on a real server, step by step.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/alert_subscription.h"
#include "client/cli/output.h"
#include "client/client.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::cli {

// Each step says what it does and checks what comes of it. One thread at a time. Borrows what it is made of.
class Story {
 public:
  Story(const client::Client& client, const Output& output, std::string tenant);
  ~Story();

  // Tells everything. An error says what was expected and what came instead, or is that of a call.
  absl::Status Tell();

 private:
  absl::Status SetUp();
  absl::Status HealthyFleet();
  absl::Status RunawayLoop();
  absl::Status Degrade();
  absl::Status Trip();
  absl::Status Blocked();
  absl::Status Release();
  absl::Status Recover();
  absl::Status Task();

  // Reports `agent` with this success rate and answers the grade.
  absl::StatusOr<v1::Assessment> Report(absl::string_view agent, double success_rate);
  // Reports the failing agent with this success rate: it must be graded `tier`.
  absl::Status ReportFailing(double success_rate, int tier);
  // Asks for a verdict, shows it, and checks that it is as expected.
  absl::Status Ask(absl::string_view agent, absl::string_view action_type, absl::string_view detail,
                   v1::Verdict expected);
  // Waits for the alert of this type and transition, showing all that come before it too.
  absl::StatusOr<v1::Alert> WaitForAlert(absl::string_view type, v1::Transition transition);
  // Waits until an attempt has left the task in this state: active after a success, degraded after a failure.
  absl::StatusOr<v1::Task> WaitForTask(const std::string& task_id, v1::TaskState state);
  // The success rate in the middle of what is tier `tier` by the policy.
  double RateOfTier(int tier) const;

  void Title(absl::string_view text);
  void Say(absl::string_view text);

  const client::Client& client_;
  const Output& output_;
  const std::string tenant_;
  int title_count_ = 0;
  v1::PolicySet policy_;
  std::unique_ptr<client::AlertSubscription> alerts_;
  int64_t alert_count_ = 0;
  std::string lock_id_;
};

}  // namespace interlock::cli
