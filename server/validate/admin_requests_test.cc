#include <string>

#include "gtest/gtest.h"
#include "interlock/v1/audit.pb.h"
#include "server/validate/requests_testing.h"

namespace interlock::server {
namespace {

TEST(GetServerInfoTest, HasNothingThatCouldBeWrong) { EXPECT_TRUE(Validate(v1::GetServerInfoRequest()).ok()); }

TEST(VerifyAuditLogTest, RowsAndContinuation) {
  using Verify = v1::VerifyAuditLogRequest;
  v1::AuditProgress progress;
  progress.set_first_sequence(3);
  progress.set_last_sequence(3);
  progress.set_last_hash(std::string(32, 'h'));
  const auto continued = [progress](const std::function<void(v1::AuditProgress&)>& change) {
    return [progress, change](Verify& request) {
      v1::AuditProgress changed = progress;
      change(changed);
      request.set_continuation(changed.SerializeAsString());
    };
  };
  using Progress = v1::AuditProgress;
  ExpectVariations<Verify>(
      Verify(),
      {
          {"rows", [](Verify& r) { r.set_rows_max(7); }, {}},
          {"very many rows", [](Verify& r) { r.set_rows_max(1000000); }, {}},
          {"negative rows", [](Verify& r) { r.set_rows_max(-1); }, {"rows_max"}},
          {"continuation", continued([](Progress&) {}), {}},
          {"no message", [](Verify& r) { r.set_continuation("\xFF"); }, {"continuation"}},
          {"no first row", continued([](Progress& p) { p.set_first_sequence(0); }), {"continuation"}},
          {"last before first", continued([](Progress& p) { p.set_last_sequence(2); }), {"continuation"}},
          {"short hash", continued([](Progress& p) { p.set_last_hash(std::string(31, 'h')); }), {"continuation"}},
          {"1,000 open records",
           continued([](Progress& p) {
             for (int i = 0; i < 1000; ++i) p.add_open_records();
           }),
           {}},
          {"too many open records",
           continued([](Progress& p) {
             for (int i = 0; i < 1001; ++i) p.add_open_records();
           }),
           {"continuation"}},
      });
}

TEST(ExportAuditLogTest, FirstAndLast) {
  using Export = v1::ExportAuditLogRequest;
  ExpectVariations<Export>(Export(),
                           {
                               {"from a row on", [](Export& r) { r.set_first_sequence(5); }, {}},
                               {"up to a row", [](Export& r) { r.set_last_sequence(5); }, {}},
                               {"one row",
                                [](Export& r) {
                                  r.set_first_sequence(5);
                                  r.set_last_sequence(5);
                                },
                                {}},
                               {"backwards",
                                [](Export& r) {
                                  r.set_first_sequence(5);
                                  r.set_last_sequence(4);
                                },
                                {"last_sequence"}},
                               {"negative first", [](Export& r) { r.set_first_sequence(-1); }, {"first_sequence"}},
                               {"negative last", [](Export& r) { r.set_last_sequence(-1); }, {"last_sequence"}},
                           });
}

}  // namespace
}  // namespace interlock::server
