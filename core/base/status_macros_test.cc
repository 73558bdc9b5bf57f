#include "core/base/status_macros.h"

#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace interlock {
namespace {

absl::Status PassOn(const absl::Status& status, bool& went_on) {
  INTERLOCK_RETURN_IF_ERROR(status);
  went_on = true;
  return absl::OkStatus();
}

absl::StatusOr<std::string> Twice(absl::StatusOr<std::string> first, absl::StatusOr<std::string> second) {
  INTERLOCK_ASSIGN_OR_RETURN(const std::string a, std::move(first));
  std::string b;
  INTERLOCK_ASSIGN_OR_RETURN(b, std::move(second));
  return a + b;
}

absl::StatusOr<int> Unwrap(absl::StatusOr<std::unique_ptr<int>> pointer) {
  INTERLOCK_ASSIGN_OR_RETURN(const std::unique_ptr<int> owned, std::move(pointer));
  return *owned;
}

TEST(StatusMacrosTest, OkGoesOn) {
  bool went_on = false;
  EXPECT_EQ(PassOn(absl::OkStatus(), went_on), absl::OkStatus());
  EXPECT_TRUE(went_on);
}

TEST(StatusMacrosTest, ErrorIsPassedOnWithItsDetails) {
  bool went_on = false;
  absl::Status error = absl::AbortedError("stop");
  error.SetPayload("url", absl::Cord("detail"));
  const absl::Status passed = PassOn(error, went_on);
  EXPECT_EQ(passed, error);
  EXPECT_EQ(passed.GetPayload("url"), absl::Cord("detail"));
  EXPECT_FALSE(went_on);
}

TEST(StatusMacrosTest, ValueIsAssigned) { EXPECT_EQ(*Twice(std::string("a"), std::string("b")), "ab"); }

TEST(StatusMacrosTest, FirstErrorWins) {
  EXPECT_EQ(Twice(absl::AbortedError("1"), absl::InternalError("2")).status(), absl::AbortedError("1"));
  EXPECT_EQ(Twice(std::string("a"), absl::InternalError("2")).status(), absl::InternalError("2"));
}

TEST(StatusMacrosTest, ValueThatCannotBeCopiedIsMoved) {
  EXPECT_EQ(*Unwrap(std::make_unique<int>(7)), 7);
  EXPECT_EQ(Unwrap(absl::AbortedError("1")).status(), absl::AbortedError("1"));
}

}  // namespace
}  // namespace interlock
