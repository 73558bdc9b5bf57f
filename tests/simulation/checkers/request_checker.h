// Request ids: what was asked under one is applied at most once and answered the same; an id that comes with other
// content is refused.
#pragma once

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class RequestChecker final : public Observer {
 public:
  explicit RequestChecker(Sim& sim) : sim_(sim) {}

  using Observer::OnSettled;
  void OnSettled(const Settled<v1::ReportSnapshotRequest, v1::ReportSnapshotResponse>& call) override;
  void OnSettled(const Settled<v1::RecordDataPointsRequest, v1::RecordDataPointsResponse>& call) override;
  void OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) override;
  void OnSettled(const Settled<v1::EngageLockRequest, v1::Lock>& call) override;
  void OnSettled(const Settled<v1::AcknowledgeLockRequest, v1::Lock>& call) override;
  void OnSettled(const Settled<v1::ReleaseLockRequest, v1::Lock>& call) override;
  void OnSettled(const Settled<v1::ReportActionOutcomeRequest, v1::ReportActionOutcomeResponse>& call) override;
  void OnSettled(const Settled<v1::DecideApprovalRequest, v1::Approval>& call) override;
  void OnSettled(const Settled<v1::CreateCheckpointRequest, v1::Checkpoint>& call) override;
  void OnSettled(const Settled<v1::RequestRollbackRequest, v1::RequestRollbackResponse>& call) override;
  void OnSettled(const Settled<v1::ReportRollbackRequest, v1::Rollback>& call) override;
  void OnSettled(const Settled<v1::UpdatePolicyRequest, v1::PolicySet>& call) override;
  void OnSettled(const Settled<v1::SetShadowPolicyRequest, v1::ShadowPolicy>& call) override;
  void OnSettled(const Settled<v1::RollbackPolicyRequest, v1::PolicySet>& call) override;
  void OnSettled(const Settled<v1::CreateTaskRequest, v1::Task>& call) override;
  void OnSettled(const Settled<v1::TriggerTaskRequest, v1::Task>& call) override;

 private:
  // A command of one caller, whose same words by another are another content.
  template <typename Request, typename Reply>
  void JudgeOfCaller(absl::string_view method, const Settled<Request, Reply>& call);

  // What was asked first under an id, and what was answered.
  struct Record {
    std::string request;
    std::string reply;
    // Whether the reply is an ALLOW, which a lock may take back.
    bool allow = false;
    absl::Time time;
  };
  struct Answer {
    absl::Status status;
    std::string reply;
    bool allow = false;
    // Marked as a stored reply; false also where there is no such mark.
    bool replayed = false;
  };

  void Judge(absl::string_view method, absl::string_view owner, absl::string_view request_id, std::string request,
             Answer answer, absl::Time now);
  void JudgeRepeat(absl::string_view key, const Answer& answer, absl::Time now, Record& record);

  Sim& sim_;
  std::map<std::string, Record, std::less<>> records_;
};

}  // namespace interlock::simulation
