// Takes secrets out of what is stored.
#pragma once

#include "core/safety/compiled_policy.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::safety {

// Replaces the value under every key that the policy calls secret, at every depth, by "[REDACTED]".
void Redact(const CompiledPolicy& policy, google::protobuf::Struct& parameters);

}  // namespace interlock::safety
