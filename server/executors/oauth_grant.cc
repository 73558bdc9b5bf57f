#include "server/executors/oauth_grant.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "core/base/serialize.h"
#include "core/base/status_macros.h"
#include "server/secrets/cleanse.h"

namespace interlock::server {
namespace {

// Each text with its length in front, so that no two tasks give the same bytes.
std::string OwnerOf(const v1::Task& task) {
  std::string owner;
  for (const std::string* name : {&task.tenant_id(), &task.type(), &task.target()}) {
    absl::StrAppend(&owner, name->size(), ":", *name);
  }
  return owner;
}

}  // namespace

absl::StatusOr<std::string> SealGrant(const Sealer& sealer, const v1::Task& task, const v1::OAuthGrant& grant) {
  std::string bytes = Serialize(grant);
  absl::StatusOr<std::string> sealed = sealer.Seal(bytes, OwnerOf(task));
  Cleanse(bytes);
  return sealed;
}

absl::StatusOr<v1::OAuthGrant> OpenGrant(const Sealer& sealer, const v1::Task& task, const std::string& sealed) {
  INTERLOCK_ASSIGN_OR_RETURN(std::string bytes, sealer.Open(sealed, OwnerOf(task)));
  v1::OAuthGrant grant;
  const bool parsed = grant.ParseFromString(bytes);
  Cleanse(bytes);
  if (!parsed) {
    CleanseGrant(grant);
    return MakeError(absl::StatusCode::kDataLoss, "SECRET_DAMAGED",
                     "a sealed secret is no OAuth grant: create the task again");
  }
  return grant;
}

std::string GrantDigest(const Sealer& sealer, const v1::OAuthGrant& grant) {
  std::string bytes = Serialize(grant);
  std::string digest = sealer.Fingerprint(bytes);
  Cleanse(bytes);
  return digest;
}

void CleanseGrant(v1::OAuthGrant& grant) {
  Cleanse(*grant.mutable_client_secret());
  Cleanse(*grant.mutable_refresh_token());
  grant.Clear();
}

}  // namespace interlock::server
