#include "client/alert_subscription.h"

#include <deque>
#include <utility>

#include "client/alert_cursor.h"
#include "client/connection.h"
#include "client/resuming_stream.h"
#include "interlock/v1/alert_service.grpc.pb.h"

namespace interlock::client {
namespace {

// The server's default; alert_service.proto.
constexpr absl::Duration kBookmarkInterval = absl::Seconds(5);
constexpr int kMissedBookmarksMax = 3;

absl::Duration SilenceMax(const v1::SubscribeAlertsRequest& request) {
  absl::Duration interval = kBookmarkInterval;
  if (request.has_bookmark_interval()) {
    interval =
        absl::Seconds(request.bookmark_interval().seconds()) + absl::Nanoseconds(request.bookmark_interval().nanos());
  }
  return interval * kMissedBookmarksMax;
}

}  // namespace

struct AlertSubscription::State {
  State(const std::shared_ptr<const Connection>& connection, v1::SubscribeAlertsRequest request,
        Interrupted on_interrupted)
      : stub(v1::AlertService::NewStub(connection->channel())),
        stream(connection, {SilenceMax(request), std::move(on_interrupted)},
               [this](grpc::ClientContext* context, grpc::CompletionQueue* queue, void* tag) {
                 return stub->AsyncSubscribeAlerts(context, cursor.BeginStream(), queue, tag);
               }),
        cursor(std::move(request)) {}

  // Reads and checks one message. Its alerts, if any, are then in `alerts`.
  absl::Status Read(absl::Duration timeout) {
    if (!end.ok()) return end;
    const auto message = stream.Next(timeout);
    if (!message.ok()) return message.status();
    end = cursor.Accept(*message);
    if (!end.ok()) {
      stream.Cancel();
      return end;
    }
    opened = true;
    alerts.assign(message->batch().alerts().begin(), message->batch().alerts().end());
    return absl::OkStatus();
  }

  const std::unique_ptr<v1::AlertService::StubInterface> stub;
  ResumingStream<v1::SubscribeAlertsResponse> stream;
  AlertCursor cursor;
  bool opened = false;
  // Received and checked, but not handed out.
  std::deque<v1::Alert> alerts;
  // Why the cursor refused the stream.
  absl::Status end;
};

AlertSubscription::AlertSubscription(const Client& client, v1::SubscribeAlertsRequest request,
                                     Interrupted on_interrupted)
    : state_(std::make_unique<State>(client.connection(), std::move(request), std::move(on_interrupted))) {}

AlertSubscription::~AlertSubscription() = default;

absl::Status AlertSubscription::WaitUntilOpen(absl::Duration timeout) {
  return state_->opened ? absl::OkStatus() : state_->Read(timeout);
}

absl::StatusOr<v1::Alert> AlertSubscription::Next(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (state_->alerts.empty()) {
    const absl::Status status = state_->Read(deadline - absl::Now());
    if (!status.ok()) return status;
  }
  v1::Alert alert = std::move(state_->alerts.front());
  state_->alerts.pop_front();
  return alert;
}

absl::Status AlertSubscription::Run(const std::function<bool(const v1::Alert&)>& callback) {
  while (true) {
    const absl::StatusOr<v1::Alert> alert = Next();
    if (!alert.ok()) return alert.status();
    if (!callback(*alert)) return absl::OkStatus();
  }
}

AlertPosition AlertSubscription::position() const {
  // What was received but not handed out begins after the alert before it. Sequences below that
  // one were handed out or do not pass the filter.
  const auto& alerts = state_->alerts;
  const int64_t sequence = alerts.empty() ? state_->cursor.sequence() : alerts.front().sequence() - 1;
  return {sequence, state_->cursor.epoch()};
}

void AlertSubscription::Cancel() { state_->stream.Cancel(); }

}  // namespace interlock::client
