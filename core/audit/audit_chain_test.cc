#include "core/audit/audit_chain.h"

#include <gtest/gtest.h>

#include "core/audit/audit_row.h"
#include "core/base/sha256.h"
#include "core/base/time.h"

namespace interlock::audit {
namespace {

const absl::Time kTime = absl::FromUnixSeconds(1700000000);

v1::Principal Alice() {
  v1::Principal alice;
  alice.set_kind(v1::PRINCIPAL_KIND_HUMAN);
  alice.set_id("alice");
  return alice;
}

TEST(AuditChainTest, ARowSaysAllAboutItsRecord) {
  AuditChain chain;
  EXPECT_EQ(chain.sequence(), 0);
  EXPECT_EQ(chain.hash(), FirstPreviousHash());
  const v1::Principal alice = Alice();
  const v1::AuditRow& row = chain.Append({v1::AUDIT_KIND_LOCK, "t", &alice, "lock-3", 2}, "the lock", kTime);
  EXPECT_EQ(row.sequence(), 1);
  EXPECT_EQ(FromProto(row.time()), kTime);
  EXPECT_EQ(row.kind(), v1::AUDIT_KIND_LOCK);
  EXPECT_EQ(row.tenant_id(), "t");
  EXPECT_EQ(row.principal().id(), "alice");
  EXPECT_EQ(row.principal().kind(), v1::PRINCIPAL_KIND_HUMAN);
  EXPECT_EQ(row.record_id(), "lock-3");
  EXPECT_EQ(row.record_version(), 2);
  EXPECT_EQ(row.record_digest(), Sha256("the lock"));
  EXPECT_FALSE(row.has_removal());
  EXPECT_EQ(row.hash(), HashOf(row, FirstPreviousHash()));
  EXPECT_EQ(chain.sequence(), 1);
  EXPECT_EQ(chain.hash(), row.hash());
}

TEST(AuditChainTest, ARowKeepsNothingOfTheOneBefore) {
  AuditChain chain;
  const v1::Principal alice = Alice();
  chain.Append({v1::AUDIT_KIND_LOCK, "t", &alice, "lock-3", 2}, "the lock", kTime);
  v1::AuditRemoval removal;
  removal.set_kind(v1::AUDIT_REMOVAL_KIND_DECISIONS);
  removal.set_last_sequence(7);
  const std::string first_hash = chain.hash();
  const v1::AuditRow removed = chain.AppendRemoval(removal, kTime);
  EXPECT_EQ(removed.sequence(), 2);
  EXPECT_EQ(removed.kind(), v1::AUDIT_KIND_RETENTION);
  EXPECT_FALSE(removed.has_principal());
  EXPECT_EQ(removed.tenant_id() + removed.record_id() + removed.record_digest(), "");
  EXPECT_EQ(removed.record_version(), 0);
  EXPECT_EQ(removed.removal().last_sequence(), 7);
  EXPECT_EQ(removed.hash(), HashOf(removed, first_hash));
  const v1::AuditRow& row = chain.Append({v1::AUDIT_KIND_APPROVAL, "u", nullptr, "approval-4", 0}, "", kTime);
  EXPECT_FALSE(row.has_removal());
  EXPECT_FALSE(row.has_principal());
  EXPECT_EQ(row.record_version(), 0);
  EXPECT_EQ(row.hash(), HashOf(row, removed.hash()));
  chain.Append({v1::AUDIT_KIND_LOCK, "t", &alice, "lock-3", 3}, "the lock", kTime);
  EXPECT_FALSE(chain.Append({v1::AUDIT_KIND_LOCK, "t", nullptr, "lock-3", 4}, "the lock", kTime).has_principal());
}

TEST(AuditChainTest, AChainGoesOnWhereItWasLeft) {
  AuditChain whole;
  whole.Append({v1::AUDIT_KIND_DECISION, "t", nullptr, "decision-1", 0}, "1", kTime);
  AuditChain resumed(whole.sequence(), whole.hash());
  whole.Append({v1::AUDIT_KIND_DECISION, "t", nullptr, "decision-2", 0}, "2", kTime);
  resumed.Append({v1::AUDIT_KIND_DECISION, "t", nullptr, "decision-2", 0}, "2", kTime);
  EXPECT_EQ(resumed.sequence(), 2);
  EXPECT_EQ(resumed.hash(), whole.hash());
}

}  // namespace
}  // namespace interlock::audit
