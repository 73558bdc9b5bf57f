// The recording of commands: it holds each command that was carried out, once and in order, across crashes; and what it
// says, replayed under the policy that decided, gives the verdicts that were given.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "interlock/v1/policy.pb.h"
#include "interlock/v1/recording.pb.h"
#include "tests/simulation/cast.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class RecordingChecker final : public Observer {
 public:
  // `default_profile` decides for tenants without a policy.
  RecordingChecker(Sim& sim, const Cast& cast, const std::string& default_profile);

  using Observer::OnSettled;
  void OnOpened(const server::Core& core) override;
  void OnSettled(const Settled<v1::ReportSnapshotRequest, v1::ReportSnapshotResponse>& call) override;
  void OnSettled(const Settled<v1::RecordDataPointsRequest, v1::RecordDataPointsResponse>& call) override;
  void OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) override;
  void OnSettled(const Settled<v1::ReportActionOutcomeRequest, v1::ReportActionOutcomeResponse>& call) override;
  void OnSettled(const Settled<v1::EngageLockRequest, v1::Lock>& call) override;
  void OnSettled(const Settled<v1::AcknowledgeLockRequest, v1::Lock>& call) override;
  void OnSettled(const Settled<v1::ReleaseLockRequest, v1::Lock>& call) override;
  void OnSettled(const Settled<v1::DecideApprovalRequest, v1::Approval>& call) override;
  void OnSettled(const Settled<v1::CreateCheckpointRequest, v1::Checkpoint>& call) override;
  void OnSettled(const Settled<v1::RequestRollbackRequest, v1::RequestRollbackResponse>& call) override;
  void OnPolicy(const v1::PolicySet& policy, const v1::Principal& caller) override;

 private:
  struct Event {
    std::string tenant_id;
    v1::RecordedEvent event;
  };

  // Expects the command of `call` next, unless it is a repeat.
  template <typename Request, typename Reply>
  void Expect(const Settled<Request, Reply>& call, v1::RecordedEvent::CommandCase command, absl::string_view tenant_id,
              absl::string_view record_id);
  std::vector<Event> EventsIn(const Store& store);
  void CheckReplay(const Store& store, const std::vector<Event>& events, const std::string& tenant_id);

  Sim& sim_;
  const Cast& cast_;
  const v1::PolicySet default_policy_;
  // What is to be recorded, in order: tenant, command and id.
  std::vector<std::string> expected_;
  // Rollbacks that were asked for.
  std::set<std::string> rollbacks_;
  // Request ids with their answers.
  std::set<std::string> answered_;
  // Tenants that ever had a policy of their own.
  std::set<std::string> with_policy_;
};

}  // namespace interlock::simulation
