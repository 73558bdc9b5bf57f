// gRPC's part of the server: the port, the services, and how connections are kept within bounds.
#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/config/config.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/alert_service.h"
#include "server/rpc/lock_service.h"
#include "server/rpc/monitor_service.h"
#include "server/rpc/policy_service.h"
#include "server/rpc/rooms.h"
#include "server/rpc/safety_service.h"
#include "server/rpc/scheduler_service.h"

namespace interlock::server {

// Thread-safe.
class GrpcServer {
 public:
  // `rooms` must outlive the server.
  explicit GrpcServer(Rooms& rooms);

  // Listens and serves; to be called once. Answers the port.
  // Errors: UNAVAILABLE (LISTEN_FAILED).
  absl::StatusOr<int> Start(const Config& config) ABSL_LOCKS_EXCLUDED(mutex_);
  // What the health service answers; may be called before Start.
  void SetServing(bool serving) ABSL_LOCKS_EXCLUDED(mutex_);
  // Accepts nothing more, waits `patience` for calls under way and cancels those that are left.
  void Stop(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  MonitorServiceImpl monitor_;
  SafetyServiceImpl safety_;
  LockServiceImpl locks_;
  PolicyServiceImpl policies_;
  AlertServiceImpl alerts_;
  SchedulerServiceImpl scheduler_;
  AdminServiceImpl admin_;
  Mutex mutex_;
  bool serving_ ABSL_GUARDED_BY(mutex_) = false;
  // Set once, by Start.
  std::unique_ptr<grpc::Server> server_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace interlock::server
