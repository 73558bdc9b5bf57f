// CheckpointService over gRPC.
#pragma once

#include <memory>

#include "server/rpc/raw_service.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// `rooms` must outlive the service.
std::unique_ptr<RawService> MakeCheckpointService(Rooms& rooms);

}  // namespace interlock::server
