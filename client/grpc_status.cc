#include "client/grpc_status.h"

#include "client/error.h"

namespace interlock::client {

absl::Status FromGrpc(const grpc::Status& status) {
  return StatusFromWire(status.error_code(), status.error_message(), status.error_details());
}

}  // namespace interlock::client
