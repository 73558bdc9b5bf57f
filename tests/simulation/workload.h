// What happens in a run, in parts that are combined at random: each is a kind of actor or a kind of fault.
#pragma once

#include "absl/strings/string_view.h"

namespace interlock::simulation {

class Workload {
 public:
  virtual ~Workload() = default;

  virtual absl::string_view name() const = 0;
  // Once, before the first step; the server does not run yet.
  virtual void Setup() {}
  // Begins one thing; called at random times while the run is active. It must not wait: what takes time goes on as
  // events.
  virtual void Step() = 0;
  // The run is over for this workload: from here on everything works. Faults are taken back, actors begin nothing new.
  virtual void Stop() {}
  // Whether all that it began has come to its end. Asked from Stop on, until all workloads answer true.
  virtual bool IsDone() const { return true; }
  // After all is done: what must be true of the end.
  virtual void Check() {}
};

}  // namespace interlock::simulation
