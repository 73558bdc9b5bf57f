// How the server takes each kind of request: what is checked at its door, and which command it becomes.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/serialize.h"
#include "core/engine/engine.h"
#include "server/validate/validate.h"

namespace interlock::simulation {

template <typename Request>
absl::Status CheckRequest(const Request& request) {
  return server::Validate(request);
}

template <typename Request>
auto ApplyTo(Engine& engine, const Request& request, const CommandContext& context, Effects& effects) {
  return engine.Apply(request, context, effects);
}

// The seal is not the simulation's subject: any bytes that follow from the grant will do.
inline absl::StatusOr<v1::Task> ApplyTo(Engine& engine, const v1::CreateTaskRequest& request,
                                        const CommandContext& context, Effects& effects) {
  v1::CreateTaskRequest sealed = request;
  sealed.clear_oauth_grant();
  const std::string grant = Serialize(request.oauth_grant());
  return engine.Apply(CreateTaskCommand{sealed, grant, grant}, context, effects);
}

template <typename Request>
size_t SizeOf(const Request& request) {
  return request.ByteSizeLong();
}
inline size_t SizeOf(const AttemptResult& result) { return result.error_message.size(); }

}  // namespace interlock::simulation
