// How the server is set up, and the command-line flags that say so.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/limits.h"
#include "interlock/v1/admin_service.pb.h"

namespace interlock::server {

struct Config {
  // ADDRESS:PORT; port 0: any that is free. Loopback only, because callers name themselves.
  std::string listen = "127.0.0.1:7420";
  // The folder of the store; made if it is missing.
  std::string data_dir = "./interlock-data";
  // The policy of tenants that have none: the name of a built-in profile.
  std::string default_profile = "reference";
  // Where the engine's time comes from.
  v1::TimeSource time_source = v1::TIME_SOURCE_WALL;
  // How long alerts stay in the log, at least 1 minute, and how many bytes of them at most, at least 1 KiB; whichever
  // comes first cuts the log at its old end.
  absl::Duration alert_retention = kAlertRetention;
  int64_t alert_log_bytes_max = kAlertLogBytesMax;
  // How long decisions are kept, at least 24 hours, and how many bytes of their rows at most, at least 1 KiB; whichever
  // comes first removes the oldest, but never one of the last 24 hours, from which limits are decided.
  absl::Duration decision_retention = kDecisionRetention;
  int64_t decision_log_bytes_max = kDecisionLogBytesMax;
  // How long rows of the audit log are kept, at least decision_retention.
  absl::Duration audit_retention = kAuditRetention;
  // How long commands are recorded for replays of policies, 0 or more, and how many bytes of them at most, at least
  // 1 KiB; whichever comes first removes the oldest. 0: none is recorded, and what was is removed.
  absl::Duration recording_retention = kRecordingRetention;
  int64_t recording_bytes_max = kRecordingBytesMax;
  // How many attempts of tasks run at once, 1..256.
  int32_t executor_threads = 8;
  // The key that secrets are sealed with; made if it is missing. Empty: secret.key in data_dir.
  std::string secret_key_file;
  // The private key that exports of the audit log are signed with; made if it is missing. Empty: audit_key.pem in
  // data_dir.
  std::string audit_key_file;
};

// The address without its port, and without the brackets of IPv6.
std::string ListenHost(const Config& config);

// The paths of the key files.
std::string SecretKeyPath(const Config& config);
std::string AuditKeyPath(const Config& config);

// Errors: INVALID_ARGUMENT (CONFIG_INVALID), with a message that names the flag and says what it takes.
absl::Status CheckConfig(const Config& config);

// What the flags say, checked. absl::ParseCommandLine must have run. Errors: as CheckConfig.
absl::StatusOr<Config> ConfigFromFlags();

}  // namespace interlock::server
