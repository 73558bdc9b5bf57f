// A call that is repeated with its request_id is answered as before and does nothing, also across a restart.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
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
using support::Monitor;
using support::Policies;
using support::ReleaseOf;
using support::ReportOf;
using support::Safety;
using support::Scheduler;

enum class End { kKill, kTerminate };

// A tenant's calls, each under a request_id of its own, against a server that is ended and started again in between.
class ReplayTest : public ::testing::TestWithParam<End> {
 protected:
  void Restart() {
    // An open connection that nobody reads keeps the server waiting for a while.
    api_.reset();
    if (GetParam() == End::kKill) {
      server_.Kill9();
    } else {
      EXPECT_EQ(server_.Terminate(), 0) << server_.ReadLog();
    }
    server_.Restart();
    api_ = std::make_unique<Api>(server_.NewChannel());
  }

  // Calls; answers what repeats the call and expects the same reply, or another one for other bytes.
  template <typename Stub, typename Request, typename Reply>
  std::function<void()> CallOnce(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
                                 Request request, Reply* reply = nullptr) {
    request.set_request_id("once");
    const auto first = api_->Call(method, request);
    EXPECT_TRUE(first.ok()) << Request::descriptor()->name() << ": " << first.status.error_message();
    if (reply != nullptr) *reply = *first;
    return [this, method, request, before = *first] {
      SCOPED_TRACE(Request::descriptor()->name());
      const auto repeated = api_->Call(method, request);
      ASSERT_TRUE(repeated.ok()) << repeated.status.error_message();
      EXPECT_EQ(WithoutMark(*repeated).SerializeAsString(), before.SerializeAsString());
    };
  }

  static v1::Decision WithoutMark(v1::Decision decision) {
    EXPECT_TRUE(decision.replayed());
    decision.set_replayed(false);
    return decision;
  }
  template <typename Reply>
  static const Reply& WithoutMark(const Reply& reply) {
    return reply;
  }

  support::ServerProcess server_{{"replay", {}}};
  std::unique_ptr<Api> api_ = std::make_unique<Api>(server_.NewChannel());
};

INSTANTIATE_TEST_SUITE_P(Ends, ReplayTest, ::testing::Values(End::kKill, End::kTerminate),
                         [](const auto& test) { return test.param == End::kKill ? "AfterKill" : "AfterSigterm"; });

v1::RecordDataPointsRequest OnePoint() {
  v1::RecordDataPointsRequest request;
  request.set_tenant_id("t");
  request.set_agent_id("points");
  request.add_points()->set_metric(v1::METRIC_SUCCESS_RATE);
  return request;
}

v1::UpdatePolicyRequest ToolCalling() {
  v1::UpdatePolicyRequest request;
  request.mutable_policy()->set_tenant_id("t");
  request.mutable_policy()->set_profile("tool_calling");
  return request;
}

v1::RollbackPolicyRequest FirstVersion() {
  v1::RollbackPolicyRequest request;
  request.set_tenant_id("t");
  request.set_version(1);
  return request;
}

// A task that is due in the far future, so that it does not run by itself.
v1::CreateTaskRequest DistantTask() {
  v1::CreateTaskRequest request;
  request.mutable_task()->set_tenant_id("t");
  request.mutable_task()->set_type("oauth_token");
  request.mutable_task()->set_target("gsc");
  request.mutable_task()->mutable_next_run_time()->set_seconds(253370764800);
  request.mutable_oauth_grant()->set_token_endpoint("https://127.0.0.1:1/token");
  request.mutable_oauth_grant()->set_client_id("client");
  request.mutable_oauth_grant()->set_refresh_token("refresh-token");
  return request;
}

TEST_P(ReplayTest, EveryCallHappensOnce) {
  v1::Lock lock;
  v1::Task task;
  std::vector<std::function<void()>> repeats;
  repeats.push_back(CallOnce(&Policies::UpdatePolicy, ToolCalling()));
  repeats.push_back(CallOnce(&Policies::RollbackPolicy, FirstVersion()));
  repeats.push_back(CallOnce(&Safety::Arbitrate, ActionOf("t", "a")));
  repeats.push_back(CallOnce(&Monitor::ReportSnapshot, ReportOf("t", "a", 0.2)));
  repeats.push_back(CallOnce(&Monitor::RecordDataPoints, OnePoint()));
  repeats.push_back(CallOnce(&Locks::EngageLock, EngageOf("t", v1::SCOPE_KIND_AGENT, "b", "drill"), &lock));
  repeats.push_back(CallOnce(&Locks::AcknowledgeLock, support::AcknowledgeOf(lock), &lock));
  repeats.push_back(CallOnce(&Locks::ReleaseLock, ReleaseOf(lock, "over")));
  repeats.push_back(CallOnce(&Scheduler::CreateTask, DistantTask(), &task));

  const auto info = [this] { return *api_->Call(&support::Admin::GetServerInfo, v1::GetServerInfoRequest()); };
  const v1::ServerInfo before = info();
  for (int round = 0; round < 2; ++round) {
    for (const std::function<void()>& repeat : repeats) repeat();
    Restart();
  }
  for (const std::function<void()>& repeat : repeats) repeat();
  const v1::ServerInfo after = info();
  EXPECT_EQ(after.decision_sequence(), before.decision_sequence());
  EXPECT_EQ(after.alert_sequence(), before.alert_sequence());
  EXPECT_EQ(after.task_count(), before.task_count());
  EXPECT_EQ(after.active_lock_count(), before.active_lock_count());
  EXPECT_EQ(after.epoch(), before.epoch());
}

TEST_P(ReplayTest, TriggerHappensOnce) {
  v1::Task task;
  CallOnce(&Scheduler::CreateTask, DistantTask(), &task);
  v1::TriggerTaskRequest trigger;
  trigger.set_tenant_id("t");
  trigger.set_task_id(task.task_id());
  const std::function<void()> repeat = CallOnce(&Scheduler::TriggerTask, trigger);
  repeat();
  Restart();
  repeat();
}

TEST_P(ReplayTest, OtherBytesUnderTheSameIdAreRefused) {
  CallOnce(&Safety::Arbitrate, ActionOf("t", "a"));
  Restart();
  v1::ArbitrateRequest other = ActionOf("t", "other");
  other.set_request_id("once");
  const auto refused = api_->Call(&Safety::Arbitrate, other);
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(support::ReasonOf(refused.status), "REQUEST_ID_REUSED");
  other = ActionOf("t2", "other");
  other.set_request_id("once");
  EXPECT_TRUE(api_->Call(&Safety::Arbitrate, other).ok()) << "ids belong to a tenant";
}

TEST_P(ReplayTest, StoredAllowIsHeldAgainstTheLocksOfToday) {
  v1::ArbitrateRequest request = ActionOf("t", "a");
  request.set_request_id("once");
  const auto allowed = api_->Call(&Safety::Arbitrate, request);
  ASSERT_EQ(allowed->verdict(), v1::VERDICT_ALLOW);
  const auto lock = api_->Call(&Locks::EngageLock, EngageOf("t", v1::SCOPE_KIND_TENANT, "t", "drill"));
  ASSERT_TRUE(lock.ok()) << lock.status.error_message();
  Restart();
  const auto blocked = api_->Call(&Safety::Arbitrate, request);
  ASSERT_TRUE(blocked.ok()) << blocked.status.error_message();
  EXPECT_EQ(blocked->verdict(), v1::VERDICT_LOCK);
  EXPECT_FALSE(blocked->replayed());
}

}  // namespace
}  // namespace interlock
