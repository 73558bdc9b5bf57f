#include "server/rpc/page.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/serialize.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "server/base/limits.h"

namespace interlock::server {
namespace {

// A token is this byte, the query's identity and a key, in base64.
constexpr char kTokenVersion = 1;
constexpr size_t kIdentityBytes = 8;

}  // namespace

Page::Page(int size, const PageSizes& sizes, std::string identity)
    : size_(size == 0 ? sizes.unset : std::min(size, sizes.max)), identity_(std::move(identity)) {}

std::string Page::Identity(const google::protobuf::Message& query, absl::string_view context) {
  const std::string bytes = absl::StrCat(query.GetDescriptor()->full_name(), absl::string_view("\0", 1), context,
                                         absl::string_view("\0", 1), Serialize(query));
  return Sha256(bytes).substr(0, kIdentityBytes);
}

absl::Status Page::BadToken() {
  FieldViolations violations;
  violations.Add("page_token",
                 "is not a token that this list gave for the same query; start again without it, and repeat all other "
                 "fields with it");
  return violations.ToStatus();
}

absl::Status Page::TakeToken(absl::string_view token) {
  if (token.empty()) return absl::OkStatus();
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(token, &bytes) || bytes.size() <= 1 + kIdentityBytes || bytes[0] != kTokenVersion ||
      absl::string_view(bytes).substr(1, kIdentityBytes) != identity_) {
    return BadToken();
  }
  last_key_ = bytes.substr(1 + kIdentityBytes);
  return absl::OkStatus();
}

std::string Page::NextToken(absl::string_view last_key) const {
  return absl::WebSafeBase64Escape(absl::StrCat(std::string(1, kTokenVersion), identity_, last_key));
}

absl::StatusOr<std::string> ScanPage(const Store& store, ScanRange range, const Page& page, const RowTaker& take) {
  const std::string& last_key = page.last_key();
  if (!last_key.empty()) {
    if (last_key < range.begin || (!range.end.empty() && last_key >= range.end)) return Page::BadToken();
    if (range.reverse) {
      range.end = last_key;
    } else {
      // The first key after it.
      range.begin = last_key + std::string(1, '\0');
    }
  }
  absl::Status status;
  std::string seen_key;
  bool more = false;
  int taken = 0;
  int seen = 0;
  size_t bytes = 0;
  INTERLOCK_RETURN_IF_ERROR(store.Scan(range, [&](absl::string_view key, absl::string_view value) {
    if (taken == page.size() || bytes >= kPageBytesMax || seen == kPageRowsMax) {
      more = true;
      return false;
    }
    const absl::StatusOr<bool> took = take(key, value);
    if (!took.ok()) {
      status = took.status();
      return false;
    }
    ++seen;
    if (*took) {
      ++taken;
      bytes += value.size();
    }
    seen_key = std::string(key);
    return true;
  }));
  INTERLOCK_RETURN_IF_ERROR(status);
  return more ? page.NextToken(seen_key) : "";
}

}  // namespace interlock::server
