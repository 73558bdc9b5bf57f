#include "server/feed/stream_hub.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace interlock::server {
namespace {

absl::Status Stopping() {
  return MakeError(absl::StatusCode::kUnavailable, "SERVER_STOPPING",
                   "the server is stopping; open the stream again, from the last position received");
}

}  // namespace

absl::Status StreamHub::Join(std::shared_ptr<HubStream> stream) {
  MutexLock lock(mutex_);
  if (ending_) return Stopping();
  if (streams_.size() >= streams_max_) {
    return MakeOverloadError("TOO_MANY_STREAMS",
                             "the server has as many open streams as it takes; close one, or repeat the call later",
                             absl::Seconds(1));
  }
  streams_.emplace(std::move(stream), absl::nullopt);
  return absl::OkStatus();
}

void StreamHub::Leave(const std::shared_ptr<HubStream>& stream) {
  MutexLock lock(mutex_);
  streams_.erase(stream);
}

void StreamHub::Notify() {
  MutexLock lock(mutex_);
  ++notifications_;
  changed_.NotifyOne();
}

uint64_t StreamHub::notifications() const {
  MutexLock lock(mutex_);
  return notifications_;
}

bool StreamHub::Park(const std::shared_ptr<HubStream>& stream, uint64_t seen, absl::Time wake_time) {
  MutexLock lock(mutex_);
  if (seen != notifications_) return false;
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return true;
  found->second = wake_time;
  if (wake_time < next_wake_time_) {
    next_wake_time_ = wake_time;
    changed_.NotifyOne();
  }
  return true;
}

void StreamHub::WakeDue() {
  const absl::Time now = clock_.TimeNow();
  std::vector<std::shared_ptr<HubStream>> due;
  {
    MutexLock lock(mutex_);
    const bool all = woken_for_ != notifications_;
    woken_for_ = notifications_;
    next_wake_time_ = absl::InfiniteFuture();
    for (auto& [stream, wake_time] : streams_) {
      if (!wake_time.has_value()) continue;
      if (all || *wake_time <= now) {
        due.push_back(stream);
        wake_time.reset();
      } else {
        next_wake_time_ = std::min(next_wake_time_, *wake_time);
      }
    }
  }
  for (const std::shared_ptr<HubStream>& stream : due) stream->Wake();
}

void StreamHub::Run() {
  for (;;) {
    WakeDue();
    MutexLock lock(mutex_);
    while (!stopping_ && woken_for_ == notifications_) {
      const absl::Duration wait = next_wake_time_ - clock_.TimeNow();
      if (wait <= absl::ZeroDuration()) break;
      changed_.WaitFor(mutex_, std::min(wait, kTimerWaitMax));
    }
    if (stopping_) return;
  }
}

void StreamHub::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  changed_.NotifyOne();
}

void StreamHub::EndAll() {
  std::vector<std::shared_ptr<HubStream>> streams;
  {
    MutexLock lock(mutex_);
    ending_ = true;
    for (const auto& [stream, wake_time] : streams_) streams.push_back(stream);
  }
  for (const std::shared_ptr<HubStream>& stream : streams) stream->End(Stopping());
}

}  // namespace interlock::server
