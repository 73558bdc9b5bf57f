// What the commands about approvals ask for and show, against a server that answers as told.
#include "client/cli/approval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/test_terminal.h"
#include "client/testing/fake_server.h"

namespace interlock::cli {
namespace {

using testing::HasSubstr;

class ApprovalTest : public testing::Test {
 protected:
  ProgramResult Run(const std::vector<std::string>& words) { return RunAgainst(server_.address(), words, ""); }

  client::FakeServer server_;
};

TEST_F(ApprovalTest, ApproveReadsTheApprovalAndDecidesWhatItRead) {
  server_.answers.get_approval = [](grpc::ServerContext&, const v1::GetApprovalRequest& request, v1::Approval& reply) {
    EXPECT_EQ(request.tenant_id(), "t");
    reply.set_version(7);
    return grpc::Status::OK;
  };
  v1::DecideApprovalRequest sent;
  server_.answers.decide_approval = [&](grpc::ServerContext&, const v1::DecideApprovalRequest& request,
                                        v1::Approval& reply) {
    sent = request;
    reply.set_approval_id(request.approval_id());
    reply.set_state(request.approve() ? v1::APPROVAL_STATE_APPROVED : v1::APPROVAL_STATE_REJECTED);
    reply.mutable_action()->set_action_type("send_money");
    (*reply.mutable_action()->mutable_parameters()->mutable_fields())["amount"].set_number_value(5);
    return grpc::Status::OK;
  };
  ProgramResult result = Run({"approval", "approve", "approval-3", "--tenant=t", "--comment=fine"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(sent.version(), 7);
  EXPECT_TRUE(sent.approve());
  EXPECT_EQ(sent.comment(), "fine");
  EXPECT_THAT(result.out, HasSubstr("approved\n"));
  EXPECT_THAT(result.out, HasSubstr("send_money"));
  EXPECT_THAT(result.out, HasSubstr("{\"amount\":5}"));
  result = Run({"approval", "reject", "approval-3", "--tenant=t", "--version=2"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(sent.version(), 2);
  EXPECT_FALSE(sent.approve());
}

TEST_F(ApprovalTest, WaitGoesOnUntilTheApprovalIsDecided) {
  int calls = 0;
  server_.answers.wait_approval = [&](grpc::ServerContext&, const v1::WaitApprovalRequest&, v1::Approval& reply) {
    reply.set_state(++calls < 3 ? v1::APPROVAL_STATE_PENDING : v1::APPROVAL_STATE_VOIDED);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"approval", "wait", "approval-3", "--tenant=t"}).exit_code, 3);
  EXPECT_EQ(calls, 3);
}

TEST_F(ApprovalTest, DecideTellsHowToGetTheApprovalThatItAskedFor) {
  server_.answers.arbitrate = [](grpc::ServerContext&, const v1::ArbitrateRequest& request, v1::Decision& reply) {
    reply.set_decision_id("decision-1");
    reply.set_tenant_id("t");
    const bool approved = !request.approval_id().empty();
    reply.set_verdict(approved ? v1::VERDICT_ALLOW : v1::VERDICT_DENY);
    reply.set_requires_approval(!approved);
    reply.set_approval_id("approval-3");
    return grpc::Status::OK;
  };
  const std::vector<std::string> words = {"decide", "--tenant=t", "--agent=a", "--type=x"};
  const ProgramResult asked = Run(words);
  EXPECT_EQ(asked.exit_code, 3);
  EXPECT_THAT(asked.out, HasSubstr("interlockctl approval approve approval-3 --tenant=t"));
  std::vector<std::string> again = words;
  again.push_back("--approval=approval-3");
  const ProgramResult allowed = Run(again);
  EXPECT_EQ(allowed.exit_code, 0);
  EXPECT_THAT(allowed.out, HasSubstr("approval-3, used up"));
}

}  // namespace
}  // namespace interlock::cli
