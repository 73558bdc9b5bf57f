#include "core/base/time.h"

#include <algorithm>
#include <cstdint>

namespace interlock {
namespace {

// google/protobuf/timestamp.proto and duration.proto state these ranges.
constexpr int64_t kTimestampSecondsMin = -62135596800;
constexpr int64_t kTimestampSecondsMax = 253402300799;
constexpr int64_t kDurationSecondsMax = 315576000000;
constexpr int32_t kNanosMax = 999999999;

}  // namespace

absl::Time FromProto(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t seconds = std::clamp(absl::ToUnixSeconds(time), kTimestampSecondsMin, kTimestampSecondsMax);
  timestamp.set_seconds(seconds);
  const int64_t nanos = absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds));
  timestamp.set_nanos(static_cast<int32_t>(std::clamp<int64_t>(nanos, 0, kNanosMax)));
  return timestamp;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  absl::Duration rest = duration;
  const int64_t seconds = absl::IDivDuration(rest, absl::Seconds(1), &rest);
  proto.set_seconds(std::clamp(seconds, -kDurationSecondsMax, kDurationSecondsMax));
  proto.set_nanos(static_cast<int32_t>(std::clamp<int64_t>(absl::ToInt64Nanoseconds(rest), -kNanosMax, kNanosMax)));
  return proto;
}

bool IsValid(const google::protobuf::Timestamp& timestamp) {
  return timestamp.seconds() >= kTimestampSecondsMin && timestamp.seconds() <= kTimestampSecondsMax &&
         timestamp.nanos() >= 0 && timestamp.nanos() <= kNanosMax;
}

bool IsValid(const google::protobuf::Duration& duration) {
  const bool same_sign =
      duration.seconds() == 0 || duration.nanos() == 0 || (duration.seconds() < 0) == (duration.nanos() < 0);
  return same_sign && duration.seconds() >= -kDurationSecondsMax && duration.seconds() <= kDurationSecondsMax &&
         duration.nanos() >= -kNanosMax && duration.nanos() <= kNanosMax;
}

}  // namespace interlock
