#include "client/decide.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/error.h"

namespace interlock::client {
namespace {

Verdict Deny(absl::Status status) {
  Verdict verdict;
  const std::string name = ErrorReason(status);
  verdict.reason = absl::StrCat("no verdict: ", absl::StatusCodeToString(status.code()), name.empty() ? "" : " ", name,
                                ": ", status.message());
  verdict.status = std::move(status);
  return verdict;
}

Verdict DenyAnswer(absl::string_view problem) {
  return Deny(absl::InternalError(absl::StrCat("the server's answer ", problem)));
}

}  // namespace

Verdict Decide(const Client& client, v1::Action action, const CallOptions& options) {
  v1::ArbitrateRequest request;
  *request.mutable_action() = std::move(action);
  return VerdictOf(client.Arbitrate(std::move(request), options));
}

Verdict VerdictOf(const absl::StatusOr<v1::Decision>& answer) {
  if (!answer.ok()) return Deny(answer.status());
  if (answer->decision_id().empty()) return DenyAnswer("is not a recorded decision");
  switch (answer->verdict()) {
    case v1::VERDICT_ALLOW:
    case v1::VERDICT_DENY:
    case v1::VERDICT_LOCK:
      break;
    case v1::VERDICT_UNSPECIFIED:
      return DenyAnswer("has no verdict");
    default:
      return DenyAnswer(absl::StrCat("has a verdict that this client does not know (",
                                     static_cast<int>(answer->verdict()), "); update the client"));
  }
  Verdict verdict;
  verdict.allowed = answer->verdict() == v1::VERDICT_ALLOW;
  verdict.reason = answer->reasons().empty() ? v1::Verdict_Name(answer->verdict()) : answer->reasons(0).text();
  verdict.decision = *answer;
  verdict.status = absl::OkStatus();
  return verdict;
}

Verdict VerdictOf(const v1::ArbitrateResult& result) {
  switch (result.result_case()) {
    case v1::ArbitrateResult::kDecision:
      return VerdictOf(absl::StatusOr<v1::Decision>(result.decision()));
    case v1::ArbitrateResult::kError: {
      const v1::ArbitrateError& error = result.error();
      // An error without a code is still none of a verdict.
      const int code = error.code() == 0 ? static_cast<int>(absl::StatusCode::kUnknown) : error.code();
      return Deny(StatusFromWire(code, absl::StrCat(error.reason(), ": ", error.message()), ""));
    }
    case v1::ArbitrateResult::RESULT_NOT_SET:
      break;
  }
  return DenyAnswer("has neither a decision nor an error");
}

}  // namespace interlock::client
