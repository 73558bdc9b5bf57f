#include "storage/manifest.h"

#include <cstddef>

namespace interlock::storage {
namespace {

// A record is a list of fields, each a tag and a value. The fields before the log's number hold strings.
constexpr uint64_t kComparatorTag = 1;
constexpr uint64_t kLogNumberTag = 2;
constexpr uint64_t kDatabaseIdTag = 2001;

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

}  // namespace

uint64_t LogNumberOf(absl::string_view record) {
  uint64_t tag = 0;
  while (TakeNumber(record, tag)) {
    uint64_t value = 0;
    if (!TakeNumber(record, value)) return 0;
    if (tag == kLogNumberTag) return value;
    if ((tag != kComparatorTag && tag != kDatabaseIdTag) || value > record.size()) return 0;
    record.remove_prefix(static_cast<size_t>(value));
  }
  return 0;
}

}  // namespace interlock::storage
