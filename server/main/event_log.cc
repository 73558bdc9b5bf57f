#include "server/main/event_log.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/engine/decision_row.h"
#include "core/engine/store.h"
#include "google/protobuf/util/json_util.h"
#include "server/auth/principal.h"

namespace interlock::server {
namespace {

// Identifiers are chosen by callers, so they are quoted.
std::string Quoted(absl::string_view id) { return absl::StrCat("\"", absl::CEscape(id), "\""); }

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  return status.ok() ? json : "{}";
}

// The fields of two JSON objects in one.
std::string MergeObjects(absl::string_view first, absl::string_view second) {
  if (first == "{}") return std::string(second);
  if (second == "{}") return std::string(first);
  return absl::StrCat(first.substr(0, first.size() - 1), ",", second.substr(1));
}

bool IsRoutedAnomaly(const v1::Alert& alert) {
  return alert.type() == "systemic_anomaly" && alert.episode_tier() == 3 &&
         (alert.transition() == v1::TRANSITION_FIRED || alert.transition() == v1::TRANSITION_ESCALATED);
}

LogLine LineOf(const v1::Alert& alert) {
  v1::Alert names;
  names.set_sequence(alert.sequence());
  names.set_tenant_id(alert.tenant_id());
  names.set_agent_id(alert.agent_id());
  names.set_episode_id(alert.episode_id());
  v1::DiagnosticBrief brief = alert.diagnostic_brief();
  brief.mutable_evidence()->clear_lock_reason();
  for (v1::PerformanceAlert& finding : *brief.mutable_alerts()) finding.clear_message();
  return {LogSeverity::kError, absl::StrCat("[ALERTING_SUBSYSTEM] Tier 3 systemic anomaly routed: ",
                                            MergeObjects(ToJson(brief), ToJson(names)))};
}

LogLine LineOf(const v1::Decision& decision) {
  const std::string reasons = absl::StrJoin(decision.reasons(), ",", [](std::string* out, const v1::Reason& reason) {
    absl::StrAppend(out, v1::ReasonCode_Name(reason.code()));
  });
  return {LogSeverity::kInfo,
          absl::StrCat("decision id=", decision.decision_id(), " tenant=", Quoted(decision.tenant_id()),
                       " agent=", Quoted(decision.agent_id()), " verdict=", v1::Verdict_Name(decision.verdict()),
                       " risk_level=", v1::RiskLevel_Name(decision.risk_level()), " tier=", decision.tier(),
                       " reasons=", reasons, " locks=", absl::StrJoin(decision.lock_ids(), ","))};
}

absl::string_view ChangeOf(const v1::Lock& lock) {
  switch (lock.state()) {
    case v1::LOCK_STATE_ACKNOWLEDGED:
      return lock.releases().rbegin()->step() == v1::LOCK_STEP_EXPIRE_APPROVALS ? "approvals expired" : "acknowledged";
    case v1::LOCK_STATE_RELEASE_PENDING:
      return "release approved";
    case v1::LOCK_STATE_PROBATION:
      return "in probation";
    case v1::LOCK_STATE_CLEAR:
      return "released";
    default:
      return lock.version() == 1 ? "engaged" : "has a further cause";
  }
}

LogLine LineOf(const v1::Lock& lock) {
  const bool caused = lock.state() == v1::LOCK_STATE_TRIPPED || lock.releases().empty();
  const v1::Principal& actor = !caused                 ? lock.releases().rbegin()->released_by()
                               : lock.causes().empty() ? lock.engaged_by()
                                                       : lock.causes().rbegin()->engaged_by();
  return {LogSeverity::kInfo,
          absl::StrCat("lock ", ChangeOf(lock), " id=", lock.lock_id(), " tenant=", Quoted(lock.tenant_id()),
                       " scope=", v1::ScopeKind_Name(lock.scope().kind()), ":", Quoted(lock.scope().id()), " version=",
                       lock.version(), " by=", actor.id().empty() ? "time" : Quoted(FormatPrincipal(actor)))};
}

LogLine LineOf(const v1::Approval& approval) {
  const absl::string_view state = absl::StripPrefix(v1::ApprovalState_Name(approval.state()), "APPROVAL_STATE_");
  const bool voted = approval.state() == v1::APPROVAL_STATE_APPROVED || approval.state() == v1::APPROVAL_STATE_REJECTED;
  const v1::Principal& actor =
      voted && approval.votes_size() > 0 ? approval.votes().rbegin()->voter() : approval.requested_by();
  return {LogSeverity::kInfo, absl::StrCat("approval ", absl::AsciiStrToLower(state), " id=", approval.approval_id(),
                                           " tenant=", Quoted(approval.tenant_id()), " agent=",
                                           Quoted(approval.action().agent_id()), " version=", approval.version(),
                                           voted ? " by=" : " requested_by=", Quoted(FormatPrincipal(actor)))};
}

LogLine LineOf(const v1::Rollback& rollback) {
  const absl::string_view state = absl::StripPrefix(v1::RollbackState_Name(rollback.state()), "ROLLBACK_STATE_");
  const v1::Principal& actor = rollback.steps().rbegin()->taken_by();
  return {LogSeverity::kInfo,
          absl::StrCat("rollback ", absl::AsciiStrToLower(state), " id=", rollback.rollback_id(),
                       " tenant=", Quoted(rollback.tenant_id()), " agent=", Quoted(rollback.agent_id()),
                       " checkpoint=", rollback.checkpoint_id(), " version=", rollback.version(),
                       " by=", actor.id().empty() ? "time" : Quoted(FormatPrincipal(actor)))};
}

}  // namespace

std::vector<LogLine> LinesOf(const Effects& effects) {
  std::vector<LogLine> lines;
  for (const Write& write : effects.writes.writes()) {
    if (write.table != Table::kDecision || write.kind != Write::Kind::kPut) continue;
    DecisionGlance glance;
    if (!GlanceAtDecision(write.value, glance) || glance.verdict == v1::VERDICT_ALLOW) continue;
    v1::Decision decision;
    if (ExpandDecision(write.key, write.value, decision)) lines.push_back(LineOf(decision));
  }
  for (const v1::Lock& lock : effects.locks) lines.push_back(LineOf(lock));
  for (const v1::Approval& approval : effects.approvals) lines.push_back(LineOf(approval));
  for (const v1::Rollback& rollback : effects.rollbacks) lines.push_back(LineOf(rollback));
  for (const v1::Alert& alert : effects.alerts) {
    if (IsRoutedAnomaly(alert)) lines.push_back(LineOf(alert));
  }
  return lines;
}

EventLog::EventLog(std::function<void(const LogLine&)> write, size_t lines_max)
    : write_(std::move(write)), thread_({.threads = 1, .queue_max = lines_max}) {}

void EventLog::Write(LogLine line) {
  if (thread_.Post([this, line = std::move(line)] { WriteNow(line); })) return;
  MutexLock lock(mutex_);
  ++dropped_;
}

void EventLog::WriteNow(const LogLine& line) {
  int64_t dropped = 0;
  {
    MutexLock lock(mutex_);
    std::swap(dropped, dropped_);
  }
  if (dropped > 0) {
    write_({LogSeverity::kError, absl::StrCat("log lines dropped, because they were not read fast enough: ", dropped)});
  }
  write_(line);
}

}  // namespace interlock::server
