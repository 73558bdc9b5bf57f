// The audit log of the real program: exported and verified by interlockctl in both formats, with every kind of
// tampering, and verified by the server over a store that somebody has changed.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/cli/audit_file.h"
#include "client/cli/test_terminal.h"
#include "core/audit/audit_row.h"
#include "core/base/ed25519.h"
#include "core/engine/keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "interlock/v1/audit.pb.h"
#include "storage/rocksdb_store.h"
#include "tests/support/api.h"
#include "tests/support/files.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

namespace interlock {
namespace {

using cli::AuditFormat;
using cli::ProgramResult;
using support::Api;
using ::testing::HasSubstr;

// Decisions of an agent, an approval with a vote that is used, a policy, a lock that is engaged and released.
void LiveADay(const support::ServerProcess& server) {
  const auto channel = server.NewChannel();
  const Api alice(channel, "human:alice");
  const Api bob(channel, "human:bob");
  const Api agent(channel, "agent:bot");
  v1::UpdatePolicyRequest policy;
  policy.mutable_policy()->set_tenant_id("t");
  policy.mutable_policy()->set_profile("reference");
  ASSERT_TRUE(alice.Call(&support::Policies::UpdatePolicy, policy).ok());
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(agent.Call(&support::Safety::Arbitrate, support::ActionOf("t", "bot", "write_blog")).ok());
  }
  v1::ArbitrateRequest asks = support::ActionOf("t", "bot", "plan_strategy");
  const auto denied = agent.Call(&support::Safety::Arbitrate, asks);
  ASSERT_FALSE(denied->approval_id().empty());
  v1::DecideApprovalRequest vote;
  vote.set_tenant_id("t");
  vote.set_approval_id(denied->approval_id());
  vote.set_version(1);
  vote.set_approve(true);
  const auto decided = bob.Call(&support::Approvals::DecideApproval, vote);
  ASSERT_TRUE(decided.ok()) << decided.status.error_message();
  asks.set_approval_id(denied->approval_id());
  ASSERT_EQ(agent.Call(&support::Safety::Arbitrate, asks)->verdict(), v1::VERDICT_ALLOW);
  v1::EngageLockRequest engage;
  engage.set_tenant_id("t");
  engage.mutable_scope()->set_kind(v1::SCOPE_KIND_RESOURCE);
  engage.mutable_scope()->set_id("page");
  engage.set_reason("drill");
  const auto lock = alice.Call(&support::Locks::EngageLock, engage);
  ASSERT_TRUE(lock.ok()) << lock.status.error_message();
  v1::ReleaseLockRequest release;
  release.set_lock_id(lock->lock_id());
  release.set_version(lock->version());
  release.set_reason("over");
  ASSERT_TRUE(bob.Call(&support::Locks::ReleaseLock, release).ok());
}

class AuditTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server = new support::ServerProcess({"audit", {}});
    LiveADay(*server);
  }
  static void TearDownTestSuite() {
    delete server;
    server = nullptr;
  }

  static ProgramResult Run(const std::vector<std::string>& words) { return cli::RunAgainst(server->address(), words); }

  // The rows and the trailer as the server sends them.
  static std::vector<v1::AuditEntry> Export(int64_t first = 0, int64_t last = 0) {
    v1::ExportAuditLogRequest request;
    request.set_first_sequence(first);
    request.set_last_sequence(last);
    grpc::ClientContext context;
    const auto stub = v1::AdminService::NewStub(server->NewChannel());
    const auto reader = stub->ExportAuditLog(&context, request);
    std::vector<v1::AuditEntry> entries;
    for (v1::ExportAuditLogResponse piece; reader->Read(&piece);) {
      for (const v1::AuditRow& row : piece.rows()) *entries.emplace_back().mutable_row() = row;
      if (piece.has_trailer()) *entries.emplace_back().mutable_trailer() = piece.trailer();
    }
    EXPECT_TRUE(reader->Finish().ok());
    return entries;
  }

  // What interlockctl says of a file with these entries, in one format.
  static ProgramResult Verify(const std::vector<v1::AuditEntry>& entries, AuditFormat format) {
    std::string bytes;
    for (const v1::AuditEntry& entry : entries) bytes += cli::FormatAuditEntry(entry, format);
    return cli::RunAgainst("", {"audit", "verify", "-", "--public_key=" + PublicKey()}, bytes);
  }

  static std::string PublicKey() {
    const Api alice(server->NewChannel(), "human:alice");
    const auto info = alice.Call(&support::Admin::GetServerInfo, v1::GetServerInfoRequest());
    return absl::BytesToHexString(info->audit_public_key());
  }

  // Changes a copy of the export and verifies it in both formats.
  static void ExpectVerdict(const std::string& what, const std::function<void(std::vector<v1::AuditEntry>&)>& change,
                            int exit_code, const std::string& text) {
    SCOPED_TRACE(what);
    std::vector<v1::AuditEntry> entries = Export();
    change(entries);
    for (const AuditFormat format : {AuditFormat::kJsonLines, AuditFormat::kProtobuf}) {
      const ProgramResult result = Verify(entries, format);
      EXPECT_EQ(result.exit_code, exit_code) << result.out << result.err;
      EXPECT_THAT(result.out, HasSubstr(text));
    }
  }

  static support::ServerProcess* server;
};

support::ServerProcess* AuditTest::server = nullptr;

constexpr int kRows = 13;
constexpr int kComplete = 0;
constexpr int kNotIntact = 1;
constexpr int kIncomplete = 6;

TEST_F(AuditTest, EveryRecordHasItsRow) {
  std::vector<std::string> rows;
  for (const v1::AuditEntry& entry : Export()) {
    if (!entry.has_row()) continue;
    const v1::AuditRow& row = entry.row();
    rows.push_back(absl::StrCat(row.record_id().substr(0, row.record_id().find('-')), " ", row.record_version(), " by ",
                                row.principal().id()));
  }
  const std::vector<std::string> expected = {
      "policy 1 by alice", "decision 0 by bot", "decision 0 by bot", "decision 0 by bot",
      "decision 0 by bot", "decision 0 by bot", "approval 1 by bot", "decision 0 by bot",
      "approval 2 by bob", "approval 3 by bot", "decision 0 by bot", "lock 1 by alice",
  };
  ASSERT_GE(rows.size(), expected.size());
  EXPECT_EQ(std::vector<std::string>(rows.begin(), rows.begin() + 12), expected);
  EXPECT_EQ(rows[12], "lock 2 by bob");
  EXPECT_EQ(rows.size(), static_cast<size_t>(kRows));
}

TEST_F(AuditTest, ExportsOfInterlockctlAreIntactAndComplete) {
  for (const std::string format : {"jsonl", "protobuf"}) {
    const std::string path = absl::StrCat(support::FreshDirectory("export"), "/audit.", format);
    const ProgramResult exported = Run({"audit", "export", "--format=" + format, "--output=" + path});
    EXPECT_EQ(exported.exit_code, 0) << exported.err;
    const ProgramResult verified = cli::RunAgainst("", {"audit", "verify", path, "--public_key=" + PublicKey()});
    EXPECT_EQ(verified.exit_code, kComplete) << verified.out << verified.err;
    EXPECT_THAT(verified.out,
                HasSubstr(absl::StrCat("intact: ", kRows, " rows, 1..", kRows, "\ncomplete: signed by ", PublicKey())));
  }
}

TEST_F(AuditTest, EveryChangedFieldOfARowIsFound) {
  using Change = std::function<void(v1::AuditRow&)>;
  const std::vector<std::pair<std::string, Change>> changes = {
      {"time", [](v1::AuditRow& row) { row.mutable_time()->set_nanos(row.time().nanos() ^ 1); }},
      {"kind", [](v1::AuditRow& row) { row.set_kind(v1::AUDIT_KIND_LOCK); }},
      {"tenant", [](v1::AuditRow& row) { row.set_tenant_id("u"); }},
      {"principal", [](v1::AuditRow& row) { row.mutable_principal()->set_id("bou"); }},
      {"principal's kind", [](v1::AuditRow& row) { row.mutable_principal()->set_kind(v1::PRINCIPAL_KIND_HUMAN); }},
      {"record", [](v1::AuditRow& row) { row.set_record_id("decision-9"); }},
      {"version", [](v1::AuditRow& row) { row.set_record_version(1); }},
      {"digest", [](v1::AuditRow& row) { (*row.mutable_record_digest())[31] ^= 1; }},
      {"removal", [](v1::AuditRow& row) { row.mutable_removal()->set_last_sequence(1); }},
      {"hash", [](v1::AuditRow& row) { (*row.mutable_hash())[0] ^= 4; }},
  };
  for (const auto& [what, change] : changes) {
    for (const size_t place : {size_t{2}, size_t{4}}) {
      ExpectVerdict(
          what, [&, &change = change](auto& entries) { change(*entries[place].mutable_row()); }, kNotIntact,
          absl::StrCat("NOT intact: row ", place + 1, " was changed"));
    }
  }
}

TEST_F(AuditTest, EveryChangedFieldOfTheTrailerIsFound) {
  using Change = std::function<void(v1::AuditTrailer&)>;
  const std::vector<Change> changes = {
      [](v1::AuditTrailer& trailer) { trailer.set_epoch("other"); },
      [](v1::AuditTrailer& trailer) { trailer.set_rows(trailer.rows() + 1); },
      [](v1::AuditTrailer& trailer) { trailer.set_first_sequence(2); },
      [](v1::AuditTrailer& trailer) { trailer.set_last_sequence(5); },
      [](v1::AuditTrailer& trailer) { (*trailer.mutable_previous_hash())[3] ^= 1; },
      [](v1::AuditTrailer& trailer) { (*trailer.mutable_head_hash())[3] ^= 1; },
      [](v1::AuditTrailer& trailer) { trailer.mutable_time()->set_seconds(1); },
      [](v1::AuditTrailer& trailer) { (*trailer.mutable_signature())[3] ^= 1; },
  };
  for (const Change& change : changes) {
    ExpectVerdict(
        "trailer", [&](auto& entries) { change(*entries.back().mutable_trailer()); }, kIncomplete,
        absl::StrCat("intact: ", kRows, " rows, 1..", kRows, "\nincomplete: the trailer's signature"));
  }
}

TEST_F(AuditTest, RemovedReorderedAndInsertedRowsAreFound) {
  ExpectVerdict(
      "a removed row", [](auto& entries) { entries.erase(entries.begin() + 4); }, kNotIntact,
      "NOT intact: row 5 is missing; row 6 stands in its place");
  ExpectVerdict(
      "a reordered pair", [](auto& entries) { std::swap(entries[4], entries[5]); }, kNotIntact,
      "NOT intact: row 5 stands behind later rows");
  ExpectVerdict(
      "an inserted row", [](auto& entries) { entries.insert(entries.begin() + 4, entries[2]); }, kNotIntact,
      "NOT intact: row 3 stands where row 5 is due");
  ExpectVerdict(
      "an inserted row with a hash of its own",
      [](auto& entries) {
        v1::AuditEntry forged = entries[4];
        forged.mutable_row()->set_record_id("decision-77");
        forged.mutable_row()->set_hash(audit::HashOf(forged.row(), entries[3].row().hash()));
        entries.insert(entries.begin() + 4, forged);
      },
      kNotIntact, "NOT intact: row 5 stands where row 6 is due");
}

TEST_F(AuditTest, WhatIsCutOffIsIncomplete) {
  ExpectVerdict(
      "without its trailer", [](auto& entries) { entries.pop_back(); }, kIncomplete,
      absl::StrCat("intact: ", kRows, " rows, 1..", kRows, "\nincomplete: it has no trailer"));
  ExpectVerdict(
      "a truncated tail", [](auto& entries) { entries.resize(7); }, kIncomplete,
      "intact: 7 rows, 1..7\nincomplete: it has no trailer");
  ExpectVerdict(
      "rows cut out before the trailer", [](auto& entries) { entries.erase(entries.begin() + 9, entries.end() - 1); },
      kIncomplete, "incomplete: the trailer vouches for 13 rows up to 13, and there are 9 up to 9");
  ExpectVerdict(
      "rows cut off at the beginning", [](auto& entries) { entries.erase(entries.begin()); }, kIncomplete,
      "incomplete: the trailer vouches for rows from 1 on, and the first is 2");
  std::string file;
  for (const v1::AuditEntry& entry : Export()) file += cli::FormatAuditEntry(entry, AuditFormat::kJsonLines);
  file.resize(file.size() / 2);
  const ProgramResult half = cli::RunAgainst("", {"audit", "verify", "-"}, file);
  EXPECT_EQ(half.exit_code, kIncomplete) << half.out;
  EXPECT_THAT(half.out, HasSubstr("incomplete: it ends in the middle of the entry behind row"));
}

TEST_F(AuditTest, AFileSignedByAnotherKeyIsIncomplete) {
  ExpectVerdict(
      "another key",
      [](auto& entries) { audit::SignTrailer(std::string(kEd25519KeyBytes, 'm'), *entries.back().mutable_trailer()); },
      kIncomplete, "incomplete: the trailer is signed with another key");
}

TEST_F(AuditTest, AChainThatWasMadeAnewIsNotTheSignedOne) {
  ExpectVerdict(
      "every row hashed anew",
      [](auto& entries) {
        entries[3].mutable_row()->mutable_principal()->set_id("mallory");
        std::string hash = audit::FirstPreviousHash();
        for (v1::AuditEntry& entry : entries) {
          if (entry.has_row()) entry.mutable_row()->set_hash(hash = audit::HashOf(entry.row(), hash));
        }
      },
      kNotIntact, "is not the one that the trailer vouches for");
}

TEST_F(AuditTest, AFileHoldsOneExport) {
  ExpectVerdict(
      "two exports",
      [](auto& entries) {
        for (const v1::AuditEntry& entry : Export()) entries.push_back(entry);
      },
      kNotIntact, absl::StrCat("NOT intact: row ", kRows + 1, " cannot be read: it stands behind a trailer"));
  ExpectVerdict(
      "two parts",
      [](auto& entries) {
        entries = Export(1, 6);
        for (const v1::AuditEntry& entry : Export(7)) entries.push_back(entry);
      },
      kNotIntact, "NOT intact: row 7 cannot be read: it stands behind a trailer");
  ExpectVerdict(
      "one part", [](auto& entries) { entries = Export(7, 9); }, kComplete, "intact: 3 rows, 7..9\ncomplete");
}

TEST_F(AuditTest, TheServerVerifiesItsLog) {
  const ProgramResult result = Run({"audit", "verify"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr(absl::StrCat("intact: ", kRows, " rows, 1..", kRows, "\n  ", kRows - 3,
                                                 " records are as their rows say, 0 were removed by retention\n")));
}

TEST_F(AuditTest, AgentsAndWorkersMayNot) {
  for (const char* principal : {"agent:bot", "worker:w"}) {
    const std::string as = absl::StrCat("--as=", principal);
    for (const char* command : {"verify", "export"}) {
      const ProgramResult result = Run({"audit", command, as});
      EXPECT_EQ(result.exit_code, 1);
      EXPECT_THAT(result.err, HasSubstr("PERMISSION_DENIED AUDIT_NOT_PERMITTED"));
    }
  }
  EXPECT_EQ(Run({"audit", "verify", "--as=service:auditor"}).exit_code, 0);
}

TEST_F(AuditTest, WhatIsNotThereIsOutOfRange) {
  const ProgramResult result = Run({"audit", "export", "--first=99"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("OUT_OF_RANGE SEQUENCE_AHEAD"));
}

// A store that somebody changes while the server is down.
TEST(AuditStoreTest, AChangedDecisionIsFoundByTheServer) {
  support::ServerProcess server({"audit_store", {}});
  LiveADay(server);
  const std::string key_before = cli::RunAgainst(server.address(), {"status"}).out;
  EXPECT_EQ(server.Terminate(), 0);
  const std::string key = keys::TenantNumber("t", 3);
  {
    auto store = storage::RocksdbStore::Open(server.data_dir(), {});
    ASSERT_TRUE(store.ok()) << store.status();
    std::string row = *(*store)->Get(Table::kDecision, key);
    row.back() = static_cast<char>(row.back() ^ 1);
    WriteSet writes;
    writes.PutBytes(Table::kDecision, key, row);
    ASSERT_TRUE((*store)->Commit(writes).ok());
  }
  server.Restart();
  const ProgramResult result = cli::RunAgainst(server.address(), {"audit", "verify"});
  EXPECT_EQ(result.exit_code, kNotIntact);
  EXPECT_THAT(result.out,
              HasSubstr("NOT intact: the record of row 4, decision-3 of tenant \"t\", is not as it was written"));
  // Its rows are as they were, so an export still is in order, and is signed by the same key.
  const ProgramResult exported = cli::RunAgainst(server.address(), {"audit", "export"});
  const ProgramResult verified = cli::RunAgainst("", {"audit", "verify", "-"}, exported.out);
  EXPECT_EQ(verified.exit_code, kComplete) << verified.out;
  const size_t key_place = verified.out.find("signed by ") + 10;
  EXPECT_THAT(key_before, HasSubstr(verified.out.substr(key_place, 64)));
}

}  // namespace
}  // namespace interlock
