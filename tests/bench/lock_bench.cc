// Measures locks while the server decides as much as it can: how soon an engaged lock is acknowledged, how soon it is
// known to a thousand watchers, and that nothing in its scope is allowed once it was acknowledged.

#include <atomic>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "core/base/check.h"
#include "tests/bench/bench_server.h"
#include "tests/bench/latencies.h"
#include "tests/bench/load.h"
#include "tests/bench/lock_watchers.h"
#include "tests/bench/machine.h"
#include "tests/bench/scorecard.h"
#include "tests/bench/traffic.h"
#include "tests/support/requests.h"

ABSL_FLAG(absl::Duration, phase, absl::Seconds(15), "How long each of the two phases lasts.");
ABSL_FLAG(int32_t, in_flight, 64, "Unary Arbitrate calls of the load in flight.");
ABSL_FLAG(int32_t, streams, 4, "Streams of the load, each with 4 messages of one action in flight.");
ABSL_FLAG(uint32_t, watchers, 1000, "Clients that watch locks in the second phase.");
ABSL_FLAG(std::string, directory, "",
          "The folder, on the disk to be measured, below which data is kept; empty: that for temporary files.");

namespace interlock::bench {
namespace {

constexpr int kConnections = 4;
constexpr int kWatcherConnections = 10;
constexpr int kStreamInFlight = 4;
constexpr int kAgents = 20000;
constexpr int kProbers = 2;
// Calls in a lock's scope that must be seen to be refused after its acknowledgement.
constexpr int64_t kProbesEach = 4;

// Keeps asking for an action of one agent, and checks each answer against when the agent's lock was acknowledged.
// Thread-safe.
class Prober {
 public:
  explicit Prober(support::ServerProcess& process) {
    for (int i = 0; i < kProbers; ++i) {
      apis_.push_back(std::make_unique<support::Api>(process.NewChannel()));
      threads_.emplace_back([this, i] { Run(*apis_[static_cast<size_t>(i)]); });
    }
  }
  ~Prober() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

  void Probe(int agent) {
    const std::lock_guard<std::mutex> lock(mutex_);
    agent_ = agent;
    acknowledged_ = absl::InfiniteFuture();
    probes_after_ = 0;
  }
  void Acknowledged(absl::Time now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    acknowledged_ = now;
  }
  // Waits until enough calls that were begun after the acknowledgement were answered.
  void WaitForProbes() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return probes_after_ >= kProbesEach; });
  }

  static std::string AgentName(int agent) { return absl::StrCat("locked-", agent); }
  int64_t refused() const { return refused_; }
  int64_t allowed() const { return allowed_; }

 private:
  void Run(const support::Api& api) {
    while (!stopping_) {
      int agent = 0;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        agent = agent_;
      }
      const absl::Time begin = absl::Now();
      const auto answer = api.Call(&support::Safety::Arbitrate, support::ActionOf(kTenant, AgentName(agent)));
      INTERLOCK_CHECK(answer.ok());
      const std::lock_guard<std::mutex> lock(mutex_);
      if (agent != agent_ || begin <= acknowledged_) continue;
      answer->verdict() == v1::VERDICT_LOCK ? ++refused_ : ++allowed_;
      ++probes_after_;
      changed_.notify_all();
    }
  }

  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> refused_{0};
  std::atomic<int64_t> allowed_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  int agent_ = 0;
  absl::Time acknowledged_ = absl::InfiniteFuture();
  int64_t probes_after_ = 0;
  std::vector<std::unique_ptr<support::Api>> apis_;
  std::vector<std::thread> threads_;
};

// As many decisions as the server makes, on threads of their own.
class Saturation {
 public:
  Saturation(BenchInterlock& interlock, const std::string& run)
      : unary_([this, &interlock, run] {
          ActionSource source(v1::VERDICT_ALLOW, kAgents, run + "-unary");
          DecisionChecker checker(v1::VERDICT_ALLOW);
          ArbitrateTraffic traffic(source, checker);
          Take(RunLoad({.channels = interlock.channels(),
                        .in_flight = absl::GetFlag(FLAGS_in_flight),
                        .duration = absl::GetFlag(FLAGS_phase)},
                       traffic));
        }),
        streams_([this, &interlock, run] {
          ActionSource source(v1::VERDICT_ALLOW, kAgents, run + "-stream");
          DecisionChecker checker(v1::VERDICT_ALLOW);
          StreamTraffic traffic(source, checker, 1);
          Take(RunLoad({.channels = interlock.channels(),
                        .in_flight = kStreamInFlight,
                        .streams = absl::GetFlag(FLAGS_streams),
                        .duration = absl::GetFlag(FLAGS_phase)},
                       traffic));
        }) {}
  // Waits for its end. Answers decisions a second.
  double Finish() {
    unary_.join();
    streams_.join();
    return rate_;
  }

 private:
  void Take(const LoadResult& result) {
    if (!result.fault.empty()) std::cerr << result.fault << "\n";
    INTERLOCK_CHECK(result.fault.empty());
    const std::lock_guard<std::mutex> lock(mutex_);
    rate_ += result.replies_per_second;
  }

  std::mutex mutex_;
  double rate_ = 0;
  std::thread unary_;
  std::thread streams_;
};

class LockBench {
 public:
  LockBench() : interlock_(kConnections), prober_(interlock_.process()), operator_(interlock_.process().NewChannel()) {}

  // False: something was allowed that was locked.
  bool Run() {
    Measure("no watchers", nullptr);
    LockWatchers watchers(NewChannels(interlock_.process().address(), kWatcherConnections),
                          absl::GetFlag(FLAGS_watchers));
    Measure(absl::StrCat(absl::GetFlag(FLAGS_watchers), " watchers"), &watchers);
    scorecard_.AtMost("calls allowed in a lock's scope after its acknowledgement",
                      static_cast<double>(prober_.allowed()), 0);
    std::cout << prober_.refused() << " calls were begun in a lock's scope after its acknowledgement and refused, "
              << prober_.allowed() << " allowed\n\n"
              << scorecard_.Text();
    return prober_.allowed() == 0;
  }

 private:
  void Measure(const std::string& what, LockWatchers* watchers) {
    Latencies acknowledged;
    Latencies known;
    const absl::Time end = absl::Now() + absl::GetFlag(FLAGS_phase);
    Saturation saturation(interlock_, absl::StrCat("run", engaged_));
    do {
      const int agent = ++engaged_;
      prober_.Probe(agent);
      if (watchers != nullptr) watchers->Expect(Prober::AgentName(agent));
      const absl::Time begin = absl::Now();
      const auto answer =
          operator_.Call(&support::Locks::EngageLock,
                         support::EngageOf(kTenant, v1::SCOPE_KIND_AGENT, Prober::AgentName(agent), "a measurement"));
      const absl::Time now = absl::Now();
      INTERLOCK_CHECK(answer.ok());
      prober_.Acknowledged(now);
      acknowledged.Add(now - begin);
      prober_.WaitForProbes();
      if (watchers != nullptr) known.Add(watchers->WaitForAll(now));
    } while (absl::Now() < end);
    const double rate = saturation.Finish();
    std::cout << absl::StrFormat("%s, beside %.0f decisions a second\n", what, rate);
    std::cout << absl::StrFormat("  EngageLock to its acknowledgement       %7d  %s\n", acknowledged.count(),
                                 PercentilesText(acknowledged));
    scorecard_.AtMost(absl::StrCat("EngageLock acknowledged, ", what, ", p99, ms"),
                      absl::ToDoubleMilliseconds(acknowledged.Percentile(0.99)), 20);
    if (watchers == nullptr) return;
    std::cout << absl::StrFormat("  acknowledgement to each watcher         %7d  %s\n", known.count(),
                                 PercentilesText(known));
    scorecard_.AtMost("WatchLocks, acknowledgement to each watcher, p99, ms",
                      absl::ToDoubleMilliseconds(known.Percentile(0.99)), 50);
  }

  BenchInterlock interlock_;
  Prober prober_;
  support::Api operator_;
  int engaged_ = 0;
  Scorecard scorecard_;
};

}  // namespace
}  // namespace interlock::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Measures locks under load.");
  absl::ParseCommandLine(argc, argv);
  const std::string directory = interlock::bench::MakeBenchDirectory(absl::GetFlag(FLAGS_directory));
  std::cout << interlock::bench::DescribeRun(argc, argv, directory) << "load       " << absl::GetFlag(FLAGS_in_flight)
            << " unary calls and " << absl::GetFlag(FLAGS_streams) << " streams with 4 messages in flight\n\n";
  const bool sound = interlock::bench::LockBench().Run();
  interlock::bench::RemoveBenchDirectory(directory);
  return sound ? 0 : 1;
}
