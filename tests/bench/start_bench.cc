// Measures what a large store costs: the time from the start of a server that was killed to its first verdict, the
// bytes of a decision on the disk, what is written for each byte stored, and pages of a long list.

#include <filesystem>
#include <iostream>
#include <string>
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
#include "tests/bench/machine.h"
#include "tests/bench/scorecard.h"
#include "tests/bench/store_filler.h"
#include "tests/bench/traffic.h"
#include "tests/support/api.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

ABSL_FLAG(
    std::vector<std::string>, parts, std::vector<std::string>({"day", "recent", "list"}),
    "What is measured: start and space with the decisions of a day, the same with decisions of the last minutes and "
    "their request ids, lists.");
ABSL_FLAG(int64_t, decisions, 1000000, "Decisions in the store that is started.");
ABSL_FLAG(int32_t, agents, 100000, "Agents that reported and act.");
ABSL_FLAG(int32_t, locks, 10000, "Locks in force.");
ABSL_FLAG(int32_t, starts, 5, "How often each store is started.");
ABSL_FLAG(int64_t, listed_decisions, 10000000, "Decisions in the store that is listed.");
ABSL_FLAG(int32_t, pages, 300, "Pages of each list that are timed.");
ABSL_FLAG(std::string, directory, "",
          "The folder, on the disk to be measured, below which data is kept; empty: that for temporary files.");

namespace interlock::bench {
namespace {

constexpr int kSmallPage = 100;
constexpr int kLargePage = 1000;

// Bytes written for each byte of rows.
double Amplification(const FillResult& filled) {
  return static_cast<double>(filled.written_bytes) / static_cast<double>(filled.row_bytes);
}

// An interlockd on a copy of a store.
class StoreServer {
 public:
  // REQUIRES: a store in `directory`, which nobody has open.
  explicit StoreServer(std::string directory)
      : directory_(std::move(directory)), process_({.name = "started", .flags = {}}) {
    process_.Kill9();
    Replace();
  }

  // How long it takes from the start of the program to the first verdict, of a store as it was killed.
  absl::Duration StartToVerdict() {
    const absl::Time begin = absl::Now();
    process_.Restart();
    const support::Api api(process_.NewChannel());
    const auto answer = api.Call(&support::Safety::Arbitrate, support::ActionOf(kTenant, AgentName(1)));
    const absl::Duration took = absl::Now() - begin;
    INTERLOCK_CHECK(answer.ok() && answer->verdict() == v1::VERDICT_ALLOW);
    process_.Kill9();
    Replace();
    return took;
  }
  support::ServerProcess& Start() {
    process_.Restart();
    return process_;
  }

 private:
  void Replace() {
    std::filesystem::remove_all(process_.data_dir());
    std::filesystem::copy(directory_, process_.data_dir(), std::filesystem::copy_options::recursive);
  }

  const std::string directory_;
  support::ServerProcess process_;
};

class StartBench {
 public:
  explicit StartBench(std::string directory) : directory_(std::move(directory)) {}

  void Run() {
    for (const std::string& part : absl::GetFlag(FLAGS_parts)) {
      if (part == "day") {
        MeasureStart("over 24 hours", {.end = absl::Now(), .span = absl::Hours(24), .with_request_ids = false});
      }
      if (part == "recent") {
        MeasureStart("within 5 minutes, with request ids",
                     {.end = absl::Now(), .span = absl::Minutes(5), .with_request_ids = true});
      }
      if (part == "list") MeasureLists();
    }
    std::cout << "\n" << scorecard_.Text();
  }

 private:
  void MeasureStart(const std::string& when, Fill fill) {
    fill.decisions = absl::GetFlag(FLAGS_decisions);
    fill.agents = absl::GetFlag(FLAGS_agents);
    fill.locks = absl::GetFlag(FLAGS_locks);
    const std::string store = absl::StrCat(directory_, "/filled");
    const FillResult filled = FillStore(store, fill);
    std::cout << fill.decisions << " decisions " << when << ", " << fill.agents << " agents that reported, "
              << fill.locks << " locks; filled in "
              << absl::FormatDuration(absl::Trunc(absl::Now() - fill.end, absl::Seconds(1))) << std::endl;
    Latencies starts;
    {
      StoreServer server(store);
      for (int i = 0; i < absl::GetFlag(FLAGS_starts); ++i) {
        starts.Add(server.StartToVerdict());
      }
    }
    std::cout << absl::StrFormat("  start to first verdict: median %.3f s, longest %.3f s of %d\n",
                                 absl::ToDoubleSeconds(starts.Percentile(0.5)),
                                 absl::ToDoubleSeconds(starts.Percentile(1)), starts.count());
    scorecard_.AtMost(absl::StrCat("start to first verdict, decisions ", when, ", s"),
                      absl::ToDoubleSeconds(starts.Percentile(0.5)), 1);
    const double amplification = Amplification(filled);
    const StoreWeight weight = CompactStore(store);
    const double each = static_cast<double>(weight.decision_bytes) / static_cast<double>(fill.decisions);
    std::cout << absl::StrFormat("  rows %.1f MB, written %.1f MB (x %.2f), tables after compaction %.1f MB\n",
                                 static_cast<double>(filled.row_bytes) / 1e6,
                                 static_cast<double>(filled.written_bytes) / 1e6, amplification,
                                 static_cast<double>(weight.table_bytes) / 1e6)
              << absl::StrFormat("  a decision after compaction: %.1f bytes, %.1f with its share of all tables\n", each,
                                 static_cast<double>(weight.table_bytes) / static_cast<double>(fill.decisions));
    scorecard_.AtMost(absl::StrCat("bytes of a decision after compaction, ", when), each, 250);
    scorecard_.AtMost(absl::StrCat("bytes written for each byte of rows, ", when), amplification, 4);
    std::filesystem::remove_all(store);
  }

  void MeasureLists() {
    const int64_t rows = absl::GetFlag(FLAGS_listed_decisions);
    const std::string store = absl::StrCat(directory_, "/listed");
    const absl::Time begin = absl::Now();
    const FillResult filled = FillStore(store, {.decisions = rows,
                                                .agents = absl::GetFlag(FLAGS_agents),
                                                .with_reports = false,
                                                .end = begin,
                                                .span = absl::Hours(240)});
    std::cout << rows << " decisions to list; filled in "
              << absl::FormatDuration(absl::Trunc(absl::Now() - begin, absl::Seconds(1)))
              << absl::StrFormat(", written x %.2f", Amplification(filled)) << std::endl;
    StoreServer server(store);
    std::filesystem::remove_all(store);
    const support::Api api(server.Start().NewChannel());
    std::string middle;
    std::string near_end;
    Walk(api, rows, middle, near_end);
    v1::ListDecisionsRequest all;
    all.set_tenant_id(kTenant);
    all.set_page_size(kSmallPage);
    Latencies every;
    every.Add(Pages(api, "first pages", all, ""));
    every.Add(Pages(api, "pages from the middle", all, middle));
    every.Add(Pages(api, "last pages", all, near_end));
    scorecard_.AtMost(absl::StrCat("ListDecisions, page of 100 of ", rows, " rows, p99, ms"),
                      absl::ToDoubleMilliseconds(every.Percentile(0.99)), 10);
    v1::ListDecisionsRequest denied = all;
    denied.set_verdict(v1::VERDICT_DENY);
    Filtered(api, "pages of denied ones, 1 in 100", denied);
    v1::ListDecisionsRequest of_agent = all;
    of_agent.set_agent_id(AgentName(1));
    Filtered(api, absl::StrCat("pages of one agent of ", absl::GetFlag(FLAGS_agents)), of_agent);
  }

  // Turns all pages, and keeps the tokens of one in the middle and of one near the end.
  void Walk(const support::Api& api, int64_t rows, std::string& middle, std::string& near_end) {
    v1::ListDecisionsRequest request;
    request.set_tenant_id(kTenant);
    request.set_page_size(kLargePage);
    Latencies latencies;
    int64_t seen = 0;
    do {
      const v1::ListDecisionsResponse page = TurnPage(api, request, latencies);
      seen += page.decisions_size();
      request.set_page_token(page.next_page_token());
      if (middle.empty() && seen >= rows / 2) middle = page.next_page_token();
      if (seen <= rows - int64_t{kSmallPage} * absl::GetFlag(FLAGS_pages)) near_end = page.next_page_token();
    } while (!request.page_token().empty());
    INTERLOCK_CHECK(seen == rows);
    Print("all pages, of 1000", latencies);
  }

  Latencies Pages(const support::Api& api, const std::string& what, v1::ListDecisionsRequest request,
                  const std::string& token) {
    request.set_page_token(token);
    Latencies latencies;
    for (int i = 0; i < absl::GetFlag(FLAGS_pages); ++i) {
      const v1::ListDecisionsResponse page = TurnPage(api, request, latencies);
      if (page.next_page_token().empty()) break;
      request.set_page_token(page.next_page_token());
    }
    Print(absl::StrCat(what, ", of ", request.page_size()), latencies);
    return latencies;
  }

  void Filtered(const support::Api& api, const std::string& what, const v1::ListDecisionsRequest& request) {
    const Latencies latencies = Pages(api, what, request, "");
    scorecard_.AtMost(absl::StrCat("ListDecisions, ", what, ", p99, ms"),
                      absl::ToDoubleMilliseconds(latencies.Percentile(0.99)), 10);
  }

  static v1::ListDecisionsResponse TurnPage(const support::Api& api, const v1::ListDecisionsRequest& request,
                                            Latencies& latencies) {
    const absl::Time begin = absl::Now();
    auto answer = api.Call(&support::Safety::ListDecisions, request);
    latencies.Add(absl::Now() - begin);
    INTERLOCK_CHECK(answer.ok());
    return std::move(answer.reply);
  }

  static void Print(const std::string& what, const Latencies& latencies) {
    std::cout << absl::StrFormat("  %-44s %7d  %s\n", what, latencies.count(), PercentilesText(latencies));
  }

  const std::string directory_;
  Scorecard scorecard_;
};

}  // namespace
}  // namespace interlock::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Measures what a large store costs.");
  absl::ParseCommandLine(argc, argv);
  const std::string directory = interlock::bench::MakeBenchDirectory(absl::GetFlag(FLAGS_directory));
  std::cout << interlock::bench::DescribeRun(argc, argv, directory) << "\n";
  interlock::bench::StartBench(directory).Run();
  interlock::bench::RemoveBenchDirectory(directory);
  return 0;
}
