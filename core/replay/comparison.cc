#include "core/replay/comparison.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"

namespace interlock::replay {
namespace {

bool Has(const v1::Decision& decision, v1::ReasonCode code) {
  return std::any_of(decision.reasons().begin(), decision.reasons().end(),
                     [code](const v1::Reason& reason) { return reason.code() == code; });
}

// Whether the reason at `place` was given before it, for another constraint.
bool IsRepeated(const v1::Decision& decision, int place) {
  for (int i = 0; i < place; ++i) {
    if (decision.reasons(i).code() == decision.reasons(place).code()) return true;
  }
  return false;
}

}  // namespace

void Comparison::VerdictTable::Count(v1::Verdict from, v1::Verdict to) {
  const auto place = [](v1::Verdict verdict) {
    const auto number = static_cast<size_t>(verdict);
    return number < kVerdicts ? number : 0;
  };
  ++counts_[place(from)][place(to)];
}

void Comparison::VerdictTable::AppendTo(google::protobuf::RepeatedPtrField<v1::VerdictCount>& verdicts) const {
  for (size_t from = 0; from < kVerdicts; ++from) {
    for (size_t to = 0; to < kVerdicts; ++to) {
      if (counts_[from][to] == 0) continue;
      v1::VerdictCount& count = *verdicts.Add();
      count.set_from(static_cast<v1::Verdict>(from));
      count.set_to(static_cast<v1::Verdict>(to));
      count.set_count(counts_[from][to]);
    }
  }
}

void Comparison::CountAction(const v1::Action& action, const v1::Decision* before, const v1::Decision& after) {
  ++actions_;
  const v1::Verdict from = before == nullptr ? v1::VERDICT_UNSPECIFIED : before->verdict();
  verdicts_.Count(from, after.verdict());
  const bool changed = before != nullptr && from != after.verdict();
  const bool stands_out = before == nullptr ? after.verdict() != v1::VERDICT_ALLOW : changed;
  if (changed) {
    ++changed_;
    AddDifference(action, *before, after);
  }
  CountReasons(before, after, changed);
  if (AgentCounts* agent = FindAgent(action); agent != nullptr) {
    ++agent->actions;
    agent->changed += stands_out ? 1 : 0;
    agent->verdicts.Count(from, after.verdict());
  } else if (changed) {
    ++changed_of_other_agents_;
  }
}

Comparison::AgentCounts* Comparison::FindAgent(const v1::Action& action) {
  if (newest_agent_ != nullptr && newest_agent_->agent_id == action.agent_id() &&
      newest_agent_->tenant_id == action.tenant_id()) {
    return newest_agent_;
  }
  // No name has a byte that is 0.
  const std::string key = absl::StrCat(action.tenant_id(), absl::string_view("\0", 1), action.agent_id());
  auto agent = agents_.find(key);
  if (agent == agents_.end()) {
    if (agents_.size() >= kAgentsCounted) return nullptr;
    agent = agents_.emplace(key, AgentCounts{action.tenant_id(), action.agent_id(), 0, 0, {}}).first;
  }
  newest_agent_ = &agent->second;
  return newest_agent_;
}

void Comparison::CountReasons(const v1::Decision* before, const v1::Decision& after, bool changed) {
  for (int i = 0; i < after.reasons_size(); ++i) {
    if (IsRepeated(after, i)) continue;
    const v1::ReasonCode code = after.reasons(i).code();
    v1::ReasonCount& count = reasons_[code];
    count.set_after(count.after() + 1);
    if (changed && !Has(*before, code)) count.set_gained(count.gained() + 1);
  }
  if (before == nullptr) return;
  for (int i = 0; i < before->reasons_size(); ++i) {
    if (IsRepeated(*before, i)) continue;
    const v1::ReasonCode code = before->reasons(i).code();
    v1::ReasonCount& count = reasons_[code];
    count.set_before(count.before() + 1);
    if (changed && !Has(after, code)) count.set_lost(count.lost() + 1);
  }
}

void Comparison::AddDifference(const v1::Action& action, const v1::Decision& before, const v1::Decision& after) {
  if (found_.differences_size() >= kDifferencesShown) return;
  v1::VerdictDifference& difference = *found_.add_differences();
  difference.set_action_number(actions_);
  difference.set_tenant_id(action.tenant_id());
  difference.set_agent_id(action.agent_id());
  difference.set_action_type(action.action_type());
  if (after.has_decide_time()) *difference.mutable_decide_time() = after.decide_time();
  difference.set_from(before.verdict());
  difference.set_to(after.verdict());
  for (const v1::Reason& reason : before.reasons()) difference.add_from_reasons(reason.code());
  for (const v1::Reason& reason : after.reasons()) difference.add_to_reasons(reason.code());
}

void Comparison::AddLock(const v1::Lock& lock, google::protobuf::RepeatedPtrField<v1::LockDifference>& locks) const {
  if (locks.size() >= kLocksShown) return;
  v1::LockDifference& difference = *locks.Add();
  difference.set_tenant_id(lock.tenant_id());
  *difference.mutable_scope() = lock.scope();
  if (!lock.causes().empty()) difference.set_reason(lock.causes().rbegin()->reason());
  *difference.mutable_trip_time() = lock.engage_time();
  difference.set_action_number(actions_);
}

void Comparison::CountTrip(const v1::Lock& lock, bool is_new) {
  found_.set_trips(found_.trips() + 1);
  if (!is_new) return;
  found_.set_new_lock_count(found_.new_lock_count() + 1);
  AddLock(lock, *found_.mutable_new_locks());
}

void Comparison::CountTripBefore(const v1::Lock& lock, bool is_gone) {
  found_.set_trips_before(found_.trips_before() + 1);
  if (!is_gone) return;
  found_.set_gone_lock_count(found_.gone_lock_count() + 1);
  AddLock(lock, *found_.mutable_gone_locks());
}

void Comparison::AppendAgentsTo(v1::ReplayResult& result) const {
  std::vector<const AgentCounts*> agents;
  for (const auto& [key, agent] : agents_) agents.push_back(&agent);
  // Stable, so that equals stand in the order of their names.
  std::stable_sort(agents.begin(), agents.end(),
                   [](const AgentCounts* a, const AgentCounts* b) { return a->changed > b->changed; });
  if (agents.size() > static_cast<size_t>(kAgentsShown)) agents.resize(static_cast<size_t>(kAgentsShown));
  for (const AgentCounts* agent : agents) {
    v1::AgentVerdicts& verdicts = *result.add_agents();
    verdicts.set_tenant_id(agent->tenant_id);
    verdicts.set_agent_id(agent->agent_id);
    verdicts.set_actions(agent->actions);
    verdicts.set_changed(agent->changed);
    agent->verdicts.AppendTo(*verdicts.mutable_verdicts());
  }
}

v1::ReplayResult Comparison::Result() const {
  v1::ReplayResult result = found_;
  result.set_actions(actions_);
  result.set_reports(reports_);
  result.set_outcomes(outcomes_);
  result.set_passed_over(passed_over_);
  result.set_changed(changed_);
  result.set_changed_of_other_agents(changed_of_other_agents_);
  verdicts_.AppendTo(*result.mutable_verdicts());
  for (const auto& [code, count] : reasons_) {
    v1::ReasonCount& reason = *result.add_reasons();
    reason = count;
    reason.set_code(static_cast<v1::ReasonCode>(code));
  }
  AppendAgentsTo(result);
  return result;
}

}  // namespace interlock::replay
