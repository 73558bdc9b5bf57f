// A subscription to the alert stream that resumes by itself and proves that nothing is missing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/client.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/alert_service.pb.h"

namespace interlock::client {

// What to store in order to go on later, by another process too: set it as the request's
// after_sequence and epoch.
struct AlertPosition {
  int64_t sequence = 0;
  std::string epoch;
};

// Alerts in order, each once, without a gap. After UNAVAILABLE, the end of a stream, or the lack of
// bookmarks for three of their intervals, it goes on after the last alert, with backoff, for as
// long as it takes. One thread may call its methods; Cancel may come from any other.
//
// It ends with
//   OUT_OF_RANGE         the log was cut before it came back; LostCount(status) alerts are lost to
//   it FAILED_PRECONDITION  the store is another one, or its log is shorter than before DATA_LOSS
//   the server sent a stream with a gap CANCELLED            Cancel was called
// or with what else the server ends it with, for example INVALID_ARGUMENT.
class AlertSubscription {
 public:
  // Told each time that the stream broke and will be taken up again.
  using Interrupted = std::function<void(const absl::Status&)>;

  AlertSubscription(const Client& client, v1::SubscribeAlertsRequest request, Interrupted on_interrupted = nullptr);
  ~AlertSubscription();
  AlertSubscription(const AlertSubscription&) = delete;
  AlertSubscription& operator=(const AlertSubscription&) = delete;

  // Waits until the first stream is open: from then on no alert is missed. With from_now it is the
  // opening that says what "now" is.
  // Errors: DEADLINE_EXCEEDED (not open yet; it may be called again), or how it ended.
  absl::Status WaitUntilOpen(absl::Duration timeout);

  // The next alert.
  // Errors: DEADLINE_EXCEEDED (none came within `timeout`; the subscription goes on), or how it
  // ended, which is then returned each time.
  absl::StatusOr<v1::Alert> Next(absl::Duration timeout = absl::InfiniteDuration());

  // Hands each alert to `callback` until that answers false: then OK; else how it ended.
  absl::Status Run(const std::function<bool(const v1::Alert&)>& callback);

  // Every alert up to here that passes the filter was handed out by Next.
  AlertPosition position() const;

  // Ends it, soon and for good.
  void Cancel();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace interlock::client
