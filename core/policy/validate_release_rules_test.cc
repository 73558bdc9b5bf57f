#include <functional>
#include <string>
#include <vector>

#include "core/policy/profiles.h"
#include "core/policy/validate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> FieldsAfter(const std::function<void(v1::PolicySet&)>& change) {
  v1::PolicySet policy = *FindProfile("reference");
  policy.set_tenant_id("acme");
  change(policy);
  std::vector<std::string> fields;
  for (const v1::PolicyViolation& violation : Validate(policy)) fields.push_back(violation.field());
  return fields;
}

TEST(ValidateReleaseRulesTest, TheyAreOneAScopeWithAQuorumAndAProbationOfADayAtMost) {
  const auto rule = [](int scope, int quorum, int64_t probation_s) {
    return FieldsAfter([=](v1::PolicySet& policy) {
      v1::ReleaseRule& first = *policy.add_release_rules();
      first.set_scope(v1::SCOPE_KIND_TENANT);
      first.set_quorum(2);
      v1::ReleaseRule& added = *policy.add_release_rules();
      added.set_scope(static_cast<v1::ScopeKind>(scope));
      added.set_quorum(quorum);
      if (probation_s >= 0) added.mutable_probation()->set_seconds(probation_s);
    });
  };
  for (const int scope :
       {v1::SCOPE_KIND_FLEET, v1::SCOPE_KIND_CATEGORY, v1::SCOPE_KIND_AGENT, v1::SCOPE_KIND_RESOURCE}) {
    EXPECT_THAT(rule(scope, 1, -1), IsEmpty());
  }
  for (const int scope : {int{v1::SCOPE_KIND_UNSPECIFIED}, int{v1::SCOPE_KIND_TENANT}, 99}) {
    EXPECT_THAT(rule(scope, 1, -1), ElementsAre("release_rules[1].scope"));
  }
  EXPECT_THAT(rule(v1::SCOPE_KIND_AGENT, 10, 86400), IsEmpty());
  EXPECT_THAT(rule(v1::SCOPE_KIND_AGENT, 0, 1), ElementsAre("release_rules[1].quorum"));
  EXPECT_THAT(rule(v1::SCOPE_KIND_AGENT, 11, 1), ElementsAre("release_rules[1].quorum"));
  EXPECT_THAT(rule(v1::SCOPE_KIND_AGENT, 1, 0), ElementsAre("release_rules[1].probation"));
  EXPECT_THAT(rule(v1::SCOPE_KIND_AGENT, 1, 86401), ElementsAre("release_rules[1].probation"));
}

}  // namespace
}  // namespace interlock::policy
