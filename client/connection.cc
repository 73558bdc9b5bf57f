#include "client/connection.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace interlock::client {
namespace {

// A page of whole policies is the largest reply; gRPC's own 4 MiB would refuse it.
constexpr int kReplyBytesMax = 64 << 20;
// A dead connection under a stream that is silent by nature is noticed after the sum of both. Not
// more often than the server accepts, which takes pings that come faster for an attack.
constexpr absl::Duration kKeepaliveInterval = absl::Seconds(10);
constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(5);
// gRPC would wait up to two minutes before it tries to connect again, and fail every call until
// then; the calls have a backoff of their own.
constexpr absl::Duration kReconnectMin = absl::Milliseconds(100);
constexpr absl::Duration kReconnectMax = absl::Seconds(1);
constexpr absl::Duration kConnectTimeout = absl::Seconds(5);
// How long a further attempt waits for a connection before it is made all the same.
constexpr absl::Duration kConnectPatience = absl::Milliseconds(100);

int Milliseconds(absl::Duration duration) { return static_cast<int>(absl::ToInt64Milliseconds(duration)); }

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kReplyBytesMax);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(kKeepaliveInterval));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(kKeepaliveTimeout));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, Milliseconds(kReconnectMin));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, Milliseconds(kReconnectMax));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, Milliseconds(kConnectTimeout));
  // A proxy of the environment is for web pages; it would also swallow calls to this machine.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Each client has its own connection, so that several of them add up to more throughput.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

std::chrono::system_clock::time_point GrpcDeadline(absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return std::chrono::system_clock::time_point::max();
  return absl::ToChronoTime(absl::Now() + timeout);
}

Connection::Connection(ClientOptions options) : options_(std::move(options)), channel_(MakeChannel(options_.address)) {}

void Connection::Identify(grpc::ClientContext& context) const {
  if (!options_.token.empty()) {
    context.AddMetadata("authorization", absl::StrCat("Bearer ", options_.token));
  }
  if (!options_.principal.empty()) context.AddMetadata("interlock-principal", options_.principal);
}

absl::Status Connection::Retry(absl::Duration deadline,
                               const std::function<absl::Status(absl::Duration)>& attempt) const {
  bool first = true;
  return CallWithRetry(options_.retry, options_.environment, deadline, [&](absl::Duration left) {
    if (!std::exchange(first, false)) {
      const absl::Time begin = absl::Now();
      channel_->WaitForConnected(GrpcDeadline(std::min(left / 2, kConnectPatience)));
      left -= absl::Now() - begin;
    }
    return attempt(left);
  });
}

}  // namespace interlock::client
