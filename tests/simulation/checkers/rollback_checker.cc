#include "tests/simulation/checkers/rollback_checker.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/serialize.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "core/rollback/rollback_machine.h"
#include "server/rpc/history.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/reader.h"

namespace interlock::simulation {
namespace {

// Timers are seen this much later at most while the server decides at all.
constexpr absl::Duration kTimerSlack = absl::Minutes(1);

bool IsOpen(const v1::Rollback& rollback) {
  return rollback.state() == v1::ROLLBACK_STATE_REQUESTED || rollback.state() == v1::ROLLBACK_STATE_RUNNING;
}

// What never changes of a rollback, serialised.
std::string FixedPartOf(v1::Rollback rollback) {
  rollback.clear_state();
  rollback.clear_version();
  rollback.clear_steps();
  rollback.clear_restored_digest();
  rollback.clear_expire_time();
  rollback.clear_update_time();
  return Serialize(rollback);
}

std::string FixedPartOf(v1::Checkpoint checkpoint) {
  checkpoint.clear_version();
  checkpoint.clear_expire_time();
  checkpoint.clear_used_by();
  checkpoint.clear_use_time();
  checkpoint.clear_rollback_id();
  checkpoint.clear_rollback_state();
  return Serialize(checkpoint);
}

// Whether `after` has the steps of `before`, and one more.
bool HasOneMoreStep(const v1::Rollback& before, const v1::Rollback& after) {
  if (after.steps_size() != before.steps_size() + 1) return false;
  for (int i = 0; i < before.steps_size(); ++i) {
    if (Serialize(after.steps(i)) != Serialize(before.steps(i))) return false;
  }
  return true;
}

bool Names(const google::protobuf::RepeatedPtrField<std::string>& types, const std::string& action_type) {
  return std::find(types.begin(), types.end(), action_type) != types.end();
}

}  // namespace

RollbackChecker::Saved* RollbackChecker::FindSaved(const std::string& checkpoint_id, absl::string_view by) {
  const auto found = saved_.find(checkpoint_id);
  if (found != saved_.end()) return &found->second;
  sim_.trace.Fail("checkpoint-used-once", by, " names ", checkpoint_id, ", which nobody saved");
  return nullptr;
}

void RollbackChecker::CheckMayAct(const v1::Principal& caller, const std::string& agent_id, absl::string_view what) {
  const bool may = caller.kind() == v1::PRINCIPAL_KIND_HUMAN || caller.kind() == v1::PRINCIPAL_KIND_SERVICE ||
                   (caller.kind() == v1::PRINCIPAL_KIND_AGENT && caller.id() == agent_id);
  if (!may) sim_.trace.Fail("rollback-permitted", caller.id(), " may not have a say in ", what, " of ", agent_id);
}

void RollbackChecker::OnBatch(const Effects* effects) {
  if (effects == nullptr) in_doubt_ = true;
}

void RollbackChecker::OnPolicy(const v1::PolicySet& policy, const v1::Principal&) {
  policies_[{policy.tenant_id(), policy.version()}] = policy;
}

void RollbackChecker::OnSettled(const Settled<v1::CreateCheckpointRequest, v1::Checkpoint>& call) {
  if (!call.reply.ok()) {
    return sim_.coverage.Count("checkpoint", absl::StrCat("refused ", ErrorReason(call.reply.status())));
  }
  const v1::Checkpoint& created = *call.reply;
  CheckMayAct(call.caller, created.agent_id(), created.checkpoint_id());
  const bool known = saved_.count(created.checkpoint_id()) > 0;
  sim_.coverage.Count("checkpoint", known ? "creation repeated" : "created");
  Saved& saved = saved_[created.checkpoint_id()];
  if (!known) saved.told = created;
  saved.state = call.request.state();
  const bool fits = created.tenant_id() == call.request.tenant_id() && created.agent_id() == call.request.agent_id() &&
                    created.action_type() == absl::AsciiStrToLower(call.request.action_type()) &&
                    created.target_resource() == call.request.target_resource() && created.version() == 1 &&
                    created.content_digest() == Sha256(call.request.state()) && created.used_by().empty() &&
                    FixedPartOf(created) == FixedPartOf(saved.told);
  if (!fits) sim_.trace.Fail("checkpoint-durable", created.checkpoint_id(), " is not what was to be saved");
}

void RollbackChecker::OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) {
  if (!call.reply.ok()) return;
  const v1::Decision& decision = *call.reply;
  if (decision.verdict() != v1::VERDICT_ALLOW) return CountRefusal(call.request, decision);
  if (decision.replayed()) {
    if (decision.checkpoint_id().empty()) return;
    sim_.coverage.Count("checkpoint", "use repeated");
    const Saved* saved = FindSaved(decision.checkpoint_id(), decision.decision_id());
    if (saved == nullptr || saved->used_by == decision.decision_id()) return;
    return sim_.trace.Fail("checkpoint-used-once", decision.checkpoint_id(), " was used by \"", saved->used_by,
                           "\", and it is answered again that ", decision.decision_id(), " did");
  }
  CheckNeeds(decision);
  if (decision.checkpoint_id() != call.request.checkpoint_id()) {
    sim_.trace.Fail("checkpoint-used-once", decision.decision_id(), " was given \"", call.request.checkpoint_id(),
                    "\" and is allowed with \"", decision.checkpoint_id(), "\"");
  }
  if (!decision.checkpoint_id().empty()) CheckUse(call.request, decision);
}

void RollbackChecker::CheckNeeds(const v1::Decision& decision) {
  const auto policy = policies_.find({decision.tenant_id(), decision.policy_version()});
  if (policy == policies_.end()) return;
  if (Names(policy->second.reversible_actions(), decision.action_type()) && decision.checkpoint_id().empty()) {
    sim_.trace.Fail("checkpoint-used-once", decision.decision_id(), " is allowed without a checkpoint");
  }
  if (!Names(policy->second.irreversible_actions(), decision.action_type())) return;
  sim_.coverage.Count("checkpoint", "irreversible action approved");
  if (decision.reasons(0).code() == v1::REASON_CODE_APPROVED) return;
  sim_.trace.Fail("checkpoint-used-once", decision.decision_id(), " cannot be undone, and nobody approved it");
}

void RollbackChecker::CheckUse(const v1::ArbitrateRequest& request, const v1::Decision& decision) {
  Saved* const saved = FindSaved(decision.checkpoint_id(), decision.decision_id());
  if (saved == nullptr) return;
  sim_.coverage.Count("checkpoint", "used");
  if (!saved->used_by.empty() || !saved->rollback_id.empty()) {
    sim_.trace.Fail("checkpoint-used-once", decision.decision_id(), " uses ", decision.checkpoint_id(), " after \"",
                    saved->used_by, "\" and \"", saved->rollback_id, "\"");
  }
  saved->used_by = decision.decision_id();
  const v1::Checkpoint& checkpoint = saved->told;
  const v1::Action& action = request.action();
  const bool fits = checkpoint.tenant_id() == action.tenant_id() && checkpoint.agent_id() == action.agent_id() &&
                    checkpoint.action_type() == absl::AsciiStrToLower(action.action_type()) &&
                    checkpoint.target_resource() == action.target_resource() &&
                    FromProto(checkpoint.create_time()) + kCheckpointValidity > FromProto(decision.decide_time());
  if (!fits) {
    sim_.trace.Fail("checkpoint-used-once", decision.decision_id(), " uses ", decision.checkpoint_id(),
                    ", which is not for its action");
  }
}

// Why the checkpoint that came with the request was of no use, as far as that is plain.
void RollbackChecker::CountRefusal(const v1::ArbitrateRequest& request, const v1::Decision& decision) {
  if (request.checkpoint_id().empty() || !decision.checkpoint_id().empty()) return;
  const auto found = saved_.find(request.checkpoint_id());
  if (found == saved_.end() || decision.verdict() != v1::VERDICT_DENY) return;
  const Saved& saved = found->second;
  if (saved.told.target_resource() != request.action().target_resource()) {
    sim_.coverage.Count("checkpoint", "refused for another action");
  } else if (!saved.used_by.empty()) {
    sim_.coverage.Count("checkpoint", "refused after its use");
  } else if (!saved.rollback_id.empty()) {
    sim_.coverage.Count("checkpoint", "refused after a rollback");
  }
}

void RollbackChecker::OnSettled(const Settled<v1::RequestRollbackRequest, v1::RequestRollbackResponse>& call) {
  if (!call.reply.ok()) {
    return sim_.coverage.Count("rollback", absl::StrCat("request refused ", ErrorReason(call.reply.status())));
  }
  const bool latest = call.request.has_latest();
  if (latest) sim_.coverage.Count("rollback", call.request.latest().count() == 0 ? "latest none" : "latest");
  const int max = latest ? call.request.latest().count() : 1;
  if (call.reply->rollbacks_size() > max) {
    sim_.trace.Fail("rollback-steps", call.reply->rollbacks_size(), " rollbacks were asked for instead of ", max);
  }
  for (const v1::Rollback& rollback : call.reply->rollbacks()) {
    CheckMayAct(call.caller, rollback.agent_id(), rollback.rollback_id());
    Saved* const saved = FindSaved(rollback.checkpoint_id(), rollback.rollback_id());
    if (saved == nullptr) return;
    if (followed_.count(rollback.rollback_id()) > 0) {
      sim_.coverage.Count("rollback", "joined or repeated");
      continue;
    }
    sim_.coverage.Count("rollback", "asked");
    if (latest && saved->used_by.empty()) {
      sim_.trace.Fail("rollback-steps", rollback.rollback_id(), " goes back to what no decision used");
    }
    const auto before = followed_.find(saved->rollback_id);
    // Time may have ended it in this batch.
    if (before != followed_.end() && !in_doubt_ &&
        ((IsOpen(before->second.rollback) && FromProto(before->second.rollback.expire_time()) > call.now) ||
         before->second.rollback.state() == v1::ROLLBACK_STATE_SUCCEEDED)) {
      sim_.trace.Fail("rollback-steps", rollback.rollback_id(), " restores once more what ", saved->rollback_id,
                      " restores");
    }
    saved->rollback_id = rollback.rollback_id();
    followed_[rollback.rollback_id()].rollback = rollback;
  }
}

void RollbackChecker::OnSettled(const Settled<v1::ReportRollbackRequest, v1::Rollback>& call) {
  if (!call.reply.ok()) {
    return sim_.coverage.Count("rollback", absl::StrCat("report refused ", ErrorReason(call.reply.status())));
  }
  const v1::Rollback& reply = *call.reply;
  CheckMayAct(call.caller, reply.agent_id(), reply.rollback_id());
  const auto found = followed_.find(reply.rollback_id());
  if (found == followed_.end()) {
    return sim_.trace.Fail("rollback-durable", reply.rollback_id(), " was moved, and nobody asked for it");
  }
  const bool succeeded = call.request.state() == v1::ROLLBACK_STATE_SUCCEEDED;
  const bool proven = call.request.restored_digest() == reply.content_digest();
  const v1::RollbackState expected = succeeded && !proven ? v1::ROLLBACK_STATE_FAILED : call.request.state();
  if (reply.state() != expected || reply.version() != call.request.version() + 1) {
    sim_.trace.Fail("rollback-steps", reply.rollback_id(), " became ", v1::RollbackState_Name(reply.state()),
                    " where it was told to have become ", v1::RollbackState_Name(call.request.state()));
  }
  CheckSuccess(reply);
  v1::Rollback& known = found->second.rollback;
  if (reply.version() > known.version()) known = reply;
}

void RollbackChecker::CheckSuccess(const v1::Rollback& rollback) {
  if (rollback.state() != v1::ROLLBACK_STATE_SUCCEEDED) return;
  const Saved* saved = FindSaved(rollback.checkpoint_id(), rollback.rollback_id());
  if (saved == nullptr || rollback.restored_digest() == saved->told.content_digest()) return;
  sim_.trace.Fail("rollback-proven", rollback.rollback_id(), " has succeeded, and restored something else");
}

void RollbackChecker::OnCommitted(const Effects& effects, const Engine& engine) {
  for (const v1::Rollback& rollback : effects.rollbacks) FollowRollback(rollback);
  for (const v1::Checkpoint& checkpoint : effects.checkpoints) FollowCheckpoint(checkpoint);
  for (const auto& [rollback_id, followed] : followed_) {
    if (!IsOpen(followed.told) || FromProto(followed.told.expire_time()) + kTimerSlack > engine.now()) continue;
    sim_.trace.Fail("rollback-in-time", rollback_id, " is ", v1::RollbackState_Name(followed.told.state()),
                    " after its time");
  }
}

void RollbackChecker::FollowRollback(const v1::Rollback& after) {
  Followed& followed = followed_[after.rollback_id()];
  const v1::Rollback before = followed.told;
  followed.told = after;
  if (after.version() >= followed.rollback.version()) followed.rollback = after;
  if (const auto saved = saved_.find(after.checkpoint_id()); saved != saved_.end() && before.version() == 0) {
    saved->second.rollback_id = after.rollback_id();
  }
  if (after.version() != before.version() + 1 || !HasOneMoreStep(before, after) ||
      (before.version() > 0 && FixedPartOf(before) != FixedPartOf(after))) {
    return sim_.trace.Fail("rollback-durable", after.rollback_id(), " became another one at version ", after.version());
  }
  const v1::RollbackRecord& step = *after.steps().rbegin();
  const rollback::RollbackEdge edge = {before.state(), step.step(), after.state()};
  sim_.coverage.Count("rollback edge", NameOf(edge));
  if (rollback::After(edge.from, edge.step) != edge.to) {
    sim_.trace.Fail("rollback-steps", after.rollback_id(), " took a step that there is not: ", NameOf(edge));
  }
  const bool by_time = edge.step == v1::ROLLBACK_STEP_EXPIRE;
  const bool early = by_time && FromProto(before.expire_time()) > FromProto(after.update_time());
  if (by_time == step.has_taken_by() || early) {
    sim_.trace.Fail("rollback-in-time", after.rollback_id(), " took ", NameOf(edge), " at a wrong time, or by nobody");
  }
  CheckSuccess(after);
}

void RollbackChecker::FollowCheckpoint(const v1::Checkpoint& after) {
  Saved* const saved = FindSaved(after.checkpoint_id(), "a batch");
  if (saved == nullptr) return;
  const v1::Checkpoint before = saved->told;
  saved->told = after;
  // The first version was told by the reply before.
  const bool follows = after.version() == 1 ? before.version() == 1 : after.version() == before.version() + 1;
  if (!follows || FixedPartOf(before) != FixedPartOf(after) || !after.state().empty()) {
    sim_.trace.Fail("checkpoint-durable", after.checkpoint_id(), " became another one at version ", after.version());
  }
  if (!after.used_by().empty() && after.used_by() != saved->used_by) {
    sim_.trace.Fail("checkpoint-used-once", after.checkpoint_id(), " was used by ", after.used_by(),
                    ", answered was \"", saved->used_by, "\"");
  }
}

void RollbackChecker::CheckStoredCheckpoints(const Store& store, const std::string& tenant_id, absl::Time now) {
  std::set<std::string> stored_ids;
  for (const v1::Checkpoint& stored : CheckpointsIn(store, tenant_id)) {
    stored_ids.insert(stored.checkpoint_id());
    const auto found = saved_.find(stored.checkpoint_id());
    if (found == saved_.end()) {
      sim_.trace.Fail("checkpoint-durable", "the store has ", stored.checkpoint_id(), ", which nobody saved");
      continue;
    }
    Saved& saved = found->second;
    const v1::Checkpoint& known = saved.told;
    if (FixedPartOf(stored) != FixedPartOf(known) || stored.version() < known.version() ||
        (!in_doubt_ && Serialize(stored) != Serialize(known))) {
      sim_.trace.Fail("checkpoint-durable", stored.checkpoint_id(), " is stored otherwise than it was told");
    }
    if (stored.used_by() != saved.used_by) {
      sim_.trace.Fail("checkpoint-used-once", stored.checkpoint_id(), " was used by \"", saved.used_by,
                      "\", and in the store by \"", stored.used_by(), "\"");
    }
    v1::GetCheckpointRequest get;
    get.set_tenant_id(tenant_id);
    get.set_checkpoint_id(stored.checkpoint_id());
    const auto read = server::Read(store, get);
    if (!read.ok() || read->state() != saved.state) {
      sim_.trace.Fail("checkpoint-durable", stored.checkpoint_id(), " does not hold what was saved");
    }
    saved.told = stored;
    saved.rollback_id = stored.rollback_id();
  }
  for (const auto& [checkpoint_id, saved] : saved_) {
    if (saved.told.tenant_id() != tenant_id || stored_ids.count(checkpoint_id) > 0) continue;
    if (FromProto(saved.told.expire_time()) <= now) continue;
    sim_.trace.Fail("checkpoint-durable", checkpoint_id, " is gone");
  }
}

void RollbackChecker::CheckStoredRollbacks(const Store& store, const std::string& tenant_id) {
  std::set<std::string> stored_ids;
  for (const bool closed : {false, true}) {
    for (const v1::Rollback& stored : RollbacksIn(store, tenant_id, closed)) {
      if (IsOpen(stored) == closed || !stored_ids.insert(stored.rollback_id()).second) {
        sim_.trace.Fail("rollback-durable", stored.rollback_id(), " is stored as open and as over");
      }
      const auto found = followed_.find(stored.rollback_id());
      if (found == followed_.end()) {
        sim_.trace.Fail("rollback-durable", "the store has ", stored.rollback_id(), ", which nobody asked for");
        continue;
      }
      const v1::Rollback& known = found->second.rollback;
      const bool newer = in_doubt_ && stored.version() > known.version();
      if (FixedPartOf(stored) != FixedPartOf(known) || (!newer && Serialize(stored) != Serialize(known))) {
        sim_.trace.Fail("rollback-durable", stored.rollback_id(), " is stored otherwise than it was told");
      }
      CheckSuccess(stored);
      found->second.rollback = found->second.told = stored;
    }
  }
  for (const auto& [rollback_id, followed] : followed_) {
    if (followed.rollback.tenant_id() == tenant_id && stored_ids.count(rollback_id) == 0) {
      sim_.trace.Fail("rollback-durable", rollback_id, " is gone");
    }
  }
}

void RollbackChecker::OnOpened(const server::Core& core) {
  for (const std::string& tenant_id : cast_.tenants) {
    CheckStoredCheckpoints(*core.store, tenant_id, core.engine->now());
    CheckStoredRollbacks(*core.store, tenant_id);
  }
  in_doubt_ = false;
}

}  // namespace interlock::simulation
