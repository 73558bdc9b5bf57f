#include "client/cli/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/error.h"
#include "client/testing/details.h"

namespace interlock::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

absl::Status Receive(const grpc::Status& status) {
  return client::StatusFromWire(status.error_code(), status.error_message(), status.error_details());
}

TEST(FailureTest, ExitCodesTellNoAnswerFromErrorAndUsage) {
  EXPECT_EQ(ExitCodeOf(UsageError("x")), kExitUsage);
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "x");
    const bool answered = !absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status) &&
                          !absl::IsResourceExhausted(status) && !absl::IsInternal(status);
    EXPECT_EQ(ExitCodeOf(status), answered ? kExitError : kExitNoAnswer) << status;
  }
}

TEST(FailureTest, UnreachableServerSaysHowToStartOne) {
  const std::string text = DescribeFailure(absl::UnavailableError("connection refused"), "127.0.0.1:7420");
  EXPECT_THAT(text, HasSubstr("error: UNAVAILABLE: connection refused\n"));
  EXPECT_THAT(text, HasSubstr("hint: no server answers at 127.0.0.1:7420; start one with "
                              "`interlockd`"));
}

TEST(FailureTest, ReasonDecidesTheHint) {
  const std::string text =
      DescribeFailure(Receive(client::WireError(grpc::StatusCode::ABORTED, "LOCK_VERSION_MISMATCH", "version 3")), "a");
  EXPECT_THAT(text, HasSubstr("error: ABORTED LOCK_VERSION_MISMATCH: version 3\n"));
  EXPECT_THAT(text, HasSubstr("interlockctl lock get"));
}

TEST(FailureTest, EveryRefusedFieldIsShown) {
  EXPECT_EQ(DescribeFailure(Receive(client::WireFieldError("action.tenant_id", "is required")), "a"),
            "error: INVALID_ARGUMENT INVALID_FIELD: the request was refused\n"
            "  action.tenant_id: is required\n");
}

TEST(FailureTest, ErrorsWithoutAnythingToDoHaveNoHint) {
  EXPECT_THAT(DescribeFailure(absl::NotFoundError("no such lock"), "a"), Not(HasSubstr("hint")));
}

TEST(FailureTest, TextOfOthersCannotSteerTheTerminal) {
  EXPECT_THAT(DescribeFailure(absl::NotFoundError("\x1b[2J"), "a"), HasSubstr("\\x1b[2J"));
}

}  // namespace
}  // namespace interlock::cli
