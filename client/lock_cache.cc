#include "client/lock_cache.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "client/lock_watch.h"

namespace interlock::client {
namespace {

bool Blocks(const v1::Lock& lock) {
  return lock.state() != v1::LOCK_STATE_PROBATION && lock.state() != v1::LOCK_STATE_CLEAR;
}

bool Covers(const v1::Lock& lock, const ActionTarget& target) {
  if (lock.scope().kind() == v1::SCOPE_KIND_FLEET) return true;
  if (lock.tenant_id() != target.tenant_id) return false;
  switch (lock.scope().kind()) {
    case v1::SCOPE_KIND_CATEGORY:
      return target.category.empty() || lock.scope().id() == target.category;
    case v1::SCOPE_KIND_AGENT:
      return lock.scope().id() == target.agent_id;
    case v1::SCOPE_KIND_RESOURCE:
      return lock.scope().id() == target.target_resource;
    default:
      // A whole tenant, and whatever a newer server knows.
      return true;
  }
}

v1::WatchLocksRequest WatchOf(std::string tenant_id) {
  v1::WatchLocksRequest request;
  request.set_tenant_id(std::move(tenant_id));
  return request;
}

}  // namespace

struct LockCache::State {
  State(const Client& client, std::string tenant_id)
      : watch(client, WatchOf(std::move(tenant_id)), [this](const absl::Status&) { SetCurrent(false); }),
        thread([this] { Run(); }) {}

  void Run() {
    for (;;) {
      const absl::StatusOr<v1::WatchLocksResponse> message = watch.Next();
      if (!message.ok()) break;
      Take(*message);
    }
    // Cancelled, or refused for good: nothing is known any more.
    SetCurrent(false);
  }

  void Take(const v1::WatchLocksResponse& message) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (message.has_lock() && message.lock().state() != v1::LOCK_STATE_CLEAR) {
      locks[message.lock().lock_id()] = message.lock();
    } else if (message.has_lock()) {
      locks.erase(message.lock().lock_id());
    } else {
      if (message.snapshot_begin()) locks.clear();
      current = message.snapshot_end();
      changed.notify_all();
    }
  }

  void SetCurrent(bool value) {
    const std::lock_guard<std::mutex> lock(mutex);
    current = value;
    changed.notify_all();
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, v1::Lock> locks;
  bool current = false;
  LockWatch watch;
  std::thread thread;
};

LockCache::LockCache(const Client& client, std::string tenant_id)
    : state_(std::make_unique<State>(client, std::move(tenant_id))) {}

LockCache::~LockCache() {
  state_->watch.Cancel();
  state_->thread.join();
}

bool LockCache::IsLocked(const ActionTarget& target) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return !state_->current || std::any_of(state_->locks.begin(), state_->locks.end(), [&target](const auto& entry) {
    return Blocks(entry.second) && Covers(entry.second, target);
  });
}

bool LockCache::IsCurrent() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->current;
}

bool LockCache::WaitUntilCurrent(absl::Duration timeout) const {
  std::unique_lock<std::mutex> lock(state_->mutex);
  return state_->changed.wait_for(lock, absl::ToChronoNanoseconds(timeout), [this] { return state_->current; });
}

std::vector<v1::Lock> LockCache::Locks() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  std::vector<v1::Lock> locks;
  for (const auto& [lock_id, value] : state_->locks) locks.push_back(value);
  return locks;
}

}  // namespace interlock::client
