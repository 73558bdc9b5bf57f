#include "storage/ordered_renames.h"

namespace interlock::storage {

rocksdb::IOStatus OrderedRenames::RenameFile(const std::string& from, const std::string& to,
                                             const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSDirectory> directory;
  rocksdb::IOStatus status = NewDirectory(to.substr(0, to.rfind('/')), options, &directory, debug);
  if (status.ok()) status = directory->Fsync(options, debug);
  if (status.ok()) status = FileSystemWrapper::RenameFile(from, to, options, debug);
  return status;
}

}  // namespace interlock::storage
