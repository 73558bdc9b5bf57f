// Damages the files that a server left, one at a time: flips bits, cuts them, removes them. A server that is started on
// what is left goes on as it would have without the damage, or is refused with DATA_LOSS; nothing else. The long form:
//
//   bazel test -c opt //tests/crash/power:damage_test --test_arg=--seeds=10 --test_arg=--positions=2000
//       --test_timeout=3600 --test_output=all
//
// A violation names the seed, the file and the damage.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "rocksdb/file_system.h"
#include "tests/crash/power/going_on.h"
#include "tests/crash/power/ledger.h"
#include "tests/crash/power/life.h"
#include "tests/crash/power/script.h"
#include "tests/support/memory_file_system.h"

ABSL_FLAG(uint64_t, seed, 1, "The first seed.");
ABSL_FLAG(int, seeds, 1, "How many seeds.");
ABSL_FLAG(int, positions, 20, "At how many places each file is damaged, at most.");

namespace interlock::crash {
namespace {

using support::MemoryFileSystem;
using support::PowerCut;

constexpr PowerCut kAllKept = {PowerCut::Bytes::kKept, PowerCut::Names::kKept, 0};
constexpr int kLives = 3;
constexpr int kSteps = 20;

// What came of the damage to files of one kind.
struct Outcomes {
  int noticed = 0;
  int harmless = 0;
};

class Damage {
 public:
  explicit Damage(uint64_t seed) : seed_(seed), script_(seed) {
    for (int life = 0; life < kLives; ++life) {
      // The write-ahead log holds the commits of the last life, all others are in tables.
      ledger_.Forget(ledger_.bounds().acknowledged);
      in_tables_ = ledger_.bounds().acknowledged;
      Life server(files_, OpenRocksdb, script_, ledger_);
      EXPECT_EQ(server.Open(), absl::OkStatus());
      for (int step = 0; step < kSteps; ++step) server.Step();
    }
  }

  void FlipBits(int positions) {
    ForEachPosition(positions, [this](const std::string& name, const std::string& bytes, size_t position) {
      std::string flipped = bytes;
      flipped[position] = static_cast<char>(flipped[position] ^ (1 << position % 8));
      Try(name, absl::StrCat("bit ", position % 8, " of byte ", position, " flipped"), flipped, ledger_.bounds());
    });
  }

  void CutFiles(int positions) {
    ForEachPosition(positions, [this](const std::string& name, const std::string& bytes, size_t position) {
      // Nobody can tell a log that somebody cut from one that a crash cut short, but its whole commits are there.
      Ledger::Bounds bounds = ledger_.bounds();
      if (absl::EndsWith(name, ".log")) bounds.acknowledged = in_tables_;
      Try(name, absl::StrCat("cut to ", position, " bytes"), bytes.substr(0, position), bounds);
    });
  }

  void RemoveFiles() {
    for (const std::string& name : Files()) {
      const auto disk = files_->AfterPowerCut(kAllKept);
      ASSERT_TRUE(disk->DeleteFile(Path(name), rocksdb::IOOptions(), nullptr).ok());
      Judge(name, "removed", disk, ledger_.bounds());
    }
  }

  const std::map<std::string, Outcomes>& outcomes() const { return outcomes_; }

 private:
  static std::string Path(const std::string& name) { return absl::StrCat(kStoreDirectory, "/", name); }
  static std::string KindOf(const std::string& name) {
    const size_t dot = name.rfind('.');
    return dot != std::string::npos ? name.substr(dot + 1) : name.substr(0, name.find('-'));
  }

  // RocksDB's text logs of earlier lives are like the newest.
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const std::string& name : files_->List(kStoreDirectory)) {
      if (!absl::StartsWith(name, "LOG.old")) names.push_back(name);
    }
    return names;
  }

  void ForEachPosition(int positions,
                       const std::function<void(const std::string&, const std::string&, size_t)>& visit) {
    for (const std::string& name : Files()) {
      std::string bytes;
      ASSERT_TRUE(rocksdb::ReadFileToString(files_.get(), Path(name), &bytes).ok());
      const size_t step = std::max<size_t>(1, bytes.size() / static_cast<size_t>(positions));
      for (size_t position = 0; position < bytes.size(); position += step) visit(name, bytes, position);
    }
  }

  void Try(const std::string& name, const std::string& what, const std::string& bytes, const Ledger::Bounds& bounds) {
    const auto disk = files_->AfterPowerCut(kAllKept);
    ASSERT_TRUE(rocksdb::WriteStringToFile(disk.get(), bytes, Path(name)).ok());
    Judge(name, what, disk, bounds);
  }

  void Judge(const std::string& name, const std::string& what, const std::shared_ptr<MemoryFileSystem>& disk,
             const Ledger::Bounds& bounds) {
    const absl::Status status = Start(disk, bounds);
    Outcomes& outcomes = outcomes_[KindOf(name)];
    ++(status.ok() ? outcomes.harmless : outcomes.noticed);
    if (status.ok() || absl::IsDataLoss(status)) return;
    ADD_FAILURE() << "--seed=" << seed_ << " " << name << " " << what << ": " << status;
  }

  // Starts a server on a disk.
  absl::Status Start(const std::shared_ptr<MemoryFileSystem>& disk, const Ledger::Bounds& bounds) {
    auto store = OpenRocksdb(disk, "after the damage");
    if (!store.ok()) return store.status();
    const absl::StatusOr<int64_t> count = ledger_.Find(**store, bounds);
    if (!count.ok()) return count.status();
    return GoOn(*ledger_.RowsAfter(*count)->Clone(), **store, script_.now());
  }

  const uint64_t seed_;
  std::shared_ptr<MemoryFileSystem> files_ = std::make_shared<MemoryFileSystem>();
  Ledger ledger_;
  Script script_;
  int64_t in_tables_ = 0;
  std::map<std::string, Outcomes> outcomes_;
};

TEST(DamageTest, ServerGoesOnAsItShouldOrIsRefused) {
  const uint64_t first = absl::GetFlag(FLAGS_seed);
  for (uint64_t seed = first; seed < first + static_cast<uint64_t>(absl::GetFlag(FLAGS_seeds)); ++seed) {
    Damage damage(seed);
    damage.FlipBits(absl::GetFlag(FLAGS_positions));
    damage.CutFiles(absl::GetFlag(FLAGS_positions));
    damage.RemoveFiles();
    std::printf("damage_test --seed=%llu:", static_cast<unsigned long long>(seed));
    for (const auto& [kind, outcomes] : damage.outcomes()) {
      std::printf(" %s %d noticed, %d harmless;", kind.c_str(), outcomes.noticed, outcomes.harmless);
    }
    std::printf("\n");
    std::fflush(stdout);
    for (const char* kind : {"sst", "log", "MANIFEST", "CURRENT"}) {
      EXPECT_GT(damage.outcomes().at(kind).noticed, 0) << kind;
    }
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace interlock::crash

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  return RUN_ALL_TESTS();
}
