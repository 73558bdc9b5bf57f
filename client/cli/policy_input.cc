#include "client/cli/policy_input.h"

#include "absl/strings/str_cat.h"
#include "client/cli/arguments.h"
#include "client/cli/input.h"
#include "core/base/status_macros.h"
#include "core/policy/profiles.h"

namespace interlock::cli {

absl::StatusOr<v1::PolicySet> ReadPolicy(const std::string& file, std::istream& in) {
  INTERLOCK_ASSIGN_OR_RETURN(const std::string text, ReadInput(file, in));
  v1::PolicySet policy;
  const absl::Status status = ParseJson(text, &policy);
  if (!status.ok()) return absl::InvalidArgumentError(absl::StrCat(file, " is no policy: ", status.message()));
  return policy;
}

absl::StatusOr<v1::PolicySet> ReadPolicyOrProfile(const std::string& word, std::istream& in) {
  v1::PolicySet profile;
  profile.set_profile(word);
  if (policy::FindProfile(word) != nullptr) return profile;
  absl::StatusOr<v1::PolicySet> policy = ReadPolicy(word, in);
  if (policy.ok() || absl::IsInvalidArgument(policy.status())) return policy;
  return UsageError(absl::StrCat(policy.status().message(), "; give a file with a policy, reference or tool_calling"));
}

}  // namespace interlock::cli
