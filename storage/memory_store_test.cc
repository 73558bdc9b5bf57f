#include "storage/memory_store.h"

#include <memory>
#include <string>
#include <vector>

#include "core/engine/store.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"
#include "interlock/v1/state.pb.h"
#include "storage/store_header.h"
#include "storage/store_test_suite.h"

namespace interlock::storage {
namespace {

StoreFactory MakeMemoryFactory() {
  return {"Memory", [](const std::string& /*dir*/) { return std::make_unique<MemoryStore>("epoch-1"); }};
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreTestSuite, testing::Values(MakeMemoryFactory()), StoreFactoryName);

WriteSet PutOne(const std::string& key, const std::string& value) {
  google::protobuf::BytesValue message;
  message.set_value(value);
  WriteSet writes;
  writes.Put(Table::kTenant, key, message);
  return writes;
}

std::vector<std::string> Keys(const Store& store) {
  std::vector<std::string> keys;
  EXPECT_EQ(store.Scan({Table::kTenant, "", ""},
                       [&](absl::string_view key, absl::string_view) {
                         keys.emplace_back(key);
                         return true;
                       }),
            absl::OkStatus());
  return keys;
}

TEST(MemoryStoreTest, NewStoreHasItsHeader) {
  const MemoryStore store("epoch-1");
  const absl::StatusOr<std::string> bytes = store.Get(Table::kHeader, HeaderKey());
  ASSERT_EQ(bytes.status(), absl::OkStatus());
  v1::StoreHeader header;
  ASSERT_TRUE(header.ParseFromString(*bytes));
  EXPECT_EQ(header.format_version(), kFormatVersion);
  EXPECT_EQ(header.epoch(), "epoch-1");
}

TEST(MemoryStoreTest, CloneHasTheSameRowsAndGoesItsOwnWay) {
  MemoryStore store("epoch-1");
  ASSERT_EQ(store.Commit(PutOne("shared", "1")), absl::OkStatus());
  const std::unique_ptr<MemoryStore> clone = store.Clone();
  ASSERT_EQ(store.Commit(PutOne("original", "1")), absl::OkStatus());
  ASSERT_EQ(clone->Commit(PutOne("clone", "1")), absl::OkStatus());
  EXPECT_EQ(Keys(store), (std::vector<std::string>{"original", "shared"}));
  EXPECT_EQ(Keys(*clone), (std::vector<std::string>{"clone", "shared"}));
  EXPECT_TRUE(clone->Get(Table::kHeader, HeaderKey()).ok());
}

TEST(MemoryStoreDeathTest, EpochIsRequired) { EXPECT_DEATH(MemoryStore(""), "check failed"); }

}  // namespace
}  // namespace interlock::storage
