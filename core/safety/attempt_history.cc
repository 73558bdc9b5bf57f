#include "core/safety/attempt_history.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock::safety {
namespace {

// An action type has no NUL, because it has no control character.
std::string ResourceKey(absl::string_view action_type, absl::string_view resource) {
  return absl::StrCat(action_type, absl::string_view("\0", 1), resource);
}

}  // namespace

absl::optional<Attempt> AttemptOf(const v1::Decision& decision) {
  if (decision.reasons_size() > 0 && decision.reasons(0).code() == v1::REASON_CODE_LOCK_BLOCKED) return absl::nullopt;
  Attempt attempt = {FromProto(decision.decide_time()),
                     decision.category(),
                     decision.action_type(),
                     decision.agent_id(),
                     ShortDigest::Of(decision.action_digest()),
                     decision.verdict() == v1::VERDICT_ALLOW};
  if (decision.conflicts_by_resource()) attempt.resource = decision.target_resource();
  for (const v1::Reason& reason : decision.reasons()) {
    if (reason.code() == v1::REASON_CODE_CATEGORY_UNKNOWN) attempt.category = "";
    if (reason.code() == v1::REASON_CODE_ACTION_TYPES_EXHAUSTED) attempt.action_type = "";
    if (reason.code() == v1::REASON_CODE_AGENTS_EXHAUSTED) attempt.agent_id = "";
  }
  return attempt;
}

bool IsRecent(const v1::Decision& decision, absl::Time now) {
  return FromProto(decision.decide_time()) > now - kWindow;
}

void AttemptHistory::Record(const absl::optional<Attempt>& attempt) {
  if (!attempt.has_value()) return;
  const absl::Time time = std::max(attempt->time, tenant_.attempts().Newest());
  const absl::Time cutoff = time - kWindow;
  categories_.DropUntil(cutoff);
  action_types_.DropUntil(cutoff);
  agents_.DropUntil(cutoff);
  on_resources_.DropUntil(cutoff);
  tenant_.Add(time, attempt->allowed);
  if (!attempt->category.empty()) categories_.Use(attempt->category, time).Add(time, attempt->allowed);
  if (!attempt->action_type.empty()) {
    TypeAttempts& type = action_types_.Use(attempt->action_type, time);
    type.times.Add(time);
    if (attempt->resource.empty()) {
      type.newest_anywhere = time;
    } else if (const std::string key = ResourceKey(attempt->action_type, attempt->resource);
               on_resources_.size() < kConflictResourcesMax || on_resources_.Find(key) != nullptr) {
      on_resources_.Use(key, time) = time;
    } else {
      type.newest_anywhere = time;
    }
  }
  if (attempt->agent_id.empty()) return;
  AgentCalls& agent = agents_.Use(attempt->agent_id, time);
  agent.times.Add(time, attempt->allowed);
  agent.same_count = agent.action_digest == attempt->action_digest ? agent.same_count + 1 : 1;
  agent.action_digest = attempt->action_digest;
}

const CountedTimes& AttemptHistory::OfCategory(absl::string_view category) const {
  static const CountedTimes kNone;
  const CountedTimes* times = categories_.Find(category);
  return times == nullptr ? kNone : *times;
}

const AttemptTimes& AttemptHistory::OfActionType(absl::string_view action_type) const {
  static const AttemptTimes kNone;
  const TypeAttempts* type = action_types_.Find(action_type);
  return type == nullptr ? kNone : type->times;
}

absl::Time AttemptHistory::NewestOn(absl::string_view action_type, absl::string_view resource) const {
  const TypeAttempts* type = action_types_.Find(action_type);
  if (type == nullptr) return absl::InfinitePast();
  if (resource.empty()) return type->times.Newest();
  const absl::Time* there = on_resources_.Find(ResourceKey(action_type, resource));
  return there == nullptr ? type->newest_anywhere : std::max(type->newest_anywhere, *there);
}

const CountedTimes& AttemptHistory::OfAgent(absl::string_view agent_id) const {
  static const CountedTimes kNone;
  const AgentCalls* agent = agents_.Find(agent_id);
  return agent == nullptr ? kNone : agent->times;
}

int64_t AttemptHistory::CallsInARow(absl::string_view agent_id, absl::string_view action_digest, absl::Duration window,
                                    absl::Time now, int64_t count_max) const {
  const AgentCalls* agent = agents_.Find(agent_id);
  if (agent == nullptr || !(agent->action_digest == ShortDigest::Of(action_digest))) return 0;
  const AttemptTimes& times = agent->times.attempts();
  const int64_t kept = static_cast<int64_t>(times.size());
  const int64_t end = std::min({count_max, agent->same_count, kept});
  int64_t count = 0;
  for (absl::Time later = now; count < end; ++count) {
    const absl::Time time = times.FromNewest(static_cast<size_t>(count));
    if (time <= later - window || time <= now - kWindow) break;
    later = time;
  }
  return count;
}

size_t AttemptHistory::ActionTypeCount(absl::Time now) const { return action_types_.CountAfter(now - kWindow); }

bool AttemptHistory::HasRoomForActionType(absl::string_view action_type, absl::Time now) const {
  if (action_types_.size() < kActionTypesMax) return true;
  return OfActionType(action_type).Newest() > now - kWindow || ActionTypeCount(now) < kActionTypesMax;
}

bool AttemptHistory::HasRoomForAgent(absl::string_view agent_id, absl::Time now) const {
  if (agents_.size() < kActingAgentsMax) return true;
  return OfAgent(agent_id).attempts().Newest() > now - kWindow || agents_.CountAfter(now - kWindow) < kActingAgentsMax;
}

}  // namespace interlock::safety
