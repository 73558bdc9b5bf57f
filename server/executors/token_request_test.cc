#include "server/executors/token_request.h"

#include <string>

#include "gtest/gtest.h"

namespace interlock::server {
namespace {

v1::OAuthGrant PublicGrant() {
  v1::OAuthGrant grant;
  grant.set_token_endpoint("https://accounts.example.com/token");
  grant.set_client_id("my client");
  grant.set_refresh_token("1//a+b/c=");
  return grant;
}

TEST(FormEncodeTest, FollowsTheExampleOfTheStandard) {
  // RFC 6749, appendix B: U+0020, U+0025, U+0026, U+002B, U+00A3 and U+20AC.
  EXPECT_EQ(FormEncode(" %&+\xC2\xA3\xE2\x82\xAC"), "+%25%26%2B%C2%A3%E2%82%AC");
}

TEST(FormEncodeTest, EveryByteIsEitherKeptOrEscaped) {
  const std::string kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._*";
  EXPECT_EQ(FormEncode(kept), kept);
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    if (byte == ' ' || kept.find(one) != std::string::npos) continue;
    const std::string encoded = FormEncode(one);
    ASSERT_EQ(encoded.size(), 3u) << byte;
    EXPECT_EQ(encoded[0], '%');
    EXPECT_EQ(std::stoi(encoded.substr(1), nullptr, 16), byte);
  }
}

TEST(TokenRequestTest, PublicClientNamesItselfInTheForm) {
  const HttpPost post = MakeTokenRequest(PublicGrant());
  EXPECT_EQ(post.url, "https://accounts.example.com/token");
  EXPECT_EQ(post.body, "grant_type=refresh_token&refresh_token=1%2F%2Fa%2Bb%2Fc%3D&client_id=my+client");
  EXPECT_EQ(post.user, "");
  EXPECT_EQ(post.password, "");
}

TEST(TokenRequestTest, ClientWithASecretUsesBasicAuthenticationWithBothPartsEncoded) {
  v1::OAuthGrant grant = PublicGrant();
  grant.set_client_id("my:client");
  grant.set_client_secret("s ecret%:");
  const HttpPost post = MakeTokenRequest(grant);
  EXPECT_EQ(post.body, "grant_type=refresh_token&refresh_token=1%2F%2Fa%2Bb%2Fc%3D");
  EXPECT_EQ(post.user, "my%3Aclient");
  EXPECT_EQ(post.password, "s+ecret%25%3A");
}

TEST(TokenRequestTest, ScopeIsSentIfThereIsOne) {
  v1::OAuthGrant grant = PublicGrant();
  grant.set_scope("mail calendar");
  EXPECT_EQ(MakeTokenRequest(grant).body,
            "grant_type=refresh_token&refresh_token=1%2F%2Fa%2Bb%2Fc%3D&scope=mail+calendar&client_id=my+client");
}

TEST(TokenRequestTest, NoValueCanAddAField) {
  v1::OAuthGrant grant = PublicGrant();
  grant.set_refresh_token("x&grant_type=password");
  grant.set_client_id("a&b=c");
  EXPECT_EQ(MakeTokenRequest(grant).body,
            "grant_type=refresh_token&refresh_token=x%26grant_type%3Dpassword&client_id=a%26b%3Dc");
}

}  // namespace
}  // namespace interlock::server
