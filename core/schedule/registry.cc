#include "core/schedule/registry.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/time.h"

namespace interlock::schedule {
namespace {

constexpr int kAttemptsMax = 30;

}  // namespace

absl::Time TaskType::NextRunTime(const v1::Task& task, absl::Time now) const {
  return now + (task.has_interval() ? FromProto(task.interval()) : default_interval);
}

absl::Time TaskType::NextRetryTime(int failures, absl::Time now) const {
  INTERLOCK_CHECK(failures >= 1 && failures < attempts_max);
  return now + backoff_base * (int64_t{1} << (failures - 1));
}

absl::Status Registry::Register(TaskType type) {
  INTERLOCK_CHECK(type.default_interval > absl::ZeroDuration() && type.backoff_base > absl::ZeroDuration());
  INTERLOCK_CHECK(type.attempts_max >= 1 && type.attempts_max <= kAttemptsMax);
  if (Find(type.name) != nullptr) {
    return MakeError(
        absl::StatusCode::kAlreadyExists, "TASK_TYPE_EXISTS",
        absl::StrCat("the task type \"", type.name, "\" is registered already; give the new one another name"));
  }
  std::string name = type.name;
  types_.emplace(std::move(name), std::move(type));
  return absl::OkStatus();
}

const TaskType* Registry::Find(absl::string_view name) const {
  const auto found = types_.find(name);
  return found == types_.end() ? nullptr : &found->second;
}

std::vector<std::string> Registry::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, type] : types_) names.push_back(name);
  return names;
}

Registry BuiltInTypes() {
  Registry registry;
  TaskType oauth_token;
  oauth_token.name = "oauth_token";
  oauth_token.default_interval = absl::Hours(24 * 7);
  oauth_token.backoff_base = absl::Minutes(15);
  oauth_token.attempts_max = 3;
  oauth_token.user_alert_type = "oauth_token_failure";
  oauth_token.user_alert_subject = "Token Renewal";
  INTERLOCK_CHECK(registry.Register(std::move(oauth_token)).ok());
  return registry;
}

}  // namespace interlock::schedule
