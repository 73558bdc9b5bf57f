#include "server/executors/token_reply.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "server/secrets/cleanse.h"

namespace interlock::server {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

// An error code and what it means for the task.
struct ErrorCode {
  absl::string_view code;
  v1::FailureReason reason;
  absl::string_view advice;
};

// RFC 6749, sections 5.2 and 4.1.2.1 (which real endpoints also use here); OpenID Connect Core, section 3.1.2.6; RFC
// 8628, section 3.5.
constexpr ErrorCode kErrorCodes[] = {
    {"invalid_grant", v1::FAILURE_REASON_AUTH_ERROR, "the refresh token is no longer valid: authorize again"},
    {"access_denied", v1::FAILURE_REASON_AUTH_ERROR, "access was denied: authorize again"},
    {"interaction_required", v1::FAILURE_REASON_AUTH_ERROR, "the user must act: authorize again"},
    {"login_required", v1::FAILURE_REASON_AUTH_ERROR, "the user must log in: authorize again"},
    {"consent_required", v1::FAILURE_REASON_AUTH_ERROR, "the user must consent: authorize again"},
    {"invalid_client", v1::FAILURE_REASON_CONFIG_ERROR, "check the client's id and secret"},
    {"unauthorized_client", v1::FAILURE_REASON_CONFIG_ERROR, "allow the client to refresh tokens"},
    {"invalid_scope", v1::FAILURE_REASON_CONFIG_ERROR, "ask for no more than the scope that was granted"},
    {"unsupported_grant_type", v1::FAILURE_REASON_CONFIG_ERROR, "the endpoint does not refresh tokens"},
    {"invalid_request", v1::FAILURE_REASON_CONFIG_ERROR, "check the client and the endpoint"},
    {"slow_down", v1::FAILURE_REASON_API_LIMIT, "the endpoint is asked too often"},
    {"temporarily_unavailable", v1::FAILURE_REASON_NETWORK_ERROR, "the service is overloaded"},
    {"server_error", v1::FAILURE_REASON_NETWORK_ERROR, "the service failed"},
};

TokenReply Failure(int status, v1::FailureReason reason, absl::string_view text) {
  TokenReply reply;
  reply.failure_reason = reason;
  reply.error_message = absl::StrCat("token endpoint answered ", status, ": ", text);
  return reply;
}

// The member of `object`, empty if it is absent or no string.
absl::string_view StringMember(const Struct& object, const char* name) {
  const auto member = object.fields().find(name);
  return member == object.fields().end() ? absl::string_view() : absl::string_view(member->second.string_value());
}

// Whether the reply says that something went wrong. Some endpoints always send the member.
bool HasError(const Struct& object) {
  const auto member = object.fields().find("error");
  if (member == object.fields().end() || member->second.kind_case() == Value::kNullValue) return false;
  return member->second.kind_case() != Value::kStringValue || !member->second.string_value().empty();
}

// The lifetime that expires_in tells; some endpoints send it as a string.
absl::Duration LifetimeOf(const Struct& object) {
  const auto member = object.fields().find("expires_in");
  if (member == object.fields().end()) return kTokenLifetimeDefault;
  double seconds = member->second.number_value();
  if (member->second.kind_case() == Value::kStringValue && !absl::SimpleAtod(member->second.string_value(), &seconds)) {
    return kTokenLifetimeDefault;
  }
  // Written so that not-a-number fails.
  const bool plausible = seconds >= 1 && seconds <= absl::ToDoubleSeconds(kTokenLifetimeMax);
  return plausible ? absl::Seconds(seconds) : kTokenLifetimeDefault;
}

// What the status says by itself, whatever the body.
absl::optional<TokenReply> ReadStatus(int status) {
  if (status == 429) return Failure(status, v1::FAILURE_REASON_API_LIMIT, "the endpoint is asked too often");
  if (status >= 500) return Failure(status, v1::FAILURE_REASON_NETWORK_ERROR, "the service failed");
  if (status == 408) return Failure(status, v1::FAILURE_REASON_NETWORK_ERROR, "the service waited too long");
  if (status >= 300 && status < 400) {
    return Failure(status, v1::FAILURE_REASON_CONFIG_ERROR,
                   "redirects are not followed: give the address that it leads to");
  }
  return absl::nullopt;
}

// An answer without a known error code that is no success either.
TokenReply ReadRefusal(int status) {
  if (status == 401 || status == 403) {
    return Failure(status, v1::FAILURE_REASON_AUTH_ERROR, "the service refused the credentials: authorize again");
  }
  if (status == 404 || status == 405 || status == 410) {
    return Failure(status, v1::FAILURE_REASON_CONFIG_ERROR, "there is no token endpoint at this address");
  }
  return Failure(status, v1::FAILURE_REASON_UNKNOWN, "the refusal has no error code that is known");
}

TokenReply ReadObject(int status, const Struct& object) {
  const absl::string_view code = StringMember(object, "error");
  const auto* known = std::find_if(std::begin(kErrorCodes), std::end(kErrorCodes),
                                   [&](const ErrorCode& error) { return error.code == code; });
  if (known != std::end(kErrorCodes)) {
    return Failure(status, known->reason, absl::StrCat(known->code, ": ", known->advice));
  }
  // Some endpoints send errors of their own with status 200.
  if (status < 200 || status >= 300 || HasError(object)) return ReadRefusal(status);
  if (StringMember(object, "access_token").empty()) {
    return Failure(status, v1::FAILURE_REASON_UNKNOWN, "the reply has no access token");
  }
  TokenReply reply;
  reply.success = true;
  reply.refresh_token = std::string(StringMember(object, "refresh_token"));
  reply.lifetime = LifetimeOf(object);
  return reply;
}

void CleanseObject(Struct& object) {
  for (auto& [name, value] : *object.mutable_fields()) {
    if (value.kind_case() == Value::kStringValue) Cleanse(*value.mutable_string_value());
  }
}

}  // namespace

TokenReply ReadTokenReply(HttpReply reply) {
  Struct object;
  const bool is_object = google::protobuf::util::JsonStringToMessage(reply.body, &object).ok();
  Cleanse(reply.body);
  absl::optional<TokenReply> result = ReadStatus(reply.status);
  if (!result.has_value() && is_object) result = ReadObject(reply.status, object);
  CleanseObject(object);
  if (result.has_value()) return *std::move(result);
  if (reply.status >= 200 && reply.status < 300) {
    return Failure(reply.status, v1::FAILURE_REASON_UNKNOWN, "the reply is no JSON object");
  }
  return ReadRefusal(reply.status);
}

}  // namespace interlock::server
