#include "server/rpc/audit_export.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/audit/export_check.h"
#include "core/base/ed25519.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/engine/keys.h"
#include "server/base/limits.h"
#include "server/feed/stream_message.h"
#include "tests/support/engine_world.h"

namespace interlock::server {
namespace {

using ::interlock::testing::EngineWorld;
using ::interlock::testing::MakeAction;

// A store with five rows.
class AuditExportTest : public ::testing::Test {
 protected:
  AuditExportTest() { Decide(5); }

  void Decide(int count) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(world_.Do(MakeAction("a")).ok());
  }

  AuditExport Open(int64_t first = 0, int64_t last = 0) {
    v1::ExportAuditLogRequest request;
    request.set_first_sequence(first);
    request.set_last_sequence(last);
    return AuditExport(
        request, [this] { return store_; }, key_);
  }

  // All messages up to the end.
  absl::StatusOr<std::vector<v1::ExportAuditLogResponse>> ReadAll(AuditExport stream) {
    std::vector<v1::ExportAuditLogResponse> messages;
    for (;;) {
      const auto next = stream.Next(kNow);
      EXPECT_TRUE(next.ok());
      if (next->kind == StreamStep::Kind::kEnd) return messages;
      EXPECT_EQ(next->kind, StreamStep::Kind::kBehind);
      const auto step = stream.ReadOn(kNow);
      if (!step.ok()) return step.status();
      EXPECT_TRUE(messages.emplace_back().ParseFromString(Flatten(step->message)));
    }
  }

  audit::ExportVerdict Check(const std::vector<v1::ExportAuditLogResponse>& messages) {
    audit::ExportCheck check(Ed25519PublicKey(key_.bytes()));
    for (const auto& message : messages) {
      v1::AuditEntry entry;
      for (const v1::AuditRow& row : message.rows()) {
        *entry.mutable_row() = row;
        check.Add(entry);
      }
      if (!message.has_trailer()) continue;
      *entry.mutable_trailer() = message.trailer();
      check.Add(entry);
    }
    return check.Finish();
  }

  std::string ReasonOf(AuditExport stream) { return ErrorReason(ReadAll(std::move(stream)).status()); }

  const absl::Time kNow = absl::FromUnixSeconds(1800000000);
  EngineWorld world_;
  const SecretKey key_{std::string(32, 'k')};
  // Borrowed from the world.
  std::shared_ptr<const Store> store_{&world_.store, [](const Store*) {}};
};

TEST_F(AuditExportTest, AllRowsAndTheTrailerAreSent) {
  const auto messages = ReadAll(Open());
  ASSERT_TRUE(messages.ok()) << messages.status();
  const audit::ExportVerdict verdict = Check(*messages);
  EXPECT_TRUE(verdict.intact && verdict.complete) << verdict.fault << verdict.missing;
  EXPECT_EQ(verdict.rows, 5);
  EXPECT_EQ(verdict.trailer.epoch(), "epoch-1");
  EXPECT_EQ(FromProto(verdict.trailer.time()), kNow);
}

TEST_F(AuditExportTest, LongLogsTakeSeveralMessages) {
  Decide(kAuditRowsPerMessageMax - 4);
  const auto messages = ReadAll(Open());
  ASSERT_TRUE(messages.ok());
  ASSERT_EQ(messages->size(), 2u);
  EXPECT_EQ((*messages)[0].rows_size(), kAuditRowsPerMessageMax);
  EXPECT_FALSE((*messages)[0].has_trailer());
  EXPECT_EQ((*messages)[1].rows_size(), 1);
  EXPECT_TRUE(Check(*messages).complete);
}

TEST_F(AuditExportTest, PartsAreExportsToo) {
  const auto part = ReadAll(Open(2, 4));
  ASSERT_TRUE(part.ok());
  audit::ExportVerdict verdict = Check(*part);
  EXPECT_TRUE(verdict.complete) << verdict.missing;
  EXPECT_EQ(verdict.first_sequence, 2);
  EXPECT_EQ(verdict.last_sequence, 4);
  verdict = Check(*ReadAll(Open(5, 99)));
  EXPECT_TRUE(verdict.complete);
  EXPECT_EQ(verdict.last_sequence, 5) << "there is no later one";
  verdict = Check(*ReadAll(Open(6)));
  EXPECT_TRUE(verdict.complete) << verdict.missing;
  EXPECT_EQ(verdict.rows, 0);
  EXPECT_EQ(ReasonOf(Open(7)), "SEQUENCE_AHEAD");
}

TEST_F(AuditExportTest, RowsThatComeMeanwhileAreNotSent) {
  Decide(kAuditRowsPerMessageMax);
  AuditExport stream = Open();
  ASSERT_TRUE(stream.ReadOn(kNow).ok());
  Decide(3);
  v1::ExportAuditLogResponse last;
  ASSERT_TRUE(last.ParseFromString(Flatten(stream.ReadOn(kNow)->message)));
  EXPECT_EQ(last.trailer().last_sequence(), kAuditRowsPerMessageMax + 5);
}

TEST_F(AuditExportTest, EmptyLogsHaveATrailer) {
  EngineWorld empty;
  store_ = {&empty.store, [](const Store*) {}};
  const auto messages = ReadAll(Open());
  ASSERT_TRUE(messages.ok()) << messages.status();
  const audit::ExportVerdict verdict = Check(*messages);
  EXPECT_TRUE(verdict.complete) << verdict.missing;
  EXPECT_EQ(verdict.trailer.first_sequence(), 1);
  EXPECT_EQ(verdict.trailer.last_sequence(), 0);
}

// Cuts the rows 1 to 3 as retention does, but for the row that says so.
void Cut(EngineWorld& world) {
  const auto rows = world.Rows<v1::AuditRow>(Table::kAudit);
  auto counters = world.Rows<v1::EngineState>(Table::kEngine).front();
  counters.set_oldest_audit_sequence(4);
  counters.set_oldest_audit_previous_hash(rows[2].hash());
  WriteSet writes;
  writes.Put(Table::kEngine, keys::Singleton(), counters);
  writes.DeleteRange(Table::kAudit, keys::Number(1), keys::Number(4));
  ASSERT_TRUE(world.store.Commit(writes).ok());
}

TEST_F(AuditExportTest, AfterACutTheOldestRowIsTheFirst) {
  Cut(world_);
  const audit::ExportVerdict verdict = Check(*ReadAll(Open()));
  EXPECT_TRUE(verdict.complete) << verdict.missing;
  EXPECT_EQ(verdict.first_sequence, 4);
  EXPECT_EQ(ReasonOf(Open(3)), "SEQUENCE_EXPIRED");
  EXPECT_TRUE(Check(*ReadAll(Open(5))).complete);
}

TEST_F(AuditExportTest, ACutMeanwhileEndsTheExport) {
  Decide(kAuditRowsPerMessageMax);
  AuditExport stream = Open();
  ASSERT_TRUE(stream.ReadOn(kNow).ok());
  auto counters = world_.Rows<v1::EngineState>(Table::kEngine).front();
  counters.set_oldest_audit_sequence(kAuditRowsPerMessageMax + 2);
  WriteSet writes;
  writes.Put(Table::kEngine, keys::Singleton(), counters);
  writes.DeleteRange(Table::kAudit, keys::Number(1), keys::Number(kAuditRowsPerMessageMax + 2));
  ASSERT_TRUE(world_.store.Commit(writes).ok());
  EXPECT_EQ(ErrorReason(stream.ReadOn(kNow).status()), "SEQUENCE_EXPIRED");
}

TEST_F(AuditExportTest, DamageEndsTheExport) {
  for (const bool unreadable : {false, true}) {
    WriteSet writes;
    writes.Delete(Table::kAudit, keys::Number(3));
    if (unreadable) writes.PutBytes(Table::kAudit, keys::Number(3), "\xff");
    ASSERT_TRUE(world_.store.Commit(writes).ok());
    const auto messages = ReadAll(Open());
    EXPECT_EQ(messages.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(messages.status().message(),
              "row 3 of the audit log is missing or cannot be read; VerifyAuditLog says more, and the store can be "
              "restored from a backup");
    EXPECT_EQ(ReadAll(Open(4)).status().code(), absl::StatusCode::kDataLoss) << "what it follows is needed too";
  }
}

TEST_F(AuditExportTest, WithoutAStoreItIsUnavailable) {
  store_ = nullptr;
  EXPECT_EQ(ReasonOf(Open()), "NOT_SERVING");
}

}  // namespace
}  // namespace interlock::server
