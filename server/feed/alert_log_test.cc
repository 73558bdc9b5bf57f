#include "server/feed/alert_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/error.h"
#include "core/engine/keys.h"
#include "core/engine/store.h"
#include "server/feed/feed_test_rows.h"
#include "storage/memory_store.h"

namespace interlock::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AlertLogTest : public ::testing::Test {
 protected:
  void Store(const std::vector<v1::Alert>& alerts) { ASSERT_TRUE(store_.Commit(AlertRows(alerts)).ok()); }

  absl::StatusOr<int64_t> Scan(const AlertRange& range, int64_t after, int rows_max = 100) {
    return ScanAlertLog(store_, range, after, rows_max, [this](v1::Alert alert, absl::string_view bytes) {
      EXPECT_EQ(alert.SerializeAsString(), std::string(bytes));
      seen_.push_back(alert.sequence());
      return alert.sequence() != stop_at_;
    });
  }

  storage::MemoryStore store_{"e1"};
  std::vector<int64_t> seen_;
  int64_t stop_at_ = -1;
};

TEST_F(AlertLogTest, VisitsWhatFollowsThePosition) {
  Store(TestAlerts(1, 5));
  EXPECT_EQ(*Scan({"e1", 1, 5}, 2), 5);
  EXPECT_THAT(seen_, ElementsAre(3, 4, 5));
}

TEST_F(AlertLogTest, AtTheHeadThereIsNothing) {
  Store(TestAlerts(1, 5));
  EXPECT_EQ(*Scan({"e1", 1, 5}, 5), 5);
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(AlertLogTest, NeverGoesBeyondTheHeadThatIsKnown) {
  Store(TestAlerts(1, 5));
  EXPECT_EQ(*Scan({"e1", 1, 3}, 0), 3);
  EXPECT_THAT(seen_, ElementsAre(1, 2, 3));
}

TEST_F(AlertLogTest, StopsAfterSoManyRows) {
  Store(TestAlerts(1, 5));
  EXPECT_EQ(*Scan({"e1", 1, 5}, 0, /*rows_max=*/2), 2);
  EXPECT_THAT(seen_, ElementsAre(1, 2));
}

TEST_F(AlertLogTest, StopsAfterTheRowThatTheVisitorStopsAt) {
  Store(TestAlerts(1, 5));
  stop_at_ = 4;
  EXPECT_EQ(*Scan({"e1", 1, 5}, 0), 4);
}

TEST_F(AlertLogTest, ACutThatIsKnownIsAnError) {
  Store(TestAlerts(4, 5));
  EXPECT_EQ(ErrorReason(Scan({"e1", 4, 5}, 2).status()), "SEQUENCE_EXPIRED");
}

TEST_F(AlertLogTest, ACutThatIsNotYetKnownIsAnErrorToo) {
  Store(TestAlerts(4, 5));
  const absl::Status status = Scan({"e1", 1, 5}, 1).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ErrorReason(status), "SEQUENCE_EXPIRED");
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(AlertLogTest, ALogThatWasCutAwayWhollyIsAnErrorToo) {
  EXPECT_EQ(ErrorReason(Scan({"e1", 1, 5}, 1).status()), "SEQUENCE_EXPIRED");
}

TEST_F(AlertLogTest, AHoleIsDamageAndNeverSkipped) {
  Store({TestAlert(1), TestAlert(2), TestAlert(4)});
  const absl::Status status = Scan({"e1", 1, 4}, 0).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ErrorReason(status), "ALERT_LOG_DAMAGED");
}

TEST_F(AlertLogTest, ARowThatIsNoAlertIsDamage) {
  Store({TestAlert(1)});
  WriteSet writes;
  writes.Put(Table::kAlert, keys::Number(2), DamagedRow());
  ASSERT_TRUE(store_.Commit(writes).ok());
  EXPECT_EQ(Scan({"e1", 1, 2}, 0).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace interlock::server
