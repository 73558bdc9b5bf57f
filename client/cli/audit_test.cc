// What the commands about the audit log ask for, show and exit with.
#include "client/cli/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "client/cli/audit_file.h"
#include "client/cli/test_terminal.h"
#include "client/testing/fake_server.h"
#include "core/audit/audit_chain.h"
#include "core/audit/audit_row.h"
#include "core/base/ed25519.h"

namespace interlock::cli {
namespace {

using ::testing::HasSubstr;

const std::string kKey(kEd25519KeyBytes, 'k');

class AuditTest : public ::testing::Test {
 protected:
  AuditTest() : path_(::testing::TempDir() + "/" + Name() + ".audit") {
    std::filesystem::remove(path_);
    audit::AuditChain chain;
    for (int i = 1; i <= 3; ++i) {
      rows_.push_back(chain.Append({v1::AUDIT_KIND_DECISION, "t", nullptr, "decision-1", 0}, "1",
                                   absl::FromUnixSeconds(1700000000)));
    }
    trailer_.set_epoch("epoch-1");
    trailer_.set_rows(3);
    trailer_.set_first_sequence(1);
    trailer_.set_last_sequence(3);
    trailer_.set_previous_hash(audit::FirstPreviousHash());
    trailer_.set_head_hash(chain.hash());
    trailer_.mutable_time()->set_seconds(1700000001);
    audit::SignTrailer(kKey, trailer_);
    server_.answers.export_audit_log = [this](grpc::ServerContext&, const v1::ExportAuditLogRequest& request,
                                              grpc::ServerWriter<v1::ExportAuditLogResponse>& writer) {
      asked_ = request;
      v1::ExportAuditLogResponse piece;
      for (const v1::AuditRow& row : rows_) *piece.add_rows() = row;
      writer.Write(piece);
      piece.clear_rows();
      *piece.mutable_trailer() = trailer_;
      if (sends_trailer_) writer.Write(piece);
      return grpc::Status::OK;
    };
  }

  static std::string Name() { return ::testing::UnitTest::GetInstance()->current_test_info()->name(); }
  ProgramResult Run(const std::vector<std::string>& words, const std::string& input = "") {
    return RunAgainst(server_.address(), words, input);
  }
  std::string Read() const {
    std::ifstream file(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  void Write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

  client::FakeServer server_;
  const std::string path_;
  std::vector<v1::AuditRow> rows_;
  v1::AuditTrailer trailer_;
  bool sends_trailer_ = true;
  v1::ExportAuditLogRequest asked_;
};

TEST_F(AuditTest, ExportsAreVerifiedInBothFormats) {
  for (const std::string format : {"jsonl", "protobuf"}) {
    ProgramResult result = Run({"audit", "export", "--format=" + format, "--output=" + path_, "--first=1", "--last=3"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("3 rows, 1..3, signed by " + absl::BytesToHexString(trailer_.public_key())));
    EXPECT_EQ(asked_.first_sequence(), 1);
    EXPECT_EQ(asked_.last_sequence(), 3);
    EXPECT_FALSE(std::filesystem::exists(path_ + ".part"));
    result = RunAgainst("", {"audit", "verify", path_});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.out, HasSubstr("intact: 3 rows, 1..3\n"));
    EXPECT_THAT(result.out, HasSubstr("complete: signed by " + absl::BytesToHexString(trailer_.public_key()) +
                                      " at 2023-11-14 22:13:21Z, store epoch-1\n"));
    EXPECT_THAT(result.out, HasSubstr("compare it with the server's"));
  }
}

TEST_F(AuditTest, ExportsGoToStandardOutputTooAndAreReadFromStandardInput) {
  const ProgramResult exported = Run({"audit", "export"});
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  const ProgramResult verified = RunAgainst("", {"audit", "verify", "-", "--json"}, exported.out);
  EXPECT_EQ(verified.exit_code, 0);
  EXPECT_THAT(verified.out, HasSubstr("\"complete\":true"));
  EXPECT_THAT(verified.out, HasSubstr("\"intact\":true"));
  EXPECT_THAT(verified.out, HasSubstr("\"rows\":3"));
}

TEST_F(AuditTest, AnExportWithoutItsTrailerLeavesNoFile) {
  sends_trailer_ = false;
  const ProgramResult result = Run({"audit", "export", "--output=" + path_});
  EXPECT_EQ(result.exit_code, kExitError);
  EXPECT_THAT(result.err, HasSubstr("without its trailer"));
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".part"));
}

TEST_F(AuditTest, TheKeyThatIsGivenCounts) {
  ASSERT_EQ(Run({"audit", "export", "--output=" + path_}).exit_code, 0);
  ProgramResult result =
      Run({"audit", "verify", path_, "--public_key=" + absl::BytesToHexString(trailer_.public_key())});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, Not(HasSubstr("compare it")));
  const std::string other = absl::BytesToHexString(Ed25519PublicKey(std::string(32, 'j')));
  result = Run({"audit", "verify", path_, "--public_key=" + other});
  EXPECT_EQ(result.exit_code, kExitIncomplete);
  EXPECT_THAT(result.out, HasSubstr("intact: 3 rows, 1..3\nincomplete: the trailer is signed with another key\n"));
  for (const std::string bad : {"", "abc", "zz"}) {
    EXPECT_EQ(Run({"audit", "verify", path_, "--public_key=" + bad}).exit_code, kExitUsage);
  }
  EXPECT_EQ(Run({"audit", "verify", "--public_key=" + other}).exit_code, kExitUsage);
}

TEST_F(AuditTest, WhatIsWrongIsSaidAndIsTheExitCode) {
  ASSERT_EQ(Run({"audit", "export", "--output=" + path_}).exit_code, 0);
  const std::string whole = Read();
  const size_t trailer = whole.rfind("{\"trailer\"");
  Write(whole.substr(0, trailer));
  ProgramResult result = Run({"audit", "verify", path_});
  EXPECT_EQ(result.exit_code, kExitIncomplete);
  EXPECT_EQ(result.out, "intact: 3 rows, 1..3\nincomplete: it has no trailer: nothing says that these are all rows\n");
  const size_t second = whole.find('\n') + 1;
  Write(whole.substr(0, second) + whole.substr(whole.find('\n', second) + 1));
  result = Run({"audit", "verify", path_});
  EXPECT_EQ(result.exit_code, kExitError);
  EXPECT_THAT(result.out, HasSubstr("NOT intact: row 2 is missing; row 3 stands in its place\n"));
  Write(whole.substr(second));
  result = Run({"audit", "verify", path_});
  EXPECT_EQ(result.exit_code, kExitIncomplete);
  EXPECT_THAT(result.out, HasSubstr("  row 2 itself is not checked: what it follows is not known\n"));
  EXPECT_EQ(Run({"audit", "verify", path_ + ".none"}).exit_code, kExitError);
}

TEST_F(AuditTest, TheServersOwnLogIsVerifiedPieceByPiece) {
  server_.answers.verify_audit_log = [](grpc::ServerContext&, const v1::VerifyAuditLogRequest& request,
                                        v1::VerifyAuditLogResponse& reply) {
    reply.set_intact(true);
    reply.set_rows(request.continuation().empty() ? 1000 : 1234);
    reply.set_first_sequence(1);
    reply.set_last_sequence(reply.rows());
    reply.set_head_hash(std::string(32, '\1'));
    reply.set_records_checked(1200);
    reply.set_records_removed(34);
    if (request.continuation().empty()) reply.set_continuation("next");
    return grpc::Status::OK;
  };
  const ProgramResult result = Run({"audit", "verify"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("intact: 1,234 rows, 1..1234\n"
                                    "  1,200 records are as their rows say, 34 were removed by retention\n"));
}

TEST_F(AuditTest, ABadLogOfTheServerIsAnError) {
  server_.answers.verify_audit_log = [](grpc::ServerContext&, const v1::VerifyAuditLogRequest&,
                                        v1::VerifyAuditLogResponse& reply) {
    reply.set_bad_sequence(77);
    reply.set_description("row 77 was changed");
    return grpc::Status::OK;
  };
  ProgramResult result = Run({"audit", "verify"});
  EXPECT_EQ(result.exit_code, kExitError);
  EXPECT_EQ(result.out, "NOT intact: row 77 was changed\n");
  result = Run({"audit", "verify", "--json"});
  EXPECT_EQ(result.exit_code, kExitError);
  EXPECT_THAT(result.out, HasSubstr("\"badSequence\":\"77\""));
}

TEST_F(AuditTest, WrongUseIsRefused) {
  EXPECT_EQ(Run({"audit", "export", "--format=xml"}).exit_code, kExitUsage);
  EXPECT_EQ(Run({"audit", "export", "--first=x"}).exit_code, kExitUsage);
  EXPECT_EQ(Run({"audit", "export", "--output=" + path_ + "/none/file"}).exit_code, kExitError);
}

}  // namespace
}  // namespace interlock::cli
