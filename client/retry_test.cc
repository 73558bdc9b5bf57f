#include "client/retry.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "client/error.h"
#include "client/testing/details.h"
#include "client/testing/simulated_environment.h"

namespace interlock::client {
namespace {

constexpr uint64_t kAlmostOne = std::numeric_limits<uint64_t>::max();

absl::Status Overload(absl::Duration delay) {
  const grpc::Status status = WireOverload(delay);
  return StatusFromWire(status.error_code(), status.error_message(), status.error_details());
}

TEST(RetryTest, OnlyUnavailableAndOverloadWithADelayAreRetryable) {
  for (int code = 0; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "text");
    EXPECT_EQ(IsRetryable(status), code == static_cast<int>(absl::StatusCode::kUnavailable)) << code;
  }
  EXPECT_TRUE(IsRetryable(Overload(absl::Milliseconds(10))));
}

class CallWithRetryTest : public testing::Test {
 protected:
  // Fails with each of `failures` in turn, then succeeds; returns what the caller gets.
  absl::Status Call(const std::vector<absl::Status>& failures, absl::Duration deadline = absl::Seconds(5)) {
    return CallWithRetry(policy_, simulated_.environment(), deadline, [&](absl::Duration left) {
      left_.push_back(left);
      return left_.size() <= failures.size() ? failures[left_.size() - 1] : absl::OkStatus();
    });
  }

  RetryPolicy policy_{
      .backoff_initial = absl::Milliseconds(100), .backoff_max = absl::Milliseconds(300), .multiplier = 2};
  SimulatedEnvironment simulated_;
  // What each attempt was told to keep to.
  std::vector<absl::Duration> left_;
};

TEST_F(CallWithRetryTest, SuccessIsTriedOnce) {
  EXPECT_TRUE(Call({}).ok());
  EXPECT_EQ(left_, std::vector<absl::Duration>{absl::Seconds(5)});
  EXPECT_TRUE(simulated_.sleeps().empty());
}

TEST_F(CallWithRetryTest, UnavailableIsTriedAgainUntilItSucceeds) {
  EXPECT_TRUE(Call({absl::UnavailableError("1"), absl::UnavailableError("2")}).ok());
  EXPECT_EQ(left_.size(), 3u);
}

TEST_F(CallWithRetryTest, AnyOtherErrorEndsTheCall) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "text");
    if (status.code() == absl::StatusCode::kUnavailable) continue;
    left_.clear();
    EXPECT_EQ(Call({status}), status);
    EXPECT_EQ(left_.size(), 1u) << code;
  }
}

TEST_F(CallWithRetryTest, BackoffGrowsToItsMaximum) {
  simulated_.set_random(kAlmostOne - 10);
  EXPECT_TRUE(Call(std::vector<absl::Status>(4, absl::UnavailableError("down"))).ok());
  ASSERT_EQ(simulated_.sleeps().size(), 4u);
  const std::vector<int> ceilings_ms = {100, 200, 300, 300};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_LE(simulated_.sleeps()[i], absl::Milliseconds(ceilings_ms[i]));
    EXPECT_GT(simulated_.sleeps()[i], absl::Milliseconds(ceilings_ms[i] - 1));
  }
}

TEST_F(CallWithRetryTest, JitterIsFullSoThatTheWaitMayBeNone) {
  simulated_.set_random(0);
  EXPECT_TRUE(Call({absl::UnavailableError("down")}).ok());
  EXPECT_EQ(simulated_.sleeps(), std::vector<absl::Duration>{absl::ZeroDuration()});
}

TEST_F(CallWithRetryTest, DelayOfTheServerIsWaitedAndTheJitterComesOnTop) {
  simulated_.set_random(uint64_t{1} << 63);
  EXPECT_TRUE(Call({Overload(absl::Milliseconds(700))}).ok());
  EXPECT_EQ(simulated_.sleeps(), std::vector<absl::Duration>{absl::Milliseconds(750)});
}

TEST_F(CallWithRetryTest, DeadlineCoversAllAttemptsAndWaits) {
  simulated_.set_random(kAlmostOne - 1000);
  const absl::Time start = simulated_.now();
  const absl::Status last = absl::UnavailableError("down");
  EXPECT_EQ(Call(std::vector<absl::Status>(1000, last), absl::Seconds(2)), last);
  EXPECT_LT(simulated_.now() - start, absl::Seconds(2));
  // What is left shrinks by what was slept.
  absl::Duration left = absl::Seconds(2);
  for (size_t i = 0; i < left_.size(); ++i) {
    EXPECT_EQ(left_[i], left);
    if (i < simulated_.sleeps().size()) left -= simulated_.sleeps()[i];
  }
}

TEST_F(CallWithRetryTest, WaitThatReachesTheDeadlineIsNotBegun) {
  simulated_.set_random(0);
  const absl::Status overload = Overload(absl::Seconds(5));
  EXPECT_EQ(Call({overload}, absl::Seconds(5)), overload);
  EXPECT_TRUE(simulated_.sleeps().empty());
  left_.clear();
  EXPECT_TRUE(Call({overload}, absl::Seconds(5) + absl::Nanoseconds(1)).ok());
}

TEST_F(CallWithRetryTest, TriesAreNoMoreThanThePolicySays) {
  policy_.tries_max = 3;
  EXPECT_TRUE(absl::IsUnavailable(Call(std::vector<absl::Status>(1000, absl::UnavailableError("down")))));
  EXPECT_EQ(left_.size(), 3u);
  EXPECT_EQ(simulated_.sleeps().size(), 2u);
}

TEST_F(CallWithRetryTest, TimeThatAttemptsTakeCountsToo) {
  int attempts = 0;
  const absl::Status status = CallWithRetry(policy_, simulated_.environment(), absl::Seconds(3), [&](absl::Duration) {
    ++attempts;
    simulated_.Advance(absl::Seconds(2));
    return absl::UnavailableError("slow");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(attempts, 2);
}

TEST(BackoffTest, ResetMakesTheNextWaitShortAgain) {
  SimulatedEnvironment simulated;
  simulated.set_random(kAlmostOne - 10);
  const Environment environment = simulated.environment();
  Backoff backoff(RetryPolicy{.backoff_initial = absl::Seconds(1)}, environment);
  const absl::Status down = absl::UnavailableError("down");
  backoff.Next(down);
  EXPECT_GT(backoff.Next(down), absl::Seconds(1));
  backoff.Reset();
  EXPECT_LE(backoff.Next(down), absl::Seconds(1));
}

}  // namespace
}  // namespace interlock::client
