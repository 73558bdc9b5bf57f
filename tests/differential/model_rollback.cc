// Checkpoints and rollbacks: what can be undone, and how it is.

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "core/base/check.h"
#include "core/base/serialize.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "tests/differential/model.h"

namespace interlock::differential {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kMonth = absl::Hours(24 * 30);

bool IsOpen(v1::RollbackState state) {
  return state == v1::ROLLBACK_STATE_REQUESTED || state == v1::ROLLBACK_STATE_RUNNING;
}

bool IsSettled(const v1::Checkpoint& checkpoint) {
  return IsOpen(checkpoint.rollback_state()) || checkpoint.rollback_state() == v1::ROLLBACK_STATE_SUCCEEDED;
}

bool MayActFor(const v1::Principal& caller, const std::string& agent_id) {
  if (caller.kind() == v1::PRINCIPAL_KIND_AGENT) return caller.id() == agent_id;
  return caller.kind() == v1::PRINCIPAL_KIND_HUMAN || caller.kind() == v1::PRINCIPAL_KIND_SERVICE;
}

int NumberOf(const v1::Rollback& rollback) {
  return std::stoi(rollback.checkpoint_id().substr(std::string("checkpoint-").size()));
}

// Whether another rollback must come first: of the same resource, to a newer checkpoint.
bool MustWait(const v1::Rollback& rollback, const std::vector<v1::Rollback>& open) {
  for (const v1::Rollback& other : open) {
    if (other.tenant_id() == rollback.tenant_id() && other.agent_id() == rollback.agent_id() &&
        other.target_resource() == rollback.target_resource() && NumberOf(other) > NumberOf(rollback)) {
      return true;
    }
  }
  return false;
}

// The step that a report makes; UNSPECIFIED: there is none.
v1::RollbackStep StepOf(const v1::Rollback& rollback, const v1::ReportRollbackRequest& report) {
  const bool running = rollback.state() == v1::ROLLBACK_STATE_RUNNING;
  if (report.state() == v1::ROLLBACK_STATE_FAILED) return v1::ROLLBACK_STEP_FAIL;
  if (report.state() == v1::ROLLBACK_STATE_RUNNING && !running) return v1::ROLLBACK_STEP_START;
  if (report.state() == v1::ROLLBACK_STATE_UNVERIFIABLE && running) return v1::ROLLBACK_STEP_GIVE_UP;
  if (report.state() != v1::ROLLBACK_STATE_SUCCEEDED || !running) return v1::ROLLBACK_STEP_UNSPECIFIED;
  return report.restored_digest() == rollback.content_digest() ? v1::ROLLBACK_STEP_SUCCEED : v1::ROLLBACK_STEP_MISMATCH;
}

void Record(v1::RollbackStep step, v1::RollbackState state, const v1::Principal* caller, absl::Time now,
            v1::Rollback& rollback) {
  rollback.set_state(state);
  rollback.set_version(rollback.version() + 1);
  *rollback.mutable_update_time() = ToProto(now);
  if (IsOpen(state)) *rollback.mutable_expire_time() = ToProto(now + absl::Hours(1));
  v1::RollbackRecord& record = *rollback.add_steps();
  record.set_step(step);
  if (caller != nullptr) *record.mutable_taken_by() = *caller;
  *record.mutable_create_time() = ToProto(now);
}

}  // namespace

v1::Checkpoint* Model::FindCheckpoint(const std::string& tenant_id, const std::string& checkpoint_id) {
  for (v1::Checkpoint& checkpoint : checkpoints_) {
    if (checkpoint.tenant_id() == tenant_id && checkpoint.checkpoint_id() == checkpoint_id) return &checkpoint;
  }
  return nullptr;
}

bool Model::IsUsable(const std::string& checkpoint_id, const v1::Action& action, absl::Time now) const {
  return std::any_of(checkpoints_.begin(), checkpoints_.end(), [&](const v1::Checkpoint& checkpoint) {
    return checkpoint.checkpoint_id() == checkpoint_id && checkpoint.tenant_id() == action.tenant_id() &&
           checkpoint.agent_id() == action.agent_id() &&
           checkpoint.action_type() == absl::AsciiStrToLower(action.action_type()) &&
           checkpoint.target_resource() == action.target_resource() && checkpoint.used_by().empty() &&
           checkpoint.rollback_id().empty() && now - FromProto(checkpoint.create_time()) < kDay;
  });
}

void Model::UseCheckpoint(const v1::Decision& decision, absl::Time now, Answer& answer) {
  if (decision.verdict() != v1::VERDICT_ALLOW || decision.checkpoint_id().empty()) return;
  v1::Checkpoint& used = *FindCheckpoint(decision.tenant_id(), decision.checkpoint_id());
  used.set_version(used.version() + 1);
  used.set_used_by(decision.decision_id());
  *used.mutable_use_time() = ToProto(now);
  *used.mutable_expire_time() = ToProto(now + kMonth);
  answer.checkpoints.push_back(used);
}

Answer Model::Apply(const v1::CreateCheckpointRequest& request, const v1::Principal& caller) {
  if (!MayActFor(caller, request.agent_id())) return Refuse("PERMISSION_DENIED CHECKPOINT_NOT_PERMITTED");
  const CallId id = {request.tenant_id(), "CreateCheckpoint", request.request_id(), Serialize(request) + caller.id()};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  Answer answer;
  const absl::Time now = Advance(request.tenant_id(), absl::nullopt, answer);
  v1::Checkpoint checkpoint;
  checkpoint.set_checkpoint_id("checkpoint-" + std::to_string(++last_id_));
  checkpoint.set_tenant_id(request.tenant_id());
  checkpoint.set_agent_id(request.agent_id());
  checkpoint.set_action_type(absl::AsciiStrToLower(request.action_type()));
  checkpoint.set_target_resource(request.target_resource());
  checkpoint.set_state_bytes(static_cast<int64_t>(request.state().size()));
  checkpoint.set_media_type(request.media_type());
  checkpoint.set_content_digest(Sha256(request.state()));
  checkpoint.set_version(1);
  *checkpoint.mutable_create_time() = ToProto(now);
  *checkpoint.mutable_expire_time() = ToProto(now + kDay);
  *checkpoint.mutable_created_by() = caller;
  checkpoints_.push_back(checkpoint);
  answer.checkpoints.push_back(checkpoint);
  answer = ReplyWith(std::move(checkpoint), std::move(answer));
  Remember(id, answer);
  return answer;
}

const v1::Rollback& Model::AskForRollback(v1::Checkpoint& checkpoint, const v1::RequestRollbackRequest& request,
                                          const v1::Principal& caller, absl::Time now, Answer& answer) {
  v1::Rollback rollback;
  rollback.set_rollback_id("rollback-" + std::to_string(++last_id_));
  rollback.set_tenant_id(checkpoint.tenant_id());
  rollback.set_agent_id(checkpoint.agent_id());
  rollback.set_checkpoint_id(checkpoint.checkpoint_id());
  rollback.set_action_type(checkpoint.action_type());
  rollback.set_target_resource(checkpoint.target_resource());
  rollback.set_content_digest(checkpoint.content_digest());
  *rollback.mutable_requested_by() = caller;
  rollback.set_reason(request.reason());
  *rollback.mutable_create_time() = ToProto(now);
  Record(v1::ROLLBACK_STEP_REQUEST, v1::ROLLBACK_STATE_REQUESTED, &caller, now, rollback);
  answer.rollbacks.push_back(rollback);
  checkpoint.set_version(checkpoint.version() + 1);
  checkpoint.set_rollback_id(rollback.rollback_id());
  checkpoint.set_rollback_state(rollback.state());
  *checkpoint.mutable_expire_time() = ToProto(now + kMonth);
  answer.checkpoints.push_back(checkpoint);
  rollbacks_.push_back(std::move(rollback));
  return rollbacks_.back();
}

Answer Model::Apply(const v1::RequestRollbackRequest& request, const v1::Principal& caller) {
  const std::string& tenant_id = request.tenant_id();
  const CallId id = {tenant_id, "RequestRollback", request.request_id(), Serialize(request) + caller.id()};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  v1::RequestRollbackResponse response;
  std::vector<std::string> targets;
  if (request.has_latest()) {
    if (!MayActFor(caller, request.latest().agent_id())) return Refuse("PERMISSION_DENIED ROLLBACK_NOT_PERMITTED");
    for (auto it = checkpoints_.rbegin(); it != checkpoints_.rend(); ++it) {
      const bool counts = it->tenant_id() == tenant_id && it->agent_id() == request.latest().agent_id() &&
                          !it->used_by().empty() && !IsSettled(*it);
      if (counts && static_cast<int>(targets.size()) < request.latest().count()) targets.push_back(it->checkpoint_id());
    }
  } else {
    const v1::Checkpoint* checkpoint = FindCheckpoint(tenant_id, request.checkpoint_id());
    if (checkpoint == nullptr) return Refuse("NOT_FOUND CHECKPOINT_NOT_FOUND");
    if (!MayActFor(caller, checkpoint->agent_id())) return Refuse("PERMISSION_DENIED ROLLBACK_NOT_PERMITTED");
    if (checkpoint->rollback_state() == v1::ROLLBACK_STATE_SUCCEEDED) {
      return Refuse("FAILED_PRECONDITION ROLLED_BACK_BEFORE");
    }
    for (const v1::Rollback& open : rollbacks_) {
      if (open.checkpoint_id() == checkpoint->checkpoint_id()) *response.add_rollbacks() = open;
    }
    if (response.rollbacks().empty()) targets.push_back(checkpoint->checkpoint_id());
  }
  Answer answer;
  if (!targets.empty()) {
    const absl::Time now = Advance(tenant_id, absl::nullopt, answer);
    for (const std::string& target : targets) {
      *response.add_rollbacks() = AskForRollback(*FindCheckpoint(tenant_id, target), request, caller, now, answer);
    }
  }
  answer = ReplyWith(std::move(response), std::move(answer));
  Remember(id, answer);
  return answer;
}

v1::Rollback Model::Move(const std::string& rollback_id, v1::RollbackStep step, v1::RollbackState state,
                         const v1::Principal* caller, absl::Time now, Answer& answer) {
  const auto found = std::find_if(rollbacks_.begin(), rollbacks_.end(),
                                  [&](const v1::Rollback& rollback) { return rollback.rollback_id() == rollback_id; });
  INTERLOCK_CHECK(found != rollbacks_.end());
  Record(step, state, caller, now, *found);
  const v1::Rollback moved = *found;
  if (!IsOpen(state)) rollbacks_.erase(found);
  answer.rollbacks.push_back(moved);
  if (v1::Checkpoint* checkpoint = FindCheckpoint(moved.tenant_id(), moved.checkpoint_id()); checkpoint != nullptr) {
    checkpoint->set_version(checkpoint->version() + 1);
    checkpoint->set_rollback_state(state);
    answer.checkpoints.push_back(*checkpoint);
  }
  return moved;
}

Answer Model::Apply(const v1::ReportRollbackRequest& request, const v1::Principal& caller) {
  const std::string& tenant_id = request.tenant_id();
  const CallId id = {tenant_id, "ReportRollback", request.request_id(), Serialize(request) + caller.id()};
  if (auto repeat = Recall(id)) return *std::move(repeat);
  const auto found = std::find_if(rollbacks_.begin(), rollbacks_.end(), [&](const v1::Rollback& rollback) {
    return rollback.tenant_id() == tenant_id && rollback.rollback_id() == request.rollback_id();
  });
  if (found == rollbacks_.end()) return Refuse("NOT_FOUND ROLLBACK_NOT_FOUND");
  if (!MayActFor(caller, found->agent_id())) return Refuse("PERMISSION_DENIED ROLLBACK_NOT_PERMITTED");
  if (found->version() != request.version()) return Refuse("ABORTED ROLLBACK_VERSION_MISMATCH");
  const v1::RollbackStep step = StepOf(*found, request);
  if (step == v1::ROLLBACK_STEP_UNSPECIFIED || FromProto(found->expire_time()) <= ClockOf(tenant_id)) {
    return Refuse("FAILED_PRECONDITION ROLLBACK_STEP_NOT_POSSIBLE");
  }
  if (step == v1::ROLLBACK_STEP_START && MustWait(*found, rollbacks_)) {
    return Refuse("FAILED_PRECONDITION ROLLBACK_OUT_OF_ORDER");
  }
  Answer answer;
  const absl::Time now = Advance(tenant_id, absl::nullopt, answer);
  found->set_restored_digest(request.restored_digest());
  const v1::RollbackState state = step == v1::ROLLBACK_STEP_MISMATCH ? v1::ROLLBACK_STATE_FAILED : request.state();
  v1::Rollback moved = Move(request.rollback_id(), step, state, &caller, now, answer);
  answer = ReplyWith(std::move(moved), std::move(answer));
  Remember(id, answer);
  return answer;
}

void Model::FireRollbacks(absl::Time until, absl::optional<std::string> tenant_id, Answer& answer) {
  for (;;) {
    const v1::Rollback* first = nullptr;
    for (const v1::Rollback& rollback : rollbacks_) {
      if (tenant_id.has_value() && rollback.tenant_id() != *tenant_id) continue;
      // Of two at the same time the older one.
      const bool sooner = first == nullptr || FromProto(rollback.expire_time()) < FromProto(first->expire_time());
      if (sooner) first = &rollback;
    }
    if (first == nullptr || FromProto(first->expire_time()) > until) return;
    const absl::Time now = time_source_ == v1::TIME_SOURCE_REQUEST ? FromProto(first->expire_time()) : until;
    const std::string rollback_id = first->rollback_id();
    Move(rollback_id, v1::ROLLBACK_STEP_EXPIRE, v1::ROLLBACK_STATE_UNVERIFIABLE, nullptr, now, answer);
  }
}

void Model::DropCheckpoints(absl::Time until, absl::optional<std::string> tenant_id) {
  const auto is_over = [&](const v1::Checkpoint& checkpoint) {
    const bool asked = !tenant_id.has_value() || checkpoint.tenant_id() == *tenant_id;
    return asked && FromProto(checkpoint.expire_time()) <= until;
  };
  checkpoints_.erase(std::remove_if(checkpoints_.begin(), checkpoints_.end(), is_over), checkpoints_.end());
}

}  // namespace interlock::differential
