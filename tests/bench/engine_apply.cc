#include "tests/bench/engine_apply.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/serialize.h"
#include "core/base/time.h"
#include "core/engine/engine.h"
#include "storage/memory_store.h"
#include "tests/bench/traffic.h"

namespace interlock::bench {
namespace {

constexpr int64_t kBatch = 64;
// As far apart as the batches of a busy server.
constexpr absl::Duration kBatchInterval = absl::Milliseconds(3);
// So far that a limit of 10,000 a day is not reached.
constexpr absl::Duration kSlowBatchInterval = absl::Minutes(10);

using Clock = std::chrono::steady_clock;

void AddRules(v1::PolicySet& policy) {
  for (int i = 0; i < 100; ++i) {
    v1::Constraint& constraint = *policy.add_constraints();
    constraint.set_constraint_id(absl::StrCat("rule ", i));
    constraint.add_categories(policy.default_category());
    constraint.set_risk_threshold(0.5);
    constraint.set_auto_approval_threshold(0.9);
    constraint.set_hourly_limit(kLimitMax);
    constraint.set_daily_limit(kLimitMax);
  }
  for (const v1::ScopeKind scope :
       {v1::SCOPE_KIND_AGENT, v1::SCOPE_KIND_CATEGORY, v1::SCOPE_KIND_TENANT, v1::SCOPE_KIND_FLEET}) {
    v1::Limit& limit = *policy.add_limits();
    limit.set_limit_id(v1::ScopeKind_Name(scope));
    limit.set_scope(scope);
    limit.set_count(v1::LIMIT_COUNT_ALLOWED);
    limit.set_max_actions(kLimitMax);
    *limit.mutable_window() = ToProto(absl::Hours(24));
  }
}

// An engine that forgets what it would have stored, as the rows are not what is timed.
class World {
 public:
  World(bool many_rules, bool records) : interval_(many_rules ? kSlowBatchInterval : kBatchInterval) {
    Engine::Options options;
    if (!records) options.recording_retention = absl::ZeroDuration();
    caller_.set_kind(v1::PRINCIPAL_KIND_HUMAN);
    caller_.set_id("bench");
    Effects effects;
    auto loaded = Engine::Load(store_, options, now_, effects);
    INTERLOCK_CHECK(loaded.ok());
    engine_ = *std::move(loaded);
    v1::UpdatePolicyRequest update;
    *update.mutable_policy() = PolicyWithoutLimits();
    if (many_rules) AddRules(*update.mutable_policy());
    INTERLOCK_CHECK(engine_->Apply(update, Context(), effects).ok());
    if (many_rules) LockElsewhere(effects);
  }

  // Decides all of `requests` as one batch. The time of each Apply is added to `apply`; answers that of the whole.
  absl::Duration Decide(const std::vector<v1::ArbitrateRequest>& requests, v1::Verdict verdict, Latencies& apply) {
    std::vector<absl::StatusOr<v1::Decision>> replies;
    replies.reserve(requests.size());
    now_ += interval_;
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
  // A lock of each kind of scope, none over the actions. One of the fleet would be over them, so that it is over.
  void LockElsewhere(Effects& effects) {
    for (int kind = v1::SCOPE_KIND_FLEET; kind <= v1::SCOPE_KIND_RESOURCE; ++kind) {
      v1::EngageLockRequest engage;
      engage.mutable_scope()->set_kind(static_cast<v1::ScopeKind>(kind));
      if (kind != v1::SCOPE_KIND_FLEET) engage.mutable_scope()->set_id("elsewhere");
      if (kind > v1::SCOPE_KIND_TENANT) engage.set_tenant_id(kTenant);
      engage.set_reason("bench");
      const auto lock = engine_->Apply(engage, Context(), effects);
      INTERLOCK_CHECK(lock.ok());
      if (kind != v1::SCOPE_KIND_FLEET) continue;
      v1::ReleaseLockRequest release;
      release.set_lock_id(lock->lock_id());
      release.set_version(lock->version());
      release.set_reason("bench");
      INTERLOCK_CHECK(engine_->Apply(release, Context(), effects).ok());
    }
  }

  CommandContext Context() const { return {caller_, now_}; }

  storage::MemoryStore store_{"bench"};
  const absl::Duration interval_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  v1::Principal caller_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace

EngineTimes MeasureEngine(const EngineLoad& load) {
  World world(load.many_rules, load.records);
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
