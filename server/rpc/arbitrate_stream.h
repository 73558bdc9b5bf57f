// ArbitrateStream over gRPC: reads messages, has each decided as one work of the sequencer, and answers them in order.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "interlock/v1/principal.pb.h"
#include "server/base/mutex.h"
#include "server/feed/stream_hub.h"
#include "server/rpc/arbitrate_batch.h"
#include "server/rpc/io_thread.h"
#include "server/rpc/raw_stream.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// Lives on its I/O thread; only Wake and End may be called from others. It ends its life when gRPC is done with it, no
// work of it is with the sequencer and no news of one is under way.
class ArbitrateStream final : public StreamReactor,
                              public HubStream,
                              public std::enable_shared_from_this<ArbitrateStream> {
 public:
  // `rooms` must outlive the stream.
  static void Start(Rooms& rooms, RawStream& raw);

  ArbitrateStream(Rooms& rooms, RawStream& raw) : rooms_(rooms), raw_(raw), io_(raw.io()) {}

  // It waits for its caller and for the engine, never for a feed.
  void Wake() override {}
  void End(const absl::Status& status) override ABSL_LOCKS_EXCLUDED(mutex_);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // A message that was read and not yet answered.
  struct Exchange {
    std::unique_ptr<ArbitrateBatch> batch;
    // Set by the engine thread once the answer is complete.
    std::atomic<bool> complete = false;
  };

  absl::Status Begin();
  absl::Status TakeMessage();
  // Nothing more is read, and the stream ends with `status` once everything read was answered.
  void EndWith(const absl::Status& status);
  // Has the I/O thread call Told soon. Thread-safe.
  void Tell();
  void Told(bool);
  // Starts whatever can be started now: a write, a read, or the end.
  void Advance();
  bool IsComplete(size_t index) const { return index < exchanges_.size() && exchanges_[index]->complete; }

  Rooms& rooms_;
  // Gone after OnDone, which is not before finished_.
  RawStream& raw_;
  IoThread& io_;
  v1::Principal caller_;
  // For the read and the write under way.
  grpc::ByteBuffer read_buffer_;
  grpc::ByteBuffer write_buffer_;
  // gRPC's hold on the stream.
  std::shared_ptr<ArbitrateStream> self_;

  // Oldest first; at most kStreamMessagesInFlightMax.
  std::deque<std::shared_ptr<Exchange>> exchanges_;
  bool reading_ = false;
  bool writing_ = false;
  // Answers can no longer be delivered.
  bool broken_ = false;
  absl::optional<absl::Status> end_;
  bool finished_ = false;

  // Whether Told is to be called; until then told_self_ keeps the stream alive.
  std::atomic<bool> telling_ = false;
  std::shared_ptr<ArbitrateStream> told_self_;
  MemberEvent<ArbitrateStream> told_event_{*this, &ArbitrateStream::Told};

  Mutex mutex_;
  // What others want it to end with.
  absl::optional<absl::Status> asked_end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace interlock::server
