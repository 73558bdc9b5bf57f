// Has a server replay what it recorded under a candidate policy.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "client/client.h"
#include "interlock/v1/policy_service.pb.h"
#include "interlock/v1/replay.pb.h"

namespace interlock::client {

// Told how far a replay has come.
using ReplayProgressTaker = std::function<void(const v1::ReplayProgress& progress)>;

// The result, once all is replayed. A stream that breaks is not taken up again. Errors: those of the call;
// DEADLINE_EXCEEDED (the server sent nothing for a minute); DATA_LOSS (it ended the stream without the result).
absl::StatusOr<v1::ReplayResult> ReplayPolicy(const Client& client, const v1::ReplayPolicyRequest& request,
                                              const ReplayProgressTaker& take);

}  // namespace interlock::client
