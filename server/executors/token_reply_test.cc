#include "server/executors/token_reply.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace interlock::server {
namespace {

TokenReply Read(int status, const std::string& body) { return ReadTokenReply(HttpReply{status, body}); }

absl::Duration LifetimeOf(const std::string& expires_in) {
  const TokenReply reply = Read(200, absl::StrCat(R"({"access_token":"a","expires_in":)", expires_in, "}"));
  EXPECT_TRUE(reply.success) << expires_in << ": " << reply.error_message;
  return reply.lifetime;
}

TEST(TokenReplyTest, SuccessWithoutANewRefreshToken) {
  const TokenReply reply = Read(200, R"({"access_token":"a","token_type":"Bearer","expires_in":3599})");
  EXPECT_TRUE(reply.success);
  EXPECT_EQ(reply.refresh_token, "");
  EXPECT_EQ(reply.lifetime, absl::Seconds(3599));
  EXPECT_EQ(reply.error_message, "");
}

TEST(TokenReplyTest, SuccessWithANewRefreshToken) {
  const TokenReply reply = Read(200, R"({"access_token":"a","refresh_token":"new \u00e4","expires_in":60})");
  EXPECT_TRUE(reply.success);
  EXPECT_EQ(reply.refresh_token, "new \xC3\xA4");
}

TEST(TokenReplyTest, UnknownMembersAndOtherSuccessfulStatusesAreNoMatter) {
  EXPECT_TRUE(Read(201, R"({"access_token":"a","x":{"y":[1,null,true]},"error":null})").success);
  EXPECT_TRUE(Read(200, R"({"access_token":"a","error":"","refresh_token":null})").success);
}

TEST(TokenReplyTest, LifetimeIsOneSecondToAYearAndADay) {
  EXPECT_EQ(LifetimeOf("1"), absl::Seconds(1));
  EXPECT_EQ(LifetimeOf("3600.5"), absl::Milliseconds(3600500));
  EXPECT_EQ(LifetimeOf("\"7200\""), absl::Hours(2));
  EXPECT_EQ(LifetimeOf("31622400"), absl::Hours(24 * 366));
}

TEST(TokenReplyTest, ImpossibleLifetimeIsTakenAsOneHour) {
  EXPECT_EQ(Read(200, R"({"access_token":"a"})").lifetime, absl::Hours(1));
  for (const char* expires_in : {"0", "-1", "0.999", "31622401", "1e300", "null", "true", "\"\"", "\"soon\"", "\"nan\"",
                                 "\"inf\"", "\"-5\"", "[3600]", "{}"}) {
    EXPECT_EQ(LifetimeOf(expires_in), absl::Hours(1)) << expires_in;
  }
}

struct Case {
  int status;
  std::string body;
  v1::FailureReason reason;
  // What the message must tell.
  std::string text;
};

void ExpectFailures(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const TokenReply reply = Read(c.status, c.body);
    SCOPED_TRACE(absl::StrCat(c.status, " ", c.body));
    EXPECT_FALSE(reply.success);
    EXPECT_EQ(v1::FailureReason_Name(reply.failure_reason), v1::FailureReason_Name(c.reason));
    EXPECT_TRUE(absl::StrContains(reply.error_message, absl::StrCat(c.status))) << reply.error_message;
    EXPECT_TRUE(absl::StrContains(reply.error_message, c.text)) << reply.error_message;
    EXPECT_EQ(reply.refresh_token, "");
  }
}

std::string Error(const std::string& code) { return absl::StrCat(R"({"error":")", code, R"("})"); }

TEST(TokenReplyTest, ErrorCodesOfTheStandard) {
  ExpectFailures({
      {400, Error("invalid_grant"), v1::FAILURE_REASON_AUTH_ERROR, "invalid_grant"},
      {400, Error("access_denied"), v1::FAILURE_REASON_AUTH_ERROR, "access_denied"},
      {400, Error("interaction_required"), v1::FAILURE_REASON_AUTH_ERROR, "interaction_required"},
      {400, Error("login_required"), v1::FAILURE_REASON_AUTH_ERROR, "login_required"},
      {400, Error("consent_required"), v1::FAILURE_REASON_AUTH_ERROR, "consent_required"},
      {400, Error("invalid_client"), v1::FAILURE_REASON_CONFIG_ERROR, "invalid_client"},
      {400, Error("unauthorized_client"), v1::FAILURE_REASON_CONFIG_ERROR, "unauthorized_client"},
      {400, Error("invalid_scope"), v1::FAILURE_REASON_CONFIG_ERROR, "invalid_scope"},
      {400, Error("unsupported_grant_type"), v1::FAILURE_REASON_CONFIG_ERROR, "unsupported_grant_type"},
      {400, Error("invalid_request"), v1::FAILURE_REASON_CONFIG_ERROR, "invalid_request"},
      {400, Error("slow_down"), v1::FAILURE_REASON_API_LIMIT, "slow_down"},
      {400, Error("temporarily_unavailable"), v1::FAILURE_REASON_NETWORK_ERROR, "temporarily_unavailable"},
      {400, Error("server_error"), v1::FAILURE_REASON_NETWORK_ERROR, "server_error"},
  });
}

TEST(TokenReplyTest, CodeSaysMoreThanTheStatus) {
  ExpectFailures({
      {401, Error("invalid_client"), v1::FAILURE_REASON_CONFIG_ERROR, "invalid_client"},
      {403, Error("invalid_grant"), v1::FAILURE_REASON_AUTH_ERROR, "invalid_grant"},
      {404, Error("invalid_grant"), v1::FAILURE_REASON_AUTH_ERROR, "invalid_grant"},
      {200, Error("invalid_grant"), v1::FAILURE_REASON_AUTH_ERROR, "invalid_grant"},
      {200, R"({"error":"invalid_grant","access_token":"a"})", v1::FAILURE_REASON_AUTH_ERROR, "invalid_grant"},
  });
}

TEST(TokenReplyTest, StatusesThatMeanTheSameWhateverTheBody) {
  for (const std::string& body : {std::string(), std::string("busy"), Error("invalid_grant")}) {
    ExpectFailures({
        {429, body, v1::FAILURE_REASON_API_LIMIT, "too often"},
        {408, body, v1::FAILURE_REASON_NETWORK_ERROR, ""},
        {500, body, v1::FAILURE_REASON_NETWORK_ERROR, ""},
        {502, body, v1::FAILURE_REASON_NETWORK_ERROR, ""},
        {503, body, v1::FAILURE_REASON_NETWORK_ERROR, ""},
        {599, body, v1::FAILURE_REASON_NETWORK_ERROR, ""},
        {300, body, v1::FAILURE_REASON_CONFIG_ERROR, "redirect"},
        {302, body, v1::FAILURE_REASON_CONFIG_ERROR, "redirect"},
        {308, body, v1::FAILURE_REASON_CONFIG_ERROR, "redirect"},
        {399, body, v1::FAILURE_REASON_CONFIG_ERROR, "redirect"},
    });
  }
}

TEST(TokenReplyTest, StatusDecidesWhereNoCodeIsKnown) {
  for (const std::string& body : {std::string(), std::string("<html>"), std::string("{}"), Error("other")}) {
    ExpectFailures({
        {401, body, v1::FAILURE_REASON_AUTH_ERROR, ""},
        {403, body, v1::FAILURE_REASON_AUTH_ERROR, ""},
        {404, body, v1::FAILURE_REASON_CONFIG_ERROR, "no token endpoint"},
        {405, body, v1::FAILURE_REASON_CONFIG_ERROR, "no token endpoint"},
        {410, body, v1::FAILURE_REASON_CONFIG_ERROR, "no token endpoint"},
        {400, body, v1::FAILURE_REASON_UNKNOWN, "no error code"},
        {418, body, v1::FAILURE_REASON_UNKNOWN, "no error code"},
    });
  }
}

TEST(TokenReplyTest, SuccessfulStatusWithoutAToken) {
  ExpectFailures({
      {200, "", v1::FAILURE_REASON_UNKNOWN, "no JSON object"},
      {200, "<html>log in</html>", v1::FAILURE_REASON_UNKNOWN, "no JSON object"},
      {200, "access_token=a&expires_in=3600", v1::FAILURE_REASON_UNKNOWN, "no JSON object"},
      {200, R"({"access_token":"a")", v1::FAILURE_REASON_UNKNOWN, "no JSON object"},
      {200, R"(["access_token"])", v1::FAILURE_REASON_UNKNOWN, "no JSON object"},
      {200, "\xFF\xFE", v1::FAILURE_REASON_UNKNOWN, "no JSON object"},
      {200, std::string(20000, '['), v1::FAILURE_REASON_UNKNOWN, "no JSON object"},
      {204, "", v1::FAILURE_REASON_UNKNOWN, "no JSON object"},
      {200, "{}", v1::FAILURE_REASON_UNKNOWN, "no access token"},
      {200, R"({"access_token":""})", v1::FAILURE_REASON_UNKNOWN, "no access token"},
      {200, R"({"access_token":7,"refresh_token":"r"})", v1::FAILURE_REASON_UNKNOWN, "no access token"},
      {200, R"({"error":"bad_refresh_token","access_token":"a"})", v1::FAILURE_REASON_UNKNOWN, "no error code"},
      {200, R"({"error":{"code":1},"access_token":"a"})", v1::FAILURE_REASON_UNKNOWN, "no error code"},
  });
}

TEST(TokenReplyTest, MessagesHoldNothingThatTheEndpointMadeUp) {
  for (int status : {200, 302, 400, 401, 404, 429, 500}) {
    for (const char* body : {R"({"error":"hunter2"})", R"({"error":"invalid_grant","error_description":"hunter2"})",
                             R"({"hunter2":1})", "hunter2", R"({"error":["hunter2"]})"}) {
      EXPECT_FALSE(absl::StrContains(Read(status, body).error_message, "hunter2")) << status << body;
    }
  }
}

}  // namespace
}  // namespace interlock::server
