// Random actions.
#pragma once

#include <cstdint>

#include "interlock/v1/action.pb.h"
#include "tests/differential/random.h"

namespace interlock::differential {

// What is proposed, without tenant, agent and time. So many of a hundred are not autonomous.
void FillAction(uint32_t by_hand_percent, Random& random, v1::Action& action);

}  // namespace interlock::differential
