// Random outcomes of actions.
#pragma once

#include <cstdint>

#include "interlock/v1/safety_service.pb.h"
#include "tests/differential/random.h"

namespace interlock::differential {

// Of one of the newest of about `decision_count` decisions, or of one that nobody made; without tenant and request_id.
v1::ReportActionOutcomeRequest MakeOutcome(uint32_t decision_count, Random& random);

}  // namespace interlock::differential
