#include "tests/crash/power/error_campaign.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace interlock::crash {
namespace {

using support::FaultFileSystem;
using support::PowerCut;

constexpr PowerCut kAllKept = {PowerCut::Bytes::kKept, PowerCut::Names::kKept, 0};
// A disk that fails from some operation on is mended after so many steps.
constexpr int kFailingSteps = 3;
// By then a server on a disk that works has opened its store and committed something.
constexpr int kRecoverySteps = 20;

}  // namespace

std::string ToString(const ErrorReport& report) {
  return absl::StrCat(report.operations, " file operations; failed once ", report.once, ", from there on ",
                      report.lasting, ", for a full disk ", report.disk_full, "; ", report.not_opened,
                      " stores not opened, ", report.lost, " servers that lost a commit, ", report.recovered,
                      " that decided again; acknowledged commits found ", report.commits_checked, " times in all; ",
                      report.violations.size(), " violations");
}

ErrorCampaign::Start ErrorCampaign::Start::Clone() const {
  return {files->AfterPowerCut(kAllKept), ledger->Clone(), script};
}

ErrorReport ErrorCampaign::Run() {
  constexpr Kind kKinds[] = {Kind::kOnce, Kind::kLasting, Kind::kDiskFull};
  constexpr const char* kNames[] = {"once", "from there on", "disk full"};
  Start start = {std::make_shared<support::MemoryFileSystem>(), std::make_unique<Ledger>(), Script(options_.seed)};
  for (int life = 0; life < options_.lives; ++life) {
    const Start begin = start.Clone();
    const int64_t count = RunSound(start);
    for (int64_t number = 1; number <= count && !enough(); ++number) {
      const int64_t operation = ++report_.operations;
      if (options_.only != 0 && operation != options_.only) continue;
      for (size_t kind = 0; kind < std::size(kKinds); ++kind) {
        if (!options_.all_kinds && static_cast<size_t>(operation) % std::size(kKinds) != kind) continue;
        const absl::Status status = RunFailing(begin.Clone(), number, kKinds[kind]);
        if (status.ok()) continue;
        report_.violations.push_back(absl::StrCat("--seed=", options_.seed, " --operation=", operation, " ",
                                                  kNames[kind], ": ", status.ToString()));
        if (report_.caught_at == 0) report_.caught_at = operation;
      }
    }
  }
  return report_;
}

int64_t ErrorCampaign::RunSound(Start& start) {
  const auto disk = std::make_shared<FaultFileSystem>(start.files);
  auto server = std::make_unique<Life>(disk, OpenRocksdb, start.script, *start.ledger);
  INTERLOCK_CHECK(server->Open().ok());
  for (int step = 0; step < options_.steps; ++step) server->Step();
  INTERLOCK_CHECK(server->losses() == 0 && server->violations().empty());
  server.reset();
  start.ledger->Forget(start.ledger->bounds().acknowledged);
  return disk->call_count();
}

absl::Status ErrorCampaign::RunFailing(Start start, int64_t number, Kind kind) {
  ++(kind == Kind::kOnce ? report_.once : kind == Kind::kLasting ? report_.lasting : report_.disk_full);
  const auto disk = std::make_shared<FaultFileSystem>(start.files);
  disk->SetFault(
      [number, kind](const FaultFileSystem::Call& call) {
        return kind == Kind::kOnce ? call.number == number : call.number >= number;
      },
      kind == Kind::kDiskFull ? FaultFileSystem::Error::kDiskFull : FaultFileSystem::Error::kInputOutput);
  auto server = std::make_unique<Life>(disk, options_.opener, start.script, *start.ledger);
  absl::Status opened = server->Open();
  if (absl::IsDataLoss(opened)) return opened;
  int failing_steps = 0;
  for (int step = 0; opened.ok() && step < options_.steps && failing_steps < kFailingSteps; ++step) {
    server->Step();
    if (disk->call_count() >= number) ++failing_steps;
  }
  disk->SetFault(nullptr);
  if (!opened.ok()) {
    // The server ends and is started again.
    ++report_.not_opened;
    INTERLOCK_CHECK(server->violations().empty());
    server.reset();
    server = std::make_unique<Life>(disk, options_.opener, start.script, *start.ledger);
    INTERLOCK_RETURN_IF_ERROR(server->Open());
  }
  INTERLOCK_RETURN_IF_ERROR(ServeAgain(start, *server));
  server.reset();
  return CheckDisk(start);
}

absl::Status ErrorCampaign::ServeAgain(const Start& start, Life& server) {
  const bool had_lost = server.losses() > 0;
  if (had_lost) ++report_.lost;
  const int64_t before = start.ledger->bounds().acknowledged;
  for (int step = 0; step < kRecoverySteps && start.ledger->bounds().acknowledged == before; ++step) server.Step();
  if (!server.violations().empty()) return absl::InternalError(server.violations().front());
  if (!server.serving() || start.ledger->bounds().acknowledged == before) {
    return absl::InternalError("the server does not decide again although the disk works");
  }
  if (server.losses() > 0 && !had_lost) ++report_.lost;
  if (server.losses() > 0) ++report_.recovered;
  return absl::OkStatus();
}

absl::Status ErrorCampaign::CheckDisk(const Start& start) {
  for (const PowerCut& cut : {kAllKept, PowerCut{PowerCut::Bytes::kAny, PowerCut::Names::kAny, options_.seed}}) {
    const auto store = OpenRocksdb(start.files->AfterPowerCut(cut), "after the failure");
    INTERLOCK_RETURN_IF_ERROR(store.status());
    INTERLOCK_RETURN_IF_ERROR(start.ledger->Find(**store, start.ledger->bounds()).status());
    report_.commits_checked += start.ledger->bounds().acknowledged;
  }
  return absl::OkStatus();
}

}  // namespace interlock::crash
