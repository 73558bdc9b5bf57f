// What the commands about checkpoints ask for and show, against a server that answers as told.
#include "client/cli/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/test_terminal.h"
#include "client/testing/fake_server.h"
#include "core/base/sha256.h"

namespace interlock::cli {
namespace {

using testing::HasSubstr;

class CheckpointTest : public testing::Test {
 protected:
  ProgramResult Run(const std::vector<std::string>& words, const std::string& in = "") {
    return RunAgainst(server_.address(), words, in);
  }

  client::FakeServer server_;
};

TEST_F(CheckpointTest, CreateSendsTheStateWithItsDigest) {
  v1::CreateCheckpointRequest sent;
  server_.answers.create_checkpoint = [&](grpc::ServerContext&, const v1::CreateCheckpointRequest& request,
                                          v1::Checkpoint& reply) {
    sent = request;
    reply.set_checkpoint_id("checkpoint-3");
    reply.set_state_bytes(4);
    return grpc::Status::OK;
  };
  const std::vector<std::string> words = {"checkpoint", "create",     "--tenant=t", "--agent=a",
                                          "--type=x",   "--target=r", "--state=@-", "--media_type=text/plain"};
  const ProgramResult result = Run(words, "a\nb\n");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(sent.tenant_id(), "t");
  EXPECT_EQ(sent.agent_id(), "a");
  EXPECT_EQ(sent.action_type(), "x");
  EXPECT_EQ(sent.target_resource(), "r");
  EXPECT_EQ(sent.state(), "a\nb\n");
  EXPECT_EQ(sent.content_digest(), Sha256("a\nb\n"));
  EXPECT_EQ(sent.media_type(), "text/plain");
  EXPECT_NE(sent.request_id(), "");
  EXPECT_THAT(result.out, HasSubstr("checkpoint-3"));
  EXPECT_THAT(result.out, HasSubstr("can be used"));
  EXPECT_EQ(Run({"checkpoint", "create", "--tenant=t", "--agent=a", "--type=x", "--state=s"}).exit_code, 0);
  EXPECT_EQ(sent.state(), "s");
}

TEST_F(CheckpointTest, GetWritesTheSavedBytesAsTheyAre) {
  server_.answers.get_checkpoint = [](grpc::ServerContext&, const v1::GetCheckpointRequest& request,
                                      v1::Checkpoint& reply) {
    EXPECT_EQ(request.checkpoint_id(), "checkpoint-3");
    reply.set_state("bytes\n\x01");
    reply.set_used_by("decision-9");
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"checkpoint", "get", "checkpoint-3", "--tenant=t", "--state"}).out, "bytes\n\x01");
  EXPECT_THAT(Run({"checkpoint", "get", "checkpoint-3", "--tenant=t"}).out, HasSubstr("used by decision-9"));
}

TEST_F(CheckpointTest, ListShowsWhatHasBecomeOfThem) {
  server_.answers.list_checkpoints = [](grpc::ServerContext&, const v1::ListCheckpointsRequest& request,
                                        v1::ListCheckpointsResponse& reply) {
    EXPECT_EQ(request.agent_id(), "a");
    reply.add_checkpoints()->set_checkpoint_id("checkpoint-4");
    v1::Checkpoint& restored = *reply.add_checkpoints();
    restored.set_rollback_id("rollback-5");
    restored.set_rollback_state(v1::ROLLBACK_STATE_SUCCEEDED);
    return grpc::Status::OK;
  };
  const ProgramResult result = Run({"checkpoint", "list", "--tenant=t", "--agent=a"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("checkpoint-4"));
  EXPECT_THAT(result.out, HasSubstr("rollback-5 succeeded"));
}

TEST_F(CheckpointTest, DecideAndExplainGiveTheCheckpoint) {
  std::vector<std::string> given;
  server_.answers.arbitrate = [&](grpc::ServerContext&, const v1::ArbitrateRequest& request, v1::Decision& reply) {
    given.push_back(request.checkpoint_id());
    reply.set_decision_id("decision-1");
    reply.set_verdict(v1::VERDICT_ALLOW);
    reply.set_checkpoint_id(request.checkpoint_id());
    return grpc::Status::OK;
  };
  server_.answers.explain_action = [&](grpc::ServerContext&, const v1::ExplainActionRequest& request, v1::Decision&) {
    given.push_back(request.checkpoint_id());
    return grpc::Status::OK;
  };
  const ProgramResult decided = Run({"decide", "--tenant=t", "--agent=a", "--type=x", "--checkpoint=checkpoint-3"});
  EXPECT_THAT(decided.out, HasSubstr("checkpoint-3, used up"));
  Run({"explain", "--tenant=t", "--agent=a", "--type=x", "--checkpoint=checkpoint-4"});
  EXPECT_EQ(given, (std::vector<std::string>{"checkpoint-3", "checkpoint-4"}));
}

}  // namespace
}  // namespace interlock::cli
