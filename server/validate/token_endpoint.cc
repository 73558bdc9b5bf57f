#include "server/validate/token_endpoint.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace interlock::server {
namespace {

constexpr absl::string_view kDigits = "0123456789";

bool IsAllOf(absl::string_view text, absl::string_view characters) {
  return text.find_first_not_of(characters) == absl::string_view::npos;
}

// Whether `port` is empty or ":1" to ":65535".
bool IsPort(absl::string_view port) {
  if (port.empty()) return true;
  int number = 0;
  return absl::ConsumePrefix(&port, ":") && !port.empty() && port.size() <= 5 && IsAllOf(port, kDigits) &&
         absl::SimpleAtoi(port, &number) && number >= 1 && number <= 65535;
}

// Whether `host` is four decimal numbers of 0 to 255. Other spellings (octal, hexadecimal, fewer
// numbers) are read differently by different readers.
bool IsIpv4(absl::string_view host) {
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
           int number = 0;
           return !part.empty() && part.size() <= 3 && (part == "0" || part[0] != '0') && IsAllOf(part, kDigits) &&
                  absl::SimpleAtoi(part, &number) && number <= 255;
         });
}

// Whether `host` is a name of letters, digits and inner hyphens that ends in a label with a letter
// in front, so that it cannot be read as a number.
bool IsHostName(absl::string_view host) {
  if (host.size() > 253) return false;
  const std::vector<absl::string_view> labels = absl::StrSplit(host, '.');
  for (absl::string_view label : labels) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), [](char c) { return absl::ascii_isalnum(c) || c == '-'; })) {
      return false;
    }
  }
  return absl::ascii_isalpha(labels.back().front());
}

bool IsPrintableAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isgraph(c); });
}

// The host at the front of `authority`, in brackets if it is IPv6; the rest is the port.
absl::string_view HostOf(absl::string_view authority) {
  const size_t end = absl::StartsWith(authority, "[") ? authority.find(']') + 1 : authority.find(':');
  return authority.substr(0, end);
}

bool IsIpv6(absl::string_view host) {
  return host.size() > 4 && host.front() == '[' && host.back() == ']' &&
         IsAllOf(host.substr(1, host.size() - 2), "0123456789abcdefABCDEF:") && absl::StrContains(host, ':');
}

bool IsLoopback(absl::string_view host) {
  return absl::EqualsIgnoreCase(host, "localhost") || host == "[::1]" ||
         (IsIpv4(host) && absl::StartsWith(host, "127."));
}

}  // namespace

TokenEndpointKind ClassifyTokenEndpoint(absl::string_view url) {
  if (url.size() > kTokenEndpointBytesMax || !IsPrintableAscii(url)) return TokenEndpointKind::kRefused;
  if (url.find_first_of("#\\") != absl::string_view::npos) return TokenEndpointKind::kRefused;
  const bool secure = absl::StartsWithIgnoreCase(url, "https://");
  if (!secure && !absl::StartsWithIgnoreCase(url, "http://")) return TokenEndpointKind::kRefused;
  const absl::string_view rest = url.substr(url.find("//") + 2);
  const absl::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  const absl::string_view host = HostOf(authority);
  if (!IsPort(authority.substr(host.size()))) return TokenEndpointKind::kRefused;
  if (!IsIpv4(host) && !IsIpv6(host) && !IsHostName(host)) return TokenEndpointKind::kRefused;
  if (IsLoopback(host)) return TokenEndpointKind::kLoopback;
  return secure ? TokenEndpointKind::kRemote : TokenEndpointKind::kRefused;
}

}  // namespace interlock::server
