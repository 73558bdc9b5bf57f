// One life of a server on a disk: the production sequencer over the production engine and store, run step by step in
// one thread, with a script for its clients and a ledger for its store.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/fake_clock.h"
#include "server/sequencer/commit_listener.h"
#include "server/sequencer/sequencer.h"
#include "tests/crash/power/ledger.h"
#include "tests/crash/power/script.h"

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace interlock::crash {

// Where the store is on a disk. Its parent is the root.
inline constexpr char kStoreDirectory[] = "/store";

// Opens the store on a disk; a new one gets the given epoch.
using StoreOpener = std::function<absl::StatusOr<std::unique_ptr<Store>>(std::shared_ptr<rocksdb::FileSystem> disk,
                                                                         const std::string& epoch)>;
// RocksdbStore::Open.
absl::StatusOr<std::unique_ptr<Store>> OpenRocksdb(std::shared_ptr<rocksdb::FileSystem> disk, const std::string& epoch);

class Life final : private server::CommitListener {
 public:
  // `script` and `ledger` must outlive it.
  Life(std::shared_ptr<rocksdb::FileSystem> disk, StoreOpener opener, Script& script, Ledger& ledger);

  // Errors: those of opening the store and of loading the engine.
  absl::Status Open() { return sequencer_.Open(); }
  // Has the script's next batch decided and committed; after a failed commit, tries to open the store again.
  void Step() { Run(script_.NextBatch()); }
  // The same with the script's large batch.
  void LargeStep() { Run(script_.NextLargeBatch()); }
  bool serving() const { return sequencer_.store() != nullptr; }

  // What must not happen: a store that shows wrong rows when it is opened again, or takes commits after one failed.
  const std::vector<std::string>& violations() const { return violations_; }
  // How often a commit failed.
  int losses() const { return losses_; }

 private:
  absl::Status OnOpened(const server::Core& core) override;
  void OnCommitted(const Effects& effects, const Engine&) override { script_.Take(effects); }
  void OnLost(const absl::Status&) override { ++losses_; }

  absl::StatusOr<std::unique_ptr<server::Core>> MakeCore();
  void Run(Script::Works works);

  const std::shared_ptr<rocksdb::FileSystem> disk_;
  const StoreOpener opener_;
  Script& script_;
  Ledger& ledger_;
  std::vector<std::string> violations_;
  int losses_ = 0;
  int opens_ = 0;
  server::FakeClock clock_;
  server::Sequencer sequencer_;
};

}  // namespace interlock::crash
