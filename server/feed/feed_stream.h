// What a stream of a feed does, without gRPC: the reactor asks it for the next message whenever the
// last one was taken.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/feed/stream_message.h"

namespace interlock::server {

// What a stream can do at the moment.
struct StreamStep {
  enum class Kind {
    // Send `message`.
    kMessage,
    // Nothing until the feed tells of more, or until WakeTime.
    kIdle,
    // What comes next is no longer in memory: call ReadOn where reading the store delays nobody.
    kBehind,
    // All was sent: the stream ends with OK. Only Next answers it.
    kEnd,
  };
  Kind kind = Kind::kIdle;
  StreamMessage message;
};

// Not thread-safe: one thread at a time calls it. An error ends the stream with that status.
class FeedStream {
 public:
  virtual ~FeedStream() = default;

  // Looks into memory only, so that it never waits.
  virtual absl::StatusOr<StreamStep> Next(absl::Time now) = 0;
  // Reads a bounded piece of the store. May answer kBehind again: then it got on, but has nothing
  // to send yet.
  virtual absl::StatusOr<StreamStep> ReadOn(absl::Time now) = 0;
  // When an idle stream has something to say even if the feed tells of nothing; InfiniteFuture:
  // never.
  virtual absl::Time WakeTime() const = 0;
};

}  // namespace interlock::server
