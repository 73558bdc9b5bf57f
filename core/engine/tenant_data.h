// What the engine knows of one tenant and of one agent. Private to core/engine.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "core/monitor/window.h"
#include "core/safety/attempt_history.h"
#include "core/safety/compiled_policy.h"
#include "interlock/v1/assessment.pb.h"
#include "interlock/v1/shadow.pb.h"
#include "interlock/v1/snapshot.pb.h"
#include "interlock/v1/state.pb.h"

namespace interlock {

struct AgentData {
  monitor::AgentWindows windows;
  v1::Snapshot snapshot;
  v1::Assessment assessment;
  std::array<v1::CriteriaCount, 3> criteria;
  absl::Time report_time = absl::InfinitePast();
};

struct TenantData {
  v1::TenantState row;
  // Whether the row is in the store.
  bool stored = false;
  std::shared_ptr<const safety::CompiledPolicy> policy;
  // The rows of the newest versions of the policy, by version: all that may not be in the store yet.
  std::map<int64_t, std::string> recent_policies;
  // The candidate that decides beside it; null if there is none.
  std::shared_ptr<const safety::CompiledPolicy> shadow;
  v1::ShadowCounts shadow_counts;
  safety::AttemptHistory history;
  std::map<std::string, AgentData, std::less<>> agents;
};

}  // namespace interlock
