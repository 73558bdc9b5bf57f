#include "tests/bench/lock_watchers.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "core/base/check.h"
#include "interlock/v1/lock_service.grpc.pb.h"
#include "tests/bench/traffic.h"

namespace interlock::bench {

class LockWatchers::Stream final : public grpc::ClientReadReactor<v1::WatchLocksResponse> {
 public:
  Stream(LockWatchers& watchers, v1::LockService::Stub& stub) : watchers_(watchers) {
    request_.set_tenant_id(kTenant);
    stub.async()->WatchLocks(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }

  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (response_.snapshot_end()) watchers_.Ready();
    if (response_.has_lock()) watchers_.Arrived(response_.lock().scope().id());
    StartRead(&response_);
  }
  void OnDone(const grpc::Status&) override { watchers_.Closed(); }

 private:
  LockWatchers& watchers_;
  v1::WatchLocksRequest request_;
  grpc::ClientContext context_;
  v1::WatchLocksResponse response_;
};

LockWatchers::LockWatchers(const std::vector<std::shared_ptr<grpc::Channel>>& channels, size_t count)
    : count_(count), open_(count) {
  std::vector<std::unique_ptr<v1::LockService::Stub>> stubs;
  for (const auto& channel : channels) stubs.push_back(v1::LockService::NewStub(channel));
  for (size_t i = 0; i < count; ++i) streams_.push_back(std::make_unique<Stream>(*this, *stubs[i % stubs.size()]));
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return ready_ >= count_; });
}

LockWatchers::~LockWatchers() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  for (const auto& stream : streams_) stream->Cancel();
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return open_ == 0; });
}

void LockWatchers::Expect(const std::string& agent_id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  expected_ = agent_id;
  arrivals_.clear();
}

Latencies LockWatchers::WaitForAll(absl::Time since) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return arrivals_.size() >= count_; });
  Latencies latencies;
  for (const absl::Time arrival : arrivals_) latencies.Add(std::max(absl::ZeroDuration(), arrival - since));
  return latencies;
}

void LockWatchers::Ready() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++ready_;
  changed_.notify_all();
}

void LockWatchers::Arrived(const std::string& agent_id) {
  const absl::Time now = absl::Now();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (agent_id != expected_) return;
  arrivals_.push_back(now);
  if (arrivals_.size() >= count_) changed_.notify_all();
}

void LockWatchers::Closed() {
  const std::lock_guard<std::mutex> lock(mutex_);
  // A watch ends only when it is told to.
  INTERLOCK_CHECK(stopping_);
  --open_;
  changed_.notify_all();
}

}  // namespace interlock::bench
