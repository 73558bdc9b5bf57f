#include "client/cli/policy_text.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/format.h"
#include "client/cli/table.h"

namespace interlock::cli {
namespace {

// The patterns of a rule are many; the first ones show what it is about.
constexpr int kPatternsShown = 8;

std::string Threshold(bool set, double value, absl::string_view sign) {
  return set ? absl::StrCat(sign, " ", FormatNumber(value)) : "-";
}

std::string TierTable(const v1::PolicySet& policy, bool color) {
  Table table({{"tier"},
               {"success"},
               {"efficiency"},
               {"response s"},
               {"impact"},
               {"attempts", Align::kRight},
               {"lock criteria"}});
  for (const v1::TierPolicy& tier : policy.tiers()) {
    const v1::TierThresholds& limits = tier.thresholds();
    table.AddRow({{absl::StrCat(tier.tier()), TierColor(tier.tier())},
                  Threshold(limits.has_success_rate(), limits.success_rate(), "≤"),
                  Threshold(limits.has_efficiency_score(), limits.efficiency_score(), "≤"),
                  Threshold(limits.has_response_time(), limits.response_time(), "≥"),
                  Threshold(limits.has_market_impact(), limits.market_impact(), "≤"),
                  absl::StrCat(tier.max_iterations()),
                  absl::StrCat(tier.lock_criteria().consecutive_failures(), " in a row, confidence ",
                               FormatNumber(tier.lock_criteria().min_confidence()))});
  }
  return table.Render(color);
}

std::string Limit(int64_t limit) { return limit == 0 ? "-" : absl::StrCat(limit); }

std::string ConstraintTable(const v1::PolicySet& policy, bool color) {
  if (policy.constraints().empty()) return "";
  Table table({{"constraint"},
               {"categories"},
               {"risk", Align::kRight},
               {"approval"},
               {"a day", Align::kRight},
               {"an hour", Align::kRight}});
  for (const v1::Constraint& constraint : policy.constraints()) {
    std::string approval = constraint.approval_required() ? "always" : "-";
    if (!constraint.approval_required() && constraint.has_auto_approval_threshold()) {
      approval = absl::StrCat("risk > ", FormatNumber(constraint.auto_approval_threshold()));
    }
    table.AddRow({constraint.constraint_id(), absl::StrJoin(constraint.categories(), ", "),
                  FormatNumber(constraint.risk_threshold()), approval, Limit(constraint.daily_limit()),
                  Limit(constraint.hourly_limit())});
  }
  return absl::StrCat("\n", table.Render(color));
}

std::string LimitTable(const v1::PolicySet& policy, bool color) {
  if (policy.limits().empty() && policy.velocity_rules().empty()) return "";
  Table table({{"limit"}, {"of each"}, {"counts"}, {"at most", Align::kRight}, {"within"}});
  for (const v1::Limit& limit : policy.limits()) {
    std::string scope = FormatEnum(limit.scope());
    if (!limit.categories().empty()) absl::StrAppend(&scope, " ", absl::StrJoin(limit.categories(), ", "));
    table.AddRow({limit.limit_id(), scope, limit.count() == v1::LIMIT_COUNT_ALLOWED ? "allowed actions" : "attempts",
                  absl::StrCat(limit.max_actions()), FormatDuration(limit.window())});
  }
  for (const v1::VelocityRule& rule : policy.velocity_rules()) {
    table.AddRow({{absl::StrCat("tier ", rule.tier()), TierColor(rule.tier())},
                  FormatEnum(rule.scope()),
                  "attempts",
                  absl::StrCat(rule.actions() - 1),
                  FormatDuration(rule.window())});
  }
  return absl::StrCat("\n", table.Render(color));
}

std::string CategoryTable(const v1::PolicySet& policy, bool color) {
  if (policy.category_rules().empty()) return "";
  Table table({{"category"}, {"match"}, {.title = "action types", .width_max = 100}});
  for (const v1::CategoryRule& rule : policy.category_rules()) {
    const int shown = std::min(rule.patterns_size(), kPatternsShown);
    std::string patterns = absl::StrJoin(rule.patterns().begin(), rule.patterns().begin() + shown, ", ");
    if (shown < rule.patterns_size()) {
      absl::StrAppend(&patterns, " and ", rule.patterns_size() - shown, " more");
    }
    table.AddRow({rule.category(), FormatEnum(rule.match()), patterns});
  }
  return absl::StrCat("\n", table.Render(color));
}

std::string Rate(bool set, const v1::RateRule& rule) {
  if (!set) return "";
  return absl::StrCat(rule.max_calls(), " within ", FormatDuration(rule.window()));
}

std::string RuleFacts(const v1::PolicySet& policy, bool color) {
  const v1::PatternRules& rules = policy.pattern_rules();
  const auto count = [](bool set, int64_t value) { return set ? absl::StrCat(value) : ""; };
  std::string locks = absl::StrJoin(policy.lock_rules(), ", ", [](std::string* text, const v1::LockRule& rule) {
    absl::StrAppend(text, FormatEnum(rule.cause()), " locks the ", FormatEnum(rule.scope()));
  });
  return absl::StrCat(
      "\n", RenderFacts(
                {
                    {"same call in a row, at most", Rate(rules.has_repeated_call(), rules.repeated_call())},
                    {"calls of an agent, at most", Rate(rules.has_call_rate(), rules.call_rate())},
                    {"same type in 24 h, at most", count(rules.has_similar_actions_max(), rules.similar_actions_max())},
                    {"attempts in 24 h, at most", count(rules.has_frequency_max(), rules.frequency_max())},
                    {"attempts of a category, at most",
                     rules.has_category_hourly_max()
                         ? absl::StrCat(rules.category_hourly_max(), " an hour, ", rules.category_daily_max(), " a day")
                         : ""},
                    {"conflicting action types", count(policy.conflict_pairs_size() > 0, policy.conflict_pairs_size())},
                    {"redacted parameters", absl::StrJoin(policy.redacted_keys(), ", ")},
                    {"other action types are", policy.default_category()},
                    {"reports at most this old", FormatDuration(policy.report_age_max())},
                    {"locks", locks},
                },
                color));
}

}  // namespace

std::string DescribePolicy(const v1::PolicySet& policy, bool color) {
  return absl::StrCat(
      RenderFacts(
          {
              {"tenant", policy.tenant_id()},
              {"version", policy.version() == 0 ? "none stored, the built-in profile" : absl::StrCat(policy.version())},
              {"profile", policy.profile()},
              {"made", FormatTime(policy.update_time())},
              {"by", FormatPrincipal(policy.updated_by())},
              {"reason", policy.reason()},
              {"back to", policy.rolled_back_to() == 0 ? "" : absl::StrCat("version ", policy.rolled_back_to())},
              {"etag", policy.etag()},
          },
          color),
      "\n", TierTable(policy, color), ConstraintTable(policy, color), LimitTable(policy, color),
      CategoryTable(policy, color), RuleFacts(policy, color));
}

}  // namespace interlock::cli
