#include "core/safety/attempt_history.h"

#include <algorithm>

#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock::safety {
namespace {

const AttemptTimes& TimesIn(const RecencyMap<AttemptTimes>& map, absl::string_view key) {
  static const AttemptTimes kNone;
  const AttemptTimes* times = map.Find(key);
  return times == nullptr ? kNone : *times;
}

bool HasReason(const v1::Decision& decision, v1::ReasonCode code) {
  return std::any_of(decision.reasons().begin(), decision.reasons().end(),
                     [code](const v1::Reason& reason) { return reason.code() == code; });
}

}  // namespace

bool CountsAsAttempt(const v1::Decision& decision) {
  return decision.reasons_size() == 0 || decision.reasons(0).code() != v1::REASON_CODE_LOCK_BLOCKED;
}

bool IsRecent(const v1::Decision& decision, absl::Time now) {
  return FromProto(decision.decide_time()) > now - kWindow;
}

void AttemptHistory::Record(const v1::Decision& decision) {
  if (!CountsAsAttempt(decision)) return;
  const absl::Time time = std::max(FromProto(decision.decide_time()), tenant_.Newest());
  const absl::Time cutoff = time - kWindow;
  categories_.DropUntil(cutoff);
  action_types_.DropUntil(cutoff);
  agents_.DropUntil(cutoff);
  tenant_.Add(time);
  // Names that were refused for being unknown or one too many take no memory. Whether they were is read from the
  // decision, so that live and reloaded histories agree.
  if (!HasReason(decision, v1::REASON_CODE_CATEGORY_UNKNOWN)) categories_.Use(decision.category(), time).Add(time);
  if (!HasReason(decision, v1::REASON_CODE_ACTION_TYPES_EXHAUSTED)) {
    action_types_.Use(decision.action_type(), time).Add(time);
  }
  if (HasReason(decision, v1::REASON_CODE_AGENTS_EXHAUSTED)) return;
  AgentCalls& agent = agents_.Use(decision.agent_id(), time);
  agent.times.Add(time);
  agent.same_count = agent.action_digest == decision.action_digest() ? agent.same_count + 1 : 1;
  agent.action_digest = decision.action_digest();
}

const AttemptTimes& AttemptHistory::OfCategory(absl::string_view category) const {
  return TimesIn(categories_, category);
}

const AttemptTimes& AttemptHistory::OfActionType(absl::string_view action_type) const {
  return TimesIn(action_types_, action_type);
}

const AttemptTimes& AttemptHistory::OfAgent(absl::string_view agent_id) const {
  static const AttemptTimes kNone;
  const AgentCalls* agent = agents_.Find(agent_id);
  return agent == nullptr ? kNone : agent->times;
}

int64_t AttemptHistory::CallsInARow(absl::string_view agent_id, absl::string_view action_digest, absl::Duration window,
                                    absl::Time now, int64_t count_max) const {
  const AgentCalls* agent = agents_.Find(agent_id);
  if (agent == nullptr || agent->action_digest != action_digest) return 0;
  const int64_t kept = static_cast<int64_t>(agent->times.size());
  const int64_t end = std::min({count_max, agent->same_count, kept});
  int64_t count = 0;
  for (absl::Time later = now; count < end; ++count) {
    const absl::Time time = agent->times.FromNewest(static_cast<size_t>(count));
    if (time <= later - window || time <= now - kWindow) break;
    later = time;
  }
  return count;
}

size_t AttemptHistory::ActionTypeCount(absl::Time now) const { return action_types_.CountAfter(now - kWindow); }

bool AttemptHistory::HasRoomForActionType(absl::string_view action_type, absl::Time now) const {
  if (action_types_.size() < kActionTypesMax) return true;
  return TimesIn(action_types_, action_type).Newest() > now - kWindow || ActionTypeCount(now) < kActionTypesMax;
}

bool AttemptHistory::HasRoomForAgent(absl::string_view agent_id, absl::Time now) const {
  if (agents_.size() < kActingAgentsMax) return true;
  return OfAgent(agent_id).Newest() > now - kWindow || agents_.CountAfter(now - kWindow) < kActingAgentsMax;
}

}  // namespace interlock::safety
