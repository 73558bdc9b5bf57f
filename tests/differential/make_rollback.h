// Random commands about checkpoints and rollbacks; without tenants, agents and request ids, which the script gives.
#pragma once

#include "tests/differential/random.h"
#include "tests/differential/script.h"

namespace interlock::differential {

v1::CreateCheckpointRequest MakeSave(Random& random);
GoBack MakeGoBack(Random& random);
TellOfRollback MakeTell(Random& random);
// Says something else, if `request` is one of them.
void MakeOtherRollback(Request& request);

}  // namespace interlock::differential
