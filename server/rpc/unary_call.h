// How every unary call is answered: authenticate, validate, then either go through the engine (EngineCall) or read the
// store (ReadCall), and finish. A service's method adds nothing but its names.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "core/engine/effects.h"
#include "core/engine/engine.h"
#include "core/engine/store.h"
#include "interlock/v1/principal.pb.h"
#include "server/base/grpc_status.h"
#include "server/base/limits.h"
#include "server/rpc/authenticate.h"
#include "server/rpc/history.h"
#include "server/rpc/rooms.h"
#include "server/sequencer/work.h"
#include "server/validate/validate.h"

namespace interlock::server {

// A call that ends at once with `status`.
inline grpc::ServerUnaryReactor* FinishedCall(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

// A call on its way through the engine. Deletes itself when gRPC is done with it.
template <typename Response>
class EngineCall final : public grpc::ServerUnaryReactor, public Work {
 public:
  using Body = std::function<absl::StatusOr<Response>(Engine&, const CommandContext&, Effects&)>;

  EngineCall(v1::Principal caller, size_t size_bytes, Response* response, Body body)
      : caller_(std::move(caller)), size_bytes_(size_bytes), response_(response), body_(std::move(body)) {}

  size_t SizeBytes() const override { return size_bytes_; }
  void Apply(Engine& engine, absl::Time now, Effects& effects) override {
    absl::StatusOr<Response> reply = body_(engine, {caller_, now}, effects);
    status_ = reply.status();
    if (reply.ok()) *response_ = *std::move(reply);
  }
  void Release() override { Finish(ToGrpcStatus(status_)); }
  void Fail(const absl::Status& status) override { Finish(ToGrpcStatus(status)); }

  void OnDone() override { delete this; }

 private:
  const v1::Principal caller_;
  const size_t size_bytes_;
  Response* const response_;
  const Body body_;
  absl::Status status_;
};

// Answers a call by what `prepare` makes of it: run at once if the call is in order, it answers what to do on the
// engine thread, or why not.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* StartEngineCall(
    Rooms& rooms, grpc::CallbackServerContext* context, const Request* request, Response* response,
    const std::function<absl::StatusOr<typename EngineCall<Response>::Body>(const v1::Principal& caller)>& prepare) {
  absl::StatusOr<v1::Principal> caller = Authenticate(*context);
  if (!caller.ok()) return FinishedCall(context, caller.status());
  if (const absl::Status status = Validate(*request); !status.ok()) return FinishedCall(context, status);
  auto body = prepare(*caller);
  if (!body.ok()) return FinishedCall(context, body.status());
  auto* call = new EngineCall<Response>(*std::move(caller), request->ByteSizeLong(), response, *std::move(body));
  if (const absl::Status status = rooms.sequencer.Submit(*call); !status.ok()) call->Finish(ToGrpcStatus(status));
  return call;
}

// Answers a call by the engine's own command for it.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* StartEngineCall(Rooms& rooms, grpc::CallbackServerContext* context, const Request* request,
                                          Response* response) {
  using Body = typename EngineCall<Response>::Body;
  return StartEngineCall<Request, Response>(
      rooms, context, request, response, [request](const v1::Principal&) -> absl::StatusOr<Body> {
        return [request](Engine& engine, const CommandContext& command, Effects& effects) {
          return engine.Apply(*request, command, effects);
        };
      });
}

// Answers a call by what `body` makes of the store (const Store& -> absl::StatusOr<Response>), on a thread that reads.
template <typename Request, typename Response, typename Body>
grpc::ServerUnaryReactor* StartReadCall(Rooms& rooms, grpc::CallbackServerContext* context, const Request* request,
                                        Response* response, Body body) {
  const absl::StatusOr<v1::Principal> caller = Authenticate(*context);
  if (!caller.ok()) return FinishedCall(context, caller.status());
  if (const absl::Status status = Validate(*request); !status.ok()) return FinishedCall(context, status);
  const auto read = [&rooms, response, body]() -> absl::Status {
    const std::shared_ptr<const Store> store = rooms.sequencer.store();
    if (store == nullptr) {
      return MakeError(absl::StatusCode::kUnavailable, "NOT_SERVING", "the store is being opened; repeat the call");
    }
    INTERLOCK_ASSIGN_OR_RETURN(*response, body(*store));
    return absl::OkStatus();
  };
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (!rooms.readers.Post([reactor, read] { reactor->Finish(ToGrpcStatus(read())); })) {
    reactor->Finish(ToGrpcStatus(
        MakeOverloadError("READS_FULL", "too many reads wait; repeat the call after the delay", kOverloadRetryDelay)));
  }
  return reactor;
}

// Answers a call by reading what it names.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* StartReadCall(Rooms& rooms, grpc::CallbackServerContext* context, const Request* request,
                                        Response* response) {
  return StartReadCall(rooms, context, request, response,
                       [request](const Store& store) { return Read(store, *request); });
}

}  // namespace interlock::server
