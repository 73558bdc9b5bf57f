#include "core/base/time.h"

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"

namespace interlock {
namespace {

using google::protobuf::Duration;
using google::protobuf::Timestamp;

constexpr int64_t kTimestampSecondsMin = -62135596800;  // 0001-01-01T00:00:00Z
constexpr int64_t kTimestampSecondsMax = 253402300799;  // 9999-12-31T23:59:59Z
constexpr int64_t kDurationSecondsMax = 315576000000;   // 10,000 years

template <typename Message>
Message Make(int64_t seconds, int32_t nanos) {
  Message message;
  message.set_seconds(seconds);
  message.set_nanos(nanos);
  return message;
}

template <typename Message>
void ExpectIs(const Message& message, int64_t seconds, int32_t nanos) {
  EXPECT_EQ(message.seconds(), seconds);
  EXPECT_EQ(message.nanos(), nanos);
  EXPECT_TRUE(IsValid(message)) << message.ShortDebugString();
}

TEST(TimeTest, TimestampKeepsNanosecondsBothWays) {
  const absl::Time time = absl::FromUnixSeconds(1700000000) + absl::Nanoseconds(123456789);
  ExpectIs(ToProto(time), 1700000000, 123456789);
  EXPECT_EQ(FromProto(ToProto(time)), time);
  ExpectIs(ToProto(absl::UnixEpoch()), 0, 0);
}

// The nanoseconds of a timestamp count forward, also before 1970.
TEST(TimeTest, TimestampBeforeTheEpochHasPositiveNanoseconds) {
  const absl::Time time = absl::UnixEpoch() - absl::Nanoseconds(1);
  ExpectIs(ToProto(time), -1, 999999999);
  EXPECT_EQ(FromProto(ToProto(time)), time);
}

TEST(TimeTest, TimeWithinANanosecondIsCutOff) {
  ExpectIs(ToProto(absl::FromUnixSeconds(5) + absl::Nanoseconds(3) / 4), 5, 0);
}

TEST(TimeTest, TimestampSaturatesAtTheYears1And9999) {
  const absl::Time first = absl::FromUnixSeconds(kTimestampSecondsMin);
  const absl::Time last = absl::FromUnixSeconds(kTimestampSecondsMax) + absl::Nanoseconds(999999999);
  ExpectIs(ToProto(first), kTimestampSecondsMin, 0);
  ExpectIs(ToProto(first - absl::Nanoseconds(1)), kTimestampSecondsMin, 0);
  ExpectIs(ToProto(absl::InfinitePast()), kTimestampSecondsMin, 0);
  ExpectIs(ToProto(last), kTimestampSecondsMax, 999999999);
  ExpectIs(ToProto(last + absl::Nanoseconds(1)), kTimestampSecondsMax, 999999999);
  ExpectIs(ToProto(absl::InfiniteFuture()), kTimestampSecondsMax, 999999999);
}

TEST(TimeTest, DurationKeepsNanosecondsAndSign) {
  for (const auto& [duration, seconds, nanos] :
       std::vector<std::tuple<absl::Duration, int64_t, int32_t>>{{absl::ZeroDuration(), 0, 0},
                                                                 {absl::Milliseconds(1500), 1, 500000000},
                                                                 {absl::Nanoseconds(1), 0, 1},
                                                                 {-absl::Nanoseconds(1), 0, -1},
                                                                 {-absl::Milliseconds(1500), -1, -500000000},
                                                                 {absl::Hours(240000), 864000000, 0}}) {
    ExpectIs(ToProto(duration), seconds, nanos);
    EXPECT_EQ(FromProto(ToProto(duration)), duration);
  }
}

TEST(TimeTest, DurationSaturatesAtTenThousandYears) {
  ExpectIs(ToProto(absl::Seconds(kDurationSecondsMax)), kDurationSecondsMax, 0);
  ExpectIs(ToProto(absl::Seconds(kDurationSecondsMax + 1)), kDurationSecondsMax, 0);
  ExpectIs(ToProto(-absl::Seconds(kDurationSecondsMax + 1)), -kDurationSecondsMax, 0);
  ExpectIs(ToProto(absl::InfiniteDuration()), kDurationSecondsMax, 999999999);
  ExpectIs(ToProto(-absl::InfiniteDuration()), -kDurationSecondsMax, -999999999);
}

TEST(TimeTest, TimestampIsValidWithinItsRange) {
  EXPECT_TRUE(IsValid(Timestamp()));
  EXPECT_TRUE(IsValid(Make<Timestamp>(kTimestampSecondsMin, 0)));
  EXPECT_FALSE(IsValid(Make<Timestamp>(kTimestampSecondsMin - 1, 999999999)));
  EXPECT_TRUE(IsValid(Make<Timestamp>(kTimestampSecondsMax, 999999999)));
  EXPECT_FALSE(IsValid(Make<Timestamp>(kTimestampSecondsMax + 1, 0)));
  EXPECT_FALSE(IsValid(Make<Timestamp>(0, 1000000000)));
  EXPECT_FALSE(IsValid(Make<Timestamp>(0, -1)));
  EXPECT_FALSE(IsValid(Make<Timestamp>(INT64_MIN, INT32_MIN)));
}

TEST(TimeTest, DurationIsValidWithinItsRangeAndWithOneSign) {
  EXPECT_TRUE(IsValid(Duration()));
  EXPECT_TRUE(IsValid(Make<Duration>(kDurationSecondsMax, 999999999)));
  EXPECT_FALSE(IsValid(Make<Duration>(kDurationSecondsMax + 1, 0)));
  EXPECT_TRUE(IsValid(Make<Duration>(-kDurationSecondsMax, -999999999)));
  EXPECT_FALSE(IsValid(Make<Duration>(-kDurationSecondsMax - 1, 0)));
  EXPECT_FALSE(IsValid(Make<Duration>(0, 1000000000)));
  EXPECT_FALSE(IsValid(Make<Duration>(0, -1000000000)));
  EXPECT_TRUE(IsValid(Make<Duration>(0, -1)));
  EXPECT_TRUE(IsValid(Make<Duration>(0, 1)));
  EXPECT_FALSE(IsValid(Make<Duration>(1, -1)));
  EXPECT_FALSE(IsValid(Make<Duration>(-1, 1)));
  EXPECT_TRUE(IsValid(Make<Duration>(-1, -1)));
}

}  // namespace
}  // namespace interlock
