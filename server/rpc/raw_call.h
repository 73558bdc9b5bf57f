// One unary call in bytes: what came, and the answer.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_unary_call.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "google/protobuf/message_lite.h"
#include "server/rpc/io_thread.h"

namespace interlock::server {

// Begins with the call that is accepted into it and deletes itself once the answer was sent: after Finish it must not
// be used any more.
class RawCall {
 public:
  explicit RawCall(IoThread& io) : io_(io), writer_(&context_), finished_event_(*this, &RawCall::Finished) {}
  RawCall(const RawCall&) = delete;
  RawCall& operator=(const RawCall&) = delete;

  IoThread& io() { return io_; }
  // What gRPC fills in when the call comes.
  grpc::ServerContext& context() { return context_; }
  grpc::ByteBuffer& request() { return request_; }
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>& writer() { return writer_; }

  // Answers the call, once; any thread may.
  void Finish(const google::protobuf::MessageLite& reply);
  // The reply in bytes.
  void Finish(const grpc::ByteBuffer& reply);
  // REQUIRES: `status` is an error.
  void Finish(const absl::Status& status);

 private:
  void Finished(bool) { delete this; }

  IoThread& io_;
  const IoThread::Hold hold_{io_};
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> writer_;
  MemberEvent<RawCall> finished_event_;
};

}  // namespace interlock::server
