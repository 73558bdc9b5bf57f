// Simulated time: what is to happen when. Time passes only from one event to the next.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/time.h"

namespace interlock::simulation {

// Thread-compatible.
class Timeline {
 public:
  using Event = std::function<void()>;

  absl::Time now() const { return now_; }

  // Events of the same time run in the order in which they were added. A time that has passed is now.
  void At(absl::Time time, Event event);
  void After(absl::Duration delay, Event event) { At(now_ + delay, std::move(event)); }

  // Runs events in order until `end` has come or `stop` answers true, which is asked after each event. Then it is
  // `end`, or the time of the last event. An event may itself call RunUntil: it waits, while all others go on.
  void RunUntil(absl::Time end, const std::function<bool()>& stop);

  int64_t events_run() const { return events_run_; }

 private:
  struct Entry {
    absl::Time time;
    int64_t id;
    Event event;
  };
  static bool Later(const Entry& a, const Entry& b) { return a.time != b.time ? a.time > b.time : a.id > b.id; }

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  int64_t last_id_ = 0;
  int64_t events_run_ = 0;
  // A heap: the next event is in front.
  std::vector<Entry> events_;
};

}  // namespace interlock::simulation
