// Tasks, and the executors that run them: some work, some fail, some are late, end twice or never.
#pragma once

#include <string>
#include <vector>

#include "tests/simulation/cast.h"
#include "tests/simulation/network.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/server.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workload.h"

namespace interlock::simulation {

// Is told of grants as an observer of the server.
class Tasks final : public Workload, public Observer {
 public:
  Tasks(Sim& sim, SimServer& server, Network& network, const Cast& cast)
      : sim_(sim), server_(server), network_(network), cast_(cast) {}

  absl::string_view name() const override { return "tasks"; }
  void Setup() override { server_.AddObserver(*this); }
  void Step() override;
  void Stop() override { reliable_ = true; }
  void Check() override;

  void OnCommitted(const Effects& effects, const Engine& engine) override;

 private:
  void Create();
  void Trigger();
  void Execute(const v1::TaskRecord& grant);
  void End(const AttemptResult& result, absl::Duration delay);
  // All tasks, as ListTasks shows them; none if the store is not open.
  std::vector<v1::Task> List() const;

  Sim& sim_;
  SimServer& server_;
  Network& network_;
  const Cast& cast_;
  // Executors no longer misbehave.
  bool reliable_ = false;
};

}  // namespace interlock::simulation
