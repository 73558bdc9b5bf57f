// Converts between absl time and the well-known protobuf types. Times are kept to the nanosecond.
#pragma once

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace interlock {

// REQUIRES: the argument is valid (see IsValid); times outside 0001..9999 saturate.
absl::Time FromProto(const google::protobuf::Timestamp& timestamp);
absl::Duration FromProto(const google::protobuf::Duration& duration);
google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);

// Whether it lies within what protobuf defines: 0001-01-01 to 9999-12-31 and +-10,000 years, nanos in range.
bool IsValid(const google::protobuf::Timestamp& timestamp);
bool IsValid(const google::protobuf::Duration& duration);

}  // namespace interlock
