#include "core/safety/redact.h"

#include "core/safety/driver_testing.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace interlock::safety {
namespace {

google::protobuf::Struct FromJson(const char* json) {
  google::protobuf::Struct parsed;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &parsed).ok());
  return parsed;
}

TEST(RedactTest, ReplacesSecretsAtEveryDepthAndNothingElse) {
  v1::PolicySet rules = OpenPolicy();
  rules.add_redacted_keys("password");
  rules.add_redacted_keys("Token");
  const CompiledPolicy policy(rules);
  google::protobuf::Struct parameters = FromJson(R"({
    "password": {"deep": "secret"},
    "token": "an exact key only",
    "list": [{"Token": 7, "name": "x"}, ["y", {"password": null}]],
    "nested": {"Token": [1, 2], "password ": "no"}
  })");
  Redact(policy, parameters);
  EXPECT_EQ(parameters.DebugString(), FromJson(R"({
    "password": "[REDACTED]",
    "token": "an exact key only",
    "list": [{"Token": "[REDACTED]", "name": "x"}, ["y", {"password": "[REDACTED]"}]],
    "nested": {"Token": "[REDACTED]", "password ": "no"}
  })")
                                          .DebugString());
}

TEST(RedactTest, ApprovalKeepsNoSecretButItsActionIsTheSame) {
  v1::PolicySet rules = OpenPolicy();
  rules.add_redacted_keys("password");
  v1::Constraint& constraint = *rules.add_constraints();
  constraint.set_constraint_id("people");
  constraint.add_categories("general");
  constraint.set_approval_required(true);
  TestDriver driver(rules);
  v1::Action action = MakeAction("x");
  *action.mutable_parameters() = FromJson(R"({"password": "secret", "to": "bob"})");
  const v1::Decision asked = driver.Decide(action);
  const v1::Approval* approval = driver.approvals.Find(asked.approval_id());
  ASSERT_NE(approval, nullptr);
  EXPECT_EQ(approval->action().parameters().DebugString(),
            FromJson(R"({"password": "[REDACTED]", "to": "bob"})").DebugString());

  driver.Vote(asked.approval_id(), "alice", true);
  EXPECT_EQ(driver.Decide(action, asked.approval_id()).verdict(), v1::VERDICT_ALLOW)
      << "the digest is that of the whole action";
}

TEST(RedactTest, AnotherSecretIsAnotherAction) {
  v1::PolicySet rules = OpenPolicy();
  rules.add_redacted_keys("password");
  TestDriver driver(rules);
  v1::Action action = MakeAction("x");
  *action.mutable_parameters() = FromJson(R"({"password": "one"})");
  const std::string one = driver.Decide(action).action_digest();
  *action.mutable_parameters() = FromJson(R"({"password": "two"})");
  EXPECT_NE(driver.Decide(action).action_digest(), one);
}

}  // namespace
}  // namespace interlock::safety
