// What the commands about rollbacks ask for and show, against a server that answers as told.
#include "client/cli/rollback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/test_terminal.h"
#include "client/testing/fake_server.h"
#include "core/base/sha256.h"

namespace interlock::cli {
namespace {

using testing::HasSubstr;

class RollbackTest : public testing::Test {
 protected:
  RollbackTest() {
    server_.answers.request_rollback = [this](grpc::ServerContext&, const v1::RequestRollbackRequest& request,
                                              v1::RequestRollbackResponse& reply) {
      asked_ = request;
      reply.add_rollbacks()->set_rollback_id("rollback-5");
      return grpc::Status::OK;
    };
    server_.answers.get_rollback = [](grpc::ServerContext&, const v1::GetRollbackRequest& request,
                                      v1::Rollback& reply) {
      reply.set_rollback_id(request.rollback_id());
      reply.set_version(7);
      v1::RollbackRecord& step = *reply.add_steps();
      step.set_step(v1::ROLLBACK_STEP_START);
      step.set_detail("at it");
      return grpc::Status::OK;
    };
    server_.answers.report_rollback = [this](grpc::ServerContext&, const v1::ReportRollbackRequest& request,
                                             v1::Rollback& reply) {
      told_ = request;
      const bool same = request.restored_digest() == Sha256("saved");
      reply.set_state(request.state() == v1::ROLLBACK_STATE_SUCCEEDED && !same ? v1::ROLLBACK_STATE_FAILED
                                                                               : request.state());
      return grpc::Status::OK;
    };
  }
  ProgramResult Run(const std::vector<std::string>& words) { return RunAgainst(server_.address(), words, "saved"); }

  client::FakeServer server_;
  v1::RequestRollbackRequest asked_;
  v1::ReportRollbackRequest told_;
};

TEST_F(RollbackTest, RequestNamesACheckpointOrTheLatest) {
  const ProgramResult one = Run({"rollback", "request", "checkpoint-3", "--tenant=t", "--reason=it broke"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(asked_.checkpoint_id(), "checkpoint-3");
  EXPECT_EQ(asked_.reason(), "it broke");
  EXPECT_THAT(one.out, HasSubstr("rollback-5"));
  EXPECT_EQ(Run({"rollback", "request", "--tenant=t", "--reason=r", "--latest=2", "--agent=a"}).exit_code, 0);
  EXPECT_EQ(asked_.latest().count(), 2);
  EXPECT_EQ(asked_.latest().agent_id(), "a");
  EXPECT_NE(asked_.request_id(), "");
}

TEST_F(RollbackTest, RequestNamesEitherAndNotTooMany) {
  const std::vector<std::string> begin = {"rollback", "request", "--tenant=t", "--reason=r"};
  for (const std::vector<std::string>& rest :
       std::vector<std::vector<std::string>>{{},
                                             {"checkpoint-3", "--latest=2", "--agent=a"},
                                             {"--latest=2"},
                                             {"--latest=51", "--agent=a"},
                                             {"--latest=-1", "--agent=a"}}) {
    std::vector<std::string> words = begin;
    words.insert(words.end(), rest.begin(), rest.end());
    EXPECT_EQ(Run(words).exit_code, 2);
  }
  EXPECT_EQ(asked_.tenant_id(), "");
}

TEST_F(RollbackTest, ReportSendsTheDigestOfWhatWasReadBack) {
  EXPECT_EQ(Run({"rollback", "report", "rollback-5", "--tenant=t", "--state=running", "--version=1"}).exit_code, 0);
  EXPECT_EQ(told_.state(), v1::ROLLBACK_STATE_RUNNING);
  EXPECT_EQ(told_.version(), 1);
  EXPECT_EQ(told_.restored_digest(), "");
  EXPECT_EQ(Run({"rollback", "report", "rollback-5", "--tenant=t", "--state=succeeded", "--restored=@-"}).exit_code, 0);
  EXPECT_EQ(told_.version(), 7) << "it was read";
  EXPECT_EQ(told_.restored_digest(), Sha256("saved"));
}

TEST_F(RollbackTest, ReportOfASuccessThatIsNoneFails) {
  const ProgramResult result =
      Run({"rollback", "report", "rollback-5", "--tenant=t", "--state=succeeded", "--restored=other"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("failed"));
  EXPECT_EQ(Run({"rollback", "report", "rollback-5", "--tenant=t", "--state=failed"}).exit_code, 0);
}

TEST_F(RollbackTest, GetShowsTheSteps) {
  EXPECT_THAT(Run({"rollback", "get", "rollback-5", "--tenant=t"}).out, HasSubstr("start: at it"));
}

TEST_F(RollbackTest, ListShowsWhatIsOpenOrOver) {
  server_.answers.list_rollbacks = [](grpc::ServerContext&, const v1::ListRollbacksRequest& request,
                                      v1::ListRollbacksResponse& reply) {
    EXPECT_EQ(request.agent_id(), "a");
    v1::Rollback& rollback = *reply.add_rollbacks();
    rollback.set_rollback_id(request.closed() ? "rollback-1" : "rollback-2");
    rollback.set_state(request.closed() ? v1::ROLLBACK_STATE_UNVERIFIABLE : v1::ROLLBACK_STATE_RUNNING);
    return grpc::Status::OK;
  };
  EXPECT_THAT(Run({"rollback", "list", "--tenant=t", "--agent=a"}).out, HasSubstr("rollback-2  running"));
  EXPECT_THAT(Run({"rollback", "list", "--tenant=t", "--agent=a", "--closed"}).out,
              HasSubstr("rollback-1  unverifiable"));
}

}  // namespace
}  // namespace interlock::cli
