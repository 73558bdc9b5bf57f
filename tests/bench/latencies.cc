#include "tests/bench/latencies.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "core/base/check.h"

namespace interlock::bench {

void Latencies::Add(const Latencies& others) {
  nanoseconds_.insert(nanoseconds_.end(), others.nanoseconds_.begin(), others.nanoseconds_.end());
}

absl::Duration Latencies::Percentile(double share) const {
  if (nanoseconds_.empty()) return absl::ZeroDuration();
  std::vector<int64_t> sorted = nanoseconds_;
  const auto rank = static_cast<int64_t>(std::ceil(share * static_cast<double>(sorted.size())));
  const auto place = sorted.begin() + std::clamp<int64_t>(rank - 1, 0, count() - 1);
  std::nth_element(sorted.begin(), place, sorted.end());
  return absl::Nanoseconds(*place);
}

double Median(std::vector<double> values) {
  INTERLOCK_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string PercentilesText(const Latencies& latencies) {
  const auto ms = [&](double share) { return absl::ToDoubleMilliseconds(latencies.Percentile(share)); };
  return absl::StrFormat("p50 %7.3f  p90 %7.3f  p99 %7.3f  p99.9 %7.3f ms", ms(0.5), ms(0.9), ms(0.99), ms(0.999));
}

}  // namespace interlock::bench
