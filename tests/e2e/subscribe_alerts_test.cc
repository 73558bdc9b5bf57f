// SubscribeAlerts of the real program: order, resumption, proof of completeness, honest refusal.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/alert_reader.h"
#include "tests/support/api.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"

namespace interlock {
namespace {

using support::AlertReader;
using support::Alerts;
using support::Api;
using support::SubscriptionOf;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr double kHealthy = 0.95;
constexpr double kTier1 = 0.75;
constexpr double kTier3 = 0.20;

class SubscribeAlertsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server = new support::ServerProcess({"subscribe_alerts", {}}); }
  static void TearDownTestSuite() {
    delete server;
    server = nullptr;
  }

  void SetUp() override { Connect(); }
  void Connect() { api_ = std::make_unique<Api>(server->NewChannel()); }

  void Report(const std::string& agent_id, double score, const std::string& tenant_suffix = "") {
    const auto answer =
        api_->Call(&support::Monitor::ReportSnapshot, support::ReportOf(tenant_ + tenant_suffix, agent_id, score));
    ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  }
  // Lets an episode of tier 1 fire and resolve `count` times: two alerts each.
  void Flap(const std::string& agent_id, int count, const std::string& tenant_suffix = "") {
    for (int i = 0; i < count; ++i) {
      Report(agent_id, kTier1, tenant_suffix);
      Report(agent_id, kHealthy, tenant_suffix);
    }
  }
  v1::ListAlertsResponse List(const std::string& tenant_id) {
    v1::ListAlertsRequest request;
    request.set_tenant_id(tenant_id);
    request.set_page_size(1000);
    const auto page = api_->Call(&Alerts::ListAlerts, request);
    EXPECT_TRUE(page.ok()) << page.status.error_message();
    return *page;
  }
  int64_t Head() {
    const auto info = api_->Call(&support::Admin::GetServerInfo, v1::GetServerInfoRequest());
    EXPECT_TRUE(info.ok()) << info.status.error_message();
    return info->alert_sequence();
  }

  static support::ServerProcess* server;
  std::unique_ptr<Api> api_;
  const std::string tenant_ = ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

support::ServerProcess* SubscribeAlertsTest::server = nullptr;

TEST_F(SubscribeAlertsTest, StreamAndListShowTheSameAlertsByteForByte) {
  Flap("a", 5);
  const v1::ListAlertsResponse listed = List("");
  AlertReader reader(*api_, SubscriptionOf("", 0));
  const std::vector<v1::Alert> streamed = reader.ReadUpTo(Head());
  ASSERT_EQ(static_cast<int>(streamed.size()), listed.alerts_size());
  for (size_t i = 0; i < streamed.size(); ++i) {
    EXPECT_EQ(streamed[i].sequence(), static_cast<int64_t>(i) + 1) << "dense, from 1";
    EXPECT_EQ(streamed[i].epoch(), listed.epoch());
    EXPECT_EQ(streamed[i].SerializeAsString(), listed.alerts(static_cast<int>(i)).SerializeAsString());
  }
  EXPECT_EQ(reader.fault(), "");
}

TEST_F(SubscribeAlertsTest, EmptyRequestMeansTier3OfAllTenantsFromNow) {
  Report("before", kTier3);
  AlertReader reader(*api_, v1::SubscribeAlertsRequest());
  ASSERT_TRUE(reader.opened().has_value());
  EXPECT_EQ(reader.opened()->after_sequence(), reader.opened()->head_sequence());
  Report("low", kTier1);
  Report("high", kTier3, "-other");
  const absl::optional<v1::Alert> alert = reader.Next();
  ASSERT_TRUE(alert.has_value());
  EXPECT_EQ(alert->agent_id(), "high");
  EXPECT_EQ(alert->type(), "systemic_anomaly");
  EXPECT_EQ(alert->severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(reader.fault(), "");
}

TEST_F(SubscribeAlertsTest, ResumesAfterTheLastSequenceSeen) {
  Flap("a", 10);
  const v1::ListAlertsResponse listed = List(tenant_);
  ASSERT_EQ(listed.alerts_size(), 20);
  int64_t position = 0;
  for (int i = 0; i < listed.alerts_size(); ++i) {
    v1::SubscribeAlertsRequest request = SubscriptionOf(tenant_, position);
    request.set_epoch(listed.epoch());
    AlertReader reader(*api_, request);
    const absl::optional<v1::Alert> alert = reader.Next();
    ASSERT_TRUE(alert.has_value());
    EXPECT_EQ(alert->SerializeAsString(), listed.alerts(i).SerializeAsString());
    EXPECT_EQ(reader.fault(), "");
    position = alert->sequence();
  }
  AlertReader reader(*api_, SubscriptionOf(tenant_, position));
  Report("a", kTier1);
  EXPECT_EQ(reader.Next()->agent_id(), "a") << "and follows";
}

TEST_F(SubscribeAlertsTest, ResumesAcrossARestart) {
  Flap("a", 2);
  const v1::ListAlertsResponse listed = List(tenant_);
  ASSERT_EQ(listed.alerts_size(), 4);
  server->Kill9();
  server->Restart();
  Connect();
  v1::SubscribeAlertsRequest request = SubscriptionOf(tenant_, listed.alerts(1).sequence());
  request.set_epoch(listed.epoch());
  AlertReader reader(*api_, request);
  EXPECT_EQ(reader.Next()->SerializeAsString(), listed.alerts(2).SerializeAsString());
  EXPECT_EQ(reader.Next()->SerializeAsString(), listed.alerts(3).SerializeAsString());
  Report("a", kTier1);
  EXPECT_EQ(reader.Next()->transition(), v1::TRANSITION_FIRED);
  EXPECT_EQ(reader.fault(), "");
}

// Each batch names the alert that this stream, and not the log, sent before it.
TEST_F(SubscribeAlertsTest, PreviousSequenceIsAChainUnderEveryFilter) {
  AlertReader all(*api_, SubscriptionOf("", 0));
  v1::SubscribeAlertsRequest by_agent = SubscriptionOf(tenant_, 0);
  by_agent.mutable_filter()->set_agent_id("a");
  AlertReader of_agent(*api_, by_agent);
  v1::SubscribeAlertsRequest by_type = SubscriptionOf(tenant_, 0);
  by_type.mutable_filter()->add_types("lock");
  AlertReader of_type(*api_, by_type);
  v1::SubscribeAlertsRequest by_tier = SubscriptionOf(tenant_, 0);
  by_tier.set_min_tier(3);
  AlertReader of_tier(*api_, by_tier);
  for (int i = 0; i < 20; ++i) {
    Flap("a", 1);
    Flap("b", 1, "-other");
    Report("b", i % 2 == 0 ? kTier3 : kHealthy);
  }
  const int64_t head = Head();
  const std::vector<v1::Alert> log = all.ReadUpTo(head);
  ASSERT_THAT(log, SizeIs(head));
  const auto tier3_count = std::count_if(log.begin(), log.end(), [this](const v1::Alert& alert) {
    return alert.tenant_id() == tenant_ && alert.tier() == 3;
  });
  EXPECT_THAT(of_agent.ReadUpTo(head), SizeIs(40));
  // The third finding of tier 3 locks the tenant, and that is an alert of tier 3 too.
  EXPECT_THAT(of_type.ReadUpTo(head), SizeIs(1));
  EXPECT_THAT(of_tier.ReadUpTo(head), SizeIs(tier3_count));
  for (AlertReader* reader : {&all, &of_agent, &of_type, &of_tier}) EXPECT_EQ(reader->fault(), "");
}

TEST_F(SubscribeAlertsTest, BookmarksMoveOnWithoutAlerts) {
  v1::SubscribeAlertsRequest request = SubscriptionOf(tenant_ + "-nobody", Head());
  AlertReader reader(*api_, request);
  Flap("a", 3);
  const int64_t head = Head();
  absl::optional<v1::Bookmark> bookmark = reader.NextBookmark();
  while (bookmark.has_value() && bookmark->sequence() < head) bookmark = reader.NextBookmark();
  ASSERT_TRUE(bookmark.has_value());
  EXPECT_EQ(bookmark->sequence(), head);
  EXPECT_EQ(bookmark->head_sequence(), head);
  EXPECT_EQ(bookmark->oldest_sequence(), 1);
  EXPECT_TRUE(bookmark->has_server_time());
  EXPECT_EQ(reader.previous_sequence(), reader.opened()->after_sequence()) << "no alert came";
}

TEST_F(SubscribeAlertsTest, PositionsOfAnotherStoreAreRefused) {
  Flap("a", 1);
  AlertReader ahead(*api_, SubscriptionOf(tenant_, Head() + 1));
  EXPECT_FALSE(ahead.opened().has_value());
  const grpc::Status ahead_status = ahead.Finish();
  EXPECT_EQ(ahead_status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(support::ReasonOf(ahead_status), "SEQUENCE_AHEAD");
  EXPECT_EQ(support::MetadataOf(ahead_status, "head_sequence"), absl::StrCat(Head()));

  v1::SubscribeAlertsRequest request = SubscriptionOf(tenant_, 0);
  request.set_epoch("another");
  AlertReader foreign(*api_, request);
  EXPECT_FALSE(foreign.opened().has_value());
  const grpc::Status foreign_status = foreign.Finish();
  EXPECT_EQ(foreign_status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(support::ReasonOf(foreign_status), "EPOCH_MISMATCH");
}

TEST_F(SubscribeAlertsTest, BadRequestsAreRefused) {
  v1::SubscribeAlertsRequest tier = SubscriptionOf(tenant_, 0);
  tier.set_min_tier(4);
  v1::SubscribeAlertsRequest interval = SubscriptionOf(tenant_, 0);
  interval.mutable_bookmark_interval()->set_seconds(0);
  for (const v1::SubscribeAlertsRequest& request : {tier, interval, SubscriptionOf(tenant_, -1)}) {
    AlertReader reader(*api_, request);
    EXPECT_FALSE(reader.opened().has_value());
    EXPECT_EQ(reader.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT) << request.DebugString();
  }
}

// A subscriber that does not read holds up neither the server nor other subscribers.
TEST_F(SubscribeAlertsTest, SlowSubscriberDelaysNobodyAndMissesNothing) {
  AlertReader slow(*api_, SubscriptionOf(tenant_, 0));
  AlertReader quick(*api_, SubscriptionOf(tenant_, 0));
  Flap("a", 300);
  const int64_t head = Head();
  EXPECT_THAT(quick.ReadUpTo(head), SizeIs(600));
  EXPECT_THAT(slow.ReadUpTo(head), SizeIs(600));
  EXPECT_EQ(slow.fault(), "");
}

// The oldest alert left in the log of a server that keeps few, after `count` more of them.
int64_t OldestAfter(const Api& api, int count) {
  for (int i = 0; i < count; ++i) {
    const double score = i % 2 == 0 ? kTier1 : kHealthy;
    EXPECT_TRUE(api.Call(&support::Monitor::ReportSnapshot, support::ReportOf("t", "a", score)).ok());
  }
  // A call that goes through the engine comes after the cut that the last alert brought about.
  EXPECT_TRUE(api.Call(&support::Admin::GetServerInfo, v1::GetServerInfoRequest()).ok());
  const auto page = api.Call(&Alerts::ListAlerts, v1::ListAlertsRequest());
  EXPECT_TRUE(page.ok()) << page.status.error_message();
  EXPECT_TRUE(page->alerts().empty() || page->alerts(0).sequence() == page->oldest_sequence());
  return page->oldest_sequence();
}

TEST(AlertRetentionTest, ReaderOfAlertsThatWereCutIsToldHowManyItLost) {
  support::ServerProcess cutting({"cutting", {"--alert_log_bytes_max=8192"}});
  for (const bool restarted : {false, true}) {
    if (restarted) {
      cutting.Kill9();
      cutting.Restart();
    }
    const Api api(cutting.NewChannel());
    const int64_t oldest = OldestAfter(api, restarted ? 0 : 100);
    ASSERT_GT(oldest, 4) << "the log was cut";
    // The last position from which nothing is missing.
    AlertReader complete(api, SubscriptionOf("", oldest - 1));
    ASSERT_TRUE(complete.opened().has_value());
    EXPECT_EQ(complete.opened()->oldest_sequence(), oldest);
    EXPECT_EQ(complete.ReadUpTo(100).size(), static_cast<size_t>(100 - oldest + 1));
    EXPECT_EQ(complete.fault(), "");
    for (const int64_t position : {int64_t{0}, oldest - 2}) {
      AlertReader expired(api, SubscriptionOf("", position));
      EXPECT_FALSE(expired.opened().has_value());
      const grpc::Status status = expired.Finish();
      EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
      EXPECT_EQ(support::ReasonOf(status), "SEQUENCE_EXPIRED");
      EXPECT_EQ(support::MetadataOf(status, "oldest_sequence"), absl::StrCat(oldest));
      EXPECT_EQ(support::MetadataOf(status, "lost_count"), absl::StrCat(oldest - 1 - position));
    }
  }
}

}  // namespace
}  // namespace interlock
