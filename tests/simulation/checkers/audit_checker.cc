#include "tests/simulation/checkers/audit_checker.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "server/rpc/audit_check.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/reader.h"

namespace interlock::simulation {
namespace {

// How likely a commit is followed by a check.
constexpr double kCheckShare = 0.02;
// So few that a check takes several calls.
constexpr int kRowsPerCall = 40;

}  // namespace

void AuditChecker::Take(const std::string& tenant_id, const std::string& record_id, int64_t version,
                        const v1::Principal& caller) {
  // A repeat answers what the first call made.
  callers_.try_emplace({tenant_id, record_id, version}, caller);
}

template <typename Call>
void AuditChecker::TakeLock(const Call& call) {
  if (call.reply.ok()) Take(call.reply->tenant_id(), call.reply->lock_id(), call.reply->version(), call.caller);
}

void AuditChecker::OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) {
  if (call.reply.ok()) Take(call.reply->tenant_id(), call.reply->decision_id(), 0, call.caller);
}

void AuditChecker::OnSettled(const Settled<v1::EngageLockRequest, v1::Lock>& call) { TakeLock(call); }
void AuditChecker::OnSettled(const Settled<v1::AcknowledgeLockRequest, v1::Lock>& call) { TakeLock(call); }
void AuditChecker::OnSettled(const Settled<v1::ReleaseLockRequest, v1::Lock>& call) { TakeLock(call); }

void AuditChecker::OnSettled(const Settled<v1::DecideApprovalRequest, v1::Approval>& call) {
  if (!call.reply.ok()) return;
  Take(call.reply->tenant_id(), call.reply->approval_id(), call.reply->version(), call.caller);
}

void AuditChecker::OnPolicy(const v1::PolicySet& policy, const v1::Principal& caller) {
  Take(policy.tenant_id(), absl::StrCat("policy-", policy.version()), policy.version(), caller);
}

void AuditChecker::OnOpened(const server::Core& core) { Check(*core.store); }

void AuditChecker::OnCommitted(const Effects&, const Engine&) {
  if (sim_.random.Chance(kCheckShare)) Check(disk_.rows());
}

void AuditChecker::Check(const Store& store) {
  if (!sim_.trace.failed()) CheckChain(store);
  if (!sim_.trace.failed()) CheckRows(store);
}

void AuditChecker::CheckChain(const Store& store) {
  v1::VerifyAuditLogRequest request;
  request.set_rows_max(kRowsPerCall);
  do {
    const auto response = server::Read(store, request);
    if (!response.ok()) return sim_.trace.Fail("audit-chain", response.status().ToString());
    if (!response->intact()) return sim_.trace.Fail("audit-chain", response->description());
    if (response->records_unchecked() > 0) {
      return sim_.trace.Fail("audit-chain", response->records_unchecked(), " records were not followed");
    }
    request.set_continuation(response->continuation());
  } while (!request.continuation().empty());
  sim_.coverage.Count("check", "audit log verified");
}

void AuditChecker::CheckRows(const Store& store) {
  rows_.clear();
  for (const v1::AuditRow& row : AuditRowsIn(store)) {
    if (sim_.trace.failed()) return;
    sim_.coverage.Count("audit row", v1::AuditKind_Name(row.kind()));
    const Record record = {row.tenant_id(), row.record_id(), row.record_version()};
    if (!rows_.emplace(record, row.principal()).second) {
      sim_.trace.Fail("audit-rows", "row ", row.sequence(), " is the second about ", row.record_id(), " at version ",
                      row.record_version());
    }
    const auto caller = callers_.find(record);
    if (caller == callers_.end()) continue;
    if (caller->second.kind() != row.principal().kind() || caller->second.id() != row.principal().id()) {
      sim_.trace.Fail("audit-callers", "row ", row.sequence(), " about ", row.record_id(), " names \"",
                      row.principal().id(), "\", but \"", caller->second.id(), "\" called");
    }
  }
  for (const v1::Lock& lock : LocksIn(store)) CheckVouched({lock.tenant_id(), lock.lock_id(), lock.version()});
  for (const std::string& tenant_id : cast_.tenants) {
    for (const v1::Decision& decision : DecisionsIn(store, tenant_id)) {
      CheckVouched({tenant_id, decision.decision_id(), 0});
    }
    for (const bool closed : {false, true}) {
      for (const v1::Approval& approval :
           closed ? ClosedApprovalsIn(store, tenant_id) : ApprovalsIn(store, tenant_id)) {
        CheckVouched({tenant_id, approval.approval_id(), approval.version()});
      }
    }
    for (const v1::PolicySet& policy : PoliciesIn(store, tenant_id)) {
      CheckVouched({tenant_id, absl::StrCat("policy-", policy.version()), policy.version()});
    }
  }
}

void AuditChecker::CheckVouched(const Record& record) {
  if (rows_.count(record) > 0) return;
  sim_.trace.Fail("audit-rows", "no row vouches for ", std::get<1>(record), " of ", std::get<0>(record), " at version ",
                  std::get<2>(record));
}

}  // namespace interlock::simulation
