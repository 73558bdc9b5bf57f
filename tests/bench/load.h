// Closed-loop load: a number of calls is always in flight, and each that ends makes room for the next. One thread makes
// them all, so that the client leaves as much of the machine to the server as it can.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/bench/latencies.h"

namespace interlock::bench {

// What is asked and what must come back. Used by one thread.
class Traffic {
 public:
  virtual ~Traffic() = default;

  // "/package.Service/Method".
  virtual std::string Method() const = 0;
  // The next message to send; all differ as much as the traffic wants them to.
  virtual grpc::ByteBuffer NextRequest() = 0;
  // What is wrong with a reply; empty: nothing.
  virtual std::string CheckReply(grpc::ByteBuffer& reply) = 0;
};

struct Load {
  // Each with a connection of its own; calls or streams take them in turn.
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  // Unary calls in flight; of streams, the messages in flight of each.
  int in_flight = 1;
  // Of a bidirectional method, how many streams; 0: the method is unary.
  int streams = 0;
  // How long calls are begun; those in flight then are waited for.
  absl::Duration duration = absl::Seconds(1);
};

struct LoadResult {
  // Replies that were as expected, also those after the end of the duration.
  int64_t good_replies = 0;
  // Replies within the duration, for each second of it.
  double replies_per_second = 0;
  // Of the replies within the duration.
  Latencies latencies;
  // What was wrong first; empty: every call was answered as expected.
  std::string fault;
};

// Not thread-safe with regard to `traffic`.
LoadResult RunLoad(const Load& load, Traffic& traffic);

// `count` connections to `address` that share nothing.
std::vector<std::shared_ptr<grpc::Channel>> NewChannels(const std::string& address, int count);

}  // namespace interlock::bench
