// Which alerts a reader of the log asked for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "interlock/v1/alert.pb.h"
#include "interlock/v1/alert_service.pb.h"

namespace interlock::server {

// Immutable.
class AlertMatcher {
 public:
  // `min_tier` unset: 3.
  explicit AlertMatcher(const v1::SubscribeAlertsRequest& request);
  // `min_tier` unset: every tier.
  explicit AlertMatcher(const v1::ListAlertsRequest& request);

  // Alerts of the fleet, which have no tenant, pass every tenant's filter.
  bool Matches(const v1::Alert& alert) const;

 private:
  std::string tenant_id_;
  int32_t min_tier_;
  std::string agent_id_;
  std::vector<std::string> types_;
};

}  // namespace interlock::server
