// A server stream that starts again by itself. Used inside the library only.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/connection.h"
#include "client/retry.h"
#include "client/stream_reader.h"

namespace interlock::client {

struct ResumingStreamOptions {
  // A stream that sends nothing for so long is taken for dead.
  absl::Duration silence_max = absl::InfiniteDuration();
  // Told why, each time before a stream is started again. Called from the thread that calls Next.
  std::function<void(const absl::Status&)> on_interrupted;
};

// Starts a stream again after UNAVAILABLE, its plain end, RESOURCE_EXHAUSTED with a delay, or
// silence, with backoff and for as long as it takes. Every other status ends it for good. One
// thread may call Next; Cancel may come from any other.
template <typename Response>
class ResumingStream {
 public:
  // Called for each start, so that it can ask for what follows the last message.
  using Start = typename StreamReader<Response>::Start;

  ResumingStream(std::shared_ptr<const Connection> connection, ResumingStreamOptions options, Start start)
      : connection_(std::move(connection)),
        options_(std::move(options)),
        start_(std::move(start)),
        backoff_(connection_->options().retry, connection_->options().environment) {}

  // The next message. DEADLINE_EXCEEDED: none came within `timeout`, but the stream goes on.
  // CANCELLED: it was cancelled. Any other error is the end of the stream and is returned again.
  absl::StatusOr<Response> Next(absl::Duration timeout) {
    const absl::Time deadline = absl::Now() + timeout;
    while (end_.ok()) {
      if (!Open(deadline)) break;
      Response message;
      absl::Status status;
      switch (reader_->Next(std::min(deadline, silent_at_) - absl::Now(), &message, &status)) {
        case StreamEvent::kMessage:
          backoff_.Reset();
          silent_at_ = absl::Now() + options_.silence_max;
          return message;
        case StreamEvent::kTimeout:
          if (absl::Now() < silent_at_) return TimedOut(timeout);
          Interrupt(absl::UnavailableError(
              absl::StrCat("the stream sent nothing for ", absl::FormatDuration(options_.silence_max))));
          break;
        case StreamEvent::kEnd:
          if (status.ok()) status = absl::UnavailableError("the server ended the stream");
          Interrupt(status);
          break;
      }
    }
    return end_.ok() ? TimedOut(timeout) : end_;
  }

  // Makes Next return CANCELLED, now and from now on.
  void Cancel() {
    const std::lock_guard<std::mutex> lock(mutex_);
    cancelled_ = true;
    if (reader_ != nullptr) reader_->Cancel();
    changed_.notify_all();
  }

 private:
  static absl::Status TimedOut(absl::Duration timeout) {
    return absl::DeadlineExceededError(absl::StrCat("no message within ", absl::FormatDuration(timeout)));
  }

  // Makes sure that there is a stream. False: cancelled, or `deadline` comes before the backoff
  // ends.
  bool Open(absl::Time deadline) {
    std::unique_lock<std::mutex> lock(mutex_);
    const absl::Time until = std::min(deadline, open_at_);
    if (reader_ == nullptr) {
      const absl::Duration wait = std::max(until - absl::Now(), absl::ZeroDuration());
      changed_.wait_for(lock, absl::ToChronoNanoseconds(wait), [this] { return cancelled_; });
    }
    if (cancelled_) end_ = absl::CancelledError("cancelled by the caller");
    if (cancelled_ || (reader_ == nullptr && open_at_ > deadline)) return false;
    if (reader_ == nullptr) {
      reader_ = std::make_unique<StreamReader<Response>>(*connection_, start_);
      silent_at_ = absl::Now() + options_.silence_max;
    }
    return true;
  }

  // Takes leave of a stream that ended with `status`.
  void Interrupt(absl::Status status) {
    std::unique_ptr<StreamReader<Response>> ended;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ended = std::move(reader_);
      if (cancelled_) status = absl::CancelledError("cancelled by the caller");
    }
    if (!IsRetryable(status)) {
      end_ = std::move(status);
      return;
    }
    open_at_ = absl::Now() + backoff_.Next(status);
    if (options_.on_interrupted) options_.on_interrupted(status);
  }

  const std::shared_ptr<const Connection> connection_;
  const ResumingStreamOptions options_;
  const Start start_;
  // Used by the thread that calls Next.
  Backoff backoff_;
  absl::Time open_at_ = absl::InfinitePast();
  absl::Time silent_at_ = absl::InfiniteFuture();
  absl::Status end_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_; reader_ is only changed by the thread that calls Next.
  std::unique_ptr<StreamReader<Response>> reader_;
  bool cancelled_ = false;
};

}  // namespace interlock::client
