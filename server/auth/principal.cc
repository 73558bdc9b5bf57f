#include "server/auth/principal.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/limits.h"

namespace interlock::server {
namespace {

struct KindName {
  v1::PrincipalKind kind;
  absl::string_view name;
};

constexpr KindName kKinds[] = {
    {v1::PRINCIPAL_KIND_HUMAN, "human"},
    {v1::PRINCIPAL_KIND_AGENT, "agent"},
    {v1::PRINCIPAL_KIND_WORKER, "worker"},
    {v1::PRINCIPAL_KIND_SERVICE, "service"},
};

absl::Status Refused(absl::string_view what) {
  return MakeError(absl::StatusCode::kUnauthenticated, "PRINCIPAL_INVALID",
                   absl::StrCat("metadata ", kPrincipalKey, " ", what,
                                "; send it once as kind:id with kind human, agent, worker or service and an id "
                                "of 1 to ",
                                kIdBytesMax, " visible ASCII characters, for example human:alice"));
}

bool IsGoodId(absl::string_view id) {
  return !id.empty() && id.size() <= kIdBytesMax &&
         std::all_of(id.begin(), id.end(), [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

}  // namespace

absl::StatusOr<v1::Principal> ParsePrincipal(const std::vector<absl::string_view>& values) {
  v1::Principal principal;
  if (values.empty()) {
    principal.set_kind(v1::PRINCIPAL_KIND_HUMAN);
    principal.set_id("local");
    return principal;
  }
  if (values.size() > 1) return Refused("was sent more than once");
  const absl::string_view value = values.front();
  const size_t colon = value.find(':');
  if (colon == absl::string_view::npos) return Refused("has no colon");
  const absl::string_view id = value.substr(colon + 1);
  if (!IsGoodId(id)) return Refused("has no good id");
  for (const KindName& known : kKinds) {
    if (value.substr(0, colon) != known.name) continue;
    principal.set_kind(known.kind);
    principal.set_id(std::string(id));
    return principal;
  }
  return Refused("has an unknown kind");
}

std::string FormatPrincipal(const v1::Principal& principal) {
  for (const KindName& known : kKinds) {
    if (principal.kind() == known.kind) return absl::StrCat(known.name, ":", principal.id());
  }
  return absl::StrCat("unknown:", principal.id());
}

}  // namespace interlock::server
