// Makes repeats safe of all calls but Arbitrate (see decision_index.h): remembers for each tenant, method and request
// id what was asked and what was answered. Kept for kRequestRetention, at most kRequestsMax, also across restarts.
// Thread-compatible.
#pragma once

#include <deque>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/engine/store.h"
#include "interlock/v1/state.pb.h"

namespace interlock {

class RequestLog {
 public:
  // What a call is known by: a key of Table::kRequest, and the SHA-256 of what was asked.
  struct Identity {
    std::string key;
    std::string request_digest;
  };

  bool empty() const { return records_.empty(); }

  // The error of a request_id that came with another request.
  static absl::Status Reused();

  // The reply to the same call before; null if there was none. Errors: FAILED_PRECONDITION REQUEST_ID_REUSED (the id
  // came with another request).
  absl::StatusOr<const std::string*> Find(const Identity& identity) const;

  // Remembers `reply` in place of an earlier one, and forgets what is too old or too much.
  void Remember(const Identity& identity, const std::string& reply, absl::Time now, WriteSet& writes);

  // Forgets what is older than kRequestRetention, at most `max` of them.
  void Expire(absl::Time now, int max, WriteSet& writes);
  // When Expire has something to do; InfiniteFuture if never.
  absl::Time NextExpiry() const;

  // Takes up a stored row. Call FinishLoad after the last.
  void Load(absl::string_view key, v1::RequestRecord record);
  void FinishLoad();

 private:
  void ForgetOldest(WriteSet& writes);

  absl::flat_hash_map<std::string, v1::RequestRecord> records_;
  // Oldest first. An entry whose time is not that of its record is stale: the record was replaced.
  std::deque<std::pair<absl::Time, std::string>> by_age_;
};

}  // namespace interlock
