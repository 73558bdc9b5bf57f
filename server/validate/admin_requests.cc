#include "server/validate/validate.h"

namespace interlock::server {

// Has no fields.
absl::Status Validate(const v1::GetServerInfoRequest&) { return absl::OkStatus(); }

}  // namespace interlock::server
