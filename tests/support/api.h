// Calls a server as any client does, by the generated stubs: one call is one try, and nothing is hidden. For tests that
// must know exactly what was sent and what came back.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>
#include <tuple>

#include "absl/time/time.h"
#include "interlock/v1/admin_service.grpc.pb.h"
#include "interlock/v1/alert_service.grpc.pb.h"
#include "interlock/v1/approval_service.grpc.pb.h"
#include "interlock/v1/checkpoint_service.grpc.pb.h"
#include "interlock/v1/lock_service.grpc.pb.h"
#include "interlock/v1/monitor_service.grpc.pb.h"
#include "interlock/v1/policy_service.grpc.pb.h"
#include "interlock/v1/safety_service.grpc.pb.h"
#include "interlock/v1/scheduler_service.grpc.pb.h"

namespace interlock::support {

// Short names of the services' stubs, for &Safety::Arbitrate.
using Admin = v1::AdminService::Stub;
using Alerts = v1::AlertService::Stub;
using Approvals = v1::ApprovalService::Stub;
using Checkpoints = v1::CheckpointService::Stub;
using Locks = v1::LockService::Stub;
using Monitor = v1::MonitorService::Stub;
using Policies = v1::PolicyService::Stub;
using Safety = v1::SafetyService::Stub;
using Scheduler = v1::SchedulerService::Stub;

// No call of a test takes longer than this unless the server hangs.
inline constexpr absl::Duration kCallTimeout = absl::Seconds(60);

// The end of one call.
template <typename Reply>
struct Answer {
  grpc::Status status;
  // As it is by default if the status is not OK.
  Reply reply;

  bool ok() const { return status.ok(); }
  const Reply* operator->() const { return &reply; }
  const Reply& operator*() const { return reply; }
};

// Thread-safe.
class Api {
 public:
  // Calls as `principal`, "kind:id"; empty: as nobody in particular.
  explicit Api(const std::shared_ptr<grpc::Channel>& channel, std::string principal = "human:alice");

  // Makes one call, for example Call(&Safety::Arbitrate, request).
  template <typename Stub, typename Request, typename Reply>
  Answer<Reply> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
                     const Request& request) const {
    grpc::ClientContext context;
    Prepare(context);
    Answer<Reply> answer;
    answer.status = (stub<Stub>().*method)(&context, request, &answer.reply);
    return answer;
  }

  // For streams: the stub, and a context with the principal and a deadline.
  template <typename Stub>
  Stub& stub() const {
    return *std::get<std::unique_ptr<Stub>>(stubs_);
  }
  void Prepare(grpc::ClientContext& context) const;

 private:
  std::string principal_;
  std::tuple<std::unique_ptr<Admin>, std::unique_ptr<Alerts>, std::unique_ptr<Approvals>, std::unique_ptr<Checkpoints>,
             std::unique_ptr<Locks>, std::unique_ptr<Monitor>, std::unique_ptr<Policies>, std::unique_ptr<Safety>,
             std::unique_ptr<Scheduler>>
      stubs_;
};

// The ErrorInfo reason of an error that the server sent, for example "SEQUENCE_AHEAD"; empty if it has none.
std::string ReasonOf(const grpc::Status& status);
// The value of ErrorInfo.metadata[key]; empty if there is none.
std::string MetadataOf(const grpc::Status& status, const std::string& key);

}  // namespace interlock::support
