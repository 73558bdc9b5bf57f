#include "core/engine/request_log.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/limits.h"

namespace interlock {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

TEST(RequestLogTest, AnswersTheSameCallAndRefusesAnotherUnderItsId) {
  RequestLog log;
  WriteSet writes;
  EXPECT_EQ(*log.Find({"key", "digest"}), nullptr);
  log.Remember({"key", "digest"}, "reply", kStart, writes);
  ASSERT_NE(*log.Find({"key", "digest"}), nullptr);
  EXPECT_EQ(**log.Find({"key", "digest"}), "reply");
  EXPECT_EQ(ErrorReason(log.Find({"key", "other"}).status()), "REQUEST_ID_REUSED");
  EXPECT_EQ(*log.Find({"key2", "digest"}), nullptr);
  EXPECT_EQ(writes.writes().size(), 1u);
}

TEST(RequestLogTest, ForgetsExactlyAtTheEndOfTheRetention) {
  RequestLog log;
  WriteSet writes;
  log.Remember({"a", "1"}, "x", kStart, writes);
  log.Remember({"b", "2"}, "y", kStart + absl::Seconds(1), writes);
  EXPECT_EQ(log.NextExpiry(), kStart + kRequestRetention);
  log.Expire(kStart + kRequestRetention - absl::Nanoseconds(1), 10, writes);
  EXPECT_NE(*log.Find({"a", "1"}), nullptr);
  log.Expire(kStart + kRequestRetention, 10, writes);
  EXPECT_EQ(*log.Find({"a", "1"}), nullptr);
  EXPECT_NE(*log.Find({"b", "2"}), nullptr);
  EXPECT_EQ(writes.writes().back().kind, Write::Kind::kDelete);
  EXPECT_EQ(writes.writes().back().key, "a");
}

TEST(RequestLogTest, ExpireStopsAtItsBound) {
  RequestLog log;
  WriteSet writes;
  for (const char* key : {"a", "b", "c"}) log.Remember({key, "d"}, "r", kStart, writes);
  log.Expire(kStart + kRequestRetention, 2, writes);
  EXPECT_EQ(log.NextExpiry(), kStart + kRequestRetention);
  log.Expire(kStart + kRequestRetention, 2, writes);
  EXPECT_EQ(log.NextExpiry(), absl::InfiniteFuture());
}

TEST(RequestLogTest, ReplacedReplyLivesFromItsOwnTime) {
  RequestLog log;
  WriteSet writes;
  log.Remember({"a", "1"}, "old", kStart, writes);
  log.Remember({"a", "1"}, "new", kStart + absl::Minutes(5), writes);
  log.Expire(kStart + kRequestRetention, 10, writes);
  ASSERT_NE(*log.Find({"a", "1"}), nullptr);
  EXPECT_EQ(**log.Find({"a", "1"}), "new");
}

TEST(RequestLogTest, LoadedRowsExpireOldestFirstWhateverTheirKeys) {
  RequestLog saved;
  WriteSet writes;
  saved.Remember({"z", "1"}, "x", kStart, writes);
  saved.Remember({"a", "2"}, "y", kStart + absl::Seconds(1), writes);
  RequestLog log;
  for (size_t i : {1u, 0u}) {
    v1::RequestRecord record;
    ASSERT_TRUE(record.ParseFromString(writes.writes()[i].value));
    log.Load(writes.writes()[i].key, record);
  }
  log.FinishLoad();
  WriteSet expired;
  log.Expire(kStart + kRequestRetention, 10, expired);
  ASSERT_EQ(expired.writes().size(), 1u);
  EXPECT_EQ(expired.writes()[0].key, "z");
}

}  // namespace
}  // namespace interlock
