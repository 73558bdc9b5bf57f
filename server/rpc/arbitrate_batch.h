// One message of ArbitrateStream on its way through the engine: its requests are decided one after the other in one
// batch.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "interlock/v1/principal.pb.h"
#include "interlock/v1/safety_service.pb.h"
#include "server/rpc/arena_message.h"
#include "server/sequencer/work.h"

namespace interlock::server {

// Thread-compatible; see Work for who calls when.
class ArbitrateBatch final : public Work {
 public:
  // `done` is called once, when the response is complete, as the last use of this object; see Admit.
  ArbitrateBatch(const v1::Principal& caller, std::function<void()> done);

  // To be filled in before Admit.
  v1::ArbitrateStreamRequest& request() { return *request_; }
  // Checks each request by itself. Answers whether any is left for the engine; if not, the response is complete and
  // `done` is not called.
  bool Admit();
  // An ArbitrateStreamResponse with one result for each request, in order; complete once `done` was called.
  const grpc::ByteBuffer& response() const { return response_bytes_; }

  size_t SizeBytes() const override { return size_bytes_; }
  void Apply(Engine& engine, absl::Time now, Effects& effects) override;
  void Release() override;
  void Fail(const absl::Status& status) override;

 private:
  void SetError(int index, const absl::Status& status);
  // Decisions have many small parts, which cost least if they go on the thread that made them.
  void EncodeResponse();

  const ArenaMessage<v1::ArbitrateStreamRequest> request_;
  const v1::Principal caller_;
  const std::function<void()> done_;
  size_t size_bytes_ = 0;
  // Which requests are in order.
  std::vector<int> valid_;
  // Without the decisions once they are encoded.
  v1::ArbitrateStreamResponse response_;
  grpc::ByteBuffer response_bytes_;
};

}  // namespace interlock::server
