#include "core/base/error.h"

#include <string>

#include "gtest/gtest.h"

namespace interlock {
namespace {

template <typename Message>
Message Detail(const absl::Status& status, const std::string& name) {
  Message message;
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc." + name);
  EXPECT_TRUE(payload.has_value()) << name;
  EXPECT_TRUE(payload.has_value() && message.ParseFromString(std::string(*payload)));
  return message;
}

int CountDetails(const absl::Status& status) {
  int count = 0;
  status.ForEachPayload([&](absl::string_view, const absl::Cord&) { ++count; });
  return count;
}

TEST(ErrorTest, ErrorCarriesReasonDomainAndMetadata) {
  const absl::Status status = MakeError(absl::StatusCode::kOutOfRange, "SEQUENCE_EXPIRED", "resume later",
                                        {{"oldest_sequence", "7"}, {"lost_count", "3"}});
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(status.message(), "resume later");
  EXPECT_EQ(CountDetails(status), 1);
  const auto info = Detail<google::rpc::ErrorInfo>(status, "ErrorInfo");
  EXPECT_EQ(info.reason(), "SEQUENCE_EXPIRED");
  EXPECT_EQ(info.domain(), "interlock");
  ASSERT_EQ(info.metadata_size(), 2);
  EXPECT_EQ(info.metadata().at("oldest_sequence"), "7");
  EXPECT_EQ(info.metadata().at("lost_count"), "3");
}

TEST(ErrorTest, ReasonIsReadBack) {
  EXPECT_EQ(ErrorReason(MakeError(absl::StatusCode::kAborted, "ETAG_MISMATCH", "read it again")), "ETAG_MISMATCH");
}

TEST(ErrorTest, StatusWithoutReadableInfoHasNoReason) {
  EXPECT_EQ(ErrorReason(absl::OkStatus()), "");
  EXPECT_EQ(ErrorReason(absl::InternalError("plain")), "");
  absl::Status broken = absl::InternalError("broken");
  broken.SetPayload("type.googleapis.com/google.rpc.ErrorInfo", absl::Cord("\xff\xff"));
  EXPECT_EQ(ErrorReason(broken), "");
}

TEST(ErrorTest, OverloadSaysWhenToTryAgain) {
  const absl::Status status = MakeOverloadError("QUEUE_FULL", "the queue is full", absl::Milliseconds(1500));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "the queue is full");
  EXPECT_EQ(ErrorReason(status), "QUEUE_FULL");
  EXPECT_EQ(CountDetails(status), 2);
  const auto retry = Detail<google::rpc::RetryInfo>(status, "RetryInfo");
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500000000);
}

TEST(FieldViolationsTest, NoViolationIsOk) {
  const FieldViolations violations;
  EXPECT_TRUE(violations.empty());
  EXPECT_EQ(violations.ToStatus(), absl::OkStatus());
}

TEST(FieldViolationsTest, OneViolationIsTheMessage) {
  FieldViolations violations;
  violations.Add("action.risk_score", "must be finite");
  EXPECT_FALSE(violations.empty());
  const absl::Status status = violations.ToStatus();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "action.risk_score: must be finite");
  EXPECT_EQ(ErrorReason(status), "INVALID_FIELD");
}

TEST(FieldViolationsTest, AllViolationsAreInTheDetailsInOrder) {
  FieldViolations violations;
  violations.Add("tenant_id", "is required");
  violations.Add("agent_id", "is required");
  violations.Add("points", "at most 1000");
  const absl::Status status = violations.ToStatus();
  EXPECT_EQ(status.message(), "tenant_id: is required (and 2 more)");
  const auto bad_request = Detail<google::rpc::BadRequest>(status, "BadRequest");
  ASSERT_EQ(bad_request.field_violations_size(), 3);
  EXPECT_EQ(bad_request.field_violations(0).field(), "tenant_id");
  EXPECT_EQ(bad_request.field_violations(2).field(), "points");
  EXPECT_EQ(bad_request.field_violations(2).description(), "at most 1000");
  EXPECT_EQ(violations.bad_request().field_violations_size(), 3);
}

}  // namespace
}  // namespace interlock
