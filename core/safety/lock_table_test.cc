#include "core/safety/lock_table.h"

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/safety/lock_machine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

v1::LockScope Scope(v1::ScopeKind kind, const std::string& id) {
  v1::LockScope scope;
  scope.set_kind(kind);
  scope.set_id(id);
  return scope;
}

v1::LockCause Cause(const std::string& reason) {
  v1::LockCause cause;
  cause.set_reason(reason);
  cause.set_kind(v1::LOCK_KIND_EMERGENCY_STOP);
  cause.mutable_engaged_by()->set_id("alice");
  cause.mutable_engaged_by()->set_kind(v1::PRINCIPAL_KIND_HUMAN);
  return cause;
}

v1::Principal Person(const std::string& id) {
  v1::Principal person;
  person.set_id(id);
  person.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  return person;
}

std::vector<std::string> Ids(const std::vector<const v1::Lock*>& locks) {
  std::vector<std::string> ids;
  for (const v1::Lock* lock : locks) ids.push_back(lock->lock_id());
  return ids;
}

class LockTableTest : public ::testing::Test {
 protected:
  v1::Lock Engage(const std::string& tenant_id, v1::ScopeKind kind, const std::string& id,
                  const std::string& reason = "because") {
    return table_.Engage(tenant_id, Scope(kind, id), {Cause(reason), rule_, end_time_}, ids_, revisions_, kNow);
  }
  absl::StatusOr<v1::Lock> Release(const std::string& lock_id, int64_t version) {
    return table_.Apply(ApproveRelease, lock_id, version, Person("bob"), "checked", revisions_,
                        kNow + absl::Seconds(5));
  }

  LockTable table_;
  v1::ReleaseRule rule_ = LenientRule(v1::SCOPE_KIND_AGENT);
  absl::optional<absl::Time> end_time_;
  IdCounter ids_{40};
  IdCounter revisions_{7};
};

TEST_F(LockTableTest, NewLockSaysWhatAndWhyAndWho) {
  const v1::Lock lock = Engage("t", v1::SCOPE_KIND_AGENT, "a", "runaway");
  EXPECT_EQ(lock.lock_id(), "lock-41");
  EXPECT_EQ(lock.tenant_id(), "t");
  EXPECT_EQ(lock.scope().kind(), v1::SCOPE_KIND_AGENT);
  EXPECT_EQ(lock.scope().id(), "a");
  EXPECT_EQ(lock.kind(), v1::LOCK_KIND_EMERGENCY_STOP);
  EXPECT_EQ(lock.state(), v1::LOCK_STATE_TRIPPED);
  EXPECT_EQ(lock.version(), 1);
  EXPECT_EQ(lock.revision(), 8);
  EXPECT_EQ(FromProto(lock.engage_time()), kNow);
  EXPECT_EQ(lock.engaged_by().id(), "alice");
  ASSERT_EQ(lock.causes_size(), 1);
  EXPECT_EQ(lock.causes(0).reason(), "runaway");
  EXPECT_EQ(lock.causes(0).kind(), v1::LOCK_KIND_EMERGENCY_STOP);
  EXPECT_EQ(FromProto(lock.causes(0).create_time()), kNow);
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(LockTableTest, SecondEngageOfAScopeAppendsItsCause) {
  Engage("t", v1::SCOPE_KIND_AGENT, "a", "first");
  const v1::Lock lock = Engage("t", v1::SCOPE_KIND_AGENT, "a", "second");
  EXPECT_EQ(lock.lock_id(), "lock-41");
  EXPECT_EQ(lock.version(), 2);
  EXPECT_EQ(lock.revision(), 9);
  ASSERT_EQ(lock.causes_size(), 2);
  EXPECT_EQ(lock.causes(0).reason(), "first");
  EXPECT_EQ(lock.causes(1).reason(), "second");
  EXPECT_EQ(table_.size(), 1u);
  EXPECT_EQ(ids_.last(), 41) << "no id is used up";
}

TEST_F(LockTableTest, KeepsTheFirstCauseAndTheNewestOthers) {
  for (int i = 0; i <= kLockCausesMax + 1; ++i) Engage("t", v1::SCOPE_KIND_AGENT, "a", absl::StrCat("cause ", i));
  const v1::Lock& lock = *table_.Find("lock-41");
  ASSERT_EQ(lock.causes_size(), kLockCausesMax);
  EXPECT_EQ(lock.causes(0).reason(), "cause 0");
  EXPECT_EQ(lock.causes(1).reason(), "cause 3");
  EXPECT_EQ(lock.causes(kLockCausesMax - 1).reason(), absl::StrCat("cause ", kLockCausesMax + 1));
  EXPECT_EQ(lock.version(), kLockCausesMax + 2);
}

TEST_F(LockTableTest, ScopesWrittenInDifferentWaysAreTheSame) {
  EXPECT_EQ(Engage("t", v1::SCOPE_KIND_TENANT, "").lock_id(), "lock-41");
  EXPECT_EQ(Engage("", v1::SCOPE_KIND_TENANT, "t").lock_id(), "lock-41");
  EXPECT_EQ(Engage("t", v1::SCOPE_KIND_TENANT, "t").scope().id(), "t");
  EXPECT_EQ(Engage("", v1::SCOPE_KIND_FLEET, "").lock_id(), "lock-42");
  const v1::Lock fleet = Engage("t", v1::SCOPE_KIND_FLEET, "x");
  EXPECT_EQ(fleet.lock_id(), "lock-42");
  EXPECT_EQ(fleet.tenant_id(), "");
  EXPECT_EQ(fleet.scope().id(), "");
}

TEST_F(LockTableTest, SameNameInAnotherKindOrTenantIsAnotherScope) {
  Engage("t", v1::SCOPE_KIND_AGENT, "x");
  Engage("t", v1::SCOPE_KIND_CATEGORY, "x");
  Engage("t", v1::SCOPE_KIND_RESOURCE, "x");
  Engage("u", v1::SCOPE_KIND_AGENT, "x");
  EXPECT_EQ(table_.size(), 4u);
}

TEST_F(LockTableTest, CoveringListsEveryScopeFromWidestToNarrowest) {
  Engage("t", v1::SCOPE_KIND_RESOURCE, "r");
  Engage("t", v1::SCOPE_KIND_AGENT, "a");
  Engage("t", v1::SCOPE_KIND_CATEGORY, "c");
  Engage("t", v1::SCOPE_KIND_TENANT, "t");
  Engage("", v1::SCOPE_KIND_FLEET, "");
  EXPECT_THAT(Ids(table_.Covering({"t", "c", "a", "r"})),
              ElementsAre("lock-45", "lock-44", "lock-43", "lock-42", "lock-41"));
  EXPECT_THAT(Ids(table_.Covering({"u", "c", "a", "r"})), ElementsAre("lock-45"));
}

TEST_F(LockTableTest, NarrowLockCoversOnlyItsScope) {
  EXPECT_THAT(table_.Covering({"t", "c", "a", "r"}), IsEmpty());
  Engage("t", v1::SCOPE_KIND_CATEGORY, "c");
  EXPECT_THAT(Ids(table_.Covering({"t", "c", "z", "z"})), ElementsAre("lock-41"));
  EXPECT_THAT(table_.Covering({"t", "z", "a", "r"}), IsEmpty());
  EXPECT_THAT(table_.Covering({"u", "c", "a", "r"}), IsEmpty());
  Engage("t", v1::SCOPE_KIND_AGENT, "a");
  EXPECT_THAT(Ids(table_.Covering({"t", "", "a", ""})), ElementsAre("lock-42"));
  EXPECT_THAT(table_.Covering({"t", "", "", ""}), IsEmpty());
  Engage("t", v1::SCOPE_KIND_RESOURCE, "r");
  EXPECT_THAT(Ids(table_.Covering({"t", "z", "z", "r"})), ElementsAre("lock-43"));
}

TEST_F(LockTableTest, ReleaseEndsTheLockAndSaysWhatItPassed) {
  Engage("t", v1::SCOPE_KIND_AGENT, "a", "runaway");
  table_.SetEpisode("lock-41", "episode-9");
  const absl::StatusOr<v1::Lock> lock = Release("lock-41", 1);
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(lock->state(), v1::LOCK_STATE_CLEAR);
  EXPECT_EQ(lock->version(), 2);
  EXPECT_EQ(lock->revision(), 9);
  EXPECT_EQ(lock->episode_id(), "episode-9");
  EXPECT_EQ(lock->causes(0).reason(), "runaway");
  ASSERT_EQ(lock->releases_size(), 1);
  EXPECT_EQ(lock->releases(0).released_by().id(), "bob");
  EXPECT_EQ(lock->releases(0).reason(), "checked");
  EXPECT_EQ(FromProto(lock->releases(0).create_time()), kNow + absl::Seconds(5));
  EXPECT_THAT(lock->releases(0).passed_steps(), ElementsAre("acknowledged", "quorum 1 of 1", "probation none"));
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_THAT(table_.Covering({"t", "", "a", ""}), IsEmpty());
}

TEST_F(LockTableTest, ScopeCanBeLockedAnewAfterItsRelease) {
  Engage("t", v1::SCOPE_KIND_AGENT, "a", "first");
  ASSERT_TRUE(Release("lock-41", 1).ok());
  const v1::Lock lock = Engage("t", v1::SCOPE_KIND_AGENT, "a", "second");
  EXPECT_EQ(lock.lock_id(), "lock-42");
  EXPECT_EQ(lock.version(), 1);
  EXPECT_EQ(lock.causes(0).reason(), "second");
}

TEST_F(LockTableTest, ReleaseOfAnUnknownLockSaysWhereToLook) {
  Engage("t", v1::SCOPE_KIND_AGENT, "a");
  for (const char* id : {"lock-1", "lock-", "", "lock-041"}) {
    const absl::Status status = Release(id, 1).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << id;
    EXPECT_EQ(ErrorReason(status), "LOCK_NOT_FOUND");
    EXPECT_THAT(std::string(status.message()), HasSubstr("ListLocks"));
  }
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(LockTableTest, ReleaseOfAnotherVersionChangesNothing) {
  Engage("t", v1::SCOPE_KIND_AGENT, "a");
  Engage("t", v1::SCOPE_KIND_AGENT, "a");
  for (const int64_t version : {0, 1, 3}) {
    const absl::Status status = Release("lock-41", version).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
    EXPECT_EQ(ErrorReason(status), "LOCK_VERSION_MISMATCH");
    EXPECT_THAT(std::string(status.message()), HasSubstr("GetLock"));
    google::rpc::ErrorInfo info;
    ASSERT_TRUE(info.ParseFromString(std::string(*status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo"))));
    EXPECT_EQ(info.metadata().at("current_version"), "2");
    EXPECT_EQ(info.metadata().at("lock_id"), "lock-41");
  }
  EXPECT_EQ(table_.Find("lock-41")->version(), 2);
  EXPECT_EQ(revisions_.last(), 9);
  EXPECT_TRUE(table_.Check("lock-41", 2).ok());
  EXPECT_EQ(table_.size(), 1u) << "a check releases nothing";
}

TEST_F(LockTableTest, FindKnowsOnlyLocksInForce) {
  Engage("t", v1::SCOPE_KIND_AGENT, "a");
  ASSERT_NE(table_.Find("lock-41"), nullptr);
  EXPECT_EQ(table_.Find("lock-41")->scope().id(), "a");
  EXPECT_EQ(table_.Find("lock-42"), nullptr);
  EXPECT_EQ(table_.Find("task-41"), nullptr);
}

TEST_F(LockTableTest, ListsComeByNumber) {
  IdCounter nine(8);
  table_.Engage("u", Scope(v1::SCOPE_KIND_AGENT, "z"), {Cause("c"), rule_, end_time_}, nine, revisions_, kNow);
  Engage("t", v1::SCOPE_KIND_AGENT, "a");
  Engage("", v1::SCOPE_KIND_FLEET, "");
  Engage("u", v1::SCOPE_KIND_AGENT, "a");
  EXPECT_THAT(Ids(table_.All()), ElementsAre("lock-9", "lock-41", "lock-42", "lock-43"));
  EXPECT_THAT(Ids(table_.OfTenant("u")), ElementsAre("lock-9", "lock-43"));
  EXPECT_THAT(Ids(table_.OfTenant("t")), ElementsAre("lock-41"));
}

TEST_F(LockTableTest, LoadedTableIsTheSameTable) {
  Engage("t", v1::SCOPE_KIND_AGENT, "a");
  Engage("t", v1::SCOPE_KIND_AGENT, "a");
  Engage("t", v1::SCOPE_KIND_TENANT, "t");
  Engage("", v1::SCOPE_KIND_FLEET, "");
  LockTable loaded;
  for (const v1::Lock* lock : table_.All()) ASSERT_TRUE(loaded.Load(*lock).ok());
  ASSERT_EQ(loaded.size(), table_.size());
  for (const v1::Lock* lock : table_.All()) {
    EXPECT_EQ(Serialize(*loaded.Find(lock->lock_id())), Serialize(*lock));
  }
  EXPECT_EQ(Ids(loaded.Covering({"t", "", "a", ""})), Ids(table_.Covering({"t", "", "a", ""})));
}

TEST_F(LockTableTest, TimeEndsAMaintenanceAndAProbation) {
  v1::LockCause planned = Cause("upgrade");
  planned.set_kind(v1::LOCK_KIND_MAINTENANCE);
  table_.Engage("t", Scope(v1::SCOPE_KIND_AGENT, "m"), {planned, rule_, kNow + absl::Hours(2)}, ids_, revisions_, kNow);
  EXPECT_EQ(table_.NextDue(), kNow + absl::Hours(2));
  *rule_.mutable_probation() = ToProto(absl::Minutes(10));
  Engage("u", v1::SCOPE_KIND_AGENT, "p");
  EXPECT_EQ(table_.NextDue("u"), absl::InfiniteFuture());
  ASSERT_EQ(Release("lock-42", 1)->state(), v1::LOCK_STATE_PROBATION);
  const absl::Time end = kNow + absl::Seconds(5) + absl::Minutes(10);
  EXPECT_EQ(table_.NextDue(), end);
  EXPECT_EQ(table_.NextDue("u"), end);
  EXPECT_EQ(table_.NextDue("t"), kNow + absl::Hours(2));
  EXPECT_THAT(table_.Covering({"u", "", "p", ""}), IsEmpty());
  EXPECT_THAT(Ids(table_.InProbation({"u", "", "p", ""})), ElementsAre("lock-42"));

  LockTable loaded;
  for (const v1::Lock* lock : table_.All()) ASSERT_TRUE(loaded.Load(*lock).ok());
  EXPECT_EQ(loaded.NextDue(), end);

  const v1::Lock passed = table_.FireDue(absl::nullopt, revisions_, end);
  EXPECT_EQ(passed.lock_id(), "lock-42");
  EXPECT_EQ(passed.state(), v1::LOCK_STATE_CLEAR);
  EXPECT_EQ(passed.version(), 3);
  EXPECT_EQ(passed.revision(), 11);
  EXPECT_EQ(table_.Find("lock-42"), nullptr);
  EXPECT_EQ(table_.NextDue("u"), absl::InfiniteFuture());
  EXPECT_THAT(Ids(table_.Covering({"t", "", "m", ""})), ElementsAre("lock-41"));
  const v1::Lock ended = table_.FireDue("t", revisions_, kNow + absl::Hours(2));
  EXPECT_EQ(ended.releases(0).step(), v1::LOCK_STEP_END_MAINTENANCE);
  EXPECT_EQ(table_.NextDue(), absl::InfiniteFuture());
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(LockTableTest, StepThatIsRefusedChangesNothing) {
  rule_.set_acknowledgement_required(true);
  const std::string before = Serialize(Engage("t", v1::SCOPE_KIND_AGENT, "a"));
  EXPECT_EQ(ErrorReason(Release("lock-41", 1).status()), "LOCK_NOT_ACKNOWLEDGED");
  EXPECT_EQ(Serialize(*table_.Find("lock-41")), before);
  EXPECT_EQ(revisions_.last(), 8);
}

TEST_F(LockTableTest, CopyStandsOnItsOwn) {
  Engage("t", v1::SCOPE_KIND_AGENT, "a");
  LockTable copy = table_;
  ASSERT_TRUE(Release("lock-41", 1).ok());
  EXPECT_THAT(Ids(copy.Covering({"t", "", "a", ""})), ElementsAre("lock-41"));
}

TEST_F(LockTableTest, LoadRefusesWhatNoTableCouldHaveStored) {
  const v1::Lock good = Engage("t", v1::SCOPE_KIND_AGENT, "a");
  const auto load = [&good](const auto& change) {
    v1::Lock lock = good;
    change(lock);
    LockTable table;
    return table.Load(lock).code();
  };
  constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;
  EXPECT_EQ(load([](v1::Lock&) {}), absl::StatusCode::kOk);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.set_lock_id("lock"); }), kDataLoss);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.set_state(v1::LOCK_STATE_CLEAR); }), kDataLoss);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.set_state(v1::LOCK_STATE_UNSPECIFIED); }), kDataLoss);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.set_state(v1::LOCK_STATE_PROBATION); }), kDataLoss);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.set_state(v1::LOCK_STATE_RELEASE_PENDING); }), kDataLoss);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.set_kind(v1::LOCK_KIND_MAINTENANCE); }), kDataLoss);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.set_state(v1::LOCK_STATE_ACKNOWLEDGED); }), absl::StatusCode::kOk);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.mutable_scope()->set_kind(v1::SCOPE_KIND_UNSPECIFIED); }), kDataLoss);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.mutable_scope()->set_kind(static_cast<v1::ScopeKind>(77)); }), kDataLoss);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.mutable_scope()->set_kind(v1::SCOPE_KIND_FLEET); }), kDataLoss);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.mutable_scope()->set_kind(v1::SCOPE_KIND_TENANT); }), kDataLoss);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.mutable_scope()->clear_id(); }), kDataLoss);
  EXPECT_EQ(load([](v1::Lock& lock) { lock.clear_tenant_id(); }), kDataLoss);
}

TEST_F(LockTableTest, LoadRefusesASecondLockOfAnIdOrScope) {
  const v1::Lock lock = Engage("t", v1::SCOPE_KIND_AGENT, "a");
  EXPECT_EQ(table_.Load(lock).code(), absl::StatusCode::kDataLoss);
  v1::Lock same_id = lock;
  same_id.mutable_scope()->set_id("b");
  EXPECT_EQ(table_.Load(same_id).code(), absl::StatusCode::kDataLoss);
  v1::Lock same_scope = lock;
  same_scope.set_lock_id("lock-99");
  EXPECT_EQ(table_.Load(same_scope).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(table_.size(), 1u);
}

}  // namespace
}  // namespace interlock::safety
