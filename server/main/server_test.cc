// A whole server over gRPC, on a store in memory whose commits can be made to fail or to wait. What needs the real
// store and the real process is in tests/e2e.

#include "server/main/server.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.pb.h"
#include "server/base/clock.h"
#include "server/base/gate.h"
#include "server/base/mutex.h"
#include "server/sequencer/fault_store.h"
#include "storage/memory_store.h"
#include "tests/support/alert_reader.h"
#include "tests/support/api.h"
#include "tests/support/files.h"
#include "tests/support/requests.h"

namespace interlock::server {
namespace {

using support::ActionOf;
using support::AlertReader;
using support::Api;
using support::EngageOf;
using support::Locks;
using support::ReasonOf;
using support::Safety;

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Config config;
    config.listen = "127.0.0.1:0";
    config.secret_key_file = support::FreshDirectory("keys") + "/secret.key";
    config.audit_key_file = support::FreshDirectory("audit_keys") + "/audit_key.pem";
    auto server =
        Server::StartOn([this] { return OpenCore(); }, config, clock_, [this](const LogLine& line) { WriteLog(line); });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    api_ = std::make_unique<Api>(NewChannel());
  }

  // The server still writes to the log and the store while it stops.
  void TearDown() override { server_->Stop(); }

  std::shared_ptr<grpc::Channel> NewChannel() const {
    return grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
  }

  absl::StatusOr<std::unique_ptr<Core>> OpenCore() {
    {
      MutexLock lock(mutex_);
      if (!may_open_) return absl::UnavailableError("the disk is full");
    }
    auto core = std::make_unique<Core>();
    core->store = std::make_shared<FaultStore>(store_, faults_);
    auto engine = Engine::Load(*core->store, {}, clock_.TimeNow(), core->effects);
    if (!engine.ok()) return engine.status();
    core->engine = *std::move(engine);
    return core;
  }

  void SetMayOpen(bool may_open) {
    MutexLock lock(mutex_);
    may_open_ = may_open;
  }

  void WriteLog(const LogLine& line) {
    MutexLock lock(mutex_);
    absl::StrAppend(&log_, line.text, "\n");
  }
  std::string log() {
    MutexLock lock(mutex_);
    return log_;
  }

  // Asks until the server decides again.
  v1::Decision DecideWhenServing(const v1::ArbitrateRequest& request) {
    for (;;) {
      const auto answer = api_->Call(&Safety::Arbitrate, request);
      if (answer.ok()) return *answer;
      EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE) << answer.status.error_message();
      std::this_thread::yield();
    }
  }

  // What the health service says of the server.
  grpc::health::v1::HealthCheckResponse::ServingStatus Health() const {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckResponse response;
    const grpc::Status status = grpc::internal::BlockingUnaryCall(
        NewChannel().get(),
        grpc::internal::RpcMethod("/grpc.health.v1.Health/Check", grpc::internal::RpcMethod::NORMAL_RPC), &context,
        grpc::health::v1::HealthCheckRequest(), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.status();
  }

  storage::MemoryStore store_{"e1"};
  CommitFaults faults_;
  SystemClock clock_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Api> api_;

 private:
  Mutex mutex_;
  bool may_open_ ABSL_GUARDED_BY(mutex_) = true;
  std::string log_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(ServerTest, NoReplyLeavesBeforeItsCommit) {
  Gate reached;
  Gate go;
  faults_.BlockNext(reached, go);
  auto answer = std::async(std::launch::async, [&] { return api_->Call(&Safety::Arbitrate, ActionOf("t", "a")); });
  reached.Wait();
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  EXPECT_EQ(faults_.commits(), 0);
  go.Open();
  EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(faults_.commits(), 1);
}

TEST_F(ServerTest, AFailedCommitIsUnavailableWithUnknownOutcomeAndIsRecoveredFrom) {
  faults_.FailNth(1);
  v1::ArbitrateRequest request = ActionOf("t", "a");
  request.set_request_id("r1");
  const auto lost = api_->Call(&Safety::Arbitrate, request);
  EXPECT_EQ(lost.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(lost.status), "OUTCOME_UNKNOWN");
  const v1::Decision decision = DecideWhenServing(request);
  EXPECT_EQ(decision.sequence(), 1);
  EXPECT_FALSE(decision.replayed());
}

TEST_F(ServerTest, AnOutcomeThatWasStoredAfterAllIsReplayed) {
  faults_.FailNth(1, /*stored=*/true);
  v1::ArbitrateRequest request = ActionOf("t", "a");
  request.set_request_id("r1");
  EXPECT_EQ(ReasonOf(api_->Call(&Safety::Arbitrate, request).status), "OUTCOME_UNKNOWN");
  const v1::Decision decision = DecideWhenServing(request);
  EXPECT_EQ(decision.sequence(), 1);
  EXPECT_TRUE(decision.replayed());
}

TEST_F(ServerTest, AnAlertOfAFailedCommitReachesSubscribersIfItWasStored) {
  AlertReader reader(*api_, support::SubscriptionOf("", 0));
  ASSERT_TRUE(reader.opened().has_value());
  faults_.FailNth(1, /*stored=*/true);
  const auto lost = api_->Call(&Locks::EngageLock, EngageOf("t", v1::SCOPE_KIND_TENANT, "t", "stop"));
  EXPECT_EQ(ReasonOf(lost.status), "OUTCOME_UNKNOWN");
  const auto alert = reader.Next();
  ASSERT_TRUE(alert.has_value());
  EXPECT_EQ(alert->type(), "lock");
  EXPECT_EQ(alert->sequence(), 1);
  EXPECT_EQ(reader.fault(), "");
}

TEST_F(ServerTest, WithoutItsStoreTheServerAnswersNothingButUnavailable) {
  EXPECT_EQ(Health(), grpc::health::v1::HealthCheckResponse::SERVING);
  SetMayOpen(false);
  faults_.FailNth(1);
  EXPECT_EQ(ReasonOf(api_->Call(&Safety::Arbitrate, ActionOf("t", "a")).status), "OUTCOME_UNKNOWN");
  const auto refused = api_->Call(&Safety::Arbitrate, ActionOf("t", "a"));
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(refused.status), "NOT_SERVING");
  const auto history = api_->Call(&Locks::ListLocks, v1::ListLocksRequest());
  EXPECT_EQ(history.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(history.status), "NOT_SERVING");
  EXPECT_EQ(Health(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  SetMayOpen(true);
  EXPECT_EQ(DecideWhenServing(ActionOf("t", "a")).sequence(), 1);
  EXPECT_EQ(Health(), grpc::health::v1::HealthCheckResponse::SERVING);
  server_->Stop();
  EXPECT_TRUE(absl::StrContains(log(), "commit failed, nothing is decided until the store is open again")) << log();
}

TEST_F(ServerTest, AStreamOfVerdictsIsTakenBackWithItsCommit) {
  grpc::ClientContext context;
  api_->Prepare(context);
  const auto stream = api_->stub<Safety>().ArbitrateStream(&context);
  v1::ArbitrateStreamRequest message;
  *message.add_requests() = ActionOf("t", "a");
  faults_.FailNth(1);
  ASSERT_TRUE(stream->Write(message));
  v1::ArbitrateStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.results_size(), 1);
  EXPECT_EQ(response.results(0).error().reason(), "OUTCOME_UNKNOWN");
  EXPECT_EQ(response.results(0).error().code(), static_cast<int>(grpc::StatusCode::UNAVAILABLE));
  ASSERT_TRUE(stream->WritesDone());
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ServerTest, ACallerWhoGoesDuringTheCommitLeavesNoTrouble) {
  Gate reached;
  Gate go;
  faults_.BlockNext(reached, go);
  {
    grpc::ClientContext context;
    api_->Prepare(context);
    const auto stream = api_->stub<Safety>().ArbitrateStream(&context);
    v1::ArbitrateStreamRequest message;
    *message.add_requests() = ActionOf("t", "a");
    ASSERT_TRUE(stream->Write(message));
    ASSERT_TRUE(stream->Write(message));
    reached.Wait();
    context.TryCancel();
  }
  go.Open();
  EXPECT_TRUE(api_->Call(&Safety::Arbitrate, ActionOf("t", "a")).ok());
}

TEST_F(ServerTest, StopEndsEveryKindOfStreamWithUnavailable) {
  AlertReader alerts(*api_, support::SubscriptionOf("", 0));
  grpc::ClientContext watch_context;
  api_->Prepare(watch_context);
  const auto watch = api_->stub<Locks>().WatchLocks(&watch_context, v1::WatchLocksRequest());
  v1::WatchLocksResponse first;
  ASSERT_TRUE(watch->Read(&first));
  grpc::ClientContext verdicts_context;
  api_->Prepare(verdicts_context);
  const auto verdicts = api_->stub<Safety>().ArbitrateStream(&verdicts_context);
  v1::ArbitrateStreamRequest message;
  *message.add_requests() = ActionOf("t", "a");
  ASSERT_TRUE(verdicts->Write(message));
  v1::ArbitrateStreamResponse response;
  ASSERT_TRUE(verdicts->Read(&response));

  server_->Stop();

  const grpc::Status alerts_end = alerts.Finish();
  EXPECT_EQ(ReasonOf(alerts_end), "SERVER_STOPPING") << alerts_end.error_message();
  EXPECT_EQ(alerts_end.error_code(), grpc::StatusCode::UNAVAILABLE);
  while (watch->Read(&first)) {
  }
  EXPECT_EQ(ReasonOf(watch->Finish()), "SERVER_STOPPING");
  EXPECT_FALSE(verdicts->Read(&response));
  EXPECT_EQ(ReasonOf(verdicts->Finish()), "SERVER_STOPPING");
}

// gRPC aborts when something is started on a completion queue that was shut down.
TEST_F(ServerTest, StopMayComeAtTheInstantAtWhichCallersGo) {
  for (int round = 0; round < 50; ++round) {
    std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
    std::vector<std::unique_ptr<grpc::ClientReader<v1::WatchLocksResponse>>> watches;
    for (int i = 0; i < 8; ++i) {
      contexts.push_back(std::make_unique<grpc::ClientContext>());
      api_->Prepare(*contexts.back());
      watches.push_back(api_->stub<Locks>().WatchLocks(contexts.back().get(), v1::WatchLocksRequest()));
      v1::WatchLocksResponse first;
      ASSERT_TRUE(watches.back()->Read(&first));
    }
    for (const auto& context : contexts) context->TryCancel();
    server_->Stop();
    watches.clear();
    SetUp();
  }
}

TEST_F(ServerTest, WhatWasAcceptedBeforeStopIsAnswered) {
  Gate reached;
  Gate go;
  faults_.BlockNext(reached, go);
  auto answer = std::async(std::launch::async, [&] { return api_->Call(&Safety::Arbitrate, ActionOf("t", "a")); });
  reached.Wait();
  auto stopped = std::async(std::launch::async, [&] { server_->Stop(); });
  go.Open();
  EXPECT_TRUE(answer.get().ok());
  stopped.get();
}

TEST_F(ServerTest, ASecondServerCannotTakeThePort) {
  Config config;
  config.listen = server_->address();
  config.secret_key_file = support::FreshDirectory("other_keys") + "/secret.key";
  config.audit_key_file = support::FreshDirectory("other_audit_keys") + "/audit_key.pem";
  const auto second = Server::StartOn([this] { return OpenCore(); }, config, clock_, [](const LogLine&) {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(second.status().message(), server_->address())) << second.status();
  EXPECT_TRUE(api_->Call(&Safety::Arbitrate, ActionOf("t", "a")).ok());
}

TEST_F(ServerTest, AMalformedPrincipalIsToldWhatToSend) {
  const Api nobody(NewChannel(), "alice");
  const auto call = nobody.Call(&Safety::Arbitrate, ActionOf("t", "a"));
  EXPECT_EQ(call.status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ReasonOf(call.status), "PRINCIPAL_INVALID");
  const auto read = nobody.Call(&Locks::ListLocks, v1::ListLocksRequest());
  EXPECT_EQ(read.status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  AlertReader reader(nobody, support::SubscriptionOf("", 0));
  EXPECT_EQ(reader.Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
  grpc::ClientContext context;
  nobody.Prepare(context);
  const auto stream = nobody.stub<Safety>().ArbitrateStream(&context);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(ServerTest, ASubscriberThatDoesNotReadDelaysNobodyAndMissesNothing) {
  AlertReader stalled(*api_, support::SubscriptionOf("", 0));
  ASSERT_TRUE(stalled.opened().has_value());
  AlertReader live(Api(NewChannel()), support::SubscriptionOf("", 0));
  // More than fits into the buffers between the server and a client.
  constexpr int kChanges = 300;
  for (int i = 0; i < kChanges; ++i) {
    const auto engaged =
        api_->Call(&Locks::EngageLock, EngageOf("t", v1::SCOPE_KIND_TENANT, "t", std::string(1000, 'x')));
    ASSERT_TRUE(engaged.ok()) << engaged.status.error_message();
  }
  EXPECT_EQ(live.ReadUpTo(kChanges).size(), static_cast<size_t>(kChanges));
  EXPECT_EQ(live.fault(), "");
  EXPECT_EQ(stalled.ReadUpTo(kChanges).size(), static_cast<size_t>(kChanges));
  EXPECT_EQ(stalled.fault(), "");
}

}  // namespace
}  // namespace interlock::server
