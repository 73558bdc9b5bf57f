// Answers every recorded assessment and trend of the reference system as it did.
#include "tests/support/vectors.h"

#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/monitor/assess.h"
#include "core/monitor/snapshot.h"
#include "core/monitor/trend.h"
#include "core/monitor/window.h"
#include "core/policy/profiles.h"
#include "gtest/gtest.h"
#include "tests/support/vector_checks.h"

namespace interlock::monitor {
namespace {

using support::ListField;
using support::StructField;

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

TEST(VectorsTest, AssessmentsAreThoseOfTheReference) {
  const auto vectors = support::ReadVectors("assessment");
  if (absl::IsNotFound(vectors.status())) GTEST_SKIP() << vectors.status();
  ASSERT_TRUE(vectors.ok()) << vectors.status();
  const v1::PolicySet& policy = *policy::FindProfile("reference");
  std::map<int, int> seen_tiers;
  for (const support::Vector& vector : *vectors) {
    SCOPED_TRACE(absl::StrCat("line ", vector.line));
    const v1::Snapshot snapshot = support::VectorSnapshot(StructField(vector.value, "snapshot"));
    const v1::Assessment assessment =
        Assess(snapshot, CountSamples(snapshot), policy, v1::ASSESSMENT_SOURCE_SNAPSHOT, kNow);
    support::ExpectAssessment(assessment, StructField(vector.value, "expect"));
    ++seen_tiers[assessment.tier()];
  }
  EXPECT_EQ(seen_tiers.size(), 4u) << "the vectors reach every tier";
}

TEST(VectorsTest, TrendsAreThoseOfTheReference) {
  const auto vectors = support::ReadVectors("trend");
  if (absl::IsNotFound(vectors.status())) GTEST_SKIP() << vectors.status();
  ASSERT_TRUE(vectors.ok()) << vectors.status();
  std::map<int, int> seen_directions;
  for (const support::Vector& vector : *vectors) {
    SCOPED_TRACE(absl::StrCat("line ", vector.line));
    AgentWindows windows;
    std::vector<RemovedPoint> removed;
    absl::Time now = kNow;
    int64_t point_id = 0;
    for (const support::VectorPoint& point : support::VectorPoints(ListField(vector.value, "points"))) {
      now = kNow + point.offset;
      ASSERT_TRUE(windows.Add(v1::METRIC_EFFICIENCY_SCORE, {++point_id, now, point.value, nullptr}, now, removed));
    }
    const std::vector<v1::Trend> trends = Trends(windows, now);
    ASSERT_EQ(trends.size(), 1u);
    support::ExpectTrend(trends[0], StructField(vector.value, "expect"));
    ++seen_directions[trends[0].direction()];
  }
  EXPECT_EQ(seen_directions.size(), 3u) << "the vectors go every way";
}

}  // namespace
}  // namespace interlock::monitor
