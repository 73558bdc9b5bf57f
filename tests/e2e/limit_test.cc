// Limits of the real program, when many ask at the same time.
#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "core/base/time.h"
#include "gtest/gtest.h"
#include "tests/support/api.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

namespace interlock {
namespace {

using support::Api;
using support::Policies;
using support::Safety;

// Asks for the reference policy with one more limit of allowed actions.
v1::UpdatePolicyRequest PolicyWith(const Api& api, const std::string& tenant_id, v1::ScopeKind scope,
                                   int64_t max_actions) {
  v1::GetPolicyRequest get;
  get.set_tenant_id(tenant_id);
  v1::UpdatePolicyRequest update;
  *update.mutable_policy() = *api.Call(&Policies::GetPolicy, get);
  update.mutable_policy()->clear_constraints();
  update.mutable_policy()->clear_pattern_rules();
  v1::Limit& limit = *update.mutable_policy()->add_limits();
  limit.set_limit_id("race");
  limit.set_scope(scope);
  limit.set_count(v1::LIMIT_COUNT_ALLOWED);
  limit.set_max_actions(max_actions);
  *limit.mutable_window() = ToProto(absl::Hours(1));
  return update;
}

// Two hundred clients ask once each, all at the same time.
std::vector<v1::Decision> AskAtTheSameTime(const Api& api, const std::string& tenant_id) {
  std::vector<v1::Decision> decisions(200);
  std::vector<std::thread> clients;
  for (size_t i = 0; i < decisions.size(); ++i) {
    clients.emplace_back([&, i] {
      const auto decision =
          api.Call(&Safety::Arbitrate, support::ActionOf(tenant_id, "bot" + std::to_string(i), "write_blog"));
      EXPECT_TRUE(decision.ok()) << decision.status.error_message();
      decisions[i] = *decision;
    });
  }
  for (std::thread& client : clients) client.join();
  return decisions;
}

int64_t AllowedOf(const std::vector<v1::Decision>& decisions) {
  return std::count_if(decisions.begin(), decisions.end(),
                       [](const v1::Decision& decision) { return decision.verdict() == v1::VERDICT_ALLOW; });
}

TEST(LimitTest, OnlyOneOfManyWhoWantTheLastUnitAtTheSameTimeIsAllowed) {
  support::ServerProcess server({"limit", {}});
  const auto channel = server.NewChannel();
  const Api alice(channel, "human:alice");
  const Api agents(channel, "agent:bot");
  for (const v1::ScopeKind scope : {v1::SCOPE_KIND_TENANT, v1::SCOPE_KIND_CATEGORY, v1::SCOPE_KIND_FLEET}) {
    const std::string tenant_id = v1::ScopeKind_Name(scope);
    // The fleet's limit counts what the other two tenants were allowed as well.
    const int64_t used_elsewhere = scope == v1::SCOPE_KIND_FLEET ? 20 : 0;
    const auto update = PolicyWith(alice, tenant_id, scope, 10 + used_elsewhere);
    ASSERT_TRUE(alice.Call(&Policies::UpdatePolicy, update).ok());
    for (int i = 0; i < 9; ++i) {
      const auto decision = agents.Call(&Safety::Arbitrate, support::ActionOf(tenant_id, "bot", "write_blog"));
      ASSERT_EQ(decision->verdict(), v1::VERDICT_ALLOW) << tenant_id;
    }
    const std::vector<v1::Decision> decisions = AskAtTheSameTime(agents, tenant_id);
    EXPECT_EQ(AllowedOf(decisions), 1) << tenant_id;
    for (const v1::Decision& decision : decisions) {
      if (decision.verdict() == v1::VERDICT_ALLOW) continue;
      EXPECT_EQ(decision.reasons(1).code(), v1::REASON_CODE_LIMIT_REACHED) << decision.ShortDebugString();
    }
  }
}

}  // namespace
}  // namespace interlock
