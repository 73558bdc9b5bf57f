#include "core/replay/replay_store.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/engine/engine.h"
#include "core/engine/keys.h"
#include "gtest/gtest.h"

namespace interlock::replay {
namespace {

TEST(ReplayStoreTest, IsOneThatWasNeverWrittenTo) {
  const ReplayStore store("epoch-1");
  Effects effects;
  const auto engine = Engine::Load(store, {}, absl::UnixEpoch(), effects);
  ASSERT_TRUE(engine.ok()) << engine.status();
  EXPECT_EQ((*engine)->epoch(), "epoch-1");
  EXPECT_EQ((*engine)->alert_sequence(), 0);
}

TEST(ReplayStoreTest, ForgetsWhatIsWritten) {
  ReplayStore store("epoch-1");
  WriteSet writes;
  writes.PutBytes(Table::kPolicy, "key", "row");
  ASSERT_TRUE(store.Commit(writes).ok());
  EXPECT_TRUE(absl::IsNotFound(store.Get(Table::kPolicy, "key").status()));
  int rows = 0;
  ASSERT_TRUE(store
                  .Scan({Table::kPolicy, "", "", false},
                        [&rows](absl::string_view, absl::string_view) {
                          ++rows;
                          return true;
                        })
                  .ok());
  EXPECT_EQ(rows, 0);
}

TEST(ReplayStoreTest, KeepsTheNewestDecisions) {
  ReplayStore store("epoch-1");
  for (size_t i = 0; i <= ReplayStore::kDecisionsKept; ++i) store.KeepDecision(absl::StrCat(i), "row");
  EXPECT_TRUE(absl::IsNotFound(store.Get(Table::kDecision, "0").status()));
  EXPECT_EQ(*store.Get(Table::kDecision, "1"), "row");
  EXPECT_EQ(*store.Get(Table::kDecision, absl::StrCat(ReplayStore::kDecisionsKept)), "row");
  store.KeepDecision("1", "another");
  EXPECT_EQ(*store.Get(Table::kDecision, "1"), "another");
  EXPECT_EQ(*store.Get(Table::kDecision, "2"), "row");
  EXPECT_TRUE(absl::IsNotFound(store.Get(Table::kOutcome, "1").status()));
}

}  // namespace
}  // namespace interlock::replay
