#include "server/main/commit_fan_out.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace interlock::server {

absl::Status CommitFanOut::OnOpened(const Core& core) {
  const Engine& engine = *core.engine;
  INTERLOCK_RETURN_IF_ERROR(to_.locks.Reset(*core.store, engine.epoch(), engine.lock_revision()));
  to_.alerts.Reset({engine.epoch(), engine.oldest_alert_sequence(), engine.alert_sequence()});
  to_.approvals.Add();
  to_.hub.Notify();
  Tell(core.effects);
  to_.log.Write({LogSeverity::kInfo, absl::StrCat("store opened epoch=", engine.epoch(), " alert_sequence=",
                                                  engine.alert_sequence(), " lock_revision=", engine.lock_revision())});
  to_.set_serving(true);
  return absl::OkStatus();
}

void CommitFanOut::OnCommitted(const Effects& effects, const Engine& engine) {
  to_.alerts.Publish(effects.alerts, engine.oldest_alert_sequence());
  to_.locks.Publish(effects.locks);
  if (!effects.approvals.empty()) to_.approvals.Add();
  if (!effects.alerts.empty() || !effects.locks.empty() || !effects.approvals.empty()) to_.hub.Notify();
  Tell(effects);
}

void CommitFanOut::OnLost(const absl::Status& cause) {
  to_.set_serving(false);
  to_.log.Write({LogSeverity::kError,
                 absl::StrCat("commit failed, nothing is decided until the store is open again: ", cause.ToString())});
}

void CommitFanOut::Tell(const Effects& effects) {
  for (const v1::TaskRecord& grant : effects.grants) Grant(grant);
  for (LogLine& line : LinesOf(effects)) to_.log.Write(std::move(line));
}

void CommitFanOut::Grant(const v1::TaskRecord& grant) {
  const absl::Status status = to_.executors.Submit(grant);
  // A pool that stops leaves the attempt to be recovered at the next start.
  if (!absl::IsResourceExhausted(status)) return;
  schedule::AttemptResult result;
  result.tenant_id = grant.task().tenant_id();
  result.task_id = grant.task().task_id();
  result.lease_epoch = grant.attempt().lease_epoch();
  result.failure_reason = v1::FAILURE_REASON_UNKNOWN;
  result.error_message = std::string(status.message());
  to_.end_attempt(std::move(result));
}

}  // namespace interlock::server
