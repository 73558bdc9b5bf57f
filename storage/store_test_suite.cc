#include "storage/store_test_suite.h"

#include <atomic>
#include <cstdint>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "google/protobuf/wrappers.pb.h"
#include "tests/support/files.h"

namespace interlock::storage {
namespace {

google::protobuf::BytesValue Wrap(const std::string& value) {
  google::protobuf::BytesValue message;
  message.set_value(value);
  return message;
}

std::string Unwrap(absl::string_view bytes) {
  google::protobuf::BytesValue message;
  EXPECT_TRUE(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return message.value();
}

std::string Value(const absl::StatusOr<std::string>& bytes) {
  return bytes.ok() ? Unwrap(*bytes) : bytes.status().ToString();
}

}  // namespace

std::string StoreFactoryName(const testing::TestParamInfo<StoreFactory>& info) { return info.param.name; }

void StoreTestSuite::SetUp() {
  store_ = GetParam().open(support::FreshDirectory("suite"));
  ASSERT_NE(store_, nullptr);
}

void StoreTestSuite::Put(Table table, const std::string& key, const std::string& value) {
  WriteSet writes;
  writes.Put(table, key, Wrap(value));
  Commit(writes);
}

void StoreTestSuite::Commit(const WriteSet& writes) { ASSERT_EQ(store_->Commit(writes), absl::OkStatus()); }

TestRows StoreTestSuite::Scan(const ScanRange& range, size_t limit) {
  TestRows rows;
  const absl::Status status = store_->Scan(range, [&](absl::string_view key, absl::string_view value) {
    rows.emplace_back(std::string(key), Unwrap(value));
    return rows.size() < limit;
  });
  EXPECT_EQ(status, absl::OkStatus());
  return rows;
}

TEST_P(StoreTestSuite, GetReturnsWhatWasPut) {
  Put(Table::kTenant, "key", "value");
  EXPECT_EQ(Value(store().Get(Table::kTenant, "key")), "value");
}

TEST_P(StoreTestSuite, GetOfMissingRowIsNotFound) {
  EXPECT_EQ(store().Get(Table::kTenant, "key").status().code(), absl::StatusCode::kNotFound);
  Put(Table::kTenant, "key", "value");
  for (const char* key : {"ke", "key2", ""}) {
    EXPECT_EQ(store().Get(Table::kTenant, key).status().code(), absl::StatusCode::kNotFound) << key;
  }
}

TEST_P(StoreTestSuite, LaterPutReplacesEarlierOne) {
  Put(Table::kTenant, "key", "first");
  Put(Table::kTenant, "key", "second");
  EXPECT_EQ(Value(store().Get(Table::kTenant, "key")), "second");
}

TEST_P(StoreTestSuite, CommitAppliesAllTablesTogether) {
  WriteSet writes;
  writes.Put(Table::kDecision, "d", Wrap("decision"));
  writes.Put(Table::kLock, "l", Wrap("lock"));
  writes.Put(Table::kAlert, "a", Wrap("alert"));
  Commit(writes);
  EXPECT_EQ(Value(store().Get(Table::kDecision, "d")), "decision");
  EXPECT_EQ(Value(store().Get(Table::kLock, "l")), "lock");
  EXPECT_EQ(Value(store().Get(Table::kAlert, "a")), "alert");
}

TEST_P(StoreTestSuite, EmptyWriteSetCommits) {
  Commit(WriteSet());
  EXPECT_EQ(Scan({Table::kTenant, "", ""}), TestRows());
}

TEST_P(StoreTestSuite, LastWriteOfAKeyInOneWriteSetWins) {
  WriteSet writes;
  writes.Put(Table::kTenant, "put put", Wrap("1"));
  writes.Put(Table::kTenant, "put put", Wrap("2"));
  writes.Put(Table::kTenant, "put delete", Wrap("1"));
  writes.Delete(Table::kTenant, "put delete");
  writes.Delete(Table::kTenant, "delete put");
  writes.Put(Table::kTenant, "delete put", Wrap("1"));
  writes.Put(Table::kTenant, "put range", Wrap("1"));
  writes.DeleteRange(Table::kTenant, "put r", "put s");
  writes.DeleteRange(Table::kTenant, "range", "range\xff");
  writes.Put(Table::kTenant, "range put", Wrap("1"));
  Commit(writes);
  EXPECT_EQ(Scan({Table::kTenant, "", ""}), (TestRows{{"delete put", "1"}, {"put put", "2"}, {"range put", "1"}}));
}

TEST_P(StoreTestSuite, DeleteRemovesOneRow) {
  Put(Table::kTenant, "a", "1");
  Put(Table::kTenant, "aa", "2");
  WriteSet writes;
  writes.Delete(Table::kTenant, "a");
  writes.Delete(Table::kTenant, "missing");
  Commit(writes);
  EXPECT_EQ(Scan({Table::kTenant, "", ""}), (TestRows{{"aa", "2"}}));
  EXPECT_EQ(store().Get(Table::kTenant, "a").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(StoreTestSuite, DeleteRangeKeepsItsEndAndOtherTables) {
  for (const Table table : {Table::kTenant, Table::kAgent, Table::kDecision, Table::kAlert}) {
    for (const char* key : {"a", "b", "bb", "c", "d"}) Put(table, key, key);
  }
  WriteSet writes;
  writes.DeleteRange(Table::kTenant, "b", "c");
  writes.DeleteRange(Table::kAlert, "b", "c");
  Commit(writes);
  const TestRows all = {{"a", "a"}, {"b", "b"}, {"bb", "bb"}, {"c", "c"}, {"d", "d"}};
  const TestRows left = {{"a", "a"}, {"c", "c"}, {"d", "d"}};
  EXPECT_EQ(Scan({Table::kTenant, "", ""}), left);
  EXPECT_EQ(Scan({Table::kAgent, "", ""}), all);
  EXPECT_EQ(Scan({Table::kDecision, "", ""}), all);
  EXPECT_EQ(Scan({Table::kAlert, "", ""}), left);
  EXPECT_EQ(store().Get(Table::kTenant, "bb").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(StoreTestSuite, DeleteRangeWithoutEndReachesTheEndOfTheTable) {
  for (const char* key : {"a", "b", "\xff\xff\xff"}) Put(Table::kTenant, key, "1");
  Put(Table::kAgent, "z", "1");
  WriteSet writes;
  writes.DeleteRange(Table::kTenant, "b", "");
  Commit(writes);
  EXPECT_EQ(Scan({Table::kTenant, "", ""}), (TestRows{{"a", "1"}}));
  EXPECT_EQ(Scan({Table::kAgent, "", ""}), (TestRows{{"z", "1"}}));
}

TEST_P(StoreTestSuite, DeleteRangeThatEndsBeforeItBeginsDeletesNothing) {
  Put(Table::kTenant, "b", "1");
  WriteSet writes;
  writes.DeleteRange(Table::kTenant, "c", "a");
  writes.DeleteRange(Table::kTenant, "b", "b");
  Commit(writes);
  EXPECT_EQ(Scan({Table::kTenant, "", ""}), (TestRows{{"b", "1"}}));
  Put(Table::kTenant, "c", "1");
}

TEST_P(StoreTestSuite, ScanVisitsKeysInByteOrder) {
  const std::vector<std::string> keys = {"",
                                         std::string("\0", 1),
                                         std::string("\0\xff", 2),
                                         "a",
                                         std::string("a\0b", 3),
                                         "ab",
                                         "b",
                                         "\x7f",
                                         "\x80",
                                         "\xff",
                                         "\xff\xff"};
  WriteSet writes;
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    writes.Put(Table::kTenant, *key, Wrap(*key));
  }
  Commit(writes);
  TestRows expected;
  for (const std::string& key : keys) expected.emplace_back(key, key);
  EXPECT_EQ(Scan({Table::kTenant, "", ""}), expected);
  EXPECT_EQ(Scan({Table::kTenant, "", "", /*reverse=*/true}), TestRows(expected.rbegin(), expected.rend()));
}

TEST_P(StoreTestSuite, ScanStaysWithinItsBounds) {
  for (const char* key : {"a", "b", "c", "d"}) Put(Table::kTenant, key, key);
  const TestRows b_c = {{"b", "b"}, {"c", "c"}};
  EXPECT_EQ(Scan({Table::kTenant, "b", "d"}), b_c);
  EXPECT_EQ(Scan({Table::kTenant, "aa", "cc"}), b_c);
  EXPECT_EQ(Scan({Table::kTenant, "c", ""}), (TestRows{{"c", "c"}, {"d", "d"}}));
  EXPECT_EQ(Scan({Table::kTenant, "", "b"}), (TestRows{{"a", "a"}}));
  EXPECT_EQ(Scan({Table::kTenant, "b", "b"}), TestRows());
  EXPECT_EQ(Scan({Table::kTenant, "c", "b"}), TestRows());
  EXPECT_EQ(Scan({Table::kTenant, "e", ""}), TestRows());
}

TEST_P(StoreTestSuite, ReverseScanStaysWithinItsBounds) {
  for (const char* key : {"a", "b", "c", "d"}) Put(Table::kTenant, key, key);
  const TestRows c_b = {{"c", "c"}, {"b", "b"}};
  EXPECT_EQ(Scan({Table::kTenant, "b", "d", true}), c_b);
  EXPECT_EQ(Scan({Table::kTenant, "aa", "cc", true}), c_b);
  EXPECT_EQ(Scan({Table::kTenant, "c", "", true}), (TestRows{{"d", "d"}, {"c", "c"}}));
  EXPECT_EQ(Scan({Table::kTenant, "", "b", true}), (TestRows{{"a", "a"}}));
  EXPECT_EQ(Scan({Table::kTenant, "b", "b", true}), TestRows());
  EXPECT_EQ(Scan({Table::kTenant, "c", "b", true}), TestRows());
  EXPECT_EQ(Scan({Table::kTenant, "e", "", true}), TestRows());
}

TEST_P(StoreTestSuite, ScanStopsWhenTheVisitorHasEnough) {
  for (const char* key : {"a", "b", "c"}) Put(Table::kTenant, key, key);
  EXPECT_EQ(Scan({Table::kTenant, "", ""}, 1), (TestRows{{"a", "a"}}));
  EXPECT_EQ(Scan({Table::kTenant, "", "", true}, 2), (TestRows{{"c", "c"}, {"b", "b"}}));
}

TEST_P(StoreTestSuite, TablesDoNotSeeOneAnother) {
  const std::vector<Table> tables = {Table::kEngine,  Table::kTenant,         Table::kAgent,   Table::kPoint,
                                     Table::kPolicy,  Table::kLock,           Table::kEpisode, Table::kTask,
                                     Table::kRequest, Table::kUserAlert,      Table::kAttempt, Table::kDecision,
                                     Table::kAlert,   Table::kResolvedEpisode};
  for (const Table table : tables) {
    const std::string number = absl::StrCat(static_cast<int>(table));
    for (const char* key : {"", "key", "\xff\xff"}) Put(table, key, number);
  }
  for (const Table table : tables) {
    const std::string number = absl::StrCat(static_cast<int>(table));
    const TestRows expected = {{"", number}, {"key", number}, {"\xff\xff", number}};
    EXPECT_EQ(Scan({table, "", ""}), expected) << number;
    EXPECT_EQ(Scan({table, "", "", true}), TestRows(expected.rbegin(), expected.rend())) << number;
    EXPECT_EQ(Value(store().Get(table, "key")), number);
  }
}

TEST_P(StoreTestSuite, KeysAndValuesMayHoldAnyByte) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  Put(Table::kDecision, bytes, bytes);
  Put(Table::kTenant, "empty", "");
  EXPECT_EQ(Value(store().Get(Table::kDecision, bytes)), bytes);
  EXPECT_EQ(Scan({Table::kDecision, "", ""}), (TestRows{{bytes, bytes}}));
  EXPECT_EQ(Scan({Table::kTenant, "", ""}), (TestRows{{"empty", ""}}));
}

TEST_P(StoreTestSuite, ValuesOfMegabytesAreKept) {
  std::string large(4 << 20, '\0');
  for (size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * i >> 7);
  Put(Table::kPolicy, "large", large);
  EXPECT_EQ(Value(store().Get(Table::kPolicy, "large")), large);
}

TEST_P(StoreTestSuite, ScanSeesTheRowsAsTheyWereWhenItBegan) {
  for (const char* key : {"a", "b", "c"}) Put(Table::kTenant, key, "old");
  TestRows rows;
  const absl::Status status =
      store().Scan({Table::kTenant, "", ""}, [&](absl::string_view key, absl::string_view value) {
        if (rows.empty()) {
          WriteSet writes;
          writes.Put(Table::kTenant, "b", Wrap("new"));
          writes.Put(Table::kTenant, "bb", Wrap("new"));
          writes.Delete(Table::kTenant, "c");
          Commit(writes);
        }
        rows.emplace_back(std::string(key), Unwrap(value));
        return true;
      });
  EXPECT_EQ(status, absl::OkStatus());
  EXPECT_EQ(rows, (TestRows{{"a", "old"}, {"b", "old"}, {"c", "old"}}));
  EXPECT_EQ(Scan({Table::kTenant, "", ""}), (TestRows{{"a", "old"}, {"b", "new"}, {"bb", "new"}}));
}

// One thread commits the same number under many keys, others read: a scan that finds two numbers,
// or a number smaller than one already seen, has seen a part of a commit.
TEST_P(StoreTestSuite, ReadersSeeWholeCommitsOnly) {
  constexpr int kCommits = 150;
  constexpr int kKeys = 20;
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  const auto commit = [&](int number) {
    WriteSet writes;
    writes.DeleteRange(Table::kAgent, "", "");
    for (int key = 0; key < kKeys; ++key) {
      writes.Put(Table::kAgent, absl::StrCat("key", key), Wrap(absl::StrCat(number)));
    }
    Commit(writes);
  };
  commit(0);
  const auto read = [&](bool reverse) {
    int newest = 0;
    for (bool last = false; !last;) {
      // Known before the rows are read, so that the last round reads the last commit.
      last = done;
      std::multiset<int> numbers;
      for (const auto& [key, value] : Scan({Table::kAgent, "", "", reverse})) {
        numbers.insert(std::stoi(value));
      }
      if (numbers.size() != kKeys || *numbers.begin() != *numbers.rbegin() || *numbers.begin() < newest) {
        ++torn;
      }
      if (!numbers.empty()) newest = *numbers.rbegin();
      const int single = std::stoi(Value(store().Get(Table::kAgent, "key7")));
      if (single < newest) ++torn;
      newest = single;
    }
    EXPECT_EQ(newest, kCommits);
  };
  std::thread forward(read, false);
  std::thread backward(read, true);
  for (int number = 1; number <= kCommits; ++number) commit(number);
  done = true;
  forward.join();
  backward.join();
  EXPECT_EQ(torn, 0);
}

}  // namespace interlock::storage
