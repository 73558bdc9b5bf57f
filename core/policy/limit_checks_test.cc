// Through Validate: what is accepted and refused of limits, velocity rules and redacted keys.
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/policy/refused_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Limit& AddLimit(v1::PolicySet& policy, const std::string& id) {
  v1::Limit& limit = *policy.add_limits();
  limit.set_limit_id(id);
  limit.set_scope(v1::SCOPE_KIND_TENANT);
  limit.set_count(v1::LIMIT_COUNT_ALLOWED);
  limit.set_max_actions(5);
  *limit.mutable_window() = ToProto(absl::Hours(1));
  return limit;
}

v1::VelocityRule& AddVelocity(v1::PolicySet& policy) {
  v1::VelocityRule& rule = *policy.add_velocity_rules();
  rule.set_tier(2);
  rule.set_scope(v1::SCOPE_KIND_AGENT);
  rule.set_actions(15);
  *rule.mutable_window() = ToProto(absl::Minutes(10));
  return rule;
}

// What is wrong after `change` of a valid limit.
std::vector<std::string> ViolationsOf(const std::function<void(v1::Limit&)>& change) {
  return Refused([&change](v1::PolicySet& policy) { change(AddLimit(policy, "l")); });
}

std::vector<std::string> ViolationsOfVelocity(const std::function<void(v1::VelocityRule&)>& change) {
  return Refused([&change](v1::PolicySet& policy) { change(AddVelocity(policy)); });
}

TEST(LimitChecksTest, EveryScopeThatActionsShareIsAccepted) {
  v1::PolicySet policy = SoundPolicy();
  AddLimit(policy, "tenant");
  AddLimit(policy, "agent").set_scope(v1::SCOPE_KIND_AGENT);
  AddLimit(policy, "fleet").set_scope(v1::SCOPE_KIND_FLEET);
  v1::Limit& category = AddLimit(policy, "category");
  category.set_scope(v1::SCOPE_KIND_CATEGORY);
  category.add_categories("content_modification");
  category.set_count(v1::LIMIT_COUNT_ATTEMPTS);
  category.set_max_actions(kLimitMax);
  *category.mutable_window() = ToProto(absl::Hours(24));
  AddVelocity(policy);
  EXPECT_THAT(RefusedOf(policy), IsEmpty());
}

TEST(LimitChecksTest, WrongLimitIsNamedByItsField) {
  EXPECT_THAT(ViolationsOf([](v1::Limit& limit) { limit.clear_limit_id(); }), ElementsAre("limits[0].limit_id"));
  EXPECT_THAT(ViolationsOf([](v1::Limit& limit) { limit.set_scope(v1::SCOPE_KIND_RESOURCE); }),
              ElementsAre("limits[0].scope"));
  EXPECT_THAT(ViolationsOf([](v1::Limit& limit) { limit.set_scope(v1::SCOPE_KIND_UNSPECIFIED); }),
              ElementsAre("limits[0].scope"));
  EXPECT_THAT(ViolationsOf([](v1::Limit& limit) { limit.clear_count(); }), ElementsAre("limits[0].count"));
  EXPECT_THAT(ViolationsOf([](v1::Limit& limit) { limit.set_max_actions(0); }), ElementsAre("limits[0].max_actions"));
  EXPECT_THAT(ViolationsOf([](v1::Limit& limit) { limit.set_max_actions(kLimitMax + 1); }),
              ElementsAre("limits[0].max_actions"));
  EXPECT_THAT(ViolationsOf([](v1::Limit& limit) { limit.clear_window(); }), ElementsAre("limits[0].window"));
  EXPECT_THAT(ViolationsOf([](v1::Limit& limit) { limit.add_categories("c"); }), ElementsAre("limits[0].categories"))
      << "only a limit of categories names some";
}

TEST(LimitChecksTest, IdsAreUnique) {
  v1::PolicySet policy = SoundPolicy();
  AddLimit(policy, "l");
  AddLimit(policy, "l");
  EXPECT_THAT(RefusedOf(policy), ElementsAre("limits[1].limit_id"));
}

TEST(LimitChecksTest, ThereAreNotTooMany) {
  v1::PolicySet policy = SoundPolicy();
  for (int i = 0; i <= kLimitsMax; ++i) AddLimit(policy, absl::StrCat("l", i));
  EXPECT_THAT(RefusedOf(policy), ElementsAre("limits"));
}

TEST(LimitChecksTest, WrongVelocityRuleIsNamedByItsField) {
  EXPECT_THAT(ViolationsOfVelocity([](v1::VelocityRule& rule) { rule.set_tier(0); }),
              ElementsAre("velocity_rules[0].tier"));
  EXPECT_THAT(ViolationsOfVelocity([](v1::VelocityRule& rule) { rule.set_tier(4); }),
              ElementsAre("velocity_rules[0].tier"));
  EXPECT_THAT(ViolationsOfVelocity([](v1::VelocityRule& rule) { rule.set_scope(v1::SCOPE_KIND_FLEET); }),
              ElementsAre("velocity_rules[0].scope"));
  EXPECT_THAT(ViolationsOfVelocity([](v1::VelocityRule& rule) { rule.set_actions(0); }),
              ElementsAre("velocity_rules[0].actions"));
  EXPECT_THAT(ViolationsOfVelocity([](v1::VelocityRule& rule) { rule.clear_window(); }),
              ElementsAre("velocity_rules[0].window"));
}

TEST(LimitChecksTest, CountOfAConstraintMayBeLeftOut) {
  v1::PolicySet policy = SoundPolicy();
  policy.mutable_constraints(0)->set_limit_count(v1::LIMIT_COUNT_ALLOWED);
  EXPECT_THAT(RefusedOf(policy), IsEmpty());
  policy.mutable_constraints(0)->set_limit_count(static_cast<v1::LimitCount>(7));
  EXPECT_THAT(RefusedOf(policy), ElementsAre("constraints[0].limit_count"));
}

TEST(LimitChecksTest, ConditionsOnARedactedKeyAreRefused) {
  v1::PolicySet policy = SoundPolicy();
  policy.add_redacted_keys("password");
  policy.add_redacted_keys("content");
  EXPECT_THAT(RefusedOf(policy), IsEmpty()) << "no constraint looks at it";
  policy.mutable_constraints(0)->mutable_conditions()->set_max_content_length(10);
  EXPECT_THAT(RefusedOf(policy), ElementsAre("redacted_keys[1]"));
  policy.set_redacted_keys(0, "");
  EXPECT_THAT(RefusedOf(policy), ElementsAre("redacted_keys[0]", "redacted_keys[1]"));
}

}  // namespace
}  // namespace interlock::policy
