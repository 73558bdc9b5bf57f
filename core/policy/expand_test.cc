#include <string>
#include <vector>

#include "core/policy/profiles.h"
#include "core/policy/validate.h"
#include "gtest/gtest.h"

namespace interlock::policy {
namespace {

TEST(ExpandTest, AnUpdateThatOnlyNamesAProfileBecomesIt) {
  for (const std::string& name : ProfileNames()) {
    v1::PolicySet update;
    update.set_tenant_id("acme");
    update.set_etag("etag");
    update.set_profile(name);
    v1::PolicySet expected = *FindProfile(name);
    expected.set_tenant_id("acme");
    expected.set_etag("etag");
    EXPECT_EQ(Expand(update).SerializeAsString(), expected.SerializeAsString());
  }
}

TEST(ExpandTest, OutputOnlyFieldsAreNotContent) {
  v1::PolicySet update;
  update.set_profile("reference");
  update.set_version(4);
  update.mutable_update_time()->set_seconds(1);
  update.mutable_updated_by()->set_id("alice");
  update.set_reason("as it was");
  update.set_rolled_back_to(2);
  const v1::PolicySet expanded = Expand(update);
  EXPECT_EQ(expanded.tiers_size(), 3);
  EXPECT_EQ(expanded.version(), 0);
  EXPECT_FALSE(expanded.has_update_time());
  EXPECT_EQ(expanded.reason(), "");
  EXPECT_EQ(expanded.rolled_back_to(), 0);
}

TEST(ExpandTest, AnyOtherUpdateStaysAsItIs) {
  std::vector<v1::PolicySet> updates(4);
  updates[0].set_profile("unknown");
  updates[1].set_tenant_id("acme");
  updates[2].set_profile("reference");
  updates[2].set_default_category("mine");
  updates[3].set_profile("reference");
  updates[3].GetReflection()->MutableUnknownFields(&updates[3])->AddVarint(1000, 1);
  for (const v1::PolicySet& update : updates) {
    EXPECT_EQ(Expand(update).SerializeAsString(), update.SerializeAsString());
    EXPECT_FALSE(Validate(Expand(update)).empty());
  }
}

}  // namespace
}  // namespace interlock::policy
