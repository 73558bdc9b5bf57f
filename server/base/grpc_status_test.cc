#include "server/base/grpc_status.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "core/base/error.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace interlock::server {
namespace {

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

TEST(GrpcStatusTest, OkHasNeitherMessageNorDetails) {
  const grpc::Status status = ToGrpcStatus(absl::OkStatus());
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.error_message(), "");
  EXPECT_EQ(status.error_details(), "");
}

TEST(GrpcStatusTest, EveryCodeKeepsItsNameAndNumber) {
  const std::vector<std::pair<absl::StatusCode, grpc::StatusCode>> codes = {
      {absl::StatusCode::kCancelled, grpc::StatusCode::CANCELLED},
      {absl::StatusCode::kUnknown, grpc::StatusCode::UNKNOWN},
      {absl::StatusCode::kInvalidArgument, grpc::StatusCode::INVALID_ARGUMENT},
      {absl::StatusCode::kDeadlineExceeded, grpc::StatusCode::DEADLINE_EXCEEDED},
      {absl::StatusCode::kNotFound, grpc::StatusCode::NOT_FOUND},
      {absl::StatusCode::kAlreadyExists, grpc::StatusCode::ALREADY_EXISTS},
      {absl::StatusCode::kPermissionDenied, grpc::StatusCode::PERMISSION_DENIED},
      {absl::StatusCode::kResourceExhausted, grpc::StatusCode::RESOURCE_EXHAUSTED},
      {absl::StatusCode::kFailedPrecondition, grpc::StatusCode::FAILED_PRECONDITION},
      {absl::StatusCode::kAborted, grpc::StatusCode::ABORTED},
      {absl::StatusCode::kOutOfRange, grpc::StatusCode::OUT_OF_RANGE},
      {absl::StatusCode::kUnimplemented, grpc::StatusCode::UNIMPLEMENTED},
      {absl::StatusCode::kInternal, grpc::StatusCode::INTERNAL},
      {absl::StatusCode::kUnavailable, grpc::StatusCode::UNAVAILABLE},
      {absl::StatusCode::kDataLoss, grpc::StatusCode::DATA_LOSS},
      {absl::StatusCode::kUnauthenticated, grpc::StatusCode::UNAUTHENTICATED},
  };
  ASSERT_EQ(codes.size(), 16u);
  for (const auto& [from, to] : codes) {
    const grpc::Status status = ToGrpcStatus(absl::Status(from, "why"));
    EXPECT_EQ(status.error_code(), to);
    EXPECT_EQ(static_cast<int>(status.error_code()), static_cast<int>(from));
    EXPECT_EQ(status.error_message(), "why");
    EXPECT_EQ(status.error_details(), "");
  }
}

TEST(GrpcStatusTest, ErrorInfoReachesTheDetails) {
  const grpc::Status status =
      ToGrpcStatus(MakeError(absl::StatusCode::kAborted, "ETAG_MISMATCH", "read it again", {{"etag", "abc"}}));
  const google::rpc::Status details = DetailsOf(status);
  EXPECT_EQ(details.code(), 10);
  EXPECT_EQ(details.message(), "read it again");
  ASSERT_EQ(details.details_size(), 1);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "ETAG_MISMATCH");
  EXPECT_EQ(info.domain(), "interlock");
  EXPECT_EQ(info.metadata().at("etag"), "abc");
}

TEST(GrpcStatusTest, AllPayloadsAreSentInOneOrder) {
  for (int i = 0; i < 20; ++i) {
    const google::rpc::Status details =
        DetailsOf(ToGrpcStatus(MakeOverloadError("QUEUE_FULL", "wait", absl::Seconds(2))));
    ASSERT_EQ(details.details_size(), 2);
    EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
    google::rpc::RetryInfo retry;
    ASSERT_TRUE(details.details(1).UnpackTo(&retry));
    EXPECT_EQ(retry.retry_delay().seconds(), 2);
  }
}

TEST(GrpcStatusTest, PayloadBytesAreNotTouched) {
  absl::Status status(absl::StatusCode::kInternal, "odd");
  const std::string bytes("\0\xff\x01", 3);
  status.SetPayload("type.example/anything", absl::Cord(bytes));
  const google::rpc::Status details = DetailsOf(ToGrpcStatus(status));
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(), "type.example/anything");
  EXPECT_EQ(details.details(0).value(), bytes);
}

}  // namespace
}  // namespace interlock::server
