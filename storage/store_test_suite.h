// What every store must do, as one suite. A store's own test instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreTestSuite, testing::Values(factory), StoreFactoryName);
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/store.h"
#include "gtest/gtest.h"

namespace interlock::storage {

struct StoreFactory {
  std::string name;
  // Opens the store in `dir`, made if it is missing. A store without files ignores `dir`.
  std::function<std::unique_ptr<Store>(const std::string& dir)> open;
};

// Names the instances of the suite.
std::string StoreFactoryName(const testing::TestParamInfo<StoreFactory>& info);

// Keys and values as Put takes and Scan gives them; values are wrapped in a message and unwrapped.
using TestRows = std::vector<std::pair<std::string, std::string>>;

class StoreTestSuite : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override;

  Store& store() { return *store_; }
  void Put(Table table, const std::string& key, const std::string& value);
  void Commit(const WriteSet& writes);
  // The rows of `range` in the order visited, at most `limit`.
  TestRows Scan(const ScanRange& range, size_t limit = SIZE_MAX);

 private:
  std::unique_ptr<Store> store_;
};

}  // namespace interlock::storage
