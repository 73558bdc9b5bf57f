#include "core/schedule/failure_pattern.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/base/time.h"
#include "gtest/gtest.h"

namespace interlock::schedule {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

v1::FailurePattern Fail(v1::TaskRecord& record, absl::Time now, const std::string& error = "e") {
  return CountFailure(v1::FAILURE_REASON_NETWORK_ERROR, error, now, record);
}

v1::FailurePattern Pattern(int consecutive, int recent) {
  v1::FailurePattern pattern;
  pattern.set_consecutive_failures(consecutive);
  pattern.set_recent_failures(recent);
  return pattern;
}

std::vector<std::string> Errors(const v1::FailurePattern& pattern) {
  return {pattern.error_patterns().begin(), pattern.error_patterns().end()};
}

TEST(ShouldCoolOffTest, ThreeInARowOrFiveInAWeek) {
  EXPECT_FALSE(ShouldCoolOff(Pattern(0, 0)));
  EXPECT_FALSE(ShouldCoolOff(Pattern(2, 4)));
  EXPECT_TRUE(ShouldCoolOff(Pattern(3, 3)));
  EXPECT_TRUE(ShouldCoolOff(Pattern(1, 5)));
}

TEST(CountFailureTest, CountsInTheRecordAndDescribesIt) {
  v1::TaskRecord record;
  const v1::FailurePattern pattern = CountFailure(v1::FAILURE_REASON_AUTH_ERROR, "refused", kNow, record);
  EXPECT_EQ(pattern.consecutive_failures(), 1);
  EXPECT_EQ(pattern.recent_failures(), 1);
  EXPECT_EQ(pattern.failure_reason(), v1::FAILURE_REASON_AUTH_ERROR);
  EXPECT_EQ(FromProto(pattern.cool_off_end_time()), kNow + absl::Hours(7 * 24));
  EXPECT_EQ(Errors(pattern), std::vector<std::string>{"refused"});
  EXPECT_EQ(record.task().consecutive_failures(), 1);
  ASSERT_EQ(record.failure_times_size(), 1);
  EXPECT_EQ(FromProto(record.failure_times(0)), kNow);
}

TEST(CountFailureTest, TheReasonIsThatOfTheNewestFailure) {
  v1::TaskRecord record;
  CountFailure(v1::FAILURE_REASON_AUTH_ERROR, "429 rate limit", kNow, record);
  EXPECT_EQ(CountFailure(v1::FAILURE_REASON_CONFIG_ERROR, "429 rate limit", kNow, record).failure_reason(),
            v1::FAILURE_REASON_CONFIG_ERROR);
}

TEST(CountFailureTest, AFailureExactlySevenDaysOldDoesNotCount) {
  v1::TaskRecord record;
  Fail(record, kNow);
  v1::TaskRecord a_moment_younger = record;
  EXPECT_EQ(Fail(a_moment_younger, kNow + kFailureWindow - absl::Nanoseconds(1)).recent_failures(), 2);
  EXPECT_EQ(Fail(record, kNow + kFailureWindow).recent_failures(), 1);
  EXPECT_EQ(record.failure_times_size(), 1);
  EXPECT_EQ(record.task().consecutive_failures(), 2) << "a streak has no age";
}

TEST(CountFailureTest, ErrorsAreTheThreeNewestDistinctOnes) {
  v1::TaskRecord record;
  Fail(record, kNow, "a");
  Fail(record, kNow, "b");
  EXPECT_EQ(Errors(Fail(record, kNow, "a")), (std::vector<std::string>{"a", "b"}));
  Fail(record, kNow, "c");
  EXPECT_EQ(Errors(Fail(record, kNow, "d")), (std::vector<std::string>{"d", "c", "a"}));
}

TEST(CountFailureTest, ErrorsAreStrippedAndCutToAHundredBytes) {
  v1::TaskRecord record;
  EXPECT_EQ(Errors(Fail(record, kNow, "  " + std::string(101, 'x') + "\n")),
            std::vector<std::string>{std::string(100, 'x')});
  EXPECT_EQ(Errors(Fail(record, kNow, std::string(100, 'x'))).size(), 1u) << "the same first 100 bytes";
  EXPECT_EQ(Errors(Fail(record, kNow, " ")).size(), 1u) << "an empty error says nothing";
}

TEST(CountFailureTest, ErrorsAreForgottenWithTheLastOfTheirFailures) {
  v1::TaskRecord record;
  Fail(record, kNow, "a");
  Fail(record, kNow + absl::Hours(1), "b");
  v1::TaskRecord later = record;
  EXPECT_EQ(Errors(Fail(later, kNow + kFailureWindow, "c")), (std::vector<std::string>{"c", "b", "a"}));
  EXPECT_EQ(Errors(Fail(record, kNow + kFailureWindow + absl::Hours(1), "c")), std::vector<std::string>{"c"});
}

TEST(ForgetFailuresTest, NothingIsLeft) {
  v1::TaskRecord record;
  *record.mutable_task()->mutable_failure_pattern() = Fail(record, kNow);
  ForgetFailures(record);
  EXPECT_EQ(record.task().consecutive_failures(), 0);
  EXPECT_FALSE(record.task().has_failure_pattern());
  EXPECT_EQ(record.failure_times_size(), 0);
  EXPECT_EQ(record.error_patterns_size(), 0);
}

}  // namespace
}  // namespace interlock::schedule
