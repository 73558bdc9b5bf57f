#include "client/lock_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "client/options.h"
#include "client/testing/fake_server.h"

namespace interlock::client {
namespace {

using Writer = grpc::ServerWriter<v1::WatchLocksResponse>;

constexpr absl::Duration kPatience = absl::Seconds(20);

v1::WatchLocksResponse LockMessage(v1::ScopeKind kind, const std::string& id, v1::LockState state) {
  v1::WatchLocksResponse message;
  v1::Lock& lock = *message.mutable_lock();
  lock.set_lock_id("lock-" + id);
  if (kind != v1::SCOPE_KIND_FLEET) lock.set_tenant_id("t");
  lock.mutable_scope()->set_kind(kind);
  lock.mutable_scope()->set_id(id);
  lock.set_state(state);
  return message;
}

void SendEnd(Writer& writer) {
  v1::WatchLocksResponse message;
  message.set_snapshot_end(true);
  message.set_revision(1);
  message.set_epoch("e1");
  writer.Write(message);
}

class LockCacheTest : public testing::Test {
 protected:
  Client MakeClient() {
    ClientOptions options;
    options.address = server_.address();
    options.retry = {.backoff_initial = absl::Microseconds(1), .backoff_max = absl::Microseconds(1)};
    return Client(options);
  }

  // Serves the snapshot, and then whatever `then` sends.
  template <typename Then>
  void Serve(std::vector<v1::WatchLocksResponse> snapshot, Then then) {
    server_.answers.watch_locks = [this, snapshot, then](grpc::ServerContext& context, const v1::WatchLocksRequest&,
                                                         Writer& writer) {
      for (const auto& message : snapshot) writer.Write(message);
      SendEnd(writer);
      then(writer);
      while (!context.IsCancelled() && !cut_) std::this_thread::yield();
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut");
    };
  }

  FakeServer server_;
  std::atomic<bool> cut_ = false;
};

TEST_F(LockCacheTest, BlocksWhatALockCoversAndNothingElse) {
  Serve({LockMessage(v1::SCOPE_KIND_AGENT, "a", v1::LOCK_STATE_ACKNOWLEDGED),
         LockMessage(v1::SCOPE_KIND_RESOURCE, "r", v1::LOCK_STATE_RELEASE_PENDING),
         LockMessage(v1::SCOPE_KIND_CATEGORY, "c", v1::LOCK_STATE_TRIPPED),
         LockMessage(v1::SCOPE_KIND_TENANT, "t", v1::LOCK_STATE_PROBATION)},
        [](Writer&) {});
  const Client client = MakeClient();
  const LockCache cache(client, "t");
  ASSERT_TRUE(cache.WaitUntilCurrent(kPatience));
  EXPECT_TRUE(cache.IsLocked({"t", "x", "a", "x"}));
  EXPECT_TRUE(cache.IsLocked({"t", "x", "x", "r"}));
  EXPECT_TRUE(cache.IsLocked({"t", "c", "x", "x"}));
  EXPECT_TRUE(cache.IsLocked({"t", "", "x", "x"})) << "the category is not known";
  EXPECT_FALSE(cache.IsLocked({"t", "x", "x", "x"})) << "probation blocks nothing";
  EXPECT_FALSE(cache.IsLocked({"u", "c", "a", "r"}));
  EXPECT_EQ(cache.Locks().size(), 4u);
}

TEST_F(LockCacheTest, NothingIsAllowedBeforeTheSnapshotIsComplete) {
  server_.answers.watch_locks = [](grpc::ServerContext& context, const v1::WatchLocksRequest&, Writer&) {
    while (!context.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  const Client client = MakeClient();
  const LockCache cache(client, "t");
  EXPECT_FALSE(cache.IsCurrent());
  EXPECT_TRUE(cache.IsLocked({"t", "x", "x", "x"}));
}

TEST_F(LockCacheTest, ChangesAreTakenIn) {
  std::atomic<bool> released = false;
  Serve({LockMessage(v1::SCOPE_KIND_FLEET, "", v1::LOCK_STATE_TRIPPED)}, [&released](Writer& writer) {
    while (!released) std::this_thread::yield();
    writer.Write(LockMessage(v1::SCOPE_KIND_FLEET, "", v1::LOCK_STATE_CLEAR));
  });
  const Client client = MakeClient();
  const LockCache cache(client, "");
  ASSERT_TRUE(cache.WaitUntilCurrent(kPatience));
  EXPECT_TRUE(cache.IsLocked({"u", "c", "a", "r"}));
  released = true;
  while (cache.IsLocked({"u", "c", "a", "r"})) std::this_thread::yield();
  EXPECT_TRUE(cache.Locks().empty());
}

TEST_F(LockCacheTest, LostStreamIsTakenAsLocked) {
  std::atomic<int> streams = 0;
  server_.answers.watch_locks = [&](grpc::ServerContext& context, const v1::WatchLocksRequest&, Writer& writer) {
    if (++streams == 1) SendEnd(writer);
    while (!context.IsCancelled() && !(cut_ && streams == 1)) std::this_thread::yield();
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut");
  };
  const Client client = MakeClient();
  const LockCache cache(client, "t");
  ASSERT_TRUE(cache.WaitUntilCurrent(kPatience));
  EXPECT_FALSE(cache.IsLocked({"t", "x", "x", "x"}));
  cut_ = true;
  while (cache.IsCurrent()) std::this_thread::yield();
  EXPECT_TRUE(cache.IsLocked({"t", "x", "x", "x"}));
}

TEST_F(LockCacheTest, RefusedWatchIsTakenAsLocked) {
  server_.answers.watch_locks = [](grpc::ServerContext&, const v1::WatchLocksRequest&, Writer&) {
    return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no");
  };
  const Client client = MakeClient();
  const LockCache cache(client, "t");
  EXPECT_FALSE(cache.WaitUntilCurrent(absl::ZeroDuration()));
  EXPECT_TRUE(cache.IsLocked({"t", "x", "x", "x"}));
}

}  // namespace
}  // namespace interlock::client
