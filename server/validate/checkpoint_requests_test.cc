#include <string>

#include "core/base/sha256.h"
#include "gtest/gtest.h"
#include "server/validate/requests_testing.h"

namespace interlock::server {
namespace {

TEST(CreateCheckpointTest, NamesAndState) {
  using Create = v1::CreateCheckpointRequest;
  const auto valid = Parse<Create>("tenant_id: 't' agent_id: 'a' action_type: 'deploy' state: 's'");
  ExpectVariations<Create>(
      valid,
      {
          {"empty", [](Create& r) { r.Clear(); }, {"tenant_id", "agent_id", "action_type", "state"}},
          {"no state", [](Create& r) { r.clear_state(); }, {"state"}},
          {"256 KiB", [](Create& r) { r.set_state(std::string(256 * 1024, 's')); }, {}},
          {"state too long", [](Create& r) { r.set_state(std::string(256 * 1024 + 1, 's')); }, {"state"}},
          {"state of any bytes", [](Create& r) { r.set_state(std::string("\xFF\0", 2)); }, {}},
          {"resource", [](Create& r) { r.set_target_resource(std::string(512, 'r')); }, {}},
          {"resource too long", [](Create& r) { r.set_target_resource(std::string(513, 'r')); }, {"target_resource"}},
          {"media type", [](Create& r) { r.set_media_type("\n"); }, {"media_type"}},
          {"request id", [](Create& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
      });
}

TEST(CreateCheckpointTest, TheDigestIsThatOfTheState) {
  using Create = v1::CreateCheckpointRequest;
  const auto valid = Parse<Create>("tenant_id: 't' agent_id: 'a' action_type: 'deploy' state: 's'");
  ExpectVariations<Create>(
      valid, {
                 {"the state's", [](Create& r) { r.set_content_digest(Sha256("s")); }, {}},
                 {"another's", [](Create& r) { r.set_content_digest(Sha256("t")); }, {"content_digest"}},
                 {"too short", [](Create& r) { r.set_content_digest(Sha256("s").substr(1)); }, {"content_digest"}},
             });
}

TEST(GetCheckpointTest, Names) {
  using Get = v1::GetCheckpointRequest;
  ExpectVariations<Get>(Parse<Get>("tenant_id: 't' checkpoint_id: 'checkpoint-1'"),
                        {
                            {"empty", [](Get& r) { r.Clear(); }, {"tenant_id", "checkpoint_id"}},
                            {"long id", [](Get& r) { r.set_checkpoint_id(std::string(129, 'a')); }, {"checkpoint_id"}},
                        });
}

TEST(ListCheckpointsTest, NamesAndPage) {
  using List = v1::ListCheckpointsRequest;
  ExpectVariations<List>(Parse<List>("tenant_id: 't'"),
                         {
                             {"empty", [](List& r) { r.Clear(); }, {"tenant_id"}},
                             {"agent", [](List& r) { r.set_agent_id("\n"); }, {"agent_id"}},
                             {"page size", [](List& r) { r.set_page_size(-1); }, {"page_size"}},
                         });
}

TEST(RequestRollbackTest, NamesOneCheckpointOrTheLatest) {
  using Request = v1::RequestRollbackRequest;
  ExpectVariations<Request>(
      Parse<Request>("tenant_id: 't' checkpoint_id: 'checkpoint-1' reason: 'r'"),
      {
          {"empty", [](Request& r) { r.Clear(); }, {"tenant_id", "checkpoint_id", "reason"}},
          {"no reason", [](Request& r) { r.clear_reason(); }, {"reason"}},
          {"reason too long", [](Request& r) { r.set_reason(std::string(1025, 'r')); }, {"reason"}},
          {"request id", [](Request& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
      });
  ExpectVariations<Request>(
      Parse<Request>("tenant_id: 't' latest { agent_id: 'a' count: 1 } reason: 'r' request_id: 'q'"),
      {
          {"none", [](Request& r) { r.mutable_latest()->set_count(0); }, {}},
          {"50", [](Request& r) { r.mutable_latest()->set_count(50); }, {}},
          {"51", [](Request& r) { r.mutable_latest()->set_count(51); }, {"latest.count"}},
          {"below 0", [](Request& r) { r.mutable_latest()->set_count(-1); }, {"latest.count"}},
          {"no agent", [](Request& r) { r.mutable_latest()->clear_agent_id(); }, {"latest.agent_id"}},
          {"a repeat would not be safe", [](Request& r) { r.clear_request_id(); }, {"request_id"}},
      });
}

TEST(ReportRollbackTest, NamesStateAndDigest) {
  using Report = v1::ReportRollbackRequest;
  ExpectVariations<Report>(
      Parse<Report>("tenant_id: 't' rollback_id: 'rollback-1' version: 1 state: ROLLBACK_STATE_RUNNING"),
      {
          {"empty", [](Report& r) { r.Clear(); }, {"tenant_id", "rollback_id", "version", "state"}},
          {"failed", [](Report& r) { r.set_state(v1::ROLLBACK_STATE_FAILED); }, {}},
          {"unverifiable", [](Report& r) { r.set_state(v1::ROLLBACK_STATE_UNVERIFIABLE); }, {}},
          {"requested", [](Report& r) { r.set_state(v1::ROLLBACK_STATE_REQUESTED); }, {"state"}},
          {"unknown", [](Report& r) { r.set_state(static_cast<v1::RollbackState>(77)); }, {"state"}},
          {"without proof", [](Report& r) { r.set_state(v1::ROLLBACK_STATE_SUCCEEDED); }, {"restored_digest"}},
          {"with proof",
           [](Report& r) {
             r.set_state(v1::ROLLBACK_STATE_SUCCEEDED);
             r.set_restored_digest(Sha256("s"));
           },
           {}},
          {"with half a proof",
           [](Report& r) {
             r.set_state(v1::ROLLBACK_STATE_SUCCEEDED);
             r.set_restored_digest("s");
           },
           {"restored_digest"}},
          {"proof of nothing", [](Report& r) { r.set_restored_digest(Sha256("s")); }, {"restored_digest"}},
          {"detail too long", [](Report& r) { r.set_detail(std::string(1025, 'd')); }, {"detail"}},
          {"request id", [](Report& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
      });
}

TEST(GetRollbackTest, Names) {
  using Get = v1::GetRollbackRequest;
  ExpectVariations<Get>(Parse<Get>("tenant_id: 't' rollback_id: 'rollback-1'"),
                        {
                            {"empty", [](Get& r) { r.Clear(); }, {"tenant_id", "rollback_id"}},
                            {"bad id", [](Get& r) { r.set_rollback_id("\n"); }, {"rollback_id"}},
                        });
}

TEST(ListRollbacksTest, NamesAndPage) {
  using List = v1::ListRollbacksRequest;
  ExpectVariations<List>(Parse<List>("tenant_id: 't'"),
                         {
                             {"empty", [](List& r) { r.Clear(); }, {"tenant_id"}},
                             {"closed", [](List& r) { r.set_closed(true); }, {}},
                             {"agent", [](List& r) { r.set_agent_id("\n"); }, {"agent_id"}},
                             {"page size", [](List& r) { r.set_page_size(-1); }, {"page_size"}},
                         });
}

}  // namespace
}  // namespace interlock::server
