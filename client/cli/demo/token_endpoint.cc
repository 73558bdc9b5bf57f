#include "client/cli/demo/token_endpoint.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace interlock::cli {
namespace {

// More than a token request ever is.
constexpr size_t kRequestBytesMax = 64 * 1024;
// A peer that falls silent must not hold up the end of the demo.
constexpr int kSilenceMilliseconds = 2000;

// Long enough that the task has nothing to do for a while after the demo.
constexpr char kGrant[] = R"({"access_token":"demo-access-token","token_type":"Bearer","expires_in":2592000})";
constexpr char kRefusal[] = R"({"error":"temporarily_unavailable"})";

std::string MakeResponse(absl::string_view status, absl::string_view body) {
  return absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Type: application/json\r\nContent-Length: ", body.size(),
                      "\r\nConnection: close\r\n\r\n", body);
}

// How long the whole request is, once its head is there; 0 before.
size_t RequestLength(const std::string& text) {
  const size_t head = text.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  const std::string lower = absl::AsciiStrToLower(absl::string_view(text).substr(0, head));
  constexpr absl::string_view kName = "\r\ncontent-length:";
  size_t length = 0;
  if (const size_t found = lower.find(std::string(kName)); found != std::string::npos) {
    const size_t begin = found + kName.size();
    const size_t end = std::min(lower.find("\r\n", begin), lower.size());
    if (!absl::SimpleAtoi(lower.substr(begin, end - begin), &length)) length = 0;
  }
  return head + 4 + std::min(length, kRequestBytesMax);
}

bool Readable(int descriptor) {
  pollfd waiting = {.fd = descriptor, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, kSilenceMilliseconds) > 0;
}

}  // namespace

TokenEndpoint::TokenEndpoint() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, length) != 0 || listen(listener, 8) != 0 ||
      getsockname(listener, generic, &length) != 0 || pipe2(wake_, O_CLOEXEC) != 0) {
    close(listener);
    return;
  }
  listener_ = listener;
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

TokenEndpoint::~TokenEndpoint() {
  if (!ok()) return;
  // The end of the pipe that is left sees the other one closed.
  close(wake_[1]);
  thread_.join();
  close(wake_[0]);
  close(listener_);
}

std::string TokenEndpoint::url() const { return absl::StrCat("http://127.0.0.1:", port_, "/token"); }

void TokenEndpoint::Serve() {
  while (true) {
    pollfd waiting[] = {{.fd = listener_, .events = POLLIN, .revents = 0},
                        {.fd = wake_[0], .events = POLLIN, .revents = 0}};
    if (poll(waiting, 2, -1) < 0) continue;
    if (waiting[1].revents != 0) return;
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    Answer(connection);
    close(connection);
  }
}

void TokenEndpoint::Answer(int connection) {
  std::string request;
  while (RequestLength(request) == 0 || request.size() < RequestLength(request)) {
    char block[4096];
    if (request.size() > kRequestBytesMax || !Readable(connection)) return;
    const ssize_t bytes = recv(connection, block, sizeof(block), 0);
    if (bytes <= 0) return;
    request.append(block, static_cast<size_t>(bytes));
  }
  ++request_count_;
  const std::string response =
      granting_ ? MakeResponse("200 OK", kGrant) : MakeResponse("503 Service Unavailable", kRefusal);
  // A few hundred bytes always fit into the socket's buffer.
  send(connection, response.data(), response.size(), MSG_NOSIGNAL);
}

}  // namespace interlock::cli
