#include "core/replay/replay.h"

#include <utility>

#include "absl/strings/string_view.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/policy/validate.h"

namespace interlock::replay {
namespace {

absl::StatusOr<std::unique_ptr<PolicyEngine>> MakeEngine(const v1::PolicySet& policy, bool has_runs) {
  v1::PolicySet used = policy::Expand(policy);
  if (has_runs) used.clear_release_rules();
  return PolicyEngine::Make(used, v1::TIME_SOURCE_REQUEST);
}

// The decision; one without a verdict if there is none.
const v1::Decision& OrNone(const absl::StatusOr<v1::Decision>& decision) {
  static const v1::Decision* const kNone = new v1::Decision();
  return decision.ok() ? *decision : *kNone;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Replay>> Replay::Make(const ReplayOptions& options) {
  INTERLOCK_ASSIGN_OR_RETURN(std::unique_ptr<PolicyEngine> engine, MakeEngine(options.policy, options.has_runs));
  std::unique_ptr<PolicyEngine> other;
  if (options.against.has_value()) {
    INTERLOCK_ASSIGN_OR_RETURN(other, MakeEngine(*options.against, options.has_runs));
  }
  return std::unique_ptr<Replay>(new Replay(options.has_runs, std::move(engine), std::move(other)));
}

Replay::Replay(bool has_runs, std::unique_ptr<PolicyEngine> engine, std::unique_ptr<PolicyEngine> other)
    : has_runs_(has_runs), engine_(std::move(engine)), other_(std::move(other)) {}

void Replay::Take(const v1::ArbitrateRequest& request, const v1::Decision* recorded) {
  const absl::StatusOr<v1::Decision> decision = engine_->Decide(request, recorded);
  if (other_ == nullptr) {
    comparison_.CountAction(request.action(), recorded, OrNone(decision));
  } else {
    const absl::StatusOr<v1::Decision> other = other_->Decide(request, recorded);
    comparison_.CountAction(request.action(), &OrNone(other), OrNone(decision));
  }
  CountTrips(recorded);
}

template <typename Request>
void Replay::TakeReport(const Request& request) {
  const bool taken = engine_->Take(request);
  if (other_ != nullptr) other_->Take(request);
  if (taken) {
    comparison_.CountReport();
  } else {
    comparison_.CountPassedOver();
  }
  CountTrips(nullptr);
}

void Replay::Take(const v1::ReportSnapshotRequest& request) { TakeReport(request); }

void Replay::Take(const v1::RecordDataPointsRequest& request) { TakeReport(request); }

void Replay::Take(const v1::ReportActionOutcomeRequest& request) {
  const bool taken = engine_->Take(request);
  if (other_ != nullptr) other_->Take(request);
  if (taken) {
    comparison_.CountOutcome();
  } else {
    comparison_.CountPassedOver();
  }
  CountTrips(nullptr);
}

void Replay::CountTrips(const v1::Decision* recorded) {
  for (const v1::Lock& lock : engine_->TakeTrips()) {
    const bool was_locked = other_ != nullptr ? other_->IsLocked(lock.tenant_id(), lock.scope())
                                              : recorded != nullptr && recorded->verdict() == v1::VERDICT_LOCK;
    comparison_.CountTrip(lock, !was_locked);
  }
  if (other_ == nullptr) return;
  for (const v1::Lock& lock : other_->TakeTrips()) {
    comparison_.CountTripBefore(lock, !engine_->IsLocked(lock.tenant_id(), lock.scope()));
  }
}

void Replay::EndRun(const std::string& tenant_id) {
  INTERLOCK_CHECK(has_runs_);
  engine_->ReleaseTrips(tenant_id);
  if (other_ != nullptr) other_->ReleaseTrips(tenant_id);
}

}  // namespace interlock::replay
