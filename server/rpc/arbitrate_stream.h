// ArbitrateStream over gRPC: reads messages, has each decided as one work of the sequencer, and answers them in order.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "interlock/v1/principal.pb.h"
#include "server/base/mutex.h"
#include "server/feed/stream_hub.h"
#include "server/rpc/arbitrate_batch.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// Thread-safe. Lives until gRPC is done with it and no work of it is with the sequencer. It reads and writes bytes,
// because gRPC does not tell a message that cannot be decoded from the end of the stream.
class ArbitrateStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                              public HubStream,
                              public std::enable_shared_from_this<ArbitrateStream> {
 public:
  using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

  // `rooms` must outlive the stream. An error of `caller` ends it at once.
  static Reactor* Start(Rooms& rooms, const absl::StatusOr<v1::Principal>& caller);

  explicit ArbitrateStream(Rooms& rooms) : rooms_(rooms) {}

  // It waits for its caller and for the engine, never for a feed.
  void Wake() override {}
  void End(const absl::Status& status) override ABSL_LOCKS_EXCLUDED(mutex_);

  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone() override;

 private:
  // A message that was read and not yet answered.
  struct Exchange {
    std::unique_ptr<ArbitrateBatch> batch;
    bool complete = false;
  };

  absl::Status TakeMessage() ABSL_LOCKS_EXCLUDED(mutex_);
  // Starts whatever can be started now: a write, a read, or the end.
  void Advance() ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether the next answer is complete and nothing is being written.
  bool MayWriteLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayReadLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Rooms& rooms_;
  v1::Principal caller_;
  // For the read and the write under way.
  grpc::ByteBuffer read_buffer_;
  grpc::ByteBuffer write_buffer_;

  // gRPC's hold on the reactor.
  std::shared_ptr<ArbitrateStream> self_;

  Mutex mutex_;
  // Oldest first; at most kStreamMessagesInFlightMax.
  std::deque<std::shared_ptr<Exchange>> exchanges_ ABSL_GUARDED_BY(mutex_);
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  // Answers can no longer be delivered.
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  // Threads that are about to start a read or a write; until they have, the stream must not finish.
  int starting_ ABSL_GUARDED_BY(mutex_) = 0;
  // Nothing more is read, and this is the stream's status once everything read was answered.
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace interlock::server
