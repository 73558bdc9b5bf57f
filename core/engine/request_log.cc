#include "core/engine/request_log.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"

namespace interlock {

absl::Status RequestLog::Reused() {
  return MakeError(absl::StatusCode::kFailedPrecondition, "REQUEST_ID_REUSED",
                   "this request_id came with another request in the last 10 minutes; use a new request_id for a new "
                   "request, and the same bytes to repeat one");
}

absl::StatusOr<const std::string*> RequestLog::Find(const Identity& identity) const {
  const auto found = records_.find(identity.key);
  if (found == records_.end()) return nullptr;
  if (found->second.request_digest() != identity.request_digest) return Reused();
  return &found->second.reply();
}

void RequestLog::Remember(const Identity& identity, const std::string& reply, absl::Time now, WriteSet& writes) {
  v1::RequestRecord& record = records_[identity.key];
  *record.mutable_time() = ToProto(now);
  record.set_request_digest(identity.request_digest);
  record.set_reply(reply);
  by_age_.emplace_back(now, identity.key);
  writes.Put(Table::kRequest, identity.key, record);
  while (records_.size() > kRequestsMax) ForgetOldest(writes);
}

void RequestLog::Expire(absl::Time now, int max, WriteSet& writes) {
  for (int count = 0; count < max && now >= NextExpiry(); ++count) ForgetOldest(writes);
}

absl::Time RequestLog::NextExpiry() const {
  return by_age_.empty() ? absl::InfiniteFuture() : by_age_.front().first + kRequestRetention;
}

void RequestLog::Load(absl::string_view key, v1::RequestRecord record) {
  by_age_.emplace_back(FromProto(record.time()), std::string(key));
  records_[std::string(key)] = std::move(record);
}

void RequestLog::FinishLoad() { std::sort(by_age_.begin(), by_age_.end()); }

void RequestLog::ForgetOldest(WriteSet& writes) {
  const auto [time, key] = std::move(by_age_.front());
  by_age_.pop_front();
  const auto found = records_.find(key);
  if (found == records_.end() || FromProto(found->second.time()) != time) return;
  writes.Delete(Table::kRequest, key);
  records_.erase(found);
}

}  // namespace interlock
