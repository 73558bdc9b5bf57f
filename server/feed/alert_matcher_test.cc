#include "server/feed/alert_matcher.h"

#include <gtest/gtest.h>

namespace interlock::server {
namespace {

v1::Alert MakeAlert(const std::string& tenant_id, const std::string& agent_id, int32_t tier,
                    const std::string& type = "systemic_anomaly") {
  v1::Alert alert;
  alert.set_tenant_id(tenant_id);
  alert.set_agent_id(agent_id);
  alert.set_tier(tier);
  alert.set_type(type);
  return alert;
}

TEST(AlertMatcherTest, AnEmptySubscriptionHearsOfTier3OfEveryone) {
  const AlertMatcher matcher{v1::SubscribeAlertsRequest()};
  EXPECT_TRUE(matcher.Matches(MakeAlert("t1", "a", 3)));
  EXPECT_TRUE(matcher.Matches(MakeAlert("t2", "", 3, "lock")));
  EXPECT_FALSE(matcher.Matches(MakeAlert("t1", "a", 2)));
}

TEST(AlertMatcherTest, AMinTierOfZeroIsNotTheSameAsNone) {
  v1::SubscribeAlertsRequest request;
  request.set_min_tier(0);
  EXPECT_TRUE(AlertMatcher(request).Matches(MakeAlert("t", "a", 1)));
}

TEST(AlertMatcherTest, AnEmptyListAsksForEveryTier) {
  const AlertMatcher matcher{v1::ListAlertsRequest()};
  EXPECT_TRUE(matcher.Matches(MakeAlert("t", "a", 1)));
  EXPECT_TRUE(matcher.Matches(MakeAlert("t", "a", 3)));
}

TEST(AlertMatcherTest, AListMayAskForTiersToo) {
  v1::ListAlertsRequest request;
  request.set_min_tier(2);
  EXPECT_FALSE(AlertMatcher(request).Matches(MakeAlert("t", "a", 1)));
  EXPECT_TRUE(AlertMatcher(request).Matches(MakeAlert("t", "a", 2)));
}

TEST(AlertMatcherTest, ATenantHearsOfItselfAndOfTheFleet) {
  v1::SubscribeAlertsRequest request;
  request.set_tenant_id("t1");
  const AlertMatcher matcher(request);
  EXPECT_TRUE(matcher.Matches(MakeAlert("t1", "a", 3)));
  EXPECT_TRUE(matcher.Matches(MakeAlert("", "", 3, "lock")));
  EXPECT_FALSE(matcher.Matches(MakeAlert("t2", "a", 3)));
}

TEST(AlertMatcherTest, AnAgentHearsOnlyOfItself) {
  v1::SubscribeAlertsRequest request;
  request.mutable_filter()->set_agent_id("a");
  const AlertMatcher matcher(request);
  EXPECT_TRUE(matcher.Matches(MakeAlert("t1", "a", 3)));
  EXPECT_FALSE(matcher.Matches(MakeAlert("t1", "b", 3)));
  EXPECT_FALSE(matcher.Matches(MakeAlert("t1", "", 3, "lock")));
}

TEST(AlertMatcherTest, AnyOneOfTheTypesIsEnough) {
  v1::ListAlertsRequest request;
  request.mutable_filter()->add_types("lock");
  request.mutable_filter()->add_types("anomaly");
  const AlertMatcher matcher(request);
  EXPECT_TRUE(matcher.Matches(MakeAlert("t", "a", 3, "lock")));
  EXPECT_TRUE(matcher.Matches(MakeAlert("t", "a", 1, "anomaly")));
  EXPECT_FALSE(matcher.Matches(MakeAlert("t", "a", 3, "systemic_anomaly")));
}

}  // namespace
}  // namespace interlock::server
