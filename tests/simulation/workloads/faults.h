// What goes wrong: machines, disks, networks and clocks. Each fault is a workload, taken back when the run stops.
#pragma once

#include <memory>
#include <vector>

#include "tests/simulation/disk.h"
#include "tests/simulation/network.h"
#include "tests/simulation/server.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workload.h"

namespace interlock::simulation {

// Every kind of fault. The arguments must outlive them.
std::vector<std::unique_ptr<Workload>> MakeFaults(Sim& sim, SimDisk& disk, SimServer& server, Network& network);

}  // namespace interlock::simulation
