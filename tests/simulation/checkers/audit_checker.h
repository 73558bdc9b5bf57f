// The audit log that is durable is one unbroken chain; it vouches for every durable decision, lock, approval and
// policy, and says who called for it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "tests/simulation/cast.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/sim.h"

namespace interlock::simulation {

class AuditChecker final : public Observer {
 public:
  AuditChecker(Sim& sim, const Cast& cast, const SimDisk& disk) : sim_(sim), cast_(cast), disk_(disk) {}

  using Observer::OnSettled;
  void OnOpened(const server::Core& core) override;
  void OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) override;
  void OnSettled(const Settled<v1::EngageLockRequest, v1::Lock>& call) override;
  void OnSettled(const Settled<v1::AcknowledgeLockRequest, v1::Lock>& call) override;
  void OnSettled(const Settled<v1::ReleaseLockRequest, v1::Lock>& call) override;
  void OnSettled(const Settled<v1::DecideApprovalRequest, v1::Approval>& call) override;
  void OnPolicy(const v1::PolicySet& policy, const v1::Principal& caller) override;
  // Now and then checks all that is durable.
  void OnCommitted(const Effects& effects, const Engine& engine) override;

 private:
  // A version of a record: its tenant, id and version.
  using Record = std::tuple<std::string, std::string, int64_t>;

  void Take(const std::string& tenant_id, const std::string& record_id, int64_t version, const v1::Principal& caller);
  template <typename Call>
  void TakeLock(const Call& call);
  void Check(const Store& store);
  void CheckChain(const Store& store);
  void CheckRows(const Store& store);
  void CheckVouched(const Record& record);

  Sim& sim_;
  const Cast& cast_;
  const SimDisk& disk_;
  // Who called for it.
  std::map<Record, v1::Principal> callers_;
  // Those that have a row, by whom.
  std::map<Record, v1::Principal> rows_;
};

}  // namespace interlock::simulation
