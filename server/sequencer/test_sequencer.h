// A sequencer over a store in memory, and works and a listener that write down what happens to them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/engine/keys.h"
#include "server/base/fake_clock.h"
#include "server/base/gate.h"
#include "server/base/mutex.h"
#include "server/sequencer/fault_store.h"
#include "server/sequencer/sequencer.h"
#include "storage/memory_store.h"

namespace interlock::server {

// What happened, in order. Thread-safe.
class Journal {
 public:
  void Write(std::string line) {
    MutexLock lock(mutex_);
    lines_.push_back(std::move(line));
  }
  // Everything since the last call.
  std::vector<std::string> Take() {
    MutexLock lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

class TestWork final : public Work {
 public:
  TestWork(std::string name, Journal& journal, bool writes)
      : name_(std::move(name)), journal_(journal), writes_(writes) {}

  size_t SizeBytes() const override { return bytes_; }
  void Apply(Engine&, absl::Time now, Effects& effects) override {
    journal_.Write("apply " + name_);
    time_ = now;
    if (!writes_) return;
    v1::RequestRecord row;
    row.set_reply(name_);
    effects.writes.Put(Table::kRequest, keys::Request("t", "test", name_), row);
  }
  void Release() override {
    journal_.Write("release " + name_);
    done_.Open();
  }
  void Fail(const absl::Status& status) override {
    journal_.Write(absl::StrCat("fail ", name_, " ", ErrorReason(status)));
    done_.Open();
  }

  void set_bytes(size_t bytes) { bytes_ = bytes; }
  absl::Time time() const { return time_; }
  // Opens when the work was released or failed.
  Gate& done() { return done_; }

 private:
  const std::string name_;
  Journal& journal_;
  const bool writes_;
  size_t bytes_ = 1;
  absl::Time time_;
  Gate done_;
};

class TestListener final : public CommitListener {
 public:
  explicit TestListener(Journal& journal) : journal_(journal) {}

  absl::Status OnOpened(const Core&) override {
    journal_.Write("opened");
    return opened_status;
  }
  void OnCommitted(const Effects&, const Engine&) override { journal_.Write("listener"); }
  void OnLost(const absl::Status&) override { journal_.Write("lost"); }

  absl::Status opened_status;

 private:
  Journal& journal_;
};

struct TestSequencer {
  static constexpr size_t kBytesMax = 100;

  // Opens the store and forgets that in the journal.
  void Open() {
    INTERLOCK_CHECK(sequencer.Open().ok());
    journal.Take();
  }

  // A commit as the journal tells it.
  class JournalStore final : public Store {
   public:
    explicit JournalStore(TestSequencer& world) : world_(world), store_(world.base, world.faults) {}
    absl::Status Commit(const WriteSet& writes) override {
      absl::Status status = store_.Commit(writes);
      world_.journal.Write("commit");
      return status;
    }
    absl::StatusOr<std::string> Get(Table table, absl::string_view key) const override {
      return store_.Get(table, key);
    }
    absl::Status Scan(const ScanRange& range, const RowVisitor& visit) const override {
      return store_.Scan(range, visit);
    }

   private:
    TestSequencer& world_;
    FaultStore store_;
  };

  absl::StatusOr<std::unique_ptr<Core>> MakeCore() {
    ++opens;
    if (!open_status.ok()) return open_status;
    auto core = std::make_unique<Core>();
    core->store = std::make_shared<JournalStore>(*this);
    auto engine = Engine::Load(*core->store, {}, clock.TimeNow(), core->effects);
    if (!engine.ok()) return engine.status();
    core->engine = *std::move(engine);
    if (load_writes) core->effects.writes.Put(Table::kRequest, keys::Request("t", "m", "r"), v1::RequestRecord());
    return core;
  }

  storage::MemoryStore base{"e1"};
  CommitFaults faults;
  Journal journal;
  FakeClock clock{absl::FromUnixSeconds(1700000000)};
  TestListener listener{journal};
  // How opening goes.
  absl::Status open_status;
  bool load_writes = false;
  int opens = 0;
  bool room_for_grants = true;
  Sequencer sequencer{clock,
                      [this] { return MakeCore(); },
                      listener,
                      {.works_max = 4, .bytes_max = kBytesMax, .batch_works_max = 3, .has_room_for_grants = [this] {
                         return room_for_grants;
                       }}};
};

}  // namespace interlock::server
