// The least that a gRPC server can do: it answers empty calls and sends messages back. It is built and set up as
// interlockd is, so that what Interlock adds to gRPC can be told from what gRPC costs.

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <signal.h>

#include <iostream>
#include <memory>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "server/base/mutex.h"
#include "server/main/grpc_settings.h"
#include "tests/bench/echo.grpc.pb.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:0", "Where to serve: ADDRESS:PORT; port 0 takes any that is free.");
ABSL_FLAG(std::string, data_dir, "", "Taken because interlockd takes it; nothing is stored.");

namespace interlock::bench {
namespace {

using server::MutexLock;

// Reads the next message while the one before is on its way back, as a stream at its best does.
class EchoStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  EchoStream() { StartRead(&incoming_); }

  void OnReadDone(bool ok) override {
    {
      MutexLock lock(mutex_);
      if (ok && writing_) {
        waits_ = true;
        return;
      }
      ended_ = !ok;
      if (!ok && writing_) return;
      writing_ = ok;
    }
    ok ? SendBack() : Finish(grpc::Status::OK);
  }

  void OnWriteDone(bool ok) override {
    bool send = false;
    {
      MutexLock lock(mutex_);
      send = ok && waits_;
      // Without a message that waits, either the stream has ended or a read is under way, which will end it.
      const bool finish = ended_ || (!ok && waits_);
      waits_ = false;
      writing_ = send;
      if (!send && !finish) return;
    }
    send ? SendBack() : Finish(grpc::Status::OK);
  }

  void OnDone() override { delete this; }

 private:
  void SendBack() {
    outgoing_.Swap(&incoming_);
    StartWrite(&outgoing_);
    StartRead(&incoming_);
  }

  // Each belongs to the read or the write that is under way.
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;

  server::Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  // A message was read that cannot be sent back yet.
  bool waits_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

using RawEchoService =
    EchoService::WithCallbackMethod_Call<EchoService::WithRawCallbackMethod_Stream<EchoService::Service>>;

class EchoServiceImpl final : public RawEchoService {
 public:
  grpc::ServerUnaryReactor* Call(grpc::CallbackServerContext* context, const Nothing*, Nothing*) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Stream(grpc::CallbackServerContext*) override {
    return new EchoStream;
  }
};

int Run() {
  // Blocked before any thread starts, so that only sigwait below gets it.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  EchoServiceImpl service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(absl::GetFlag(FLAGS_listen), grpc::InsecureServerCredentials(), &port);
  server::SetUpGrpc(builder);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> grpc_server = builder.BuildAndStart();
  if (grpc_server == nullptr || port <= 0) {
    std::cerr << "echo_server: cannot listen on " << absl::GetFlag(FLAGS_listen) << std::endl;
    return 1;
  }
  std::cout << "echo_server listening on 127.0.0.1:" << port << std::endl;
  int received = 0;
  sigwait(&stop_signals, &received);
  grpc_server->Shutdown();
  return 0;
}

}  // namespace
}  // namespace interlock::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return interlock::bench::Run();
}
