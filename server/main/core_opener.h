// Opens the store and loads the engine from it, for the first time and again after a failed commit.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/engine/engine.h"
#include "core/engine/store.h"
#include "server/base/clock.h"
#include "server/sequencer/core.h"

namespace interlock::server {

// Not thread-safe; the sequencer calls it on its thread.
class CoreOpener {
 public:
  // Opens the store in `data_dir`, and makes it if there is none. `clock` must outlive the opener.
  // Errors: as RocksdbStore::Open.
  static absl::StatusOr<CoreOpener> Open(const std::string& data_dir, const Engine::Options& options, Clock& clock);

  // The first call takes the store that Open opened; later ones open it again, and never make a new one.
  // Errors: as RocksdbStore::Open and Engine::Load.
  absl::StatusOr<std::unique_ptr<Core>> operator()();

 private:
  CoreOpener(std::string data_dir, const Engine::Options& options, Clock& clock, std::shared_ptr<Store> store)
      : data_dir_(std::move(data_dir)), options_(options), clock_(&clock), first_store_(std::move(store)) {}

  std::string data_dir_;
  Engine::Options options_;
  Clock* clock_;
  std::shared_ptr<Store> first_store_;
};

}  // namespace interlock::server
