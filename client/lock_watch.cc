#include "client/lock_watch.h"

#include <utility>

#include "client/connection.h"
#include "client/resuming_stream.h"
#include "interlock/v1/lock_service.grpc.pb.h"

namespace interlock::client {

struct LockWatch::State {
  State(const std::shared_ptr<const Connection>& connection, v1::WatchLocksRequest watch_request,
        std::function<void(const absl::Status&)> on_interrupted)
      : request(std::move(watch_request)),
        stub(v1::LockService::NewStub(connection->channel())),
        stream(connection, {.silence_max = absl::InfiniteDuration(), .on_interrupted = std::move(on_interrupted)},
               [this](grpc::ClientContext* context, grpc::CompletionQueue* queue, void* tag) {
                 fresh = true;
                 return stub->AsyncWatchLocks(context, request, queue, tag);
               }) {}

  const v1::WatchLocksRequest request;
  const std::unique_ptr<v1::LockService::StubInterface> stub;
  // Nothing of the current stream was handed out yet.
  bool fresh = false;
  ResumingStream<v1::WatchLocksResponse> stream;
  // The first message of a stream, while the one that announces it is handed out.
  std::optional<v1::WatchLocksResponse> held;
};

LockWatch::LockWatch(const Client& client, v1::WatchLocksRequest request,
                     std::function<void(const absl::Status&)> on_interrupted)
    : state_(std::make_unique<State>(client.connection(), std::move(request), std::move(on_interrupted))) {}

LockWatch::~LockWatch() = default;

absl::StatusOr<v1::WatchLocksResponse> LockWatch::Next(absl::Duration timeout) {
  if (state_->held.has_value()) return *std::exchange(state_->held, std::nullopt);
  absl::StatusOr<v1::WatchLocksResponse> message = state_->stream.Next(timeout);
  if (!message.ok() || !state_->fresh) return message;
  state_->fresh = false;
  if (message->snapshot_begin()) return message;
  state_->held = *std::move(message);
  v1::WatchLocksResponse begin;
  begin.set_snapshot_begin(true);
  return begin;
}

void LockWatch::Cancel() { state_->stream.Cancel(); }

}  // namespace interlock::client
