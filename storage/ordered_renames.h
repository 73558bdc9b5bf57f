// A file system on which a name is put in place of another only after all names made before are durable.
//
// RocksDB writes a new manifest and then renames a file to CURRENT that names it, and syncs the directory once, after
// that. No standard says that the first name becomes durable before the second, and where it does not (some file
// systems keep every change of a directory on its own), a power cut between the two leaves a CURRENT that names
// nothing.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "rocksdb/file_system.h"

namespace interlock::storage {

// Thread-safe, as the file system below it is.
class OrderedRenames : public rocksdb::FileSystemWrapper {
 public:
  explicit OrderedRenames(std::shared_ptr<rocksdb::FileSystem> base) : FileSystemWrapper(std::move(base)) {}

  const char* Name() const override { return "OrderedRenames"; }
  // Syncs the directory of `to` first. Errors: those of syncing and of renaming.
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
};

}  // namespace interlock::storage
