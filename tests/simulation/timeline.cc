#include "tests/simulation/timeline.h"

#include <algorithm>
#include <utility>

namespace interlock::simulation {

void Timeline::At(absl::Time time, Event event) {
  events_.push_back({std::max(time, now_), ++last_id_, std::move(event)});
  std::push_heap(events_.begin(), events_.end(), Later);
}

void Timeline::RunUntil(absl::Time end, const std::function<bool()>& stop) {
  while (!events_.empty() && events_.front().time <= end) {
    std::pop_heap(events_.begin(), events_.end(), Later);
    const Entry entry = std::move(events_.back());
    events_.pop_back();
    now_ = std::max(now_, entry.time);
    ++events_run_;
    entry.event();
    if (stop()) return;
  }
  now_ = std::max(now_, end);
}

}  // namespace interlock::simulation
