#include "core/replay/policy_engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "core/engine/decision_row.h"
#include "core/engine/keys.h"
#include "core/policy/validate.h"
#include "interlock/v1/policy_service.pb.h"

namespace interlock::replay {
namespace {

// As many commands as a busy server takes at once. The engine keeps the rows of the newest two batches.
constexpr int kCommandsPerBatch = 64;
// For checks that want a tenant; each gets the policy under its own name.
constexpr char kAnyTenant[] = "replay";
constexpr char kEpoch[] = "replay";

std::string KeyOf(const v1::LockScope& scope) { return absl::StrCat(scope.kind(), " ", scope.id()); }

bool Blocks(const v1::Lock& lock) {
  return lock.state() != v1::LOCK_STATE_CLEAR && lock.state() != v1::LOCK_STATE_PROBATION;
}

absl::StatusOr<v1::PolicySet> Prepare(const v1::PolicySet& policy) {
  v1::PolicySet prepared = policy;
  prepared.set_tenant_id(kAnyTenant);
  prepared.clear_etag();
  prepared = policy::Expand(prepared);
  FieldViolations violations;
  for (const v1::PolicyViolation& violation : policy::Validate(prepared)) {
    violations.Add(violation.field(), violation.description());
  }
  INTERLOCK_RETURN_IF_ERROR(violations.ToStatus());
  return prepared;
}

// What was recorded happened once, so that there are no repeats to remember anything for.
template <typename Request>
Request WithoutRequestId(Request request) {
  request.clear_request_id();
  return request;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PolicyEngine>> PolicyEngine::Make(const v1::PolicySet& policy) {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::PolicySet prepared, Prepare(policy));
  std::unique_ptr<PolicyEngine> made(new PolicyEngine(prepared));
  Engine::Options options;
  options.time_source = v1::TIME_SOURCE_REQUEST;
  options.makes_rows = false;
  INTERLOCK_ASSIGN_OR_RETURN(made->engine_, Engine::Load(made->store_, options, absl::UnixEpoch(), made->effects_));
  made->effects_.Clear();
  made->effects_.writes.DropAll();
  return made;
}

PolicyEngine::PolicyEngine(const v1::PolicySet& policy) : policy_(policy), store_(kEpoch) {
  caller_.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  caller_.set_id("replay");
}

void PolicyEngine::MeetTenant(const std::string& tenant_id) {
  if (tenant_id == newest_tenant_) return;
  newest_tenant_ = tenant_id;
  if (!tenants_.insert(tenant_id).second) return;
  v1::UpdatePolicyRequest update;
  *update.mutable_policy() = policy_;
  update.mutable_policy()->set_tenant_id(tenant_id);
  // It is valid; there may be more tenants than an engine takes, whose requests are then refused as well.
  if (!engine_->Apply(update, Context(), effects_).ok()) effects_.Clear();
}

void PolicyEngine::Discard() {
  for (v1::Lock& lock : effects_.locks) {
    std::map<std::string, v1::Lock>& locks = locks_[lock.tenant_id()];
    const std::string key = KeyOf(lock.scope());
    if (lock.kind() == v1::LOCK_KIND_TRIP && lock.version() == 1) trips_.push_back(lock);
    if (lock.state() == v1::LOCK_STATE_CLEAR) {
      locks.erase(key);
    } else {
      locks.insert_or_assign(key, std::move(lock));
    }
  }
  if (++commands_in_batch_ >= kCommandsPerBatch) {
    engine_->EndBatch(effects_);
    commands_in_batch_ = 0;
  }
  effects_.Clear();
}

template <typename Request>
bool PolicyEngine::Apply(const std::string& tenant_id, const Request& request) {
  trips_.clear();
  MeetTenant(tenant_id);
  const bool applied = request.request_id().empty()
                           ? engine_->Apply(request, Context(), effects_).ok()
                           : engine_->Apply(WithoutRequestId(request), Context(), effects_).ok();
  Discard();
  return applied;
}

absl::StatusOr<v1::Decision> PolicyEngine::Decide(const v1::ArbitrateRequest& request, absl::string_view outcome_name) {
  trips_.clear();
  MeetTenant(request.action().tenant_id());
  absl::StatusOr<v1::Decision> decision = request.request_id().empty()
                                              ? engine_->Apply(request, Context(), effects_)
                                              : engine_->Apply(WithoutRequestId(request), Context(), effects_);
  if (!outcome_name.empty() && decision.ok()) AwaitOutcome(outcome_name, *decision);
  Discard();
  return decision;
}

void PolicyEngine::AwaitOutcome(absl::string_view outcome_name, const v1::Decision& decision) {
  if (decision.verdict() != v1::VERDICT_ALLOW) return;
  v1::Decision stored = decision;
  store_.KeepDecision(keys::TenantNumber(decision.tenant_id(), decision.sequence()), CompactDecision({}, stored));
  if (!decision_ids_.insert_or_assign(std::string(outcome_name), decision.decision_id()).second) return;
  outcome_names_.push_back(std::string(outcome_name));
  if (outcome_names_.size() <= ReplayStore::kDecisionsKept) return;
  decision_ids_.erase(outcome_names_.front());
  outcome_names_.pop_front();
}

bool PolicyEngine::Take(const v1::ReportSnapshotRequest& request) {
  return Apply(request.snapshot().tenant_id(), request);
}

bool PolicyEngine::Take(const v1::RecordDataPointsRequest& request) { return Apply(request.tenant_id(), request); }

bool PolicyEngine::Take(const v1::ReportActionOutcomeRequest& request) {
  trips_.clear();
  const auto decision = decision_ids_.find(request.decision_id());
  if (decision == decision_ids_.end()) return false;
  v1::ReportActionOutcomeRequest here = request;
  here.set_decision_id(decision->second);
  return Apply(request.tenant_id(), here);
}

void PolicyEngine::ReleaseTrips(const std::string& tenant_id) {
  trips_.clear();
  const auto locks = locks_.find(tenant_id);
  if (locks == locks_.end()) return;
  std::vector<v1::ReleaseLockRequest> releases;
  for (const auto& [key, lock] : locks->second) {
    if (lock.kind() != v1::LOCK_KIND_TRIP || !Blocks(lock)) continue;
    v1::ReleaseLockRequest& release = releases.emplace_back();
    release.set_lock_id(lock.lock_id());
    release.set_version(lock.version());
    release.set_reason("released for the next recorded run");
  }
  for (const v1::ReleaseLockRequest& release : releases) {
    // One that is refused leaves the lock in force, as it would on a server.
    if (!engine_->Apply(release, Context(), effects_).ok()) effects_.Clear();
    Discard();
  }
}

bool PolicyEngine::IsLocked(const std::string& tenant_id, const v1::LockScope& scope) const {
  // The fleet's lock is nobody's.
  const auto locks = locks_.find(scope.kind() == v1::SCOPE_KIND_FLEET ? "" : tenant_id);
  if (locks == locks_.end()) return false;
  const auto lock = locks->second.find(KeyOf(scope));
  return lock != locks->second.end() && Blocks(lock->second);
}

}  // namespace interlock::replay
