// The client that does everything but plain decisions in its tenant, one call at a time: it reports good and bad
// agents, proposes critical actions, engages and releases locks, changes the policy, and creates and triggers tasks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "interlock/v1/lock.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/task.pb.h"
#include "tests/crash/client.h"
#include "tests/support/fake_oauth_server.h"

namespace interlock::crash {

// The target of a task whose attempts never end by themselves.
inline constexpr char kHangingTarget[] = "hanging";

// Where tasks refresh their tokens. Both must outlive the operators.
struct TokenEndpoints {
  support::FakeOAuthServer& prompt;
  // Never answers. Null: no task hangs.
  support::FakeOAuthServer* hanging = nullptr;
};

class Operator : public Client {
 public:
  // `period` must outlive it. The tenant gets the built-in `profile`.
  Operator(Recorder& recorder, LockPeriods& period, TokenEndpoints endpoints, std::string tenant_id,
           const std::string& profile, uint64_t seed);

 protected:
  Operation Next() override;

 private:
  Operation Report();
  Operation ProposeCriticalAction();
  Operation Engage();
  Operation Acknowledge(const v1::Lock& seen);
  Operation Release();
  Operation UpdatePolicy();
  Operation CreateTask();
  Operation TriggerTask();
  Operation LookAtTask();

  bool SendReport(const support::Api& api, const v1::ReportSnapshotRequest& request);
  bool SendCreateTask(const support::Api& api, const v1::CreateTaskRequest& request);
  bool ReadTask(const support::Api& api, const v1::Task& task);
  // Takes down the locks in force after a call that may have tripped one; then nothing about them is in doubt.
  bool ReadLocks(const support::Api& api);
  void TakeLocks(const std::vector<v1::Lock>& locks);
  const v1::Task& AnyTask() { return tasks_[static_cast<size_t>(Random(static_cast<int>(tasks_.size())))]; }

  const std::string tenant_id_;
  LockPeriods& period_;
  const TokenEndpoints endpoints_;
  // As it was last acknowledged.
  v1::PolicySet policy_;
  std::map<std::string, v1::Lock> in_force_;
  std::vector<v1::Task> tasks_;
  int64_t serial_ = 0;
};

}  // namespace interlock::crash
