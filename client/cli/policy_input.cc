#include "client/cli/policy_input.h"

#include "absl/strings/str_cat.h"
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
  const v1::PolicySet* profile = policy::FindProfile(word);
  if (profile == nullptr) return ReadPolicy(word, in);
  return *profile;
}

}  // namespace interlock::cli
