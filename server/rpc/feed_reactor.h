// Sends a feed's stream over gRPC. One write is under way at most; that it was taken is what asks for the next message,
// so HTTP/2 flow control is the only queue.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "server/base/mutex.h"
#include "server/feed/feed_stream.h"
#include "server/feed/stream_hub.h"
#include "server/feed/stream_message.h"
#include "server/rpc/raw_stream.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// The message as gRPC sends it; what is shared is not copied.
grpc::ByteBuffer ToByteBuffer(const StreamMessage& message);

// Thread-safe. Lives until gRPC and all who still wake it are done with it.
class FeedReactor final : public StreamReactor, public HubStream, public std::enable_shared_from_this<FeedReactor> {
 public:
  // Makes the stream of the request's bytes. An error ends it.
  using Open = std::function<absl::StatusOr<std::unique_ptr<FeedStream>>(const grpc::ByteBuffer& request)>;

  // Reads the request, joins the hub and begins to send. `rooms` must outlive the reactor.
  static void Start(Rooms& rooms, RawStream& raw, Open open);

  FeedReactor(Rooms& rooms, RawStream& raw, Open open) : rooms_(rooms), raw_(raw), open_(std::move(open)) {}

  void Wake() override ABSL_LOCKS_EXCLUDED(mutex_);
  void End(const absl::Status& status) override ABSL_LOCKS_EXCLUDED(mutex_);

  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone() override;

 private:
  enum class State {
    // One thread, or a write under way, has the stream.
    kBusy,
    // Nobody has it; Wake and End take it.
    kIdle,
    kFinished,
  };

  // All of these are called by who has the stream, and leave it to the next.
  absl::Status Begin(bool has_request);
  void Advance() ABSL_LOCKS_EXCLUDED(mutex_);
  void ReadOn() ABSL_LOCKS_EXCLUDED(mutex_);
  // False: the step was nothing to send.
  bool Send(const absl::StatusOr<StreamStep>& step) ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives the stream up until it is woken. False: there is news, and the caller has it still.
  bool Rest(uint64_t notifications) ABSL_LOCKS_EXCLUDED(mutex_);
  void FinishWith(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  bool TakeIfIdle() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::optional<absl::Status> end() const ABSL_LOCKS_EXCLUDED(mutex_);

  Rooms& rooms_;
  RawStream& raw_;
  const Open open_;
  // For who has the stream.
  std::unique_ptr<FeedStream> stream_;
  grpc::ByteBuffer buffer_;

  // gRPC's hold on the reactor.
  std::shared_ptr<FeedReactor> self_;

  mutable Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kBusy;
  // What the stream is to end with as soon as nobody has it.
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace interlock::server
