// Fails closed: nothing but a recorded ALLOW permits an action.
#include "client/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "client/options.h"
#include "client/testing/details.h"
#include "client/testing/fake_server.h"
#include "client/testing/simulated_environment.h"

namespace interlock::client {
namespace {

using testing::HasSubstr;

v1::Decision MakeDecision(v1::Verdict verdict) {
  v1::Decision decision;
  decision.set_decision_id("decision-7");
  decision.set_verdict(verdict);
  decision.add_reasons()->set_text("the first reason");
  decision.add_reasons()->set_text("the second reason");
  return decision;
}

class DecideTest : public testing::Test {
 protected:
  // The verdict when the server answers as told.
  Verdict DecideWith(FakeCall<v1::ArbitrateRequest, v1::Decision> answer) {
    server_.answers.arbitrate = std::move(answer);
    ClientOptions options;
    options.address = server_.address();
    options.environment = simulated_.environment();
    v1::Action action;
    action.set_action_type("send_email");
    return Decide(Client(options), action, {.deadline = absl::Seconds(2)});
  }

  Verdict DecideWith(const v1::Decision& decision) {
    return DecideWith([decision](grpc::ServerContext&, const v1::ArbitrateRequest& request, v1::Decision& reply) {
      EXPECT_EQ(request.action().action_type(), "send_email");
      reply = decision;
      return grpc::Status::OK;
    });
  }

  SimulatedEnvironment simulated_;
  FakeServer server_;
};

TEST_F(DecideTest, RecordedAllowIsAllowed) {
  const Verdict verdict = DecideWith(MakeDecision(v1::VERDICT_ALLOW));
  EXPECT_TRUE(verdict.allowed);
  EXPECT_TRUE(verdict.status.ok());
  EXPECT_EQ(verdict.reason, "the first reason");
  EXPECT_EQ(verdict.decision.decision_id(), "decision-7");
}

TEST_F(DecideTest, DenyAndLockAreVerdictsThatDoNotAllow) {
  for (const v1::Verdict refusal : {v1::VERDICT_DENY, v1::VERDICT_LOCK}) {
    const Verdict verdict = DecideWith(MakeDecision(refusal));
    EXPECT_FALSE(verdict.allowed);
    EXPECT_TRUE(verdict.status.ok());
    EXPECT_EQ(verdict.decision.verdict(), refusal);
    EXPECT_EQ(verdict.reason, "the first reason");
  }
}

TEST_F(DecideTest, VerdictWithoutReasonsNamesItself) {
  v1::Decision decision = MakeDecision(v1::VERDICT_DENY);
  decision.clear_reasons();
  EXPECT_EQ(DecideWith(decision).reason, "VERDICT_DENY");
}

TEST_F(DecideTest, EveryErrorIsADenyThatSaysWhy) {
  for (int code = 1; code <= 16; ++code) {
    const Verdict verdict = DecideWith([code](grpc::ServerContext&, const v1::ArbitrateRequest&, v1::Decision& reply) {
      // A reply beside an error must not be looked at.
      reply = MakeDecision(v1::VERDICT_ALLOW);
      return WireError(static_cast<grpc::StatusCode>(code), "A_REASON", "what happened");
    });
    EXPECT_FALSE(verdict.allowed) << code;
    EXPECT_EQ(static_cast<int>(verdict.status.code()), code);
    EXPECT_THAT(verdict.reason, HasSubstr("no verdict: "));
    EXPECT_THAT(verdict.reason, HasSubstr("A_REASON: what happened"));
    EXPECT_EQ(verdict.decision.verdict(), v1::VERDICT_UNSPECIFIED);
  }
}

TEST_F(DecideTest, SilentServerIsADeny) {
  server_.answers.arbitrate = [](grpc::ServerContext& context, const v1::ArbitrateRequest&, v1::Decision&) {
    while (!context.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  ClientOptions options;
  options.address = server_.address();
  options.environment = simulated_.environment();
  const Verdict verdict = Decide(Client(options), v1::Action(), {.deadline = absl::Milliseconds(50)});
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(verdict.status.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(DecideTest, UnreachableServerIsADeny) {
  ClientOptions options;
  options.address = UnreachableAddress();
  options.environment = simulated_.environment();
  const Verdict verdict = Decide(Client(options), v1::Action());
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(verdict.status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(DecideTest, UnspecifiedVerdictIsADeny) {
  const Verdict verdict = DecideWith(MakeDecision(v1::VERDICT_UNSPECIFIED));
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(verdict.status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(verdict.reason, HasSubstr("no verdict"));
}

TEST_F(DecideTest, UnknownVerdictIsADeny) {
  const Verdict verdict = DecideWith(MakeDecision(static_cast<v1::Verdict>(4)));
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(verdict.status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(verdict.reason, HasSubstr("does not know (4)"));
}

TEST_F(DecideTest, EmptyReplyIsADeny) {
  const Verdict verdict = DecideWith(v1::Decision());
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(verdict.status.code(), absl::StatusCode::kInternal);
}

TEST_F(DecideTest, ExplanationDoesNotAllow) {
  v1::Decision explanation = MakeDecision(v1::VERDICT_ALLOW);
  explanation.clear_decision_id();
  EXPECT_FALSE(VerdictOf(absl::StatusOr<v1::Decision>(explanation)).allowed);
}

TEST(VerdictOfResultTest, DecisionIsTakenAsItIs) {
  v1::ArbitrateResult result;
  *result.mutable_decision() = MakeDecision(v1::VERDICT_ALLOW);
  EXPECT_TRUE(VerdictOf(result).allowed);
  *result.mutable_decision() = MakeDecision(v1::VERDICT_LOCK);
  EXPECT_FALSE(VerdictOf(result).allowed);
}

TEST(VerdictOfResultTest, ErrorIsADenyWithItsCode) {
  v1::ArbitrateResult result;
  result.mutable_error()->set_code(3);
  result.mutable_error()->set_reason("INVALID_FIELD");
  result.mutable_error()->set_message("action.tenant_id: required");
  const Verdict verdict = VerdictOf(result);
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(verdict.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(verdict.reason, HasSubstr("INVALID_FIELD: action.tenant_id: required"));
}

TEST(VerdictOfResultTest, ErrorWithoutACodeIsADeny) {
  v1::ArbitrateResult result;
  result.mutable_error();
  const Verdict verdict = VerdictOf(result);
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(verdict.status.code(), absl::StatusCode::kUnknown);
}

TEST(VerdictOfResultTest, EmptyResultIsADeny) {
  const Verdict verdict = VerdictOf(v1::ArbitrateResult());
  EXPECT_FALSE(verdict.allowed);
  EXPECT_FALSE(verdict.status.ok());
}

TEST(VerdictTest, VerdictThatWasNeverAskedForIsADeny) { EXPECT_FALSE(Verdict().allowed); }

}  // namespace
}  // namespace interlock::client
