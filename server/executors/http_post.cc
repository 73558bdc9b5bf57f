#include "server/executors/http_post.h"

#include <curl/curl.h>

#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace interlock::server {
namespace {

struct HandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, HandleDeleter>;

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

// What arrives of the reply's body.
struct Received {
  std::string body;
  size_t bytes_max;
  bool too_long = false;
};

// libcurl's write callback; another number than that of the bytes given ends the transfer.
size_t Receive(char* data, size_t size, size_t count, void* user) {
  auto& received = *static_cast<Received*>(user);
  const size_t bytes = size * count;
  if (bytes > received.bytes_max - received.body.size()) {
    received.too_long = true;
    return bytes == 0 ? 1 : 0;
  }
  received.body.append(data, bytes);
  return bytes;
}

void InitializeOnce() {
  static std::once_flag once;
  std::call_once(once, [] { INTERLOCK_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
}

HeaderList MakeHeaders() {
  HeaderList headers;
  for (const char* header : {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json",
                             // Otherwise a large form waits for a reply that many servers never send.
                             "Expect:"}) {
    curl_slist* longer = curl_slist_append(headers.get(), header);
    INTERLOCK_CHECK(longer != nullptr);
    headers.release();
    headers.reset(longer);
  }
  return headers;
}

// Sets one option. libcurl only refuses what the code itself got wrong, or runs out of memory.
template <typename Value>
void Set(const Handle& handle, CURLoption option, Value value) {
  INTERLOCK_CHECK(curl_easy_setopt(handle.get(), option, value) == CURLE_OK);
}

void SetSecurity(const Handle& handle, const HttpPost& post) {
  Set(handle, CURLOPT_PROTOCOLS_STR, post.loopback ? "https,http" : "https");
  Set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  Set(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  Set(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  Set(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (post.loopback) Set(handle, CURLOPT_NOPROXY, "*");
  if (post.user.empty() && post.password.empty()) return;
  Set(handle, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
  Set(handle, CURLOPT_USERNAME, post.user.c_str());
  Set(handle, CURLOPT_PASSWORD, post.password.c_str());
}

void SetBounds(const Handle& handle, const HttpPost& post) {
  // Timeouts by signals would hit any thread.
  Set(handle, CURLOPT_NOSIGNAL, 1L);
  Set(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(post.connect_timeout)));
  Set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(post.total_timeout)));
}

absl::Status TransferError(CURLcode code, bool too_long) {
  if (too_long) return absl::ResourceExhaustedError("the reply is too long");
  const char* text = curl_easy_strerror(code);
  if (code == CURLE_OPERATION_TIMEDOUT) return absl::DeadlineExceededError(text);
  return absl::UnavailableError(text);
}

}  // namespace

absl::StatusOr<HttpReply> Post(const HttpPost& post) {
  InitializeOnce();
  const Handle handle(curl_easy_init());
  INTERLOCK_CHECK(handle != nullptr);
  const HeaderList headers = MakeHeaders();
  Received received{{}, post.reply_bytes_max};
  // Growing would leave copies of secrets in memory that was given back.
  received.body.reserve(post.reply_bytes_max);

  Set(handle, CURLOPT_URL, post.url.c_str());
  Set(handle, CURLOPT_HTTPHEADER, headers.get());
  Set(handle, CURLOPT_USERAGENT, "interlockd");
  Set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
  Set(handle, CURLOPT_POSTFIELDS, post.body.c_str());
  Set(handle, CURLOPT_WRITEFUNCTION, &Receive);
  Set(handle, CURLOPT_WRITEDATA, static_cast<void*>(&received));
  SetSecurity(handle, post);
  SetBounds(handle, post);

  const CURLcode code = curl_easy_perform(handle.get());
  if (code != CURLE_OK) return TransferError(code, received.too_long);
  long status = 0;
  INTERLOCK_CHECK(curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status) == CURLE_OK);
  return HttpReply{static_cast<int>(status), std::move(received.body)};
}

}  // namespace interlock::server
