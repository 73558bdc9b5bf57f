#include "server/feed/alert_matcher.h"

#include <algorithm>

namespace interlock::server {
namespace {

// Without asking for more a subscriber hears of what concerns everyone: systemic anomalies and
// locks.
constexpr int32_t kSubscribedTierMin = 3;

}  // namespace

AlertMatcher::AlertMatcher(const v1::SubscribeAlertsRequest& request)
    : tenant_id_(request.tenant_id()),
      min_tier_(request.has_min_tier() ? request.min_tier() : kSubscribedTierMin),
      agent_id_(request.filter().agent_id()),
      types_(request.filter().types().begin(), request.filter().types().end()) {}

AlertMatcher::AlertMatcher(const v1::ListAlertsRequest& request)
    : tenant_id_(request.tenant_id()),
      min_tier_(request.min_tier()),
      agent_id_(request.filter().agent_id()),
      types_(request.filter().types().begin(), request.filter().types().end()) {}

bool AlertMatcher::Matches(const v1::Alert& alert) const {
  if (alert.tier() < min_tier_) return false;
  if (!tenant_id_.empty() && !alert.tenant_id().empty() && alert.tenant_id() != tenant_id_) return false;
  if (!agent_id_.empty() && alert.agent_id() != agent_id_) return false;
  return types_.empty() || std::find(types_.begin(), types_.end(), alert.type()) != types_.end();
}

}  // namespace interlock::server
