#include "core/safety/reversal_rules.h"

#include "absl/strings/str_cat.h"
#include "core/safety/reason_text.h"

namespace interlock::safety {

void CheckReversal(const Facts& facts, const CheckpointView& checkpoint, Findings& findings) {
  if (facts.policy.IsIrreversible(facts.action_type)) {
    findings.AddApproval(v1::REASON_CODE_IRREVERSIBLE, std::string(FixedText(v1::REASON_CODE_IRREVERSIBLE)));
  }
  if (!checkpoint.checkpoint_id.empty() && checkpoint.why_not.empty()) {
    findings.decision.set_checkpoint_id(std::string(checkpoint.checkpoint_id));
    return;
  }
  if (checkpoint.checkpoint_id.empty() && !facts.policy.IsReversible(facts.action_type)) return;
  const std::string text =
      checkpoint.checkpoint_id.empty()
          ? absl::StrCat("Actions of type ", facts.action_type, " need a checkpoint: call CreateCheckpoint first")
          : absl::StrCat(checkpoint.why_not, ": call CreateCheckpoint for another one");
  findings.AddViolation(v1::REASON_CODE_CHECKPOINT_REQUIRED, v1::RECOVERY_CLASS_CHANGE_ACTION, text);
}

}  // namespace interlock::safety
