#include "storage/manifest.h"

#include <algorithm>
#include <cstddef>

namespace interlock::storage {
namespace {

// A record is a list of fields, each a tag and a value. Values are numbers, or strings with their length before them.
enum Tag : uint64_t {
  kComparator = 1,
  kLogNumber = 2,
  kNextFileNumber = 3,
  kLastSequence = 4,
  kPreviousLogNumber = 9,
  kLeastLogToKeep = 10,
  kMostColumnFamilies = 203,
  kDatabaseId = 2001,
  // With this bit the value is a string, which may be skipped by who does not know it.
  kSkippable = 8192,
  // A log that is finished: its number, then more.
  kFinishedLog = kSkippable + 7,
};

// Takes a number, 7 bits a byte, lowest first, from the front of `bytes`.
bool TakeNumber(absl::string_view& bytes, uint64_t& number) {
  number = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    number |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool TakeString(absl::string_view& bytes, absl::string_view& string) {
  uint64_t size = 0;
  if (!TakeNumber(bytes, size) || size > bytes.size()) return false;
  string = bytes.substr(0, static_cast<size_t>(size));
  bytes.remove_prefix(string.size());
  return true;
}

bool IsNumber(uint64_t tag) {
  switch (tag) {
    case kLogNumber:
    case kNextFileNumber:
    case kLastSequence:
    case kPreviousLogNumber:
    case kLeastLogToKeep:
    case kMostColumnFamilies:
      return true;
    default:
      return false;
  }
}

bool IsString(uint64_t tag) { return tag == kComparator || tag == kDatabaseId || (tag & kSkippable) != 0; }

}  // namespace

uint64_t NewestLogNumber(absl::string_view record) {
  uint64_t newest = 0;
  uint64_t tag = 0;
  while (TakeNumber(record, tag)) {
    uint64_t number = 0;
    absl::string_view string;
    if (IsNumber(tag) && TakeNumber(record, number)) {
      if (tag == kLogNumber) newest = std::max(newest, number);
    } else if (IsString(tag) && TakeString(record, string)) {
      if (tag == kFinishedLog && TakeNumber(string, number)) newest = std::max(newest, number + 1);
    } else {
      // What comes behind fields of other kinds is about tables.
      return newest;
    }
  }
  return newest;
}

}  // namespace interlock::storage
