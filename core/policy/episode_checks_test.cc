#include "core/policy/episode_checks.h"

#include "absl/time/time.h"
#include "core/base/time.h"
#include "core/policy/refused_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::CommonCauseRule& SoundRule(v1::PolicySet& policy) {
  v1::CommonCauseRule& rule = *policy.mutable_common_cause_rule();
  rule.set_agents(3);
  *rule.mutable_window() = ToProto(absl::Minutes(10));
  return rule;
}

TEST(EpisodeChecksTest, HoldAndReopenWindowAreUpToADay) {
  EXPECT_THAT(Refused([](v1::PolicySet& policy) {
                *policy.mutable_episode_rule()->mutable_hold() = ToProto(absl::Nanoseconds(1));
                *policy.mutable_episode_rule()->mutable_reopen_window() = ToProto(absl::Hours(24));
              }),
              IsEmpty());
  EXPECT_THAT(Refused([](v1::PolicySet& policy) {
                policy.mutable_episode_rule()->mutable_hold();
                *policy.mutable_episode_rule()->mutable_reopen_window() =
                    ToProto(absl::Hours(24) + absl::Nanoseconds(1));
              }),
              ElementsAre("episode_rule.hold", "episode_rule.reopen_window"));
  EXPECT_THAT(
      Refused([](v1::PolicySet& policy) { policy.mutable_episode_rule()->mutable_hold()->set_nanos(2'000'000'000); }),
      ElementsAre("episode_rule.hold"));
}

TEST(EpisodeChecksTest, ACommonCauseNamesHowManyAndHowSoon) {
  EXPECT_THAT(Refused([](v1::PolicySet& policy) { SoundRule(policy).set_percent(100); }), IsEmpty());
  EXPECT_THAT(Refused([](v1::PolicySet& policy) { SoundRule(policy).set_agents(0); }),
              ElementsAre("common_cause_rule"));
  EXPECT_THAT(Refused([](v1::PolicySet& policy) { SoundRule(policy).set_agents(1); }),
              ElementsAre("common_cause_rule.agents"));
  EXPECT_THAT(Refused([](v1::PolicySet& policy) { SoundRule(policy).set_agents(10'001); }),
              ElementsAre("common_cause_rule.agents"));
  EXPECT_THAT(Refused([](v1::PolicySet& policy) { SoundRule(policy).set_percent(101); }),
              ElementsAre("common_cause_rule.percent"));
  EXPECT_THAT(Refused([](v1::PolicySet& policy) { SoundRule(policy).clear_window(); }),
              ElementsAre("common_cause_rule.window"));
}

TEST(EpisodeChecksTest, ACommonCauseLocksTheTenant) {
  const auto with_rule = [](v1::ScopeKind scope) {
    return Refused([scope](v1::PolicySet& policy) {
      v1::LockRule& rule = *policy.add_lock_rules();
      rule.set_cause(v1::TRIP_CAUSE_COMMON_CAUSE);
      rule.set_scope(scope);
    });
  };
  EXPECT_THAT(with_rule(v1::SCOPE_KIND_TENANT), IsEmpty());
  EXPECT_THAT(with_rule(v1::SCOPE_KIND_AGENT), ElementsAre("lock_rules[2].scope"));
}

}  // namespace
}  // namespace interlock::policy
