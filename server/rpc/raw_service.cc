#include "server/rpc/raw_service.h"

#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/impl/rpc_service_method.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"

namespace interlock::server {
namespace {

void Hand(const UnaryMethod& unary, const StreamMethod&, RawCall& call) { unary(call); }
void Hand(const UnaryMethod&, const StreamMethod& stream, RawStream& raw) { stream(raw); }

}  // namespace

// Waits for a call, makes room for the next, and hands it to the method.
template <typename Raw>
class RawService::Acceptance final : public IoEvent {
 public:
  Acceptance(RawService& service, const Method& method, IoThread& io)
      : service_(service), method_(method), io_(io), raw_(std::make_unique<Raw>(io)) {
    service.Request(method, *raw_, *this);
  }

  void Happened(bool ok) override {
    const std::unique_ptr<Acceptance> self(this);
    // The server stops, and the call never came.
    if (!ok) return;
    service_.Accept(method_, io_);
    Hand(method_.unary, method_.stream, *raw_.release());
  }

 private:
  RawService& service_;
  const Method& method_;
  IoThread& io_;
  std::unique_ptr<Raw> raw_;
};

void RawService::AddUnary(absl::string_view method, UnaryMethod function) {
  AddMethod({absl::StrCat("/", name_, "/", method), 0, std::move(function), nullptr});
}

void RawService::AddStream(absl::string_view method, StreamMethod function) {
  AddMethod({absl::StrCat("/", name_, "/", method), 0, nullptr, std::move(function)});
}

void RawService::AddMethod(Method method) {
  using grpc::internal::RpcMethod;
  method.index = static_cast<int>(methods_.size());
  methods_.push_back(std::move(method));
  const Method& added = methods_.back();
  // A stream's first message is read like all others, whether or not the peer may send more.
  const RpcMethod::RpcType type = added.stream ? RpcMethod::BIDI_STREAMING : RpcMethod::NORMAL_RPC;
  Service::AddMethod(new grpc::internal::RpcServiceMethod(added.path.c_str(), type, nullptr));
  MarkMethodRaw(added.index);
}

void RawService::Listen(IoThread& io) {
  for (const Method& method : methods_) {
    for (int i = 0; i < kAcceptedCallsMax; ++i) Accept(method, io);
  }
}

void RawService::Accept(const Method& method, IoThread& io) {
  // Deletes itself.
  if (method.stream) {
    new Acceptance<RawStream>(*this, method, io);
  } else {
    new Acceptance<RawCall>(*this, method, io);
  }
}

void RawService::Request(const Method& method, RawCall& call, IoEvent& accepted) {
  grpc::ServerCompletionQueue& queue = call.io().queue();
  RequestAsyncUnary(method.index, &call.context(), &call.request(), &call.writer(), &queue, &queue, &accepted);
}

void RawService::Request(const Method& method, RawStream& stream, IoEvent& accepted) {
  grpc::ServerCompletionQueue& queue = stream.io().queue();
  RequestAsyncBidiStreaming(method.index, &stream.context(), &stream.stream(), &queue, &queue, &accepted);
}

}  // namespace interlock::server
