#include "client/cli/replay/report.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "client/cli/table.h"

namespace interlock::cli {
namespace {

using google::protobuf::Struct;

double PerSecond(int64_t count, absl::Duration elapsed) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  return seconds > 0 ? std::round(static_cast<double>(count) / seconds) : 0;
}

// "812/3/0/7": assessments of tier 0, 1, 2 and 3.
std::string TierCounts(const Tally& tally) {
  return absl::StrCat(tally.tiers[0], "/", tally.tiers[1], "/", tally.tiers[2], "/", tally.tiers[3]);
}

// The columns of one profile; with several, the first one names it.
void AddColumns(const FleetResult& result, bool several, bool unanswered, std::vector<Column>& columns) {
  if (several) columns.push_back({absl::StrCat("| ", result.profile)});
  for (const char* title : {"allow", "deny", "lock"}) columns.push_back({title, Align::kRight});
  if (unanswered) columns.push_back({"no verdict", Align::kRight});
  columns.push_back({"tier", Align::kRight});
  // Side by side there is no room for these.
  if (!several) columns.push_back({"tiers 0/1/2/3", Align::kRight});
  for (const char* title : {"alerts", "trips"}) columns.push_back({title, Align::kRight});
}

Cell Colored(int64_t count, Color color) { return {FormatCount(count), count == 0 ? Color::kDim : color}; }

void AddCells(const Tally& tally, bool several, bool unanswered, std::vector<Cell>& cells) {
  if (several) cells.emplace_back("|");
  cells.push_back(Colored(tally.allowed, Color::kGreen));
  cells.push_back(Colored(tally.denied, Color::kYellow));
  cells.push_back(Colored(tally.locked, Color::kRed));
  if (unanswered) cells.push_back(Colored(tally.unanswered, Color::kRed));
  cells.emplace_back(absl::StrCat(tally.tier_max), TierColor(tally.tier_max));
  if (!several) cells.emplace_back(TierCounts(tally));
  cells.emplace_back(FormatCount(tally.alert_count()));
  cells.push_back(Colored(tally.trips, Color::kRed));
}

std::string Of(int64_t part, int64_t whole, absl::string_view unit) {
  return absl::StrCat(FormatShare(part, whole), " (", FormatCount(part), " of ", FormatCount(whole), " ", unit, ")");
}

std::string Summary(const FleetResult& result, bool color) {
  const Tally total = result.Total();
  std::string loops = Of(total.loops_denied, total.loops, "runs");
  if (total.loops_locked > 0) absl::StrAppend(&loops, "; ", total.loops_locked, " more were locked");
  return absl::StrCat(
      "\n", Paint(absl::StrCat("profile ", result.profile), Color::kBold, color), "\n",
      RenderFacts(
          {
              {"calls of successful benign runs allowed", Of(total.good_calls_allowed, total.good_calls, "calls")},
              {"fourth identical call in a row denied", loops},
              {"played", absl::StrCat(FormatCount(total.runs), " runs, ", FormatCount(total.actions), " actions in ",
                                      absl::FormatDuration(absl::Trunc(result.elapsed, absl::Milliseconds(10))), ", ",
                                      FormatNumber(PerSecond(total.actions, result.elapsed), 0), " actions/s")},
              {"refused reports", total.refused_reports == 0 ? "" : FormatCount(total.refused_reports)},
          },
          color));
}

void SetNumber(Struct& object, const char* name, double value) {
  (*object.mutable_fields())[name].set_number_value(value);
}

void SetCount(Struct& object, const char* name, int64_t value) { SetNumber(object, name, static_cast<double>(value)); }

void SetText(Struct& object, const char* name, const std::string& value) {
  (*object.mutable_fields())[name].set_string_value(value);
}

Struct TallyAsJson(const Tally& tally) {
  Struct object;
  SetCount(object, "runs", tally.runs);
  SetCount(object, "actions", tally.actions);
  SetCount(object, "allow", tally.allowed);
  SetCount(object, "deny", tally.denied);
  SetCount(object, "lock", tally.locked);
  SetCount(object, "no_verdict", tally.unanswered);
  SetCount(object, "tier_max", tally.tier_max);
  auto& tiers = *(*object.mutable_fields())["assessments_by_tier"].mutable_list_value();
  for (const int64_t count : tally.tiers) tiers.add_values()->set_number_value(static_cast<double>(count));
  SetCount(object, "alerts", tally.alert_count());
  Struct& by_type = *(*object.mutable_fields())["alerts_by_type"].mutable_struct_value();
  for (const auto& [type, count] : tally.alerts) SetCount(by_type, type.c_str(), count);
  SetCount(object, "trips", tally.trips);
  SetCount(object, "refused_reports", tally.refused_reports);
  Struct& good = *(*object.mutable_fields())["successful_benign_calls"].mutable_struct_value();
  SetCount(good, "calls", tally.good_calls);
  SetCount(good, "allowed", tally.good_calls_allowed);
  Struct& loops = *(*object.mutable_fields())["fourth_identical_calls"].mutable_struct_value();
  SetCount(loops, "runs", tally.loops);
  SetCount(loops, "denied", tally.loops_denied);
  SetCount(loops, "locked", tally.loops_locked);
  return object;
}

}  // namespace

std::string RenderReport(const std::vector<FleetResult>& results, bool color) {
  if (results.empty()) return "";
  const bool several = results.size() > 1;
  std::vector<Tally> totals;
  bool unanswered = false;
  for (const FleetResult& result : results) {
    totals.push_back(result.Total());
    unanswered = unanswered || totals.back().unanswered > 0;
  }
  std::vector<Column> columns = {{"agent"}, {"runs", Align::kRight}, {"actions", Align::kRight}};
  for (const FleetResult& result : results) AddColumns(result, several, unanswered, columns);
  Table table(std::move(columns));
  for (const auto& [agent, first] : results[0].agents) {
    std::vector<Cell> cells = {agent, FormatCount(first.runs), FormatCount(first.actions)};
    for (const FleetResult& result : results) {
      const auto found = result.agents.find(agent);
      AddCells(found == result.agents.end() ? Tally() : found->second, several, unanswered, cells);
    }
    table.AddRow(std::move(cells));
  }
  std::vector<Cell> cells = {{"all", Color::kBold}, FormatCount(totals[0].runs), FormatCount(totals[0].actions)};
  for (const Tally& total : totals) AddCells(total, several, unanswered, cells);
  table.AddRow(std::move(cells));
  std::string text = table.Render(color);
  for (const FleetResult& result : results) text += Summary(result, color);
  return text;
}

Struct ReportAsJson(const std::vector<FleetResult>& results) {
  Struct report;
  auto& profiles = *(*report.mutable_fields())["profiles"].mutable_list_value();
  for (const FleetResult& result : results) {
    Struct& profile = *profiles.add_values()->mutable_struct_value();
    const Tally total = result.Total();
    SetText(profile, "profile", result.profile);
    SetNumber(profile, "seconds", absl::ToDoubleSeconds(result.elapsed));
    SetNumber(profile, "actions_per_second", PerSecond(total.actions, result.elapsed));
    SetCount(profile, "bad_lines", result.bad_lines);
    (*profile.mutable_fields())["complete"].set_bool_value(!result.stopped);
    *(*profile.mutable_fields())["totals"].mutable_struct_value() = TallyAsJson(total);
    auto& agents = *(*profile.mutable_fields())["agents"].mutable_list_value();
    for (const auto& [agent, tally] : result.agents) {
      Struct& object = *agents.add_values()->mutable_struct_value();
      object = TallyAsJson(tally);
      SetText(object, "agent", agent);
    }
  }
  return report;
}

}  // namespace interlock::cli
