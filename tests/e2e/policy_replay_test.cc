// ReplayPolicy against a real server: what was recorded survives a kill, and is replayed under a candidate.
#include "client/policy_replay.h"

#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/support/api.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

namespace interlock {
namespace {

using support::ActionOf;
using support::Api;
using support::EngageOf;
using support::Locks;
using support::Safety;

class PolicyReplayTest : public ::testing::Test {
 protected:
  absl::StatusOr<v1::ReplayResult> Replay(const std::string& profile, const std::string& caller = "human:alice") {
    client::ClientOptions options;
    options.address = server_.address();
    options.principal = caller;
    options.deadline = absl::Seconds(30);
    const client::Client client(options);
    v1::ReplayPolicyRequest request;
    request.set_tenant_id("t");
    request.mutable_policy()->set_profile(profile);
    return client::ReplayPolicy(client, request, [](const v1::ReplayProgress&) {});
  }

  support::ServerProcess server_{{"policy_replay", {}}};
};

TEST_F(PolicyReplayTest, WhatWasRecordedBeforeAKillIsReplayed) {
  {
    Api api(server_.NewChannel());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(api.Call(&Safety::Arbitrate, ActionOf("t", "a")).ok());
    ASSERT_TRUE(api.Call(&Safety::Arbitrate, ActionOf("u", "a")).ok());
    ASSERT_TRUE(api.Call(&Locks::EngageLock, EngageOf("t", v1::SCOPE_KIND_AGENT, "b", "drill")).ok());
    ASSERT_TRUE(api.Call(&Safety::Arbitrate, ActionOf("t", "b")).ok());
  }
  server_.Kill9();
  server_.Restart();
  const auto same = Replay("reference");
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(same->actions(), 21);
  EXPECT_EQ(same->changed(), 0);
  EXPECT_EQ(same->passed_over(), 0);
  const auto other = Replay("tool_calling");
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(other->actions(), 21);
  for (const v1::VerdictCount& count : other->verdicts()) EXPECT_NE(count.from(), v1::VERDICT_UNSPECIFIED);
  EXPECT_EQ(Replay("reference")->SerializeAsString(), same->SerializeAsString());
}

TEST_F(PolicyReplayTest, AgentsMayNot) {
  EXPECT_EQ(Replay("reference", "agent:a").status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Replay("lenient").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Replay("reference").status().code(), absl::StatusCode::kFailedPrecondition) << "nothing is recorded";
}

}  // namespace
}  // namespace interlock
