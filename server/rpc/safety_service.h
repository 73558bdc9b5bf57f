// SafetyService over gRPC.
#pragma once

#include "interlock/v1/safety_service.grpc.pb.h"
#include "server/rpc/rooms.h"

namespace interlock::server {

// The service with ArbitrateStream in bytes; see ArbitrateStream.
using RawSafetyService = v1::SafetyService::WithCallbackMethod_Arbitrate<
    v1::SafetyService::WithCallbackMethod_ExplainAction<v1::SafetyService::WithCallbackMethod_ListDecisions<
        v1::SafetyService::WithRawCallbackMethod_ArbitrateStream<v1::SafetyService::Service>>>>;

// Thread-safe. `rooms` must outlive the service.
class SafetyServiceImpl final : public RawSafetyService {
 public:
  explicit SafetyServiceImpl(Rooms& rooms) : rooms_(rooms) {}

  grpc::ServerUnaryReactor* Arbitrate(grpc::CallbackServerContext* context, const v1::ArbitrateRequest* request,
                                      v1::Decision* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ArbitrateStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* ExplainAction(grpc::CallbackServerContext* context, const v1::ExplainActionRequest* request,
                                          v1::Decision* response) override;
  grpc::ServerUnaryReactor* ListDecisions(grpc::CallbackServerContext* context, const v1::ListDecisionsRequest* request,
                                          v1::ListDecisionsResponse* response) override;

 private:
  Rooms& rooms_;
};

}  // namespace interlock::server
