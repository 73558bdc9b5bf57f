// OAuth grants as they are stored: sealed, and bound to the task that they belong to.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "interlock/v1/task.pb.h"
#include "server/secrets/sealer.h"

namespace interlock::server {

// `grant`, sealed for the task of this tenant, type and target; other fields of `task` do not matter.
// Errors: as Sealer::Seal.
absl::StatusOr<std::string> SealGrant(const Sealer& sealer, const v1::Task& task, const v1::OAuthGrant& grant);

// What was sealed for this task; wipe it after use (see CleanseGrant).
// Errors: as Sealer::Open; DATA_LOSS SECRET_DAMAGED if it is no grant.
absl::StatusOr<v1::OAuthGrant> OpenGrant(const Sealer& sealer, const v1::Task& task, const std::string& sealed);

// Tells whether two clear grants are the same without saying what they are: 32 bytes, by a secret key.
std::string GrantDigest(const Sealer& sealer, const v1::OAuthGrant& grant);

// Overwrites the secrets in `grant` and clears it.
void CleanseGrant(v1::OAuthGrant& grant);

}  // namespace interlock::server
