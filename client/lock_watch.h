// Watches locks for as long as it takes.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/client.h"
#include "interlock/v1/lock_service.pb.h"

namespace interlock::client {

// First the locks that are not clear, then each change. It resumes by itself as AlertSubscription
// does, with the changes that were missed meanwhile or, if the server does not hold them any more,
// with another snapshot: after snapshot_begin what was known before is void. Each new stream says
// snapshot_end once all is known again. One thread may call Next; Cancel may come from any other.
class LockWatch {
 public:
  LockWatch(const Client& client, v1::WatchLocksRequest request,
            std::function<void(const absl::Status&)> on_interrupted = nullptr);
  ~LockWatch();
  LockWatch(const LockWatch&) = delete;
  LockWatch& operator=(const LockWatch&) = delete;

  // The next message.
  // Errors: DEADLINE_EXCEEDED (none came within `timeout`; the watch goes on), CANCELLED, or what
  // the server ended it with.
  absl::StatusOr<v1::WatchLocksResponse> Next(absl::Duration timeout = absl::InfiniteDuration());

  // Ends it, soon and for good.
  void Cancel();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace interlock::client
