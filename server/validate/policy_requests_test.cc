#include <string>

#include "gtest/gtest.h"
#include "server/validate/requests_testing.h"

namespace interlock::server {
namespace {

TEST(GetPolicyTest, TenantAndVersion) {
  using Get = v1::GetPolicyRequest;
  ExpectVariations<Get>(Parse<Get>("tenant_id: 't' version: 3"),
                        {
                            {"current version", [](Get& r) { r.clear_version(); }, {}},
                            {"empty", [](Get& r) { r.Clear(); }, {"tenant_id"}},
                            {"version", [](Get& r) { r.set_version(-1); }, {"version"}},
                        });
}

TEST(UpdatePolicyTest, OnlyTheEnvelopeIsChecked) {
  using Update = v1::UpdatePolicyRequest;
  ExpectVariations<Update>(
      Parse<Update>("policy { tenant_id: 't' } request_id: 'r'"),
      {
          {"empty", [](Update& r) { r.Clear(); }, {"policy"}},
          {"no tenant", [](Update& r) { r.mutable_policy()->clear_tenant_id(); }, {"policy.tenant_id"}},
          {"tenant", [](Update& r) { r.mutable_policy()->set_tenant_id(std::string(129, 't')); }, {"policy.tenant_id"}},
          {"request id", [](Update& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
          {"content", [](Update& r) { r.mutable_policy()->add_tiers()->set_tier(9); }, {}},
          {"reason of 1,000 bytes", [](Update& r) { r.set_reason(std::string(1000, 'a')); }, {}},
          {"reason of 1,001 bytes", [](Update& r) { r.set_reason(std::string(1001, 'a')); }, {"reason"}},
          {"output-only reason", [](Update& r) { r.mutable_policy()->set_reason(std::string(1001, 'a')); }, {}},
      });
}

TEST(RollbackPolicyTest, TenantVersionAndReason) {
  using Rollback = v1::RollbackPolicyRequest;
  ExpectVariations<Rollback>(
      Parse<Rollback>("tenant_id: 't' version: 3 etag: 'e' reason: 'too strict' request_id: 'r'"),
      {
          {"the least", [](Rollback& r) { r = Parse<Rollback>("tenant_id: 't' version: 1"); }, {}},
          {"empty", [](Rollback& r) { r.Clear(); }, {"tenant_id", "version"}},
          {"version", [](Rollback& r) { r.set_version(-1); }, {"version"}},
          {"etag", [](Rollback& r) { r.set_etag(std::string(129, 'e')); }, {"etag"}},
          {"reason of 1,000 bytes", [](Rollback& r) { r.set_reason(std::string(1000, 'a')); }, {}},
          {"reason of 1,001 bytes", [](Rollback& r) { r.set_reason(std::string(1001, 'a')); }, {"reason"}},
          {"reason", [](Rollback& r) { r.set_reason("\xff"); }, {"reason"}},
          {"request id", [](Rollback& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
      });
}

TEST(ListPolicyVersionsTest, TenantAndPage) {
  using List = v1::ListPolicyVersionsRequest;
  ExpectVariations<List>(Parse<List>("tenant_id: 't' page_size: 20"),
                         {
                             {"empty", [](List& r) { r.Clear(); }, {"tenant_id"}},
                             {"page size", [](List& r) { r.set_page_size(-1); }, {"page_size"}},
                         });
}

TEST(SetShadowPolicyTest, OnlyTheEnvelopeIsChecked) {
  using Set = v1::SetShadowPolicyRequest;
  ExpectVariations<Set>(Parse<Set>("tenant_id: 't' policy { tenant_id: 't' } request_id: 'r'"),
                        {
                            {"no policy", [](Set& r) { r.clear_policy(); }, {}},
                            {"empty", [](Set& r) { r.Clear(); }, {"tenant_id"}},
                            {"request id", [](Set& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
                            {"content", [](Set& r) { r.mutable_policy()->add_tiers()->set_tier(9); }, {}},
                        });
}

TEST(ReplayPolicyTest, TenantPolicyAndTimes) {
  using Replay = v1::ReplayPolicyRequest;
  ExpectVariations<Replay>(
      Parse<Replay>("tenant_id: 't' policy { profile: 'reference' } start_time { seconds: 5 } end_time { seconds: 6 }"),
      {
          {"all of it", [](Replay& r) { r.clear_start_time(), r.clear_end_time(); }, {}},
          {"to the newest", [](Replay& r) { r.clear_end_time(); }, {}},
          {"own policy", [](Replay& r) { r.mutable_policy()->set_tenant_id("t"); }, {}},
          {"content", [](Replay& r) { r.mutable_policy()->add_tiers()->set_tier(9); }, {}},
          {"empty", [](Replay& r) { r.Clear(); }, {"tenant_id", "policy"}},
          {"policy of another", [](Replay& r) { r.mutable_policy()->set_tenant_id("u"); }, {"policy.tenant_id"}},
          {"no time between", [](Replay& r) { r.mutable_end_time()->set_seconds(5); }, {"end_time"}},
          {"no time", [](Replay& r) { r.mutable_start_time()->set_nanos(-1); }, {"start_time"}},
      });
}

TEST(ListShadowDifferencesTest, TenantAndPage) {
  using List = v1::ListShadowDifferencesRequest;
  ExpectVariations<List>(Parse<List>("tenant_id: 't' page_size: 20"),
                         {
                             {"empty", [](List& r) { r.Clear(); }, {"tenant_id"}},
                             {"page size", [](List& r) { r.set_page_size(-1); }, {"page_size"}},
                         });
}

TEST(ValidatePolicyTest, PolicyIsRequiredWhateverIsInIt) {
  using Check = v1::ValidatePolicyRequest;
  ExpectVariations<Check>(Parse<Check>("policy { tenant_id: 't' }"),
                          {
                              {"no policy", [](Check& r) { r.Clear(); }, {"policy"}},
                              {"no tenant", [](Check& r) { r.mutable_policy()->Clear(); }, {}},
                          });
}

}  // namespace
}  // namespace interlock::server
