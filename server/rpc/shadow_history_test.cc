// What is read of shadow policies.

#include <string>

#include "core/base/error.h"
#include "core/engine/keys.h"
#include "gtest/gtest.h"
#include "server/rpc/history.h"
#include "storage/memory_store.h"

namespace interlock::server {
namespace {

class ShadowHistoryTest : public ::testing::Test {
 protected:
  void Put(Table table, const std::string& key, const google::protobuf::MessageLite& row) {
    WriteSet writes;
    writes.Put(table, key, row);
    ASSERT_TRUE(store_.Commit(writes).ok());
  }
  void PutDifference(const std::string& tenant_id, int64_t sequence) {
    v1::ShadowDifference difference;
    difference.set_decision_id("decision-" + std::to_string(sequence));
    Put(Table::kShadowDifference, keys::TenantNumber(tenant_id, sequence), difference);
  }
  storage::MemoryStore store_{"epoch"};
};

TEST_F(ShadowHistoryTest, WithoutOneThereIsNothing) {
  v1::ListShadowDifferencesRequest request;
  request.set_tenant_id("t");
  EXPECT_EQ(ErrorReason(Read(store_, request).status()), "SHADOW_POLICY_NOT_FOUND");
  EXPECT_EQ(Read(store_, request).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ShadowHistoryTest, TheFirstPageHasThePolicyWithItsCounts) {
  v1::ShadowPolicy shadow;
  shadow.mutable_policy()->set_profile("reference");
  Put(Table::kShadow, keys::Tenant("t"), shadow);
  v1::ListShadowDifferencesRequest request;
  request.set_tenant_id("t");
  EXPECT_TRUE(Read(store_, request)->shadow().has_counts()) << "nothing was decided yet";
  v1::ShadowPolicy counted;
  counted.mutable_counts()->set_decisions(7);
  Put(Table::kShadow, keys::ShadowCounts("t"), counted);
  for (int64_t sequence = 1; sequence <= 3; ++sequence) PutDifference("t", sequence);
  PutDifference("t2", 4);
  request.set_page_size(2);
  const auto first = Read(store_, request);
  EXPECT_EQ(first->shadow().policy().profile(), "reference");
  EXPECT_EQ(first->shadow().counts().decisions(), 7);
  ASSERT_EQ(first->differences_size(), 2);
  EXPECT_EQ(first->differences(0).decision_id(), "decision-3");
  request.set_page_token(first->next_page_token());
  const auto second = Read(store_, request);
  EXPECT_FALSE(second->has_shadow());
  ASSERT_EQ(second->differences_size(), 1);
  EXPECT_EQ(second->differences(0).decision_id(), "decision-1");
  EXPECT_EQ(second->next_page_token(), "");
}

TEST_F(ShadowHistoryTest, DamagedRowIsNotTakenAsNone) {
  WriteSet writes;
  writes.PutBytes(Table::kShadow, keys::Tenant("t"), "\xff");
  ASSERT_TRUE(store_.Commit(writes).ok());
  v1::ListShadowDifferencesRequest request;
  request.set_tenant_id("t");
  EXPECT_EQ(Read(store_, request).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace interlock::server
