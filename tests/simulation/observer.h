// What a checker or a workload is told of a simulated server.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/engine/effects.h"
#include "core/engine/engine.h"
#include "server/sequencer/core.h"

namespace interlock::simulation {

// A command that was applied and cannot be taken back any more: its batch is durable, or wrote nothing. Whatever
// `reply` says must be true from here on, whether or not anybody received it.
template <typename Request, typename Reply>
struct Settled {
  const Request& request;
  const absl::StatusOr<Reply>& reply;
  const v1::Principal& caller;
  // The time of the batch.
  absl::Time now;
};

// Does nothing by default, but for telling of policies. A batch is told as OnBatch, then each of its commands in the
// order in which they were applied, then OnCommitted.
class Observer {
 public:
  virtual ~Observer() = default;

  // The store was opened and the engine loaded from it: durable is what it holds. Nothing was asked of it yet.
  virtual void OnOpened(const server::Core&) {}
  // `effects`: what the batch did besides its replies; null if nobody knows, because its commit failed although it is
  // stored.
  virtual void OnBatch(const Effects*) {}
  virtual void OnSettled(const Settled<v1::ReportSnapshotRequest, v1::ReportSnapshotResponse>&) {}
  virtual void OnSettled(const Settled<v1::RecordDataPointsRequest, v1::RecordDataPointsResponse>&) {}
  virtual void OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>&) {}
  virtual void OnSettled(const Settled<v1::ReportActionOutcomeRequest, v1::ReportActionOutcomeResponse>&) {}
  virtual void OnSettled(const Settled<v1::EngageLockRequest, v1::Lock>&) {}
  virtual void OnSettled(const Settled<v1::AcknowledgeLockRequest, v1::Lock>&) {}
  virtual void OnSettled(const Settled<v1::ReleaseLockRequest, v1::Lock>&) {}
  virtual void OnSettled(const Settled<v1::DecideApprovalRequest, v1::Approval>&) {}
  virtual void OnSettled(const Settled<v1::CreateCheckpointRequest, v1::Checkpoint>&) {}
  virtual void OnSettled(const Settled<v1::RequestRollbackRequest, v1::RequestRollbackResponse>&) {}
  virtual void OnSettled(const Settled<v1::ReportRollbackRequest, v1::Rollback>&) {}
  virtual void OnSettled(const Settled<v1::UpdatePolicyRequest, v1::PolicySet>& call) { TellOfPolicy(call); }
  virtual void OnSettled(const Settled<v1::RollbackPolicyRequest, v1::PolicySet>& call) { TellOfPolicy(call); }
  // By either of these two, or by a repeat of it: the version that it made.
  virtual void OnPolicy(const v1::PolicySet&, const v1::Principal&) {}
  virtual void OnSettled(const Settled<v1::SetShadowPolicyRequest, v1::ShadowPolicy>&) {}
  virtual void OnSettled(const Settled<v1::CreateTaskRequest, v1::Task>&) {}
  virtual void OnSettled(const Settled<v1::TriggerTaskRequest, v1::Task>&) {}
  virtual void OnSettled(const Settled<AttemptResult, v1::Task>&) {}
  virtual void OnSettled(const Settled<v1::ExplainActionRequest, v1::Decision>&) {}
  virtual void OnSettled(const Settled<v1::GetAgentRequest, v1::Agent>&) {}
  virtual void OnSettled(const Settled<v1::ListAgentsRequest, v1::ListAgentsResponse>&) {}
  virtual void OnSettled(const Settled<v1::GetFleetStatsRequest, v1::FleetStats>&) {}
  virtual void OnSettled(const Settled<v1::GetServerInfoRequest, v1::ServerInfo>&) {}
  virtual void OnCommitted(const Effects&, const Engine&) {}

 private:
  template <typename Request>
  void TellOfPolicy(const Settled<Request, v1::PolicySet>& call) {
    if (call.reply.ok()) OnPolicy(*call.reply, call.caller);
  }
};

}  // namespace interlock::simulation
