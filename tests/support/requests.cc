#include "tests/support/requests.h"

#include <string>

namespace interlock::support {

v1::ReportSnapshotRequest ReportOf(absl::string_view tenant_id, absl::string_view agent_id, double score) {
  v1::ReportSnapshotRequest request;
  v1::Snapshot* snapshot = request.mutable_snapshot();
  snapshot->set_tenant_id(std::string(tenant_id));
  snapshot->set_agent_id(std::string(agent_id));
  snapshot->set_total_actions(100);
  snapshot->set_success_rate(score);
  snapshot->set_efficiency_score(score);
  snapshot->set_market_impact_score(score);
  snapshot->mutable_average_response_time()->set_seconds(1);
  return request;
}

v1::ArbitrateRequest ActionOf(absl::string_view tenant_id, absl::string_view agent_id, absl::string_view action_type) {
  v1::ArbitrateRequest request;
  v1::Action* action = request.mutable_action();
  action->set_tenant_id(std::string(tenant_id));
  action->set_agent_id(std::string(agent_id));
  action->set_action_type(std::string(action_type));
  action->set_risk_score(0.1);
  action->set_impact_score(0.1);
  return request;
}

v1::EngageLockRequest EngageOf(absl::string_view tenant_id, v1::ScopeKind kind, absl::string_view id,
                               absl::string_view reason) {
  v1::EngageLockRequest request;
  request.set_tenant_id(std::string(tenant_id));
  request.mutable_scope()->set_kind(kind);
  request.mutable_scope()->set_id(std::string(id));
  request.set_reason(std::string(reason));
  return request;
}

bool IsInForce(const v1::Lock& lock) {
  return lock.state() != v1::LOCK_STATE_PROBATION && lock.state() != v1::LOCK_STATE_CLEAR;
}

bool NeedsAcknowledgement(const v1::Lock& lock) {
  return lock.state() == v1::LOCK_STATE_TRIPPED && lock.release_rule().acknowledgement_required();
}

v1::AcknowledgeLockRequest AcknowledgeOf(const v1::Lock& lock) {
  v1::AcknowledgeLockRequest request;
  request.set_lock_id(lock.lock_id());
  request.set_version(lock.version());
  return request;
}

v1::ReleaseLockRequest ReleaseOf(const v1::Lock& lock, absl::string_view reason) {
  v1::ReleaseLockRequest request;
  request.set_lock_id(lock.lock_id());
  request.set_version(lock.version());
  request.set_reason(std::string(reason));
  return request;
}

v1::SubscribeAlertsRequest SubscriptionOf(absl::string_view tenant_id, int64_t after_sequence) {
  v1::SubscribeAlertsRequest request;
  request.set_tenant_id(std::string(tenant_id));
  request.set_min_tier(0);
  request.set_after_sequence(after_sequence);
  request.mutable_bookmark_interval()->set_seconds(1);
  return request;
}

}  // namespace interlock::support
