// Random scripts run on the engine and on the model, which must agree in every answer. On a difference the test prints
// the seed, the shortest script it can find, and both answers.
//
// Replay a seed: bazel run //tests/differential:engine_model_test -- --first_seed=SEED --seeds=1

#include <iostream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "gtest/gtest.h"
#include "tests/differential/duel.h"

ABSL_FLAG(uint64_t, first_seed, 1, "The first seed.");
ABSL_FLAG(uint64_t, seeds, 60, "How many seeds, one after the other.");
ABSL_FLAG(int, commands, 250, "How many commands each seed's script has.");

namespace interlock::differential {
namespace {

// What the scripts must have met, beside every command; each row of docs/testing.md.
const char* const kRequired[] = {
    "VERDICT_ALLOW",
    "VERDICT_DENY",
    "VERDICT_LOCK",
    "RISK_LEVEL_LOW",
    "RISK_LEVEL_MEDIUM",
    "RISK_LEVEL_HIGH",
    "RISK_LEVEL_CRITICAL",
    "REASON_CODE_ALLOWED",
    "REASON_CODE_POLICY_VIOLATED",
    "REASON_CODE_LOCK_BLOCKED",
    "REASON_CODE_LOCK_AUTONOMOUS_BLOCKED",
    "REASON_CODE_LOCK_ACTIVE",
    "REASON_CODE_TRIPPED",
    "REASON_CODE_RISK_LEVEL",
    "REASON_CODE_LIMIT_DAILY",
    "REASON_CODE_LIMIT_HOURLY",
    "REASON_CODE_CONTENT_LENGTH",
    "REASON_CODE_CONTENT_KEYWORDS",
    "REASON_CODE_CATEGORY_HOURLY",
    "REASON_CODE_CATEGORY_DAILY",
    "REASON_CODE_PATTERN_SIMILAR",
    "REASON_CODE_PATTERN_FREQUENCY",
    "REASON_CODE_CONFLICT",
    "REASON_CODE_APPROVAL_REQUIRED",
    "REASON_CODE_APPROVAL_RISK",
    "REASON_CODE_REPEATED_CALL",
    "REASON_CODE_CALL_RATE",
    "REASON_CODE_REPORT_STALE",
    "REASON_CODE_CATEGORY_UNKNOWN",
    "REASON_CODE_APPROVED",
    "REASON_CODE_APPROVAL_UNUSABLE",
    "REASON_CODE_APPROVAL_REJECTED",
    "REASON_CODE_CHECKPOINT_REQUIRED",
    "REASON_CODE_IRREVERSIBLE",
    "replayed",
    "alert systemic_anomaly TRANSITION_FIRED",
    "alert systemic_anomaly TRANSITION_ESCALATED",
    "alert systemic_anomaly TRANSITION_DEESCALATED",
    "alert systemic_anomaly TRANSITION_UPDATED",
    "alert systemic_anomaly TRANSITION_RESOLVED",
    "alert anomaly TRANSITION_FIRED",
    "alert anomaly TRANSITION_ESCALATED",
    "alert anomaly TRANSITION_DEESCALATED",
    "alert anomaly TRANSITION_UPDATED",
    "alert anomaly TRANSITION_RESOLVED",
    "alert lock TRANSITION_FIRED",
    "alert lock TRANSITION_UPDATED",
    "alert lock TRANSITION_RESOLVED",
    "tier 0",
    "tier 1",
    "tier 2",
    "tier 3",
    "DATA_STATE_NO_DATA",
    "DATA_STATE_PARTIAL",
    "DATA_STATE_COMPLETE",
    "APPROVAL_STATE_PENDING",
    "APPROVAL_STATE_APPROVED",
    "APPROVAL_STATE_REJECTED",
    "APPROVAL_STATE_EXPIRED",
    "APPROVAL_STATE_VOIDED",
    "APPROVAL_STATE_CONSUMED",
    "APPROVAL_STATE_PENDING under a lock",
    "APPROVAL_STATE_APPROVED under a lock",
    "APPROVAL_STATE_CONSUMED under a lock",
    "checkpoint created",
    "checkpoint used",
    "ROLLBACK_STEP_REQUEST",
    "ROLLBACK_STEP_START",
    "ROLLBACK_STEP_SUCCEED",
    "ROLLBACK_STEP_FAIL",
    "ROLLBACK_STEP_MISMATCH",
    "ROLLBACK_STEP_GIVE_UP",
    "ROLLBACK_STEP_EXPIRE",
    "grant due",
    "grant triggered",
    "TASK_STATE_ACTIVE",
    "TASK_STATE_DEGRADED",
    "TASK_STATE_NEEDS_INTERVENTION",
    "error FAILED_PRECONDITION REQUEST_ID_REUSED",
    "error FAILED_PRECONDITION APPROVAL_DECIDED",
    "error FAILED_PRECONDITION APPROVAL_BY_REQUESTER",
    "error FAILED_PRECONDITION APPROVAL_VOTED_BEFORE",
    "error FAILED_PRECONDITION ROLLED_BACK_BEFORE",
    "error FAILED_PRECONDITION ROLLBACK_STEP_NOT_POSSIBLE",
    "error FAILED_PRECONDITION ROLLBACK_OUT_OF_ORDER",
    "error FAILED_PRECONDITION TASK_RUNNING",
    "error FAILED_PRECONDITION LEASE_LOST",
    "error INVALID_ARGUMENT INVALID_FIELD",
    "error ABORTED ETAG_MISMATCH",
    "error ABORTED LOCK_VERSION_MISMATCH",
    "error ABORTED APPROVAL_VERSION_MISMATCH",
    "error ABORTED ROLLBACK_VERSION_MISMATCH",
    "error ALREADY_EXISTS TASK_EXISTS",
    "error NOT_FOUND LOCK_NOT_FOUND",
    "error NOT_FOUND APPROVAL_NOT_FOUND",
    "error NOT_FOUND CHECKPOINT_NOT_FOUND",
    "error NOT_FOUND ROLLBACK_NOT_FOUND",
    "error NOT_FOUND POLICY_VERSION_NOT_FOUND",
    "error NOT_FOUND TASK_NOT_FOUND",
    "error NOT_FOUND AGENT_NOT_FOUND",
    "error PERMISSION_DENIED ENGAGE_NOT_PERMITTED",
    "error PERMISSION_DENIED RELEASE_NEEDS_HUMAN",
    "error PERMISSION_DENIED APPROVAL_NEEDS_HUMAN",
    "error PERMISSION_DENIED CHECKPOINT_NOT_PERMITTED",
    "error PERMISSION_DENIED ROLLBACK_NOT_PERMITTED",
    "error PERMISSION_DENIED POLICY_UPDATE_NOT_PERMITTED",
};

void Report(uint64_t seed, const Script& script) {
  const Script shortest = Shrink(script);
  Coverage coverage;
  const auto difference = Duel(shortest, coverage);
  ASSERT_TRUE(difference.has_value());
  std::string text = "seed " + std::to_string(seed) + ", profile " + script.setting.default_profile + ", " +
                     v1::TimeSource_Name(script.setting.time_source) + ", shortened to " +
                     std::to_string(shortest.commands.size()) + " commands:\n";
  for (const Command& command : shortest.commands) text += "  " + Describe(command) + "\n";
  ADD_FAILURE() << text << "at the last of them:\n" << difference->text;
}

TEST(EngineModelTest, AgreeInEveryAnswer) {
  Coverage coverage;
  const uint64_t first = absl::GetFlag(FLAGS_first_seed);
  for (uint64_t seed = first; seed < first + absl::GetFlag(FLAGS_seeds); ++seed) {
    const Script script = MakeScript(seed, absl::GetFlag(FLAGS_commands));
    if (Duel(script, coverage).has_value()) return Report(seed, script);
  }
  for (const auto& [name, count] : coverage) std::cout << count << " " << name << "\n";
  // One seed is somebody's question about that seed.
  if (absl::GetFlag(FLAGS_seeds) == 1) return;
  for (const std::string& name : RequestNames()) EXPECT_GT(coverage["command " + name], 0) << name;
  for (const char* name : kRequired) EXPECT_GT(coverage[name], 0) << name;
}

}  // namespace
}  // namespace interlock::differential

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  return RUN_ALL_TESTS();
}
