// Reads policies that a command is given.
#pragma once

#include <istream>
#include <string>

#include "absl/status/statusor.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::cli {

// The policy in a JSON file; "-" is `in`. Errors: INVALID_ARGUMENT (it is no policy), those of ReadInput.
absl::StatusOr<v1::PolicySet> ReadPolicy(const std::string& file, std::istream& in);

// The same, but the name of a built-in profile stands for that profile. A usage error if there is no such file.
absl::StatusOr<v1::PolicySet> ReadPolicyOrProfile(const std::string& word, std::istream& in);

}  // namespace interlock::cli
