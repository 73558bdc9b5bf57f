#include <string>

#include "gtest/gtest.h"
#include "server/validate/requests_testing.h"

namespace interlock::server {
namespace {

using Subscribe = v1::SubscribeAlertsRequest;
using List = v1::ListAlertsRequest;

std::function<void(Subscribe&)> Interval(int64_t seconds, int32_t nanos) {
  return [=](Subscribe& r) {
    r.mutable_bookmark_interval()->set_seconds(seconds);
    r.mutable_bookmark_interval()->set_nanos(nanos);
  };
}

TEST(SubscribeAlertsTest, EveryFieldIsOptional) {
  ExpectVariations<Subscribe>(
      Parse<Subscribe>(R"pb(
        tenant_id: "t"
        min_tier: 0
        filter { agent_id: "a" types: "systemic_anomaly" types: "anomaly" types: "lock" }
        after_sequence: 7
        epoch: "e"
        bookmark_interval { seconds: 5 }
      )pb"),
      {
          {"empty", [](Subscribe& r) { r.Clear(); }, {}},
          {"from now", [](Subscribe& r) { r.set_from_now(true); }, {}},
          {"tenant", [](Subscribe& r) { r.set_tenant_id("\n"); }, {"tenant_id"}},
          {"tier -1", [](Subscribe& r) { r.set_min_tier(-1); }, {"min_tier"}},
          {"tier 3", [](Subscribe& r) { r.set_min_tier(3); }, {}},
          {"tier 4", [](Subscribe& r) { r.set_min_tier(4); }, {"min_tier"}},
          {"agent", [](Subscribe& r) { r.mutable_filter()->set_agent_id("\n"); }, {"filter.agent_id"}},
          {"unknown type", [](Subscribe& r) { r.mutable_filter()->set_types(1, "locks"); }, {"filter.types[1]"}},
          {"10 types",
           [](Subscribe& r) {
             while (r.filter().types_size() < 10) r.mutable_filter()->add_types("lock");
           },
           {}},
          {"11 types",
           [](Subscribe& r) {
             while (r.filter().types_size() < 11) r.mutable_filter()->add_types("lock");
           },
           {"filter.types"}},
          {"from the oldest", [](Subscribe& r) { r.set_after_sequence(0); }, {}},
          {"sequence", [](Subscribe& r) { r.set_after_sequence(-1); }, {"after_sequence"}},
          {"epoch", [](Subscribe& r) { r.set_epoch("\n"); }, {"epoch"}},
          {"shortest interval", Interval(1, 0), {}},
          {"interval too short", Interval(0, 999999999), {"bookmark_interval"}},
          {"longest interval", Interval(60, 0), {}},
          {"interval too long", Interval(60, 1), {"bookmark_interval"}},
          {"interval of two signs", Interval(5, -1), {"bookmark_interval"}},
      });
}

TEST(ListAlertsTest, FilterAndPage) {
  ExpectVariations<List>(
      Parse<List>("tenant_id: 't' min_tier: 3 filter { types: 'lock' } page_size: 1 after_sequence: 1"),
      {
          {"empty", [](List& r) { r.Clear(); }, {}},
          {"tenant", [](List& r) { r.set_tenant_id("\n"); }, {"tenant_id"}},
          {"tier 4", [](List& r) { r.set_min_tier(4); }, {"min_tier"}},
          {"tier -1", [](List& r) { r.set_min_tier(-1); }, {"min_tier"}},
          {"type", [](List& r) { r.mutable_filter()->set_types(0, ""); }, {"filter.types[0]"}},
          {"page size", [](List& r) { r.set_page_size(-1); }, {"page_size"}},
          {"sequence", [](List& r) { r.set_after_sequence(-1); }, {"after_sequence"}},
      });
}

TEST(ListUserAlertsTest, TenantAndPage) {
  using Users = v1::ListUserAlertsRequest;
  ExpectVariations<Users>(Parse<Users>("tenant_id: 't' page_size: 1"),
                          {
                              {"empty", [](Users& r) { r.Clear(); }, {"tenant_id"}},
                              {"page size", [](Users& r) { r.set_page_size(-1); }, {"page_size"}},
                          });
}

}  // namespace
}  // namespace interlock::server
