#include "tests/support/memory_file_system.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_split.h"

namespace interlock::support {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// As the machine's own file system says it.
IOStatus Missing(const std::string& path) { return IOStatus::PathNotFound(path, "No such file or directory"); }

absl::string_view NameOf(absl::string_view path) { return path.substr(path.rfind('/') + 1); }

// The bytes from `offset` on, at most `n`, in `scratch`.
Slice ReadBytes(const DiskNode& node, uint64_t offset, size_t n, char* scratch) {
  if (offset >= node.bytes->size()) return Slice(scratch, 0);
  const size_t size = std::min(n, node.bytes->size() - static_cast<size_t>(offset));
  std::memcpy(scratch, node.bytes->data() + offset, size);
  return Slice(scratch, size);
}

class Lock : public rocksdb::FileLock {
 public:
  explicit Lock(std::string lock_path) : path(std::move(lock_path)) {}
  const std::string path;
};

}  // namespace

// The file system outlives its files: RocksDB closes them before it lets go of it.
class MemoryFileSystem::SequentialFile : public rocksdb::FSSequentialFile {
 public:
  SequentialFile(const MemoryFileSystem* file_system, std::shared_ptr<DiskNode> node)
      : file_system_(*file_system), node_(std::move(node)) {}

  IOStatus Read(size_t n, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    const std::lock_guard<std::mutex> lock(file_system_.mutex_);
    *result = ReadBytes(*node_, offset_, n, scratch);
    offset_ += result->size();
    return IOStatus::OK();
  }
  IOStatus Skip(uint64_t n) override {
    offset_ += n;
    return IOStatus::OK();
  }

 private:
  const MemoryFileSystem& file_system_;
  const std::shared_ptr<DiskNode> node_;
  uint64_t offset_ = 0;
};

class MemoryFileSystem::RandomAccessFile : public rocksdb::FSRandomAccessFile {
 public:
  RandomAccessFile(const MemoryFileSystem* file_system, std::shared_ptr<DiskNode> node)
      : file_system_(*file_system), node_(std::move(node)) {}

  IOStatus Read(uint64_t offset, size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    const std::lock_guard<std::mutex> lock(file_system_.mutex_);
    *result = ReadBytes(*node_, offset, n, scratch);
    return IOStatus::OK();
  }

 private:
  const MemoryFileSystem& file_system_;
  const std::shared_ptr<DiskNode> node_;
};

class MemoryFileSystem::WritableFile : public rocksdb::FSWritableFile {
 public:
  WritableFile(const MemoryFileSystem* file_system, std::shared_ptr<DiskNode> node)
      : file_system_(*file_system), node_(std::move(node)) {}

  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    const std::lock_guard<std::mutex> lock(file_system_.mutex_);
    node_->MutableBytes().append(data.data(), data.size());
    return IOStatus::OK();
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    const std::lock_guard<std::mutex> lock(file_system_.mutex_);
    node_->Truncate(static_cast<size_t>(size));
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  // To the machine's memory only.
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard<std::mutex> lock(file_system_.mutex_);
    node_->SyncFile();
    return IOStatus::OK();
  }
  bool IsSyncThreadSafe() const override { return true; }
  // Begins to write and waits for nothing, so that nothing is promised.
  IOStatus RangeSync(uint64_t, uint64_t, const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    const std::lock_guard<std::mutex> lock(file_system_.mutex_);
    return node_->bytes->size();
  }

 private:
  const MemoryFileSystem& file_system_;
  const std::shared_ptr<DiskNode> node_;
};

class MemoryFileSystem::Directory : public rocksdb::FSDirectory {
 public:
  Directory(const MemoryFileSystem* file_system, std::shared_ptr<DiskNode> node)
      : file_system_(*file_system), node_(std::move(node)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard<std::mutex> lock(file_system_.mutex_);
    node_->SyncDirectory();
    return IOStatus::OK();
  }

 private:
  const MemoryFileSystem& file_system_;
  const std::shared_ptr<DiskNode> node_;
};

MemoryFileSystem::MemoryFileSystem() : root_(std::make_shared<DiskNode>()) { root_->is_directory = true; }

MemoryFileSystem::~MemoryFileSystem() = default;

std::shared_ptr<MemoryFileSystem> MemoryFileSystem::AfterPowerCut(const PowerCut& cut) const {
  auto result = std::make_shared<MemoryFileSystem>();
  const std::lock_guard<std::mutex> lock(mutex_);
  result->root_ = CutPower(*root_, cut);
  return result;
}

std::vector<std::string> MemoryFileSystem::List(const std::string& dir) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::shared_ptr<DiskNode> node = Find(dir);
  std::vector<std::string> names;
  if (node == nullptr) return names;
  for (const auto& [name, child] : node->entries) {
    if (!child->is_directory) names.push_back(name);
  }
  return names;
}

std::shared_ptr<DiskNode> MemoryFileSystem::Find(absl::string_view path) const {
  std::shared_ptr<DiskNode> node = root_;
  for (const absl::string_view name : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    const auto found = node->entries.find(std::string(name));
    if (found == node->entries.end()) return nullptr;
    node = found->second;
  }
  return node;
}

std::shared_ptr<DiskNode> MemoryFileSystem::FindParent(absl::string_view path) const {
  const size_t slash = path.rfind('/');
  return Find(path.substr(0, slash == absl::string_view::npos ? 0 : slash));
}

IOStatus MemoryFileSystem::FindFile(const std::string& path, std::shared_ptr<DiskNode>* file) const {
  *file = Find(path);
  if (*file == nullptr) return Missing(path);
  return (*file)->is_directory ? IOStatus::IOError(path, "Is a directory") : IOStatus::OK();
}

IOStatus MemoryFileSystem::NewSequentialFile(const std::string& path, const FileOptions&,
                                             std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<DiskNode> file;
  const IOStatus status = FindFile(path, &file);
  if (status.ok()) *result = std::make_unique<SequentialFile>(this, std::move(file));
  return status;
}

IOStatus MemoryFileSystem::NewRandomAccessFile(const std::string& path, const FileOptions&,
                                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result, IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<DiskNode> file;
  const IOStatus status = FindFile(path, &file);
  if (status.ok()) *result = std::make_unique<RandomAccessFile>(this, std::move(file));
  return status;
}

IOStatus MemoryFileSystem::NewWritableFile(const std::string& path, const FileOptions&,
                                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<DiskNode> file = Find(path);
  if (file != nullptr) {
    file->Truncate(0);
  } else {
    const std::shared_ptr<DiskNode> parent = FindParent(path);
    if (parent == nullptr) return Missing(path);
    file = std::make_shared<DiskNode>();
    parent->Change({{std::string(NameOf(path)), file}});
  }
  *result = std::make_unique<WritableFile>(this, std::move(file));
  return IOStatus::OK();
}

IOStatus MemoryFileSystem::ReopenWritableFile(const std::string& path, const FileOptions& options,
                                              std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::shared_ptr<DiskNode> file = Find(path); file != nullptr) {
      *result = std::make_unique<WritableFile>(this, std::move(file));
      return IOStatus::OK();
    }
  }
  return NewWritableFile(path, options, result, debug);
}

IOStatus MemoryFileSystem::NewDirectory(const std::string& path, const IOOptions&,
                                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<DiskNode> node = Find(path);
  if (node == nullptr || !node->is_directory) return Missing(path);
  *result = std::make_unique<Directory>(this, std::move(node));
  return IOStatus::OK();
}

IOStatus MemoryFileSystem::FileExists(const std::string& path, const IOOptions&, IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return Find(path) != nullptr ? IOStatus::OK() : IOStatus::NotFound(path);
}

IOStatus MemoryFileSystem::GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* names,
                                       IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::shared_ptr<DiskNode> node = Find(path);
  if (node == nullptr || !node->is_directory) return IOStatus::NotFound(path);
  names->clear();
  for (const auto& [name, child] : node->entries) names->push_back(name);
  return IOStatus::OK();
}

IOStatus MemoryFileSystem::DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<DiskNode> file;
  const IOStatus status = FindFile(path, &file);
  if (status.ok()) FindParent(path)->Change({{std::string(NameOf(path)), nullptr}});
  return status;
}

IOStatus MemoryFileSystem::CreateDir(const std::string& path, const IOOptions&, IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (Find(path) != nullptr) return IOStatus::IOError(path, "File exists");
  const std::shared_ptr<DiskNode> parent = FindParent(path);
  if (parent == nullptr) return Missing(path);
  auto directory = std::make_shared<DiskNode>();
  directory->is_directory = true;
  parent->Change({{std::string(NameOf(path)), std::move(directory)}});
  return IOStatus::OK();
}

IOStatus MemoryFileSystem::CreateDirIfMissing(const std::string& path, const IOOptions& options,
                                              IODebugContext* debug) {
  bool is_directory = false;
  if (IsDirectory(path, options, &is_directory, debug).ok() && is_directory) return IOStatus::OK();
  return CreateDir(path, options, debug);
}

IOStatus MemoryFileSystem::DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::shared_ptr<DiskNode> node = Find(path);
  if (node == nullptr || !node->is_directory) return Missing(path);
  if (!node->entries.empty()) return IOStatus::IOError(path, "Directory not empty");
  FindParent(path)->Change({{std::string(NameOf(path)), nullptr}});
  return IOStatus::OK();
}

IOStatus MemoryFileSystem::GetFileSize(const std::string& path, const IOOptions&, uint64_t* size, IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<DiskNode> file;
  const IOStatus status = FindFile(path, &file);
  if (status.ok()) *size = file->bytes->size();
  return status;
}

IOStatus MemoryFileSystem::GetFileModificationTime(const std::string& path, const IOOptions&, uint64_t* time,
                                                   IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // There is no clock here.
  *time = 1;
  return Find(path) != nullptr ? IOStatus::OK() : Missing(path);
}

IOStatus MemoryFileSystem::RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                                      IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<DiskNode> file;
  const IOStatus status = FindFile(from, &file);
  if (!status.ok()) return status;
  const std::shared_ptr<DiskNode> parent = FindParent(from);
  if (FindParent(to) != parent) return IOStatus::NotSupported("rename to another directory");
  parent->Change({{std::string(NameOf(from)), nullptr}, {std::string(NameOf(to)), file}});
  return IOStatus::OK();
}

IOStatus MemoryFileSystem::LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** lock,
                                    IODebugContext*) {
  const std::lock_guard<std::mutex> guard(mutex_);
  const std::shared_ptr<DiskNode> parent = FindParent(path);
  if (parent == nullptr) return Missing(path);
  if (!locked_.insert(path).second) return IOStatus::IOError(path, "lock hold by current process");
  const std::string name(NameOf(path));
  if (parent->entries.count(name) == 0) parent->Change({{name, std::make_shared<DiskNode>()}});
  *lock = new Lock(path);
  return IOStatus::OK();
}

IOStatus MemoryFileSystem::UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) {
  const std::lock_guard<std::mutex> guard(mutex_);
  const std::unique_ptr<Lock> owned(static_cast<Lock*>(lock));
  locked_.erase(owned->path);
  return IOStatus::OK();
}

IOStatus MemoryFileSystem::GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) {
  path->assign(1, '/');
  return IOStatus::OK();
}

IOStatus MemoryFileSystem::GetAbsolutePath(const std::string& path, const IOOptions&, std::string* absolute,
                                           IODebugContext*) {
  *absolute = path;
  return IOStatus::OK();
}

IOStatus MemoryFileSystem::IsDirectory(const std::string& path, const IOOptions&, bool* is_directory, IODebugContext*) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::shared_ptr<DiskNode> node = Find(path);
  if (node == nullptr) return Missing(path);
  *is_directory = node->is_directory;
  return IOStatus::OK();
}

}  // namespace interlock::support
