#include "server/config/config.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "core/policy/profiles.h"

ABSL_FLAG(std::string, listen, interlock::server::Config().listen,
          "Where to serve: ADDRESS:PORT; port 0 takes any that is free. Only loopback addresses (127.x.x.x, [::1], "
          "localhost) are taken, because callers are not authenticated yet.");
ABSL_FLAG(std::string, data_dir, interlock::server::Config().data_dir,
          "The folder that everything is kept in; it is made if it is missing. One server at a time uses it.");
ABSL_FLAG(std::string, default_profile, interlock::server::Config().default_profile,
          "The built-in policy of tenants that have none of their own: reference or tool_calling.");
ABSL_FLAG(
    std::string, time_source, "wall",
    "Where time comes from: wall (the machine's clock) or request (the times in requests, for replays, simulations "
    "and tests; nothing fires by the clock then). request is only taken with a loopback --listen.");
ABSL_FLAG(
    absl::Duration, alert_retention, interlock::server::Config().alert_retention,
    "How long alerts stay in the log, for example 720h; at least 1m. Whoever resumes from an older one is told how "
    "many were lost.");
ABSL_FLAG(int64_t, alert_log_bytes_max, interlock::server::Config().alert_log_bytes_max,
          "How many bytes of alerts stay in the log, at least 1024.");
ABSL_FLAG(absl::Duration, decision_retention, interlock::server::Config().decision_retention,
          "How long decisions are kept, for example 2160h; at least 24h, because limits are decided from them.");
ABSL_FLAG(int64_t, decision_log_bytes_max, interlock::server::Config().decision_log_bytes_max,
          "How many bytes of decisions are kept, before compression, at least 1024; those of the last 24 hours stay in "
          "any case.");
ABSL_FLAG(absl::Duration, audit_retention, interlock::server::Config().audit_retention,
          "How long rows of the audit log are kept, for example 9600h; at least as long as decisions. A row says which "
          "were removed, so that the rest can still be verified.");
ABSL_FLAG(absl::Duration, recording_retention, interlock::server::Config().recording_retention,
          "How long commands are recorded so that policies can be replayed on them, for example 168h. 0 records none "
          "and removes what there is.");
ABSL_FLAG(int64_t, recording_bytes_max, interlock::server::Config().recording_bytes_max,
          "How many bytes of commands are recorded, before compression, at least 1024.");
ABSL_FLAG(int32_t, executor_threads, interlock::server::Config().executor_threads,
          "How many attempts of tasks run at once, 1 to 256.");
ABSL_FLAG(
    std::string, secret_key_file, interlock::server::Config().secret_key_file,
    "The file with the key that secrets are sealed with, readable by its owner alone; it is made if it is missing. "
    "Empty: secret.key in --data_dir. Without it stored secrets are lost, so keep a copy elsewhere.");
ABSL_FLAG(std::string, audit_key_file, interlock::server::Config().audit_key_file,
          "The PEM file with the Ed25519 private key that exports of the audit log are signed with, readable by its "
          "owner alone; it is made if it is missing. Empty: audit_key.pem in --data_dir.");

namespace interlock::server {
namespace {

constexpr int32_t kExecutorThreadsMax = 256;
constexpr absl::Duration kAlertRetentionMin = absl::Minutes(1);
constexpr int64_t kLogBytesMin = 1024;

absl::Status Invalid(absl::string_view flag, absl::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "CONFIG_INVALID", absl::StrCat("--", flag, " ", what));
}

// The address and the port of ADDRESS:PORT; empty if it is not of this form.
std::pair<std::string, std::string> SplitListen(absl::string_view listen) {
  const size_t colon = listen.rfind(':');
  if (colon == absl::string_view::npos) return {};
  absl::string_view host = listen.substr(0, colon);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    host = host.substr(1, host.size() - 2);
  } else if (absl::StrContains(host, ':')) {
    return {};
  }
  return {std::string(host), std::string(listen.substr(colon + 1))};
}

// Digits only: signs and spaces are mistakes here.
bool ParseNumber(absl::string_view text, int max, int* number) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit) &&
         absl::SimpleAtoi(text, number) && *number <= max;
}

bool IsLoopback(absl::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  const std::vector<std::string> parts = absl::StrSplit(host, '.');
  int number = 0;
  return parts.size() == 4 && parts[0] == "127" &&
         std::all_of(parts.begin(), parts.end(),
                     [&](const std::string& part) { return ParseNumber(part, 255, &number); });
}

absl::Status CheckListen(absl::string_view listen) {
  const auto [host, port] = SplitListen(listen);
  int number = 0;
  if (host.empty() || !ParseNumber(port, 65535, &number)) {
    return Invalid("listen", absl::StrCat("is ADDRESS:PORT, for example 127.0.0.1:7420, not \"", listen, "\""));
  }
  if (!IsLoopback(host)) {
    return Invalid("listen", absl::StrCat("must be a loopback address such as 127.0.0.1, not ", host,
                                          ": callers are not authenticated yet, so whoever reaches the port could "
                                          "release locks; to serve other machines, forward an authenticated tunnel"));
  }
  return absl::OkStatus();
}

// How long and how large the log of `what` may grow.
absl::Status CheckLog(absl::string_view what, absl::Duration retention, absl::Duration retention_min,
                      int64_t bytes_max) {
  if (retention < retention_min) {
    return Invalid(absl::StrCat(what, "_retention"), absl::StrCat("is at least ", absl::FormatDuration(retention_min),
                                                                  ", not ", absl::FormatDuration(retention)));
  }
  if (bytes_max < kLogBytesMin) {
    return Invalid(absl::StrCat(what, "_log_bytes_max"),
                   absl::StrCat("is at least ", kLogBytesMin, ", not ", bytes_max));
  }
  return absl::OkStatus();
}

}  // namespace

std::string ListenHost(const Config& config) { return SplitListen(config.listen).first; }

std::string SecretKeyPath(const Config& config) {
  return config.secret_key_file.empty() ? absl::StrCat(config.data_dir, "/secret.key") : config.secret_key_file;
}

std::string AuditKeyPath(const Config& config) {
  return config.audit_key_file.empty() ? absl::StrCat(config.data_dir, "/audit_key.pem") : config.audit_key_file;
}

absl::Status CheckConfig(const Config& config) {
  INTERLOCK_RETURN_IF_ERROR(CheckListen(config.listen));
  if (config.data_dir.empty()) return Invalid("data_dir", "names a folder; it is empty");
  if (policy::FindProfile(config.default_profile) == nullptr) {
    return Invalid("default_profile", absl::StrCat("is one of ", absl::StrJoin(policy::ProfileNames(), ", "),
                                                   ", not \"", config.default_profile, "\""));
  }
  if (config.time_source != v1::TIME_SOURCE_WALL && config.time_source != v1::TIME_SOURCE_REQUEST) {
    return Invalid("time_source", "is wall or request");
  }
  INTERLOCK_RETURN_IF_ERROR(CheckLog("alert", config.alert_retention, kAlertRetentionMin, config.alert_log_bytes_max));
  INTERLOCK_RETURN_IF_ERROR(CheckLog("decision", config.decision_retention, kWindow, config.decision_log_bytes_max));
  if (config.audit_retention < config.decision_retention) {
    return Invalid("audit_retention", absl::StrCat("is at least --decision_retention, which is ",
                                                   absl::FormatDuration(config.decision_retention), ", not ",
                                                   absl::FormatDuration(config.audit_retention)));
  }
  if (config.recording_retention < absl::ZeroDuration()) {
    return Invalid("recording_retention",
                   absl::StrCat("is 0 or more, not ", absl::FormatDuration(config.recording_retention)));
  }
  if (config.recording_bytes_max < kLogBytesMin) {
    return Invalid("recording_bytes_max",
                   absl::StrCat("is at least ", kLogBytesMin, ", not ", config.recording_bytes_max));
  }
  if (config.executor_threads < 1 || config.executor_threads > kExecutorThreadsMax) {
    return Invalid("executor_threads",
                   absl::StrCat("is 1 to ", kExecutorThreadsMax, ", not ", config.executor_threads));
  }
  return absl::OkStatus();
}

absl::StatusOr<Config> ConfigFromFlags() {
  Config config;
  config.listen = absl::GetFlag(FLAGS_listen);
  config.data_dir = absl::GetFlag(FLAGS_data_dir);
  config.default_profile = absl::GetFlag(FLAGS_default_profile);
  const std::string time_source = absl::GetFlag(FLAGS_time_source);
  config.time_source = time_source == "wall"      ? v1::TIME_SOURCE_WALL
                       : time_source == "request" ? v1::TIME_SOURCE_REQUEST
                                                  : v1::TIME_SOURCE_UNSPECIFIED;
  config.alert_retention = absl::GetFlag(FLAGS_alert_retention);
  config.alert_log_bytes_max = absl::GetFlag(FLAGS_alert_log_bytes_max);
  config.decision_retention = absl::GetFlag(FLAGS_decision_retention);
  config.decision_log_bytes_max = absl::GetFlag(FLAGS_decision_log_bytes_max);
  config.audit_retention = absl::GetFlag(FLAGS_audit_retention);
  config.recording_retention = absl::GetFlag(FLAGS_recording_retention);
  config.recording_bytes_max = absl::GetFlag(FLAGS_recording_bytes_max);
  config.executor_threads = absl::GetFlag(FLAGS_executor_threads);
  config.secret_key_file = absl::GetFlag(FLAGS_secret_key_file);
  config.audit_key_file = absl::GetFlag(FLAGS_audit_key_file);
  INTERLOCK_RETURN_IF_ERROR(CheckConfig(config));
  return config;
}

}  // namespace interlock::server
