#include "core/engine/decision_index.h"

#include <string>

#include "core/base/limits.h"
#include "core/base/sha256.h"

namespace interlock {

ShortDigest MakeRequestKey(absl::string_view tenant_id, absl::string_view request_id) {
  std::string name;
  name.reserve(tenant_id.size() + 1 + request_id.size());
  name.append(tenant_id.data(), tenant_id.size());
  // Identifiers hold no zero byte.
  name.push_back('\0');
  name.append(request_id.data(), request_id.size());
  return ShortDigest::Of(Sha256(name));
}

int64_t DecisionIndex::Find(const ShortDigest& key) const {
  const Shard& shard = ShardOf(key);
  const auto found = shard.find(key);
  return found == shard.end() ? 0 : found->second;
}

void DecisionIndex::Remember(const ShortDigest& key, int64_t sequence, absl::Time now) {
  ShardOf(key)[key] = sequence;
  by_age_.push_back({now, key, sequence});
  if (by_age_.size() > kRequestsMax) ForgetOldest();
}

void DecisionIndex::Reserve(size_t count) {
  // Keys spread evenly over the shards, but not exactly.
  const size_t each = count / shards_.size();
  for (Shard& shard : shards_) shard.reserve(shard.size() + each + each / 8);
}

void DecisionIndex::Expire(absl::Time now, int max) {
  for (int count = 0; count < max && now >= NextExpiry(); ++count) ForgetOldest();
}

absl::Time DecisionIndex::NextExpiry() const {
  return by_age_.empty() ? absl::InfiniteFuture() : by_age_.front().time + kRequestRetention;
}

void DecisionIndex::ForgetOldest() {
  const Entry& oldest = by_age_.front();
  Shard& shard = ShardOf(oldest.key);
  const auto found = shard.find(oldest.key);
  if (found != shard.end() && found->second == oldest.sequence) shard.erase(found);
  by_age_.pop_front();
}

}  // namespace interlock
