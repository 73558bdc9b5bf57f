// What a disk in memory consists of, and what is left of it when the power is cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace interlock::support {

// What a power cut does to that which was not synced. The choices are drawn from `seed`.
struct PowerCut {
  // To bytes; those that were synced are always kept. A disk writes sectors of 512 bytes whole or not at all.
  enum class Bytes {
    kLost,
    kKept,
    // A part from the front is kept.
    kPrefix,
    // The file has its length, but sectors read as zeros.
    kHoles,
    // The file has its length, but sectors hold what somebody else had written there. Only a disk that was set up so
    // does this (ext4 with data=writeback).
    kGarbage,
    // Any of the above but garbage, for each file on its own.
    kAny,
  };
  // To changes of directories: a name that was made, moved or removed. Each is done whole or not at all.
  enum class Names {
    kLost,
    kKept,
    // The older ones are done, as with a journal.
    kPrefix,
    // Each is done or not, whatever became of those before.
    kAny,
  };
  Bytes bytes = Bytes::kLost;
  Names names = Names::kLost;
  uint64_t seed = 0;
};

// For failure messages.
std::string ToString(const PowerCut& cut);

// A file or a directory. Thread-compatible.
struct DiskNode {
  // What a directory holds under a name from now on; null: nothing.
  using Entry = std::pair<std::string, std::shared_ptr<DiskNode>>;
  using Entries = std::map<std::string, std::shared_ptr<DiskNode>>;

  // The bytes, to be changed.
  std::string& MutableBytes();
  void Truncate(size_t size);
  void SyncFile();
  // Makes one change of a directory, of one or more names.
  void Change(std::vector<Entry> change);
  void SyncDirectory();

  bool is_directory = false;

  // Of a file: its bytes, shared with the disks that were cut off from this one until one of them writes.
  std::shared_ptr<std::string> bytes = std::make_shared<std::string>();
  // So many of them are durable.
  size_t synced_bytes = 0;
  // What is durable instead while a truncation is not; null: it is.
  std::shared_ptr<std::string> before_truncation;

  // Of a directory: what it shows, what is durable of it, and the changes that led from this to that, oldest first.
  Entries entries;
  Entries synced_entries;
  std::vector<std::vector<Entry>> changes;
};

// A copy of all below `node` as it is after the power was cut; all of it is durable.
std::shared_ptr<DiskNode> CutPower(const DiskNode& node, const PowerCut& cut);

}  // namespace interlock::support
