#include "server/rpc/health_service.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "core/base/error.h"
#include "core/base/serialize.h"
#include "grpc/health/v1/health.pb.h"
#include "server/feed/feed_stream.h"
#include "server/rpc/encode.h"
#include "server/rpc/feed_reactor.h"

namespace interlock::server {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

HealthCheckResponse Answer(bool serving) {
  HealthCheckResponse answer;
  answer.set_status(serving ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING);
  return answer;
}

void Check(const ServingState& state, RawCall& call) {
  HealthCheckRequest request;
  if (const absl::Status status = Decode(call.request(), request); !status.ok()) return call.Finish(status);
  if (request.service().empty()) return call.Finish(Answer(state.serving()));
  call.Finish(MakeError(absl::StatusCode::kNotFound, "SERVICE_UNKNOWN",
                        "only the server as a whole has a state; leave the service empty"));
}

// Sends the state now and at each change. The protocol wants a service that is not known to stay so, not an error.
class HealthStream final : public FeedStream {
 public:
  HealthStream(const ServingState& state, bool known) : state_(state), known_(known) {}

  absl::StatusOr<StreamStep> Next(absl::Time) override {
    HealthCheckResponse answer = Answer(state_.serving());
    if (!known_) answer.set_status(HealthCheckResponse::SERVICE_UNKNOWN);
    if (sent_ == answer.status()) return StreamStep{};
    sent_ = answer.status();
    return StreamStep{StreamStep::Kind::kMessage, {Serialize(answer), {}}};
  }
  absl::StatusOr<StreamStep> ReadOn(absl::Time now) override { return Next(now); }
  absl::Time WakeTime() const override { return absl::InfiniteFuture(); }

 private:
  const ServingState& state_;
  const bool known_;
  absl::optional<HealthCheckResponse::ServingStatus> sent_;
};

absl::StatusOr<std::unique_ptr<FeedStream>> Watch(const ServingState& state, const grpc::ByteBuffer& bytes) {
  HealthCheckRequest request;
  if (const absl::Status status = Decode(bytes, request); !status.ok()) return status;
  return std::make_unique<HealthStream>(state, request.service().empty());
}

}  // namespace

void ServingState::Set(bool serving) {
  MutexLock lock(mutex_);
  serving_ = serving;
}

bool ServingState::serving() const {
  MutexLock lock(mutex_);
  return serving_;
}

std::unique_ptr<RawService> MakeHealthService(Rooms& rooms, const ServingState& state) {
  auto service = std::make_unique<RawService>("grpc.health.v1.Health");
  service->AddUnary("Check", [&state](RawCall& call) { Check(state, call); });
  service->AddStream("Watch", [&rooms, &state](RawStream& raw) {
    FeedReactor::Start(rooms, raw, [&state](const grpc::ByteBuffer& bytes) { return Watch(state, bytes); });
  });
  return service;
}

}  // namespace interlock::server
