#include "server/feed/lock_feed.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/serialize.h"
#include "core/base/status_macros.h"
#include "core/engine/keys.h"
#include "interlock/v1/lock_service.pb.h"

namespace interlock::server {
namespace {

std::shared_ptr<const LockEvent> MakeLockEvent(const v1::Lock& lock) {
  v1::WatchLocksResponse response;
  *response.mutable_lock() = lock;
  auto event = std::make_shared<LockEvent>();
  event->tenant_id = lock.tenant_id();
  event->revision = lock.revision();
  event->message = std::make_shared<const std::string>(Serialize(response));
  return event;
}

}  // namespace

absl::Status LockFeed::Reset(const Store& store, absl::string_view epoch, int64_t revision) {
  Locks read;
  absl::Status status;
  INTERLOCK_RETURN_IF_ERROR(store.Scan({Table::kLock, keys::LocksInForce(), keys::PrefixEnd(keys::LocksInForce())},
                                       [&](absl::string_view key, absl::string_view value) {
                                         v1::Lock lock;
                                         if (!lock.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
                                           status = MakeError(
                                               absl::StatusCode::kDataLoss, "LOCK_DAMAGED",
                                               absl::StrCat("the lock under key ", absl::BytesToHexString(key),
                                                            " cannot be read; restore the store from a backup"));
                                           return false;
                                         }
                                         read[IdNumber("lock", lock.lock_id())] = MakeLockEvent(lock);
                                         return true;
                                       }));
  INTERLOCK_RETURN_IF_ERROR(status);
  MutexLock lock(mutex_);
  epoch_ = std::string(epoch);
  revision_ = revision;
  locks_ = std::move(read);
  ring_.clear();
  snapshot_ = nullptr;
  return absl::OkStatus();
}

void LockFeed::Publish(const std::vector<v1::Lock>& locks) {
  if (locks.empty()) return;
  std::vector<std::shared_ptr<const LockEvent>> events;
  for (const v1::Lock& changed : locks) events.push_back(MakeLockEvent(changed));
  MutexLock lock(mutex_);
  for (size_t i = 0; i < locks.size(); ++i) {
    INTERLOCK_CHECK(locks[i].revision() == revision_ + 1);
    ++revision_;
    const int64_t number = IdNumber("lock", locks[i].lock_id());
    if (locks[i].state() != v1::LOCK_STATE_CLEAR) {
      locks_[number] = events[i];
    } else {
      locks_.erase(number);
    }
    ring_.push_back(std::move(events[i]));
    if (ring_.size() > ring_max_) ring_.pop_front();
  }
  snapshot_ = nullptr;
}

std::shared_ptr<const LockSnapshot> LockFeed::snapshot() const {
  MutexLock lock(mutex_);
  if (snapshot_ == nullptr) {
    auto snapshot = std::make_shared<LockSnapshot>();
    snapshot->revision = revision_;
    for (const auto& [number, event] : locks_) snapshot->locks.push_back(event);
    snapshot_ = std::move(snapshot);
  }
  return snapshot_;
}

std::string LockFeed::epoch() const {
  MutexLock lock(mutex_);
  return epoch_;
}

LockFeed::Step LockFeed::After(int64_t revision) const {
  MutexLock lock(mutex_);
  const int64_t ring_begin = revision_ - static_cast<int64_t>(ring_.size());
  if (revision < ring_begin || revision > revision_) return {};
  if (revision == revision_) return {true, nullptr};
  return {true, ring_[static_cast<size_t>(revision - ring_begin)]};
}

}  // namespace interlock::server
