// One verdict, failing closed: whatever goes wrong on the way to a verdict is a deny.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/client.h"
#include "interlock/v1/action.pb.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/safety_service.pb.h"

namespace interlock::client {

struct Verdict {
  // The only thing that permits the action.
  bool allowed = false;
  // Why, for people: the server's first reason, or why there is no verdict.
  std::string reason = "no verdict was asked for";
  // The server's decision; empty unless `status` is OK.
  v1::Decision decision;
  // OK if the server gave a verdict that this client understands. Else the error of the call, with
  // its details; INTERNAL for an answer that is no verdict.
  absl::Status status = absl::InternalError("no verdict was asked for");
};

// Asks for a verdict on `action`, within the deadline and with the retries of the client.
Verdict Decide(const Client& client, v1::Action action, const CallOptions& options = {});

// The same for a call that the caller made. An answer counts only if it is a decision that was
// recorded: an explanation is none.
Verdict VerdictOf(const absl::StatusOr<v1::Decision>& answer);
// The same for one result of an ArbitrateStream.
Verdict VerdictOf(const v1::ArbitrateResult& result);

}  // namespace interlock::client
