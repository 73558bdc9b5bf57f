#include "tests/crash/client.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace interlock::crash {

void Client::Run(Rounds& rounds) {
  int64_t round = 0;
  while (const std::shared_ptr<grpc::Channel> channel = rounds.Join(round)) {
    const support::Api api(channel, principal_);
    while (in_doubt_.has_value() || !rounds.stopping()) {
      const bool again = in_doubt_.has_value();
      Operation operation = again ? *std::move(in_doubt_) : Next();
      in_doubt_.reset();
      if (operation.step(api, again)) continue;
      if (operation.repeats) in_doubt_ = std::move(operation);
      break;
    }
    rounds.Leave();
  }
}

Client::Fate Client::FateOf(const grpc::Status& status, absl::string_view refusal) {
  if (status.ok()) return Fate::kAnswered;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) return Fate::kGone;
  if (!refusal.empty() && support::ReasonOf(status) == refusal) return Fate::kRefused;
  recorder_.Fail(absl::StrCat(name_, ": ", status.error_code(), " ", status.error_message()));
  return Fate::kGone;
}

std::string Client::NewName() { return absl::StrCat(name_, "-", ++names_); }

}  // namespace interlock::crash
