// WatchLocks of the real program: the locks in force, then every change.
#include <memory>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/api.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

namespace interlock {
namespace {

using support::Api;
using support::EngageOf;
using support::Locks;
using support::ReleaseOf;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// One open watch.
class Watch {
 public:
  Watch(const Api& api, const std::string& tenant_id) {
    api.Prepare(context_);
    v1::WatchLocksRequest request;
    request.set_tenant_id(tenant_id);
    reader_ = api.stub<Locks>().WatchLocks(&context_, request);
  }
  ~Watch() { context_.TryCancel(); }

  // nullopt when the stream has ended.
  absl::optional<v1::WatchLocksResponse> Next() {
    v1::WatchLocksResponse response;
    if (!reader_->Read(&response)) return absl::nullopt;
    return response;
  }
  // The locks up to the end of the snapshot.
  std::vector<v1::Lock> Snapshot() {
    std::vector<v1::Lock> locks;
    for (auto response = Next(); response.has_value(); response = Next()) {
      if (response->has_snapshot_end()) {
        revision_ = response->revision();
        return locks;
      }
      if (response->has_lock()) locks.push_back(response->lock());
    }
    ADD_FAILURE() << "the stream ended within the snapshot";
    return locks;
  }
  // The next change.
  v1::Lock Change() {
    const absl::optional<v1::WatchLocksResponse> response = Next();
    if (!response.has_value() || !response->has_lock()) {
      ADD_FAILURE() << "no change came";
      return {};
    }
    EXPECT_GT(response->revision(), revision_);
    EXPECT_EQ(response->revision(), response->lock().revision());
    revision_ = response->revision();
    return response->lock();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchLocksResponse>> reader_;
  int64_t revision_ = 0;
};

class WatchLocksTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server = new support::ServerProcess({"watch_locks", {}}); }
  static void TearDownTestSuite() {
    delete server;
    server = nullptr;
  }

  v1::Lock Engage(v1::ScopeKind kind, const std::string& id) {
    const auto lock =
        api_.Call(&Locks::EngageLock, EngageOf(kind == v1::SCOPE_KIND_FLEET ? "" : tenant_, kind, id, "drill"));
    EXPECT_TRUE(lock.ok()) << lock.status.error_message();
    return *lock;
  }
  v1::Lock Release(const v1::Lock& lock) {
    const auto released = api_.Call(&Locks::ReleaseLock, ReleaseOf(lock, "over"));
    EXPECT_TRUE(released.ok()) << released.status.error_message();
    return *released;
  }

  static support::ServerProcess* server;
  const Api api_{server->NewChannel()};
  const std::string tenant_ = ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

support::ServerProcess* WatchLocksTest::server = nullptr;

TEST_F(WatchLocksTest, SnapshotThenEveryChange) {
  const v1::Lock first = Engage(v1::SCOPE_KIND_AGENT, "a");
  const v1::Lock gone = Engage(v1::SCOPE_KIND_AGENT, "gone");
  Release(gone);
  Watch watch(api_, tenant_);
  const std::vector<v1::Lock> snapshot = watch.Snapshot();
  ASSERT_THAT(snapshot, SizeIs(1));
  EXPECT_EQ(snapshot[0].SerializeAsString(), first.SerializeAsString());

  const v1::Lock second = Engage(v1::SCOPE_KIND_CATEGORY, "c");
  EXPECT_EQ(watch.Change().SerializeAsString(), second.SerializeAsString());
  const v1::Lock again = Engage(v1::SCOPE_KIND_CATEGORY, "c");
  EXPECT_EQ(again.version(), 2);
  EXPECT_EQ(watch.Change().SerializeAsString(), again.SerializeAsString());
  const v1::Lock released = Release(again);
  EXPECT_EQ(watch.Change().SerializeAsString(), released.SerializeAsString());
  Release(first);
  EXPECT_EQ(watch.Change().state(), v1::LOCK_STATE_CLEAR);
}

TEST_F(WatchLocksTest, TenantSeesItsOwnLocksAndTheFleets) {
  Watch watch(api_, tenant_);
  Watch neighbour(api_, tenant_ + "-neighbour");
  EXPECT_THAT(watch.Snapshot(), IsEmpty());
  EXPECT_THAT(neighbour.Snapshot(), IsEmpty());
  const v1::Lock own = Engage(v1::SCOPE_KIND_TENANT, tenant_);
  const v1::Lock fleet = Engage(v1::SCOPE_KIND_FLEET, "");
  EXPECT_EQ(watch.Change().lock_id(), own.lock_id());
  EXPECT_EQ(watch.Change().lock_id(), fleet.lock_id());
  EXPECT_EQ(neighbour.Change().lock_id(), fleet.lock_id()) << "and nothing before";
  Release(fleet);
  EXPECT_EQ(neighbour.Change().state(), v1::LOCK_STATE_CLEAR);
  Release(own);
}

TEST_F(WatchLocksTest, TripIsSeenLikeAnEngage) {
  Watch watch(api_, tenant_);
  watch.Snapshot();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(api_.Call(&support::Monitor::ReportSnapshot, support::ReportOf(tenant_, "a", 0.2)).ok());
  }
  const v1::Lock lock = watch.Change();
  EXPECT_EQ(lock.kind(), v1::LOCK_KIND_TRIP);
  EXPECT_EQ(lock.state(), v1::LOCK_STATE_TRIPPED);
}

}  // namespace
}  // namespace interlock
