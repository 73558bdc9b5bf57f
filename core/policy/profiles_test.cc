#include "core/policy/profiles.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "gtest/gtest.h"
#include "tests/support/agent_runs.h"
#include "tests/support/vectors.h"

namespace interlock::policy {
namespace {

using ::testing::ElementsAre;

const v1::PolicySet& Reference() { return *FindProfile("reference"); }
const v1::PolicySet& ToolCalling() { return *FindProfile("tool_calling"); }

// The category of an action type by the policy's rules.
std::string CategoryOf(const v1::PolicySet& policy, const std::string& action_type) {
  const std::string type = absl::AsciiStrToLower(action_type);
  for (const v1::CategoryRule& rule : policy.category_rules()) {
    for (const std::string& pattern : rule.patterns()) {
      const bool matches = (rule.match() == v1::MATCH_KIND_EXACT && type == pattern) ||
                           (rule.match() == v1::MATCH_KIND_PREFIX && absl::StartsWith(type, pattern)) ||
                           (rule.match() == v1::MATCH_KIND_KEYWORD && absl::StrContains(type, pattern));
      if (matches) return rule.category();
    }
  }
  return policy.default_category();
}

TEST(ProfilesTest, KnowsItsNamesOnly) {
  EXPECT_THAT(ProfileNames(), ElementsAre("reference", "tool_calling"));
  for (const std::string& name : ProfileNames()) {
    ASSERT_NE(FindProfile(name), nullptr);
    EXPECT_EQ(FindProfile(name)->profile(), name);
  }
  EXPECT_EQ(FindProfile(""), nullptr);
  EXPECT_EQ(FindProfile("Reference"), nullptr);
  EXPECT_EQ(FindProfile("other"), nullptr);
}

TEST(ProfilesTest, BelongToNoTenantAndHaveNoVersion) {
  for (const std::string& name : ProfileNames()) {
    const v1::PolicySet& profile = *FindProfile(name);
    EXPECT_EQ(profile.tenant_id(), "");
    EXPECT_EQ(profile.version(), 0);
    EXPECT_EQ(profile.etag(), "");
    EXPECT_FALSE(profile.has_update_time());
  }
}

TEST(ProfilesTest, AreBuiltOnce) { EXPECT_EQ(FindProfile("reference"), FindProfile("reference")); }

TEST(ReferenceProfileTest, HasTheTiersOfTheSeed) {
  ASSERT_EQ(Reference().tiers_size(), 3);
  const v1::TierPolicy& first = Reference().tiers(0);
  EXPECT_EQ(first.tier(), 1);
  EXPECT_EQ(first.thresholds().success_rate(), 0.80);
  EXPECT_EQ(first.thresholds().efficiency_score(), 0.65);
  EXPECT_EQ(first.thresholds().response_time(), 45.0);
  EXPECT_FALSE(first.thresholds().has_market_impact());
  EXPECT_EQ(first.max_iterations(), 3);
  EXPECT_EQ(first.lock_criteria().min_confidence(), 0.85);
  EXPECT_EQ(first.lock_criteria().consecutive_failures(), 6);
  const v1::TierPolicy& second = Reference().tiers(1);
  EXPECT_EQ(second.tier(), 2);
  EXPECT_EQ(second.thresholds().success_rate(), 0.70);
  EXPECT_EQ(second.thresholds().efficiency_score(), 0.50);
  EXPECT_EQ(second.thresholds().response_time(), 60.0);
  EXPECT_EQ(second.thresholds().market_impact(), 0.35);
  EXPECT_EQ(second.max_iterations(), 2);
  EXPECT_EQ(second.lock_criteria().min_confidence(), 0.75);
  EXPECT_EQ(second.lock_criteria().consecutive_failures(), 4);
  const v1::TierPolicy& third = Reference().tiers(2);
  EXPECT_EQ(third.tier(), 3);
  EXPECT_EQ(third.thresholds().success_rate(), 0.55);
  EXPECT_EQ(third.thresholds().efficiency_score(), 0.35);
  EXPECT_EQ(third.thresholds().response_time(), 90.0);
  EXPECT_EQ(third.thresholds().market_impact(), 0.25);
  EXPECT_EQ(third.max_iterations(), 1);
  EXPECT_EQ(third.lock_criteria().min_confidence(), 0.65);
  EXPECT_EQ(third.lock_criteria().consecutive_failures(), 3);
}

TEST(ReferenceProfileTest, TierOneLooksAtThreeMetricsTheOthersAtFour) {
  EXPECT_THAT(Reference().tiers(0).trigger_metrics(),
              ElementsAre(v1::METRIC_SUCCESS_RATE, v1::METRIC_EFFICIENCY_SCORE, v1::METRIC_RESPONSE_TIME));
  for (const int tier : {1, 2}) {
    EXPECT_THAT(Reference().tiers(tier).trigger_metrics(),
                ElementsAre(v1::METRIC_SUCCESS_RATE, v1::METRIC_EFFICIENCY_SCORE, v1::METRIC_RESPONSE_TIME,
                            v1::METRIC_MARKET_IMPACT));
  }
}

TEST(ReferenceProfileTest, HasTheLevelsOfTheReference) {
  EXPECT_EQ(Reference().targets().success_rate(), 0.85);
  EXPECT_EQ(Reference().targets().response_time(), 30.0);
  EXPECT_EQ(Reference().targets().efficiency_score(), 0.75);
  EXPECT_EQ(Reference().targets().market_impact(), 0.60);
  EXPECT_EQ(Reference().alert_thresholds().success_rate(), 0.70);
  EXPECT_EQ(Reference().alert_thresholds().response_time(), 60.0);
  EXPECT_EQ(Reference().alert_thresholds().efficiency_score(), 0.50);
  EXPECT_EQ(Reference().alert_thresholds().market_impact(), 0.30);
}

struct ExpectedConstraint {
  std::string id;
  std::vector<std::string> categories;
  double risk_threshold;
  bool approval_required;
  double auto_approval_threshold;
  int64_t daily_limit;
  int64_t hourly_limit;
};

TEST(ReferenceProfileTest, HasTheFiveConstraintsInOrder) {
  const std::vector<ExpectedConstraint> expected = {
      {"content_modification_limit", {"content_modification"}, 0.7, false, 0.3, 50, 10},
      {"high_risk_approval_required", {"strategy_change", "system_configuration"}, 0.8, true, 0.2, 0, 0},
      {"competitor_response_cooldown", {"competitor_response"}, 0.6, false, 0.4, 20, 5},
      {"seo_optimization_safety", {"seo_optimization"}, 0.5, false, 0.3, 30, 8},
      {"social_amplification_limits", {"social_amplification"}, 0.6, false, 0.4, 25, 6},
  };
  ASSERT_EQ(Reference().constraints_size(), 5);
  for (int i = 0; i < 5; ++i) {
    const v1::Constraint& constraint = Reference().constraints(i);
    EXPECT_EQ(constraint.constraint_id(), expected[i].id);
    EXPECT_THAT(constraint.categories(), ::testing::ElementsAreArray(expected[i].categories));
    EXPECT_EQ(constraint.risk_threshold(), expected[i].risk_threshold);
    EXPECT_EQ(constraint.approval_required(), expected[i].approval_required);
    EXPECT_EQ(constraint.auto_approval_threshold(), expected[i].auto_approval_threshold);
    EXPECT_EQ(constraint.daily_limit(), expected[i].daily_limit);
    EXPECT_EQ(constraint.hourly_limit(), expected[i].hourly_limit);
    EXPECT_FALSE(constraint.has_conditions());
  }
}

TEST(ReferenceProfileTest, DerivesCategoriesAsTheReferenceDoes) {
  const std::map<std::string, std::string> expected = {
      {"write_blog", "content_modification"},
      {"post_social", "content_modification"},
      {"share_post", "content_modification"},
      {"optimize_content", "content_modification"},
      {"blog_config", "content_modification"},
      {"deploy", "content_modification"},
      {"disable_feature", "content_modification"},
      {"postgres_drop", "content_modification"},
      {"NEW_ARTICLE", "content_modification"},
      {"keyword_fix", "seo_optimization"},
      {"meta_update", "seo_optimization"},
      {"seo_fix", "seo_optimization"},
      {"run_optimization", "seo_optimization"},
      {"competitor_x", "competitor_response"},
      {"competitive_move", "competitor_response"},
      {"response", "competitor_response"},
      {"social_share", "social_amplification"},
      {"amplify", "social_amplification"},
      {"distribute_it", "social_amplification"},
      {"strategy_x", "strategy_change"},
      {"plan", "strategy_change"},
      {"new_approach", "strategy_change"},
      {"settings", "system_configuration"},
      {"config_set", "system_configuration"},
      {"system_restart", "system_configuration"},
  };
  for (const auto& [type, category] : expected) EXPECT_EQ(CategoryOf(Reference(), type), category) << type;
}

TEST(ReferenceProfileTest, TakesHalfRiskAndHalfImpactForGranted) {
  ASSERT_EQ(Reference().risk_defaults_size(), 1);
  EXPECT_EQ(Reference().risk_defaults(0).category(), "");
  EXPECT_EQ(Reference().risk_defaults(0).risk_score(), 0.5);
  EXPECT_EQ(Reference().risk_defaults(0).impact_score(), 0.5);
}

TEST(ReferenceProfileTest, HasTheConflictPairsPatternRulesAndLockRules) {
  ASSERT_EQ(Reference().conflict_pairs_size(), 3);
  EXPECT_EQ(Reference().conflict_pairs(0).first(), "optimize_content");
  EXPECT_EQ(Reference().conflict_pairs(0).second(), "delete_content");
  EXPECT_EQ(Reference().conflict_pairs(1).first(), "increase_keywords");
  EXPECT_EQ(Reference().conflict_pairs(1).second(), "decrease_keywords");
  EXPECT_EQ(Reference().conflict_pairs(2).first(), "enable_feature");
  EXPECT_EQ(Reference().conflict_pairs(2).second(), "disable_feature");
  const v1::PatternRules& rules = Reference().pattern_rules();
  EXPECT_EQ(rules.similar_actions_max(), 10);
  EXPECT_EQ(rules.frequency_max(), 100);
  EXPECT_EQ(rules.category_hourly_max(), 50);
  EXPECT_EQ(rules.category_daily_max(), 200);
  EXPECT_FALSE(rules.has_repeated_call());
  EXPECT_FALSE(rules.has_call_rate());
  ASSERT_EQ(Reference().lock_rules_size(), 2);
  EXPECT_EQ(Reference().lock_rules(0).cause(), v1::TRIP_CAUSE_LOCK_CRITERIA);
  EXPECT_EQ(Reference().lock_rules(0).scope(), v1::SCOPE_KIND_TENANT);
  EXPECT_EQ(Reference().lock_rules(1).cause(), v1::TRIP_CAUSE_ARBITRATION);
  EXPECT_EQ(Reference().lock_rules(1).scope(), v1::SCOPE_KIND_TENANT);
  EXPECT_FALSE(Reference().has_report_age_max());
}

TEST(ToolCallingProfileTest, DerivesClassesFromToolNames) {
  const std::map<std::string, std::vector<std::string>> tools = {
      {"read",
       {"get_balance", "get_webpage", "list_files", "list_all_airports", "search_emails", "search_direct_flight",
        "read_file", "read_inbox", "find_user_id_by_email", "check_sim_status", "can_send_mms", "calculate", "think",
        "run_speed_test", "Get_Balance", "check_payment_request"}},
      {"write",
       {"create_file", "create_calendar_event", "append_to_file", "reserve_hotel", "book_reservation",
        "update_user_info", "reschedule_calendar_event", "modify_pending_order_items", "toggle_roaming",
        "get_or_create_folder", "search_and_replace", "an_unheard_of_tool", "getaway", "thinking"}},
      {"outbound",
       {"send_email", "send_direct_message", "send_channel_message", "send_payment_request", "post_webpage",
        "share_file", "invite_user_to_slack", "transfer_to_human_agents", "add_user_to_channel",
        "add_calendar_event_participants"}},
      {"irreversible",
       {"send_money", "make_payment", "schedule_transaction", "update_scheduled_transaction", "update_password",
        "delete_email", "delete_file", "remove_user_from_slack", "cancel_reservation", "cancel_pending_order",
        "drop_table", "pay_bill", "transfer_money", "check_out", "bash"}},
  };
  for (const auto& [category, names] : tools) {
    for (const std::string& name : names) EXPECT_EQ(CategoryOf(ToolCalling(), name), category) << name;
  }
}

TEST(ToolCallingProfileTest, NoClassHasAHighRiskByItself) {
  std::map<std::string, double> combined;
  for (const v1::RiskDefault& risk : ToolCalling().risk_defaults()) {
    combined[risk.category()] = 0.6 * risk.risk_score() + 0.4 * risk.impact_score();
    EXPECT_LT(combined[risk.category()], 0.6) << risk.category();
  }
  ASSERT_EQ(combined.size(), 5u);
  EXPECT_LT(combined["read"], combined["write"]);
  EXPECT_LT(combined["write"], combined["outbound"]);
  EXPECT_LT(combined["outbound"], combined["irreversible"]);
  EXPECT_EQ(combined[""], combined["irreversible"]) << "an unknown category is taken for the worst";
}

TEST(ToolCallingProfileTest, OneConstraintForEachClassAndNoneAsksForApproval) {
  std::vector<std::string> categories;
  for (const v1::Constraint& constraint : ToolCalling().constraints()) {
    ASSERT_EQ(constraint.categories_size(), 1);
    categories.push_back(constraint.categories(0));
    EXPECT_LT(constraint.risk_threshold(), 0.8);
    EXPECT_FALSE(constraint.approval_required());
    EXPECT_FALSE(constraint.has_auto_approval_threshold());
    EXPECT_EQ(constraint.daily_limit(), 0);
    EXPECT_EQ(constraint.hourly_limit(), 0);
  }
  EXPECT_THAT(categories, ElementsAre("read", "write", "outbound", "irreversible"));
}

TEST(ToolCallingProfileTest, GradesByTheSeedsSuccessRateAndEfficiencyOnly) {
  ASSERT_EQ(ToolCalling().tiers_size(), 3);
  for (int i = 0; i < 3; ++i) {
    const v1::TierPolicy& tier = ToolCalling().tiers(i);
    const v1::TierPolicy& seed = Reference().tiers(i);
    EXPECT_EQ(tier.tier(), seed.tier());
    EXPECT_THAT(tier.trigger_metrics(), ElementsAre(v1::METRIC_SUCCESS_RATE, v1::METRIC_EFFICIENCY_SCORE));
    EXPECT_EQ(tier.thresholds().success_rate(), seed.thresholds().success_rate());
    EXPECT_EQ(tier.thresholds().efficiency_score(), seed.thresholds().efficiency_score());
    EXPECT_FALSE(tier.thresholds().has_response_time());
    EXPECT_FALSE(tier.thresholds().has_market_impact());
    EXPECT_EQ(tier.max_iterations(), seed.max_iterations());
    EXPECT_EQ(tier.lock_criteria().min_confidence(), seed.lock_criteria().min_confidence());
    EXPECT_EQ(tier.lock_criteria().consecutive_failures(), seed.lock_criteria().consecutive_failures());
  }
}

TEST(ToolCallingProfileTest, LimitsLoopsAndLocksTheAgentOnly) {
  const v1::PatternRules& rules = ToolCalling().pattern_rules();
  EXPECT_EQ(rules.repeated_call().max_calls(), 3);
  EXPECT_EQ(rules.repeated_call().window().seconds(), 600);
  EXPECT_EQ(rules.call_rate().max_calls(), 120);
  EXPECT_EQ(rules.call_rate().window().seconds(), 60);
  EXPECT_FALSE(rules.has_similar_actions_max());
  EXPECT_FALSE(rules.has_frequency_max());
  EXPECT_FALSE(rules.has_category_hourly_max());
  EXPECT_FALSE(rules.has_category_daily_max());
  ASSERT_EQ(ToolCalling().lock_rules_size(), 2);
  EXPECT_EQ(ToolCalling().lock_rules(0).cause(), v1::TRIP_CAUSE_LOCK_CRITERIA);
  EXPECT_EQ(ToolCalling().lock_rules(0).scope(), v1::SCOPE_KIND_AGENT);
  EXPECT_EQ(ToolCalling().lock_rules(1).cause(), v1::TRIP_CAUSE_ARBITRATION);
  EXPECT_EQ(ToolCalling().lock_rules(1).scope(), v1::SCOPE_KIND_AGENT);
  for (const v1::CategoryRule& rule : ToolCalling().category_rules()) {
    EXPECT_NE(rule.match(), v1::MATCH_KIND_KEYWORD) << rule.category();
  }
}

// What the recorded runs say about the profile.
struct RunStatistics {
  std::set<std::string> tools;
  int healthy_runs = 0;
  int looping_healthy_runs = 0;
  int most_healthy_calls = 0;
};

int LongestRepeat(const google::protobuf::ListValue& actions) {
  int longest = 0;
  int current = 0;
  std::string previous;
  for (const auto& value : actions.values()) {
    const google::protobuf::Struct& action = value.struct_value();
    const std::string call = support::StringField(action, "name") + '\n' + support::StringField(action, "args");
    current = call == previous ? current + 1 : 1;
    previous = call;
    longest = std::max(longest, current);
  }
  return longest;
}

void AddRun(const google::protobuf::Struct& run, RunStatistics& statistics) {
  if (run.fields().at("actions").kind_case() != google::protobuf::Value::kListValue) return;
  const google::protobuf::ListValue& actions = support::ListField(run, "actions");
  for (const auto& value : actions.values()) {
    statistics.tools.insert(support::StringField(value.struct_value(), "name"));
  }
  const bool healthy = support::StringField(run, "mode") == "benign" && run.fields().at("utility").bool_value();
  if (!healthy) return;
  ++statistics.healthy_runs;
  if (LongestRepeat(actions) > ToolCalling().pattern_rules().repeated_call().max_calls()) {
    ++statistics.looping_healthy_runs;
  }
  statistics.most_healthy_calls = std::max(statistics.most_healthy_calls, actions.values_size());
}

TEST(ToolCallingProfileTest, FitsTheRecordedRuns) {
  RunStatistics statistics;
  const absl::Status status =
      support::ReadAgentRuns([&](const google::protobuf::Struct& run) { AddRun(run, statistics); });
  if (absl::IsNotFound(status)) GTEST_SKIP() << status;
  ASSERT_TRUE(status.ok()) << status;

  std::map<std::string, int> classes;
  for (const std::string& tool : statistics.tools) ++classes[CategoryOf(ToolCalling(), tool)];
  EXPECT_EQ(classes.size(), 4u);
  EXPECT_GT(classes["read"], static_cast<int>(statistics.tools.size()) / 2) << "most tools only look";
  EXPECT_LT(classes["write"], static_cast<int>(statistics.tools.size()) / 3) << "few tools are left to the default";

  ASSERT_GT(statistics.healthy_runs, 1000);
  EXPECT_LT(statistics.most_healthy_calls, ToolCalling().pattern_rules().call_rate().max_calls());
  EXPECT_LT(statistics.looping_healthy_runs * 50, statistics.healthy_runs) << "below 2 %";
}

}  // namespace
}  // namespace interlock::policy
