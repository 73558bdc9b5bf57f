// Which decision answered which request_id: what makes a repeat of Arbitrate safe. The decisions themselves hold the
// request_id and the digest of the request, so that only their sequence is kept here. Remembers for kRequestRetention
// and at most the newest kRequestsMax. Copyable, thread-compatible.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/short_digest.h"

namespace interlock {

// Names a request_id of a tenant.
ShortDigest MakeRequestKey(absl::string_view tenant_id, absl::string_view request_id);

class DecisionIndex {
 public:
  // The sequence of the decision that answered the request; 0 if there is none.
  int64_t Find(const ShortDigest& key) const;

  // Remembers a decision in place of an earlier one, and forgets what is too much. `sequence` is larger and `now` not
  // before those of any call before.
  void Remember(const ShortDigest& key, int64_t sequence, absl::Time now);

  // Fetches what Find and Remember will touch, so that many in a row do not each wait for memory.
  void Prefetch(const ShortDigest& key) const { ShardOf(key).prefetch(key); }
  // Makes room for `count` more at once, which is faster than bit by bit.
  void Reserve(size_t count);

  // Forgets what is as old as kRequestRetention or older, at most `max` of them.
  void Expire(absl::Time now, int max);
  // When Expire has something to do; InfiniteFuture if never.
  absl::Time NextExpiry() const;

  size_t size() const { return by_age_.size(); }

 private:
  struct Entry {
    absl::Time time;
    ShortDigest key;
    int64_t sequence;
  };
  using Shard = absl::flat_hash_map<ShortDigest, int64_t>;

  void ForgetOldest();
  Shard& ShardOf(const ShortDigest& key) { return shards_[key.high % shards_.size()]; }
  const Shard& ShardOf(const ShortDigest& key) const { return shards_[key.high % shards_.size()]; }

  // Many small tables, because one large table would be copied in one go when it grows, and a decision would wait.
  std::array<Shard, 256> shards_;
  // Oldest first. An entry whose sequence is not that of its key is stale: the decision was replaced.
  std::deque<Entry> by_age_;
};

}  // namespace interlock
