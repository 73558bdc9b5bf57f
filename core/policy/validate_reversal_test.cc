// What is refused in the lists of actions that can be undone and that cannot.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "core/policy/refused_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ValidateReversalTest, TypesAreNamesInLowerCase) {
  EXPECT_THAT(Refused([](v1::PolicySet& p) {
                p.add_reversible_actions("deploy");
                p.add_irreversible_actions("pay");
              }),
              IsEmpty());
  EXPECT_THAT(Refused([](v1::PolicySet& p) {
                p.add_reversible_actions("deploy");
                p.add_reversible_actions("");
                p.add_reversible_actions("Deploy");
                p.add_irreversible_actions("PAY");
                p.add_irreversible_actions(std::string(129, 'p'));
              }),
              ElementsAre("reversible_actions[1]", "reversible_actions[2]", "irreversible_actions[0]",
                          "irreversible_actions[1]"));
}

TEST(ValidateReversalTest, NoTypeIsBoth) {
  EXPECT_THAT(Refused([](v1::PolicySet& p) {
                p.add_reversible_actions("deploy");
                p.add_irreversible_actions("pay");
                p.add_irreversible_actions("deploy");
              }),
              ElementsAre("irreversible_actions[1]"));
}

TEST(ValidateReversalTest, ListsHaveAnEnd) {
  const auto with = [](int count) {
    return [count](v1::PolicySet& p) {
      for (int i = 0; i < count; ++i) {
        p.add_reversible_actions(absl::StrCat("do_", i));
        p.add_irreversible_actions(absl::StrCat("pay_", i));
      }
    };
  };
  EXPECT_THAT(Refused(with(kPolicyItemsMax)), IsEmpty());
  EXPECT_THAT(Refused(with(kPolicyItemsMax + 1)), ElementsAre("reversible_actions", "irreversible_actions"));
}

}  // namespace
}  // namespace interlock::policy
