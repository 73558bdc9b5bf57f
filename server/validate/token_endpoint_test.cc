#include "server/validate/token_endpoint.h"

#include <string>

#include "gtest/gtest.h"

namespace interlock::server {
namespace {

TEST(TokenEndpointTest, HttpsToAnyHostIsRemote) {
  for (const char* url : {
           "https://accounts.example.com/token",
           "https://accounts.example.com",
           "https://accounts.example.com:8443/oauth2/token?tenant=a",
           "https://accounts.example.com?x=1",
           "HTTPS://Accounts.Example.Com/token",
           "https://token-host/a",
           "https://10.1.2.3/token",
           "https://[2001:db8::1]:443/token",
           "https://xn--bcher-kva.example/",
           "https://1and1.example/",
       }) {
    EXPECT_EQ(ClassifyTokenEndpoint(url), TokenEndpointKind::kRemote) << url;
  }
}

TEST(TokenEndpointTest, ThisMachineIsLoopbackWithOrWithoutTls) {
  for (const char* url : {
           "http://localhost/token",
           "http://LOCALHOST:8080/token",
           "http://127.0.0.1/",
           "http://127.0.0.1:1",
           "http://127.255.255.254:65535/t",
           "http://[::1]:9000/t",
           "https://127.0.0.1/token",
           "https://localhost",
       }) {
    EXPECT_EQ(ClassifyTokenEndpoint(url), TokenEndpointKind::kLoopback) << url;
  }
}

TEST(TokenEndpointTest, HttpToAnotherMachineIsRefused) {
  for (const char* url : {
           "http://accounts.example.com/token",
           "http://localhost.example.com/",
           "http://127.0.0.1.example.com/",
           "http://128.0.0.1/",
           "http://0.0.0.0/",
           "http://[::2]/",
           "http://[::ffff:127.0.0.1]/",
           "http://notlocalhost/",
       }) {
    EXPECT_EQ(ClassifyTokenEndpoint(url), TokenEndpointKind::kRefused) << url;
  }
}

TEST(TokenEndpointTest, WhatReadersTakeDifferentlyIsRefused) {
  for (const char* url : {
           "",
           "https://",
           "https:///token",
           "https://:443/",
           "accounts.example.com/token",
           "//accounts.example.com/token",
           "ftp://accounts.example.com/",
           "file:///etc/passwd",
           "https//accounts.example.com",
           "https:/accounts.example.com",
           "https://user@accounts.example.com/",
           "https://user:password@accounts.example.com/",
           "http://127.0.0.1@evil.example/",
           "http://127.0.0.1:80@evil.example/",
           "http://localhost\\@evil.example/",
           "https://accounts.example.com/#fragment",
           "https://accounts.example.com/a b",
           "https://accounts.example.com/\n",
           "https://accounts.example.com/\xC3\xA4",
           " https://accounts.example.com/",
           "https://exa mple.com/",
           "https://exam%70le.com/",
           "https://a..example.com/",
           "https://.example.com/",
           "https://example.com./",
           "https://-example.com/",
           "https://example-.com/",
           "https://under_score.example/",
           "https://example.com:/",
           "https://example.com:0/",
           "https://example.com:65536/",
           "https://example.com:99999999999/",
           "https://example.com:+80/",
           "https://example.com:80:80/",
           "https://example.com:http/",
           // Numbers that some readers take for 127.0.0.1.
           "https://127.1/",
           "https://2130706433/",
           "https://0x7f.0.0.1/",
           "https://example.1/",
           "http://127.1/",
           "http://2130706433/",
           "http://0x7f000001/",
           "http://0x7f.0.0.1/",
           "http://0177.0.0.1/",
           "http://127.0.0.01/",
           "http://127.0.0.256/",
           "http://127.0.0.1./",
           "http://127.0.0/",
           "http://127.0.0.1.1/",
           "http://127.0.0.+1/",
           "http://127..0.1/",
           "https://[::1/",
           "https://::1/",
           "https://[]/",
           "https://[abcd]/",
           "https://[fe80::1%25eth0]/",
           "https://[::1]x/",
       }) {
    EXPECT_EQ(ClassifyTokenEndpoint(url), TokenEndpointKind::kRefused) << url;
  }
}

TEST(TokenEndpointTest, LengthIsBounded) {
  const std::string start = "https://accounts.example.com/";
  const std::string longest = start + std::string(kTokenEndpointBytesMax - start.size(), 'a');
  EXPECT_EQ(ClassifyTokenEndpoint(longest), TokenEndpointKind::kRemote);
  EXPECT_EQ(ClassifyTokenEndpoint(longest + "a"), TokenEndpointKind::kRefused);
  EXPECT_EQ(ClassifyTokenEndpoint("https://" + std::string(63, 'a') + ".example/"), TokenEndpointKind::kRemote);
  EXPECT_EQ(ClassifyTokenEndpoint("https://" + std::string(64, 'a') + ".example/"), TokenEndpointKind::kRefused);
  std::string host;
  while (host.size() < 249) host += "a.";
  EXPECT_EQ(ClassifyTokenEndpoint("https://" + host + "abc"), TokenEndpointKind::kRemote);
  EXPECT_EQ(ClassifyTokenEndpoint("https://" + host + "abcd"), TokenEndpointKind::kRefused);
}

}  // namespace
}  // namespace interlock::server
