// A gRPC service whose methods are functions of bytes; which thread they run on and how messages are read is not gRPC's
// to say. Reflection knows it by its name.
#pragma once

#include <grpcpp/impl/service_type.h>

#include <deque>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "server/rpc/io_thread.h"
#include "server/rpc/raw_call.h"
#include "server/rpc/raw_stream.h"

namespace interlock::server {

// Called on an I/O thread, which they must not keep waiting. The call is answered by RawCall::Finish.
using UnaryMethod = std::function<void(RawCall& call)>;
// The stream's reactor must be set before it returns, and ends the stream by RawStream::Finish.
using StreamMethod = std::function<void(RawStream& stream)>;

// Thread-compatible: methods are added, then the service is registered with a server, then it listens.
class RawService final : public grpc::Service {
 public:
  // `name` with its package, for example "interlock.v1.LockService".
  explicit RawService(absl::string_view name) : name_(name) {}

  void AddUnary(absl::string_view method, UnaryMethod function);
  // Also for methods that stream in one direction only.
  void AddStream(absl::string_view method, StreamMethod function);

  // Accepts calls on `io`, which must not have been started yet. REQUIRES: the server was started.
  void Listen(IoThread& io);

 private:
  struct Method {
    // What gRPC knows it by; its index there.
    std::string path;
    int index;
    // One of them.
    UnaryMethod unary;
    StreamMethod stream;
  };
  template <typename Raw>
  class Acceptance;

  void AddMethod(Method method);
  // Makes room for one more call.
  void Accept(const Method& method, IoThread& io);
  void Request(const Method& method, RawCall& call, IoEvent& accepted);
  void Request(const Method& method, RawStream& stream, IoEvent& accepted);

  const std::string name_;
  // gRPC holds on to the paths.
  std::deque<Method> methods_;
};

}  // namespace interlock::server
