#include "server/executors/oauth_executor.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/executors/http_post.h"
#include "server/executors/oauth_grant.h"
#include "server/executors/token_reply.h"
#include "server/executors/token_request.h"
#include "server/secrets/cleanse.h"
#include "server/validate/token_endpoint.h"

namespace interlock::server {
namespace {

schedule::AttemptResult Failure(v1::FailureReason reason, absl::string_view text) {
  schedule::AttemptResult result;
  result.failure_reason = reason;
  result.error_message = std::string(text);
  return result;
}

// There was no reply, or none that could be kept.
schedule::AttemptResult NoReply(const absl::Status& status) {
  const v1::FailureReason reason = status.code() == absl::StatusCode::kResourceExhausted
                                       ? v1::FAILURE_REASON_UNKNOWN
                                       : v1::FAILURE_REASON_NETWORK_ERROR;
  return Failure(reason, absl::StrCat("token endpoint did not answer: ", status.message()));
}

absl::StatusOr<HttpReply> Exchange(const v1::OAuthGrant& grant, const OAuthExecutor::Options& options) {
  HttpPost post = MakeTokenRequest(grant);
  post.loopback = ClassifyTokenEndpoint(grant.token_endpoint()) == TokenEndpointKind::kLoopback;
  post.connect_timeout = options.connect_timeout;
  post.total_timeout = options.total_timeout;
  post.reply_bytes_max = options.reply_bytes_max;
  absl::StatusOr<HttpReply> reply = Post(post);
  Cleanse(post.body);
  Cleanse(post.user);
  Cleanse(post.password);
  return reply;
}

}  // namespace

OAuthExecutor::OAuthExecutor(const Sealer& sealer, Clock& clock, const Options& options)
    : sealer_(sealer), clock_(clock), options_(options) {}

schedule::AttemptResult OAuthExecutor::Run(const v1::TaskRecord& grant) {
  absl::StatusOr<v1::OAuthGrant> opened = OpenGrant(sealer_, grant.task(), grant.sealed_secret());
  if (!opened.ok()) return Failure(v1::FAILURE_REASON_CONFIG_ERROR, opened.status().message());
  schedule::AttemptResult result = Refresh(grant.task(), *opened);
  CleanseGrant(*opened);
  return result;
}

schedule::AttemptResult OAuthExecutor::Refresh(const v1::Task& task, v1::OAuthGrant& grant) {
  if (ClassifyTokenEndpoint(grant.token_endpoint()) == TokenEndpointKind::kRefused) {
    return Failure(v1::FAILURE_REASON_CONFIG_ERROR, "the token endpoint is no address that a token may be sent to");
  }
  // The lifetime is counted from before the request, so that the token is never taken to live longer than it does.
  const absl::Time send_time = clock_.TimeNow();
  absl::StatusOr<HttpReply> http_reply = Exchange(grant, options_);
  if (!http_reply.ok()) return NoReply(http_reply.status());
  TokenReply reply = ReadTokenReply(*std::move(http_reply));
  if (!reply.success) return Failure(reply.failure_reason, reply.error_message);

  schedule::AttemptResult result;
  result.success = true;
  result.token_expire_time = send_time + reply.lifetime;
  if (reply.refresh_token.empty() || reply.refresh_token == grant.refresh_token()) {
    Cleanse(reply.refresh_token);
    return result;
  }
  // The endpoint may refuse the old token from now on.
  Cleanse(*grant.mutable_refresh_token());
  grant.mutable_refresh_token()->swap(reply.refresh_token);
  absl::StatusOr<std::string> sealed = SealGrant(sealer_, task, grant);
  if (!sealed.ok()) return Failure(v1::FAILURE_REASON_UNKNOWN, sealed.status().message());
  result.sealed_secret = *std::move(sealed);
  return result;
}

}  // namespace interlock::server
