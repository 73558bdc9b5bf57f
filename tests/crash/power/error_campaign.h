// Fails every file operation of a script with an I/O error or with a full disk, once or from there on, and holds what
// the store does against the ledger: it refuses every later commit, it is opened again and decides again once the disk
// works, and nothing that was acknowledged is missing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tests/crash/power/ledger.h"
#include "tests/crash/power/life.h"
#include "tests/crash/power/script.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/memory_file_system.h"

namespace interlock::crash {

struct ErrorOptions {
  uint64_t seed = 1;
  // How often the server is started and ended, and how many batches it commits in between.
  int lives = 3;
  int steps = 12;
  // All kinds of failure at each operation; otherwise one of them in turn.
  bool all_kinds = false;
  // Only this operation of this life is failed; 0: all.
  int64_t only = 0;
  size_t violations_max = 5;
  StoreOpener opener = OpenRocksdb;
};

struct ErrorReport {
  int64_t operations = 0;
  // Operations that were failed: once, from there on, from there on because the disk was full.
  int64_t once = 0;
  int64_t lasting = 0;
  int64_t disk_full = 0;
  // Failures at which the store could not be opened, and those at which a commit failed while it served.
  int64_t not_opened = 0;
  int64_t lost = 0;
  // Servers that decided again once the disk worked.
  int64_t recovered = 0;
  int64_t commits_checked = 0;
  std::vector<std::string> violations;
  // The operation whose failure showed the first violation; 0: none did.
  int64_t caught_at = 0;
};

std::string ToString(const ErrorReport& report);

class ErrorCampaign {
 public:
  explicit ErrorCampaign(ErrorOptions options) : options_(std::move(options)) {}
  ErrorReport Run();

 private:
  enum class Kind { kOnce, kLasting, kDiskFull };

  // What a life begins with.
  struct Start {
    std::shared_ptr<support::MemoryFileSystem> files;
    std::unique_ptr<Ledger> ledger;
    Script script;
    Start Clone() const;
  };

  // Lives one life without a failure. Answers how many operations it had; `start` becomes that of the next.
  int64_t RunSound(Start& start);
  // The same with a failure of operation `number`; answers what is wrong.
  absl::Status RunFailing(Start start, int64_t number, Kind kind);
  // Goes on until something was committed after the failure.
  absl::Status ServeAgain(const Start& start, Life& server);
  // What the disk holds, as it is and after a power cut.
  absl::Status CheckDisk(const Start& start);
  bool enough() const { return report_.violations.size() >= options_.violations_max; }

  const ErrorOptions options_;
  ErrorReport report_;
};

}  // namespace interlock::crash
