// What a replay counts for one agent, or for all of them. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "client/cli/replay/run.h"
#include "client/decide.h"
#include "interlock/v1/decision.pb.h"

namespace interlock::cli {

struct Tally {
  int64_t runs = 0;
  int64_t actions = 0;
  int64_t allowed = 0;
  int64_t denied = 0;
  int64_t locked = 0;
  // Actions that got no verdict, which is a deny.
  int64_t unanswered = 0;
  // Assessments by tier, and the highest tier of any.
  std::array<int64_t, 4> tiers = {};
  int32_t tier_max = 0;
  // Alerts by type.
  std::map<std::string, int64_t> alerts;
  int64_t trips = 0;
  // Reports that were refused.
  int64_t refused_reports = 0;
  // Calls of benign runs that solved their task, and how many of them were allowed.
  int64_t good_calls = 0;
  int64_t good_calls_allowed = 0;
  // Runs in which a call is the fourth of the same in a row, and how that call was answered.
  int64_t loops = 0;
  int64_t loops_denied = 0;
  int64_t loops_locked = 0;

  int64_t alert_count() const;
  // Counts one verdict; `place` is that of the call in its run.
  void AddVerdict(const RecordedRun& run, size_t place, const client::Verdict& verdict);
  void AddAssessment(int32_t tier);
  // Adds what another one counted.
  void Merge(const Tally& other);
};

}  // namespace interlock::cli
