// How every unary call is answered: decode, authenticate, validate, then either go through the engine (EngineMethod) or
// read the store (ReadMethod), and finish. A service adds nothing but its names.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "core/engine/effects.h"
#include "core/engine/engine.h"
#include "core/engine/store.h"
#include "interlock/v1/principal.pb.h"
#include "server/base/limits.h"
#include "server/rpc/arena_message.h"
#include "server/rpc/authenticate.h"
#include "server/rpc/encode.h"
#include "server/rpc/history.h"
#include "server/rpc/raw_call.h"
#include "server/rpc/raw_service.h"
#include "server/rpc/rooms.h"
#include "server/sequencer/work.h"
#include "server/validate/validate.h"

namespace interlock::server {

// Reads the request of `call`; answers who calls.
template <typename Request>
absl::StatusOr<v1::Principal> Admit(RawCall& call, Request& request) {
  INTERLOCK_RETURN_IF_ERROR(Decode(call.request(), request));
  INTERLOCK_ASSIGN_OR_RETURN(v1::Principal caller, Authenticate(call.context()));
  INTERLOCK_RETURN_IF_ERROR(Validate(request));
  return caller;
}

// A call on its way through the engine: what `Body` makes of it (const Request&, Engine&, const CommandContext&,
// Effects& -> absl::StatusOr<a message>). Deletes itself when it has answered.
template <typename Request, typename Body>
class EngineCall final : public Work, public IoEvent {
 public:
  // `prepare` is run at once if the call is in order (const Request& -> absl::StatusOr<Body>).
  template <typename Prepare>
  static void Start(Rooms& rooms, RawCall& call, const Prepare& prepare) {
    auto* self = new EngineCall(call);
    absl::Status status = self->Begin(prepare);
    // The work ends its life as soon as the sequencer has it.
    if (status.ok()) status = rooms.sequencer.Submit(*self);
    if (status.ok()) return;
    self->reply_ = status;
    self->Happened(true);
  }

  size_t SizeBytes() const override { return size_bytes_; }
  void Apply(Engine& engine, absl::Time now, Effects& effects) override {
    const auto reply = (*body_)(*request_, engine, CommandContext{caller_, now}, effects);
    // Replies have many small parts, which cost least if they go on the thread that made them.
    if (reply.ok()) {
      reply_ = Encode(*reply);
    } else {
      reply_ = reply.status();
    }
  }
  void Release() override {
    if (call_.io().IsWaiting()) return Happened(true);
    // The thread does not stop before its calls are answered.
    INTERLOCK_CHECK(call_.io().Post(*this));
  }
  void Fail(const absl::Status& status) override {
    reply_ = status;
    Release();
  }
  // Answers.
  void Happened(bool) override {
    const std::unique_ptr<EngineCall> self(this);
    if (reply_.ok()) return call_.Finish(*reply_);
    call_.Finish(reply_.status());
  }

 private:
  explicit EngineCall(RawCall& call) : call_(call), size_bytes_(call.request().Length()) {}
  template <typename Prepare>
  absl::Status Begin(const Prepare& prepare) {
    INTERLOCK_ASSIGN_OR_RETURN(caller_, Admit(call_, *request_));
    INTERLOCK_ASSIGN_OR_RETURN(Body body, prepare(*request_));
    body_.emplace(std::move(body));
    return absl::OkStatus();
  }

  RawCall& call_;
  const size_t size_bytes_;
  const ArenaMessage<Request> request_;
  v1::Principal caller_;
  absl::optional<const Body> body_;
  absl::StatusOr<grpc::ByteBuffer> reply_;
};

// Answers a call by a command of the engine that `prepare` makes of its request; see EngineCall.
template <typename Request, typename Prepare>
UnaryMethod EngineMethod(Rooms& rooms, const Prepare& prepare) {
  using Body = typename decltype(prepare(std::declval<const Request&>()))::value_type;
  return [&rooms, prepare](RawCall& call) { EngineCall<Request, Body>::Start(rooms, call, prepare); };
}

// Answers a call by the engine's own command for it.
template <typename Request>
UnaryMethod EngineMethod(Rooms& rooms) {
  const auto body = [](const Request& request, Engine& engine, const CommandContext& command, Effects& effects) {
    return engine.Apply(request, command, effects);
  };
  return EngineMethod<Request>(
      rooms, [body](const Request&) { return absl::StatusOr<std::remove_const_t<decltype(body)>>(body); });
}

// Answers a call by what `body` makes of the store (const Store&, const Request& -> absl::StatusOr<a message>), on a
// thread that reads. `permit` refuses callers who may not.
template <typename Request, typename Body>
UnaryMethod ReadMethod(Rooms& rooms, const Body& body, CallerCheck permit = PermitAll) {
  return [&rooms, body, permit](RawCall& call) {
    const auto request = std::make_shared<Request>();
    const auto caller = Admit(call, *request);
    if (!caller.ok()) return call.Finish(caller.status());
    if (const absl::Status status = permit(*caller); !status.ok()) return call.Finish(status);
    const auto read = [&rooms, &call, body, request] {
      const std::shared_ptr<const Store> store = rooms.sequencer.store();
      if (store == nullptr) {
        return call.Finish(
            MakeError(absl::StatusCode::kUnavailable, "NOT_SERVING", "the store is being opened; repeat the call"));
      }
      const auto reply = body(*store, *request);
      if (reply.ok()) return call.Finish(*reply);
      call.Finish(reply.status());
    };
    if (rooms.readers.Post(read)) return;
    call.Finish(
        MakeOverloadError("READS_FULL", "too many reads wait; repeat the call after the delay", kOverloadRetryDelay));
  };
}

// Answers a call by reading what it names.
template <typename Request>
UnaryMethod ReadMethod(Rooms& rooms) {
  return ReadMethod<Request>(rooms, [](const Store& store, const Request& request) { return Read(store, request); });
}

}  // namespace interlock::server
