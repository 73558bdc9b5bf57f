#include "server/executors/token_request.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/secrets/cleanse.h"

namespace interlock::server {
namespace {

void AppendField(absl::string_view name, absl::string_view value, std::string& form) {
  std::string encoded = FormEncode(value);
  absl::StrAppend(&form, form.empty() ? "" : "&", name, "=", encoded);
  Cleanse(encoded);
}

}  // namespace

std::string FormEncode(absl::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(3 * text.size());
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '*') {
      encoded.push_back(c);
    } else if (c == ' ') {
      encoded.push_back('+');
    } else {
      encoded.push_back('%');
      encoded.push_back(kDigits[byte >> 4]);
      encoded.push_back(kDigits[byte & 15]);
    }
  }
  return encoded;
}

HttpPost MakeTokenRequest(const v1::OAuthGrant& grant) {
  HttpPost post;
  post.url = grant.token_endpoint();
  // As long as it can become, so that growing leaves no copies of the token behind.
  post.body.reserve(100 + 3 * (grant.refresh_token().size() + grant.scope().size() + grant.client_id().size()));
  AppendField("grant_type", "refresh_token", post.body);
  AppendField("refresh_token", grant.refresh_token(), post.body);
  if (!grant.scope().empty()) AppendField("scope", grant.scope(), post.body);
  if (grant.client_secret().empty()) {
    AppendField("client_id", grant.client_id(), post.body);
  } else {
    post.user = FormEncode(grant.client_id());
    post.password = FormEncode(grant.client_secret());
  }
  return post;
}

}  // namespace interlock::server
