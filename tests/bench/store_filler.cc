#include "tests/bench/store_filler.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/utilities/options_util.h>

#include <fstream>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/engine/engine.h"
#include "storage/rocksdb_store.h"
#include "tests/bench/traffic.h"
#include "tests/support/requests.h"

namespace interlock::bench {
namespace {

// Larger than the sequencer's, so that millions of decisions do not wait for the disk's syncs; the rows are the same.
constexpr int kBatch = 4096;
constexpr int64_t kDeniedEach = 100;

// Bytes that this process has passed to write calls so far.
int64_t BytesWritten() {
  std::ifstream file("/proc/self/io");
  std::string name;
  int64_t value = 0;
  while (file >> name >> value) {
    if (name == "wchar:") return value;
  }
  INTERLOCK_CHECK(false);
  return 0;
}

class Filler {
 public:
  Filler(const std::string& directory, absl::Time now) : now_(now) {
    caller_.set_kind(v1::PRINCIPAL_KIND_HUMAN);
    caller_.set_id("bench");
    auto store = storage::RocksdbStore::Open(directory,
                                             {.new_epoch = "bench", .create_if_missing = true, .file_system = nullptr});
    INTERLOCK_CHECK(store.ok());
    store_ = *std::move(store);
    auto engine = Engine::Load(*store_, {}, now_, effects_);
    INTERLOCK_CHECK(engine.ok());
    engine_ = *std::move(engine);
  }
  ~Filler() { Commit(); }

  template <typename Request>
  auto Do(const Request& request) {
    auto reply = engine_->Apply(request, {caller_, now_}, effects_);
    INTERLOCK_CHECK(reply.ok());
    if (++waiting_ == kBatch) Commit();
    return *std::move(reply);
  }
  void MoveTo(absl::Time now) { now_ = now; }
  int64_t row_bytes() const { return row_bytes_; }

 private:
  void Commit() {
    engine_->Tick(now_, effects_);
    engine_->EndBatch(effects_);
    for (const Write& write : effects_.writes.writes()) {
      row_bytes_ += static_cast<int64_t>(write.key.size() + write.value.size());
    }
    INTERLOCK_CHECK(store_->Commit(effects_.writes).ok());
    effects_.Clear();
    waiting_ = 0;
  }

  absl::Time now_;
  v1::Principal caller_;
  std::unique_ptr<storage::RocksdbStore> store_;
  std::unique_ptr<Engine> engine_;
  Effects effects_;
  int waiting_ = 0;
  int64_t row_bytes_ = 0;
};

void Decide(const Fill& fill, Filler& filler) {
  ActionSource allowed(v1::VERDICT_ALLOW, fill.agents, "fill");
  ActionSource denied(v1::VERDICT_DENY, fill.agents, "fill-denied");
  for (int64_t i = 1; i <= fill.decisions; ++i) {
    filler.MoveTo(fill.end -
                  fill.span * (static_cast<double>(fill.decisions - i) / static_cast<double>(fill.decisions)));
    ActionSource& source = i % kDeniedEach == 0 ? denied : allowed;
    v1::ArbitrateRequest request = source.Next();
    if (!fill.with_request_ids) request.clear_request_id();
    INTERLOCK_CHECK(filler.Do(request).verdict() == source.verdict());
  }
}

}  // namespace

FillResult FillStore(const std::string& directory, const Fill& fill) {
  const int64_t written_before = BytesWritten();
  FillResult result;
  {
    Filler filler(directory, fill.end - fill.span);
    v1::UpdatePolicyRequest update;
    *update.mutable_policy() = PolicyWithoutLimits();
    filler.Do(update);
    for (int i = 0; fill.with_reports && i < fill.agents; ++i) {
      filler.Do(support::ReportOf(kTenant, AgentName(i), 0.95));
    }
    for (int i = 0; i < fill.locks; ++i) {
      filler.Do(support::EngageOf(kTenant, v1::SCOPE_KIND_AGENT, absl::StrCat("locked-", i), "a measurement"));
    }
    Decide(fill, filler);
    result.row_bytes = filler.row_bytes();
  }
  result.written_bytes = BytesWritten() - written_before;
  return result;
}

StoreWeight CompactStore(const std::string& directory) {
  // The store's own settings, as RocksDB keeps them beside the tables.
  rocksdb::DBOptions options;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  INTERLOCK_CHECK(rocksdb::LoadLatestOptions(rocksdb::ConfigOptions(), directory, &options, &families).ok());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  INTERLOCK_CHECK(rocksdb::DB::Open(options, directory, families, &handles, &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  StoreWeight weight;
  const std::string begin(1, static_cast<char>(Table::kDecision));
  const std::string end(1, static_cast<char>(Table::kDecision) + 1);
  for (rocksdb::ColumnFamilyHandle* family : handles) {
    rocksdb::CompactRangeOptions compact;
    compact.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    INTERLOCK_CHECK(db->CompactRange(compact, family, nullptr, nullptr).ok());
    rocksdb::ColumnFamilyMetaData tables;
    db->GetColumnFamilyMetaData(family, &tables);
    weight.table_bytes += static_cast<int64_t>(tables.size);
    const rocksdb::Range range(begin, end);
    uint64_t bytes = 0;
    INTERLOCK_CHECK(db->GetApproximateSizes(rocksdb::SizeApproximationOptions(), family, &range, 1, &bytes).ok());
    weight.decision_bytes += static_cast<int64_t>(bytes);
    db->DestroyColumnFamilyHandle(family);
  }
  return weight;
}

}  // namespace interlock::bench
