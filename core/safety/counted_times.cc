#include "core/safety/counted_times.h"

#include <algorithm>

namespace interlock::safety {

void CountedTimes::Add(absl::Time time, bool allowed) {
  const absl::Time counted = std::max(time, attempts_.Newest());
  if (!allowed && !allowed_.has_value()) allowed_ = attempts_;
  attempts_.Add(counted);
  if (allowed && allowed_.has_value()) allowed_->Add(counted);
}

}  // namespace interlock::safety
