#include "server/main/core_opener.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "storage/rocksdb_store.h"

namespace interlock::server {
namespace {

// Names the life of a new store: 16 hexadecimal digits, random, so that no other store has it.
std::string NewEpoch() {
  std::random_device device;
  return absl::StrCat(absl::Hex(device(), absl::kZeroPad8), absl::Hex(device(), absl::kZeroPad8));
}

}  // namespace

absl::StatusOr<CoreOpener> CoreOpener::Open(const std::string& data_dir, const Engine::Options& options, Clock& clock) {
  const std::string epoch = NewEpoch();
  storage::RocksdbStore::Options store_options;
  store_options.new_epoch = epoch;
  INTERLOCK_ASSIGN_OR_RETURN(std::shared_ptr<Store> store, storage::RocksdbStore::Open(data_dir, store_options));
  return CoreOpener(data_dir, options, clock, std::move(store));
}

absl::StatusOr<std::unique_ptr<Core>> CoreOpener::operator()() {
  auto core = std::make_unique<Core>();
  core->store = std::move(first_store_);
  if (core->store == nullptr) {
    storage::RocksdbStore::Options store_options;
    store_options.create_if_missing = false;
    INTERLOCK_ASSIGN_OR_RETURN(core->store, storage::RocksdbStore::Open(data_dir_, store_options));
  }
  INTERLOCK_ASSIGN_OR_RETURN(core->engine, Engine::Load(*core->store, options_, clock_->TimeNow(), core->effects));
  return core;
}

}  // namespace interlock::server
