// Versions of policies: why they were made, and going back to one.
#include "client/cli/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/cli/test_terminal.h"
#include "client/testing/fake_server.h"

namespace interlock::cli {
namespace {

using testing::HasSubstr;

class PolicyTest : public testing::Test {
 protected:
  ProgramResult Run(const std::vector<std::string>& words, const std::string& input = "") {
    return RunAgainst(server_.address(), words, input);
  }

  client::FakeServer server_;
};

TEST_F(PolicyTest, SetAndUseSayWhy) {
  std::vector<std::string> reasons;
  server_.answers.update_policy = [&](grpc::ServerContext&, const v1::UpdatePolicyRequest& request, v1::PolicySet&) {
    reasons.push_back(request.reason());
    return grpc::Status::OK;
  };
  ASSERT_EQ(Run({"policy", "use", "reference", "--tenant=t", "--reason=go slow"}).exit_code, 0);
  ASSERT_EQ(Run({"policy", "set", "-", "--reason", "go fast"}, "{}").exit_code, 0);
  EXPECT_EQ(reasons, (std::vector<std::string>{"go slow", "go fast"}));
}

TEST_F(PolicyTest, RollbackNamesTheVersion) {
  v1::RollbackPolicyRequest sent;
  server_.answers.rollback_policy = [&](grpc::ServerContext&, const v1::RollbackPolicyRequest& request,
                                        v1::PolicySet& reply) {
    sent = request;
    reply.set_version(5);
    reply.set_rolled_back_to(request.version());
    reply.set_reason(request.reason());
    return grpc::Status::OK;
  };
  const ProgramResult result = Run({"policy", "rollback", "3", "--tenant=t", "--reason=too strict", "--etag=e7"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  sent.clear_request_id();
  EXPECT_EQ(sent.ShortDebugString(), "tenant_id: \"t\" version: 3 etag: \"e7\" reason: \"too strict\"");
  EXPECT_THAT(result.out, HasSubstr("reason   too strict\n"));
  EXPECT_THAT(result.out, HasSubstr("back to  version 3\n"));
  for (const char* word : {"0", "three", "99999999999999999999"}) {
    const ProgramResult refused = Run({"policy", "rollback", word, "--tenant=t"});
    EXPECT_EQ(refused.exit_code, kExitUsage) << word;
    EXPECT_THAT(refused.err, HasSubstr("VERSION must be a number, at least 1")) << word;
  }
}

TEST_F(PolicyTest, VersionsShowWhyAndWhereBackTo) {
  server_.answers.list_policy_versions = [](grpc::ServerContext&, const v1::ListPolicyVersionsRequest&,
                                            v1::ListPolicyVersionsResponse& reply) {
    v1::PolicySet* policy = reply.add_policies();
    policy->set_version(3);
    policy->set_profile("reference");
    policy->set_etag("e3");
    policy->set_rolled_back_to(1);
    policy->set_reason("too strict");
    policy = reply.add_policies();
    policy->set_version(2);
    policy->set_profile("tool_calling");
    policy->set_etag("e2");
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"policy", "versions", "--tenant=t"}).out,
            "version  profile       made  by  etag  back to  reason\n"
            "      3  reference               e3    1        too strict\n"
            "      2  tool_calling            e2\n");
}

}  // namespace
}  // namespace interlock::cli
