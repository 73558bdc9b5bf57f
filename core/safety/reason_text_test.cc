#include "core/safety/reason_text.h"

#include <gtest/gtest.h>

#include <string>

namespace interlock::safety {
namespace {

// Stored decisions depend on every line.
TEST(ReasonTextTest, TextsAreThoseThatStoredDecisionsLeaveOut) {
  std::string texts;
  for (int code = v1::ReasonCode_MIN; code <= v1::ReasonCode_MAX; ++code) {
    const absl::string_view text = FixedText(static_cast<v1::ReasonCode>(code));
    if (!text.empty()) texts += std::to_string(code) + " " + std::string(text) + "\n";
  }
  EXPECT_EQ(texts,
            "1 No policy violations detected\n"
            "2 Safety policy violation or approval requirement triggered\n"
            "4 Autonomous modifications blocked while lock state is active\n"
            "5 Existing lock state is active\n"
            "6 Tier 3 systemic anomaly or critical risk detected\n"
            "11 Content does not contain required keywords\n"
            "15 Suspicious pattern: Unusually high action frequency\n"
            "17 Action requires manual approval due to safety constraints\n"
            "25 Approved by people\n"
            "30 Actions of this type cannot be undone\n");
}

TEST(ReasonTextTest, CodesOfOtherVersionsHaveNone) { EXPECT_EQ(FixedText(static_cast<v1::ReasonCode>(1000)), ""); }

}  // namespace
}  // namespace interlock::safety
