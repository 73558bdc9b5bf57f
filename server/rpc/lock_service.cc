#include "server/rpc/lock_service.h"

#include "absl/status/statusor.h"
#include "interlock/v1/lock_service.pb.h"
#include "server/feed/lock_stream.h"
#include "server/rpc/stream_call.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {

std::unique_ptr<RawService> MakeLockService(Rooms& rooms) {
  auto service = std::make_unique<RawService>("interlock.v1.LockService");
  service->AddUnary("EngageLock", EngineMethod<v1::EngageLockRequest>(rooms));
  service->AddUnary("AcknowledgeLock", EngineMethod<v1::AcknowledgeLockRequest>(rooms));
  service->AddUnary("ReleaseLock", EngineMethod<v1::ReleaseLockRequest>(rooms));
  service->AddUnary("GetLock", ReadMethod<v1::GetLockRequest>(rooms));
  service->AddUnary("ListLocks", ReadMethod<v1::ListLocksRequest>(rooms));
  service->AddStream(
      "WatchLocks",
      FeedMethod<v1::WatchLocksRequest>(
          rooms, [&rooms](const v1::WatchLocksRequest& watch) -> absl::StatusOr<std::unique_ptr<FeedStream>> {
            return std::make_unique<LockStream>(watch, rooms.locks);
          }));
  return service;
}

}  // namespace interlock::server
