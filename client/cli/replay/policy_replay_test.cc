// What policy replay asks for and shows, against a server that answers as told.
#include "client/cli/replay/policy_replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/test_terminal.h"
#include "client/testing/fake_server.h"

namespace interlock::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class PolicyReplayTest : public testing::Test {
 protected:
  PolicyReplayTest() {
    server_.answers.replay_policy = [this](grpc::ServerContext&, const v1::ReplayPolicyRequest& request,
                                           grpc::ServerWriter<v1::ReplayPolicyResponse>& writer) {
      asked_ = request;
      v1::ReplayPolicyResponse message;
      message.mutable_progress()->set_fraction(0.5);
      writer.Write(message);
      v1::ReplayResult& result = *message.mutable_result();
      result.set_actions(1200);
      result.set_outcomes(3);
      result.set_changed(1);
      v1::VerdictCount& count = *result.add_verdicts();
      count.set_from(v1::VERDICT_ALLOW);
      count.set_to(v1::VERDICT_DENY);
      count.set_count(1);
      writer.Write(message);
      return grpc::Status::OK;
    };
  }
  ProgramResult Run(const std::vector<std::string>& words, const std::string& input = "") {
    return RunAgainst(server_.address(), words, input);
  }

  client::FakeServer server_;
  v1::ReplayPolicyRequest asked_;
};

TEST_F(PolicyReplayTest, CandidateIsAProfileOrAFile) {
  const ProgramResult result = Run({"policy", "replay", "tool_calling", "--tenant=t"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(asked_.tenant_id(), "t");
  EXPECT_EQ(asked_.policy().profile(), "tool_calling");
  EXPECT_FALSE(asked_.has_start_time());
  EXPECT_FALSE(asked_.has_end_time());
  EXPECT_THAT(result.out, HasSubstr("against  what was decided"));
  EXPECT_THAT(result.out, HasSubstr("1,200"));
  EXPECT_THAT(result.out, HasSubstr("outcomes"));
  EXPECT_THAT(result.out, Not(HasSubstr("runs")));
  EXPECT_EQ(Run({"policy", "replay", "-", "--tenant=t"}, R"({"tenantId": "u", "profile": "reference"})").exit_code, 0);
  EXPECT_EQ(asked_.policy().profile(), "reference");
  EXPECT_EQ(asked_.policy().tenant_id(), "t");
}

TEST_F(PolicyReplayTest, SpansOfTimeAreAgo) {
  EXPECT_EQ(Run({"policy", "replay", "reference", "--tenant=t", "--since=7d", "--until=1h"}).exit_code, 0);
  EXPECT_EQ(asked_.end_time().seconds() - asked_.start_time().seconds(), (7 * 24 - 1) * 3600);
  EXPECT_EQ(Run({"policy", "replay", "reference", "--tenant=t", "--since=soon"}).exit_code, 2);
  EXPECT_EQ(Run({"policy", "replay", "--tenant=t"}).exit_code, 2);
}

TEST_F(PolicyReplayTest, ProgramsGetTheWholeResult) {
  const ProgramResult result = Run({"policy", "replay", "reference", "--tenant=t", "--json"});
  EXPECT_THAT(result.out, HasSubstr(R"("policy":"reference","against":"what was decided","digest":)"));
  EXPECT_THAT(result.out, HasSubstr(R"("actions":"1200")"));
}

}  // namespace
}  // namespace interlock::cli
