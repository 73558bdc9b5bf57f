#include "storage/manifest_guard.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace interlock::storage {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

constexpr char kManifestPrefix[] = "MANIFEST-";

// The file system outlives its files: RocksDB closes them before it lets go of it.
class GuardedManifest : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  GuardedManifest(ManifestGuard* guard, std::string name, std::unique_ptr<rocksdb::FSWritableFile> target)
      : FSWritableFileOwnerWrapper(std::move(target)), guard_(*guard), name_(std::move(name)) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
    bytes_ += data.size();
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& info,
                  IODebugContext* debug) override {
    bytes_ += data.size();
    return FSWritableFileOwnerWrapper::Append(data, options, info, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return Note(FSWritableFileOwnerWrapper::Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Note(FSWritableFileOwnerWrapper::Fsync(options, debug));
  }

 private:
  IOStatus Note(IOStatus status) {
    if (status.ok()) guard_.NoteSynced(name_, bytes_);
    return status;
  }

  ManifestGuard& guard_;
  const std::string name_;
  uint64_t bytes_ = 0;
};

absl::string_view NameOf(absl::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::string FormatManifestNote(const ManifestNote& note) { return absl::StrCat(note.manifest, " ", note.bytes, "\n"); }

bool ParseManifestNote(absl::string_view text, ManifestNote& note) {
  const size_t space = text.find(' ');
  if (space == absl::string_view::npos || !absl::ConsumeSuffix(&text, "\n")) return false;
  note.manifest = std::string(text.substr(0, space));
  return absl::StartsWith(note.manifest, kManifestPrefix) && absl::SimpleAtoi(text.substr(space + 1), &note.bytes);
}

IOStatus ManifestGuard::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) {
  IOStatus status = FileSystemWrapper::NewWritableFile(path, options, result, debug);
  const std::string name(NameOf(path));
  if (status.ok() && absl::StartsWith(name, kManifestPrefix)) {
    *result = std::make_unique<GuardedManifest>(this, name, std::move(*result));
  }
  return status;
}

void ManifestGuard::NoteSynced(const std::string& manifest, uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  synced_ = {manifest, bytes};
}

IOStatus ManifestGuard::DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  if (absl::EndsWith(path, ".log")) {
    const std::lock_guard<std::mutex> note_lock(note_mutex_);
    ManifestNote synced;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      synced = synced_;
    }
    if (synced.bytes > 0 && (synced.manifest != written_.manifest || synced.bytes != written_.bytes)) {
      const IOStatus status = WriteNote(path.substr(0, path.rfind('/')), synced, options, debug);
      if (!status.ok()) return status;
      written_ = synced;
    }
  }
  return FileSystemWrapper::DeleteFile(path, options, debug);
}

IOStatus ManifestGuard::WriteNote(const std::string& dir, const ManifestNote& note, const IOOptions& options,
                                  IODebugContext* debug) {
  const std::string path = absl::StrCat(dir, "/", kManifestNote);
  IOStatus status = rocksdb::WriteStringToFile(target(), FormatManifestNote(note), path + ".tmp", /*should_sync=*/true);
  if (status.ok()) status = RenameFile(path + ".tmp", path, options, debug);
  std::unique_ptr<rocksdb::FSDirectory> directory;
  if (status.ok()) status = NewDirectory(dir, options, &directory, debug);
  if (status.ok()) status = directory->Fsync(options, debug);
  return status;
}

}  // namespace interlock::storage
