#include "tests/simulation/workloads/watchers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "client/retry.h"
#include "core/base/serialize.h"
#include "interlock/v1/lock_service.pb.h"

namespace interlock::simulation {

// One watch over as many streams as it takes.
class Watchers::Watcher {
 public:
  Watcher(Watchers& owner, std::string tenant_id, absl::Duration pause)
      : owner_(owner), tenant_id_(std::move(tenant_id)), pause_(pause) {}

  void Connect() {
    v1::WatchLocksRequest request;
    request.set_tenant_id(tenant_id_);
    StreamSession::Client client;
    client.pause = pause_;
    client.on_message = [this](const std::string& bytes) { OnMessage(bytes); };
    client.on_end = [this](const absl::Status& end) { OnEnd(end); };
    absl::Status status;
    snapshots_ = 0;
    owner_.sim_.coverage.Count("command", "WatchLocks");
    session_ = owner_.server_.Watch(request, std::move(client), status);
    if (session_ == nullptr) OnEnd(status);
  }

  void Cut() {
    if (session_ != nullptr) session_->Cut(absl::UnavailableError("the connection was cut"));
  }

  // Whether what it holds is what is in force.
  bool is_right() const {
    std::map<std::string, std::string> in_force;
    for (const auto& [lock_id, lock] : owner_.locks_.locks()) {
      if (lock.state() != v1::LOCK_STATE_CLEAR && Concerns(lock)) in_force[lock_id] = Serialize(lock);
    }
    return complete_ && held_ == in_force;
  }

 private:
  bool Concerns(const v1::Lock& lock) const {
    return tenant_id_.empty() || lock.tenant_id().empty() || lock.tenant_id() == tenant_id_;
  }

  template <typename... Parts>
  void Fail(const Parts&... parts) {
    owner_.sim_.trace.Fail("watch-tells-all", "the watch of \"", tenant_id_, "\" ", parts...);
  }

  void OnMessage(const std::string& bytes) {
    v1::WatchLocksResponse message;
    if (!message.ParseFromString(bytes)) return Fail("was sent what cannot be read");
    switch (message.event_case()) {
      case v1::WatchLocksResponse::kSnapshotBegin:
        owner_.sim_.coverage.Count("stream", ++snapshots_ > 1 ? "snapshot of locks again" : "snapshot of locks");
        held_.clear();
        complete_ = false;
        return;
      case v1::WatchLocksResponse::kSnapshotEnd:
        complete_ = true;
        revision_ = message.revision();
        backoff_.Reset();
        return;
      case v1::WatchLocksResponse::kLock:
        return OnLock(message);
      case v1::WatchLocksResponse::EVENT_NOT_SET:
        return Fail("was sent nothing");
    }
  }

  void OnLock(const v1::WatchLocksResponse& message) {
    const v1::Lock& lock = message.lock();
    if (!Concerns(lock)) Fail("was sent ", lock.lock_id(), " of another tenant");
    const std::string bytes = Serialize(lock);
    const std::string* told = owner_.locks_.AtRevision(lock.revision());
    if (told != nullptr && *told != bytes) Fail("was sent change ", lock.revision(), " otherwise than it was made");
    if (complete_) {
      if (message.revision() <= revision_ || (tenant_id_.empty() && message.revision() != revision_ + 1)) {
        Fail("was sent change ", message.revision(), " after ", revision_);
      }
      if (lock.revision() != message.revision()) {
        Fail("was sent change ", lock.revision(), " as change ", message.revision());
      }
      revision_ = message.revision();
    }
    if (lock.state() != v1::LOCK_STATE_CLEAR) {
      held_[lock.lock_id()] = bytes;
    } else {
      held_.erase(lock.lock_id());
    }
  }

  void OnEnd(const absl::Status& status) {
    session_ = nullptr;
    if (!client::IsRetryable(status)) return Fail("was ended: ", status.ToString());
    owner_.sim_.timeline.After(backoff_.Next(status) + owner_.network_.Latency(), [this] {
      if (session_ == nullptr) Connect();
    });
  }

  Watchers& owner_;
  const std::string tenant_id_;
  const absl::Duration pause_;
  client::Backoff backoff_{client::RetryPolicy(), owner_.network_.environment()};
  std::shared_ptr<StreamSession> session_;
  int snapshots_ = 0;
  // Whether a snapshot has ended, so that `held_` is whole.
  bool complete_ = false;
  int64_t revision_ = 0;
  // The locks in force, serialised, by lock_id.
  std::map<std::string, std::string> held_;
};

Watchers::Watchers(Sim& sim, SimServer& server, Network& network, const Cast& cast, const LockChecker& locks)
    : sim_(sim), server_(server), network_(network), cast_(cast), locks_(locks) {}

Watchers::~Watchers() = default;

void Watchers::Setup() {
  for (int i = sim_.random.Between(1, 2); i > 0; --i) {
    const bool slow = sim_.random.Chance(0.3);
    watchers_.push_back(std::make_unique<Watcher>(
        *this, sim_.random.Chance(0.5) ? "" : sim_.random.Pick(cast_.tenants),
        sim_.random.Between(absl::Milliseconds(1), slow ? absl::Seconds(2) : absl::Milliseconds(10))));
    Watcher* watcher = watchers_.back().get();
    sim_.timeline.After(sim_.random.Between(absl::ZeroDuration(), absl::Seconds(10)),
                        [watcher] { watcher->Connect(); });
  }
}

void Watchers::Step() {
  sim_.coverage.Count("fault", "stream cut");
  watchers_[static_cast<size_t>(sim_.random.Below(static_cast<int>(watchers_.size())))]->Cut();
}

bool Watchers::IsDone() const {
  return std::all_of(watchers_.begin(), watchers_.end(), [](const auto& watcher) { return watcher->is_right(); });
}

}  // namespace interlock::simulation
