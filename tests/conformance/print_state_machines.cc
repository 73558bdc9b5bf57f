// Prints docs/state_machines.md.

#include <iostream>

#include "tests/conformance/state_machines.h"

int main() {
  std::cout << interlock::conformance::StateMachinesPage();
  return 0;
}
