// A token endpoint for tests: a small HTTP/1.1 server on a free port of 127.0.0.1 that remembers what it was asked and
// answers what it was told to.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"

namespace interlock::support {

// Thread-safe. Answers one connection after the other.
class FakeOAuthServer {
 public:
  enum class Transport {
    kPlain,
    // With a certificate for 127.0.0.1 that nobody trusts.
    kSelfSignedTls,
  };

  struct Request {
    std::string method;
    std::string path;
    // By name in lower case.
    std::map<std::string, std::string> headers;
    std::string body;
    // The fields of the body, decoded.
    std::map<std::string, std::string> form;
  };

  struct Reply {
    int status = 200;
    std::string body = {};
    // Further header lines, each with its line end.
    std::string headers = {};
    enum class Delivery {
      kWhole,
      // The request is read and the connection then closed without a byte.
      kDropped,
      // The request is read and the connection stays open and silent until the server ends.
      kSilent,
      // `body` is sent as it is, without a status line.
      kRaw,
    } delivery = Delivery::kWhole;
  };

  explicit FakeOAuthServer(Transport transport = Transport::kPlain);
  ~FakeOAuthServer();
  FakeOAuthServer(const FakeOAuthServer&) = delete;
  FakeOAuthServer& operator=(const FakeOAuthServer&) = delete;

  // The address of the endpoint.
  std::string url() const;

  // Answers the requests to come, in turn; after the last one the server goes on as without them: it refuses with
  // invalid_grant, or rotates if it was told to.
  void Script(Reply reply);

  // From now on every refresh uses up its token and gives the next one. A token that comes a second time ends the whole
  // family, as RFC 9700 recommends: from then on all are refused with invalid_grant.
  void RotateStrictly(absl::string_view first_token);
  // The next refresh is done, but its reply is lost.
  void LoseNextReply();
  // The token that would be taken next; empty: none, the family has ended.
  std::string valid_token() const;

  // What was asked so far. A request is remembered before it is answered.
  std::vector<Request> requests() const;
  // Waits until `count` requests have come.
  void WaitForRequests(size_t count) const;

 private:
  class Connection;
  struct Tls;

  void Serve();
  void Answer(std::unique_ptr<Connection> connection);
  Reply ReplyTo(const Request& request);
  Reply Rotate(const Request& request);

  std::unique_ptr<Tls> tls_;
  int listener_ = -1;
  int port_ = 0;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Request> requests_;
  std::deque<Reply> script_;
  bool rotates_ = false;
  bool lose_next_reply_ = false;
  std::string valid_token_;
  int rotations_ = 0;

  // Server thread only: connections that are left silent.
  std::vector<std::unique_ptr<Connection>> silent_;
  std::thread thread_;
};

}  // namespace interlock::support
