#include "client/lock_watch.h"

#include <gtest/gtest.h>

#include <thread>

#include "client/options.h"
#include "client/testing/fake_server.h"

namespace interlock::client {
namespace {

using Writer = grpc::ServerWriter<v1::WatchLocksResponse>;

constexpr absl::Duration kPatience = absl::Seconds(20);

void SendLock(Writer& writer, const std::string& lock_id, int64_t revision = 0) {
  v1::WatchLocksResponse message;
  message.set_revision(revision);
  message.mutable_lock()->set_lock_id(lock_id);
  writer.Write(message);
}

void SendSnapshotBegin(Writer& writer) {
  v1::WatchLocksResponse message;
  message.set_snapshot_begin(true);
  writer.Write(message);
}

void SendSnapshotEnd(Writer& writer, int64_t revision) {
  v1::WatchLocksResponse message;
  message.set_snapshot_end(true);
  message.set_revision(revision);
  message.set_epoch("e1");
  writer.Write(message);
}

class LockWatchTest : public testing::Test {
 protected:
  Client MakeClient() {
    ClientOptions options;
    options.address = server_.address();
    options.retry = {.backoff_initial = absl::Microseconds(1), .backoff_max = absl::Microseconds(1)};
    return Client(options);
  }

  // The next message in short: "begin", "end" or the lock's name.
  std::string Next(LockWatch& watch) {
    const auto message = watch.Next(kPatience);
    if (!message.ok()) return message.status().ToString();
    if (message->snapshot_begin()) return "begin";
    if (message->snapshot_end()) return "end";
    return message->lock().lock_id();
  }

  FakeServer server_;
  int streams_ = 0;
};

TEST_F(LockWatchTest, NewStreamGoesOnAfterWhatWasHandedOut) {
  server_.answers.watch_locks = [this](grpc::ServerContext& context, const v1::WatchLocksRequest& request,
                                       Writer& writer) {
    EXPECT_EQ(request.tenant_id(), "t1");
    if (++streams_ == 1) {
      EXPECT_EQ(request.epoch(), "");
      SendSnapshotBegin(writer);
      SendLock(writer, "lock-1");
      SendSnapshotEnd(writer, 7);
      SendLock(writer, "lock-2", 8);
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
    }
    EXPECT_EQ(request.epoch(), "e1");
    EXPECT_EQ(request.after_revision(), 8);
    SendSnapshotEnd(writer, 8);
    SendLock(writer, "lock-3", 9);
    while (!context.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  v1::WatchLocksRequest request;
  request.set_tenant_id("t1");
  const Client client = MakeClient();
  int interruptions = 0;
  LockWatch watch(client, request, [&](const absl::Status&) { ++interruptions; });
  for (const char* expected : {"begin", "lock-1", "end", "lock-2", "end", "lock-3"}) EXPECT_EQ(Next(watch), expected);
  EXPECT_EQ(interruptions, 1);
}

TEST_F(LockWatchTest, StreamThatBreaksWithinASnapshotBeginsAnew) {
  server_.answers.watch_locks = [this](grpc::ServerContext& context, const v1::WatchLocksRequest& request,
                                       Writer& writer) {
    EXPECT_EQ(request.epoch(), "");
    SendSnapshotBegin(writer);
    SendLock(writer, "lock-1");
    if (++streams_ == 1) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
    SendSnapshotEnd(writer, 7);
    while (!context.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  const Client client = MakeClient();
  LockWatch watch(client, {});
  for (const char* expected : {"begin", "lock-1", "begin", "lock-1", "end"}) EXPECT_EQ(Next(watch), expected);
}

TEST_F(LockWatchTest, OtherErrorsEndIt) {
  server_.answers.watch_locks = [](grpc::ServerContext&, const v1::WatchLocksRequest&, Writer&) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "tenant_id: too long");
  };
  const Client client = MakeClient();
  LockWatch watch(client, {});
  EXPECT_EQ(watch.Next(kPatience).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(LockWatchTest, CancelEndsIt) {
  server_.answers.watch_locks = [](grpc::ServerContext& context, const v1::WatchLocksRequest&, Writer&) {
    while (!context.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  const Client client = MakeClient();
  LockWatch watch(client, {});
  std::thread canceller([&] { watch.Cancel(); });
  EXPECT_EQ(watch.Next().status().code(), absl::StatusCode::kCancelled);
  canceller.join();
}

}  // namespace
}  // namespace interlock::client
