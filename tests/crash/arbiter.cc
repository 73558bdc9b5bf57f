#include "tests/crash/arbiter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/requests.h"

namespace interlock::crash {
namespace {

using support::Api;
using support::Safety;

constexpr int kAgents = 5;
constexpr int kActionTypes = 20;
constexpr int kRequestsPerMessage = 8;
constexpr size_t kAnsweredMax = 50;

}  // namespace

Arbiter::Arbiter(Recorder& recorder, const PeriodsByTenant& periods, std::string name, uint64_t seed)
    : Client(recorder, name, absl::StrCat("agent:", name), seed), periods_(periods) {
  for (const auto& [tenant_id, period] : periods_) tenants_.push_back(tenant_id);
}

Client::Operation Arbiter::Next() {
  if (!answered_.empty() && Chance(10)) {
    const v1::ArbitrateRequest request = answered_[static_cast<size_t>(Random(static_cast<int>(answered_.size())))];
    return {[this, request](const Api& api, bool) { return Ask(api, request, false); }};
  }
  if (Chance(5)) {
    v1::ArbitrateStreamRequest message;
    for (int i = 0; i < kRequestsPerMessage; ++i) *message.add_requests() = NewRequest(true);
    return {[this, message](const Api& api, bool again) { return AskMany(api, message, again); }};
  }
  const v1::ArbitrateRequest request = NewRequest(Chance(50));
  return {[this, request](const Api& api, bool again) { return Ask(api, request, again); },
          !request.request_id().empty()};
}

v1::ArbitrateRequest Arbiter::NewRequest(bool with_request_id) {
  const std::string& tenant_id = tenants_[static_cast<size_t>(Random(static_cast<int>(tenants_.size())))];
  v1::ArbitrateRequest request = support::ActionOf(tenant_id, absl::StrCat("agent-", Random(kAgents)),
                                                   absl::StrCat("share_", Random(kActionTypes)));
  request.mutable_action()->set_action_id(NewName());
  if (Chance(20)) request.mutable_action()->set_risk_score(0.5);
  if (with_request_id) request.set_request_id(request.action().action_id());
  recorder_.Note([&](History& history) { history.actions[request.action().action_id()] = with_request_id; });
  return request;
}

bool Arbiter::Ask(const Api& api, const v1::ArbitrateRequest& request, bool again) {
  const int64_t period = periods_.at(request.action().tenant_id()).Now();
  const auto decision = api.Call(&Safety::Arbitrate, request);
  if (FateOf(decision.status) != Fate::kAnswered) return false;
  Take(request, *decision, period, again);
  return true;
}

bool Arbiter::AskMany(const Api& api, const v1::ArbitrateStreamRequest& message, bool again) {
  std::vector<int64_t> periods;
  for (const v1::ArbitrateRequest& request : message.requests()) {
    periods.push_back(periods_.at(request.action().tenant_id()).Now());
  }
  grpc::ClientContext context;
  api.Prepare(context);
  const auto stream = api.stub<Safety>().ArbitrateStream(&context);
  v1::ArbitrateStreamResponse response;
  const bool answered = stream->Write(message) && stream->Read(&response);
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  if (!answered) {
    if (FateOf(status) == Fate::kAnswered) recorder_.Fail("a stream ended well and without an answer");
    return false;
  }
  if (response.results_size() != message.requests_size()) recorder_.Fail("a message of a stream is short of results");
  for (int i = 0; i < response.results_size(); ++i) {
    const v1::ArbitrateResult& result = response.results(i);
    if (!result.has_decision()) {
      recorder_.Fail(absl::StrCat("a request of a stream failed: ", result.error().ShortDebugString()));
      continue;
    }
    Take(message.requests(i), result.decision(), periods[static_cast<size_t>(i)], again);
  }
  return true;
}

void Arbiter::Take(const v1::ArbitrateRequest& request, const v1::Decision& decision, int64_t period, bool again) {
  const std::string& tenant_id = request.action().tenant_id();
  const bool locked = LockPeriods::IsLocked(period) && period == periods_.at(tenant_id).Now();
  // What was stored before the lock and was no ALLOW is answered as it was.
  const bool blocks =
      decision.verdict() == v1::VERDICT_LOCK || (decision.replayed() && decision.verdict() == v1::VERDICT_DENY);
  if (locked && !blocks) {
    recorder_.Fail(absl::StrCat("while ", tenant_id, " was locked: ", decision.ShortDebugString()));
  }
  recorder_.AcknowledgeDecision(request.action().action_id(), decision, again);
  if (request.request_id().empty()) return;
  if (answered_.size() < kAnsweredMax) {
    answered_.push_back(request);
  } else {
    answered_[static_cast<size_t>(Random(kAnsweredMax))] = request;
  }
}

}  // namespace interlock::crash
