#include "tests/crash/subscriber.h"

#include "absl/strings/str_cat.h"
#include "tests/support/alert_reader.h"
#include "tests/support/api.h"
#include "tests/support/requests.h"

namespace interlock::crash {
namespace {

// Every alert of every tenant, behind the last one that was sent.
v1::SubscribeAlertsRequest NextSubscription(Recorder& recorder) {
  v1::SubscribeAlertsRequest request;
  recorder.Note([&](const History& history) {
    request = support::SubscriptionOf("", history.alerts.empty() ? 0 : history.alerts.back().sequence());
    if (!history.alerts.empty()) request.set_epoch(history.alerts.back().epoch());
  });
  return request;
}

void Take(Recorder& recorder, const v1::Alert& alert) {
  recorder.Note([&](History& history) { history.alerts.push_back(alert); });
}

void CheckFault(Recorder& recorder, const support::AlertReader& reader) {
  if (!reader.fault().empty()) recorder.Fail(absl::StrCat("the alert stream is at fault: ", reader.fault()));
}

}  // namespace

void RunSubscriber(Recorder& recorder, Rounds& rounds) {
  int64_t round = 0;
  while (const std::shared_ptr<grpc::Channel> channel = rounds.Join(round)) {
    support::AlertReader reader(support::Api(channel, "service:subscriber"), NextSubscription(recorder));
    for (auto alert = reader.Next(); alert.has_value(); alert = reader.Next()) Take(recorder, *alert);
    CheckFault(recorder, reader);
    const grpc::Status status = reader.Finish();
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE) {
      recorder.Fail(absl::StrCat("the alert stream ended with ", status.error_code(), " ", status.error_message()));
    }
    rounds.Leave();
  }
}

void ReadAlertsUpTo(Recorder& recorder, const std::shared_ptr<grpc::Channel>& channel, int64_t head) {
  support::AlertReader reader(support::Api(channel, "service:subscriber"), NextSubscription(recorder));
  for (const v1::Alert& alert : reader.ReadUpTo(head)) Take(recorder, alert);
  CheckFault(recorder, reader);
}

}  // namespace interlock::crash
