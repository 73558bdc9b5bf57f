#include "tests/support/disk_node.h"

#include <algorithm>
#include <iterator>
#include <random>

#include "absl/strings/str_cat.h"

namespace interlock::support {
namespace {

constexpr size_t kSectorBytes = 512;

void Apply(const DiskNode::Entry& entry, DiskNode::Entries& entries) {
  if (entry.second == nullptr) {
    entries.erase(entry.first);
  } else {
    entries[entry.first] = entry.second;
  }
}

// Copies a tree as it is after the power was cut.
class Cutter {
 public:
  explicit Cutter(const PowerCut& cut) : cut_(cut), random_(cut.seed) {}

  std::shared_ptr<DiskNode> Cut(const DiskNode& node) { return node.is_directory ? CutDirectory(node) : CutFile(node); }

 private:
  size_t Below(size_t n) { return static_cast<size_t>(random_() % n); }

  std::shared_ptr<DiskNode> CutDirectory(const DiskNode& node) {
    DiskNode::Entries entries = node.synced_entries;
    const size_t prefix = Below(node.changes.size() + 1);
    for (size_t i = 0; i < node.changes.size(); ++i) {
      if (!IsDone(i, prefix)) continue;
      for (const DiskNode::Entry& entry : node.changes[i]) Apply(entry, entries);
    }
    auto result = std::make_shared<DiskNode>();
    result->is_directory = true;
    for (const auto& [name, child] : entries) result->entries[name] = Cut(*child);
    result->SyncDirectory();
    return result;
  }

  bool IsDone(size_t change, size_t prefix) {
    switch (cut_.names) {
      case PowerCut::Names::kLost:
        return false;
      case PowerCut::Names::kKept:
        return true;
      case PowerCut::Names::kPrefix:
        return change < prefix;
      case PowerCut::Names::kAny:
        return Below(2) == 0;
    }
    return false;
  }

  std::shared_ptr<DiskNode> CutFile(const DiskNode& node) {
    auto result = std::make_shared<DiskNode>();
    const PowerCut::Bytes mode = ModeOfFile();
    const bool undo_truncation = mode == PowerCut::Bytes::kLost || (mode != PowerCut::Bytes::kKept && Below(2) == 0);
    if (node.before_truncation != nullptr && undo_truncation) {
      result->bytes = node.before_truncation;
    } else if (mode == PowerCut::Bytes::kKept || node.synced_bytes == node.bytes->size()) {
      result->bytes = node.bytes;
    } else {
      result->bytes = std::make_shared<std::string>(CutBytes(mode, *node.bytes, node.synced_bytes));
    }
    result->SyncFile();
    return result;
  }

  PowerCut::Bytes ModeOfFile() {
    if (cut_.bytes != PowerCut::Bytes::kAny) return cut_.bytes;
    constexpr PowerCut::Bytes kModes[] = {PowerCut::Bytes::kLost, PowerCut::Bytes::kKept, PowerCut::Bytes::kPrefix,
                                          PowerCut::Bytes::kHoles};
    return kModes[Below(std::size(kModes))];
  }

  std::string CutBytes(PowerCut::Bytes mode, const std::string& bytes, size_t synced) {
    if (mode == PowerCut::Bytes::kLost) return bytes.substr(0, synced);
    if (mode == PowerCut::Bytes::kPrefix) {
      size_t size = synced + Below(bytes.size() - synced + 1);
      // A file grows by sectors, or to where it was when the system happened to write it.
      if (Below(2) == 0) size = std::max(synced, size - size % kSectorBytes);
      return bytes.substr(0, size);
    }
    std::string result = bytes;
    const size_t sectors = (bytes.size() - 1) / kSectorBytes - synced / kSectorBytes + 1;
    const size_t surely_lost = Below(sectors);
    for (size_t i = 0; i < sectors; ++i) {
      if (i != surely_lost && Below(2) == 0) continue;
      const size_t sector = (synced / kSectorBytes + i) * kSectorBytes;
      for (size_t j = std::max(sector, synced); j < std::min(sector + kSectorBytes, bytes.size()); ++j) {
        result[j] = mode == PowerCut::Bytes::kHoles ? '\0' : static_cast<char>(random_());
      }
    }
    return result;
  }

  const PowerCut cut_;
  std::mt19937_64 random_;
};

}  // namespace

std::string ToString(const PowerCut& cut) {
  constexpr const char* kBytes[] = {"lost", "kept", "prefix", "holes", "garbage", "any"};
  constexpr const char* kNames[] = {"lost", "kept", "prefix", "any"};
  return absl::StrCat("bytes ", kBytes[static_cast<size_t>(cut.bytes)], ", names ",
                      kNames[static_cast<size_t>(cut.names)], ", seed ", cut.seed);
}

std::string& DiskNode::MutableBytes() {
  if (bytes.use_count() > 1) bytes = std::make_shared<std::string>(*bytes);
  return *bytes;
}

void DiskNode::Truncate(size_t size) {
  if (size < synced_bytes && before_truncation == nullptr) {
    before_truncation = std::make_shared<std::string>(bytes->substr(0, synced_bytes));
  }
  MutableBytes().resize(size);
  synced_bytes = std::min(synced_bytes, size);
}

void DiskNode::SyncFile() {
  synced_bytes = bytes->size();
  before_truncation = nullptr;
}

void DiskNode::Change(std::vector<Entry> change) {
  for (const Entry& entry : change) Apply(entry, entries);
  changes.push_back(std::move(change));
}

void DiskNode::SyncDirectory() {
  synced_entries = entries;
  changes.clear();
}

std::shared_ptr<DiskNode> CutPower(const DiskNode& node, const PowerCut& cut) { return Cutter(cut).Cut(node); }

}  // namespace interlock::support
