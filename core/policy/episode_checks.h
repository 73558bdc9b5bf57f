// Checks of what a policy says about episodes, and of what locks by itself. Private to core/policy.
#pragma once

#include "core/policy/checker.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::policy {

void CheckEpisodeRule(const v1::EpisodeRule& rule, Checker& checker);
void CheckCommonCauseRule(const v1::PolicySet& policy, Checker& checker);
void CheckLockRules(const v1::PolicySet& policy, Checker& checker);

}  // namespace interlock::policy
