#include "server/feed/stream_hub.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/error.h"
#include "server/base/fake_clock.h"
#include "server/base/gate.h"

namespace interlock::server {
namespace {

class FakeStream : public HubStream {
 public:
  void Wake() override {
    ++wakes;
    woken.Open();
  }
  void End(const absl::Status& status) override { end = status; }

  int wakes = 0;
  Gate woken;
  absl::Status end;
};

class StreamHubTest : public ::testing::Test {
 protected:
  std::shared_ptr<FakeStream> Joined() {
    auto stream = std::make_shared<FakeStream>();
    EXPECT_TRUE(hub_.Join(stream).ok());
    return stream;
  }

  FakeClock clock_{absl::FromUnixSeconds(1000)};
  StreamHub hub_{clock_, /*streams_max=*/3};
};

TEST_F(StreamHubTest, TakesOnlySoManyStreams) {
  const auto first = Joined();
  Joined();
  Joined();
  const absl::Status status = hub_.Join(std::make_shared<FakeStream>());
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorReason(status), "TOO_MANY_STREAMS");
  hub_.Leave(first);
  Joined();
}

TEST_F(StreamHubTest, LeavingWithoutJoiningDoesNothing) {
  hub_.Leave(std::make_shared<FakeStream>());
  Joined();
}

TEST_F(StreamHubTest, ANotificationWakesThoseWhoAreParkedOnce) {
  const auto parked = Joined();
  const auto busy = Joined();
  ASSERT_TRUE(hub_.Park(parked, hub_.notifications(), absl::InfiniteFuture()));
  hub_.WakeDue();
  EXPECT_EQ(parked->wakes, 0);
  hub_.Notify();
  hub_.WakeDue();
  EXPECT_EQ(parked->wakes, 1);
  EXPECT_EQ(busy->wakes, 0);
  hub_.Notify();
  hub_.WakeDue();
  EXPECT_EQ(parked->wakes, 1);
}

TEST_F(StreamHubTest, WhoMissedANotificationMustLookAgain) {
  const auto stream = Joined();
  const uint64_t seen = hub_.notifications();
  hub_.Notify();
  EXPECT_FALSE(hub_.Park(stream, seen, absl::InfiniteFuture()));
  EXPECT_TRUE(hub_.Park(stream, hub_.notifications(), absl::InfiniteFuture()));
}

TEST_F(StreamHubTest, AParkedStreamIsWokenAtItsTime) {
  const auto early = Joined();
  const auto late = Joined();
  ASSERT_TRUE(hub_.Park(early, hub_.notifications(), clock_.TimeNow() + absl::Seconds(1)));
  ASSERT_TRUE(hub_.Park(late, hub_.notifications(), clock_.TimeNow() + absl::Seconds(2)));
  clock_.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  hub_.WakeDue();
  EXPECT_EQ(early->wakes, 0);
  clock_.Advance(absl::Nanoseconds(1));
  hub_.WakeDue();
  EXPECT_EQ(early->wakes, 1);
  EXPECT_EQ(late->wakes, 0);
}

TEST_F(StreamHubTest, WhoHasLeftIsNotWokenAndNotKept) {
  auto stream = Joined();
  const std::weak_ptr<FakeStream> watch = stream;
  ASSERT_TRUE(hub_.Park(stream, hub_.notifications(), absl::InfiniteFuture()));
  hub_.Leave(stream);
  EXPECT_TRUE(hub_.Park(stream, hub_.notifications(), absl::InfiniteFuture()));
  hub_.Notify();
  hub_.WakeDue();
  EXPECT_EQ(stream->wakes, 0);
  stream.reset();
  EXPECT_TRUE(watch.expired());
}

TEST_F(StreamHubTest, EndAllEndsEveryStreamAndLetsNoneIn) {
  const auto parked = Joined();
  const auto busy = Joined();
  ASSERT_TRUE(hub_.Park(parked, hub_.notifications(), absl::InfiniteFuture()));
  hub_.EndAll();
  EXPECT_EQ(parked->end.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(busy->end), "SERVER_STOPPING");
  const absl::Status status = hub_.Join(std::make_shared<FakeStream>());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(StreamHubTest, TheThreadWakesOnNotifyAndEndsOnStop) {
  const auto stream = Joined();
  ASSERT_TRUE(hub_.Park(stream, hub_.notifications(), absl::InfiniteFuture()));
  std::thread thread([this] { hub_.Run(); });
  hub_.Notify();
  stream->woken.Wait();
  hub_.Stop();
  thread.join();
  EXPECT_EQ(stream->wakes, 1);
}

TEST_F(StreamHubTest, TheThreadNoticesAParkedStreamWhoseTimeIsSooner) {
  const auto stream = Joined();
  std::thread thread([this] { hub_.Run(); });
  ASSERT_TRUE(hub_.Park(stream, hub_.notifications(), clock_.TimeNow()));
  stream->woken.Wait();
  hub_.Stop();
  thread.join();
}

}  // namespace
}  // namespace interlock::server
