// The keys of every table. Keys sort as their rows are read: strings end with a zero byte (identifiers hold none),
// numbers are 8 bytes big-endian. docs/storage_format.md shows each key; keys_test.cc fixes them byte by byte.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/metric.pb.h"

namespace interlock::keys {

// The only row of kHeader and of kEngine.
std::string Singleton();
// kTenant.
std::string Tenant(absl::string_view tenant_id);
// kAgent.
std::string Agent(absl::string_view tenant_id, absl::string_view agent_id);
// kPoint: by tenant, agent, metric, point id.
std::string Point(absl::string_view tenant_id, absl::string_view agent_id, v1::Metric metric, int64_t point_id);
// kPolicy, kDecision, kUserAlert, kApproval, kClosedApproval, kRollback, kClosedRollback, kShadowDifference: by
// tenant, then version, sequence or id.
std::string TenantNumber(absl::string_view tenant_id, int64_t number);
// kShadow: by tenant; then, for the counts, one byte more.
std::string ShadowCounts(absl::string_view tenant_id);
// kAlert, kAudit: by sequence. kRecording: by the number of the row. kEpisode, kResolvedEpisode: by the number in the
// id.
std::string Number(int64_t number);
// kLock: the locks in force, by the number in the id, then the released ones; so that what is in force is read without
// what ever was. A released lock's row moves.
std::string Lock(v1::LockState state, int64_t number);
// What the keys of the locks in force begin with.
std::string LocksInForce();
// kCheckpoint: all but the state, by tenant and the number in the id, then the states; so that a start and a list read
// what is known of the checkpoints without what they hold.
std::string Checkpoint(absl::string_view tenant_id, int64_t number);
std::string CheckpointState(absl::string_view tenant_id, int64_t number);
// What the keys begin with that are no state: of all tenants, and of one.
std::string Checkpoints();
std::string CheckpointsOf(absl::string_view tenant_id);
// kTask: by tenant and task number.  kAttempt: by tenant, task number and lease epoch.
std::string Attempt(absl::string_view tenant_id, int64_t task_number, int64_t lease_epoch);
// kRequest: by tenant, method and request id.
std::string Request(absl::string_view tenant_id, absl::string_view method, absl::string_view request_id);

// The first key after every key that begins with `prefix`; empty: to the end of the table.
std::string PrefixEnd(absl::string_view prefix);
// The string that `key` begins with, for example the tenant.
absl::string_view FirstString(absl::string_view key);
// The string after it, for example the method in a key of kRequest; empty if there is none.
absl::string_view SecondString(absl::string_view key);
// The number in the last 8 bytes of `key`; -1 if it is shorter.
int64_t LastNumber(absl::string_view key);

}  // namespace interlock::keys
