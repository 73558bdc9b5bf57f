#include "tests/crash/power/cut_campaign.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "tests/crash/power/going_on.h"

namespace interlock::crash {
namespace {

using support::FaultFileSystem;
using support::MemoryFileSystem;
using support::PowerCut;

// A large step is taken so often in the last life; each writes some 12 MiB.
constexpr int kLargeSteps = 4;

std::string KindOf(const FaultFileSystem::Call& call) {
  constexpr const char* kNames[] = {"create", "append", "truncate", "sync", "rename", "delete", "mkdir"};
  absl::string_view kind = call.file;
  const size_t dot = kind.rfind('.');
  if (dot != absl::string_view::npos) {
    kind = kind.substr(dot + 1);
  } else {
    kind = kind.substr(0, kind.find('-'));
  }
  return absl::StrCat(kNames[static_cast<size_t>(call.operation)], " ", kind);
}

}  // namespace

std::string ToString(const CutReport& report) {
  std::string text = absl::StrCat(
      report.operations, " file operations, ", report.cuts, " cuts, ", report.recovery_operations,
      " operations of recoveries, ", report.recovery_cuts, " cuts of recoveries, ", report.went_on,
      " engines that went on; ", report.commits, " commits acknowledged, found ", report.commits_checked,
      " times in all; of commits under way ", report.whole, " were there whole and ", report.not_at_all,
      " not at all; ", report.refused, " disks with garbage refused; ", report.violations.size(), " violations");
  for (const auto& [kind, count] : report.operations_by_kind) absl::StrAppend(&text, "\n  ", kind, ": ", count);
  for (const auto& [kind, count] : report.answers) absl::StrAppend(&text, "\n  ", kind, ": ", count);
  return text;
}

CutCampaign::CutCampaign(CutOptions options) : options_(std::move(options)), script_(options_.seed) {}

CutReport CutCampaign::Run() {
  for (int life = 0; life < options_.lives && !enough(); ++life) {
    // Every other life begins on a disk from which the power was cut.
    if (life % 2 == 1) files_ = files_->AfterPowerCut({PowerCut::Bytes::kAny, PowerCut::Names::kAny, options_.seed});
    RunLife(life);
  }
  report_.commits = ledger_.bounds().acknowledged;
  report_.answers = script_.answers();
  return report_;
}

void CutCampaign::RunLife(int life) {
  std::shared_ptr<rocksdb::FileSystem> disk = files_;
  if (options_.wrap_disk != nullptr) disk = options_.wrap_disk(disk);
  counted_ = std::make_shared<FaultFileSystem>(disk);
  counted_->SetFault([this](const FaultFileSystem::Call& call) {
    CutAt(call);
    return false;
  });
  auto server = std::make_unique<Life>(counted_, options_.opener, script_, ledger_);
  if (const absl::Status opened = server->Open(); !opened.ok()) {
    report_.violations.push_back(absl::StrCat("life ", life, " does not begin: ", opened.ToString()));
    if (report_.caught_at == 0) report_.caught_at = report_.operations;
  }
  CheckDisks();
  for (int step = 0; step < options_.steps && !enough(); ++step) {
    server->Step();
    CheckDisks();
  }
  const bool is_large = options_.large && life == options_.lives - 1;
  for (int step = 0; is_large && step < kLargeSteps && !enough(); ++step) {
    server->LargeStep();
    CheckDisks();
  }
  server.reset();
  CheckDisks();
}

std::vector<PowerCut> CutCampaign::CutsOf(int64_t operation) const {
  std::vector<PowerCut> cuts;
  const auto seed = [&](int i) { return options_.seed * 1'000'003 + static_cast<uint64_t>(operation) * 31 + i; };
  constexpr PowerCut::Bytes kBytes[] = {PowerCut::Bytes::kLost, PowerCut::Bytes::kKept, PowerCut::Bytes::kLost,
                                        PowerCut::Bytes::kKept, PowerCut::Bytes::kGarbage};
  constexpr PowerCut::Names kNames[] = {PowerCut::Names::kLost, PowerCut::Names::kKept, PowerCut::Names::kKept,
                                        PowerCut::Names::kLost, PowerCut::Names::kPrefix};
  // One of the extremes in turn, or all of them in the long form.
  const size_t count = std::size(kBytes);
  for (size_t i = 0; i < count; ++i) {
    const bool in_turn = static_cast<size_t>(operation) % count == i;
    if (options_.draws > 1 || in_turn) cuts.push_back({kBytes[i], kNames[i], seed(static_cast<int>(i))});
  }
  for (int draw = 0; draw < options_.draws; ++draw) {
    cuts.push_back({PowerCut::Bytes::kAny, PowerCut::Names::kAny, seed(100 + draw)});
  }
  return cuts;
}

void CutCampaign::CutAt(const FaultFileSystem::Call& call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const int64_t operation = ++report_.operations;
  ++report_.operations_by_kind[KindOf(call)];
  if (options_.only != 0 && operation != options_.only) return;
  for (const PowerCut& cut : CutsOf(operation)) {
    Disk disk = {operation, absl::StrCat(KindOf(call), " (", call.file, ")"), cut, nullptr, ledger_.bounds()};
    disk.files = files_->AfterPowerCut(cut);
    // What was begun while the disk was looked at may be on it.
    disk.bounds.begun = ledger_.bounds().begun;
    disks_.push_back(std::move(disk));
  }
}

void CutCampaign::CheckDisks() {
  for (;;) {
    Disk disk;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (disks_.empty() || enough()) break;
      disk = std::move(disks_.front());
      disks_.pop_front();
    }
    CheckDisk(disk);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (disks_.empty()) ledger_.Forget(ledger_.bounds().acknowledged);
}

void CutCampaign::CheckDisk(const Disk& disk) {
  ++report_.cuts;
  std::vector<Disk> cut_again;
  if (const absl::Status status = CheckRecovery(disk, &cut_again); !status.ok()) return Violation(disk, status);
  for (const Disk& again : cut_again) {
    ++report_.recovery_cuts;
    if (const absl::Status status = CheckRecovery(again, nullptr); !status.ok()) Violation(again, status);
  }
}

absl::Status CutCampaign::CheckRecovery(const Disk& disk, std::vector<Disk>* cut_again) {
  const bool has_garbage = disk.cut.bytes == PowerCut::Bytes::kGarbage;
  auto counted = std::make_shared<FaultFileSystem>(disk.files);
  counted->SetFault([&](const FaultFileSystem::Call& call) {
    if (cut_again == nullptr || has_garbage || options_.recovery_stride == 0) return false;
    ++report_.recovery_operations;
    if ((call.number + disk.operation) % options_.recovery_stride != 0) return false;
    const PowerCut cut = {PowerCut::Bytes::kAny, PowerCut::Names::kAny,
                          disk.cut.seed + static_cast<uint64_t>(call.number)};
    cut_again->push_back({disk.operation, absl::StrCat(disk.what, ", then before ", KindOf(call), " of the recovery"),
                          cut, disk.files->AfterPowerCut(cut), disk.bounds});
    return false;
  });
  const auto store = options_.opener(counted, "after the cut");
  counted->SetFault(nullptr);
  if (absl::IsDataLoss(store.status()) && has_garbage) {
    ++report_.refused;
    return absl::OkStatus();
  }
  INTERLOCK_RETURN_IF_ERROR(store.status());
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t count, ledger_.Find(**store, disk.bounds));
  if (disk.bounds.begun > disk.bounds.acknowledged) {
    ++(count > disk.bounds.acknowledged ? report_.whole : report_.not_at_all);
  }
  report_.commits_checked += disk.bounds.acknowledged;
  if (cut_again == nullptr || report_.cuts % options_.going_on_stride != 0) return absl::OkStatus();
  ++report_.went_on;
  return GoOn(*ledger_.RowsAfter(count)->Clone(), **store, script_.now());
}

void CutCampaign::Violation(const Disk& disk, const absl::Status& status) {
  report_.violations.push_back(absl::StrCat("--seed=", options_.seed, " --cut=", disk.operation, " before ", disk.what,
                                            ", ", support::ToString(disk.cut), ": ", status.ToString()));
  if (report_.caught_at == 0) report_.caught_at = disk.operation;
}

}  // namespace interlock::crash
