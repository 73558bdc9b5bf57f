// What the checks of a policy share. Private to core/policy.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/limits.h"
#include "google/protobuf/duration.pb.h"
#include "interlock/v1/policy_service.pb.h"

namespace interlock::policy {

inline constexpr int kTierCount = 3;
inline constexpr int kCategoriesPerRuleMax = 100;

// Collects violations until there are enough, and knows the checks that several fields share.
class Checker {
 public:
  void Add(absl::string_view field, absl::string_view description);

  bool full() const { return violations_.size() >= static_cast<size_t>(kPolicyViolationsMax); }
  std::vector<v1::PolicyViolation> Take() { return std::move(violations_); }

  void CheckRatio(absl::string_view field, double value);

  void CheckSeconds(absl::string_view field, double value);

  void CheckCount(absl::string_view field, int64_t value, int64_t min, int64_t max);

  void CheckSize(absl::string_view field, int size, int min, int max);

  void CheckText(absl::string_view field, absl::string_view text, size_t bytes_max);
  // A text in lower case.
  void CheckLower(absl::string_view field, absl::string_view text, size_t bytes_max);
  // Above 0 and at most 24 hours.
  void CheckWindow(absl::string_view field, const google::protobuf::Duration& window);

 private:
  std::vector<v1::PolicyViolation> violations_;
};

}  // namespace interlock::policy
