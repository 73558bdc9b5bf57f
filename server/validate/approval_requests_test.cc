#include <string>

#include "gtest/gtest.h"
#include "server/validate/requests_testing.h"

namespace interlock::server {
namespace {

TEST(ListApprovalsTest, TenantAndPage) {
  using List = v1::ListApprovalsRequest;
  ExpectVariations<List>(Parse<List>("tenant_id: 't'"),
                         {
                             {"empty", [](List& r) { r.Clear(); }, {"tenant_id"}},
                             {"closed", [](List& r) { r.set_closed(true); }, {}},
                             {"page size", [](List& r) { r.set_page_size(-1); }, {"page_size"}},
                         });
}

TEST(GetApprovalTest, Names) {
  using Get = v1::GetApprovalRequest;
  ExpectVariations<Get>(Parse<Get>("tenant_id: 't' approval_id: 'approval-1'"),
                        {
                            {"empty", [](Get& r) { r.Clear(); }, {"tenant_id", "approval_id"}},
                            {"bad id", [](Get& r) { r.set_approval_id("\n"); }, {"approval_id"}},
                            {"long id", [](Get& r) { r.set_approval_id(std::string(129, 'a')); }, {"approval_id"}},
                        });
}

TEST(DecideApprovalTest, NamesVersionAndTexts) {
  using Decide = v1::DecideApprovalRequest;
  ExpectVariations<Decide>(
      Parse<Decide>("tenant_id: 't' approval_id: 'approval-1' version: 1 approve: true"),
      {
          {"empty", [](Decide& r) { r.Clear(); }, {"tenant_id", "approval_id", "version"}},
          {"a rejection", [](Decide& r) { r.set_approve(false); }, {}},
          {"no version", [](Decide& r) { r.set_version(0); }, {"version"}},
          {"comment of 1,024 bytes", [](Decide& r) { r.set_comment(std::string(1024, 'c')); }, {}},
          {"comment too long", [](Decide& r) { r.set_comment(std::string(1025, 'c')); }, {"comment"}},
          {"comment not UTF-8", [](Decide& r) { r.set_comment("\xFF"); }, {"comment"}},
          {"request id", [](Decide& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
      });
}

TEST(WaitApprovalTest, NamesVersionAndTimeout) {
  using Wait = v1::WaitApprovalRequest;
  ExpectVariations<Wait>(Parse<Wait>("tenant_id: 't' approval_id: 'approval-1'"),
                         {
                             {"empty", [](Wait& r) { r.Clear(); }, {"tenant_id", "approval_id"}},
                             {"version", [](Wait& r) { r.set_after_version(-1); }, {"after_version"}},
                             {"no time at all", [](Wait& r) { r.mutable_timeout()->set_seconds(0); }, {}},
                             {"55 s", [](Wait& r) { r.mutable_timeout()->set_seconds(55); }, {}},
                             {"below 0", [](Wait& r) { r.mutable_timeout()->set_nanos(-1); }, {"timeout"}},
                             {"above 55 s",
                              [](Wait& r) {
                                r.mutable_timeout()->set_seconds(55);
                                r.mutable_timeout()->set_nanos(1);
                              },
                              {"timeout"}},
                         });
}

}  // namespace
}  // namespace interlock::server
