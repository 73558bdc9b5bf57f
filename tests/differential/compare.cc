#include "tests/differential/compare.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "google/protobuf/util/field_comparator.h"
#include "google/protobuf/util/message_differencer.h"
#include "interlock/v1/admin_service.pb.h"

namespace interlock::differential {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;
using google::protobuf::util::DefaultFieldComparator;
using google::protobuf::util::MessageDifferencer;

constexpr double kMargin = 1e-9;

std::string DifferenceOf(const Message& expected, const Message& actual) {
  if (expected.GetDescriptor() != actual.GetDescriptor()) {
    return absl::StrCat("expected a ", expected.GetTypeName(), ", not a ", actual.GetTypeName(), "\n");
  }
  DefaultFieldComparator comparator;
  comparator.set_float_comparison(DefaultFieldComparator::APPROXIMATE);
  comparator.SetDefaultFractionAndMargin(0, kMargin);
  MessageDifferencer differencer;
  differencer.set_field_comparator(&comparator);
  const auto ignore = [&](const Descriptor* message, const char* field) {
    INTERLOCK_CHECK(message->FindFieldByName(field) != nullptr);
    differencer.IgnoreField(message->FindFieldByName(field));
  };
  ignore(v1::Reason::descriptor(), "text");
  ignore(v1::Decision::descriptor(), "action_digest");
  // The model has a name of its own for an action.
  ignore(v1::Approval::descriptor(), "action_digest");
  ignore(v1::RollbackRecord::descriptor(), "detail");
  ignore(v1::LockCause::descriptor(), "reason");
  ignore(v1::Evidence::descriptor(), "lock_reason");
  ignore(v1::Alert::descriptor(), "fingerprint");
  ignore(v1::Episode::descriptor(), "fingerprint");
  ignore(v1::PerformanceAlert::descriptor(), "message");
  ignore(v1::PerformanceAlert::descriptor(), "create_time");
  ignore(v1::Agent::descriptor(), "trends");
  ignore(v1::Agent::descriptor(), "recommendations");
  ignore(v1::PolicySet::descriptor(), "etag");
  ignore(v1::TaskRecord::descriptor(), "sealed_secret");
  // The model keeps no audit log: the checker of the simulation does.
  ignore(v1::ServerInfo::descriptor(), "audit_sequence");
  ignore(v1::ServerInfo::descriptor(), "audit_hash");
  std::string report;
  differencer.ReportDifferencesToString(&report);
  if (differencer.Compare(expected, actual)) return "";
  return absl::StrCat(report, "expected: ", expected.ShortDebugString(), "\nactual:   ", actual.ShortDebugString(),
                      "\n");
}

template <typename T>
std::string DifferenceOf(const char* what, const std::vector<T>& expected, const std::vector<T>& actual) {
  std::string difference;
  if (expected.size() != actual.size()) {
    absl::StrAppend(&difference, "expected ", expected.size(), " ", what, ", not ", actual.size(), "\n");
  }
  for (size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    const std::string one = DifferenceOf(expected[i], actual[i]);
    if (!one.empty()) absl::StrAppend(&difference, what, " ", i, ": ", one);
  }
  return difference;
}

std::string NameOf(const Answer& answer) {
  if (!answer.error.empty()) return answer.error;
  return answer.reply == nullptr ? "nothing" : answer.reply->ShortDebugString();
}

}  // namespace

std::string Compare(const Answer& expected, const Answer& actual) {
  std::string difference;
  if (expected.error != actual.error || (expected.reply == nullptr) != (actual.reply == nullptr)) {
    absl::StrAppend(&difference, "expected: ", NameOf(expected), "\nactual:   ", NameOf(actual), "\n");
  } else if (expected.reply != nullptr) {
    absl::StrAppend(&difference, DifferenceOf(*expected.reply, *actual.reply));
  }
  absl::StrAppend(&difference, DifferenceOf("alerts", expected.alerts, actual.alerts),
                  DifferenceOf("locks", expected.locks, actual.locks),
                  DifferenceOf("approvals", expected.approvals, actual.approvals),
                  DifferenceOf("checkpoints", expected.checkpoints, actual.checkpoints),
                  DifferenceOf("rollbacks", expected.rollbacks, actual.rollbacks),
                  DifferenceOf("grants", expected.grants, actual.grants));
  return difference;
}

void Count(const Answer& answer, Coverage& coverage) {
  if (!answer.error.empty()) ++coverage[absl::StrCat("error ", answer.error)];
  for (const v1::Alert& alert : answer.alerts) {
    ++coverage[absl::StrCat("alert ", alert.type(), " ", v1::Transition_Name(alert.transition()))];
  }
  for (const v1::Approval& approval : answer.approvals) {
    const char* under_lock = approval.under_lock() ? " under a lock" : "";
    ++coverage[absl::StrCat(v1::ApprovalState_Name(approval.state()), under_lock)];
  }
  for (const v1::Checkpoint& checkpoint : answer.checkpoints) {
    const bool used = !checkpoint.used_by().empty() && checkpoint.rollback_id().empty();
    if (used || checkpoint.version() == 1) ++coverage[used ? "checkpoint used" : "checkpoint created"];
  }
  for (const v1::Rollback& rollback : answer.rollbacks) {
    ++coverage[v1::RollbackStep_Name(rollback.steps().rbegin()->step())];
  }
  for (const v1::TaskRecord& grant : answer.grants) {
    ++coverage[absl::StrCat("grant ", grant.attempt().manual() ? "triggered" : "due")];
  }
  if (const auto* decision = dynamic_cast<const v1::Decision*>(answer.reply.get())) {
    ++coverage[v1::Verdict_Name(decision->verdict())];
    ++coverage[v1::RiskLevel_Name(decision->risk_level())];
    if (decision->replayed()) ++coverage["replayed"];
    for (const v1::Reason& reason : decision->reasons()) ++coverage[v1::ReasonCode_Name(reason.code())];
  }
  if (const auto* task = dynamic_cast<const v1::Task*>(answer.reply.get()))
    ++coverage[v1::TaskState_Name(task->state())];
  if (const auto* report = dynamic_cast<const v1::ReportSnapshotResponse*>(answer.reply.get())) {
    ++coverage[absl::StrCat("tier ", report->assessment().tier())];
    ++coverage[v1::DataState_Name(report->assessment().data_state())];
  }
}

}  // namespace interlock::differential
