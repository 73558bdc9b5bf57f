#include "client/policy_replay.h"

#include <memory>
#include <utility>

#include "client/connection.h"
#include "client/stream_reader.h"
#include "interlock/v1/policy_service.grpc.pb.h"

namespace interlock::client {
namespace {

constexpr absl::Duration kSilenceMax = absl::Minutes(1);

}  // namespace

absl::StatusOr<v1::ReplayResult> ReplayPolicy(const Client& client, const v1::ReplayPolicyRequest& request,
                                              const ReplayProgressTaker& take) {
  const Connection& connection = *client.connection();
  const std::unique_ptr<v1::PolicyService::StubInterface> stub = v1::PolicyService::NewStub(connection.channel());
  StreamReader<v1::ReplayPolicyResponse> reader(
      connection, [&](grpc::ClientContext* context, grpc::CompletionQueue* queue, void* tag) {
        return stub->AsyncReplayPolicy(context, request, queue, tag);
      });
  // A server that is not there is missed as soon as by any other call.
  absl::Duration patience = connection.options().deadline;
  absl::StatusOr<v1::ReplayResult> result = absl::DataLossError("the server ended the replay without its result");
  for (;;) {
    v1::ReplayPolicyResponse message;
    absl::Status end;
    switch (reader.Next(patience, &message, &end)) {
      case StreamEvent::kMessage:
        if (message.has_progress()) take(message.progress());
        if (message.has_result()) result = std::move(*message.mutable_result());
        patience = kSilenceMax;
        break;
      case StreamEvent::kTimeout:
        return absl::DeadlineExceededError("the server sent nothing more of the replay");
      case StreamEvent::kEnd:
        if (!end.ok()) return end;
        return result;
    }
  }
}

}  // namespace interlock::client
