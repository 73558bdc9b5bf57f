#include "core/rollback/rollback_machine.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock::rollback {
namespace {

// Puts on record what was done; `person` is null for a step that time makes.
void Move(v1::RollbackStep step, const v1::Principal* person, const std::string& detail, absl::Time now,
          v1::Rollback& rollback) {
  const absl::optional<v1::RollbackState> to = After(rollback.state(), step);
  INTERLOCK_CHECK(to.has_value());
  rollback.set_state(*to);
  rollback.set_version(rollback.version() + 1);
  *rollback.mutable_update_time() = ToProto(now);
  if (IsOpen(*to)) *rollback.mutable_expire_time() = ToProto(now + kRollbackTimeMax);
  v1::RollbackRecord& record = *rollback.add_steps();
  record.set_step(step);
  if (person != nullptr) *record.mutable_taken_by() = *person;
  record.set_detail(detail);
  *record.mutable_create_time() = ToProto(now);
}

v1::RollbackStep StepOf(const Report& report, const v1::Rollback& rollback) {
  switch (report.state) {
    case v1::ROLLBACK_STATE_RUNNING:
      return v1::ROLLBACK_STEP_START;
    case v1::ROLLBACK_STATE_SUCCEEDED:
      return report.restored_digest == rollback.content_digest() ? v1::ROLLBACK_STEP_SUCCEED
                                                                 : v1::ROLLBACK_STEP_MISMATCH;
    case v1::ROLLBACK_STATE_FAILED:
      return v1::ROLLBACK_STEP_FAIL;
    case v1::ROLLBACK_STATE_UNVERIFIABLE:
      return v1::ROLLBACK_STEP_GIVE_UP;
    default:
      return v1::ROLLBACK_STEP_UNSPECIFIED;
  }
}

std::string NameOf(v1::RollbackState state) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::RollbackState_Name(state), "ROLLBACK_STATE_"));
}

absl::Status NotPossible(const v1::Rollback& rollback, absl::string_view why) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "ROLLBACK_STEP_NOT_POSSIBLE",
                   absl::StrCat("rollback \"", rollback.rollback_id(), "\" ", why),
                   {{"rollback_id", rollback.rollback_id()}});
}

}  // namespace

const std::vector<RollbackEdge>& RollbackEdges() {
  static const auto& edges = *new std::vector<RollbackEdge>{
      {v1::ROLLBACK_STATE_UNSPECIFIED, v1::ROLLBACK_STEP_REQUEST, v1::ROLLBACK_STATE_REQUESTED},
      {v1::ROLLBACK_STATE_REQUESTED, v1::ROLLBACK_STEP_START, v1::ROLLBACK_STATE_RUNNING},
      {v1::ROLLBACK_STATE_REQUESTED, v1::ROLLBACK_STEP_FAIL, v1::ROLLBACK_STATE_FAILED},
      {v1::ROLLBACK_STATE_REQUESTED, v1::ROLLBACK_STEP_EXPIRE, v1::ROLLBACK_STATE_UNVERIFIABLE},
      {v1::ROLLBACK_STATE_RUNNING, v1::ROLLBACK_STEP_SUCCEED, v1::ROLLBACK_STATE_SUCCEEDED},
      {v1::ROLLBACK_STATE_RUNNING, v1::ROLLBACK_STEP_FAIL, v1::ROLLBACK_STATE_FAILED},
      {v1::ROLLBACK_STATE_RUNNING, v1::ROLLBACK_STEP_MISMATCH, v1::ROLLBACK_STATE_FAILED},
      {v1::ROLLBACK_STATE_RUNNING, v1::ROLLBACK_STEP_GIVE_UP, v1::ROLLBACK_STATE_UNVERIFIABLE},
      {v1::ROLLBACK_STATE_RUNNING, v1::ROLLBACK_STEP_EXPIRE, v1::ROLLBACK_STATE_UNVERIFIABLE},
  };
  return edges;
}

absl::optional<v1::RollbackState> After(v1::RollbackState from, v1::RollbackStep step) {
  return FindEdge(RollbackEdges(), from, step);
}

bool IsOpen(v1::RollbackState state) {
  return state == v1::ROLLBACK_STATE_REQUESTED || state == v1::ROLLBACK_STATE_RUNNING;
}

void Request(absl::Time now, v1::Rollback& rollback) {
  *rollback.mutable_create_time() = ToProto(now);
  const v1::Principal requested_by = rollback.requested_by();
  Move(v1::ROLLBACK_STEP_REQUEST, &requested_by, rollback.reason(), now, rollback);
}

absl::Status Tell(const Report& report, absl::Time now, v1::Rollback& rollback) {
  const v1::RollbackStep step = StepOf(report, rollback);
  if (!After(rollback.state(), step).has_value()) {
    return NotPossible(rollback,
                       absl::StrCat("is ", NameOf(rollback.state()), " and cannot become ", NameOf(report.state)));
  }
  if (FromProto(rollback.expire_time()) <= now) return NotPossible(rollback, "has had its time; ask for another one");
  rollback.set_restored_digest(report.restored_digest);
  std::string detail = report.detail;
  if (step == v1::ROLLBACK_STEP_MISMATCH) {
    detail = absl::StrCat("What was restored is not what was saved", detail.empty() ? "" : ": ", detail);
  }
  Move(step, &report.reporter, detail, now, rollback);
  return absl::OkStatus();
}

void Expire(absl::Time now, v1::Rollback& rollback) {
  Move(v1::ROLLBACK_STEP_EXPIRE, nullptr, "Its time was up", now, rollback);
}

}  // namespace interlock::rollback
