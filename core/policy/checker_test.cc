#include "core/policy/checker.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> FieldsOf(Checker& checker) {
  std::vector<std::string> fields;
  for (const v1::PolicyViolation& violation : checker.Take()) fields.push_back(violation.field());
  return fields;
}

TEST(CheckerTest, BoundsAreAccepted) {
  Checker checker;
  checker.CheckRatio("a", 0);
  checker.CheckRatio("b", 1);
  checker.CheckSeconds("c", 0.001);
  checker.CheckCount("d", 1, 1, 3);
  checker.CheckCount("e", 3, 1, 3);
  checker.CheckSize("f", 0, 0, 2);
  checker.CheckSize("g", 2, 0, 2);
  checker.CheckText("h", "ab", 2);
  checker.CheckLower("i", "a\xC3\x84", 3);
  checker.CheckWindow("j", ToProto(absl::Nanoseconds(1)));
  checker.CheckWindow("k", ToProto(absl::Hours(24)));
  EXPECT_THAT(FieldsOf(checker), IsEmpty());
}

TEST(CheckerTest, BeyondTheBoundsIsNot) {
  Checker checker;
  checker.CheckRatio("a", -0.001);
  checker.CheckRatio("b", std::numeric_limits<double>::quiet_NaN());
  checker.CheckSeconds("c", 0);
  checker.CheckSeconds("d", std::numeric_limits<double>::infinity());
  checker.CheckCount("e", 0, 1, 3);
  checker.CheckCount("f", 4, 1, 3);
  checker.CheckSize("g", 3, 0, 2);
  checker.CheckText("h", "", 2);
  checker.CheckText("i", "abc", 2);
  checker.CheckText("j", "a\n", 2);
  checker.CheckLower("k", "aB", 2);
  checker.CheckWindow("l", ToProto(absl::ZeroDuration()));
  checker.CheckWindow("m", ToProto(absl::Hours(24) + absl::Nanoseconds(1)));
  google::protobuf::Duration unreadable;
  unreadable.set_nanos(-1);
  unreadable.set_seconds(1);
  checker.CheckWindow("n", unreadable);
  EXPECT_THAT(FieldsOf(checker), ElementsAre("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"));
}

TEST(CheckerTest, StopsCollectingWhenThereAreEnough) {
  Checker checker;
  for (int i = 0; i < 2 * kPolicyViolationsMax; ++i) checker.Add(absl::StrCat("field", i), "is wrong");
  EXPECT_TRUE(checker.full());
  EXPECT_EQ(checker.Take().size(), static_cast<size_t>(kPolicyViolationsMax));
}

}  // namespace
}  // namespace interlock::policy
