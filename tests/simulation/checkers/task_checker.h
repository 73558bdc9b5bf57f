// Tasks: one holder at a time, never early, leases that are never used again, and a recorded end of every attempt.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "interlock/v1/task.pb.h"
#include "tests/simulation/cast.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class TaskChecker final : public Observer {
 public:
  TaskChecker(Sim& sim, const Cast& cast) : sim_(sim), cast_(cast) {}

  using Observer::OnSettled;
  void OnOpened(const server::Core& core) override;
  void OnSettled(const Settled<v1::CreateTaskRequest, v1::Task>& call) override;
  void OnSettled(const Settled<AttemptResult, v1::Task>& call) override;
  void OnCommitted(const Effects& effects, const Engine& engine) override;

  // Whether an attempt of any task runs.
  bool is_any_running() const { return !holders_.empty(); }

 private:
  void CheckGrant(const v1::TaskRecord& grant, absl::Time now);
  void CheckAttempts(const v1::Task& task, const std::vector<v1::Attempt>& newest_first);

  Sim& sim_;
  const Cast& cast_;
  // Tasks that were created, by task_id.
  std::map<std::string, v1::Task> tasks_;
  // The lease that holds each task that runs.
  std::map<std::string, int64_t> holders_;
  // Every lease that was granted, by its number; with the end that was acknowledged, unspecified if none was.
  struct Lease {
    std::string task_id;
    v1::AttemptOutcome outcome = v1::ATTEMPT_OUTCOME_UNSPECIFIED;
  };
  std::map<int64_t, Lease> leases_;
};

}  // namespace interlock::simulation
