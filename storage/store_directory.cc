#include "storage/store_directory.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "rocksdb/file_system.h"
#include "storage/log_check.h"
#include "storage/manifest.h"
#include "storage/manifest_guard.h"
#include "storage/rocksdb_status.h"

namespace interlock::storage {
namespace {

// The files of a store that matter here.
struct Files {
  bool current = false;
  // The note of ManifestGuard.
  bool note = false;
  bool table = false;
  // Oldest first.
  std::vector<std::string> write_ahead_logs;
};

// A log that was checked; `torn`: a crash cut its last write short.
struct CheckedLog {
  std::string name;
  uint64_t whole_bytes;
  bool torn;
};

// The number in "000012.log"; 0 if `name` is none.
uint64_t LogNumber(absl::string_view name) {
  uint64_t number = 0;
  if (!absl::ConsumeSuffix(&name, ".log") || !absl::SimpleAtoi(name, &number)) return 0;
  return number;
}

class Checker {
 public:
  Checker(rocksdb::FileSystem& file_system, const std::string& dir) : file_system_(file_system), dir_(dir) {}

  absl::StatusOr<bool> Run() {
    INTERLOCK_ASSIGN_OR_RETURN(const Files files, List());
    if (!files.current) {
      // RocksDB writes CURRENT before it writes anything else that matters.
      const bool begun = !files.table && files.write_ahead_logs.empty();
      if (!begun) return DamagedError(absl::StrCat(dir_, ": CURRENT is missing"));
      return false;
    }
    if (files.write_ahead_logs.empty()) {
      if (files.table) return DamagedError(absl::StrCat(dir_, ": the write-ahead log (*.log) is missing"));
      return false;
    }
    INTERLOCK_ASSIGN_OR_RETURN(const uint64_t newest_log, CheckManifest(files.note));
    if (LogNumber(files.write_ahead_logs.back()) < newest_log) {
      return DamagedError(
          absl::StrCat(dir_, ": the newest write-ahead log (", newest_log, ".log or later) is missing"));
    }
    INTERLOCK_RETURN_IF_ERROR(CheckWriteAheadLogs(files.write_ahead_logs));
    for (const CheckedLog& log : checked_) INTERLOCK_RETURN_IF_ERROR(Settle(log));
    return true;
  }

 private:
  std::string Path(absl::string_view name) const { return absl::StrCat(dir_, "/", name); }

  absl::StatusOr<Files> List() const;
  absl::StatusOr<std::string> Read(const std::string& name) const;
  // Checks one log and remembers it. Answers the length of its whole records.
  absl::StatusOr<uint64_t> CheckOneLog(LogKind kind, const std::string& name, const RecordVisitor& visit = nullptr);
  // Answers the number that the newest write-ahead log has at least.
  absl::StatusOr<uint64_t> CheckManifest(bool has_note);
  absl::Status CheckManifestLength(absl::string_view name, uint64_t whole_bytes) const;
  absl::Status CheckWriteAheadLogs(const std::vector<std::string>& names);
  absl::Status Settle(const CheckedLog& log) const;

  rocksdb::FileSystem& file_system_;
  const std::string& dir_;
  std::vector<CheckedLog> checked_;
};

absl::StatusOr<Files> Checker::List() const {
  std::vector<std::string> names;
  INTERLOCK_RETURN_IF_ERROR(
      FromRocksdb(file_system_.GetChildren(dir_, rocksdb::IOOptions(), &names, nullptr), absl::StrCat("list ", dir_)));
  Files files;
  for (const std::string& name : names) {
    if (name == "CURRENT") files.current = true;
    if (name == kManifestNote) files.note = true;
    if (absl::EndsWith(name, ".sst")) files.table = true;
    if (LogNumber(name) > 0) files.write_ahead_logs.push_back(name);
  }
  std::sort(files.write_ahead_logs.begin(), files.write_ahead_logs.end(),
            [](const std::string& a, const std::string& b) { return LogNumber(a) < LogNumber(b); });
  return files;
}

absl::StatusOr<std::string> Checker::Read(const std::string& name) const {
  std::string bytes;
  INTERLOCK_RETURN_IF_ERROR(
      FromRocksdb(rocksdb::ReadFileToString(&file_system_, Path(name), &bytes), absl::StrCat("read ", Path(name))));
  return bytes;
}

absl::StatusOr<uint64_t> Checker::CheckOneLog(LogKind kind, const std::string& name, const RecordVisitor& visit) {
  INTERLOCK_ASSIGN_OR_RETURN(const std::string bytes, Read(name));
  const LogCheck check = CheckLog(kind, bytes, visit);
  if (check.end == LogEnd::kDamaged) {
    return DamagedError(absl::StrCat(Path(name), ": checksum mismatch after byte ", check.whole_bytes));
  }
  checked_.push_back({name, check.whole_bytes, check.end == LogEnd::kTorn});
  return check.whole_bytes;
}

absl::StatusOr<uint64_t> Checker::CheckManifest(bool has_note) {
  INTERLOCK_ASSIGN_OR_RETURN(const std::string current, Read("CURRENT"));
  absl::string_view name = current;
  if (!absl::ConsumeSuffix(&name, "\n") || !absl::StartsWith(name, "MANIFEST-")) {
    return DamagedError(absl::StrCat(Path("CURRENT"), ": does not name a manifest"));
  }
  uint64_t newest_log = 0;
  INTERLOCK_ASSIGN_OR_RETURN(const uint64_t whole_bytes,
                             CheckOneLog(LogKind::kManifest, std::string(name), [&](absl::string_view record) {
                               newest_log = std::max(newest_log, NewestLogNumber(record));
                             }));
  // CURRENT is set to a manifest that has been synced.
  if (whole_bytes == 0) return DamagedError(absl::StrCat(Path(name), ": the manifest is empty"));
  if (has_note) INTERLOCK_RETURN_IF_ERROR(CheckManifestLength(name, whole_bytes));
  return newest_log;
}

// A crash may cut the manifest short, but not behind a length at which a log was removed.
absl::Status Checker::CheckManifestLength(absl::string_view name, uint64_t whole_bytes) const {
  INTERLOCK_ASSIGN_OR_RETURN(const std::string text, Read(kManifestNote));
  ManifestNote note;
  if (!ParseManifestNote(text, note)) return DamagedError(absl::StrCat(Path(kManifestNote), ": cannot be read"));
  // A note of an earlier manifest says nothing: no log was removed since there is this one.
  if (note.manifest != name || note.bytes <= whole_bytes) return absl::OkStatus();
  return DamagedError(
      absl::StrCat(Path(name), ": has ", whole_bytes, " whole bytes, and had ", note.bytes, " when a log was removed"));
}

absl::Status Checker::CheckWriteAheadLogs(const std::vector<std::string>& names) {
  std::string torn_name;
  for (const std::string& name : names) {
    INTERLOCK_ASSIGN_OR_RETURN(const uint64_t whole_bytes, CheckOneLog(LogKind::kWriteAhead, name));
    // A log is begun only after all of the one before was synced.
    if (whole_bytes > 0 && !torn_name.empty()) {
      return DamagedError(absl::StrCat(Path(torn_name), ": ends within a commit, and ", name, " goes on"));
    }
    if (checked_.back().torn) torn_name = name;
  }
  return absl::OkStatus();
}

// Cuts off what is torn, and syncs the rest also if it is whole: after an error it may never have been synced, and it
// must not look torn once there are commits after it.
absl::Status Checker::Settle(const CheckedLog& log) const {
  const std::string context = absl::StrCat("settle the end of ", Path(log.name));
  const rocksdb::IOOptions options;
  std::unique_ptr<rocksdb::FSWritableFile> file;
  INTERLOCK_RETURN_IF_ERROR(
      FromRocksdb(file_system_.ReopenWritableFile(Path(log.name), rocksdb::FileOptions(), &file, nullptr), context));
  if (log.torn) INTERLOCK_RETURN_IF_ERROR(FromRocksdb(file->Truncate(log.whole_bytes, options, nullptr), context));
  INTERLOCK_RETURN_IF_ERROR(FromRocksdb(file->Fsync(options, nullptr), context));
  return FromRocksdb(file->Close(options, nullptr), context);
}

// The directory that keeps the name of `dir`.
std::string ParentOf(absl::string_view dir) {
  while (dir.size() > 1 && absl::ConsumeSuffix(&dir, "/")) continue;
  const size_t slash = dir.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return std::string(dir.substr(0, std::max<size_t>(slash, 1)));
}

}  // namespace

absl::Status MakeStoreDirectory(rocksdb::FileSystem& file_system, const std::string& dir) {
  const rocksdb::IOOptions options;
  const rocksdb::IOStatus made = file_system.CreateDirIfMissing(dir, options, nullptr);
  if (!made.ok()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "DIRECTORY_UNUSABLE",
                     absl::StrCat("cannot make the directory ", dir, ": ", made.ToString(),
                                  ": make its parent, or choose a directory that may be written to"));
  }
  const std::string parent = ParentOf(dir);
  const std::string context = absl::StrCat("sync ", parent);
  std::unique_ptr<rocksdb::FSDirectory> directory;
  INTERLOCK_RETURN_IF_ERROR(FromRocksdb(file_system.NewDirectory(parent, options, &directory, nullptr), context));
  return FromRocksdb(directory->Fsync(options, nullptr), context);
}

absl::StatusOr<bool> CheckStoreDirectory(rocksdb::FileSystem& file_system, const std::string& dir) {
  const rocksdb::IOOptions options;
  bool is_directory = false;
  if (!file_system.IsDirectory(dir, options, &is_directory, nullptr).ok() || !is_directory) return false;
  rocksdb::FileLock* lock = nullptr;
  const std::string context = absl::StrCat("lock ", dir);
  INTERLOCK_RETURN_IF_ERROR(FromRocksdb(file_system.LockFile(dir + "/LOCK", options, &lock, nullptr), context));
  absl::StatusOr<bool> holds_store = Checker(file_system, dir).Run();
  INTERLOCK_RETURN_IF_ERROR(FromRocksdb(file_system.UnlockFile(lock, options, nullptr), context));
  return holds_store;
}

}  // namespace interlock::storage
