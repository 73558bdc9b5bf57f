#include "core/alert/alert_log.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/error.h"
#include "gtest/gtest.h"

namespace interlock::alert {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);  // A full minute.
constexpr absl::Duration kRetention = absl::Hours(1);

TEST(AlertLogTest, AnEmptyLogHasNoHeadAndNeverCuts) {
  AlertLog log;
  EXPECT_EQ(log.head(), 0);
  EXPECT_EQ(log.oldest(), 1);
  EXPECT_EQ(log.NextCutTime(), absl::InfiniteFuture());
  EXPECT_EQ(log.CutBefore(kStart), absl::nullopt);
}

TEST(AlertLogTest, SequencesAreDenseFromOne) {
  AlertLog log;
  for (int64_t sequence = 1; sequence <= 5; ++sequence) {
    EXPECT_EQ(log.Append(10, kStart), sequence);
    EXPECT_EQ(log.head(), sequence);
  }
  EXPECT_EQ(log.oldest(), 1);
  EXPECT_EQ(log.bytes(), 50);
}

TEST(AlertLogTest, DefaultsKeepThirtyDays) {
  AlertLog log;
  log.Append(10, kStart);
  EXPECT_EQ(log.NextCutTime(), kStart + absl::Hours(24 * 30));
}

TEST(AlertLogTest, AnAlertIsGoneExactlyAtTheRetention) {
  AlertLog log(kRetention, 1000);
  log.Append(10, kStart);
  EXPECT_EQ(log.NextCutTime(), kStart + kRetention);
  EXPECT_EQ(log.CutBefore(kStart + kRetention - absl::Nanoseconds(1)), absl::nullopt);
  EXPECT_EQ(log.CutBefore(kStart + kRetention), 2);
}

TEST(AlertLogTest, EmptyingTheLogKeepsItsHeadAndGoesOnNumbering) {
  AlertLog log(kRetention, 1000);
  log.Append(10, kStart);
  log.Append(10, kStart);
  EXPECT_EQ(log.CutBefore(kStart + kRetention), 3);
  EXPECT_EQ(log.head(), 2);
  EXPECT_EQ(log.oldest(), 3);
  EXPECT_EQ(log.bytes(), 0);
  EXPECT_EQ(log.NextCutTime(), absl::InfiniteFuture());
  EXPECT_EQ(log.Append(10, kStart + kRetention), 3);
}

TEST(AlertLogTest, AlertsOfOneMinuteGoTogetherWithTheNewestOfThem) {
  AlertLog log(kRetention, 1'000'000);
  log.Append(10, kStart);
  log.Append(10, kStart + absl::Seconds(59));
  log.Append(10, kStart + absl::Seconds(60));
  EXPECT_EQ(log.CutBefore(kStart + kRetention), absl::nullopt);
  EXPECT_EQ(log.CutBefore(kStart + kRetention + absl::Seconds(59)), 3);
  EXPECT_EQ(log.NextCutTime(), kStart + kRetention + absl::Seconds(60));
}

TEST(AlertLogTest, AFullLogIsKeptAndOneByteMoreCutsTheOldest) {
  AlertLog log(kRetention, 100);
  log.Append(60, kStart);
  log.Append(40, kStart);
  EXPECT_EQ(log.CutBefore(kStart), absl::nullopt);
  log.Append(1, kStart);
  EXPECT_EQ(log.NextCutTime(), absl::InfinitePast());
  EXPECT_EQ(log.CutBefore(kStart), 2);
  EXPECT_EQ(log.bytes(), 41);
}

TEST(AlertLogTest, AnAlertLargerThanTheLogEmptiesIt) {
  AlertLog log(kRetention, 100);
  log.Append(101, kStart);
  EXPECT_EQ(log.CutBefore(kStart), 2);
  EXPECT_EQ(log.oldest(), log.head() + 1);
}

TEST(AlertLogTest, ALogOfOneBusyMinuteIsStillCutInThousandths) {
  AlertLog log(kRetention, 100'000);
  for (int i = 0; i < 10'001; ++i) log.Append(10, kStart);
  // A group holds 100 bytes, so the eleventh alert is the first of the second group.
  EXPECT_EQ(log.CutBefore(kStart), 11);
  EXPECT_EQ(log.bytes(), 99'910);
}

TEST(AlertLogTest, ATimeThatDecreasesOnlyDelaysTheCut) {
  AlertLog log(kRetention, 1'000'000);
  log.Append(10, kStart + absl::Minutes(10));
  log.Append(10, kStart);
  EXPECT_EQ(log.CutBefore(kStart + kRetention), absl::nullopt);
  EXPECT_EQ(log.CutBefore(kStart + kRetention + absl::Minutes(10)), 3);
}

TEST(AlertLogTest, ALoadedLogGoesOnWhereItWas) {
  AlertLog log(kRetention, 1000);
  ASSERT_TRUE(log.LoadRow(7, kStart, 10).ok());
  ASSERT_TRUE(log.LoadRow(8, kStart + absl::Minutes(1), 20).ok());
  ASSERT_TRUE(log.FinishLoad(7, 8).ok());
  EXPECT_EQ(log.oldest(), 7);
  EXPECT_EQ(log.bytes(), 30);
  EXPECT_EQ(log.NextCutTime(), kStart + kRetention);
  EXPECT_EQ(log.Append(10, kStart + absl::Minutes(1)), 9);
  EXPECT_EQ(log.CutBefore(kStart + kRetention), 8);
}

TEST(AlertLogTest, ALoadedLogMayHaveBeenEmptied) {
  AlertLog log;
  ASSERT_TRUE(log.FinishLoad(42, 41).ok());
  EXPECT_EQ(log.oldest(), 42);
  EXPECT_EQ(log.Append(10, kStart), 42);
}

void ExpectInvalid(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ErrorReason(status), "ALERT_LOG_INVALID");
}

TEST(AlertLogTest, AMissingRowIsDataLoss) {
  AlertLog log;
  ASSERT_TRUE(log.LoadRow(1, kStart, 10).ok());
  ExpectInvalid(log.LoadRow(3, kStart, 10));
}

TEST(AlertLogTest, ASequenceBelowOneIsDataLoss) {
  AlertLog log;
  ExpectInvalid(log.LoadRow(0, kStart, 10));
}

TEST(AlertLogTest, RowsThatTheCountersDoNotNameAreDataLoss) {
  AlertLog log;
  ASSERT_TRUE(log.LoadRow(2, kStart, 10).ok());
  ASSERT_TRUE(log.LoadRow(3, kStart, 10).ok());
  for (const auto& [oldest, head] : {std::pair(1, 3), {3, 3}, {2, 2}, {2, 4}, {4, 3}}) {
    AlertLog copy = log;
    ExpectInvalid(copy.FinishLoad(oldest, head));
  }
  EXPECT_TRUE(log.FinishLoad(2, 3).ok());
}

TEST(AlertLogTest, CountersThatMissTheirRowsAreDataLoss) {
  AlertLog log;
  ExpectInvalid(log.FinishLoad(1, 3));
  ExpectInvalid(log.FinishLoad(0, -1));
}

struct Row {
  int64_t sequence;
  absl::Time create_time;
  int64_t bytes;
};

// Whatever is appended and cut: nothing young is lost to age, nothing old stays, the size holds,
// and a log that is loaded from the rows that are left behaves as the one that was never closed.
TEST(AlertLogTest, AnySequenceOfAppendsAndCutsKeepsThePromises) {
  constexpr int64_t kBytesMax = 20'000;
  std::mt19937 random(7);
  AlertLog log(kRetention, kBytesMax);
  std::vector<Row> rows;
  absl::Time now = kStart;
  for (int step = 0; step < 5000; ++step) {
    now += absl::Seconds(static_cast<int64_t>(random() % 40));
    for (unsigned i = random() % 4; i > 0; --i) {
      const int64_t bytes = 1 + static_cast<int64_t>(random() % 150);
      rows.push_back({log.Append(bytes, now), now, bytes});
    }
    const int64_t size_before = log.bytes();
    const absl::Time next_cut = log.NextCutTime();
    const absl::optional<int64_t> cut = log.CutBefore(now);
    ASSERT_EQ(cut.has_value(), next_cut <= now);
    ASSERT_LE(log.bytes(), kBytesMax);
    size_t kept = 0;
    while (kept < rows.size() && rows[kept].sequence < log.oldest()) {
      ASSERT_TRUE(rows[kept].create_time <= now - kRetention || size_before > kBytesMax);
      ++kept;
    }
    rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(kept));
    for (const Row& row : rows) ASSERT_GT(row.create_time, now - kRetention - absl::Minutes(1));
    if (step % 50 != 0) continue;
    AlertLog loaded(kRetention, kBytesMax);
    for (const Row& row : rows) ASSERT_TRUE(loaded.LoadRow(row.sequence, row.create_time, row.bytes).ok());
    ASSERT_TRUE(loaded.FinishLoad(log.oldest(), log.head()).ok());
    ASSERT_EQ(loaded.NextCutTime(), log.NextCutTime());
    ASSERT_EQ(loaded.bytes(), log.bytes());
    log = loaded;
  }
  EXPECT_GT(log.oldest(), 1000);
}

}  // namespace
}  // namespace interlock::alert
