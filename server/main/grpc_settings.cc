#include "server/main/grpc_settings.h"

#include <grpcpp/resource_quota.h>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/base/limits.h"

namespace interlock::server {

void SetUpGrpc(grpc::ServerBuilder& builder) {
  // Debian builds Abseil so that it looks for deadlocks whenever one of gRPC's locks is taken, in a graph that all
  // threads share.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  builder.SetMaxReceiveMessageSize(static_cast<int>(kMessageBytesMax));
  // Two servers on one port would each get some of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kCallsPerConnectionMax);
  // A peer that is gone without a word is noticed within these times; one that asks more often than that is refused.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(absl::ToInt64Milliseconds(kKeepaliveTime)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(kKeepaliveTimeout)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(kClientPingIntervalMin)));
  grpc::ResourceQuota quota("interlockd");
  quota.Resize(kGrpcBytesMax);
  quota.SetMaxThreads(kGrpcThreadsMax);
  builder.SetResourceQuota(quota);
}

}  // namespace interlock::server
