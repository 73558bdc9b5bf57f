#include "server/rpc/authenticate.h"

#include <vector>

#include "absl/strings/string_view.h"
#include "server/auth/principal.h"

namespace interlock::server {

absl::StatusOr<v1::Principal> Authenticate(const grpc::ServerContextBase& context) {
  const auto [begin, end] = context.client_metadata().equal_range(kPrincipalKey);
  std::vector<absl::string_view> values;
  for (auto entry = begin; entry != end; ++entry) values.emplace_back(entry->second.data(), entry->second.size());
  return ParsePrincipal(values);
}

}  // namespace interlock::server
