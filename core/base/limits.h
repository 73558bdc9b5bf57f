// Every bound of the engine and the API in one place, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace interlock {

// Identifiers fit in a log line and a key; longer ones are a sign of misuse.
inline constexpr size_t kIdBytesMax = 128;
inline constexpr size_t kRequestIdBytesMax = 64;
inline constexpr size_t kCategoryBytesMax = 64;
inline constexpr size_t kResourceBytesMax = 512;
inline constexpr size_t kTargetBytesMax = 256;
inline constexpr size_t kReasonBytesMax = 1024;
// Arguments are hashed and searched on the way to a verdict; 64 KiB keeps that well below a millisecond.
inline constexpr size_t kParametersBytesMax = 64 * 1024;
inline constexpr int kParametersDepthMax = 32;
// One message of a stream is decided as one batch.
inline constexpr int kStreamRequestsMax = 64;
// A report larger than a window would push out itself.
inline constexpr int kPointsPerReportMax = 1000;
inline constexpr size_t kWindowPointsMax = 1000;
inline constexpr absl::Duration kWindow = absl::Hours(24);
// Clocks of agents drift; a report further ahead would hold the window open.
inline constexpr absl::Duration kClockSkewMax = absl::Minutes(5);
inline constexpr absl::Duration kResponseTimeMax = absl::Hours(24 * 10000);
// Attempts are counted exactly up to here for each limit and key; no limit may be larger.
inline constexpr int64_t kLimitMax = 10000;
inline constexpr size_t kAttemptTimesMin = 1000;
// Distinct action types of a tenant; each keeps its own times.
inline constexpr size_t kActionTypesMax = 10000;
// Assessments that a "k of n" of the lock criteria can look at: the bits of CriteriaCount.recent.
inline constexpr int kAssessmentsCounted = 32;
inline constexpr size_t kOutcomeDetailBytesMax = 1024;
// Limits of a policy: each is looked at for every action.
inline constexpr int kLimitsMax = 100;
// Pairs of an action type and a resource that conflicts are looked for by.
inline constexpr size_t kConflictResourcesMax = 10000;
// Distinct agents of a tenant that act within 24 hours; each keeps its own times.
inline constexpr size_t kActingAgentsMax = 100000;
// What makes a repeat safe is kept this long, and no more than this.
inline constexpr absl::Duration kRequestRetention = absl::Minutes(10);
inline constexpr size_t kRequestsMax = 1000000;
inline constexpr int kLockCausesMax = 100;
inline constexpr int kLockReleasesMax = 100;
// Who approved a release longer ago may not know what happened since.
inline constexpr absl::Duration kReleaseApprovalValidity = absl::Minutes(30);
inline constexpr absl::Duration kProbationMax = absl::Hours(24);
// More people than anybody can find in the night.
inline constexpr int kQuorumMax = 10;
// A longer block is no maintenance.
inline constexpr absl::Duration kMaintenanceMax = absl::Hours(24);
// Steps that time makes with locks in one timer pass.
inline constexpr int kDueLocksPerTick = 100;
// More than people can look at; each keeps its action. Beyond it nobody is asked.
inline constexpr size_t kOpenApprovalsMax = 1000;
// What a person approved a day ago is another situation.
inline constexpr absl::Duration kApprovalValidityMax = absl::Hours(24);
// Approvals whose time is up in one timer pass.
inline constexpr int kDueApprovalsPerTick = 100;
inline constexpr int kPolicyItemsMax = 1000;
// Why a version of a policy was made. Versions are listed whole, so that a sentence or two is enough.
inline constexpr size_t kPolicyReasonBytesMax = 1000;
inline constexpr int kPolicyViolationsMax = 100;
// Pages.
inline constexpr int kPageSizeDefault = 100;
inline constexpr int kPageSizeMax = 1000;
// A filtered page looks at no more rows than this, so that it ends in time.
inline constexpr int kPageRowsMax = 5000;
inline constexpr size_t kTasksMax = 1000000;
// Runs of a task that wait for one another; who has more to do wants another schedule.
inline constexpr int kQueuedRunsMax = 100;
// A run that is later was missed.
inline constexpr absl::Duration kMisfireGrace = absl::Minutes(1);
inline constexpr absl::Duration kCatchUpWindow = absl::Hours(1);
// Skipped times are counted up to here, because to count is to look at each.
inline constexpr int64_t kSkipsCounted = 1000;
// Each tenant and agent takes memory for good; far above what one machine serves.
inline constexpr size_t kTenantsMax = 100000;
inline constexpr int64_t kAgentsMax = 1000000;
// The alert log is cut at its old end by whichever comes first.
inline constexpr absl::Duration kAlertRetention = absl::Hours(24 * 30);
inline constexpr int64_t kAlertLogBytesMax = int64_t{10} << 30;
// So are the decisions, but for those of the last 24 hours, from which limits are decided.
inline constexpr absl::Duration kDecisionRetention = absl::Hours(24 * 90);
inline constexpr int64_t kDecisionLogBytesMax = int64_t{100} << 30;
// A start reads the newest decisions one by one up to here, and the others in chunks of so many.
inline constexpr int kDecisionsPerChunk = 1024;
// Auditors ask about the last year, and some weeks later.
inline constexpr absl::Duration kAuditRetention = absl::Hours(24 * 400);
// Rows of the audit log are removed so many at a time, because each removal is a row itself.
inline constexpr int64_t kAuditRowsPerCut = 1024;
// What the new policy would have done last week; the log of commands is cut at its old end by whichever comes first.
inline constexpr absl::Duration kRecordingRetention = absl::Hours(24 * 7);
inline constexpr int64_t kRecordingBytesMax = int64_t{10} << 30;
// Large batches of commands are split, so that no row takes long to read.
inline constexpr int64_t kRecordingRowBytesMax = 256 * 1024;
// Differences that are listed of a shadow policy; the others are only counted.
inline constexpr int64_t kShadowDifferencesMax = 10'000;
// A timer pass claims no more tasks than this, so that calls are not kept waiting.
inline constexpr int kDueTasksPerTick = 100;

// What is saved before an action: enough for a document or a configuration; more belongs into a store of the agent's
// own, with a reference in the checkpoint.
inline constexpr size_t kCheckpointStateBytesMax = 256 * 1024;
// The state of a day ago is not what an action finds today.
inline constexpr absl::Duration kCheckpointValidity = absl::Hours(24);
// Who notices later than a month what an action did has other means.
inline constexpr absl::Duration kCheckpointRetention = absl::Hours(24 * 30);
// Of one agent, those that were used and those that were not each so many, and as many rollbacks that are open. The
// oldest go first, so that an agent that runs wild neither fills its tenant's share nor loses what it can be brought
// back to.
inline constexpr size_t kCheckpointsPerAgentMax = 100;
// Of one tenant; beyond them none is created, because no agent may push out what another one needs.
inline constexpr size_t kCheckpointsMax = 10000;
inline constexpr int64_t kCheckpointBytesMax = int64_t{1} << 30;
// Checkpoints whose time is up in one timer pass.
inline constexpr int kDueCheckpointsPerTick = 100;
// An agent that has not answered for an hour may have restored anything or nothing.
inline constexpr absl::Duration kRollbackTimeMax = absl::Hours(1);
// Whoever goes back further looks first at what that has done.
inline constexpr int kRollbacksPerRequestMax = 50;
// Rollbacks whose time is up in one timer pass.
inline constexpr int kDueRollbacksPerTick = 100;
// How long an episode's hold and its reopen window, and the window of a common cause, can be.
inline constexpr absl::Duration kEpisodeWindowMax = absl::Hours(24);
// Agents that a common cause can ask for.
inline constexpr int kCommonCauseAgentsMax = 10'000;
// Episodes that time changes in one timer pass.
inline constexpr int kDueEpisodesPerTick = 100;

static_assert(kWindowPointsMax >= static_cast<size_t>(kPointsPerReportMax));
static_assert(kLimitMax >= static_cast<int64_t>(kAttemptTimesMin));
static_assert(kAuditRetention >= kDecisionRetention);
// An open rollback ends before its checkpoint goes.
static_assert(kRollbackTimeMax < kCheckpointRetention);

}  // namespace interlock
