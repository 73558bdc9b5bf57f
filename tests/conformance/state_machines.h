// docs/state_machines.md, made from the tables that the engine runs by.
#pragma once

#include <string>

namespace interlock::conformance {

// The whole page.
std::string StateMachinesPage();

}  // namespace interlock::conformance
