#include "server/rpc/audit_check.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/audit_row.h"
#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/engine/keys.h"
#include "tests/support/engine_world.h"

namespace interlock::server {
namespace {

using ::interlock::testing::EngineWorld;
using ::interlock::testing::MakeAction;

// A store with rows of every kind: policy-1 (row 1), decisions 1 to 3 (rows 2 to 4), a lock that is engaged (row 5) and
// released (row 6), one that is in force (row 7).
class AuditCheckTest : public ::testing::Test {
 protected:
  AuditCheckTest() {
    v1::UpdatePolicyRequest policy;
    policy.mutable_policy()->set_tenant_id("t");
    policy.mutable_policy()->set_profile("reference");
    EXPECT_TRUE(world_.Do(policy).ok());
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(world_.Do(MakeAction("a")).ok());
    const v1::Lock released = Engage("page");
    v1::ReleaseLockRequest release;
    release.set_lock_id(released.lock_id());
    release.set_version(released.version());
    release.set_reason("over");
    EXPECT_TRUE(world_.Do(release).ok());
    lock_ = Engage("site");
  }

  v1::Lock Engage(const std::string& resource) {
    v1::EngageLockRequest request;
    request.set_tenant_id("t");
    request.mutable_scope()->set_kind(v1::SCOPE_KIND_RESOURCE);
    request.mutable_scope()->set_id(resource);
    request.set_reason("drill");
    return *world_.Do(request);
  }

  // What all calls together find, with so many rows in each.
  v1::VerifyAuditLogResponse Verify(int rows_max = 0) {
    v1::VerifyAuditLogRequest request;
    request.set_rows_max(rows_max);
    for (;;) {
      const auto response = Read(world_.store, request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok() || response->continuation().empty()) return response.value_or(v1::VerifyAuditLogResponse());
      EXPECT_TRUE(response->intact());
      request.set_continuation(response->continuation());
    }
  }

  // Verifies what `write` has made of the store: with many rows in a call, and with few.
  void ExpectBad(const std::function<void(WriteSet&)>& write, int64_t bad_sequence, const std::string& description) {
    WriteSet writes;
    write(writes);
    ASSERT_TRUE(world_.store.Commit(writes).ok());
    for (const int rows_max : {0, 1, 3}) {
      const auto response = Verify(rows_max);
      EXPECT_FALSE(response.intact());
      EXPECT_EQ(response.bad_sequence(), bad_sequence);
      EXPECT_EQ(response.description(), description);
    }
  }

  v1::AuditRow Row(int64_t sequence) {
    return world_.Rows<v1::AuditRow>(Table::kAudit)[static_cast<size_t>(sequence - 1)];
  }
  v1::EngineState Counters() { return world_.Rows<v1::EngineState>(Table::kEngine).front(); }

  // Writes all rows anew with `change` made to one, and counters that fit: what somebody does who knows the formula.
  void RewriteChain(int64_t sequence, const std::function<void(v1::AuditRow&)>& change, WriteSet& writes) {
    std::string hash = audit::FirstPreviousHash();
    v1::EngineState counters = Counters();
    for (v1::AuditRow row : world_.Rows<v1::AuditRow>(Table::kAudit)) {
      if (row.sequence() == sequence) change(row);
      row.set_hash(hash = audit::HashOf(row, hash));
      writes.Put(Table::kAudit, keys::Number(row.sequence()), row);
    }
    counters.set_audit_hash(hash);
    writes.Put(Table::kEngine, keys::Singleton(), counters);
  }

  EngineWorld world_;
  v1::Lock lock_;
};

TEST_F(AuditCheckTest, WholeStoresAreIntact) {
  for (const int rows_max : {0, 1, 2, 7, 8}) {
    const auto response = Verify(rows_max);
    EXPECT_TRUE(response.intact()) << response.description();
    EXPECT_EQ(response.bad_sequence(), 0);
    EXPECT_EQ(response.rows(), 7);
    EXPECT_EQ(response.first_sequence(), 1);
    EXPECT_EQ(response.last_sequence(), 7);
    EXPECT_EQ(response.head_hash(), Row(7).hash());
    EXPECT_EQ(response.records_checked(), 6) << "all but the first version of the released lock";
    EXPECT_EQ(response.records_removed(), 0);
    EXPECT_EQ(response.records_unchecked(), 0);
  }
}

TEST_F(AuditCheckTest, EmptyStoresAreIntact) {
  EngineWorld empty;
  const auto response = Read(empty.store, v1::VerifyAuditLogRequest());
  ASSERT_TRUE(response.ok());
  EXPECT_TRUE(response->intact());
  EXPECT_EQ(response->rows(), 0);
  EXPECT_EQ(response->first_sequence(), 0);
  EXPECT_EQ(response->head_hash(), std::string(32, '\0'));
}

TEST_F(AuditCheckTest, EachCallLooksAtNoMoreRowsThanItIsAskedTo) {
  v1::VerifyAuditLogRequest request;
  request.set_rows_max(3);
  const auto response = Read(world_.store, request);
  EXPECT_EQ(response->rows(), 3);
  EXPECT_EQ(response->last_sequence(), 3);
  EXPECT_FALSE(response->continuation().empty());
}

TEST_F(AuditCheckTest, ChangedRowsAreFound) {
  v1::AuditRow row = Row(3);
  row.mutable_principal()->set_id("mallory");
  ExpectBad([&](WriteSet& writes) { writes.Put(Table::kAudit, keys::Number(3), row); }, 3,
            "row 3 was changed, or does not follow the row before: its hash is another one");
}

TEST_F(AuditCheckTest, UnreadableRowsAreFound) {
  ExpectBad([](WriteSet& writes) { writes.PutBytes(Table::kAudit, keys::Number(3), "\xff"); }, 3,
            "row 3 cannot be read: its bytes are damaged");
}

TEST_F(AuditCheckTest, RowsInPlaceOfOthersAreFound) {
  const v1::AuditRow row = Row(4);
  ExpectBad([&](WriteSet& writes) { writes.Put(Table::kAudit, keys::Number(3), row); }, 3,
            "row 3 cannot be read: it stands in another row's place");
}

TEST_F(AuditCheckTest, MissingRowsAreFound) {
  ExpectBad([](WriteSet& writes) { writes.Delete(Table::kAudit, keys::Number(3)); }, 3,
            "row 3 is missing; row 4 stands in its place");
}

TEST_F(AuditCheckTest, MissingNewestRowsAreFound) {
  ExpectBad([](WriteSet& writes) { writes.Delete(Table::kAudit, keys::Number(7)); }, 7,
            "row 7 is missing; the newest that was written is row 7");
}

TEST_F(AuditCheckTest, MissingOldestRowsAreFound) {
  ExpectBad(
      [this](WriteSet& writes) {
        v1::EngineState counters = Counters();
        counters.set_oldest_audit_sequence(3);
        counters.set_oldest_audit_previous_hash(Row(2).hash());
        writes.Put(Table::kEngine, keys::Singleton(), counters);
        writes.DeleteRange(Table::kAudit, keys::Number(1), keys::Number(3));
      },
      3, "the rows before row 3 are missing, and no row says that they were removed");
}

TEST_F(AuditCheckTest, AnotherNewestRowIsFound) {
  ExpectBad(
      [this](WriteSet& writes) {
        v1::EngineState counters = Counters();
        counters.set_audit_hash(Row(6).hash());
        writes.Put(Table::kEngine, keys::Singleton(), counters);
      },
      7, "row 7 is not the one that was written last");
}

TEST_F(AuditCheckTest, ChangedDecisionsAreFound) {
  auto [key, bytes] = world_.RawRows(Table::kDecision)[1];
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  ExpectBad([&](WriteSet& writes) { writes.PutBytes(Table::kDecision, key, bytes); }, 3,
            "the record of row 3, decision-2 of tenant \"t\", is not as it was written");
}

TEST_F(AuditCheckTest, MissingDecisionsAreFound) {
  ExpectBad([](WriteSet& writes) { writes.Delete(Table::kDecision, keys::TenantNumber("t", 2)); }, 3,
            "the record of row 3, decision-2 of tenant \"t\", is missing");
}

TEST_F(AuditCheckTest, MissingDecisionsThatNoRowSaysWereRemovedAreFound) {
  ExpectBad(
      [this](WriteSet& writes) {
        v1::EngineState counters = Counters();
        counters.set_removed_decision_sequence(2);
        writes.Put(Table::kEngine, keys::Singleton(), counters);
        writes.Delete(Table::kDecision, keys::TenantNumber("t", 2));
      },
      3, "the record of row 3, decision-2, is missing, and no row says that it was removed");
}

TEST_F(AuditCheckTest, ChangedPoliciesAreFound) {
  auto policy = world_.Rows<v1::PolicySet>(Table::kPolicy).front();
  policy.clear_constraints();
  ExpectBad([&](WriteSet& writes) { writes.Put(Table::kPolicy, keys::TenantNumber("t", 1), policy); }, 1,
            "the record of row 1, policy-1 of tenant \"t\", is not as it was written");
}

TEST_F(AuditCheckTest, ChangedLocksAreFound) {
  const std::string key = keys::Lock(lock_.state(), IdNumber("lock", lock_.lock_id()));
  v1::Lock changed = lock_;
  changed.mutable_engaged_by()->set_id("mallory");
  ExpectBad([&](WriteSet& writes) { writes.Put(Table::kLock, key, changed); }, 7,
            "the record of row 7, " + lock_.lock_id() + " of tenant \"t\", is not as it was written");
  changed = lock_;
  changed.set_version(9);
  ExpectBad([&](WriteSet& writes) { writes.Put(Table::kLock, key, changed); }, 7,
            "the record of row 7, " + lock_.lock_id() + ", is at version 9, for which there is no row");
  changed.set_version(0);
  ExpectBad(
      [&](WriteSet& writes) { writes.Put(Table::kLock, key, changed); }, 7,
      "the record of row 7, " + lock_.lock_id() + " of tenant \"t\", is at version 0, although version 1 was written");
  ExpectBad([&](WriteSet& writes) { writes.Delete(Table::kLock, key); }, 7,
            "the record of row 7, " + lock_.lock_id() + " of tenant \"t\", is missing");
}

TEST_F(AuditCheckTest, AReleasedLockThatBlocksAgainIsFound) {
  const auto released = world_.lock_changes[1];
  ASSERT_EQ(released.state(), v1::LOCK_STATE_CLEAR);
  const int64_t number = IdNumber("lock", released.lock_id());
  ExpectBad(
      [&](WriteSet& writes) {
        writes.Delete(Table::kLock, keys::Lock(v1::LOCK_STATE_CLEAR, number));
        writes.Put(Table::kLock, keys::Lock(v1::LOCK_STATE_TRIPPED, number), world_.lock_changes[0]);
      },
      6,
      "the record of row 6, " + released.lock_id() +
          " of tenant \"t\", is at version 1, although version 2 was written");
}

TEST_F(AuditCheckTest, RowsOfWhatCannotBeAreFound) {
  const std::vector<std::pair<std::function<void(v1::AuditRow&)>, std::string>> changes = {
      {[](v1::AuditRow& row) { row.set_record_id("decision"); },
       "the record of row 3, decision of tenant \"t\", has an id that cannot be"},
      {[](v1::AuditRow& row) { row.set_tenant_id(std::string("t\0t", 3)); },
       absl::StrCat("the record of row 3, decision-2 of tenant \"", std::string("t\0t", 3),
                    "\", has a tenant that cannot be")},
      {[](v1::AuditRow& row) { row.set_kind(v1::AUDIT_KIND_UNSPECIFIED); },
       "the record of row 3, decision-2 of tenant \"t\", is of no kind that there is"},
      {[](v1::AuditRow& row) { row.set_record_id("decision-99"); },
       "the record of row 3, decision-99 of tenant \"t\", is missing"},
  };
  for (const auto& [change, description] : changes) {
    const v1::AuditRow before = Row(3);
    ExpectBad([&, &change = change](WriteSet& writes) { RewriteChain(3, change, writes); }, 3, description);
    WriteSet back;
    RewriteChain(
        3, [&before](v1::AuditRow& row) { row = before; }, back);
    ASSERT_TRUE(world_.store.Commit(back).ok());
    EXPECT_TRUE(Verify().intact());
  }
}

TEST_F(AuditCheckTest, WhatRetentionRemovedIsCountedAndNotMissed) {
  Engine::Options options;
  options.decision_retention = options.audit_retention = absl::Hours(48);
  options.decisions_per_chunk = 100;
  EngineWorld world(options);
  for (int i = 0; i < 1200; ++i) ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  world.now += absl::Hours(48);
  world.Tick();
  ASSERT_TRUE(world.Do(MakeAction("a")).ok());
  // A tick removes a few chunks of decisions.
  for (int i = 0; i < 5; ++i) world.Tick();
  v1::VerifyAuditLogRequest request;
  const auto response = Read(world.store, request);
  ASSERT_TRUE(response.ok());
  EXPECT_TRUE(response->intact()) << response->description();
  EXPECT_EQ(response->first_sequence(), kAuditRowsPerCut + 1);
  EXPECT_GT(response->records_removed(), 0);
  const auto removal = world.Rows<v1::AuditRow>(Table::kAudit).back();
  ASSERT_EQ(removal.kind(), v1::AUDIT_KIND_RETENTION);
}

TEST_F(AuditCheckTest, ACutWhileRowsAreCheckedIsSaid) {
  v1::VerifyAuditLogRequest request;
  request.set_rows_max(2);
  request.set_continuation(Read(world_.store, request)->continuation());
  v1::EngineState counters = Counters();
  counters.set_oldest_audit_sequence(5);
  counters.set_oldest_audit_previous_hash(Row(4).hash());
  WriteSet writes;
  writes.Put(Table::kEngine, keys::Singleton(), counters);
  writes.DeleteRange(Table::kAudit, keys::Number(1), keys::Number(5));
  ASSERT_TRUE(world_.store.Commit(writes).ok());
  const auto response = Read(world_.store, request);
  EXPECT_EQ(response.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorReason(response.status()), "AUDIT_LOG_CUT");
}

// A store to which the engine adds a lock step right after the first scan.
class MovingStore : public Store {
 public:
  MovingStore(const Store& store, std::function<void()> after_scan)
      : store_(store), after_scan_(std::move(after_scan)) {}

  absl::Status Commit(const WriteSet&) override { return absl::UnimplementedError(""); }
  absl::StatusOr<std::string> Get(Table table, absl::string_view key) const override { return store_.Get(table, key); }
  absl::Status Scan(const ScanRange& range, const RowVisitor& visit) const override {
    const absl::Status status = store_.Scan(range, visit);
    if (after_scan_) std::exchange(after_scan_, nullptr)();
    return status;
  }

 private:
  const Store& store_;
  mutable std::function<void()> after_scan_;
};

TEST_F(AuditCheckTest, WhatChangesMeanwhileIsFollowed) {
  const MovingStore store(world_.store, [this] { EXPECT_EQ(Engage("site").version(), 2); });
  const auto response = Read(store, v1::VerifyAuditLogRequest());
  ASSERT_TRUE(response.ok());
  EXPECT_TRUE(response->intact()) << response->description();
  EXPECT_EQ(response->rows(), 8);
  EXPECT_EQ(response->records_checked(), 6);
}

TEST_F(AuditCheckTest, ErrorsOfTheStoreAreAnswered) {
  WriteSet writes;
  writes.PutBytes(Table::kEngine, keys::Singleton(), "\xff");
  ASSERT_TRUE(world_.store.Commit(writes).ok());
  EXPECT_EQ(Read(world_.store, v1::VerifyAuditLogRequest()).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace interlock::server
