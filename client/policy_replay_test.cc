#include "client/policy_replay.h"

#include <gtest/gtest.h>

#include <vector>

#include "client/testing/fake_server.h"

namespace interlock::client {
namespace {

class PolicyReplayTest : public testing::Test {
 protected:
  absl::StatusOr<v1::ReplayResult> Replay() {
    ClientOptions options;
    options.address = server_.address();
    options.deadline = absl::Seconds(20);
    const Client client(options);
    v1::ReplayPolicyRequest request;
    request.set_tenant_id("t");
    return ReplayPolicy(client, request,
                        [this](const v1::ReplayProgress& progress) { events_.push_back(progress.events()); });
  }

  // Sends two messages of progress, and then the result if it should.
  void Serve(bool with_result) {
    server_.answers.replay_policy = [this, with_result](grpc::ServerContext&, const v1::ReplayPolicyRequest& request,
                                                        grpc::ServerWriter<v1::ReplayPolicyResponse>& writer) {
      EXPECT_EQ(request.tenant_id(), "t");
      v1::ReplayPolicyResponse message;
      for (int i = 1; i <= 2; ++i) {
        message.mutable_progress()->set_events(i);
        writer.Write(message);
      }
      message.mutable_result()->set_actions(7);
      if (with_result) writer.Write(message);
      return end_;
    };
  }

  FakeServer server_;
  grpc::Status end_;
  std::vector<int64_t> events_;
};

TEST_F(PolicyReplayTest, ProgressComesInOrderAndThenTheResult) {
  Serve(true);
  const auto result = Replay();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->actions(), 7);
  EXPECT_EQ(events_, (std::vector<int64_t>{1, 2}));
}

TEST_F(PolicyReplayTest, AReplayWithoutItsResultIsAnError) {
  Serve(false);
  EXPECT_EQ(Replay().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(PolicyReplayTest, ErrorsOfTheServerAreReturned) {
  end_ = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "another one");
  Serve(true);
  EXPECT_EQ(Replay().status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace interlock::client
