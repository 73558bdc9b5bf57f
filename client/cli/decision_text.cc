#include "client/cli/decision_text.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/format.h"

namespace interlock::cli {
namespace {

// The rule, what was found, what it asks for, and what can be done: what the text may not say.
std::string RuleLine(const v1::Reason& reason, bool color) {
  std::vector<std::string> facts;
  if (!reason.constraint_id().empty()) facts.push_back(absl::StrCat("constraint ", Printable(reason.constraint_id())));
  if (!reason.limit_id().empty()) facts.push_back(absl::StrCat("limit ", Printable(reason.limit_id())));
  if (reason.has_observed()) facts.push_back(absl::StrCat("observed ", FormatNumber(reason.observed())));
  if (reason.has_threshold()) facts.push_back(absl::StrCat("threshold ", FormatNumber(reason.threshold())));
  if (reason.recovery_class() > v1::RECOVERY_CLASS_NONE) facts.push_back(FormatEnum(reason.recovery_class()));
  if (facts.empty()) return "";
  return absl::StrCat("      ", Paint(absl::StrJoin(facts, " · "), Color::kDim, color), "\n");
}

std::string ReasonLine(const v1::Reason& reason, bool color) {
  std::string line = absl::StrCat(
      "  ", Paint(reason.violation() ? "✗" : "·", reason.violation() ? Color::kRed : Color::kDim, color), " ",
      Printable(reason.text()), "  ", Paint(absl::StrCat("[", FormatEnum(reason.code()), "]"), Color::kDim, color));
  const std::string wait = FormatDuration(reason.retry_after());
  if (!wait.empty()) absl::StrAppend(&line, ", again in ", wait);
  return absl::StrCat(line, "\n", RuleLine(reason, color));
}

// What an approval has to do with the decision, and what to do next.
std::string ApprovalText(const v1::Decision& decision) {
  const std::string& approval_id = decision.approval_id();
  if (decision.verdict() == v1::VERDICT_ALLOW) return approval_id.empty() ? "" : absl::StrCat(approval_id, ", used up");
  if (approval_id.empty()) return decision.requires_approval() ? "needed from a person" : "";
  const bool rejected = std::any_of(decision.reasons().begin(), decision.reasons().end(), [](const v1::Reason& reason) {
    return reason.code() == v1::REASON_CODE_APPROVAL_REJECTED;
  });
  if (rejected) return absl::StrCat(approval_id, ", rejected");
  return absl::StrCat(approval_id, ", asked for; a person: interlockctl approval approve ", approval_id,
                      " --tenant=", Printable(decision.tenant_id()),
                      "; then decide again with --approval=", approval_id);
}

// The checkpoint that came with the action, and what has become of it.
std::string CheckpointText(const v1::Decision& decision) {
  if (decision.checkpoint_id().empty()) return "";
  const bool used = decision.verdict() == v1::VERDICT_ALLOW && !decision.decision_id().empty();
  return absl::StrCat(decision.checkpoint_id(), used ? ", used up" : ", can be used");
}

}  // namespace

ExitCode ExitCodeOf(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_ALLOW:
      return kExitOk;
    case v1::VERDICT_DENY:
      return kExitDeny;
    case v1::VERDICT_LOCK:
      return kExitLock;
    default:
      return kExitNoAnswer;
  }
}

std::string MainReason(v1::Verdict verdict, const google::protobuf::RepeatedPtrField<v1::Reason>& reasons) {
  if (reasons.empty()) return "";
  // For a lock its cause, which comes first; else what comes after the reason that sums up.
  const bool second = verdict != v1::VERDICT_LOCK && reasons.size() > 1;
  return reasons[second ? 1 : 0].text();
}

Cell VerdictCell(v1::Verdict verdict) { return {absl::AsciiStrToUpper(FormatEnum(verdict)), VerdictColor(verdict)}; }

std::string DescribeDecision(const v1::Decision& decision, bool color) {
  const Cell verdict = VerdictCell(decision.verdict());
  std::string text =
      absl::StrCat(Paint(verdict.text, verdict.color, color), "  ", Printable(decision.action_type()), " by ",
                   Printable(decision.agent_id()), decision.replayed() ? "  (repeated answer)" : "", "\n");
  for (const v1::Reason& reason : decision.reasons()) text += ReasonLine(reason, color);
  text += RenderFacts(
      {
          {"decision", decision.decision_id()},
          {"risk", FormatEnum(decision.risk_level())},
          {"category", decision.category()},
          {"tier", absl::StrCat(decision.tier())},
          {"confidence", FormatNumber(decision.confidence())},
          {"approval", ApprovalText(decision)},
          {"episode", decision.episode_id().empty()
                          ? ""
                          : absl::StrCat(decision.episode_id(), ", tier ", decision.episode_tier())},
          {"checkpoint", CheckpointText(decision)},
          {"locks", absl::StrJoin(decision.lock_ids(), ", ")},
          {"policy",
           decision.policy_version() == 0 ? "built-in profile" : absl::StrCat("version ", decision.policy_version())},
          {"decided", FormatTime(decision.decide_time())},
      },
      color);
  return text;
}

}  // namespace interlock::cli
