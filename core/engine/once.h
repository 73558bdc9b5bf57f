// Commands that are idempotent by request_id. Private to core/engine.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "core/base/check.h"
#include "core/base/serialize.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/engine/engine_memory.h"
#include "core/engine/keys.h"
#include "core/engine/request_log.h"

namespace interlock {

// Which call of which tenant this is, for the request log. nullopt if the call has no request id.
template <typename Request>
absl::optional<RequestLog::Identity> IdentityOf(absl::string_view tenant_id, absl::string_view method,
                                                const Request& request, absl::string_view more = "") {
  if (request.request_id().empty()) return absl::nullopt;
  std::string bytes = Serialize(request);
  bytes.append(more.data(), more.size());
  return RequestLog::Identity{keys::Request(tenant_id, method, request.request_id()), Sha256(bytes)};
}

// Answers a repeat with the stored reply; otherwise runs `body` and remembers what it answers.
template <typename Reply, typename Body>
absl::StatusOr<Reply> Once(EngineMemory& memory, const absl::optional<RequestLog::Identity>& identity, Effects& effects,
                           const Body& body) {
  if (!identity.has_value()) return body();
  INTERLOCK_ASSIGN_OR_RETURN(const std::string* stored, memory.requests.Find(*identity));
  if (stored != nullptr) {
    Reply reply;
    INTERLOCK_CHECK(reply.ParseFromString(*stored));
    return reply;
  }
  absl::StatusOr<Reply> reply = body();
  if (reply.ok()) memory.requests.Remember(*identity, Serialize(*reply), memory.now, effects.writes);
  return reply;
}

}  // namespace interlock
