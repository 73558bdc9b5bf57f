#include "tests/bench/engine_apply.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/check.h"
#include "core/base/serialize.h"
#include "core/engine/engine.h"
#include "storage/memory_store.h"
#include "tests/bench/traffic.h"

namespace interlock::bench {
namespace {

constexpr int64_t kBatch = 64;
// As far apart as the batches of a busy server.
constexpr absl::Duration kBatchInterval = absl::Milliseconds(3);

using Clock = std::chrono::steady_clock;

// An engine that forgets what it would have stored, as the rows are not what is timed.
class World {
 public:
  World() {
    caller_.set_kind(v1::PRINCIPAL_KIND_HUMAN);
    caller_.set_id("bench");
    Effects effects;
    auto loaded = Engine::Load(store_, {}, now_, effects);
    INTERLOCK_CHECK(loaded.ok());
    engine_ = *std::move(loaded);
    v1::UpdatePolicyRequest update;
    *update.mutable_policy() = PolicyWithoutLimits();
    INTERLOCK_CHECK(engine_->Apply(update, Context(), effects).ok());
  }

  // Decides all of `requests` as one batch. The time of each Apply is added to `apply`; answers that of the whole.
  absl::Duration Decide(const std::vector<v1::ArbitrateRequest>& requests, v1::Verdict verdict, Latencies& apply) {
    std::vector<absl::StatusOr<v1::Decision>> replies;
    replies.reserve(requests.size());
    now_ += kBatchInterval;
    Effects effects;
    const Clock::time_point begin = Clock::now();
    Clock::time_point last = begin;
    for (const v1::ArbitrateRequest& request : requests) {
      replies.push_back(engine_->Apply(request, Context(), effects));
      const Clock::time_point now = Clock::now();
      apply.Add(absl::FromChrono(now - last));
      last = now;
    }
    engine_->EndBatch(effects);
    size_t bytes = 0;
    for (const auto& reply : replies) bytes += Serialize(*reply).size();
    const Clock::time_point end = Clock::now();
    INTERLOCK_CHECK(bytes > 0);
    for (const auto& reply : replies) INTERLOCK_CHECK(reply->verdict() == verdict && !reply->replayed());
    return absl::FromChrono(end - begin);
  }

 private:
  CommandContext Context() const { return {caller_, now_}; }

  storage::MemoryStore store_{"bench"};
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  v1::Principal caller_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace

EngineTimes MeasureEngine(const EngineLoad& load) {
  World world;
  ActionSource source(load.verdict, load.agents, "run");
  EngineTimes times;
  absl::Duration whole;
  const bool warm = load.agents < load.actions;
  // Agents that act again have acted before.
  int64_t left_to_warm = warm ? load.agents : 0;
  for (int64_t left = left_to_warm + load.actions; left > 0;) {
    std::vector<v1::ArbitrateRequest> requests;
    for (; left > 0 && static_cast<int64_t>(requests.size()) < kBatch; --left) {
      requests.push_back(source.Next());
      if (!load.with_request_id) requests.back().clear_request_id();
    }
    Latencies warm_up;
    const absl::Duration batch = world.Decide(requests, load.verdict, left_to_warm > 0 ? warm_up : times.apply);
    if (left_to_warm <= 0) whole += batch;
    left_to_warm -= static_cast<int64_t>(requests.size());
  }
  times.batch_share = whole / std::max<int64_t>(1, times.apply.count());
  return times;
}

}  // namespace interlock::bench
