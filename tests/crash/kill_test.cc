// Kills the real server again and again while clients are at work, and holds what it shows after each restart against
// all that it ever acknowledged. A longer run:
//
//   bazel test //tests/crash:kill_test --test_arg=--kills=500 --test_timeout=3600 --test_output=all
//
// The seed is printed; --test_arg=--seed=N chooses the same operations and moments again, though threads will
// interleave differently.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/crash/arbiter.h"
#include "tests/crash/checker.h"
#include "tests/crash/observe.h"
#include "tests/crash/operator.h"
#include "tests/crash/recorder.h"
#include "tests/crash/subscriber.h"
#include "tests/support/fake_oauth_server.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

ABSL_FLAG(int, kills, 20, "How often to kill the server under load.");
ABSL_FLAG(uint64_t, seed, 0, "What to draw from; 0: a new one.");

namespace interlock::crash {
namespace {

constexpr int kArbiters = 4;
// Acknowledgements between a start and the kill.
constexpr int kAcknowledgementsMax = 500;
// One start in so many is killed before the server serves.
constexpr int kStartsPerEarlyKill = 4;
constexpr absl::Duration kEarlyKillMax = absl::Milliseconds(150);
constexpr absl::Duration kLingerMax = absl::Milliseconds(3);
// After each of the first kills everything is read anew. Later, when there is much of it, only every so often; in
// between what cannot change any more is taken over from the check before.
constexpr int kKillsWithFullCheck = 20;
constexpr int kKillsPerFullCheck = 25;
// By then every task that was triggered has run.
constexpr absl::Duration kQuietMax = absl::Seconds(60);

// What an action is that the lock covers.
v1::ArbitrateRequest ActionUnder(const v1::Lock& lock, const std::string& action_id) {
  v1::ArbitrateRequest request = support::ActionOf(lock.tenant_id(), "prober");
  v1::Action& action = *request.mutable_action();
  action.set_action_id(action_id);
  if (lock.scope().kind() == v1::SCOPE_KIND_AGENT) action.set_agent_id(lock.scope().id());
  if (lock.scope().kind() == v1::SCOPE_KIND_CATEGORY) action.set_category(lock.scope().id());
  if (lock.scope().kind() == v1::SCOPE_KIND_RESOURCE) action.set_target_resource(lock.scope().id());
  return request;
}

// The server, its clients and what they know.
class Exercise {
 public:
  Exercise(uint64_t seed, int kills) : random_(seed) {
    // Each restart finds the hanging attempt lost and begins it anew.
    for (int i = 0; i < 2 * kills + 10; ++i) hanging_->Script({.body = "", .headers = "", .delivery = kSilent});
    for (const std::string& tenant_id : tenants_) periods_[tenant_id];
    for (int i = 0; i < kArbiters; ++i) {
      clients_.push_back(std::make_unique<Arbiter>(recorder_, periods_, absl::StrCat("arbiter-", i), random_()));
    }
    AddOperator("shop", "reference", hanging_.get());
    AddOperator("lab", "tool_calling", nullptr);
    AddOperator("desk", "reference", nullptr);
    rounds_ = std::make_unique<Rounds>(static_cast<int>(clients_.size()));
    for (const std::unique_ptr<Client>& client : clients_) {
      threads_.emplace_back([this, &client = *client] { client.Run(*rounds_); });
    }
    threads_.emplace_back([this] { RunSubscriber(recorder_, subscriber_rounds_); });
  }
  ~Exercise() {
    // Whoever still waits for an answer gets none.
    server_.reset();
    rounds_->End();
    subscriber_rounds_.End();
    for (std::thread& thread : threads_) thread.join();
  }

  // The clients work, the server is killed, starts again and is checked. False: something is wrong.
  bool KillOnce() {
    Begin();
    recorder_.WaitForAcknowledgements(Random(kAcknowledgementsMax) + 1, kLingerMax * Random(100) / 100);
    server_->Kill9();
    ++kills_;
    rounds_->WaitUntilLeft();
    subscriber_rounds_.WaitUntilLeft();
    Restart();
    const bool full = kills_ <= kKillsWithFullCheck || kills_ % kKillsPerFullCheck == 0;
    if (full) observation_ = Observation();
    return CheckAll("after a kill");
  }

  // The clients work, finish what is in doubt, and the server is ended in order.
  bool EndInOrder() {
    Begin();
    recorder_.WaitForAcknowledgements(kAcknowledgementsMax, absl::ZeroDuration());
    rounds_->Stop();
    WaitUntilTasksAreDone();
    observation_ = Observation();
    if (!CheckAll("at the end")) return false;
    // The server would wait for the hanging attempt, which fails now.
    hanging_.reset();
    const int exit_code = server_->Terminate();
    if (exit_code != 0) recorder_.Fail(absl::StrCat("the server ended with ", exit_code));
    // A killed server cannot tell by its exit code what a sanitizer found.
    if (absl::StrContains(server_->ReadLog(), "Sanitizer:"))
      recorder_.Fail("a sanitizer found something in the server");
    subscriber_rounds_.WaitUntilLeft();
    server_->Restart();
    observation_ = Observation();
    return CheckAll("after an orderly end", /*subscriber_is_idle=*/true);
  }

  std::string Summary() const {
    const History& history = recorder_.history();
    int64_t lock_changes = 0;
    for (const auto& [lock_id, lock] : history.locks) lock_changes += lock.version();
    return absl::StrCat(kills_, " kills under load and ", early_kills_, " while starting, ", checks_, " checks, ",
                        full_checks_, " of them of everything anew; acknowledged and found: ", history.decisions.size(),
                        " decisions, ", lock_changes, " changes of ", history.locks.size(), " locks, ",
                        history.alerts.size(), " alerts, ", history.tasks.size(), " tasks with ", attempts_,
                        " attempts (", lost_attempts_, " lost), ", recorder_.acknowledgements(),
                        " replies in all; of the decisions in doubt ", recorder_.doubts_that_had_happened(),
                        " had been made and ", recorder_.doubts_that_had_not(), " had not");
  }

 private:
  static constexpr auto kSilent = support::FakeOAuthServer::Reply::Delivery::kSilent;

  void AddOperator(const std::string& tenant_id, const std::string& profile, support::FakeOAuthServer* hanging) {
    clients_.push_back(std::make_unique<Operator>(recorder_, periods_[tenant_id], TokenEndpoints{prompt_, hanging},
                                                  tenant_id, profile, random_()));
  }

  int Random(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }

  void Begin() {
    rounds_->Begin(server_->NewChannel());
    subscriber_rounds_.Begin(server_->NewChannel());
  }

  void Restart() {
    while (Random(kStartsPerEarlyKill) == 0) {
      if (server_->RestartWithin(kEarlyKillMax * Random(100) / 100)) return;
      ++early_kills_;
    }
    server_->Restart();
  }

  // Asks for an action under each lock in force.
  std::map<std::string, v1::Decision> Probe(const support::Api& api) {
    std::map<std::string, v1::Decision> probes;
    v1::ListLocksRequest list;
    list.set_page_size(1000);
    const auto locks = api.Call(&support::Locks::ListLocks, list);
    EXPECT_TRUE(locks.ok()) << locks.status.error_message();
    for (const v1::Lock& lock : locks->locks()) {
      const std::string action_id = absl::StrCat("probe-", ++probes_);
      recorder_.Note([&](History& history) { history.actions[action_id] = false; });
      const auto decision = api.Call(&support::Safety::Arbitrate, ActionUnder(lock, action_id));
      EXPECT_TRUE(decision.ok()) << decision.status.error_message();
      recorder_.AcknowledgeDecision(action_id, *decision, false);
      probes[lock.lock_id()] = *decision;
    }
    return probes;
  }

  // Holds all that the server shows against the history. No client is at work, but the subscriber may be.
  bool CheckAll(absl::string_view when, bool subscriber_is_idle = false) {
    ++checks_;
    const std::shared_ptr<grpc::Channel> channel = server_->NewChannel();
    const support::Api api(channel, "human:checker");
    const auto probes = Probe(api);
    if (observation_.decisions.empty()) ++full_checks_;
    absl::StatusOr<Observation> observation = Observe(api, tenants_, std::move(observation_));
    if (!observation.ok()) {
      ADD_FAILURE() << when << ": " << observation.status();
      return false;
    }
    observation->probes = probes;
    if (subscriber_is_idle) ReadAlertsUpTo(recorder_, channel, observation->info.alert_sequence());
    CountAttempts(*observation);
    std::vector<std::string> violations;
    // Under the recorder's lock, because the subscriber may be at work.
    recorder_.Note([&](const History& history) { violations = Check(history, *observation); });
    for (const std::string& failure : recorder_.failures()) violations.push_back(failure);
    if (subscriber_is_idle && observation->alerts.size() != recorder_.history().alerts.size()) {
      violations.push_back("the subscriber was not sent every alert");
    }
    observation_ = *std::move(observation);
    if (violations.empty()) return true;
    ADD_FAILURE() << when << " " << kills_ << ":\n" << absl::StrJoin(violations, "\n");
    return false;
  }

  void CountAttempts(const Observation& observation) {
    attempts_ = 0;
    lost_attempts_ = 0;
    for (const auto& [task_id, attempts] : observation.attempts) {
      attempts_ += static_cast<int64_t>(attempts.size());
      for (const v1::Attempt& attempt : attempts) {
        if (attempt.outcome() == v1::ATTEMPT_OUTCOME_LOST) ++lost_attempts_;
      }
    }
  }

  // Looks again and again until every trigger has led to an attempt that ended.
  void WaitUntilTasksAreDone() {
    const support::Api api(server_->NewChannel(), "human:checker");
    const absl::Time deadline = absl::Now() + kQuietMax;
    std::vector<std::string> undone;
    do {
      const absl::StatusOr<Observation> observation = ObserveTasks(api, tenants_);
      ASSERT_TRUE(observation.ok()) << observation.status();
      undone = CheckDone(recorder_.history(), *observation, kHangingTarget);
    } while (!undone.empty() && absl::Now() < deadline);
    EXPECT_TRUE(undone.empty()) << absl::StrJoin(undone, "\n");
  }

  std::mt19937_64 random_;
  support::FakeOAuthServer prompt_;
  std::unique_ptr<support::FakeOAuthServer> hanging_ = std::make_unique<support::FakeOAuthServer>();
  std::unique_ptr<support::ServerProcess> server_ =
      std::make_unique<support::ServerProcess>(support::ServerProcess::Options{"kill", {}});
  // The last one has no operator.
  const std::vector<std::string> tenants_ = {"shop", "lab", "desk", "quiet"};
  PeriodsByTenant periods_;
  Recorder recorder_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::unique_ptr<Rounds> rounds_;
  Rounds subscriber_rounds_{1};
  std::vector<std::thread> threads_;
  int kills_ = 0;
  int early_kills_ = 0;
  int checks_ = 0;
  int full_checks_ = 0;
  // What the last check saw; empty: the next one reads everything.
  Observation observation_;
  int64_t probes_ = 0;
  int64_t attempts_ = 0;
  int64_t lost_attempts_ = 0;
};

TEST(KillTest, NothingAcknowledgedIsLost) {
  const int kills = absl::GetFlag(FLAGS_kills);
  uint64_t seed = absl::GetFlag(FLAGS_seed);
  if (seed == 0) seed = std::random_device()();
  std::printf("kill_test --kills=%d --seed=%llu\n", kills, static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  Exercise exercise(seed, kills);
  bool good = true;
  for (int i = 0; good && i < kills; ++i) good = exercise.KillOnce();
  if (good) exercise.EndInOrder();
  std::printf("kill_test: %s\n", exercise.Summary().c_str());
}

}  // namespace
}  // namespace interlock::crash

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  return RUN_ALL_TESTS();
}
