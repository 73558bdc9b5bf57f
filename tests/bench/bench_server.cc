#include "tests/bench/bench_server.h"

#include <stdlib.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "gtest/gtest.h"
#include "tests/bench/load.h"
#include "tests/bench/traffic.h"

namespace interlock::bench {
namespace {

// Ends the program if a call that prepares or reads a figure failed.
template <typename Reply>
Reply Require(const support::Answer<Reply>& answer) {
  if (!answer.ok()) std::fprintf(stderr, "%s\n", answer.status.error_message().c_str());
  INTERLOCK_CHECK(answer.ok());
  return answer.reply;
}

}  // namespace

std::string MakeBenchDirectory(const std::string& parent) {
  const std::string folder = parent.empty() ? testing::TempDir() : parent;
  std::string path = absl::StrCat(folder, "/interlock-bench-XXXXXX");
  INTERLOCK_CHECK(mkdtemp(path.data()) != nullptr);
  // Where ServerProcess keeps its data.
  INTERLOCK_CHECK(setenv("TEST_TMPDIR", path.c_str(), 1) == 0);
  return path;
}

void RemoveBenchDirectory(const std::string& directory) { std::filesystem::remove_all(directory); }

BenchInterlock::BenchInterlock(int channels)
    : process_({.name = "interlockd", .flags = {}}),
      channels_(NewChannels(process_.address(), channels)),
      api_(process_.NewChannel()) {
  v1::UpdatePolicyRequest update;
  *update.mutable_policy() = PolicyWithoutLimits();
  Require(api_.Call(&support::Policies::UpdatePolicy, update));
}

int64_t BenchInterlock::DecisionCount() const {
  return Require(api_.Call(&support::Admin::GetServerInfo, v1::GetServerInfoRequest())).decision_sequence();
}

BenchEcho::BenchEcho(int channels)
    : process_({.name = "echo", .flags = {}, .program = "tests/bench/echo_server"}),
      channels_(NewChannels(process_.address(), channels)) {}

}  // namespace interlock::bench
