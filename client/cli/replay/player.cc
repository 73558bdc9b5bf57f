#include "client/cli/replay/player.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/list.h"
#include "client/decide.h"
#include "core/base/status_macros.h"

namespace interlock::cli {

Player::Player(const client::Client& client, client::ArbitrateStream& stream, const PlayOptions& options,
               std::string agent)
    : client_(client), stream_(stream), options_(options) {
  stage_.tenant = MakeName(absl::StrCat(options.tenant_prefix, agent));
  stage_.agent = MakeName(agent);
  stage_.start = options.start;
}

absl::Status Player::Play(const RecordedRun& run) {
  if (!prepared_) INTERLOCK_RETURN_IF_ERROR(Prepare());
  prepared_ = true;
  bool locked = false;
  INTERLOCK_RETURN_IF_ERROR(Arbitrate(run, &locked));
  INTERLOCK_RETURN_IF_ERROR(Report(run, &locked));
  if (locked) INTERLOCK_RETURN_IF_ERROR(HandleLocks());
  ++tally_.runs;
  if (stage_.start.has_value()) *stage_.start += RunDuration(run);
  return absl::OkStatus();
}

absl::Status Player::Prepare() {
  v1::UpdatePolicyRequest request;
  request.mutable_policy()->set_tenant_id(stage_.tenant);
  request.mutable_policy()->set_profile(options_.profile);
  INTERLOCK_ASSIGN_OR_RETURN(v1::PolicySet policy, client_.UpdatePolicy(std::move(request)));
  // Recorded runs know nothing of one another: a lock is over with its run, and no probation goes on in the next.
  if (policy.release_rules_size() > 0) {
    v1::UpdatePolicyRequest update;
    policy.clear_release_rules();
    *update.mutable_policy() = std::move(policy);
    INTERLOCK_RETURN_IF_ERROR(client_.UpdatePolicy(std::move(update)).status());
  }
  INTERLOCK_ASSIGN_OR_RETURN(const std::vector<v1::Lock> locks, LocksInForce());
  for (const v1::Lock& lock : locks) {
    known_locks_.insert(lock.lock_id());
    if (lock.tenant_id() == stage_.tenant && lock.kind() == v1::LOCK_KIND_TRIP && !options_.keep_locks) {
      INTERLOCK_RETURN_IF_ERROR(Release(lock));
    } else {
      options_.note(absl::StrCat("note: ", lock.lock_id(), " was in force before the replay and covers ", stage_.tenant,
                                 "; it stays"));
    }
  }
  return absl::OkStatus();
}

absl::Status Player::Arbitrate(const RecordedRun& run, bool* locked) {
  INTERLOCK_ASSIGN_OR_RETURN(const std::vector<v1::ArbitrateResult> results,
                             stream_.Arbitrate(MakeRequests(run, stage_)));
  for (size_t place = 0; place < results.size(); ++place) {
    const client::Verdict verdict = client::VerdictOf(results[place]);
    if (!verdict.status.ok()) {
      options_.note(absl::StrCat("note: ", stage_.agent, ", ", run.calls[place].name, ": ", verdict.reason));
    }
    if (verdict.decision.lock_active()) *locked = true;
    tally_.AddVerdict(run, place, verdict);
  }
  return absl::OkStatus();
}

absl::Status Player::Report(const RecordedRun& run, bool* locked) {
  v1::RecordDataPointsRequest report = MakeReport(run, stage_);
  if (report.points().empty()) return absl::OkStatus();
  const absl::StatusOr<v1::RecordDataPointsResponse> answer = client_.RecordDataPoints(std::move(report));
  if (absl::IsInvalidArgument(answer.status())) {
    ++tally_.refused_reports;
    options_.note(absl::StrCat("note: a report of ", stage_.agent, " was refused: ", answer.status().message()));
    return absl::OkStatus();
  }
  if (!answer.ok()) return answer.status();
  tally_.AddAssessment(answer->assessment().tier());
  // Only a finding of tier 3 can have tripped a lock.
  if (answer->assessment().tier() >= 3) *locked = true;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::Lock>> Player::LocksInForce() {
  v1::GetAgentRequest get;
  get.set_tenant_id(stage_.tenant);
  get.set_agent_id(stage_.agent);
  const absl::StatusOr<v1::Agent> agent = client_.GetAgent(get);
  if (agent.ok()) return std::vector<v1::Lock>(agent->locks().begin(), agent->locks().end());
  if (!absl::IsNotFound(agent.status())) return agent.status();
  // An agent is known from its first report on; its tenant's locks can be listed before.
  v1::ListLocksRequest list;
  list.set_tenant_id(stage_.tenant);
  INTERLOCK_ASSIGN_OR_RETURN(
      const v1::ListLocksResponse response,
      FetchPages(client_, list, 0, &client::Client::ListLocks, &v1::ListLocksResponse::locks_size));
  return std::vector<v1::Lock>(response.locks().begin(), response.locks().end());
}

absl::Status Player::HandleLocks() {
  INTERLOCK_ASSIGN_OR_RETURN(const std::vector<v1::Lock> locks, LocksInForce());
  for (const v1::Lock& lock : locks) {
    // A lock that was there before, or of the fleet, is not of this replay's making.
    if (lock.tenant_id() != stage_.tenant || !known_locks_.insert(lock.lock_id()).second) continue;
    if (lock.kind() == v1::LOCK_KIND_TRIP) ++tally_.trips;
    if (!options_.keep_locks) INTERLOCK_RETURN_IF_ERROR(Release(lock));
  }
  return absl::OkStatus();
}

absl::Status Player::Release(const v1::Lock& lock) {
  v1::ReleaseLockRequest request;
  request.set_lock_id(lock.lock_id());
  request.set_version(lock.version());
  request.set_reason("released for the next recorded run");
  return client_.ReleaseLock(std::move(request)).status();
}

}  // namespace interlock::cli
