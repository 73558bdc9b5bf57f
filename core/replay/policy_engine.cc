#include "core/replay/policy_engine.h"

#include <algorithm>
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
// No id is like this.
constexpr char kNobodysId[] = "none";

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

bool HasReason(const v1::Decision* decision, v1::ReasonCode code) {
  return decision != nullptr && std::any_of(decision->reasons().begin(), decision->reasons().end(),
                                            [code](const v1::Reason& reason) { return reason.code() == code; });
}

v1::Principal MakeOperator() {
  v1::Principal principal;
  principal.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  principal.set_id("replay");
  return principal;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PolicyEngine>> PolicyEngine::Make(const v1::PolicySet& policy,
                                                                 v1::TimeSource time_source,
                                                                 const std::string& default_profile) {
  INTERLOCK_ASSIGN_OR_RETURN(const v1::PolicySet prepared, Prepare(policy));
  std::unique_ptr<PolicyEngine> made(new PolicyEngine(prepared));
  Engine::Options options;
  options.time_source = time_source;
  options.default_profile = default_profile;
  options.makes_rows = false;
  INTERLOCK_ASSIGN_OR_RETURN(made->engine_, Engine::Load(made->store_, options, absl::UnixEpoch(), made->effects_));
  made->effects_.Clear();
  made->effects_.writes.DropAll();
  return made;
}

PolicyEngine::PolicyEngine(const v1::PolicySet& policy)
    : policy_(policy), operator_(MakeOperator()), caller_(operator_), store_(kEpoch) {}

void PolicyEngine::GoTo(absl::Time time, const v1::Principal& caller) {
  caller_ = caller;
  time_ = std::max(time_, time);
  while (engine_->NextTimer() <= time_) {
    engine_->Tick(std::max(engine_->NextTimer(), engine_->now()), effects_);
    Discard();
  }
}

void PolicyEngine::MeetTenant(const std::string& tenant_id) {
  // The fleet has no policy of its own.
  if (tenant_id.empty() || tenant_id == newest_tenant_) return;
  newest_tenant_ = tenant_id;
  if (!tenants_.insert(tenant_id).second) return;
  v1::UpdatePolicyRequest update;
  *update.mutable_policy() = policy_;
  update.mutable_policy()->set_tenant_id(tenant_id);
  // It is valid; there may be more tenants than an engine takes, whose requests are then refused as well.
  if (!engine_->Apply(update, {operator_, time_}, effects_).ok()) effects_.Clear();
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
  for (const v1::Approval& approval : effects_.approvals) {
    if (approval.state() == v1::APPROVAL_STATE_PENDING || approval.state() == v1::APPROVAL_STATE_APPROVED) {
      approval_versions_.insert_or_assign(approval.approval_id(), approval.version());
    } else {
      approval_versions_.erase(approval.approval_id());
    }
  }
  if (++commands_in_batch_ >= kCommandsPerBatch) {
    engine_->EndBatch(effects_);
    commands_in_batch_ = 0;
  }
  effects_.Clear();
}

template <typename Request>
auto PolicyEngine::Apply(const std::string& tenant_id, const Request& request) {
  MeetTenant(tenant_id);
  auto reply = request.request_id().empty() ? engine_->Apply(request, Context(), effects_)
                                            : engine_->Apply(WithoutRequestId(request), Context(), effects_);
  Discard();
  return reply;
}

void PolicyEngine::Remember(const std::string& recorded_id, const std::string& id) {
  if (!ids_.insert_or_assign(recorded_id, id).second) return;
  recorded_ids_.push_back(recorded_id);
  if (recorded_ids_.size() <= ReplayStore::kDecisionsKept) return;
  ids_.erase(recorded_ids_.front());
  recorded_ids_.pop_front();
}

const std::string* PolicyEngine::FindId(const std::string& recorded_id) const {
  const auto found = ids_.find(recorded_id);
  return found == ids_.end() ? nullptr : &found->second;
}

std::string PolicyEngine::IdHere(const std::string& recorded_id, bool was_refused) const {
  if (recorded_id.empty()) return "";
  const std::string* id = FindId(recorded_id);
  if (id != nullptr) return *id;
  return was_refused ? kNobodysId : "";
}

v1::ArbitrateRequest PolicyEngine::Translate(const v1::ArbitrateRequest& request, const v1::Decision* recorded) const {
  v1::ArbitrateRequest here = request;
  here.set_approval_id(IdHere(request.approval_id(), false));
  here.set_checkpoint_id(IdHere(request.checkpoint_id(), HasReason(recorded, v1::REASON_CODE_CHECKPOINT_REQUIRED)));
  here.mutable_action()->set_episode_id(
      IdHere(request.action().episode_id(), HasReason(recorded, v1::REASON_CODE_EPISODE_UNKNOWN)));
  return here;
}

absl::StatusOr<v1::Decision> PolicyEngine::Decide(const v1::ArbitrateRequest& request, const v1::Decision* recorded) {
  const bool names_nothing =
      request.approval_id().empty() && request.checkpoint_id().empty() && request.action().episode_id().empty();
  const std::string& tenant_id = request.action().tenant_id();
  absl::StatusOr<v1::Decision> decision =
      names_nothing ? Apply(tenant_id, request) : Apply(tenant_id, Translate(request, recorded));
  if (recorded != nullptr && decision.ok()) Await(*recorded, *decision);
  return decision;
}

void PolicyEngine::Await(const v1::Decision& recorded, const v1::Decision& decision) {
  if (decision.verdict() == v1::VERDICT_ALLOW) {
    if (recorded.decision_id().empty()) return;
    v1::Decision stored = decision;
    store_.KeepDecision(keys::TenantNumber(decision.tenant_id(), decision.sequence()), CompactDecision({}, stored));
    Remember(recorded.decision_id(), decision.decision_id());
  } else if (!decision.approval_id().empty() && !recorded.approval_id().empty()) {
    Remember(recorded.approval_id(), decision.approval_id());
  }
}

void PolicyEngine::RememberEpisode(const std::string& recorded_id, const v1::Assessment& assessment) {
  if (!recorded_id.empty() && !assessment.episode_id().empty()) Remember(recorded_id, assessment.episode_id());
}

bool PolicyEngine::Take(const v1::ReportSnapshotRequest& request, const std::string& episode_id) {
  const absl::StatusOr<v1::ReportSnapshotResponse> reply = Apply(request.snapshot().tenant_id(), request);
  if (reply.ok()) RememberEpisode(episode_id, reply->assessment());
  return reply.ok();
}

bool PolicyEngine::Take(const v1::RecordDataPointsRequest& request, const std::string& episode_id) {
  const absl::StatusOr<v1::RecordDataPointsResponse> reply = Apply(request.tenant_id(), request);
  if (reply.ok()) RememberEpisode(episode_id, reply->assessment());
  return reply.ok();
}

bool PolicyEngine::Take(const v1::ReportActionOutcomeRequest& request, const std::string& episode_id) {
  const std::string* decision_id = FindId(request.decision_id());
  if (decision_id == nullptr) return false;
  v1::ReportActionOutcomeRequest here = request;
  here.set_decision_id(*decision_id);
  const absl::StatusOr<v1::ReportActionOutcomeResponse> reply = Apply(request.tenant_id(), here);
  if (reply.ok()) RememberEpisode(episode_id, reply->assessment());
  return reply.ok();
}

bool PolicyEngine::Take(const std::string& tenant_id, const v1::EngageLockRequest& request) {
  return Apply(tenant_id, request).ok();
}

template <typename Request>
bool PolicyEngine::TakeStep(const std::string& tenant_id, const v1::LockScope& lock_scope, const Request& request) {
  const v1::Lock* lock = FindLock(tenant_id, lock_scope);
  if (lock == nullptr) return false;
  Request here = request;
  here.set_lock_id(lock->lock_id());
  here.set_version(lock->version());
  return Apply(tenant_id, here).ok();
}

bool PolicyEngine::Take(const std::string& tenant_id, const v1::LockScope& lock_scope,
                        const v1::AcknowledgeLockRequest& request) {
  return TakeStep(tenant_id, lock_scope, request);
}

bool PolicyEngine::Take(const std::string& tenant_id, const v1::LockScope& lock_scope,
                        const v1::ReleaseLockRequest& request) {
  return TakeStep(tenant_id, lock_scope, request);
}

bool PolicyEngine::Take(const v1::DecideApprovalRequest& request) {
  const std::string* approval_id = FindId(request.approval_id());
  if (approval_id == nullptr) return false;
  const auto version = approval_versions_.find(*approval_id);
  if (version == approval_versions_.end()) return false;
  v1::DecideApprovalRequest here = request;
  here.set_approval_id(*approval_id);
  here.set_version(version->second);
  return Apply(request.tenant_id(), here).ok();
}

bool PolicyEngine::Take(const std::string& checkpoint_id, const v1::CreateCheckpointRequest& request) {
  const absl::StatusOr<v1::Checkpoint> checkpoint = Apply(request.tenant_id(), request);
  if (checkpoint.ok()) Remember(checkpoint_id, checkpoint->checkpoint_id());
  return checkpoint.ok();
}

bool PolicyEngine::Take(const v1::RequestRollbackRequest& request) {
  const std::string* checkpoint_id = FindId(request.checkpoint_id());
  if (checkpoint_id == nullptr) return false;
  v1::RequestRollbackRequest here = request;
  here.set_checkpoint_id(*checkpoint_id);
  return Apply(request.tenant_id(), here).ok();
}

void PolicyEngine::ReleaseTrips(const std::string& tenant_id) {
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
    if (!engine_->Apply(release, {operator_, time_}, effects_).ok()) effects_.Clear();
    Discard();
  }
}

const v1::Lock* PolicyEngine::FindLock(const std::string& tenant_id, const v1::LockScope& scope) const {
  // The fleet's lock is nobody's.
  const auto locks = locks_.find(scope.kind() == v1::SCOPE_KIND_FLEET ? "" : tenant_id);
  if (locks == locks_.end()) return nullptr;
  const auto lock = locks->second.find(KeyOf(scope));
  return lock == locks->second.end() ? nullptr : &lock->second;
}

bool PolicyEngine::IsLocked(const std::string& tenant_id, const v1::LockScope& scope) const {
  const v1::Lock* lock = FindLock(tenant_id, scope);
  return lock != nullptr && Blocks(*lock);
}

}  // namespace interlock::replay
