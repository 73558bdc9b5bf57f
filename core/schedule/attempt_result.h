// How an attempt ended, as its executor tells it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "interlock/v1/task.pb.h"

namespace interlock::schedule {

struct AttemptResult {
  std::string tenant_id;
  std::string task_id;
  // The lease under which it ran.
  int64_t lease_epoch = 0;
  bool success = false;
  // Why it failed; not looked at on success.
  v1::FailureReason failure_reason = v1::FAILURE_REASON_UNSPECIFIED;
  // The error in words, without secrets; any bytes, of which kReasonBytesMax are kept.
  std::string error_message;
  // The secrets to keep from now on, also of a failed attempt; empty: as they are.
  std::string sealed_secret;
  // When the renewed token expires, if that is known; not looked at on failure.
  absl::optional<absl::Time> token_expire_time;
};

}  // namespace interlock::schedule
