#include "client/cli/demo/token_endpoint.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace interlock::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

int Connect(const TokenEndpoint& endpoint) {
  const std::vector<std::string> parts = absl::StrSplit(endpoint.url(), absl::ByAnyChar(":/"));
  int port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(parts[4], &port)) << endpoint.url();
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  EXPECT_EQ(connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return connection;
}

// Sends each part by itself and reads to the end.
std::string Exchange(const TokenEndpoint& endpoint, const std::vector<std::string>& parts) {
  const int connection = Connect(endpoint);
  for (const std::string& part : parts) send(connection, part.data(), part.size(), MSG_NOSIGNAL);
  std::string response;
  char block[1024];
  for (ssize_t bytes = 0; (bytes = recv(connection, block, sizeof(block), 0)) > 0;) {
    response.append(block, static_cast<size_t>(bytes));
  }
  close(connection);
  return response;
}

constexpr char kHead[] = "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n";

TEST(TokenEndpointTest, RefusesUntilItIsToldToGrant) {
  TokenEndpoint endpoint;
  ASSERT_TRUE(endpoint.ok());
  EXPECT_THAT(Exchange(endpoint, {absl::StrCat(kHead, "0123456789")}),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("temporarily_unavailable")));
  endpoint.Grant();
  EXPECT_THAT(Exchange(endpoint, {absl::StrCat(kHead, "0123456789")}),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\"access_token\"")));
  EXPECT_EQ(endpoint.request_count(), 2);
}

TEST(TokenEndpointTest, RequestMayComeInPieces) {
  TokenEndpoint endpoint;
  EXPECT_THAT(Exchange(endpoint, {"POST /token HTTP/1.1\r\nContent-", "Length: 4\r\n\r\nab", "cd"}),
              StartsWith("HTTP/1.1 503 "));
}

TEST(TokenEndpointTest, PeerThatGoesAwayIsNotCounted) {
  TokenEndpoint endpoint;
  close(Connect(endpoint));
  EXPECT_THAT(Exchange(endpoint, {"GET / HTTP/1.1\r\n\r\n"}), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(endpoint.request_count(), 1);
}

TEST(TokenEndpointTest, EndsWithoutHavingBeenAsked) { TokenEndpoint endpoint; }

}  // namespace
}  // namespace interlock::cli
