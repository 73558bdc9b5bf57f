// Requests that many tests begin with. Every score, time and principal that matters to a test is set by the test.
#pragma once

#include "absl/strings/string_view.h"
#include "interlock/v1/alert_service.pb.h"
#include "interlock/v1/lock_service.pb.h"
#include "interlock/v1/monitor_service.pb.h"
#include "interlock/v1/safety_service.pb.h"

namespace interlock::support {

// A report over 100 actions whose every score is `score`, with a response time of 1 s.
v1::ReportSnapshotRequest ReportOf(absl::string_view tenant_id, absl::string_view agent_id, double score);

// An action that both profiles allow; "write_blog" makes it one of content_modification in `reference`.
v1::ArbitrateRequest ActionOf(absl::string_view tenant_id, absl::string_view agent_id,
                              absl::string_view action_type = "write_blog");

// Locks by hand. `id` as in LockScope.
v1::EngageLockRequest EngageOf(absl::string_view tenant_id, v1::ScopeKind kind, absl::string_view id,
                               absl::string_view reason);
// Releases `lock` at its version.
v1::AcknowledgeLockRequest AcknowledgeOf(const v1::Lock& lock);
v1::ReleaseLockRequest ReleaseOf(const v1::Lock& lock, absl::string_view reason);
// Whether the lock blocks, and whether its release begins with an acknowledgement.
bool IsInForce(const v1::Lock& lock);
bool NeedsAcknowledgement(const v1::Lock& lock);

// Every alert of a tenant (empty: of all) after `after_sequence`, of whatever tier.
v1::SubscribeAlertsRequest SubscriptionOf(absl::string_view tenant_id, int64_t after_sequence);

}  // namespace interlock::support
