// Subscribers of the alert stream, who prove with client/alert_cursor.h that they miss nothing, whatever happens to
// their streams.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/alert_cursor.h"
#include "client/retry.h"
#include "tests/simulation/cast.h"
#include "tests/simulation/checkers/alert_checker.h"
#include "tests/simulation/network.h"
#include "tests/simulation/server.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workload.h"

namespace interlock::simulation {

class Subscribers final : public Workload {
 public:
  Subscribers(Sim& sim, SimServer& server, Network& network, const Cast& cast, const AlertChecker& alerts);
  ~Subscribers() override;

  absl::string_view name() const override { return "subscribers"; }
  void Setup() override;
  // Cuts a stream.
  void Step() override;
  bool IsDone() const override;
  void Check() override;

 private:
  class Subscriber;

  Sim& sim_;
  SimServer& server_;
  Network& network_;
  const Cast& cast_;
  const AlertChecker& alerts_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
};

}  // namespace interlock::simulation
