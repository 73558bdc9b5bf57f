// The whole server in this process, on a real store: every method of the API answers, and so do health and reflection.

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.pb.h"
#include "gtest/gtest.h"
#include "server/base/clock.h"
#include "server/main/server.h"
#include "tests/support/alert_reader.h"
#include "tests/support/api.h"
#include "tests/support/files.h"
#include "tests/support/requests.h"

namespace interlock {
namespace {

using support::ActionOf;
using support::Admin;
using support::Alerts;
using support::Api;
using support::Locks;
using support::Monitor;
using support::Policies;
using support::Safety;
using support::Scheduler;

class ServerSmokeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    data_dir_ = support::FreshDirectory("data") + "/store";
    Start();
  }
  void TearDown() override { server_->Stop(); }

  void Start() {
    server::Config config;
    config.listen = "127.0.0.1:0";
    config.data_dir = data_dir_;
    auto server = server::Server::Start(config, clock_, [](const server::LogLine&) {});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
    api_ = std::make_unique<Api>(channel_);
  }

  // Makes a call that must be answered.
  template <typename Stub, typename Request, typename Reply>
  Reply Answer(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*), const Request& request) {
    support::Answer<Reply> answer = api_->Call(method, request);
    EXPECT_TRUE(answer.ok()) << Request::descriptor()->name() << ": " << answer.status.error_message();
    return std::move(answer.reply);
  }

  // The first reply to a request of a method that no stub is at hand for, as bytes.
  std::string RawReply(const std::string& method, const std::string& request) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + support::kCallTimeout));
    grpc::CompletionQueue queue;
    grpc::GenericStub stub(channel_);
    const auto call = stub.PrepareCall(&context, method, &queue);
    const auto wait = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      EXPECT_TRUE(queue.Next(&tag, &ok));
      return ok;
    };
    const grpc::Slice slice(request);
    grpc::ByteBuffer reply;
    call->StartCall(nullptr);
    EXPECT_TRUE(wait());
    call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
    EXPECT_TRUE(wait());
    call->Read(&reply, nullptr);
    EXPECT_TRUE(wait()) << method;
    grpc::Status status;
    call->Finish(&status, nullptr);
    wait();
    EXPECT_TRUE(status.ok()) << method << ": " << status.error_message();
    grpc::Slice bytes;
    if (!reply.Valid() || !reply.DumpToSingleSlice(&bytes).ok()) return "";
    return std::string(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
  }

  std::string data_dir_;
  server::SystemClock clock_;
  std::unique_ptr<server::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Api> api_;
};

TEST_F(ServerSmokeTest, ReportsAndReadsOfAgentsAnswer) {
  const auto report = Answer(&Monitor::ReportSnapshot, support::ReportOf("t", "a", 0.9));
  EXPECT_EQ(report.assessment().agent_id(), "a");
  v1::RecordDataPointsRequest points;
  points.set_tenant_id("t");
  points.set_agent_id("a");
  points.add_points()->set_metric(v1::METRIC_SUCCESS_RATE);
  points.mutable_points(0)->set_value(1);
  EXPECT_EQ(Answer(&Monitor::RecordDataPoints, points).recorded_count(), 1);
  v1::GetAgentRequest get;
  get.set_tenant_id("t");
  get.set_agent_id("a");
  EXPECT_EQ(Answer(&Monitor::GetAgent, get).windows_size(), 1);
  v1::ListAgentsRequest list;
  list.set_tenant_id("t");
  EXPECT_EQ(Answer(&Monitor::ListAgents, list).agents_size(), 1);
  EXPECT_EQ(Answer(&Monitor::GetFleetStats, v1::GetFleetStatsRequest()).agent_count(), 1);
}

TEST_F(ServerSmokeTest, DecisionsAnswerAndAreListed) {
  EXPECT_EQ(Answer(&Safety::Arbitrate, ActionOf("t", "a")).sequence(), 1);
  v1::ExplainActionRequest explain;
  *explain.mutable_action() = ActionOf("t", "a").action();
  EXPECT_EQ(Answer(&Safety::ExplainAction, explain).decision_id(), "");
  grpc::ClientContext context;
  api_->Prepare(context);
  const auto stream = api_->stub<Safety>().ArbitrateStream(&context);
  v1::ArbitrateStreamRequest message;
  *message.add_requests() = ActionOf("t", "a");
  ASSERT_TRUE(stream->Write(message));
  ASSERT_TRUE(stream->WritesDone());
  v1::ArbitrateStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.results(0).decision().sequence(), 2);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
  v1::ListDecisionsRequest list;
  list.set_tenant_id("t");
  EXPECT_EQ(Answer(&Safety::ListDecisions, list).decisions_size(), 2);
}

TEST_F(ServerSmokeTest, LocksAnswerAndAreWatched) {
  const v1::Lock engaged =
      Answer(&Locks::EngageLock, support::EngageOf("t", v1::SCOPE_KIND_TENANT, "t", "a fire drill"));
  v1::GetLockRequest get;
  get.set_lock_id(engaged.lock_id());
  EXPECT_EQ(Answer(&Locks::GetLock, get).state(), v1::LOCK_STATE_TRIPPED);
  EXPECT_EQ(Answer(&Locks::ListLocks, v1::ListLocksRequest()).locks_size(), 1);
  grpc::ClientContext context;
  api_->Prepare(context);
  const auto watch = api_->stub<Locks>().WatchLocks(&context, v1::WatchLocksRequest());
  v1::WatchLocksResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_TRUE(response.snapshot_begin());
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.lock().lock_id(), engaged.lock_id());
  context.TryCancel();
  EXPECT_EQ(Answer(&Locks::ReleaseLock, support::ReleaseOf(engaged, "it is over")).state(), v1::LOCK_STATE_CLEAR);
  EXPECT_EQ(Answer(&Locks::GetLock, get).state(), v1::LOCK_STATE_CLEAR);
}

TEST_F(ServerSmokeTest, PoliciesAnswer) {
  v1::GetPolicyRequest get;
  get.set_tenant_id("t");
  const v1::PolicySet built_in = Answer(&Policies::GetPolicy, get);
  EXPECT_EQ(built_in.version(), 0);
  v1::ValidatePolicyRequest validate;
  *validate.mutable_policy() = built_in;
  EXPECT_TRUE(Answer(&Policies::ValidatePolicy, validate).valid());
  validate.mutable_policy()->mutable_tiers(0)->set_tier(7);
  EXPECT_FALSE(Answer(&Policies::ValidatePolicy, validate).valid());
  v1::UpdatePolicyRequest update;
  *update.mutable_policy() = built_in;
  EXPECT_EQ(Answer(&Policies::UpdatePolicy, update).version(), 1);
  EXPECT_EQ(Answer(&Policies::GetPolicy, get).version(), 1);
  v1::ListPolicyVersionsRequest list;
  list.set_tenant_id("t");
  EXPECT_EQ(Answer(&Policies::ListPolicyVersions, list).policies_size(), 1);
}

TEST_F(ServerSmokeTest, AlertsAreStreamedAndListed) {
  support::AlertReader reader(*api_, support::SubscriptionOf("", 0));
  ASSERT_TRUE(reader.opened().has_value());
  Answer(&Locks::EngageLock, support::EngageOf("t", v1::SCOPE_KIND_TENANT, "t", "a fire drill"));
  const auto alert = reader.Next();
  ASSERT_TRUE(alert.has_value());
  EXPECT_EQ(alert->type(), "lock");
  EXPECT_EQ(reader.fault(), "");
  EXPECT_EQ(Answer(&Alerts::ListAlerts, v1::ListAlertsRequest()).alerts_size(), 1);
  v1::ListUserAlertsRequest user_alerts;
  user_alerts.set_tenant_id("t");
  EXPECT_EQ(Answer(&Alerts::ListUserAlerts, user_alerts).user_alerts_size(), 0);
}

TEST_F(ServerSmokeTest, TasksAnswerAndRun) {
  v1::CreateTaskRequest create;
  create.mutable_task()->set_tenant_id("t");
  create.mutable_task()->set_type("oauth_token");
  create.mutable_task()->set_target("gsc");
  create.mutable_task()->mutable_next_run_time()->set_seconds(absl::ToUnixSeconds(absl::Now()) + 3600);
  // Nothing listens there.
  create.mutable_oauth_grant()->set_token_endpoint("http://127.0.0.1:1/token");
  create.mutable_oauth_grant()->set_client_id("client");
  create.mutable_oauth_grant()->set_refresh_token("the refresh token");
  const v1::Task task = Answer(&Scheduler::CreateTask, create);
  v1::GetTaskRequest get;
  get.set_tenant_id("t");
  get.set_task_id(task.task_id());
  EXPECT_EQ(Answer(&Scheduler::GetTask, get).state(), v1::TASK_STATE_ACTIVE);
  v1::ListTasksRequest list;
  list.set_tenant_id("t");
  EXPECT_EQ(Answer(&Scheduler::ListTasks, list).tasks_size(), 1);
  v1::TriggerTaskRequest trigger;
  trigger.set_tenant_id("t");
  trigger.set_task_id(task.task_id());
  Answer(&Scheduler::TriggerTask, trigger);
  v1::ListAttemptsRequest attempts;
  attempts.set_tenant_id("t");
  attempts.set_task_id(task.task_id());
  // The attempt runs on its own thread; its end is a row like any other.
  v1::ListAttemptsResponse ended;
  while (ended.attempts().empty() || ended.attempts(0).outcome() == v1::ATTEMPT_OUTCOME_RUNNING) {
    ended = Answer(&Scheduler::ListAttempts, attempts);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_EQ(ended.attempts(0).outcome(), v1::ATTEMPT_OUTCOME_FAILED);
  EXPECT_TRUE(ended.attempts(0).manual());
  v1::ListUserAlertsRequest user_alerts;
  user_alerts.set_tenant_id("t");
  EXPECT_EQ(Answer(&Alerts::ListUserAlerts, user_alerts).user_alerts_size(), 1);
}

TEST_F(ServerSmokeTest, TheServerTellsOfItself) {
  const v1::ServerInfo info = Answer(&Admin::GetServerInfo, v1::GetServerInfoRequest());
  EXPECT_EQ(info.caller(), "human:alice");
  EXPECT_NE(info.version(), "");
  EXPECT_EQ(info.epoch().size(), 16u);
  EXPECT_TRUE(info.has_start_time());
  EXPECT_EQ(info.time_source(), v1::TIME_SOURCE_WALL);
}

TEST_F(ServerSmokeTest, HealthSaysServing) {
  grpc::health::v1::HealthCheckResponse health;
  ASSERT_TRUE(health.ParseFromString(RawReply("/grpc.health.v1.Health/Check", "")));
  EXPECT_EQ(health.status(), grpc::health::v1::HealthCheckResponse::SERVING);
}

TEST_F(ServerSmokeTest, ReflectionAndChannelzAnswer) {
  // A ServerReflectionRequest with an empty list_services, field 7.
  const std::string services =
      RawReply("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", std::string("\x3a\x00", 2));
  for (const char* service :
       {"interlock.v1.MonitorService", "interlock.v1.SafetyService", "interlock.v1.LockService",
        "interlock.v1.PolicyService", "interlock.v1.AlertService", "interlock.v1.SchedulerService",
        "interlock.v1.AdminService", "grpc.health.v1.Health", "grpc.channelz.v1.Channelz"}) {
    EXPECT_THAT(services, testing::HasSubstr(service));
  }
  EXPECT_NE(RawReply("/grpc.channelz.v1.Channelz/GetServers", ""), "");
}

TEST_F(ServerSmokeTest, WhatWasAcknowledgedIsThereAfterARestart) {
  Answer(&Safety::Arbitrate, ActionOf("t", "a"));
  const v1::Lock lock = Answer(&Locks::EngageLock, support::EngageOf("t", v1::SCOPE_KIND_TENANT, "t", "a fire drill"));
  const std::string epoch = Answer(&Admin::GetServerInfo, v1::GetServerInfoRequest()).epoch();
  server_ = nullptr;
  Start();
  EXPECT_EQ(Answer(&Admin::GetServerInfo, v1::GetServerInfoRequest()).epoch(), epoch);
  v1::GetLockRequest get;
  get.set_lock_id(lock.lock_id());
  EXPECT_EQ(Answer(&Locks::GetLock, get).state(), v1::LOCK_STATE_TRIPPED);
  EXPECT_EQ(Answer(&Safety::Arbitrate, ActionOf("t", "a")).verdict(), v1::VERDICT_LOCK);
}

TEST_F(ServerSmokeTest, AStoreIsUsedByOneServerAtATime) {
  server::Config config;
  config.listen = "127.0.0.1:0";
  config.data_dir = data_dir_;
  const auto second = server::Server::Start(config, clock_, [](const server::LogLine&) {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition) << second.status();
}

}  // namespace
}  // namespace interlock
