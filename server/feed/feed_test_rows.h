// Alerts and locks for tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/engine/keys.h"
#include "core/engine/store.h"
#include "interlock/v1/alert.pb.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/state.pb.h"

namespace interlock::server {

inline v1::Alert TestAlert(int64_t sequence, int32_t tier = 3, const std::string& tenant_id = "t1") {
  v1::Alert alert;
  alert.set_sequence(sequence);
  alert.set_epoch("e1");
  alert.set_type("systemic_anomaly");
  alert.set_tenant_id(tenant_id);
  alert.set_agent_id("a1");
  alert.set_tier(tier);
  return alert;
}

// The alerts [first, last], of tier 3.
inline std::vector<v1::Alert> TestAlerts(int64_t first, int64_t last) {
  std::vector<v1::Alert> alerts;
  for (int64_t sequence = first; sequence <= last; ++sequence) alerts.push_back(TestAlert(sequence));
  return alerts;
}

inline WriteSet AlertRows(const std::vector<v1::Alert>& alerts) {
  WriteSet writes;
  for (const v1::Alert& alert : alerts) writes.Put(Table::kAlert, keys::Number(alert.sequence()), alert);
  return writes;
}

inline v1::Lock TestLock(int64_t number, int64_t revision, v1::LockState state = v1::LOCK_STATE_TRIPPED,
                         const std::string& tenant_id = "t1") {
  v1::Lock lock;
  lock.set_lock_id("lock-" + std::to_string(number));
  lock.set_tenant_id(tenant_id);
  lock.set_state(state);
  lock.set_revision(revision);
  return lock;
}

// Bytes that are neither an alert nor a lock: field 2 of both is text, and this is not.
inline v1::RequestRecord DamagedRow() {
  v1::RequestRecord row;
  row.set_request_digest("\xff");
  return row;
}

}  // namespace interlock::server
