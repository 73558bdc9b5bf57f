// What must hold for every action, whatever the policy, the history and the locks are.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/safety/driver_testing.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

constexpr int kCategories = 3;
constexpr int kTypes = 4;

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  int Below(int end) { return static_cast<int>(random_() % static_cast<unsigned>(end)); }
  bool OneIn(int n) { return Below(n) == 0; }
  double Score() { return Below(21) / 20.0; }
  absl::Duration Step() {
    const absl::Duration steps[] = {absl::ZeroDuration(), absl::Seconds(1), absl::Minutes(5), absl::Hours(1),
                                    absl::Hours(24)};
    return steps[OneIn(20) ? 4 : Below(4)];
  }

  v1::Constraint Constraint(int number) {
    v1::Constraint constraint;
    constraint.set_constraint_id(absl::StrCat("c", number));
    constraint.add_categories(absl::StrCat("category", Below(kCategories)));
    if (OneIn(2)) constraint.add_categories(absl::StrCat("category", Below(kCategories)));
    constraint.set_risk_threshold(Score());
    constraint.set_approval_required(OneIn(8));
    if (OneIn(2)) constraint.set_auto_approval_threshold(Score());
    if (OneIn(2)) constraint.set_daily_limit(1 + Below(30));
    if (OneIn(2)) constraint.set_hourly_limit(1 + Below(10));
    if (OneIn(4)) constraint.mutable_conditions()->set_max_content_length(1 + Below(4));
    if (OneIn(4)) constraint.mutable_conditions()->add_required_keywords("b");
    return constraint;
  }

  v1::PolicySet Policy() {
    v1::PolicySet policy = OpenPolicy();
    for (int type = 0; type < kTypes; ++type) {
      v1::CategoryRule& rule = *policy.add_category_rules();
      rule.set_match(v1::MATCH_KIND_EXACT);
      rule.add_patterns(absl::StrCat("type", type));
      rule.set_category(absl::StrCat("category", type % kCategories));
    }
    for (int i = Below(4); i > 0; --i) *policy.add_constraints() = Constraint(i);
    v1::PatternRules& rules = *policy.mutable_pattern_rules();
    if (OneIn(2)) rules.set_similar_actions_max(1 + Below(10));
    if (OneIn(3)) rules.set_frequency_max(1 + Below(50));
    if (OneIn(3)) rules.set_category_hourly_max(1 + Below(10));
    if (OneIn(3)) rules.set_category_daily_max(1 + Below(20));
    if (OneIn(3)) SetRate(*rules.mutable_repeated_call());
    if (OneIn(3)) SetRate(*rules.mutable_call_rate());
    if (OneIn(2)) {
      v1::ConflictPair& pair = *policy.add_conflict_pairs();
      pair.set_first("type0");
      pair.set_second("type1");
    }
    if (OneIn(2)) {
      v1::LockRule& rule = *policy.add_lock_rules();
      rule.set_cause(v1::TRIP_CAUSE_ARBITRATION);
      rule.set_scope(OneIn(2) ? v1::SCOPE_KIND_TENANT : v1::SCOPE_KIND_AGENT);
    }
    if (OneIn(5)) *policy.mutable_report_age_max() = ToProto(absl::Hours(2));
    return policy;
  }

  v1::Action Action() {
    v1::Action action = MakeAction(absl::StrCat(OneIn(3) ? "Type" : "type", Below(kTypes)));
    action.set_agent_id(absl::StrCat("agent", Below(2)));
    if (OneIn(3)) action.set_risk_score(Score());
    if (OneIn(3)) action.set_impact_score(Score());
    if (OneIn(4)) action.set_recommended_tier(OneIn(6) ? 3 : Below(3));
    if (OneIn(4)) action.set_autonomous_modification(OneIn(2));
    if (OneIn(4)) action.set_category(absl::StrCat("category", Below(kCategories)));
    if (OneIn(3)) action.set_target_resource("r");
    return OneIn(3) ? WithContent(action, OneIn(2) ? "abc" : "cd") : action;
  }

 private:
  void SetRate(v1::RateRule& rate) {
    rate.set_max_calls(1 + Below(6));
    *rate.mutable_window() = ToProto(absl::Minutes(1 + Below(120)));
  }

  std::mt19937 random_;
};

// How strict a verdict is.
int Strictness(const v1::Decision& decision) { return static_cast<int>(decision.verdict()); }

TEST(ArbitratePropertyTest, AddingAConstraintOrALimitNeverWeakensAVerdict) {
  int weaker_possible = 0;
  for (unsigned seed = 0; seed < 150; ++seed) {
    Generator generator(seed);
    TestDriver driver(generator.Policy());
    v1::PolicySet stricter = driver.policy->policy();
    if (seed % 3 != 0) *stricter.add_constraints() = generator.Constraint(9);
    if (seed % 3 != 1) {
      v1::Limit& limit = *stricter.add_limits();
      limit.set_limit_id("l");
      limit.set_scope(seed % 2 == 0 ? v1::SCOPE_KIND_TENANT : v1::SCOPE_KIND_AGENT);
      limit.set_count(v1::LIMIT_COUNT_ALLOWED);
      limit.set_max_actions(3);
      *limit.mutable_window() = ToProto(absl::Minutes(10));
    }
    const CompiledPolicy stricter_policy(stricter);
    for (int step = 0; step < 60; ++step) {
      driver.Advance(generator.Step());
      const v1::Action action = generator.Action();
      const v1::Decision strict =
          Evaluate(stricter_policy,
                   {driver.history, driver.fleet, driver.locks, driver.approvals, driver.agent, driver.checkpoint},
                   action, "", driver.now)
              .decision;
      const v1::Decision decision = driver.Decide(action);
      ASSERT_GE(Strictness(strict), Strictness(decision)) << "seed " << seed << " step " << step;
      ASSERT_LE(strict.confidence(), decision.confidence());
      weaker_possible += Strictness(strict) > Strictness(decision) ? 1 : 0;
    }
  }
  EXPECT_GT(weaker_possible, 100) << "what was added made no difference";
}

TEST(ArbitratePropertyTest, VerdictFollowsFromItsReasons) {
  for (unsigned seed = 1000; seed < 1150; ++seed) {
    Generator generator(seed);
    TestDriver driver(generator.Policy());
    for (int step = 0; step < 60; ++step) {
      driver.Advance(generator.Step());
      const v1::Action action = generator.Action();
      const bool locked = !driver.Explain(action).decision.lock_ids().empty();
      const v1::Decision decision = driver.Decide(action);
      SCOPED_TRACE(absl::StrCat("seed ", seed, " step ", step, ": ", decision.ShortDebugString()));
      ASSERT_GE(decision.reasons_size(), 1);
      const bool violated = std::any_of(decision.reasons().begin(), decision.reasons().end(),
                                        [](const v1::Reason& reason) { return reason.violation(); });
      if (decision.verdict() == v1::VERDICT_ALLOW) {
        ASSERT_FALSE(violated);
        ASSERT_FALSE(decision.requires_approval());
        ASSERT_FALSE(decision.lock_active());
        ASSERT_EQ(decision.confidence(), 1.0);
        ASSERT_EQ(decision.reasons_size(), 1);
      }
      ASSERT_TRUE(!locked || decision.verdict() == v1::VERDICT_LOCK);
      ASSERT_EQ(decision.verdict() == v1::VERDICT_LOCK, decision.lock_active());
      ASSERT_EQ(decision.lock_active(), !decision.lock_ids().empty());
      ASSERT_FALSE(decision.reasons(0).violation());
      bool only_advice_left = false;
      for (int i = 1; i < decision.reasons_size(); ++i) {
        const v1::Reason& reason = decision.reasons(i);
        ASSERT_NE(reason.code(), v1::REASON_CODE_UNSPECIFIED);
        ASSERT_NE(reason.recovery_class(), v1::RECOVERY_CLASS_UNSPECIFIED);
        ASSERT_FALSE(reason.text().empty());
        ASSERT_FALSE(reason.violation() && only_advice_left) << "a violation after what is none";
        only_advice_left = !reason.violation();
      }
    }
  }
}

TEST(ArbitratePropertyTest, EvaluationIsPureAndRepeatable) {
  for (unsigned seed = 2000; seed < 2060; ++seed) {
    Generator generator(seed);
    TestDriver driver(generator.Policy());
    for (int step = 0; step < 60; ++step) {
      driver.Advance(generator.Step());
      const v1::Action action = generator.Action();
      const std::string first = Serialize(driver.Explain(action).decision);
      const TestDriver copy = driver;
      ASSERT_EQ(Serialize(driver.Explain(action).decision), first);
      driver.Decide(action);
      ASSERT_EQ(Serialize(copy.Explain(action).decision), first) << "a copy stays as it was";
    }
  }
}

TEST(ArbitratePropertyTest, ReloadedHistoryDecidesAlike) {
  for (unsigned seed = 3000; seed < 3060; ++seed) {
    Generator generator(seed);
    TestDriver driver(generator.Policy());
    for (int step = 0; step < 80; ++step) {
      driver.Advance(generator.Step());
      driver.Decide(generator.Action());
      if (step % 8 != 0) continue;
      size_t first = driver.decisions.size();
      while (first > 0 && IsRecent(driver.decisions[first - 1], driver.now)) --first;
      TestDriver reloaded = driver;
      reloaded.history = AttemptHistory();
      for (size_t i = first; i < driver.decisions.size(); ++i) reloaded.history.Record(AttemptOf(driver.decisions[i]));
      for (int probe = 0; probe < 10; ++probe) {
        const v1::Action action = generator.Action();
        ASSERT_EQ(Serialize(reloaded.Explain(action).decision), Serialize(driver.Explain(action).decision))
            << "seed " << seed << " step " << step;
      }
    }
  }
}

TEST(ArbitratePropertyTest, HourlyLimitIsNeverExceededInAnyWindow) {
  constexpr int64_t kLimit = 5;
  for (unsigned seed = 4000; seed < 4040; ++seed) {
    Generator generator(seed);
    v1::PolicySet policy = OpenPolicy();
    v1::Constraint& constraint = *policy.add_constraints();
    constraint.set_constraint_id("c");
    constraint.add_categories("general");
    constraint.set_risk_threshold(0.8);
    constraint.set_hourly_limit(kLimit);
    TestDriver driver(policy);
    std::vector<absl::Time> allowed;
    for (int step = 0; step < 300; ++step) {
      driver.Advance(generator.Step());
      if (driver.Decide(MakeAction("x")).verdict() == v1::VERDICT_ALLOW) allowed.push_back(driver.now);
    }
    ASSERT_GT(allowed.size(), static_cast<size_t>(kLimit));
    for (size_t i = kLimit; i < allowed.size(); ++i) ASSERT_GE(allowed[i] - allowed[i - kLimit], absl::Hours(1));
  }
}

}  // namespace
}  // namespace interlock::safety
