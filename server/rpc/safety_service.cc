#include "server/rpc/safety_service.h"

#include "server/rpc/arbitrate_stream.h"
#include "server/rpc/unary_call.h"

namespace interlock::server {

grpc::ServerUnaryReactor* SafetyServiceImpl::Arbitrate(grpc::CallbackServerContext* context,
                                                       const v1::ArbitrateRequest* request, v1::Decision* response) {
  return StartEngineCall(rooms_, context, request, response);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* SafetyServiceImpl::ArbitrateStream(
    grpc::CallbackServerContext* context) {
  return server::ArbitrateStream::Start(rooms_, Authenticate(*context));
}

grpc::ServerUnaryReactor* SafetyServiceImpl::ExplainAction(grpc::CallbackServerContext* context,
                                                           const v1::ExplainActionRequest* request,
                                                           v1::Decision* response) {
  return StartEngineCall(rooms_, context, request, response);
}

grpc::ServerUnaryReactor* SafetyServiceImpl::ListDecisions(grpc::CallbackServerContext* context,
                                                           const v1::ListDecisionsRequest* request,
                                                           v1::ListDecisionsResponse* response) {
  return StartReadCall(rooms_, context, request, response);
}

}  // namespace interlock::server
