#include "tests/crash/power/life.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "rocksdb/file_system.h"
#include "storage/rocksdb_store.h"

namespace interlock::crash {

absl::StatusOr<std::unique_ptr<Store>> OpenRocksdb(std::shared_ptr<rocksdb::FileSystem> disk,
                                                   const std::string& epoch) {
  storage::RocksdbStore::Options options;
  options.new_epoch = epoch;
  options.file_system = std::move(disk);
  return storage::RocksdbStore::Open(kStoreDirectory, options);
}

Life::Life(std::shared_ptr<rocksdb::FileSystem> disk, StoreOpener opener, Script& script, Ledger& ledger)
    : disk_(std::move(disk)),
      opener_(std::move(opener)),
      script_(script),
      ledger_(ledger),
      clock_(script.now()),
      sequencer_(clock_, [this] { return MakeCore(); }, *this, {}) {}

absl::StatusOr<std::unique_ptr<server::Core>> Life::MakeCore() {
  const std::string epoch = absl::StrCat("epoch-", ++opens_);
  INTERLOCK_ASSIGN_OR_RETURN(std::unique_ptr<Store> store, opener_(disk_, epoch));
  if (const absl::Status settled = ledger_.Settle(*store); !settled.ok()) {
    violations_.push_back(absl::StrCat("opened again, the store is wrong: ", settled.ToString()));
    return settled;
  }
  auto core = std::make_unique<server::Core>();
  core->store = std::make_shared<LedgerStore>(ledger_, violations_, std::move(store));
  INTERLOCK_ASSIGN_OR_RETURN(core->engine,
                             Engine::Load(*core->store, Script::EngineOptions(), clock_.TimeNow(), core->effects));
  return core;
}

absl::Status Life::OnOpened(const server::Core& core) {
  script_.Take(core.effects);
  return absl::OkStatus();
}

void Life::Run(Script::Works works) {
  clock_.Advance(script_.NextDelay());
  // Whatever is refused because the store is not open is dropped; the script goes on without it.
  for (const std::unique_ptr<server::Work>& work : works) sequencer_.Submit(*work).IgnoreError();
  sequencer_.RunBatch();
}

}  // namespace interlock::crash
