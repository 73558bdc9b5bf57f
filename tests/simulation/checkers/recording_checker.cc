#include "tests/simulation/checkers/recording_checker.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/serialize.h"
#include "core/policy/profiles.h"
#include "core/replay/recording_replay.h"
#include "tests/simulation/reader.h"

namespace interlock::simulation {
namespace {

std::string NameOf(absl::string_view tenant_id, v1::RecordedEvent::CommandCase command, absl::string_view record_id) {
  return absl::StrCat(tenant_id, " command ", command, " ", record_id);
}

template <typename Reply>
std::string EpisodeOf(const absl::StatusOr<Reply>& reply) {
  return reply.ok() ? reply->assessment().episode_id() : "";
}

// Whether an anomaly of one tenant locked the fleet, of which the recordings of the others know nothing.
bool TrippedTheFleet(const v1::Lock& lock) {
  return lock.scope().kind() == v1::SCOPE_KIND_FLEET && lock.probation_trips() > 0;
}

}  // namespace

RecordingChecker::RecordingChecker(Sim& sim, const Cast& cast, const std::string& default_profile)
    : sim_(sim), cast_(cast), default_policy_(*policy::FindProfile(default_profile)) {}

template <typename Request, typename Reply>
void RecordingChecker::Expect(const Settled<Request, Reply>& call, v1::RecordedEvent::CommandCase command,
                              absl::string_view tenant_id, absl::string_view record_id) {
  if (!call.reply.ok()) return;
  const std::string& request_id = call.request.request_id();
  // What is carried out anew, because its id is forgotten, is answered with another time or version.
  if (!request_id.empty() &&
      !answered_.insert(absl::StrCat(command, " ", request_id, " ", Serialize(*call.reply))).second) {
    return;
  }
  expected_.push_back(NameOf(tenant_id, command, record_id));
}

void RecordingChecker::OnSettled(const Settled<v1::ReportSnapshotRequest, v1::ReportSnapshotResponse>& call) {
  Expect(call, v1::RecordedEvent::kReportSnapshot, call.request.snapshot().tenant_id(), EpisodeOf(call.reply));
}

void RecordingChecker::OnSettled(const Settled<v1::RecordDataPointsRequest, v1::RecordDataPointsResponse>& call) {
  Expect(call, v1::RecordedEvent::kRecordDataPoints, call.request.tenant_id(), EpisodeOf(call.reply));
}

void RecordingChecker::OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) {
  if (!call.reply.ok() || call.reply->replayed()) return;
  Expect(call, v1::RecordedEvent::kArbitrate, call.request.action().tenant_id(), call.reply->decision_id());
}

void RecordingChecker::OnSettled(const Settled<v1::ReportActionOutcomeRequest, v1::ReportActionOutcomeResponse>& call) {
  Expect(call, v1::RecordedEvent::kReportActionOutcome, call.request.tenant_id(), EpisodeOf(call.reply));
}

void RecordingChecker::OnSettled(const Settled<v1::EngageLockRequest, v1::Lock>& call) {
  if (call.reply.ok()) Expect(call, v1::RecordedEvent::kEngageLock, call.reply->tenant_id(), call.reply->lock_id());
}

void RecordingChecker::OnSettled(const Settled<v1::AcknowledgeLockRequest, v1::Lock>& call) {
  if (call.reply.ok()) {
    Expect(call, v1::RecordedEvent::kAcknowledgeLock, call.reply->tenant_id(), call.reply->lock_id());
  }
}

void RecordingChecker::OnSettled(const Settled<v1::ReleaseLockRequest, v1::Lock>& call) {
  if (call.reply.ok()) Expect(call, v1::RecordedEvent::kReleaseLock, call.reply->tenant_id(), call.reply->lock_id());
}

void RecordingChecker::OnSettled(const Settled<v1::DecideApprovalRequest, v1::Approval>& call) {
  Expect(call, v1::RecordedEvent::kDecideApproval, call.request.tenant_id(), call.request.approval_id());
}

void RecordingChecker::OnSettled(const Settled<v1::CreateCheckpointRequest, v1::Checkpoint>& call) {
  if (!call.reply.ok()) return;
  Expect(call, v1::RecordedEvent::kCreateCheckpoint, call.request.tenant_id(), call.reply->checkpoint_id());
}

void RecordingChecker::OnSettled(const Settled<v1::RequestRollbackRequest, v1::RequestRollbackResponse>& call) {
  if (!call.reply.ok()) return;
  for (const v1::Rollback& rollback : call.reply->rollbacks()) {
    // One that was asked for before is joined.
    if (!rollbacks_.insert(rollback.rollback_id()).second) continue;
    expected_.push_back(NameOf(call.request.tenant_id(), v1::RecordedEvent::kRequestRollback, rollback.rollback_id()));
  }
}

void RecordingChecker::OnPolicy(const v1::PolicySet& policy, const v1::Principal&) {
  with_policy_.insert(policy.tenant_id());
}

std::vector<RecordingChecker::Event> RecordingChecker::EventsIn(const Store& store) {
  std::vector<Event> events;
  const auto visit = [&events](absl::string_view, absl::string_view value) {
    v1::RecordingRow row;
    INTERLOCK_CHECK(row.ParseFromArray(value.data(), static_cast<int>(value.size())));
    for (const v1::RecordedBytes& bytes : row.events()) {
      INTERLOCK_CHECK(events.emplace_back(Event{bytes.tenant_id(), {}}).event.ParseFromString(bytes.event()));
    }
    return true;
  };
  INTERLOCK_CHECK(store.Scan({Table::kRecording, "", ""}, visit).ok());
  return events;
}

void RecordingChecker::OnOpened(const server::Core& core) {
  const std::vector<Event> events = EventsIn(*core.store);
  for (size_t i = 0; i < std::max(events.size(), expected_.size()); ++i) {
    const std::string recorded =
        i < events.size() ? NameOf(events[i].tenant_id, events[i].event.command_case(), events[i].event.record_id())
                          : "nothing";
    const std::string expected = i < expected_.size() ? expected_[i] : "nothing";
    if (recorded == expected) continue;
    return sim_.trace.Fail("recording", "event ", i, " is ", recorded, " instead of ", expected);
  }
  for (const std::string& tenant_id : cast_.tenants) {
    if (with_policy_.count(tenant_id) == 0) CheckReplay(*core.store, events, tenant_id);
  }
}

void RecordingChecker::CheckReplay(const Store& store, const std::vector<Event>& events, const std::string& tenant_id) {
  const std::vector<v1::Lock> locks = LocksIn(store);
  if (std::any_of(locks.begin(), locks.end(), TrippedTheFleet)) return;
  std::map<std::string, v1::Decision> decisions;
  for (v1::Decision& decision : DecisionsIn(store, tenant_id)) {
    const std::string decision_id = decision.decision_id();
    decisions.emplace(decision_id, std::move(decision));
  }
  auto replay = replay::RecordingReplay::Make(
      {tenant_id, default_policy_, absl::InfinitePast(), locks, default_policy_.profile()});
  INTERLOCK_CHECK(replay.ok());
  for (const Event& event : events) {
    if (!event.tenant_id.empty() && event.tenant_id != tenant_id) continue;
    const auto decision = decisions.find(event.event.record_id());
    (*replay)->Take(event.event, decision == decisions.end() ? nullptr : &decision->second);
  }
  const v1::ReplayResult result = (*replay)->Result();
  for (const v1::VerdictDifference& difference : result.differences()) {
    sim_.trace.Fail("replay", tenant_id, " was decided otherwise: ", difference.ShortDebugString());
  }
  if (result.actions() > 0) sim_.coverage.Count("replay", result.trips() > 0 ? "with locks" : "without locks");
}

}  // namespace interlock::simulation
