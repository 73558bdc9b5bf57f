// Who and what there is in a run.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "interlock/v1/principal.pb.h"

namespace interlock::simulation {

struct Cast {
  std::vector<std::string> tenants;
  // The same names in every tenant.
  std::vector<std::string> agents;
  std::vector<std::string> resources;
  // Action types of several categories; some undo others.
  std::vector<std::string> action_types;
  // Those of them that some policies take for safe remediations.
  std::vector<std::string> remediations;
  // Other action types, which some policies take for ones that can be undone, or that cannot.
  std::vector<std::string> reversibles;
  std::vector<std::string> irreversibles;
};

inline v1::Principal PrincipalOf(v1::PrincipalKind kind, absl::string_view id) {
  v1::Principal principal;
  principal.set_kind(kind);
  principal.set_id(std::string(id));
  return principal;
}

}  // namespace interlock::simulation
