// Cuts the power at every file operation of a script, opens what each cut left, and holds it against the ledger. The
// script runs once: before each operation the disk is asked what it would hold if the power were cut now, and each
// answer is checked as a disk of its own. So an operation is cut in two ways at once: the operation before is there or
// not, wholly or in part, as the draw has it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/crash/power/ledger.h"
#include "tests/crash/power/life.h"
#include "tests/crash/power/script.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/memory_file_system.h"

namespace interlock::crash {

struct CutOptions {
  uint64_t seed = 1;
  // How often the server is started and ended, and how many batches it commits in between.
  int lives = 5;
  int steps = 24;
  // In the last life more is written than fits into memory, so that tables are written while it serves.
  bool large = true;
  // How many draws of a random loss there are for each operation, beside the extremes.
  int draws = 1;
  // One in so many operations of each recovery is cut too; 0: none.
  int recovery_stride = 40;
  // On one in so many disks an engine is loaded and has to go on deciding.
  int going_on_stride = 4;
  // Only this operation is looked at; 0: all.
  int64_t only = 0;
  // The campaign ends after so many violations.
  size_t violations_max = 5;
  // How the script's store is opened, and with what on top of its disk; null: nothing. Stand-ins for faulty stores.
  StoreOpener opener = OpenRocksdb;
  std::function<std::shared_ptr<rocksdb::FileSystem>(std::shared_ptr<rocksdb::FileSystem> disk)> wrap_disk;
};

struct CutReport {
  int64_t operations = 0;
  std::map<std::string, int64_t> operations_by_kind;
  int64_t cuts = 0;
  int64_t recovery_operations = 0;
  int64_t recovery_cuts = 0;
  // Engines that were loaded from a disk and went on.
  int64_t went_on = 0;
  // Commits that the script was acknowledged, and how many the disks were checked for in all.
  int64_t commits = 0;
  int64_t commits_checked = 0;
  // Disks of a moment at which a commit was under way.
  int64_t whole = 0;
  int64_t not_at_all = 0;
  // Disks with garbage that were refused.
  int64_t refused = 0;
  std::map<std::string, int64_t> answers;
  std::vector<std::string> violations;
  // The operation whose cut showed the first violation; 0: none did.
  int64_t caught_at = 0;
};

std::string ToString(const CutReport& report);

class CutCampaign {
 public:
  explicit CutCampaign(CutOptions options);
  CutReport Run();

 private:
  // A disk that was cut off, and what is known of it.
  struct Disk {
    int64_t operation;
    std::string what;
    support::PowerCut cut;
    std::shared_ptr<support::MemoryFileSystem> files;
    Ledger::Bounds bounds;
  };

  void RunLife(int life);
  // Called before each change of the script's disk, from any thread.
  void CutAt(const support::FaultFileSystem::Call& call);
  std::vector<support::PowerCut> CutsOf(int64_t operation) const;
  // Checks the disks that have been cut off so far.
  void CheckDisks();
  void CheckDisk(const Disk& disk);
  // Opens a disk and checks it. Unless `cut_again` is null, others are cut off from it while it is recovered.
  absl::Status CheckRecovery(const Disk& disk, std::vector<Disk>* cut_again);
  void Violation(const Disk& disk, const absl::Status& status);
  bool enough() const { return report_.violations.size() >= options_.violations_max; }

  const CutOptions options_;
  CutReport report_;
  Ledger ledger_;
  Script script_;
  std::shared_ptr<support::MemoryFileSystem> files_ = std::make_shared<support::MemoryFileSystem>();
  std::shared_ptr<support::FaultFileSystem> counted_;

  std::mutex mutex_;
  std::deque<Disk> disks_;
};

}  // namespace interlock::crash
