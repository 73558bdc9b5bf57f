#include "server/executors/oauth_executor.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/base/fake_clock.h"
#include "server/executors/oauth_grant.h"
#include "tests/support/fake_oauth_server.h"

namespace interlock::server {
namespace {

using support::FakeOAuthServer;
using Delivery = FakeOAuthServer::Reply::Delivery;

constexpr char kFirstToken[] = "first-refresh-token";
constexpr char kClientSecret[] = "the-client-secret";

class OAuthExecutorTest : public testing::Test {
 protected:
  OAuthExecutorTest() {
    grant_.set_token_endpoint(server_.url());
    grant_.set_client_id("client");
    grant_.set_client_secret(kClientSecret);
    grant_.set_refresh_token(kFirstToken);
    record_.mutable_task()->set_tenant_id("tenant");
    record_.mutable_task()->set_task_id("task-1");
    record_.mutable_task()->set_type(kOAuthTokenType);
    record_.mutable_task()->set_target("gsc");
    SealRecord();
  }

  void SealRecord() {
    const auto sealed = SealGrant(sealer_, record_.task(), grant_);
    ASSERT_TRUE(sealed.ok()) << sealed.status();
    record_.set_sealed_secret(*sealed);
  }

  // Runs one attempt, whose texts must never hold a secret, and keeps a new secret as the engine would.
  schedule::AttemptResult Run() {
    OAuthExecutor executor(sealer_, clock_, options_);
    schedule::AttemptResult result = executor.Run(record_);
    for (const std::string& secret : {grant_.refresh_token(), grant_.client_secret(), server_.valid_token(),
                                      std::string("access-token"), std::string("hunter2")}) {
      if (secret.empty()) continue;
      EXPECT_FALSE(absl::StrContains(result.error_message, secret)) << result.error_message;
      EXPECT_FALSE(absl::StrContains(result.sealed_secret, secret));
    }
    EXPECT_EQ(result.success, result.error_message.empty());
    EXPECT_EQ(result.success, result.token_expire_time.has_value());
    if (!result.sealed_secret.empty()) record_.set_sealed_secret(result.sealed_secret);
    return result;
  }

  void ExpectFailure(v1::FailureReason reason, const std::string& text) {
    const schedule::AttemptResult result = Run();
    EXPECT_FALSE(result.success);
    EXPECT_EQ(v1::FailureReason_Name(result.failure_reason), v1::FailureReason_Name(reason));
    EXPECT_TRUE(absl::StrContains(result.error_message, text)) << result.error_message;
    EXPECT_EQ(result.sealed_secret, "");
  }

  std::string StoredToken() {
    const auto opened = OpenGrant(sealer_, record_.task(), record_.sealed_secret());
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? opened->refresh_token() : "";
  }

  FakeOAuthServer server_;
  const Sealer sealer_{SecretKey(std::string(SecretKey::kBytes, 'k'))};
  FakeClock clock_{absl::FromUnixSeconds(1000000)};
  OAuthExecutor::Options options_;
  v1::OAuthGrant grant_;
  v1::TaskRecord record_;
};

TEST_F(OAuthExecutorTest, RefreshesAndTellsWhenTheTokenExpires) {
  server_.Script({200, R"({"access_token":"access-token-1","token_type":"Bearer","expires_in":1800})"});
  const schedule::AttemptResult result = Run();
  EXPECT_TRUE(result.success) << result.error_message;
  EXPECT_EQ(result.token_expire_time, absl::FromUnixSeconds(1000000 + 1800));
  EXPECT_EQ(result.sealed_secret, "");
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].form,
            (std::map<std::string, std::string>{{"grant_type", "refresh_token"}, {"refresh_token", kFirstToken}}));
  EXPECT_EQ(requests[0].headers.at("authorization"),
            absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat("client:", kClientSecret))));
}

TEST_F(OAuthExecutorTest, PublicClientSendsItsIdAndNoAuthorization) {
  grant_.clear_client_secret();
  grant_.set_scope("mail calendar");
  SealRecord();
  server_.Script({200, R"({"access_token":"access-token-1"})"});
  EXPECT_TRUE(Run().success);
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].headers.count("authorization"), 0u);
  EXPECT_EQ(requests[0].form.at("client_id"), "client");
  EXPECT_EQ(requests[0].form.at("scope"), "mail calendar");
}

TEST_F(OAuthExecutorTest, WithoutALifetimeTheTokenIsTakenToLiveOneHour) {
  server_.Script({200, R"({"access_token":"access-token-1"})"});
  EXPECT_EQ(Run().token_expire_time, absl::FromUnixSeconds(1000000 + 3600));
}

// A clock that moves on each time it is read.
class MovingClock : public Clock {
 public:
  absl::Time TimeNow() override { return absl::FromUnixSeconds(1000000 + 100 * reads_++); }

 private:
  int reads_ = 0;
};

TEST_F(OAuthExecutorTest, LifetimeCountsFromBeforeTheRequest) {
  MovingClock clock;
  OAuthExecutor executor(sealer_, clock, options_);
  server_.Script({200, R"({"access_token":"access-token-1","expires_in":10})"});
  EXPECT_EQ(executor.Run(record_).token_expire_time, absl::FromUnixSeconds(1000000 + 10));
}

TEST_F(OAuthExecutorTest, RotatedTokenIsSealedAndUsedNextTime) {
  server_.RotateStrictly(kFirstToken);
  for (int round = 1; round <= 3; ++round) {
    const schedule::AttemptResult result = Run();
    ASSERT_TRUE(result.success) << result.error_message;
    EXPECT_NE(result.sealed_secret, "");
    EXPECT_EQ(StoredToken(), server_.valid_token());
    EXPECT_EQ(StoredToken(), absl::StrCat("rotated-refresh-token-", round));
  }
  // All else of the grant is kept.
  const auto opened = OpenGrant(sealer_, record_.task(), record_.sealed_secret());
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->client_secret(), kClientSecret);
  EXPECT_EQ(opened->token_endpoint(), server_.url());
}

TEST_F(OAuthExecutorTest, SameTokenAgainIsNoRotation) {
  server_.Script({200, absl::StrCat(R"({"access_token":"access-token-1","refresh_token":")", kFirstToken, R"("})")});
  const schedule::AttemptResult result = Run();
  EXPECT_TRUE(result.success);
  EXPECT_EQ(result.sealed_secret, "");
}

TEST_F(OAuthExecutorTest, LostReplyOfARotationEndsInAuthErrorAtAStrictEndpoint) {
  server_.RotateStrictly(kFirstToken);
  server_.LoseNextReply();
  ExpectFailure(v1::FAILURE_REASON_NETWORK_ERROR, "did not answer");
  // The stored token is never thrown away on a failure.
  EXPECT_EQ(StoredToken(), kFirstToken);
  ExpectFailure(v1::FAILURE_REASON_AUTH_ERROR, "invalid_grant");
  EXPECT_EQ(StoredToken(), kFirstToken);
  EXPECT_EQ(server_.valid_token(), "");
}

TEST_F(OAuthExecutorTest, EachClassOfAnswerHasItsReason) {
  const auto expect = [&](int status, const std::string& body, v1::FailureReason reason) {
    SCOPED_TRACE(absl::StrCat(status, " ", body));
    server_.Script({status, body});
    ExpectFailure(reason, absl::StrCat("token endpoint answered ", status));
  };
  expect(400, R"({"error":"invalid_grant","error_description":"hunter2"})", v1::FAILURE_REASON_AUTH_ERROR);
  expect(401, R"({"error":"invalid_client"})", v1::FAILURE_REASON_CONFIG_ERROR);
  expect(403, "hunter2", v1::FAILURE_REASON_AUTH_ERROR);
  expect(429, "", v1::FAILURE_REASON_API_LIMIT);
  expect(503, "", v1::FAILURE_REASON_NETWORK_ERROR);
  expect(200, "hunter2", v1::FAILURE_REASON_UNKNOWN);
  expect(200, R"({"refresh_token":"hunter2"})", v1::FAILURE_REASON_UNKNOWN);
  expect(400, absl::StrCat(R"({"error":")", kFirstToken, R"("})"), v1::FAILURE_REASON_UNKNOWN);
}

TEST_F(OAuthExecutorTest, EndpointThatDoesNotAnswerIsANetworkError) {
  server_.Script({200, "", "", Delivery::kDropped});
  ExpectFailure(v1::FAILURE_REASON_NETWORK_ERROR, "did not answer");
  server_.Script({200, "", "", Delivery::kSilent});
  options_.total_timeout = absl::Milliseconds(50);
  ExpectFailure(v1::FAILURE_REASON_NETWORK_ERROR, "did not answer");
}

TEST_F(OAuthExecutorTest, UntrustedCertificateIsANetworkErrorAndNoTokenIsSent) {
  FakeOAuthServer secure(FakeOAuthServer::Transport::kSelfSignedTls);
  grant_.set_token_endpoint(secure.url());
  SealRecord();
  ExpectFailure(v1::FAILURE_REASON_NETWORK_ERROR, "did not answer");
  EXPECT_TRUE(secure.requests().empty());
}

TEST_F(OAuthExecutorTest, ReplyThatIsTooLongIsRefused) {
  options_.reply_bytes_max = 100;
  server_.Script({200, absl::StrCat(R"({"access_token":"access-token-1","x":")", std::string(100, 'x'), R"("})")});
  ExpectFailure(v1::FAILURE_REASON_UNKNOWN, "too long");
}

TEST_F(OAuthExecutorTest, RedirectIsNotFollowed) {
  FakeOAuthServer elsewhere;
  server_.Script({302, "", absl::StrCat("Location: ", elsewhere.url(), "\r\n")});
  ExpectFailure(v1::FAILURE_REASON_CONFIG_ERROR, "redirect");
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST_F(OAuthExecutorTest, SecretOfAnotherTaskIsNotSent) {
  record_.mutable_task()->set_target("bing");
  ExpectFailure(v1::FAILURE_REASON_CONFIG_ERROR, "belongs to something else");
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(OAuthExecutorTest, SecretOfAnotherKeyIsAConfigError) {
  const Sealer other(SecretKey(std::string(SecretKey::kBytes, 'o')));
  record_.set_sealed_secret(*SealGrant(other, record_.task(), grant_));
  ExpectFailure(v1::FAILURE_REASON_CONFIG_ERROR, "another key");
  record_.clear_sealed_secret();
  ExpectFailure(v1::FAILURE_REASON_CONFIG_ERROR, "cannot open");
}

TEST_F(OAuthExecutorTest, TokenIsNotSentToAnAddressThatIsNotAllowed) {
  grant_.set_token_endpoint("http://accounts.example.invalid/token");
  SealRecord();
  ExpectFailure(v1::FAILURE_REASON_CONFIG_ERROR, "no address");
}

TEST_F(OAuthExecutorTest, ThreadsShareOneExecutor) {
  constexpr int kThreads = 4;
  for (int i = 0; i < kThreads; ++i) server_.Script({200, R"({"access_token":"access-token-1","expires_in":10})"});
  OAuthExecutor executor(sealer_, clock_, options_);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] { EXPECT_TRUE(executor.Run(record_).success); });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace interlock::server
