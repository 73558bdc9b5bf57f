#include "tests/differential/model.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/policy/profiles.h"

namespace interlock::differential {

Answer Refuse(const char* code_and_reason) {
  Answer answer;
  answer.error = code_and_reason;
  return answer;
}

Model::Model(std::string default_profile, v1::TimeSource time_source, std::string epoch)
    : default_profile_(std::move(default_profile)), time_source_(time_source), epoch_(std::move(epoch)) {}

void Model::SetTime(absl::Time now) {
  if (time_source_ == v1::TIME_SOURCE_WALL) now_ = std::max(now_, now);
}

absl::Time Model::ClockOf(const std::string& tenant_id) const {
  if (time_source_ == v1::TIME_SOURCE_WALL) return now_;
  if (tenant_id.empty()) return FleetClock();
  const auto tenant = tenants_.find(tenant_id);
  return tenant == tenants_.end() ? absl::UnixEpoch() : tenant->second;
}

absl::Time Model::FleetClock() const {
  absl::Time largest = now_;
  for (const auto& [tenant_id, clock] : tenants_) largest = std::max(largest, clock);
  return largest;
}

absl::Time Model::Peek(const std::string& tenant_id, absl::optional<absl::Time> command_time) const {
  const absl::Time clock = ClockOf(tenant_id);
  if (time_source_ == v1::TIME_SOURCE_WALL || !command_time.has_value()) return clock;
  return std::max(clock, *command_time);
}

absl::Time Model::Advance(const std::string& tenant_id, absl::optional<absl::Time> command_time, Answer& answer) {
  const absl::Time time = Peek(tenant_id, command_time);
  if (tenant_id.empty()) return time;
  tenants_[tenant_id] = time;
  if (time_source_ == v1::TIME_SOURCE_REQUEST) {
    ClaimDue(time, tenant_id, answer);
    // Both tell of what they do, in the order of time.
    for (;;) {
      const absl::Time due = std::min(FirstDueLock(tenant_id).second, NextEpisodeTime(tenant_id));
      if (due > time) break;
      FireLocks(due, tenant_id, answer);
      FireEpisodes(due, tenant_id, answer);
    }
    FireApprovals(time, tenant_id, answer);
    FireRollbacks(time, tenant_id, answer);
    DropCheckpoints(time, tenant_id);
    FireLocks(FleetClock(), "", answer);
  }
  return time;
}

int64_t Model::PolicyVersion(const std::string& tenant_id) const {
  int64_t version = 0;
  for (const v1::PolicySet& policy : policies_) version += policy.tenant_id() == tenant_id ? 1 : 0;
  return version;
}

const v1::PolicySet& Model::PolicyOf(const std::string& tenant_id) const {
  const v1::PolicySet* newest = policy::FindProfile(default_profile_);
  for (const v1::PolicySet& policy : policies_) {
    if (policy.tenant_id() == tenant_id) newest = &policy;
  }
  return *newest;
}

absl::optional<Answer> Model::Recall(const CallId& id) const {
  if (id.request_id.empty()) return absl::nullopt;
  for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
    const bool same =
        call->id.owner == id.owner && call->id.method == id.method && call->id.request_id == id.request_id;
    // Nothing is forgotten while only requests move time.
    const bool forgotten = time_source_ == v1::TIME_SOURCE_WALL && now_ - call->time >= absl::Minutes(10);
    if (!same || forgotten) continue;
    if (call->id.request_bytes != id.request_bytes) return Refuse("FAILED_PRECONDITION REQUEST_ID_REUSED");
    Answer answer;
    answer.reply.reset(call->reply->New());
    answer.reply->CopyFrom(*call->reply);
    return answer;
  }
  return absl::nullopt;
}

void Model::Remember(const CallId& id, const Answer& answer) {
  if (id.request_id.empty() || !answer.error.empty()) return;
  std::unique_ptr<google::protobuf::Message> reply(answer.reply->New());
  reply->CopyFrom(*answer.reply);
  calls_.push_back({id, FleetClock(), std::move(reply)});
}

Answer Model::Apply(const v1::UpdatePolicyRequest& request, bool is_current, bool is_valid,
                    const v1::Principal& caller) {
  if (caller.kind() != v1::PRINCIPAL_KIND_HUMAN && caller.kind() != v1::PRINCIPAL_KIND_SERVICE) {
    return Refuse("PERMISSION_DENIED POLICY_UPDATE_NOT_PERMITTED");
  }
  const std::string& tenant_id = request.policy().tenant_id();
  const CallId id = {tenant_id, "UpdatePolicy", request.request_id(), Serialize(request)};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  if (!is_valid) return Refuse("INVALID_ARGUMENT INVALID_FIELD");
  if (!is_current) return Refuse("ABORTED ETAG_MISMATCH");
  v1::PolicySet policy = request.policy();
  if (policy.tiers().empty()) {
    policy = *policy::FindProfile(request.policy().profile());
    policy.set_tenant_id(tenant_id);
  }
  policy.set_reason(request.reason());
  policy.clear_rolled_back_to();
  Answer answer = AddPolicy(std::move(policy), caller);
  Remember(id, answer);
  return answer;
}

Answer Model::Apply(const v1::RollbackPolicyRequest& request, bool is_current, const v1::Principal& caller) {
  if (caller.kind() != v1::PRINCIPAL_KIND_HUMAN && caller.kind() != v1::PRINCIPAL_KIND_SERVICE) {
    return Refuse("PERMISSION_DENIED POLICY_UPDATE_NOT_PERMITTED");
  }
  const CallId id = {request.tenant_id(), "RollbackPolicy", request.request_id(), Serialize(request)};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  const auto old = std::find_if(policies_.begin(), policies_.end(), [&](const v1::PolicySet& policy) {
    return policy.tenant_id() == request.tenant_id() && policy.version() == request.version();
  });
  if (old == policies_.end()) return Refuse("NOT_FOUND POLICY_VERSION_NOT_FOUND");
  if (!is_current) return Refuse("ABORTED ETAG_MISMATCH");
  v1::PolicySet policy = *old;
  policy.set_reason(request.reason());
  policy.set_rolled_back_to(request.version());
  Answer answer = AddPolicy(std::move(policy), caller);
  Remember(id, answer);
  return answer;
}

Answer Model::AddPolicy(v1::PolicySet policy, const v1::Principal& caller) {
  Answer answer;
  *policy.mutable_update_time() = ToProto(Advance(policy.tenant_id(), absl::nullopt, answer));
  policy.set_version(PolicyVersion(policy.tenant_id()) + 1);
  *policy.mutable_updated_by() = caller;
  policies_.push_back(policy);
  return ReplyWith(std::move(policy), std::move(answer));
}

Answer Model::Tick() {
  Answer answer;
  if (time_source_ == v1::TIME_SOURCE_REQUEST) return answer;
  ClaimDue(now_, absl::nullopt, answer);
  FireLocks(now_, absl::nullopt, answer);
  FireApprovals(now_, absl::nullopt, answer);
  FireRollbacks(now_, absl::nullopt, answer);
  DropCheckpoints(now_, absl::nullopt);
  FireEpisodes(now_, absl::nullopt, answer);
  return answer;
}

Answer Model::Apply(const v1::GetServerInfoRequest&, const v1::Principal&) {
  v1::ServerInfo info;
  info.set_epoch(epoch_);
  info.set_time_source(time_source_);
  info.set_default_profile(default_profile_);
  *info.mutable_engine_time() = ToProto(FleetClock());
  info.set_decision_sequence(decision_count_);
  info.set_alert_sequence(alert_count_);
  info.set_tenant_count(static_cast<int64_t>(tenants_.size()));
  info.set_agent_count(static_cast<int64_t>(agents_.size()));
  info.set_active_lock_count(static_cast<int64_t>(locks_.size()));
  info.set_task_count(static_cast<int64_t>(tasks_.size()));
  return ReplyWith(std::move(info));
}

}  // namespace interlock::differential
