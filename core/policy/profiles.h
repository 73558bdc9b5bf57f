// The built-in policies. `reference` has the numbers, texts and scopes of the system whose
// behaviour Interlock implements; `tool_calling` is for agents that call tools. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "interlock/v1/policy.pb.h"

namespace interlock::policy {

// The profile of this name, without tenant_id, version and times; null if there is none. It lives
// as long as the process and never changes.
const v1::PolicySet* FindProfile(absl::string_view name);

// The names that FindProfile knows, in alphabetical order.
std::vector<std::string> ProfileNames();

}  // namespace interlock::policy
