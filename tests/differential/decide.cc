#include "tests/differential/decide.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::differential {
namespace {

constexpr absl::Duration kHour = absl::Hours(1);
constexpr absl::Duration kDay = absl::Hours(24);
// No count is shown above this, or above the limit if that is higher.
constexpr int64_t kCountShownMax = 1000;

using Wanted = std::function<bool(const AttemptFact&)>;

// The times of the attempts in (now - window, now] that are wanted, newest first.
std::vector<absl::Time> TimesIn(const Question& question, absl::Duration window, const Wanted& wanted) {
  std::vector<absl::Time> times;
  for (const AttemptFact& attempt : question.attempts) {
    if (attempt.time > question.now - window && wanted(attempt)) times.push_back(attempt.time);
  }
  std::sort(times.begin(), times.end(), std::greater<>());
  return times;
}

// The categories whose attempts count for `names`. An attempt under a name that the policy did not know counts for
// none.
Wanted OfCategories(const std::set<std::string>& names) {
  return [names](const AttemptFact& attempt) { return attempt.category_known && names.count(attempt.category) > 0; };
}

v1::Reason& Violate(v1::ReasonCode code, v1::RecoveryClass recovery, Found& found) {
  v1::Reason& reason = found.violations.emplace_back();
  reason.set_code(code);
  reason.set_recovery_class(recovery);
  reason.set_violation(true);
  return reason;
}

v1::Reason& AskForApproval(v1::ReasonCode code, Found& found) {
  found.requires_approval = true;
  v1::Reason& reason = found.approvals.emplace_back();
  reason.set_code(code);
  reason.set_recovery_class(v1::RECOVERY_CLASS_NEEDS_APPROVAL);
  return reason;
}

void Measure(double observed, double threshold, v1::Reason& reason) {
  reason.set_observed(observed);
  reason.set_threshold(threshold);
}

// `times` are those in the window, newest first. The rule bears `borne` of them; it is met again when only so many are
// left.
void SetCountAndRetry(const std::vector<absl::Time>& times, size_t borne, int64_t limit, absl::Duration window,
                      absl::Time now, v1::Reason& reason) {
  const int64_t shown_max = std::max<int64_t>(static_cast<int64_t>(borne) + 1, kCountShownMax);
  const int64_t count = std::min(static_cast<int64_t>(times.size()), shown_max);
  Measure(static_cast<double>(count), static_cast<double>(limit), reason);
  *reason.mutable_retry_after() = ToProto(times[borne] + window - now);
}

bool Names(const v1::Constraint& constraint, const std::string& category) {
  return std::count(constraint.categories().begin(), constraint.categories().end(), category) > 0;
}

bool PolicyNames(const v1::PolicySet& policy, const std::string& category) {
  if (policy.default_category() == category) return true;
  for (const v1::CategoryRule& rule : policy.category_rules()) {
    if (rule.category() == category) return true;
  }
  for (const v1::Constraint& constraint : policy.constraints()) {
    if (Names(constraint, category)) return true;
  }
  for (const v1::RiskDefault& risk : policy.risk_defaults()) {
    if (!risk.category().empty() && risk.category() == category) return true;
  }
  return false;
}

void ExamineAdmission(const Question& question, Found& found) {
  if (!question.action.category().empty() && !PolicyNames(question.policy, question.action.category())) {
    Violate(v1::REASON_CODE_CATEGORY_UNKNOWN, v1::RECOVERY_CLASS_CHANGE_ACTION, found);
  }
  if (question.policy.has_report_age_max()) {
    const absl::Duration age_max = FromProto(question.policy.report_age_max());
    if (!question.report_time.has_value()) {
      Violate(v1::REASON_CODE_REPORT_STALE, v1::RECOVERY_CLASS_RETRY_LATER, found)
          .set_threshold(absl::ToDoubleSeconds(age_max));
    } else if (question.now - *question.report_time > age_max) {
      Measure(absl::ToDoubleSeconds(question.now - *question.report_time), absl::ToDoubleSeconds(age_max),
              Violate(v1::REASON_CODE_REPORT_STALE, v1::RECOVERY_CLASS_RETRY_LATER, found));
    }
  }
  if (!found.violations.empty()) found.confidence *= 0.8;
  if (RiskOf(question.policy, question.action).unknown) AskForApproval(v1::REASON_CODE_APPROVAL_RISK, found);
}

void ExamineLimit(const Question& question, const v1::Constraint& constraint, v1::ReasonCode code, int64_t limit,
                  absl::Duration window, Found& found) {
  if (limit == 0) return;
  const std::set<std::string> names(constraint.categories().begin(), constraint.categories().end());
  const bool allowed_alone = constraint.limit_count() == v1::LIMIT_COUNT_ALLOWED;
  const std::vector<absl::Time> times =
      TimesIn(question, window, [&, in = OfCategories(names)](const AttemptFact& attempt) {
        return in(attempt) && (attempt.allowed || !allowed_alone);
      });
  if (static_cast<int64_t>(times.size()) < limit) return;
  v1::Reason& reason = Violate(code, v1::RECOVERY_CLASS_RETRY_LATER, found);
  SetCountAndRetry(times, static_cast<size_t>(limit) - 1, limit, window, question.now, reason);
  reason.set_constraint_id(constraint.constraint_id());
}

void ExamineContent(const Question& question, const v1::Constraint& constraint, Found& found) {
  std::string content;
  for (const auto& [name, value] : question.action.parameters().fields()) {
    if (name == "content") content = value.string_value();
  }
  int64_t characters = 0;
  for (const char byte : content) characters += (static_cast<unsigned char>(byte) >> 6) != 2 ? 1 : 0;
  const v1::ParameterConditions& conditions = constraint.conditions();
  if (conditions.max_content_length() > 0 && characters > conditions.max_content_length()) {
    v1::Reason& reason = Violate(v1::REASON_CODE_CONTENT_LENGTH, v1::RECOVERY_CLASS_CHANGE_ACTION, found);
    Measure(static_cast<double>(characters), static_cast<double>(conditions.max_content_length()), reason);
    reason.set_constraint_id(constraint.constraint_id());
  }
  bool has_keyword = conditions.required_keywords().empty();
  for (const std::string& keyword : conditions.required_keywords()) {
    has_keyword |= absl::StrContains(absl::AsciiStrToLower(content), absl::AsciiStrToLower(keyword));
  }
  if (!has_keyword) {
    Violate(v1::REASON_CODE_CONTENT_KEYWORDS, v1::RECOVERY_CLASS_CHANGE_ACTION, found)
        .set_constraint_id(constraint.constraint_id());
  }
}

void ExamineConstraint(const Question& question, const v1::Constraint& constraint, Found& found) {
  const Risk risk = RiskOf(question.policy, question.action);
  const size_t before = found.violations.size() + found.approvals.size();
  if (CombinedRisk(risk) >= 0.6 && constraint.risk_threshold() < 0.8) {
    found.requires_approval = true;
    v1::Reason& reason = Violate(v1::REASON_CODE_RISK_LEVEL, v1::RECOVERY_CLASS_NEEDS_APPROVAL, found);
    Measure(CombinedRisk(risk), 0.6, reason);
    reason.set_constraint_id(constraint.constraint_id());
  }
  ExamineLimit(question, constraint, v1::REASON_CODE_LIMIT_DAILY, constraint.daily_limit(), kDay, found);
  ExamineLimit(question, constraint, v1::REASON_CODE_LIMIT_HOURLY, constraint.hourly_limit(), kHour, found);
  if (constraint.approval_required()) {
    AskForApproval(v1::REASON_CODE_APPROVAL_REQUIRED, found).set_constraint_id(constraint.constraint_id());
  }
  if (constraint.has_auto_approval_threshold() && risk.risk_score > constraint.auto_approval_threshold()) {
    v1::Reason& reason = AskForApproval(v1::REASON_CODE_APPROVAL_RISK, found);
    Measure(risk.risk_score, constraint.auto_approval_threshold(), reason);
    reason.set_constraint_id(constraint.constraint_id());
  }
  if (constraint.has_conditions()) ExamineContent(question, constraint, found);
  if (found.violations.size() + found.approvals.size() > before) found.confidence *= 0.9;
}

void ExamineLimitByScope(const Question& question, const v1::Limit& limit, Found& found) {
  const auto& categories = limit.categories();
  const bool of_category = limit.scope() == v1::SCOPE_KIND_CATEGORY;
  if (of_category && !categories.empty() &&
      std::find(categories.begin(), categories.end(), question.category) == categories.end()) {
    return;
  }
  const absl::Duration window = FromProto(limit.window());
  absl::Time now = question.now;
  const bool of_fleet = limit.scope() == v1::SCOPE_KIND_FLEET;
  if (of_fleet && !question.fleet.empty()) now = std::max(now, question.fleet.back().fleet_time);
  std::vector<absl::Time> times;
  for (const AttemptFact& attempt : of_fleet ? question.fleet : question.attempts) {
    const absl::Time time = of_fleet ? attempt.fleet_time : attempt.time;
    if (time <= now - window || (limit.count() == v1::LIMIT_COUNT_ALLOWED && !attempt.allowed)) continue;
    if (limit.scope() == v1::SCOPE_KIND_AGENT && attempt.agent_id != question.action.agent_id()) continue;
    if (of_category && !(attempt.category_known && attempt.category == question.category)) continue;
    times.insert(times.begin(), time);
  }
  if (static_cast<int64_t>(times.size()) < limit.max_actions()) return;
  v1::Reason& reason = Violate(v1::REASON_CODE_LIMIT_REACHED, v1::RECOVERY_CLASS_RETRY_LATER, found);
  SetCountAndRetry(times, static_cast<size_t>(limit.max_actions()) - 1, limit.max_actions(), window, now, reason);
  reason.set_limit_id(limit.limit_id());
  found.confidence *= 0.9;
}

void ExamineVelocity(const Question& question, Found& found) {
  const v1::VelocityRule* broken = nullptr;
  size_t attempts = 0;
  for (const v1::VelocityRule& rule : question.policy.velocity_rules()) {
    const size_t count =
        1 + TimesIn(question, FromProto(rule.window()), [&](const AttemptFact& attempt) {
              return rule.scope() == v1::SCOPE_KIND_TENANT || attempt.agent_id == question.action.agent_id();
            }).size();
    if (static_cast<int64_t>(count) < rule.actions() || (broken != nullptr && rule.tier() <= broken->tier())) continue;
    broken = &rule;
    attempts = count;
  }
  if (broken == nullptr) return;
  found.velocity_tier = broken->tier();
  found.confidence *= 0.8;
  v1::Reason& reason = broken->tier() == 3 ? Violate(v1::REASON_CODE_VELOCITY, v1::RECOVERY_CLASS_HUMAN_ONLY, found)
                                           : found.approvals.emplace_back();
  reason.set_code(v1::REASON_CODE_VELOCITY);
  if (broken->tier() == 1) reason.set_recovery_class(v1::RECOVERY_CLASS_NONE);
  if (broken->tier() == 2) {
    reason.set_recovery_class(v1::RECOVERY_CLASS_NEEDS_APPROVAL);
    found.requires_approval = true;
  }
  Measure(static_cast<double>(attempts), static_cast<double>(broken->actions()), reason);
}

void ExamineBudget(const Question& question, Found& found) {
  const auto& listed = question.policy.remediation_actions();
  const std::string type = absl::AsciiStrToLower(question.action.action_type());
  const std::string& named = question.action.episode_id();
  if (!named.empty() && (question.episode == nullptr || question.episode->episode_id() != named)) {
    Violate(v1::REASON_CODE_EPISODE_UNKNOWN, v1::RECOVERY_CLASS_CHANGE_ACTION, found);
    found.confidence *= 0.9;
    return;
  }
  const bool is_remedy = !named.empty() || std::count(listed.begin(), listed.end(), type) > 0;
  if (!is_remedy || question.episode == nullptr) return;
  const int at = question.episode->tier() - 1;
  found.episode_id = question.episode->episode_id();
  found.episode_tier = at + 1;
  const v1::TierPolicy& tier = question.policy.tiers(at);
  const int used = question.episode->iterations().empty() ? 0 : question.episode->iterations(at);
  if (used < tier.max_iterations()) return;
  found.confidence *= 0.9;
  found.escalates = tier.on_exhaustion() == v1::EXHAUSTION_ESCALATE && at < 2;
  found.budget_trips =
      tier.on_exhaustion() == v1::EXHAUSTION_TRIP || (tier.on_exhaustion() == v1::EXHAUSTION_ESCALATE && at == 2);
  v1::Reason& reason =
      found.escalates      ? Violate(v1::REASON_CODE_BUDGET_EXHAUSTED, v1::RECOVERY_CLASS_CHANGE_ACTION, found)
      : found.budget_trips ? Violate(v1::REASON_CODE_BUDGET_EXHAUSTED, v1::RECOVERY_CLASS_HUMAN_ONLY, found)
                           : AskForApproval(v1::REASON_CODE_BUDGET_EXHAUSTED, found);
  Measure(used, tier.max_iterations(), reason);
}

// A rule that is broken by more than `count_max` attempts.
void ExamineCount(const Question& question, v1::ReasonCode code, int64_t count_max, absl::Duration window,
                  const Wanted& wanted, Found& found) {
  const std::vector<absl::Time> times = TimesIn(question, window, wanted);
  if (static_cast<int64_t>(times.size()) <= count_max) return;
  SetCountAndRetry(times, static_cast<size_t>(count_max), count_max, window, question.now,
                   Violate(code, v1::RECOVERY_CLASS_RETRY_LATER, found));
}

void ExamineRates(const Question& question, Found& found) {
  const size_t before = found.violations.size();
  const v1::PatternRules& rules = question.policy.pattern_rules();
  const Wanted of_category = OfCategories({question.category});
  if (rules.has_category_hourly_max()) {
    ExamineCount(question, v1::REASON_CODE_CATEGORY_HOURLY, rules.category_hourly_max(), kHour, of_category, found);
  }
  if (rules.has_category_daily_max()) {
    ExamineCount(question, v1::REASON_CODE_CATEGORY_DAILY, rules.category_daily_max(), kDay, of_category, found);
  }
  if (rules.has_call_rate()) {
    const absl::Duration window = FromProto(rules.call_rate().window());
    const int64_t calls_max = rules.call_rate().max_calls();
    const std::vector<absl::Time> times = TimesIn(
        question, window, [&](const AttemptFact& attempt) { return attempt.agent_id == question.action.agent_id(); });
    // This call is one more.
    if (static_cast<int64_t>(times.size()) + 1 > calls_max) {
      v1::Reason& reason = Violate(v1::REASON_CODE_CALL_RATE, v1::RECOVERY_CLASS_RETRY_LATER, found);
      SetCountAndRetry(times, static_cast<size_t>(calls_max) - 1, calls_max, window, question.now, reason);
      reason.set_observed(reason.observed() + 1);
    }
  }
  if (found.violations.size() > before) found.confidence *= 0.8;
}

void ExamineConflicts(const Question& question, Found& found) {
  const std::string type = absl::AsciiStrToLower(question.action.action_type());
  int conflicts = 0;
  absl::Time newest = absl::InfinitePast();
  for (const v1::ConflictPair& pair : question.policy.conflict_pairs()) {
    if (pair.first() != type && pair.second() != type) continue;
    const std::string& opposite = pair.first() == type ? pair.second() : pair.first();
    const std::vector<absl::Time> times = TimesIn(question, kDay, [&](const AttemptFact& attempt) {
      const std::string& resource = question.action.target_resource();
      const bool there =
          !pair.same_resource() || resource.empty() || attempt.resource.empty() || attempt.resource == resource;
      return attempt.action_type == opposite && there;
    });
    if (times.empty()) continue;
    ++conflicts;
    newest = std::max(newest, times[0]);
  }
  if (conflicts == 0) return;
  v1::Reason& reason = Violate(v1::REASON_CODE_CONFLICT, v1::RECOVERY_CLASS_RETRY_LATER, found);
  Measure(conflicts, 0, reason);
  *reason.mutable_retry_after() = ToProto(newest + kDay - question.now);
}

void ExamineRepeats(const Question& question, Found& found) {
  const v1::RateRule& rule = question.policy.pattern_rules().repeated_call();
  const absl::Duration window = FromProto(rule.window());
  const std::string call = CallOf(question.action, question.category);
  int64_t calls = 1;
  absl::Time later = question.now;
  absl::Time newest = absl::InfinitePast();
  for (auto attempt = question.attempts.rbegin(); attempt != question.attempts.rend(); ++attempt) {
    if (attempt->agent_id != question.action.agent_id()) continue;
    if (newest == absl::InfinitePast()) newest = attempt->time;
    const bool in_a_row =
        attempt->call == call && later - attempt->time < window && question.now - attempt->time < kDay;
    if (!in_a_row) break;
    later = attempt->time;
    ++calls;
  }
  if (calls <= rule.max_calls()) return;
  v1::Reason& reason = Violate(v1::REASON_CODE_REPEATED_CALL, v1::RECOVERY_CLASS_CHANGE_ACTION, found);
  Measure(static_cast<double>(calls), static_cast<double>(rule.max_calls()), reason);
  *reason.mutable_retry_after() = ToProto(newest + window - question.now);
}

void ExaminePatterns(const Question& question, Found& found) {
  const size_t before = found.violations.size();
  const v1::PatternRules& rules = question.policy.pattern_rules();
  const std::string type = absl::AsciiStrToLower(question.action.action_type());
  if (rules.has_similar_actions_max()) {
    ExamineCount(
        question, v1::REASON_CODE_PATTERN_SIMILAR, rules.similar_actions_max(), kDay,
        [&](const AttemptFact& attempt) { return attempt.action_type == type; }, found);
  }
  if (rules.has_frequency_max()) {
    ExamineCount(
        question, v1::REASON_CODE_PATTERN_FREQUENCY, rules.frequency_max(), kDay,
        [](const AttemptFact&) { return true; }, found);
  }
  ExamineConflicts(question, found);
  if (found.violations.size() > before) found.requires_approval = true;
  if (rules.has_repeated_call()) ExamineRepeats(question, found);
  if (found.violations.size() > before) found.confidence *= 0.7;
}

bool Matches(v1::MatchKind match, const std::string& type, const std::string& pattern) {
  const std::string text = absl::AsciiStrToLower(pattern);
  switch (match) {
    case v1::MATCH_KIND_EXACT:
      return type == text;
    case v1::MATCH_KIND_PREFIX:
      return absl::StartsWith(type, text);
    default:
      return absl::StrContains(type, text);
  }
}

}  // namespace

Found Examine(const Question& question) {
  Found found;
  ExamineAdmission(question, found);
  for (const v1::Constraint& constraint : question.policy.constraints()) {
    if (Names(constraint, question.category)) ExamineConstraint(question, constraint, found);
  }
  for (const v1::Limit& limit : question.policy.limits()) ExamineLimitByScope(question, limit, found);
  ExamineRates(question, found);
  ExaminePatterns(question, found);
  ExamineVelocity(question, found);
  ExamineBudget(question, found);
  return found;
}

Risk RiskOf(const v1::PolicySet& policy, const v1::Action& action) {
  const std::string category = CategoryOf(policy, action);
  const v1::RiskDefault* general = nullptr;
  const v1::RiskDefault* own = nullptr;
  for (const v1::RiskDefault& risk : policy.risk_defaults()) {
    if (risk.category().empty()) general = &risk;
    if (!risk.category().empty() && risk.category() == category) own = &risk;
  }
  const v1::RiskDefault* fallback = own != nullptr ? own : general;
  Risk risk;
  risk.unknown = fallback == nullptr && !(action.has_risk_score() && action.has_impact_score());
  risk.risk_score = action.has_risk_score() ? action.risk_score() : fallback != nullptr ? fallback->risk_score() : 0.5;
  risk.impact_score = action.has_impact_score() ? action.impact_score()
                      : fallback != nullptr     ? fallback->impact_score()
                                                : 0.5;
  return risk;
}

double CombinedRisk(const Risk& risk) { return risk.risk_score * 0.6 + risk.impact_score * 0.4; }

v1::RiskLevel LevelOf(double combined) {
  if (combined < 0.3) return v1::RISK_LEVEL_LOW;
  if (combined < 0.6) return v1::RISK_LEVEL_MEDIUM;
  return combined < 0.8 ? v1::RISK_LEVEL_HIGH : v1::RISK_LEVEL_CRITICAL;
}

std::string CategoryOf(const v1::PolicySet& policy, const v1::Action& action) {
  if (!action.category().empty()) return action.category();
  const std::string type = absl::AsciiStrToLower(action.action_type());
  for (const v1::CategoryRule& rule : policy.category_rules()) {
    for (const std::string& pattern : rule.patterns()) {
      if (Matches(rule.match(), type, pattern)) return rule.category();
    }
  }
  return policy.default_category();
}

std::string CallOf(const v1::Action& action, const std::string& category) {
  std::map<std::string, std::string> parameters;
  for (const auto& [name, value] : action.parameters().fields()) parameters[name] = Serialize(value);
  std::string call = absl::AsciiStrToLower(action.action_type()) + "\n" + category + "\n" + action.target_resource();
  for (const auto& [name, value] : parameters) call += "\n" + name + "\n" + value;
  return call;
}

bool IsKeyedByResource(const v1::PolicySet& policy, const std::string& action_type) {
  return std::any_of(policy.conflict_pairs().begin(), policy.conflict_pairs().end(), [&](const v1::ConflictPair& pair) {
    return pair.same_resource() && (pair.first() == action_type || pair.second() == action_type);
  });
}

absl::optional<v1::ScopeKind> TripScope(const v1::PolicySet& policy, v1::TripCause cause) {
  for (const v1::LockRule& rule : policy.lock_rules()) {
    if (rule.cause() == cause) return rule.scope();
  }
  return absl::nullopt;
}

}  // namespace interlock::differential
