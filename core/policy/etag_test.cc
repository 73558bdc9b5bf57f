#include "core/policy/etag.h"

#include <gtest/gtest.h>

namespace interlock::policy {
namespace {

TEST(EtagTest, FollowsTheContentAndNotTheTenantOrTheEtagItself) {
  v1::PolicySet policy;
  policy.set_profile("reference");
  const std::string etag = Etag(policy);
  EXPECT_EQ(etag.size(), 16u);
  policy.set_tenant_id("t");
  policy.set_etag(etag);
  EXPECT_EQ(Etag(policy), etag);
  policy.set_version(1);
  EXPECT_NE(Etag(policy), etag);
}

}  // namespace
}  // namespace interlock::policy
