// What is refused in rules for approvals.
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/policy/refused_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ValidateApprovalsTest, TheQuorumIsOneToTen) {
  for (const int quorum : {0, 1, 10}) {
    EXPECT_THAT(Refused([quorum](v1::PolicySet& p) { p.mutable_approval_rule()->set_quorum(quorum); }), IsEmpty());
  }
  for (const int quorum : {-1, 11}) {
    EXPECT_THAT(Refused([quorum](v1::PolicySet& p) { p.mutable_approval_rule()->set_quorum(quorum); }),
                ElementsAre("approval_rule.quorum"));
  }
}

TEST(ValidateApprovalsTest, TheValidityIsAboveZeroAndAtMostADay) {
  const auto with = [](absl::Duration validity) {
    return [validity](v1::PolicySet& p) { *p.mutable_approval_rule()->mutable_validity() = ToProto(validity); };
  };
  EXPECT_THAT(Refused(with(absl::Nanoseconds(1))), IsEmpty());
  EXPECT_THAT(Refused(with(absl::Hours(24))), IsEmpty());
  for (const absl::Duration validity :
       {absl::ZeroDuration(), absl::Nanoseconds(-1), absl::Hours(24) + absl::Nanoseconds(1)}) {
    EXPECT_THAT(Refused(with(validity)), ElementsAre("approval_rule.validity"));
  }
}

TEST(ValidateApprovalsTest, SafeRemediationsAreTypesInLowerCase) {
  EXPECT_THAT(Refused([](v1::PolicySet& p) { p.add_safe_remediations("restart"); }), IsEmpty());
  for (const std::string& type : {std::string(), std::string("Restart"), std::string("a\nb"), std::string(129, 'a')}) {
    EXPECT_THAT(Refused([&type](v1::PolicySet& p) { p.add_safe_remediations(type); }),
                ElementsAre("safe_remediations[0]"));
  }
}

}  // namespace
}  // namespace interlock::policy
