// Keeps OAuth tokens alive: exchanges a task's refresh token at its token endpoint (RFC 6749, section 6).
#pragma once

#include <cstddef>

#include "absl/time/time.h"
#include "core/schedule/attempt_result.h"
#include "interlock/v1/state.pb.h"
#include "interlock/v1/task.pb.h"
#include "server/base/clock.h"
#include "server/executors/executor.h"
#include "server/secrets/sealer.h"

namespace interlock::server {

inline constexpr char kOAuthTokenType[] = "oauth_token";

// The executor of tasks of type kOAuthTokenType. Access tokens are not kept, because no call answers them; a new
// refresh token is sealed and handed back in the result, to be stored with the attempt's end. No text of a result holds
// a secret or anything else that the endpoint sent. Thread-safe.
class OAuthExecutor : public Executor {
 public:
  struct Options {
    absl::Duration connect_timeout = absl::Seconds(10);
    // For the whole exchange; bounds Run.
    absl::Duration total_timeout = absl::Seconds(30);
    // A token reply is a few hundred bytes; a longer one than this is refused.
    size_t reply_bytes_max = 64 * 1024;
  };

  // `sealer` and `clock` must outlive this object.
  OAuthExecutor(const Sealer& sealer, Clock& clock, const Options& options);

  schedule::AttemptResult Run(const v1::TaskRecord& grant) override;

 private:
  // Exchanges `grant`; what the endpoint answers replaces its refresh token.
  schedule::AttemptResult Refresh(const v1::Task& task, v1::OAuthGrant& grant);

  const Sealer& sealer_;
  Clock& clock_;
  const Options options_;
};

}  // namespace interlock::server
