#include "server/executors/http_post.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/fake_oauth_server.h"

namespace interlock::server {
namespace {

using support::FakeOAuthServer;
using Delivery = FakeOAuthServer::Reply::Delivery;

HttpPost PostTo(const std::string& url) {
  HttpPost post;
  post.url = url;
  post.body = "a=1&b=hunter2";
  post.loopback = true;
  post.connect_timeout = absl::Seconds(20);
  post.total_timeout = absl::Seconds(20);
  post.reply_bytes_max = 1000;
  return post;
}

// A port of 127.0.0.1 that is taken but that nobody listens on.
class ClosedPort {
 public:
  ClosedPort() : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~ClosedPort() { close(descriptor_); }
  std::string url() const { return absl::StrCat("http://127.0.0.1:", port_, "/token"); }

 private:
  const int descriptor_;
  int port_ = 0;
};

TEST(HttpPostTest, SendsTheFormAndReadsTheReply) {
  FakeOAuthServer server;
  server.Script({200, "hello"});
  const auto reply = Post(PostTo(server.url()));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "hello");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].path, "/token");
  EXPECT_EQ(requests[0].body, "a=1&b=hunter2");
  EXPECT_EQ(requests[0].headers.at("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(requests[0].headers.at("accept"), "application/json");
  EXPECT_EQ(requests[0].headers.count("authorization"), 0u);
}

TEST(HttpPostTest, BasicAuthentication) {
  FakeOAuthServer server;
  server.Script({200, ""});
  HttpPost post = PostTo(server.url());
  post.user = "client%3A";
  post.password = "p+w";
  ASSERT_TRUE(Post(post).ok());
  EXPECT_EQ(server.requests()[0].headers.at("authorization"),
            absl::StrCat("Basic ", absl::Base64Escape("client%3A:p+w")));
}

TEST(HttpPostTest, LargeFormIsSentAtOnce) {
  FakeOAuthServer server;
  server.Script({200, ""});
  HttpPost post = PostTo(server.url());
  post.body = "a=" + std::string(2 << 20, 'x');
  ASSERT_TRUE(Post(post).ok());
  EXPECT_EQ(server.requests()[0].body.size(), post.body.size());
  EXPECT_EQ(server.requests()[0].headers.count("expect"), 0u);
}

TEST(HttpPostTest, EveryStatusIsAReply) {
  FakeOAuthServer server;
  for (int status : {204, 400, 401, 500}) {
    server.Script({status, ""});
    const auto reply = Post(PostTo(server.url()));
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->status, status);
  }
}

TEST(HttpPostTest, RedirectIsNotFollowed) {
  FakeOAuthServer elsewhere;
  FakeOAuthServer server;
  server.Script({307, "", absl::StrCat("Location: ", elsewhere.url(), "\r\n")});
  const auto reply = Post(PostTo(server.url()));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->status, 307);
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST(HttpPostTest, ReplyIsReadUpToItsBound) {
  FakeOAuthServer server;
  server.Script({200, std::string(1000, 'x')});
  const auto longest = Post(PostTo(server.url()));
  ASSERT_TRUE(longest.ok()) << longest.status();
  EXPECT_EQ(longest->body.size(), 1000u);
  server.Script({200, std::string(1001, 'x')});
  EXPECT_EQ(Post(PostTo(server.url())).status().code(), absl::StatusCode::kResourceExhausted);
  // Also where the length is not told in advance.
  server.Script({0, absl::StrCat("HTTP/1.1 200 OK\r\n\r\n", std::string(100000, 'x')), "", Delivery::kRaw});
  EXPECT_EQ(Post(PostTo(server.url())).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(HttpPostTest, NoReplyInTime) {
  FakeOAuthServer server;
  server.Script({200, "", "", Delivery::kSilent});
  HttpPost post = PostTo(server.url());
  post.total_timeout = absl::Milliseconds(50);
  EXPECT_EQ(Post(post).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(HttpPostTest, NoReplyAtAll) {
  FakeOAuthServer server;
  server.Script({200, "", "", Delivery::kDropped});
  EXPECT_EQ(Post(PostTo(server.url())).status().code(), absl::StatusCode::kUnavailable);
  server.Script({0, "this is not HTTP\r\n\r\n", "", Delivery::kRaw});
  EXPECT_EQ(Post(PostTo(server.url())).status().code(), absl::StatusCode::kUnavailable);
  server.Script({0, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off", "", Delivery::kRaw});
  EXPECT_EQ(Post(PostTo(server.url())).status().code(), absl::StatusCode::kUnavailable);
  const ClosedPort closed;
  EXPECT_EQ(Post(PostTo(closed.url())).status().code(), absl::StatusCode::kUnavailable);
}

TEST(HttpPostTest, ErrorsDoNotRepeatWhatWasSent) {
  const ClosedPort closed;
  EXPECT_FALSE(absl::StrContains(Post(PostTo(closed.url() + "?hunter2")).status().ToString(), "hunter2"));
}

TEST(HttpPostTest, PlainHttpIsForLoopbackOnly) {
  FakeOAuthServer server;
  server.Script({200, ""});
  HttpPost post = PostTo(server.url());
  post.loopback = false;
  EXPECT_EQ(Post(post).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpPostTest, OtherProtocolsAreRefused) {
  EXPECT_FALSE(Post(PostTo("file:///etc/hostname")).ok());
  EXPECT_FALSE(Post(PostTo("ftp://127.0.0.1/")).ok());
}

TEST(HttpPostTest, LoopbackIsReachedPastAProxy) {
  const ClosedPort closed;
  setenv("http_proxy", closed.url().c_str(), 1);
  setenv("all_proxy", closed.url().c_str(), 1);
  FakeOAuthServer server;
  server.Script({200, ""});
  EXPECT_TRUE(Post(PostTo(server.url())).ok());
  unsetenv("http_proxy");
  unsetenv("all_proxy");
}

// Asks `url` without looking at the certificate; whether there was an answer.
bool AnswersUnverified(const std::string& url) {
  CURL* handle = curl_easy_init();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  const CURLcode code = curl_easy_perform(handle);
  curl_easy_cleanup(handle);
  return code == CURLE_OK;
}

TEST(HttpPostTest, CertificateThatNobodyTrustsIsRefusedBeforeAnythingIsSent) {
  FakeOAuthServer server(FakeOAuthServer::Transport::kSelfSignedTls);
  server.Script({200, ""});
  EXPECT_EQ(Post(PostTo(server.url())).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(server.requests().empty());
  // The certificate is all that is wrong with the server.
  EXPECT_TRUE(AnswersUnverified(server.url()));
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(HttpPostTest, ThreadsPostAtOnce) {
  FakeOAuthServer server;
  constexpr int kThreads = 8;
  for (int i = 0; i < kThreads; ++i) server.Script({200, "hello"});
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const auto reply = Post(PostTo(server.url()));
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->body, "hello");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(server.requests().size(), static_cast<size_t>(kThreads));
}

}  // namespace
}  // namespace interlock::server
