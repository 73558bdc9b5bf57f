#include "core/safety/redact.h"

namespace interlock::safety {
namespace {

constexpr char kRedacted[] = "[REDACTED]";

// Recursive like its input, which is at most kParametersDepthMax deep.
void RedactValue(const CompiledPolicy& policy, google::protobuf::Value& value) {
  if (value.has_struct_value()) Redact(policy, *value.mutable_struct_value());
  if (!value.has_list_value()) return;
  for (google::protobuf::Value& element : *value.mutable_list_value()->mutable_values()) RedactValue(policy, element);
}

}  // namespace

void Redact(const CompiledPolicy& policy, google::protobuf::Struct& parameters) {
  // The order in which the map is visited makes no difference.
  for (auto& [key, value] : *parameters.mutable_fields()) {
    if (policy.IsRedacted(key)) {
      value.set_string_value(kRedacted);
    } else {
      RedactValue(policy, value);
    }
  }
}

}  // namespace interlock::safety
