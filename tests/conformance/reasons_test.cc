// docs/reasons.md names every reason code and recovery class there is, in the order of their numbers; and no code that
// was ever given out has changed.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "interlock/v1/decision.pb.h"
#include "tests/support/files.h"

namespace interlock {
namespace {

using ::testing::ElementsAreArray;

// The cells of the table whose first column is `title`, row by row.
std::vector<std::vector<std::string>> TableOf(absl::string_view title) {
  std::vector<std::vector<std::string>> rows;
  bool inside = false;
  for (const absl::string_view line : absl::StrSplit(support::ReadFile("docs/reasons.md"), '\n')) {
    std::vector<std::string> cells;
    for (const absl::string_view cell : absl::StrSplit(line, '|')) {
      cells.push_back(std::string(absl::StripAsciiWhitespace(cell)));
    }
    if (cells.size() < 3) {
      inside = false;
    } else if (cells[1] == title) {
      inside = true;
    } else if (inside && cells[1] != "---") {
      rows.emplace_back(cells.begin() + 1, cells.end() - 1);
    }
  }
  return rows;
}

// "CHANGE_ACTION" as the page writes it.
std::string ClassText(absl::string_view name) {
  const std::string text = absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", " "}});
  return text == "change action" ? "change the action" : text;
}

TEST(ReasonsTest, PageNamesEveryCodeInTheOrderOfTheNumbers) {
  std::vector<std::string> expected;
  const auto& codes = *v1::ReasonCode_descriptor();
  std::map<int, std::string> by_number;
  for (int i = 0; i < codes.value_count(); ++i) by_number[codes.value(i)->number()] = codes.value(i)->name();
  for (const auto& [number, name] : by_number) {
    if (number == 0) continue;
    expected.push_back(absl::StrCat(number, " `", absl::StripPrefix(name, "REASON_CODE_"), "`"));
  }
  std::vector<std::string> written;
  for (const auto& row : TableOf("number")) {
    written.push_back(absl::StrCat(row[0], " ", row[1]));
    EXPECT_GE(row[3].size(), 10u) << row[1];
  }
  EXPECT_THAT(written, ElementsAreArray(expected));
}

TEST(ReasonsTest, PageNamesEveryRecoveryClass) {
  std::vector<std::string> expected;
  const auto& classes = *v1::RecoveryClass_descriptor();
  for (int i = 1; i < classes.value_count(); ++i) {
    expected.push_back(ClassText(absl::StripPrefix(classes.value(i)->name(), "RECOVERY_CLASS_")));
  }
  std::vector<std::string> written;
  for (const auto& row : TableOf("recovery class")) written.push_back(row[0]);
  EXPECT_THAT(written, ElementsAreArray(expected));
  for (const auto& row : TableOf("number")) {
    for (const absl::string_view name : absl::StrSplit(row[2], ", ")) {
      if (absl::StrContains(name, "hardest")) continue;
      EXPECT_THAT(expected, ::testing::Contains(std::string(name))) << row[1];
    }
  }
}

// What clients were built with. A row is only ever added.
TEST(ReasonsTest, CodesNeverChange) {
  const std::vector<std::pair<int, const char*>> given_out = {
      {1, "ALLOWED"},
      {2, "POLICY_VIOLATED"},
      {3, "LOCK_BLOCKED"},
      {4, "LOCK_AUTONOMOUS_BLOCKED"},
      {5, "LOCK_ACTIVE"},
      {6, "TRIPPED"},
      {7, "RISK_LEVEL"},
      {8, "LIMIT_DAILY"},
      {9, "LIMIT_HOURLY"},
      {10, "CONTENT_LENGTH"},
      {11, "CONTENT_KEYWORDS"},
      {12, "CATEGORY_HOURLY"},
      {13, "CATEGORY_DAILY"},
      {14, "PATTERN_SIMILAR"},
      {15, "PATTERN_FREQUENCY"},
      {16, "CONFLICT"},
      {17, "APPROVAL_REQUIRED"},
      {18, "APPROVAL_RISK"},
      {19, "REPEATED_CALL"},
      {20, "CALL_RATE"},
      {21, "ACTION_TYPES_EXHAUSTED"},
      {22, "REPORT_STALE"},
      {23, "CATEGORY_UNKNOWN"},
      {24, "AGENTS_EXHAUSTED"},
      {25, "APPROVED"},
      {26, "APPROVAL_UNUSABLE"},
      {27, "APPROVAL_REJECTED"},
      {28, "LIMIT_REACHED"},
      {29, "CHECKPOINT_REQUIRED"},
      {30, "IRREVERSIBLE"},
      {31, "VELOCITY"},
      {32, "EPISODE_UNKNOWN"},
      {33, "BUDGET_EXHAUSTED"},
  };
  for (const auto& [number, name] : given_out) {
    EXPECT_EQ(v1::ReasonCode_Name(static_cast<v1::ReasonCode>(number)), absl::StrCat("REASON_CODE_", name));
  }
  EXPECT_EQ(v1::ReasonCode_descriptor()->value_count(), static_cast<int>(given_out.size()) + 1)
      << "add the new code here";
}

}  // namespace
}  // namespace interlock
