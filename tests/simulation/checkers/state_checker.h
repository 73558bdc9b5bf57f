// What was last said of agents and policies is durable, and an engine that is loaded from the store answers as the one
// that runs.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "tests/simulation/cast.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class StateChecker final : public Observer {
 public:
  StateChecker(Sim& sim, const Cast& cast, const SimDisk& disk, Engine::Options options)
      : sim_(sim), cast_(cast), disk_(disk), options_(std::move(options)) {}

  using Observer::OnSettled;
  void OnOpened(const server::Core& core) override;
  void OnSettled(const Settled<v1::ReportActionOutcomeRequest, v1::ReportActionOutcomeResponse>& call) override;
  void OnSettled(const Settled<v1::ReportSnapshotRequest, v1::ReportSnapshotResponse>& call) override;
  void OnSettled(const Settled<v1::RecordDataPointsRequest, v1::RecordDataPointsResponse>& call) override;
  void OnPolicy(const v1::PolicySet& policy, const v1::Principal& caller) override;
  // Now and then compares the engine with one that is loaded from the same rows.
  void OnCommitted(const Effects& effects, const Engine& engine) override;

 private:
  // The newest assessment of an agent; several if they were made at one time, because a reply that is sent again is not
  // told from a new one then.
  struct Newest {
    absl::Time time;
    std::set<std::string> assessments;
  };

  void Take(const v1::Assessment& assessment);
  void CheckAgents(Engine& engine);
  void CheckPolicies(const Store& store);

  Sim& sim_;
  const Cast& cast_;
  const SimDisk& disk_;
  const Engine::Options options_;
  // By tenant and agent.
  std::map<std::pair<std::string, std::string>, Newest> agents_;
  // By tenant and version.
  std::map<std::string, std::map<int64_t, std::string>> policies_;
};

}  // namespace interlock::simulation
