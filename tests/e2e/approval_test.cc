// Approvals of the real program: asked for, waited for, given, used once, and over.
#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "core/base/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/api.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

namespace interlock {
namespace {

using support::Answer;
using support::Api;
using support::Approvals;
using support::Locks;
using support::Safety;
using ::testing::AnyOf;
using ::testing::SizeIs;

class ApprovalTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server = new support::ServerProcess({"approval", {}}); }
  static void TearDownTestSuite() {
    delete server;
    server = nullptr;
  }

  // An action that the reference profile leaves to people.
  v1::ArbitrateRequest Strategy(const std::string& approval_id = "") const {
    v1::ArbitrateRequest request = support::ActionOf(tenant_, "bot", "plan_strategy");
    request.set_approval_id(approval_id);
    return request;
  }
  v1::Decision Arbitrate(const v1::ArbitrateRequest& request) const {
    const auto decision = agent_.Call(&Safety::Arbitrate, request);
    EXPECT_TRUE(decision.ok()) << decision.status.error_message();
    return *decision;
  }
  template <typename Request>
  Request Named(const std::string& approval_id) const {
    Request request;
    request.set_tenant_id(tenant_);
    request.set_approval_id(approval_id);
    return request;
  }
  Answer<v1::Approval> Decide(const Api& api, const std::string& approval_id, int64_t version, bool approve) const {
    auto request = Named<v1::DecideApprovalRequest>(approval_id);
    request.set_version(version);
    request.set_approve(approve);
    request.set_comment("I looked");
    return api.Call(&Approvals::DecideApproval, request);
  }
  Answer<v1::Approval> Wait(const std::string& approval_id, absl::Duration timeout, int64_t after_version = 0) const {
    auto request = Named<v1::WaitApprovalRequest>(approval_id);
    request.set_after_version(after_version);
    *request.mutable_timeout() = ToProto(timeout);
    return agent_.Call(&Approvals::WaitApproval, request);
  }
  std::vector<v1::Approval> List(bool closed) const {
    v1::ListApprovalsRequest request;
    request.set_tenant_id(tenant_);
    request.set_closed(closed);
    const auto list = alice_.Call(&Approvals::ListApprovals, request);
    EXPECT_TRUE(list.ok()) << list.status.error_message();
    return {list->approvals().begin(), list->approvals().end()};
  }

  static support::ServerProcess* server;
  const std::shared_ptr<grpc::Channel> channel_ = server->NewChannel();
  const Api alice_{channel_, "human:alice"};
  const Api agent_{channel_, "agent:bot"};
  const std::string tenant_ = ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

support::ServerProcess* ApprovalTest::server = nullptr;

TEST_F(ApprovalTest, IsAskedForGivenAndUsedOnce) {
  const std::string approval_id = Arbitrate(Strategy()).approval_id();
  ASSERT_THAT(List(false), SizeIs(1));
  EXPECT_EQ(List(false)[0].approval_id(), approval_id);
  EXPECT_EQ(List(false)[0].action().action_type(), "plan_strategy");
  const auto decided = Decide(alice_, approval_id, 1, true);
  ASSERT_TRUE(decided.ok()) << decided.status.error_message();
  EXPECT_EQ(decided->state(), v1::APPROVAL_STATE_APPROVED);
  const v1::Decision decision = Arbitrate(Strategy(approval_id));
  EXPECT_EQ(decision.verdict(), v1::VERDICT_ALLOW);
  EXPECT_EQ(Arbitrate(Strategy(approval_id)).verdict(), v1::VERDICT_DENY);
  ASSERT_THAT(List(true), SizeIs(1));
  EXPECT_EQ(List(true)[0].consumed_by(), decision.decision_id());
  const auto read = alice_.Call(&Approvals::GetApproval, Named<v1::GetApprovalRequest>(approval_id));
  EXPECT_EQ(read->state(), v1::APPROVAL_STATE_CONSUMED);
}

TEST_F(ApprovalTest, WaitIsAnsweredByTheDecision) {
  const std::string approval_id = Arbitrate(Strategy()).approval_id();
  Answer<v1::Approval> waited;
  std::thread waiter([&] { waited = Wait(approval_id, absl::Seconds(55)); });
  // Others ask meanwhile, which wakes whoever waits and is no news.
  for (int i = 0; i < 20; ++i) Arbitrate(support::ActionOf(tenant_, std::to_string(i), "plan_strategy"));
  EXPECT_TRUE(Decide(alice_, approval_id, 1, false).ok());
  waiter.join();
  ASSERT_TRUE(waited.ok()) << waited.status.error_message();
  EXPECT_EQ(waited->state(), v1::APPROVAL_STATE_REJECTED);
  EXPECT_EQ(waited->votes(0).comment(), "I looked");
}

TEST_F(ApprovalTest, WaitAnswersAtOnceIfThereIsNewsOrNoTime) {
  const std::string approval_id = Arbitrate(Strategy()).approval_id();
  EXPECT_EQ(Wait(approval_id, absl::ZeroDuration())->state(), v1::APPROVAL_STATE_PENDING);
  EXPECT_EQ(Wait(approval_id, absl::Milliseconds(20), 1)->version(), 1) << "unchanged when the time is up";
  ASSERT_TRUE(Decide(alice_, approval_id, 1, true).ok());
  EXPECT_EQ(Wait(approval_id, absl::Seconds(55), 1)->version(), 2);
  EXPECT_EQ(Wait(approval_id, absl::Seconds(55))->state(), v1::APPROVAL_STATE_APPROVED);
  EXPECT_EQ(support::ReasonOf(Wait("approval-999999", absl::Seconds(55)).status), "APPROVAL_NOT_FOUND");
}

TEST_F(ApprovalTest, ALockVoidsItAndWhoWaitsIsTold) {
  const std::string approval_id = Arbitrate(Strategy()).approval_id();
  Answer<v1::Approval> waited;
  std::thread waiter([&] { waited = Wait(approval_id, absl::Seconds(55)); });
  ASSERT_TRUE(alice_.Call(&Locks::EngageLock, support::EngageOf(tenant_, v1::SCOPE_KIND_TENANT, tenant_, "stop")).ok());
  waiter.join();
  EXPECT_EQ(waited->state(), v1::APPROVAL_STATE_VOIDED);
  EXPECT_EQ(Arbitrate(Strategy(approval_id)).verdict(), v1::VERDICT_LOCK);
}

TEST_F(ApprovalTest, OnlyOneOfManyWhoUseItAtTheSameTimeIsAllowed) {
  const std::string approval_id = Arbitrate(Strategy()).approval_id();
  ASSERT_TRUE(Decide(alice_, approval_id, 1, true).ok());
  constexpr int kClients = 200;
  std::vector<v1::Verdict> verdicts(kClients);
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] { verdicts[static_cast<size_t>(i)] = Arbitrate(Strategy(approval_id)).verdict(); });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(std::count(verdicts.begin(), verdicts.end(), v1::VERDICT_ALLOW), 1);
  EXPECT_EQ(std::count(verdicts.begin(), verdicts.end(), v1::VERDICT_DENY), kClients - 1);
}

TEST_F(ApprovalTest, OfManyWhoDecideAtTheSameTimeOneDoes) {
  const std::string approval_id = Arbitrate(Strategy()).approval_id();
  constexpr int kPeople = 200;
  std::vector<std::string> reasons(kPeople);
  std::vector<std::thread> people;
  for (int i = 0; i < kPeople; ++i) {
    people.emplace_back([&, i] {
      const Api person(channel_, "human:" + std::to_string(i));
      const auto decided = Decide(person, approval_id, 1, i % 2 == 0);
      reasons[static_cast<size_t>(i)] = decided.ok() ? "OK" : support::ReasonOf(decided.status);
    });
  }
  for (std::thread& person : people) person.join();
  EXPECT_EQ(std::count(reasons.begin(), reasons.end(), "OK"), 1);
  EXPECT_EQ(std::count(reasons.begin(), reasons.end(), "APPROVAL_VERSION_MISMATCH"), kPeople - 1);
}

TEST(ApprovalRestartTest, ApprovalsOutliveACrashAndWaitersAreToldThatTheServerStops) {
  support::ServerProcess server({"approval_restart", {}});
  v1::ArbitrateRequest request = support::ActionOf("t", "bot", "plan_strategy");
  v1::WaitApprovalRequest wait;
  wait.set_tenant_id("t");
  {
    const Api agent(server.NewChannel(), "agent:bot");
    const Api alice(server.NewChannel(), "human:alice");
    request.set_approval_id(agent.Call(&Safety::Arbitrate, request)->approval_id());
    v1::DecideApprovalRequest decide;
    decide.set_tenant_id("t");
    decide.set_approval_id(request.approval_id());
    decide.set_version(1);
    decide.set_approve(true);
    ASSERT_TRUE(alice.Call(&Approvals::DecideApproval, decide).ok());
  }
  server.Kill9();
  server.Restart();
  const Api agent(server.NewChannel(), "agent:bot");
  EXPECT_EQ(agent.Call(&Safety::Arbitrate, request)->verdict(), v1::VERDICT_ALLOW);
  const v1::Decision second = *agent.Call(&Safety::Arbitrate, request);
  EXPECT_EQ(second.verdict(), v1::VERDICT_DENY);
  wait.set_approval_id(second.approval_id());
  Answer<v1::Approval> waited;
  std::thread waiter([&] { waited = agent.Call(&Approvals::WaitApproval, wait); });
  server.RequestTermination();
  waiter.join();
  // gRPC itself cuts a call that comes while the server goes down.
  EXPECT_THAT(waited.status.error_code(), AnyOf(grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::CANCELLED))
      << waited.status.error_message();
  EXPECT_EQ(server.Wait(), 0);
}

}  // namespace
}  // namespace interlock
