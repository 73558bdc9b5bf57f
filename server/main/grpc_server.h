// gRPC's part of the server: the port, the services, and the threads that move their bytes.
#pragma once

#include <grpcpp/server.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/config/config.h"
#include "server/rpc/health_service.h"
#include "server/rpc/io_thread.h"
#include "server/rpc/raw_service.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// SetServing is thread-safe, all else thread-compatible.
class GrpcServer {
 public:
  // `rooms` must outlive the server.
  explicit GrpcServer(Rooms& rooms);
  ~GrpcServer();

  // Listens and serves; to be called once. Answers the port.
  // Errors: UNAVAILABLE (LISTEN_FAILED).
  absl::StatusOr<int> Start(const Config& config);
  // What the health service answers; may be called before Start.
  void SetServing(bool serving);
  // Accepts nothing more, waits `patience` for calls under way and cancels those that are left. The engine must run,
  // so that they are answered.
  void Stop(absl::Duration patience);

 private:
  Rooms& rooms_;
  ServingState serving_;
  std::vector<std::unique_ptr<RawService>> services_;
  std::deque<IoThread> io_threads_;
  // Set once, by Start.
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace interlock::server
