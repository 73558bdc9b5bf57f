// What is due when: of all tenants and of each.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace interlock {

// Copyable, thread-compatible. `Key` names a thing; each is due at one time. Those of one time are ordered by key.
template <typename Key>
class DueIndex {
 public:
  // In the order in which they are due.
  using Entries = std::set<std::pair<absl::Time, Key>>;

  void Add(absl::string_view tenant_id, absl::Time due, const Key& key) {
    all_.emplace(due, key);
    of_tenant_[std::string(tenant_id)].emplace(due, key);
  }

  // REQUIRES: it was added as this.
  void Remove(absl::string_view tenant_id, absl::Time due, const Key& key) {
    all_.erase({due, key});
    const auto entries = of_tenant_.find(tenant_id);
    entries->second.erase({due, key});
    if (entries->second.empty()) of_tenant_.erase(entries);
  }

  // Those of the tenant, or of all.
  const Entries& Of(absl::optional<absl::string_view> tenant_id = absl::nullopt) const {
    if (!tenant_id.has_value()) return all_;
    static const auto& none = *new Entries;
    const auto entries = of_tenant_.find(*tenant_id);
    return entries == of_tenant_.end() ? none : entries->second;
  }

  // When the first of them is due; InfiniteFuture if there is none.
  absl::Time Next(absl::optional<absl::string_view> tenant_id = absl::nullopt) const {
    const Entries& entries = Of(tenant_id);
    return entries.empty() ? absl::InfiniteFuture() : entries.begin()->first;
  }

 private:
  Entries all_;
  std::map<std::string, Entries, std::less<>> of_tenant_;
};

}  // namespace interlock
