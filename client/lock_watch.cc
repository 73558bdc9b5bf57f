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
                 return stub->AsyncWatchLocks(context, request, queue, tag);
               }) {}

  // Goes on after what was handed out.
  v1::WatchLocksRequest request;
  const std::unique_ptr<v1::LockService::StubInterface> stub;
  ResumingStream<v1::WatchLocksResponse> stream;
};

LockWatch::LockWatch(const Client& client, v1::WatchLocksRequest request,
                     std::function<void(const absl::Status&)> on_interrupted)
    : state_(std::make_unique<State>(client.connection(), std::move(request), std::move(on_interrupted))) {}

LockWatch::~LockWatch() = default;

absl::StatusOr<v1::WatchLocksResponse> LockWatch::Next(absl::Duration timeout) {
  absl::StatusOr<v1::WatchLocksResponse> message = state_->stream.Next(timeout);
  if (!message.ok()) return message;
  v1::WatchLocksRequest& request = state_->request;
  if (message->snapshot_begin()) request.clear_epoch();
  if (message->snapshot_end()) request.set_epoch(message->epoch());
  if (message->revision() > 0) request.set_after_revision(message->revision());
  return message;
}

void LockWatch::Cancel() { state_->stream.Cancel(); }

}  // namespace interlock::client
