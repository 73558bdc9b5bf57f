// A file system that writes down how much of the manifest is durable before it removes a write-ahead log.
//
// A log is removed once the manifest lists the tables that replace it. If the end of the manifest is lost afterwards,
// it looks as after a crash that cut its last write short, and the commits of the removed log are missing without a
// word. With the length known, the two are told apart: after a crash the log is still there.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "rocksdb/file_system.h"

namespace interlock::storage {

// The file in a store's directory that holds the note.
inline constexpr char kManifestNote[] = "SYNCED";

// Of which manifest so many bytes were durable before a log was removed.
struct ManifestNote {
  // Without the directory.
  std::string manifest;
  uint64_t bytes = 0;
};

std::string FormatManifestNote(const ManifestNote& note);
// False if `text` is no note.
bool ParseManifestNote(absl::string_view text, ManifestNote& note);

// Thread-safe, as the file system below it is.
class ManifestGuard : public rocksdb::FileSystemWrapper {
 public:
  explicit ManifestGuard(std::shared_ptr<rocksdb::FileSystem> base) : FileSystemWrapper(std::move(base)) {}

  const char* Name() const override { return "ManifestGuard"; }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  // Of a write-ahead log: writes the note first. Errors: those of writing it and of deleting.
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

  // For the manifests: so much of one is durable.
  void NoteSynced(const std::string& manifest, uint64_t bytes);

 private:
  rocksdb::IOStatus WriteNote(const std::string& dir, const ManifestNote& note, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug);

  std::mutex mutex_;
  // Of the manifest that was synced last.
  ManifestNote synced_;
  // What the file says; one thread at a time writes it.
  std::mutex note_mutex_;
  ManifestNote written_;
};

}  // namespace interlock::storage
