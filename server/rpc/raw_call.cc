#include "server/rpc/raw_call.h"

#include "core/base/check.h"
#include "server/base/grpc_status.h"
#include "server/rpc/encode.h"

namespace interlock::server {

void RawCall::Finish(const google::protobuf::MessageLite& reply) { Finish(Encode(reply)); }

void RawCall::Finish(const grpc::ByteBuffer& reply) { writer_.Finish(reply, grpc::Status::OK, &finished_event_); }

void RawCall::Finish(const absl::Status& status) {
  INTERLOCK_CHECK(!status.ok());
  writer_.FinishWithError(ToGrpcStatus(status), &finished_event_);
}

}  // namespace interlock::server
