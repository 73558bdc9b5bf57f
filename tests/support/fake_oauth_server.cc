#include "tests/support/fake_oauth_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/check.h"

namespace interlock::support {
namespace {

// A client that keeps a connection open must not keep the test waiting; clients of tests send at once.
constexpr timeval kReadTimeout = {10, 0};

std::string FormDecode(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      decoded.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return decoded;
}

// The request in `text` if it is all there.
bool ParseRequest(absl::string_view text, FakeOAuthServer::Request& request) {
  const size_t head_end = text.find("\r\n\r\n");
  if (head_end == absl::string_view::npos) return false;
  std::vector<std::string> lines = absl::StrSplit(text.substr(0, head_end), "\r\n");
  const std::vector<std::string> words = absl::StrSplit(lines[0], ' ');
  request = {};
  request.method = words[0];
  if (words.size() > 1) request.path = words[1];
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> header = absl::StrSplit(lines[i], absl::MaxSplits(": ", 1));
    request.headers[absl::AsciiStrToLower(header.first)] = header.second;
  }
  size_t length = 0;
  if (request.headers.count("content-length") > 0) {
    INTERLOCK_CHECK(absl::SimpleAtoi(request.headers["content-length"], &length));
  }
  request.body = std::string(text.substr(head_end + 4));
  if (request.body.size() < length) return false;
  for (absl::string_view field : absl::StrSplit(request.body, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(field, absl::MaxSplits('=', 1));
    request.form[FormDecode(pair.first)] = FormDecode(pair.second);
  }
  return true;
}

FakeOAuthServer::Reply InvalidGrant() { return {400, R"({"error":"invalid_grant"})"}; }

// A certificate for 127.0.0.1, signed by its own key.
void UseSelfSignedCertificate(SSL_CTX* context) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  INTERLOCK_CHECK(key != nullptr && certificate != nullptr);
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("127.0.0.1"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_EXTENSION* address = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(certificate, address, -1);
  X509_EXTENSION_free(address);
  INTERLOCK_CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
  INTERLOCK_CHECK(SSL_CTX_use_certificate(context, certificate) == 1);
  INTERLOCK_CHECK(SSL_CTX_use_PrivateKey(context, key) == 1);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

}  // namespace

struct FakeOAuthServer::Tls {
  Tls() : context(SSL_CTX_new(TLS_server_method())) {
    INTERLOCK_CHECK(context != nullptr);
    UseSelfSignedCertificate(context);
    // OpenSSL writes to connections that the client has closed.
    signal(SIGPIPE, SIG_IGN);
  }
  ~Tls() { SSL_CTX_free(context); }

  SSL_CTX* context;
};

// One accepted connection.
class FakeOAuthServer::Connection {
 public:
  Connection(int descriptor, Tls* tls) : descriptor_(descriptor) {
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &kReadTimeout, sizeof(kReadTimeout));
    if (tls == nullptr) return;
    ssl_ = SSL_new(tls->context);
    INTERLOCK_CHECK(ssl_ != nullptr && SSL_set_fd(ssl_, descriptor_) == 1);
    open_ = SSL_accept(ssl_) == 1;
  }
  ~Connection() {
    SSL_free(ssl_);
    close(descriptor_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Reads what has come, at most `size` bytes; 0 or less: there will be no more.
  int64_t Read(char* data, size_t size) {
    if (!open_) return 0;
    return ssl_ == nullptr ? recv(descriptor_, data, size, 0) : SSL_read(ssl_, data, static_cast<int>(size));
  }
  void Write(absl::string_view text) {
    while (!text.empty()) {
      const int64_t count = ssl_ == nullptr ? send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL)
                                            : SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
      if (count <= 0) return;
      text.remove_prefix(static_cast<size_t>(count));
    }
  }

 private:
  const int descriptor_;
  SSL* ssl_ = nullptr;
  bool open_ = true;
};

FakeOAuthServer::FakeOAuthServer(Transport transport) {
  if (transport == Transport::kSelfSignedTls) tls_ = std::make_unique<Tls>();
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  INTERLOCK_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  INTERLOCK_CHECK(listen(listener_, 16) == 0);
  socklen_t size = sizeof(address);
  INTERLOCK_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

FakeOAuthServer::~FakeOAuthServer() {
  // Ends accept().
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

std::string FakeOAuthServer::url() const {
  return absl::StrCat(tls_ == nullptr ? "http" : "https", "://127.0.0.1:", port_, "/token");
}

void FakeOAuthServer::Script(Reply reply) {
  std::lock_guard<std::mutex> lock(mutex_);
  script_.push_back(std::move(reply));
}

void FakeOAuthServer::RotateStrictly(absl::string_view first_token) {
  std::lock_guard<std::mutex> lock(mutex_);
  rotates_ = true;
  valid_token_ = std::string(first_token);
}

void FakeOAuthServer::LoseNextReply() {
  std::lock_guard<std::mutex> lock(mutex_);
  lose_next_reply_ = true;
}

std::string FakeOAuthServer::valid_token() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return valid_token_;
}

std::vector<FakeOAuthServer::Request> FakeOAuthServer::requests() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

void FakeOAuthServer::WaitForRequests(size_t count) const {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return requests_.size() >= count; });
}

void FakeOAuthServer::Serve() {
  for (;;) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    Answer(std::make_unique<Connection>(descriptor, tls_.get()));
  }
}

void FakeOAuthServer::Answer(std::unique_ptr<Connection> connection) {
  std::string received;
  Request request;
  while (!ParseRequest(received, request)) {
    char buffer[4096];
    const int64_t count = connection->Read(buffer, sizeof(buffer));
    if (count <= 0) return;
    received.append(buffer, static_cast<size_t>(count));
  }
  const Reply reply = ReplyTo(request);
  switch (reply.delivery) {
    case Reply::Delivery::kWhole:
      connection->Write(absl::StrCat("HTTP/1.1 ", reply.status, " Status\r\nContent-Type: application/json\r\n",
                                     reply.headers, "Content-Length: ", reply.body.size(),
                                     "\r\nConnection: close\r\n\r\n", reply.body));
      return;
    case Reply::Delivery::kRaw:
      connection->Write(reply.body);
      return;
    case Reply::Delivery::kSilent:
      silent_.push_back(std::move(connection));
      return;
    case Reply::Delivery::kDropped:
      return;
  }
}

FakeOAuthServer::Reply FakeOAuthServer::ReplyTo(const Request& request) {
  std::lock_guard<std::mutex> lock(mutex_);
  requests_.push_back(request);
  changed_.notify_all();
  if (!script_.empty()) {
    Reply reply = std::move(script_.front());
    script_.pop_front();
    return reply;
  }
  Reply reply = rotates_ ? Rotate(request) : InvalidGrant();
  if (std::exchange(lose_next_reply_, false)) reply.delivery = Reply::Delivery::kDropped;
  return reply;
}

// The caller holds mutex_.
FakeOAuthServer::Reply FakeOAuthServer::Rotate(const Request& request) {
  const auto token = request.form.find("refresh_token");
  if (valid_token_.empty() || token == request.form.end() || token->second != valid_token_) {
    valid_token_.clear();
    return InvalidGrant();
  }
  valid_token_ = absl::StrCat("rotated-refresh-token-", ++rotations_);
  return {200, absl::StrCat(R"({"access_token":"access-token-)", rotations_,
                            R"(","token_type":"Bearer","expires_in":3600,"refresh_token":")", valid_token_, R"("})")};
}

}  // namespace interlock::support
