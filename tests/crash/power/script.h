// What a server is asked in the power campaigns: commands of every kind that writes, drawn from a seed. The same seed
// and the same replies give the same commands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/engine/engine.h"
#include "interlock/v1/lock.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/state.pb.h"
#include "interlock/v1/task.pb.h"
#include "server/sequencer/work.h"

namespace interlock::crash {

// A value: a copy goes on as this one would. Thread-compatible.
class Script {
 public:
  using Works = std::vector<std::unique_ptr<server::Work>>;

  explicit Script(uint64_t seed);

  // How the engine is to be set up: with short retention, so that something is cut off.
  static Engine::Options EngineOptions();

  // The time of the next batch, which is this much after the one before.
  absl::Duration NextDelay();
  absl::Time now() const { return now_; }
  // The next few commands. Must be done with before the script is asked again, moved or destroyed.
  Works NextBatch();
  // Commands that write more than fits into memory beside the write-ahead log, in a few rows that are replaced.
  Works NextLargeBatch();
  // What was told once it was durable.
  void Take(const Effects& effects);
  // Which kinds of command were answered, and how often; decisions by their verdict.
  const std::map<std::string, int64_t>& answers() const { return answers_; }

 private:
  struct TenantView {
    std::string tenant_id;
    v1::PolicySet policy;
    std::map<std::string, v1::Lock> in_force;
    std::vector<v1::Task> tasks;
  };

  // The work of one command. `on_reply` sees the reply once that is durable.
  template <typename Command, typename OnReply>
  std::unique_ptr<server::Work> Ask(std::string kind, Command command, OnReply on_reply);

  int Random(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }
  std::string NewRequestId();
  std::unique_ptr<server::Work> Next();
  std::unique_ptr<server::Work> Arbitrate(TenantView& tenant);
  std::unique_ptr<server::Work> AskAgain();
  std::unique_ptr<server::Work> Report(TenantView& tenant);
  std::unique_ptr<server::Work> RecordPoints(TenantView& tenant);
  std::unique_ptr<server::Work> Engage(TenantView& tenant);
  std::unique_ptr<server::Work> Release(TenantView& tenant);
  std::unique_ptr<server::Work> UpdatePolicy(TenantView& tenant);
  std::unique_ptr<server::Work> CreateTask(TenantView& tenant);
  std::unique_ptr<server::Work> TriggerTask(TenantView& tenant);
  std::unique_ptr<server::Work> EndAttempt(size_t secret_bytes);

  std::mt19937_64 random_;
  absl::Time now_;
  std::vector<TenantView> tenants_;
  std::vector<v1::TaskRecord> grants_;
  v1::ArbitrateRequest asked_;
  int64_t serial_ = 0;
  std::map<std::string, int64_t> answers_;
};

}  // namespace interlock::crash
