// What the commands about shadow policies ask for and show, against a server that answers as told.
#include "client/cli/shadow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/test_terminal.h"
#include "client/testing/fake_server.h"

namespace interlock::cli {
namespace {

using testing::HasSubstr;

class ShadowTest : public testing::Test {
 protected:
  ShadowTest() {
    server_.answers.set_shadow_policy = [this](grpc::ServerContext&, const v1::SetShadowPolicyRequest& request,
                                               v1::ShadowPolicy& reply) {
      asked_ = request;
      *reply.mutable_policy() = request.policy();
      return grpc::Status::OK;
    };
  }
  ProgramResult Run(const std::vector<std::string>& words, const std::string& input = "") {
    return RunAgainst(server_.address(), words, input);
  }

  client::FakeServer server_;
  v1::SetShadowPolicyRequest asked_;
};

TEST_F(ShadowTest, CandidateIsAFileOrAProfile) {
  EXPECT_EQ(Run({"policy", "shadow", "reference", "--tenant=t"}).exit_code, 0);
  EXPECT_EQ(asked_.tenant_id(), "t");
  EXPECT_EQ(asked_.policy().profile(), "reference");
  EXPECT_EQ(asked_.policy().tenant_id(), "t");
  EXPECT_NE(asked_.request_id(), "");
  EXPECT_EQ(Run({"policy", "shadow", "-", "--tenant=t"}, R"({"profile": "tool_calling"})").exit_code, 0);
  EXPECT_EQ(asked_.policy().profile(), "tool_calling");
}

TEST_F(ShadowTest, EndTakesNoCandidate) {
  EXPECT_EQ(Run({"policy", "shadow", "--tenant=t", "--end"}).exit_code, 0);
  EXPECT_FALSE(asked_.has_policy());
  EXPECT_EQ(Run({"policy", "shadow", "--tenant=t"}).exit_code, 2);
  EXPECT_EQ(Run({"policy", "shadow", "reference", "--tenant=t", "--end"}).exit_code, 2);
}

TEST_F(ShadowTest, DifferencesAreSummedUpAndListed) {
  server_.answers.list_shadow_differences = [](grpc::ServerContext&, const v1::ListShadowDifferencesRequest&,
                                               v1::ListShadowDifferencesResponse& reply) {
    v1::ShadowCounts& counts = *reply.mutable_shadow()->mutable_counts();
    counts.set_decisions(1200);
    counts.set_differences(1);
    v1::VerdictCount& same = *counts.add_verdicts();
    same.set_from(v1::VERDICT_ALLOW);
    same.set_to(v1::VERDICT_ALLOW);
    same.set_count(1199);
    v1::VerdictCount& other = *counts.add_verdicts();
    other.set_from(v1::VERDICT_ALLOW);
    other.set_to(v1::VERDICT_DENY);
    other.set_count(1);
    v1::ShadowDifference& difference = *reply.add_differences();
    difference.set_decision_id("decision-7");
    difference.set_agent_id("a");
    difference.set_action_type("send_money");
    difference.set_verdict(v1::VERDICT_ALLOW);
    difference.set_shadow_verdict(v1::VERDICT_DENY);
    difference.add_shadow_reasons()->set_text("in sum");
    difference.add_shadow_reasons()->set_text("Hourly limit of t reached");
    return grpc::Status::OK;
  };
  const ProgramResult result = Run({"policy", "differences", "--tenant=t"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("1 would have been others"));
  EXPECT_THAT(result.out, HasSubstr("  allow -> deny: 1\n"));
  EXPECT_THAT(result.out, testing::Not(HasSubstr("allow -> allow")));
  EXPECT_THAT(result.out, HasSubstr("decision-7"));
  EXPECT_THAT(result.out, HasSubstr("Hourly limit of t reached"));
}

}  // namespace
}  // namespace interlock::cli
