// The client against a server that misbehaves on purpose: what it sends, what it repeats and what
// it makes of errors.
#include "client/client.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/error.h"
#include "client/options.h"
#include "client/testing/details.h"
#include "client/testing/fake_server.h"
#include "client/testing/simulated_environment.h"

namespace interlock::client {
namespace {

grpc::Status Unavailable() { return grpc::Status(grpc::StatusCode::UNAVAILABLE, "starting"); }

class ClientTest : public testing::Test {
 protected:
  ClientOptions Options() {
    ClientOptions options;
    options.address = server_.address();
    options.environment = simulated_.environment();
    return options;
  }

  SimulatedEnvironment simulated_;
  FakeServer server_;
};

TEST_F(ClientTest, ReplyIsTheServers) {
  server_.answers.get_server_info = [](grpc::ServerContext&, const v1::GetServerInfoRequest&, v1::ServerInfo& reply) {
    reply.set_version("9");
    return grpc::Status::OK;
  };
  const auto info = Client(Options()).GetServerInfo({});
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->version(), "9");
}

TEST_F(ClientTest, TokenAndPrincipalAreSentWithTheCall) {
  std::map<std::string, std::string> sent;
  server_.answers.get_server_info = [&](grpc::ServerContext& context, const v1::GetServerInfoRequest&,
                                        v1::ServerInfo&) {
    for (const auto& [name, value] : context.client_metadata()) {
      sent[std::string(name.data(), name.size())] = std::string(value.data(), value.size());
    }
    return grpc::Status::OK;
  };
  ClientOptions options = Options();
  options.token = "secret";
  options.principal = "agent:a1";
  ASSERT_TRUE(Client(options).GetServerInfo({}).ok());
  EXPECT_EQ(sent["authorization"], "Bearer secret");
  EXPECT_EQ(sent["interlock-principal"], "agent:a1");
}

TEST_F(ClientTest, WithoutTokenAndPrincipalNeitherIsSent) {
  size_t sent = 99;
  server_.answers.get_server_info = [&](grpc::ServerContext& context, const v1::GetServerInfoRequest&,
                                        v1::ServerInfo&) {
    sent = context.client_metadata().count("authorization") + context.client_metadata().count("interlock-principal");
    return grpc::Status::OK;
  };
  ASSERT_TRUE(Client(Options()).GetServerInfo({}).ok());
  EXPECT_EQ(sent, 0u);
}

TEST_F(ClientTest, ReadIsRepeatedAfterUnavailable) {
  int calls = 0;
  server_.answers.get_agent = [&](grpc::ServerContext&, const v1::GetAgentRequest&, v1::Agent& reply) {
    if (++calls < 3) return Unavailable();
    reply.set_agent_id("a1");
    return grpc::Status::OK;
  };
  const auto agent = Client(Options()).GetAgent({});
  ASSERT_TRUE(agent.ok()) << agent.status();
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(simulated_.sleeps().size(), 2u);
}

TEST_F(ClientTest, WriteIsRepeatedUnderTheSameGeneratedRequestId) {
  std::vector<std::string> ids;
  server_.answers.arbitrate = [&](grpc::ServerContext&, const v1::ArbitrateRequest& request, v1::Decision&) {
    ids.push_back(request.request_id());
    return ids.size() < 3 ? Unavailable() : grpc::Status::OK;
  };
  const Client client(Options());
  ASSERT_TRUE(client.Arbitrate({}).ok());
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids[0].size(), 32u);
  EXPECT_EQ(ids[1], ids[0]);
  EXPECT_EQ(ids[2], ids[0]);
  ASSERT_TRUE(client.Arbitrate({}).ok());
  EXPECT_NE(ids[3], ids[0]);
}

TEST_F(ClientTest, RequestIdOfTheCallerIsKept) {
  std::string id;
  server_.answers.trigger_task = [&](grpc::ServerContext&, const v1::TriggerTaskRequest& request, v1::Task&) {
    id = request.request_id();
    return grpc::Status::OK;
  };
  v1::TriggerTaskRequest request;
  request.set_request_id("mine");
  ASSERT_TRUE(Client(Options()).TriggerTask(request).ok());
  EXPECT_EQ(id, "mine");
}

TEST_F(ClientTest, NothingButUnavailableIsRepeated) {
  int calls = 0;
  int code = 0;
  server_.answers.get_lock = [&](grpc::ServerContext&, const v1::GetLockRequest&, v1::Lock&) {
    ++calls;
    return grpc::Status(static_cast<grpc::StatusCode>(code), "no");
  };
  const Client client(Options());
  for (code = 1; code <= 16; ++code) {
    if (code == grpc::StatusCode::UNAVAILABLE) continue;
    calls = 0;
    EXPECT_EQ(static_cast<int>(client.GetLock({}).status().code()), code);
    EXPECT_EQ(calls, 1) << code;
  }
}

TEST_F(ClientTest, OverloadIsRepeatedAfterTheDelayThatTheServerAsksFor) {
  int calls = 0;
  server_.answers.report_snapshot = [&](grpc::ServerContext&, const v1::ReportSnapshotRequest&,
                                        v1::ReportSnapshotResponse&) {
    return ++calls == 1 ? WireOverload(absl::Milliseconds(400)) : grpc::Status::OK;
  };
  ASSERT_TRUE(Client(Options()).ReportSnapshot({}).ok());
  ASSERT_EQ(simulated_.sleeps().size(), 1u);
  EXPECT_GE(simulated_.sleeps()[0], absl::Milliseconds(400));
}

TEST_F(ClientTest, CallsEndWithTheirDeadlineWhileTheServerIsUnavailable) {
  server_.answers.get_task = [](grpc::ServerContext&, const v1::GetTaskRequest&, v1::Task&) { return Unavailable(); };
  simulated_.set_random(uint64_t{1} << 63);
  const absl::Time start = simulated_.now();
  const auto task = Client(Options()).GetTask({});
  EXPECT_EQ(task.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_GT(simulated_.sleeps().size(), 3u);
  EXPECT_LT(simulated_.now() - start, absl::Seconds(5));
}

TEST_F(ClientTest, ServerThatDoesNotAnswerIsLeftAtTheDeadline) {
  server_.answers.get_task = [](grpc::ServerContext& context, const v1::GetTaskRequest&, v1::Task&) {
    while (!context.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  const auto task = Client(Options()).GetTask({}, {.deadline = absl::Milliseconds(50)});
  EXPECT_EQ(task.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ClientTest, DetailsOfAnErrorReachTheCaller) {
  server_.answers.update_policy = [](grpc::ServerContext&, const v1::UpdatePolicyRequest&, v1::PolicySet&) {
    return WireFieldError("policy.tiers[0].tier", "must be 1");
  };
  const absl::Status status = Client(Options()).UpdatePolicy({}).status();
  EXPECT_EQ(ErrorReason(status), "INVALID_FIELD");
  ASSERT_EQ(FieldViolations(status).field_violations_size(), 1);
  EXPECT_EQ(FieldViolations(status).field_violations(0).field(), "policy.tiers[0].tier");
}

TEST(RestartedServerTest, ClientFindsItsWayBack) {
  auto server = std::make_unique<FakeServer>();
  const auto answer = [](grpc::ServerContext&, const v1::GetServerInfoRequest&, v1::ServerInfo&) {
    return grpc::Status::OK;
  };
  server->answers.get_server_info = answer;
  ClientOptions options;
  options.address = server->address();
  const Client client(options);
  ASSERT_TRUE(client.GetServerInfo({}).ok());
  server.reset();
  EXPECT_EQ(client.GetServerInfo({}, {.deadline = absl::Milliseconds(300)}).status().code(),
            absl::StatusCode::kUnavailable);
  server = std::make_unique<FakeServer>(options.address);
  server->answers.get_server_info = answer;
  const auto info = client.GetServerInfo({}, {.deadline = absl::Seconds(20)});
  EXPECT_TRUE(info.ok()) << info.status();
}

TEST(UnreachableServerTest, CallEndsWithUnavailable) {
  SimulatedEnvironment simulated;
  ClientOptions options;
  options.address = UnreachableAddress();
  options.environment = simulated.environment();
  EXPECT_EQ(Client(options).GetServerInfo({}).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace interlock::client
