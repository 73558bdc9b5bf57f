#include "core/schedule/user_alert.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/time.h"

namespace interlock::schedule {
namespace {

constexpr std::pair<absl::string_view, absl::string_view> kPlatformNames[] = {
    {"gsc", "Google Search Console"},
    {"bing", "Bing Webmaster Tools"},
    {"wordpress", "WordPress"},
    {"wix", "Wix"},
};

std::string PlatformName(absl::string_view platform) {
  for (const auto& [id, name] : kPlatformNames) {
    if (platform == id) return std::string(name);
  }
  return absl::AsciiStrToUpper(platform);
}

}  // namespace

v1::UserAlert MakeUserAlert(const TaskType& type, const v1::Task& task, IdCounter& ids, absl::Time now) {
  const bool given_up = task.channel_status() == v1::CHANNEL_STATUS_DISCONNECTED;
  const std::string platform_name = PlatformName(task.target());
  v1::UserAlert alert;
  alert.set_user_alert_id(MakeId("useralert", ids.Next()));
  alert.set_tenant_id(task.tenant_id());
  alert.set_type(type.user_alert_type);
  alert.set_severity(given_up ? "error" : "warning");
  alert.set_title(absl::StrCat(platform_name, " ", type.user_alert_subject, " Failed"));
  const std::string what =
      absl::StrCat("The ", absl::AsciiStrToLower(type.user_alert_subject), " for ", platform_name, " failed");
  alert.set_message(given_up
                        ? absl::StrCat(what, " and is not tried again. Check the connection, then trigger the task.")
                        : absl::StrCat(what, ". It will be tried again; there is nothing to do yet."));
  alert.set_task_id(task.task_id());
  alert.set_platform(task.target());
  alert.set_requires_user_action(given_up);
  alert.set_channel_status(task.channel_status());
  alert.set_terminal_failure_reason(task.terminal_failure_reason());
  if (task.has_next_retry_time()) *alert.mutable_next_retry_time() = task.next_retry_time();
  alert.set_refresh_attempts(task.refresh_attempts());
  alert.set_max_refresh_retries(type.attempts_max);
  alert.set_billing_period(absl::FormatTime("%Y-%m", now, absl::UTCTimeZone()));
  *alert.mutable_create_time() = ToProto(now);
  return alert;
}

}  // namespace interlock::schedule
