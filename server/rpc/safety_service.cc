#include "server/rpc/safety_service.h"

#include "interlock/v1/safety_service.pb.h"
#include "server/rpc/arbitrate_stream.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {

std::unique_ptr<RawService> MakeSafetyService(Rooms& rooms) {
  auto service = std::make_unique<RawService>("interlock.v1.SafetyService");
  service->AddUnary("Arbitrate", EngineMethod<v1::ArbitrateRequest>(rooms));
  service->AddStream("ArbitrateStream", [&rooms](RawStream& stream) { ArbitrateStream::Start(rooms, stream); });
  service->AddUnary("ExplainAction", EngineMethod<v1::ExplainActionRequest>(rooms));
  service->AddUnary("ReportActionOutcome", EngineMethod<v1::ReportActionOutcomeRequest>(rooms));
  service->AddUnary("ListDecisions", ReadMethod<v1::ListDecisionsRequest>(rooms));
  return service;
}

}  // namespace interlock::server
