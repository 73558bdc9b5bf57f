#include "core/policy/validate.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/policy/profiles.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A valid policy with every kind of element.
v1::PolicySet MakePolicy() {
  v1::PolicySet policy = *FindProfile("reference");
  policy.set_tenant_id("acme");
  policy.mutable_constraints(0)->mutable_conditions()->add_required_keywords("safe");
  *policy.mutable_pattern_rules()->mutable_repeated_call() =
      FindProfile("tool_calling")->pattern_rules().repeated_call();
  policy.mutable_report_age_max()->set_seconds(60);
  return policy;
}

std::vector<std::string> Fields(const v1::PolicySet& policy) {
  std::vector<std::string> fields;
  for (const v1::PolicyViolation& violation : Validate(policy)) {
    fields.push_back(violation.field());
    EXPECT_NE(violation.description(), "") << violation.field();
  }
  return fields;
}

std::vector<std::string> FieldsAfter(const std::function<void(v1::PolicySet&)>& change) {
  v1::PolicySet policy = MakePolicy();
  change(policy);
  return Fields(policy);
}

// One field with values that are accepted and values that are not.
template <typename Value>
struct Case {
  std::string field;
  std::function<void(v1::PolicySet&, Value)> set;
};

template <typename Value>
void ExpectAccepted(const std::vector<Case<Value>>& cases, const std::vector<Value>& values) {
  for (const Case<Value>& accepted : cases) {
    for (const Value& value : values) {
      EXPECT_THAT(FieldsAfter([&](v1::PolicySet& policy) { accepted.set(policy, value); }), IsEmpty())
          << accepted.field << " = " << ::testing::PrintToString(value);
    }
  }
}

template <typename Value>
void ExpectRefused(const std::vector<Case<Value>>& cases, const std::vector<Value>& values) {
  for (const Case<Value>& refused : cases) {
    for (const Value& value : values) {
      EXPECT_THAT(FieldsAfter([&](v1::PolicySet& policy) { refused.set(policy, value); }), ElementsAre(refused.field))
          << refused.field << " = " << ::testing::PrintToString(value);
    }
  }
}

TEST(ValidateTest, ProfilesAreValidForAnyTenant) {
  for (const std::string& name : ProfileNames()) {
    v1::PolicySet profile = *FindProfile(name);
    EXPECT_THAT(Fields(profile), ElementsAre("tenant_id"));
    profile.set_tenant_id("acme");
    EXPECT_THAT(Fields(profile), IsEmpty());
  }
  EXPECT_THAT(Fields(MakePolicy()), IsEmpty());
}

TEST(ValidateTest, OutputOnlyFieldsAreNotLookedAt) {
  EXPECT_THAT(FieldsAfter([](v1::PolicySet& policy) {
                policy.set_version(-1);
                policy.set_etag("anything");
                policy.mutable_update_time()->set_nanos(-1);
              }),
              IsEmpty());
}

TEST(ValidateTest, TextsHaveTheirLengths) {
  const auto check = [](const Case<std::string>& text, size_t bytes_max) {
    ExpectAccepted<std::string>({text}, {"a", std::string(bytes_max, 'a'), "\xc3\xa9"});
    ExpectRefused<std::string>({text}, {std::string(bytes_max + 1, 'a')});
    ExpectRefused<std::string>({text}, {"", "a\n", "\x7f", std::string("a\0b", 3)});
  };
  check({"tenant_id", [](auto& policy, auto text) { policy.set_tenant_id(text); }}, 128);
  check({"constraints[1].constraint_id",
         [](auto& policy, auto text) { policy.mutable_constraints(1)->set_constraint_id(text); }},
        128);
  check({"constraints[1].categories[1]",
         [](auto& policy, auto text) { policy.mutable_constraints(1)->set_categories(1, text); }},
        64);
  check({"constraints[0].conditions.required_keywords[0]",
         [](auto& policy, auto text) {
           policy.mutable_constraints(0)->mutable_conditions()->set_required_keywords(0, text);
         }},
        256);
  check({"category_rules[1].patterns[0]",
         [](auto& policy, auto text) { policy.mutable_category_rules(1)->set_patterns(0, text); }},
        128);
  check({"category_rules[1].category",
         [](auto& policy, auto text) { policy.mutable_category_rules(1)->set_category(text); }},
        64);
  check({"default_category", [](auto& policy, auto text) { policy.set_default_category(text); }}, 64);
  check({"conflict_pairs[2].first", [](auto& policy, auto text) { policy.mutable_conflict_pairs(2)->set_first(text); }},
        128);
  check(
      {"conflict_pairs[2].second", [](auto& policy, auto text) { policy.mutable_conflict_pairs(2)->set_second(text); }},
      128);
}

TEST(ValidateTest, ProfileIsKnownOrEmpty) {
  const std::vector<Case<std::string>> profile = {
      {"profile", [](auto& policy, auto text) { policy.set_profile(text); }}};
  ExpectAccepted<std::string>(profile, {"", "reference", "tool_calling"});
  ExpectRefused<std::string>(profile, {"Reference", "other"});
}

TEST(ValidateTest, RatiosAreFrom0To1) {
  const std::vector<Case<double>> ratios = {
      {"tiers[1].lock_criteria.min_confidence",
       [](auto& policy, double value) { policy.mutable_tiers(1)->mutable_lock_criteria()->set_min_confidence(value); }},
      {"targets.success_rate", [](auto& policy, double value) { policy.mutable_targets()->set_success_rate(value); }},
      {"targets.efficiency_score",
       [](auto& policy, double value) { policy.mutable_targets()->set_efficiency_score(value); }},
      {"targets.market_impact", [](auto& policy, double value) { policy.mutable_targets()->set_market_impact(value); }},
      {"alert_thresholds.success_rate",
       [](auto& policy, double value) { policy.mutable_alert_thresholds()->set_success_rate(value); }},
      {"constraints[3].risk_threshold",
       [](auto& policy, double value) { policy.mutable_constraints(3)->set_risk_threshold(value); }},
      {"constraints[3].auto_approval_threshold",
       [](auto& policy, double value) { policy.mutable_constraints(3)->set_auto_approval_threshold(value); }},
      {"risk_defaults[0].risk_score",
       [](auto& policy, double value) { policy.mutable_risk_defaults(0)->set_risk_score(value); }},
      {"risk_defaults[0].impact_score",
       [](auto& policy, double value) { policy.mutable_risk_defaults(0)->set_impact_score(value); }},
  };
  ExpectAccepted<double>(ratios, {0, 0.5, 1});
  ExpectRefused<double>(ratios, {std::nextafter(0, -1), std::nextafter(1, 2), kNan, kInfinity, -kInfinity});
}

TEST(ValidateTest, ThresholdsOfTiersAreRatiosOrSeconds) {
  // Tier 3, where a lower ratio is not out of order.
  const std::vector<Case<double>> ratios = {
      {"tiers[2].thresholds.success_rate",
       [](auto& policy, double value) { policy.mutable_tiers(2)->mutable_thresholds()->set_success_rate(value); }},
      {"tiers[2].thresholds.efficiency_score",
       [](auto& policy, double value) { policy.mutable_tiers(2)->mutable_thresholds()->set_efficiency_score(value); }},
      {"tiers[2].thresholds.market_impact",
       [](auto& policy, double value) { policy.mutable_tiers(2)->mutable_thresholds()->set_market_impact(value); }},
  };
  ExpectAccepted<double>(ratios, {0, 0.2});
  ExpectRefused<double>(ratios, {-0.01, kNan, -kInfinity});
}

TEST(ValidateTest, SecondsAreAboveZeroAndFinite) {
  const std::vector<Case<double>> seconds = {
      {"targets.response_time", [](auto& policy, double value) { policy.mutable_targets()->set_response_time(value); }},
      {"alert_thresholds.response_time",
       [](auto& policy, double value) { policy.mutable_alert_thresholds()->set_response_time(value); }},
      {"tiers[0].thresholds.response_time",
       [](auto& policy, double value) { policy.mutable_tiers(0)->mutable_thresholds()->set_response_time(value); }},
  };
  ExpectAccepted<double>(seconds, {1e-9, 45});
  ExpectRefused<double>(seconds, {0, -1, kNan, -kInfinity});
  ExpectRefused<double>({seconds[0], seconds[1]}, {kInfinity});
}

TEST(ValidateTest, CountsHaveTheirRanges) {
  const std::vector<Case<int64_t>> thousands = {
      {"tiers[0].max_iterations",
       [](auto& policy, int64_t value) { policy.mutable_tiers(0)->set_max_iterations(static_cast<int32_t>(value)); }},
      {"tiers[2].lock_criteria.consecutive_failures",
       [](auto& policy, int64_t value) {
         policy.mutable_tiers(2)->mutable_lock_criteria()->set_consecutive_failures(static_cast<int32_t>(value));
       }},
  };
  ExpectAccepted<int64_t>(thousands, {1, 1000});
  ExpectRefused<int64_t>(thousands, {-1, 0, 1001});
  const std::vector<Case<int64_t>> limits = {
      {"constraints[0].daily_limit",
       [](auto& policy, int64_t value) { policy.mutable_constraints(0)->set_daily_limit(value); }},
      {"constraints[0].hourly_limit",
       [](auto& policy, int64_t value) { policy.mutable_constraints(0)->set_hourly_limit(value); }},
  };
  ExpectAccepted<int64_t>(limits, {0, 1, 10000});
  ExpectRefused<int64_t>(limits, {-1, 10001});
  const std::vector<Case<int64_t>> lengths = {
      {"constraints[0].conditions.max_content_length", [](auto& policy, int64_t value) {
         policy.mutable_constraints(0)->mutable_conditions()->set_max_content_length(value);
       }}};
  ExpectAccepted<int64_t>(lengths, {0, std::numeric_limits<int64_t>::max()});
  ExpectRefused<int64_t>(lengths, {-1});
}

TEST(ValidateTest, PatternRulesAreFrom1To10000) {
  const std::vector<Case<int64_t>> rules = {
      {"pattern_rules.similar_actions_max",
       [](auto& policy, int64_t value) { policy.mutable_pattern_rules()->set_similar_actions_max(value); }},
      {"pattern_rules.frequency_max",
       [](auto& policy, int64_t value) { policy.mutable_pattern_rules()->set_frequency_max(value); }},
      {"pattern_rules.category_hourly_max",
       [](auto& policy, int64_t value) { policy.mutable_pattern_rules()->set_category_hourly_max(value); }},
      {"pattern_rules.category_daily_max",
       [](auto& policy, int64_t value) { policy.mutable_pattern_rules()->set_category_daily_max(value); }},
      {"pattern_rules.repeated_call.max_calls",
       [](auto& policy, int64_t value) {
         policy.mutable_pattern_rules()->mutable_repeated_call()->set_max_calls(value);
       }},
      {"pattern_rules.call_rate.max_calls",
       [](auto& policy, int64_t value) {
         v1::RateRule& rule = *policy.mutable_pattern_rules()->mutable_call_rate();
         rule.set_max_calls(value);
         rule.mutable_window()->set_seconds(1);
       }},
  };
  ExpectAccepted<int64_t>(rules, {1, 10000});
  ExpectRefused<int64_t>(rules, {-1, 0, 10001});
}

TEST(ValidateTest, WindowsOfRatesAreAboveZeroAndAtMostADay) {
  const auto window = [](int64_t seconds, int32_t nanos) {
    return FieldsAfter([=](v1::PolicySet& policy) {
      auto& duration = *policy.mutable_pattern_rules()->mutable_repeated_call()->mutable_window();
      duration.set_seconds(seconds);
      duration.set_nanos(nanos);
    });
  };
  const std::string field = "pattern_rules.repeated_call.window";
  EXPECT_THAT(window(0, 1), IsEmpty());
  EXPECT_THAT(window(24 * 3600, 0), IsEmpty());
  EXPECT_THAT(window(0, 0), ElementsAre(field));
  EXPECT_THAT(window(-1, 0), ElementsAre(field));
  EXPECT_THAT(window(24 * 3600, 1), ElementsAre(field));
  EXPECT_THAT(window(1, -1), ElementsAre(field)) << "not a valid Duration";
  EXPECT_THAT(FieldsAfter([](auto& policy) { policy.mutable_pattern_rules()->mutable_call_rate()->set_max_calls(1); }),
              ElementsAre("pattern_rules.call_rate.window"));
}

TEST(ValidateTest, ReportAgeIsAboveZero) {
  const auto age = [](int64_t seconds, int32_t nanos) {
    return FieldsAfter([=](v1::PolicySet& policy) {
      policy.mutable_report_age_max()->set_seconds(seconds);
      policy.mutable_report_age_max()->set_nanos(nanos);
    });
  };
  EXPECT_THAT(age(0, 1), IsEmpty());
  EXPECT_THAT(age(0, 0), ElementsAre("report_age_max"));
  EXPECT_THAT(age(-1, 0), ElementsAre("report_age_max"));
  EXPECT_THAT(age(1, 2000000000), ElementsAre("report_age_max"));
}

TEST(ValidateTest, OptionalFieldsMayBeLeftOut) {
  EXPECT_THAT(FieldsAfter([](v1::PolicySet& policy) {
                policy.clear_constraints();
                policy.clear_category_rules();
                policy.clear_risk_defaults();
                policy.clear_conflict_pairs();
                policy.clear_pattern_rules();
                policy.clear_lock_rules();
                policy.clear_report_age_max();
              }),
              IsEmpty());
}

TEST(ValidateTest, LevelsAreRequired) {
  EXPECT_THAT(FieldsAfter([](auto& policy) { policy.clear_targets(); }), ElementsAre("targets.response_time"));
  EXPECT_THAT(FieldsAfter([](auto& policy) { policy.clear_alert_thresholds(); }),
              ElementsAre("alert_thresholds.response_time"));
}

TEST(ValidateTest, TiersAreExactlyOneTwoThree) {
  EXPECT_THAT(FieldsAfter([](auto& policy) { policy.clear_tiers(); }), ElementsAre("tiers"));
  EXPECT_THAT(FieldsAfter([](auto& policy) { policy.mutable_tiers()->RemoveLast(); }), ElementsAre("tiers"));
  EXPECT_THAT(FieldsAfter([](auto& policy) { *policy.add_tiers() = policy.tiers(2); }), ElementsAre("tiers"));
  EXPECT_THAT(FieldsAfter([](auto& policy) { policy.mutable_tiers(1)->set_tier(3); }), ElementsAre("tiers[1].tier"));
  EXPECT_THAT(FieldsAfter([](auto& policy) { policy.mutable_tiers(0)->set_tier(0); }), ElementsAre("tiers[0].tier"));
}

TEST(ValidateTest, TriggerMetricsAreKnownAndNotRepeated) {
  const auto with = [](int metric) {
    return FieldsAfter(
        [=](v1::PolicySet& policy) { policy.mutable_tiers(0)->add_trigger_metrics(static_cast<v1::Metric>(metric)); });
  };
  EXPECT_THAT(with(v1::METRIC_USER_SATISFACTION), IsEmpty());
  EXPECT_THAT(with(v1::METRIC_UNSPECIFIED), ElementsAre("tiers[0].trigger_metrics[3]"));
  EXPECT_THAT(with(99), ElementsAre("tiers[0].trigger_metrics[3]"));
  EXPECT_THAT(with(v1::METRIC_SUCCESS_RATE), ElementsAre("tiers[0].trigger_metrics[3]"));
}

TEST(ValidateTest, ThresholdOfAMetricThatTheTierDoesNotLookAtIsRefused) {
  EXPECT_THAT(FieldsAfter([](auto& policy) { policy.mutable_tiers(0)->mutable_thresholds()->set_market_impact(0.9); }),
              ElementsAre("tiers[0].thresholds.market_impact"));
  EXPECT_THAT(FieldsAfter([](auto& policy) { policy.mutable_tiers(2)->clear_trigger_metrics(); }),
              ElementsAre("tiers[2].thresholds.success_rate", "tiers[2].thresholds.efficiency_score",
                          "tiers[2].thresholds.response_time", "tiers[2].thresholds.market_impact"));
}

TEST(ValidateTest, WorseTiersAreAtLeastAsHardToReach) {
  const auto set = [](int tier, double success_rate, double response_time) {
    return [=](v1::PolicySet& policy) {
      v1::TierThresholds& thresholds = *policy.mutable_tiers(tier)->mutable_thresholds();
      thresholds.set_success_rate(success_rate);
      thresholds.set_response_time(response_time);
    };
  };
  EXPECT_THAT(FieldsAfter(set(1, 0.80, 45)), IsEmpty()) << "as hard as tier 1";
  EXPECT_THAT(FieldsAfter(set(1, 0.81, 45)), ElementsAre("tiers[1].thresholds.success_rate"));
  EXPECT_THAT(FieldsAfter(set(1, 0.80, 44.9)), ElementsAre("tiers[1].thresholds.response_time"));
  EXPECT_THAT(FieldsAfter(set(2, 0.71, 59)),
              ElementsAre("tiers[2].thresholds.success_rate", "tiers[2].thresholds.response_time"));
}

TEST(ValidateTest, ATierWithoutAThresholdIsSkippedInTheOrder) {
  EXPECT_THAT(FieldsAfter([](v1::PolicySet& policy) {
                policy.mutable_tiers(1)->mutable_thresholds()->clear_success_rate();
                policy.mutable_tiers(2)->mutable_thresholds()->set_success_rate(0.81);
              }),
              ElementsAre("tiers[2].thresholds.success_rate"));
}

TEST(ValidateTest, ListsHaveTheirLengths) {
  const auto grow = [](auto* list, int size) {
    while (list->size() < size) *list->Add() = list->Get(0);
  };
  EXPECT_THAT(FieldsAfter([&](auto& policy) { grow(policy.mutable_category_rules(), 1000); }), IsEmpty());
  EXPECT_THAT(FieldsAfter([&](auto& policy) { grow(policy.mutable_category_rules(), 1001); }),
              ElementsAre("category_rules"));
  EXPECT_THAT(FieldsAfter([&](auto& policy) { grow(policy.mutable_conflict_pairs(), 1000); }), IsEmpty());
  EXPECT_THAT(FieldsAfter([&](auto& policy) { grow(policy.mutable_conflict_pairs(), 1001); }),
              ElementsAre("conflict_pairs"));
  const auto constraints = [](int size) {
    return FieldsAfter([=](v1::PolicySet& policy) {
      for (int i = policy.constraints_size(); i < size; ++i) {
        *policy.add_constraints() = policy.constraints(0);
        policy.mutable_constraints(i)->set_constraint_id(absl::StrCat("constraint-", i));
      }
    });
  };
  EXPECT_THAT(constraints(1000), IsEmpty());
  EXPECT_THAT(constraints(1001), ElementsAre("constraints"));
  const auto defaults = [](int size) {
    return FieldsAfter([=](v1::PolicySet& policy) {
      for (int i = policy.risk_defaults_size(); i < size; ++i) {
        policy.add_risk_defaults()->set_category(absl::StrCat("category-", i));
      }
    });
  };
  EXPECT_THAT(defaults(1000), IsEmpty());
  EXPECT_THAT(defaults(1001), ElementsAre("risk_defaults"));
}

TEST(ValidateTest, InnerListsHaveTheirLengths) {
  const auto categories = [](int size) {
    return FieldsAfter([=](v1::PolicySet& policy) {
      v1::Constraint& constraint = *policy.mutable_constraints(0);
      constraint.clear_categories();
      for (int i = 0; i < size; ++i) constraint.add_categories("a");
    });
  };
  EXPECT_THAT(categories(100), IsEmpty());
  EXPECT_THAT(categories(0), ElementsAre("constraints[0].categories"));
  EXPECT_THAT(categories(101), ElementsAre("constraints[0].categories"));
  const auto patterns = [](int size) {
    return FieldsAfter([=](v1::PolicySet& policy) {
      policy.mutable_category_rules(0)->clear_patterns();
      for (int i = 0; i < size; ++i) policy.mutable_category_rules(0)->add_patterns("a");
    });
  };
  EXPECT_THAT(patterns(1000), IsEmpty());
  EXPECT_THAT(patterns(0), ElementsAre("category_rules[0].patterns"));
  EXPECT_THAT(patterns(1001), ElementsAre("category_rules[0].patterns"));
  const auto keywords = [](int size) {
    return FieldsAfter([=](v1::PolicySet& policy) {
      v1::ParameterConditions& conditions = *policy.mutable_constraints(0)->mutable_conditions();
      conditions.clear_required_keywords();
      for (int i = 0; i < size; ++i) conditions.add_required_keywords("a");
    });
  };
  EXPECT_THAT(keywords(0), IsEmpty());
  EXPECT_THAT(keywords(100), IsEmpty());
  EXPECT_THAT(keywords(101), ElementsAre("constraints[0].conditions.required_keywords"));
}

TEST(ValidateTest, ConstraintIdsAreUnique) {
  EXPECT_THAT(FieldsAfter([](auto& policy) {
                policy.mutable_constraints(4)->set_constraint_id(policy.constraints(1).constraint_id());
              }),
              ElementsAre("constraints[4].constraint_id"));
}

TEST(ValidateTest, ACategoryThatNoRuleGivesIsAccepted) {
  EXPECT_THAT(FieldsAfter([](v1::PolicySet& policy) {
                policy.mutable_constraints(0)->add_categories("named_by_the_agent");
                policy.add_risk_defaults()->set_category("named_by_the_agent");
              }),
              IsEmpty());
}

TEST(ValidateTest, CategoryRulesHaveAKnownMatch) {
  const auto match = [](int kind) {
    return FieldsAfter(
        [=](v1::PolicySet& policy) { policy.mutable_category_rules(0)->set_match(static_cast<v1::MatchKind>(kind)); });
  };
  EXPECT_THAT(match(v1::MATCH_KIND_EXACT), IsEmpty());
  EXPECT_THAT(match(v1::MATCH_KIND_UNSPECIFIED), ElementsAre("category_rules[0].match"));
  EXPECT_THAT(match(99), ElementsAre("category_rules[0].match"));
}

TEST(ValidateTest, ACategoryHasOneRiskDefault) {
  EXPECT_THAT(FieldsAfter([](auto& policy) { policy.add_risk_defaults(); }), ElementsAre("risk_defaults[1].category"));
  EXPECT_THAT(FieldsAfter([](auto& policy) { policy.mutable_risk_defaults(0)->set_category(std::string(65, 'a')); }),
              ElementsAre("risk_defaults[0].category"));
}

TEST(ValidateTest, ConflictPairsAreTwoTypesInLowerCase) {
  const auto pair = [](const std::string& first, const std::string& second) {
    return FieldsAfter([=](v1::PolicySet& policy) {
      policy.mutable_conflict_pairs(0)->set_first(first);
      policy.mutable_conflict_pairs(0)->set_second(second);
    });
  };
  EXPECT_THAT(pair("open", "close"), IsEmpty());
  EXPECT_THAT(pair("Open", "close"), ElementsAre("conflict_pairs[0].first"));
  EXPECT_THAT(pair("open", "closE"), ElementsAre("conflict_pairs[0].second"));
  EXPECT_THAT(pair("open", "open"), ElementsAre("conflict_pairs[0].second"));
}

TEST(ValidateTest, LockRulesAreOneACauseForATenantOrAnAgent) {
  const auto rule = [](int cause, int scope) {
    return FieldsAfter([=](v1::PolicySet& policy) {
      policy.mutable_lock_rules()->RemoveLast();
      v1::LockRule& added = *policy.add_lock_rules();
      added.set_cause(static_cast<v1::TripCause>(cause));
      added.set_scope(static_cast<v1::ScopeKind>(scope));
    });
  };
  const std::string cause = "lock_rules[1].cause";
  const std::string scope = "lock_rules[1].scope";
  EXPECT_THAT(rule(v1::TRIP_CAUSE_ARBITRATION, v1::SCOPE_KIND_TENANT), IsEmpty());
  EXPECT_THAT(rule(v1::TRIP_CAUSE_ARBITRATION, v1::SCOPE_KIND_AGENT), IsEmpty());
  for (const int refused :
       {v1::SCOPE_KIND_UNSPECIFIED, v1::SCOPE_KIND_FLEET, v1::SCOPE_KIND_CATEGORY, v1::SCOPE_KIND_RESOURCE}) {
    EXPECT_THAT(rule(v1::TRIP_CAUSE_ARBITRATION, refused), ElementsAre(scope));
  }
  EXPECT_THAT(rule(v1::TRIP_CAUSE_ARBITRATION, 99), ElementsAre(scope));
  EXPECT_THAT(rule(v1::TRIP_CAUSE_LOCK_CRITERIA, v1::SCOPE_KIND_AGENT), ElementsAre(cause));
  EXPECT_THAT(rule(v1::TRIP_CAUSE_UNSPECIFIED, v1::SCOPE_KIND_AGENT), ElementsAre(cause));
  EXPECT_THAT(rule(99, v1::SCOPE_KIND_AGENT), ElementsAre(cause));
}

TEST(ValidateTest, UnknownFieldsAreRefusedWhereTheyStand) {
  const auto add = [](google::protobuf::Message& message) {
    message.GetReflection()->MutableUnknownFields(&message)->AddVarint(1000, 1);
  };
  EXPECT_THAT(FieldsAfter([&](auto& policy) { add(policy); }), ElementsAre(""));
  EXPECT_THAT(FieldsAfter([&](auto& policy) { add(*policy.mutable_tiers(1)->mutable_thresholds()); }),
              ElementsAre("tiers[1].thresholds"));
  EXPECT_THAT(FieldsAfter([&](auto& policy) { add(*policy.mutable_constraints(4)); }), ElementsAre("constraints[4]"));
  EXPECT_THAT(FieldsAfter([&](auto& policy) { add(*policy.mutable_pattern_rules()); }), ElementsAre("pattern_rules"));
}

TEST(ValidateTest, EverythingWrongIsSaidAtOnce) {
  EXPECT_THAT(FieldsAfter([](v1::PolicySet& policy) {
                policy.clear_tenant_id();
                policy.mutable_tiers(0)->set_max_iterations(0);
                policy.mutable_targets()->set_success_rate(kNan);
                policy.clear_default_category();
              }),
              ElementsAre("tenant_id", "tiers[0].max_iterations", "targets.success_rate", "default_category"));
}

TEST(ValidateTest, NoMoreThanTheLimitIsSaid) {
  v1::PolicySet policy = MakePolicy();
  policy.clear_conflict_pairs();
  for (int i = 0; i < kPolicyViolationsMax / 2; ++i) policy.add_conflict_pairs()->set_first("a");
  policy.mutable_conflict_pairs(0)->set_second("b");
  EXPECT_EQ(Validate(policy).size(), static_cast<size_t>(kPolicyViolationsMax / 2 - 1));
  for (int i = 0; i < kPolicyViolationsMax; ++i) policy.add_conflict_pairs()->set_first("a");
  EXPECT_EQ(Validate(policy).size(), static_cast<size_t>(kPolicyViolationsMax));
}

}  // namespace
}  // namespace interlock::policy
