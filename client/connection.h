// The gRPC side of a client: one channel with its stubs. Used inside the library only.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/grpc_status.h"
#include "client/options.h"
#include "client/retry.h"

namespace interlock::client {

// The time at which a wait of `timeout` from now ends, as gRPC wants it.
std::chrono::system_clock::time_point GrpcDeadline(absl::Duration timeout);

// Thread-safe.
class Connection {
 public:
  explicit Connection(ClientOptions options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const ClientOptions& options() const { return options_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // Adds who calls. Every call goes through here.
  void Identify(grpc::ClientContext& context) const;

  // Makes `attempt` until it succeeds, as CallWithRetry does. gRPC connects only while somebody waits for it, so before
  // each further attempt the connection is waited for, shortly.
  absl::Status Retry(absl::Duration deadline, const std::function<absl::Status(absl::Duration)>& attempt) const;

  // Makes a unary call with its retries. A request that has a request_id gets one if it is empty,
  // so that a repeat is the same call to the server.
  template <typename Stub, typename Request, typename Reply>
  absl::StatusOr<Reply> Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
                             Request request, absl::Duration deadline) const {
    if constexpr (requires { request.set_request_id(""); }) {
      if (request.request_id().empty()) {
        request.set_request_id(NewRequestId(options_.environment));
      }
    }
    Reply reply;
    const auto attempt = [&](absl::Duration left) {
      grpc::ClientContext context;
      Identify(context);
      context.set_deadline(GrpcDeadline(left));
      reply.Clear();
      return FromGrpc((stub.*method)(&context, request, &reply));
    };
    absl::Status status = Retry(deadline, attempt);
    if (!status.ok()) return status;
    return reply;
  }

 private:
  const ClientOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace interlock::client
