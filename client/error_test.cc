#include "client/error.h"

#include <gtest/gtest.h>

#include "client/testing/details.h"

namespace interlock::client {
namespace {

absl::Status Receive(const grpc::Status& status) {
  return StatusFromWire(status.error_code(), status.error_message(), status.error_details());
}

TEST(ErrorTest, EveryCodeOfGrpcIsTheSameCodeOfAbseil) {
  EXPECT_TRUE(StatusFromWire(0, "", "").ok());
  for (int code = 1; code <= 16; ++code) {
    EXPECT_EQ(static_cast<int>(StatusFromWire(code, "text", "").code()), code);
  }
}

TEST(ErrorTest, CodesThatGrpcDoesNotHaveAreUnknownAndNeverOk) {
  for (const int code : {-1, 17, 1000}) {
    EXPECT_EQ(StatusFromWire(code, "text", "").code(), absl::StatusCode::kUnknown) << code;
  }
}

TEST(ErrorTest, ReasonAndFactsOfErrorInfoAreRead) {
  const absl::Status status = Receive(WireError(grpc::StatusCode::OUT_OF_RANGE, "SEQUENCE_EXPIRED", "too old",
                                                {{"oldest_sequence", "40"}, {"lost_count", "30"}}));
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(status.message(), "too old");
  EXPECT_EQ(ErrorReason(status), "SEQUENCE_EXPIRED");
  EXPECT_EQ(ErrorMetadata(status, "oldest_sequence"), "40");
  EXPECT_EQ(ErrorMetadata(status, "head_sequence"), "");
  EXPECT_EQ(LostCount(status), 30);
}

TEST(ErrorTest, RefusedFieldsAreRead) {
  const google::rpc::BadRequest refused = FieldViolations(Receive(WireFieldError("action.risk_score", "must be 0..1")));
  ASSERT_EQ(refused.field_violations_size(), 1);
  EXPECT_EQ(refused.field_violations(0).field(), "action.risk_score");
  EXPECT_EQ(refused.field_violations(0).description(), "must be 0..1");
}

TEST(ErrorTest, RetryDelayIsRead) {
  EXPECT_EQ(RetryDelay(Receive(WireOverload(absl::Milliseconds(1500)))), absl::Milliseconds(1500));
}

TEST(ErrorTest, NegativeRetryDelayIsNoDelay) {
  EXPECT_EQ(RetryDelay(Receive(WireOverload(absl::Seconds(-3)))), absl::ZeroDuration());
}

TEST(ErrorTest, StatusWithoutDetailsHasNone) {
  const absl::Status status = StatusFromWire(14, "gone", "");
  EXPECT_EQ(ErrorReason(status), "");
  EXPECT_EQ(ErrorMetadata(status, "x"), "");
  EXPECT_TRUE(FieldViolations(status).field_violations().empty());
  EXPECT_FALSE(RetryDelay(status).has_value());
  EXPECT_FALSE(LostCount(status).has_value());
}

TEST(ErrorTest, DetailsThatDoNotDecodeLeaveCodeAndMessage) {
  const absl::Status status = StatusFromWire(9, "no", "\xff\xff\xff");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "no");
  EXPECT_EQ(ErrorReason(status), "");
}

}  // namespace
}  // namespace interlock::client
