// Measures interlockd over gRPC beside an echo server that does nothing and beside the disk's own fdatasync, all in one
// run: what the durable decision costs beyond gRPC and the disk. Phases that are compared alternate, round after round,
// and their ratios are taken within a round, because machines are noisy.

#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "core/base/check.h"
#include "tests/bench/bench_server.h"
#include "tests/bench/disk.h"
#include "tests/bench/engine_apply.h"
#include "tests/bench/latencies.h"
#include "tests/bench/load.h"
#include "tests/bench/machine.h"
#include "tests/bench/scorecard.h"
#include "tests/bench/traffic.h"

ABSL_FLAG(int32_t, rounds, 5, "How often each phase is measured.");
ABSL_FLAG(absl::Duration, phase, absl::Seconds(1), "How long a phase lasts.");
ABSL_FLAG(std::vector<std::string>, in_flight, std::vector<std::string>({"1", "16", "64", "256"}),
          "How many unary calls are in flight.");
ABSL_FLAG(std::vector<std::string>, parts, std::vector<std::string>({"unary", "stream", "report", "engine"}),
          "What is measured: unary, stream, report, engine.");
ABSL_FLAG(int32_t, channels, 4, "Connections of the load.");
ABSL_FLAG(int32_t, streams, 8, "Streams of ArbitrateStream.");
ABSL_FLAG(int32_t, stream_in_flight, 8, "Messages in flight on each stream.");
ABSL_FLAG(int32_t, agents, 20000, "Agents that act, in turn.");
ABSL_FLAG(std::string, directory, "",
          "The folder, on the disk to be measured, below which data is kept; empty: that for temporary files.");

namespace interlock::bench {
namespace {

// In each round. Disks of rented machines have a budget of operations, which the measurement of the disk itself should
// not use up.
constexpr int kAppends = 200;

// A phase as it went in every round.
struct Rounds {
  // Replies a second.
  std::vector<double> rates;
  std::vector<double> p50s_ms;
  // Of all rounds.
  Latencies latencies;

  void Add(double rate, const Latencies& round) {
    rates.push_back(rate);
    p50s_ms.push_back(absl::ToDoubleMilliseconds(round.Percentile(0.5)));
    latencies.Add(round);
  }
};

// The median over the rounds of what the first did beside the second.
double MedianRatio(const std::vector<double>& numerators, const std::vector<double>& denominators) {
  INTERLOCK_CHECK(numerators.size() == denominators.size());
  std::vector<double> ratios;
  for (size_t i = 0; i < numerators.size(); ++i) ratios.push_back(numerators[i] / denominators[i]);
  return Median(ratios);
}

class RpcBench {
 public:
  explicit RpcBench(std::string directory)
      : directory_(std::move(directory)),
        interlock_(absl::GetFlag(FLAGS_channels)),
        echo_(absl::GetFlag(FLAGS_channels)) {}

  void Run() {
    std::cout << "phases     " << absl::GetFlag(FLAGS_rounds) << " rounds of " << absl::GetFlag(FLAGS_phase)
              << ", 1 load thread, " << absl::GetFlag(FLAGS_channels) << " connections, " << absl::GetFlag(FLAGS_agents)
              << " agents\n\n";
    for (const std::string& part : absl::GetFlag(FLAGS_parts)) {
      if (part == "unary") MeasureUnary();
      if (part == "stream") MeasureStreams();
      if (part == "report") MeasureReports();
      if (part == "engine") MeasureApply();
    }
    std::cout << "\n" << scorecard_.Text();
  }

 private:
  void MeasureUnary() {
    for (const std::string& text : absl::GetFlag(FLAGS_in_flight)) {
      int in_flight = 0;
      INTERLOCK_CHECK(absl::SimpleAtoi(text, &in_flight) && in_flight > 0);
      Rounds disk;
      Rounds echo;
      Rounds allowed;
      Rounds denied;
      for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
        const absl::Time begin = absl::Now();
        const Latencies appends = MeasureAppends(directory_, kAppends);
        disk.Add(kAppends / absl::ToDoubleSeconds(absl::Now() - begin), appends);
        EchoTraffic nothing;
        Add(RunLoad(MakeLoad(echo_.channels(), in_flight), nothing), echo);
        Arbitrate(v1::VERDICT_ALLOW, in_flight, allowed);
        Arbitrate(v1::VERDICT_DENY, in_flight, denied);
      }
      PrintLine("append of 512 bytes with fdatasync", disk);
      PrintLine(absl::StrCat("echo, ", in_flight, " in flight"), echo);
      PrintLine(absl::StrCat("Arbitrate allowed, ", in_flight, " in flight"), allowed, &echo);
      PrintLine(absl::StrCat("Arbitrate denied, ", in_flight, " in flight"), denied, &echo);
      if (in_flight == 64) {
        scorecard_.AtLeast("Arbitrate, 64 in flight, of the echo's throughput", MedianRatio(allowed.rates, echo.rates),
                           0.5);
        scorecard_.AtMost("Arbitrate, 64 in flight, p99, ms",
                          absl::ToDoubleMilliseconds(allowed.latencies.Percentile(0.99)), 10);
      }
      if (in_flight == 1) {
        std::vector<double> floors;
        for (size_t i = 0; i < disk.p50s_ms.size(); ++i) floors.push_back(echo.p50s_ms[i] + 2 * disk.p50s_ms[i]);
        scorecard_.AtMost("Arbitrate, 1 in flight, p50, of the echo's and two appends'",
                          MedianRatio(allowed.p50s_ms, floors), 1);
      }
    }
  }

  void Arbitrate(v1::Verdict verdict, int in_flight, Rounds& rounds) {
    ActionSource source(verdict, absl::GetFlag(FLAGS_agents), NextRun());
    DecisionChecker checker(verdict);
    ArbitrateTraffic traffic(source, checker);
    Decide(MakeLoad(interlock_.channels(), in_flight), traffic, checker, rounds);
  }

  void MeasureStreams() {
    for (const int requests : {1, 16}) {
      Rounds echo;
      Rounds decided;
      for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
        ActionSource echo_source(v1::VERDICT_ALLOW, absl::GetFlag(FLAGS_agents), NextRun());
        EchoStreamTraffic echo_traffic(echo_source, requests);
        Add(RunLoad(MakeStreamLoad(echo_.channels()), echo_traffic), echo);
        ActionSource source(v1::VERDICT_ALLOW, absl::GetFlag(FLAGS_agents), NextRun());
        DecisionChecker checker(v1::VERDICT_ALLOW);
        StreamTraffic traffic(source, checker, requests);
        Decide(MakeStreamLoad(interlock_.channels()), traffic, checker, decided);
      }
      const std::string shape = absl::StrCat(absl::GetFlag(FLAGS_streams), " streams x ",
                                             absl::GetFlag(FLAGS_stream_in_flight), " messages of ", requests);
      PrintLine(absl::StrCat("echo, ", shape), echo);
      PrintLine(absl::StrCat("ArbitrateStream, ", shape), decided, &echo);
      if (requests == 1) {
        scorecard_.AtLeast("ArbitrateStream, 1 a message, of the echo stream's throughput",
                           MedianRatio(decided.rates, echo.rates), 0.6);
      } else {
        scorecard_.AtLeast("ArbitrateStream, 16 a message, decisions a second", Median(decided.rates) * requests,
                           150000);
      }
    }
  }

  void MeasureReports() {
    Rounds reports;
    ReportTraffic traffic(absl::GetFlag(FLAGS_agents));
    for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
      Add(RunLoad(MakeLoad(interlock_.channels(), 64), traffic), reports);
    }
    PrintLine("ReportSnapshot, 64 in flight", reports);
  }

  void MeasureApply() {
    const EngineTimes times = MeasureEngine({});
    const double p50 = absl::ToDoubleMicroseconds(times.apply.Percentile(0.5));
    std::cout << absl::StrFormat("%-48s %21s p50 %.2f us, p99 %.2f us\n", "Engine Apply of an Arbitrate, in process",
                                 "", p50, absl::ToDoubleMicroseconds(times.apply.Percentile(0.99)));
    scorecard_.AtMost("Engine Apply of an Arbitrate, p50, us", p50, 3);
  }

  // Runs a load that has actions decided, and holds what the server counted against what was answered.
  void Decide(const Load& load, Traffic& traffic, const DecisionChecker& checker, Rounds& rounds) {
    const int64_t count_before = interlock_.DecisionCount();
    const int64_t flushes_before = CountFlushes(directory_);
    const LoadResult result = RunLoad(load, traffic);
    const int64_t flushes = CountFlushes(directory_) - flushes_before;
    Add(result, rounds);
    const int64_t counted = interlock_.DecisionCount() - count_before;
    if (counted != checker.decisions()) {
      std::cerr << "the server counts " << counted << " decisions, and " << checker.decisions() << " were answered\n";
      INTERLOCK_CHECK(counted == checker.decisions());
    }
    Commits& commits = commits_[&rounds];
    commits.decisions += counted;
    commits.batches += checker.batches();
    commits.flushes += flushes;
  }

  void Add(const LoadResult& result, Rounds& rounds) {
    if (!result.fault.empty()) std::cerr << result.fault << "\n";
    INTERLOCK_CHECK(result.fault.empty());
    rounds.Add(result.replies_per_second, result.latencies);
  }

  void PrintLine(const std::string& what, const Rounds& rounds, const Rounds* beside = nullptr) {
    std::string text =
        absl::StrFormat("%-48s %9.0f/s  %s", what, Median(rounds.rates), PercentilesText(rounds.latencies));
    if (beside != nullptr) absl::StrAppendFormat(&text, "  %.3f of the echo", MedianRatio(rounds.rates, beside->rates));
    if (const auto commits = commits_.find(&rounds); commits != commits_.end()) {
      const Commits& of = commits->second;
      absl::StrAppendFormat(
          &text, "\n%-48s %d decisions, %d commits (%.1f each), %d flushes of the device", "", of.decisions, of.batches,
          static_cast<double>(of.decisions) / static_cast<double>(std::max<int64_t>(1, of.batches)), of.flushes);
      commits_.erase(commits);
    }
    std::cout << text << std::endl;
  }

  Load MakeLoad(const std::vector<std::shared_ptr<grpc::Channel>>& channels, int in_flight) const {
    return {.channels = channels, .in_flight = in_flight, .duration = absl::GetFlag(FLAGS_phase)};
  }
  Load MakeStreamLoad(const std::vector<std::shared_ptr<grpc::Channel>>& channels) const {
    return {.channels = channels,
            .in_flight = absl::GetFlag(FLAGS_stream_in_flight),
            .streams = absl::GetFlag(FLAGS_streams),
            .duration = absl::GetFlag(FLAGS_phase)};
  }
  // Sets the request ids of a phase apart from those of all others.
  std::string NextRun() { return absl::StrCat("run", ++runs_); }

  struct Commits {
    int64_t decisions = 0;
    int64_t batches = 0;
    int64_t flushes = 0;
  };

  const std::string directory_;
  BenchInterlock interlock_;
  BenchEcho echo_;
  std::map<const Rounds*, Commits> commits_;
  int runs_ = 0;
  Scorecard scorecard_;
};

}  // namespace
}  // namespace interlock::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Measures interlockd beside an echo server and the disk.");
  absl::ParseCommandLine(argc, argv);
  const std::string directory = interlock::bench::MakeBenchDirectory(absl::GetFlag(FLAGS_directory));
  std::cout << interlock::bench::DescribeRun(argc, argv, directory);
  interlock::bench::RpcBench(directory).Run();
  interlock::bench::RemoveBenchDirectory(directory);
  return 0;
}
