// gRPC's health checking protocol. gRPC's own service answers by the callback API, whose threads would wait for every
// connection beside the I/O threads and halve what those can do.
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/rpc/raw_service.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// Whether the server decides at the moment. Thread-safe.
class ServingState {
 public:
  void Set(bool serving) ABSL_LOCKS_EXCLUDED(mutex_);
  bool serving() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable Mutex mutex_;
  bool serving_ ABSL_GUARDED_BY(mutex_) = false;
};

// grpc.health.v1.Health for the server as a whole, which has no name; other services are not known to it. After `state`
// was changed, the hub must be notified. `rooms` and `state` must outlive the service.
std::unique_ptr<RawService> MakeHealthService(Rooms& rooms, const ServingState& state);

}  // namespace interlock::server
