#include "storage/log_check.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

namespace interlock::storage {
namespace {

constexpr size_t kBlockBytes = 32768;
constexpr size_t kSectorBytes = 512;
// Masked checksum (4 bytes), length (2), both little-endian, and type (1).
constexpr size_t kHeaderBytes = 7;

// A record is one full fragment, or a first, any number of middle ones, and a last.
enum FragmentType : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

constexpr std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table = {};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    table[byte] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrcTable = MakeCrcTable();

// CRC-32C of bytes that come one after the other.
class Crc {
 public:
  void Add(char byte) { crc_ = kCrcTable[(crc_ ^ static_cast<uint8_t>(byte)) & 0xff] ^ (crc_ >> 8); }
  // As it is stored: rotated and shifted, so that the checksum of bytes that hold checksums is no weaker.
  uint32_t Masked() const {
    const uint32_t crc = ~crc_;
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
  }

 private:
  uint32_t crc_ = 0xffffffffu;
};

// A view of the fragment header at `offset`, of which all kHeaderBytes are there.
struct Header {
  Header(absl::string_view log, size_t offset) {
    const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(log[offset + i])); };
    masked_crc = byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
    length = byte(4) | byte(5) << 8;
    type = static_cast<uint8_t>(byte(6));
  }
  uint32_t masked_crc;
  size_t length;
  uint8_t type;
};

size_t LeftInBlock(size_t offset) { return kBlockBytes - offset % kBlockBytes; }

bool HasHeader(absl::string_view log, size_t offset) {
  return LeftInBlock(offset) >= kHeaderBytes && log.size() - offset >= kHeaderBytes;
}

// Whether a fragment that is what it was when it was written stands at `offset`.
bool IsWholeFragment(absl::string_view log, size_t offset) {
  if (!HasHeader(log, offset)) return false;
  const Header header(log, offset);
  const size_t bytes = kHeaderBytes + header.length;
  if (header.type < kFull || header.type > kLast) return false;
  if (bytes > LeftInBlock(offset) || bytes > log.size() - offset) return false;
  Crc crc;
  // The type, which is the last byte of the header, and what follows.
  for (const char byte : log.substr(offset + kHeaderBytes - 1, 1 + header.length)) crc.Add(byte);
  return crc.Masked() == header.masked_crc;
}

// Whether the fragment at `offset` would be whole if its length were another one.
bool IsWholeAtAnotherLength(absl::string_view log, size_t offset) {
  const Header header(log, offset);
  const size_t end = std::min(log.size(), offset + LeftInBlock(offset));
  Crc crc;
  for (size_t i = offset + kHeaderBytes - 1; i < end; ++i) {
    crc.Add(log[i]);
    if (crc.Masked() == header.masked_crc) return true;
  }
  return false;
}

bool HasRecordStartAfter(absl::string_view log, size_t offset) {
  for (size_t i = offset + 1; i + kHeaderBytes <= log.size(); ++i) {
    const auto type = static_cast<uint8_t>(log[i + kHeaderBytes - 1]);
    if ((type == kFull || type == kFirst) && IsWholeFragment(log, i)) return true;
  }
  return false;
}

// Whether a sector from `offset` on was not written.
bool HasZeroSector(absl::string_view log, size_t offset) {
  while (offset < log.size()) {
    const absl::string_view rest = log.substr(offset, kSectorBytes - offset % kSectorBytes);
    if (rest.find_first_not_of('\0') == absl::string_view::npos) return true;
    offset += rest.size();
  }
  return false;
}

// Whether the file ends before the fragment at `offset` does.
bool IsCutShort(absl::string_view log, size_t offset) {
  if (!HasHeader(log, offset)) return true;
  const size_t bytes = kHeaderBytes + Header(log, offset).length;
  return bytes <= LeftInBlock(offset) && bytes > log.size() - offset && !IsWholeAtAnotherLength(log, offset);
}

// Why a fragment that is not whole, or not what must follow, stands at `offset`.
LogEnd Diagnose(LogKind kind, absl::string_view log, size_t offset) {
  if (kind == LogKind::kWriteAhead && HasRecordStartAfter(log, offset)) return LogEnd::kDamaged;
  return IsCutShort(log, offset) || HasZeroSector(log, offset) ? LogEnd::kTorn : LogEnd::kDamaged;
}

}  // namespace

LogCheck CheckLog(LogKind kind, absl::string_view log, const RecordVisitor& visit) {
  size_t whole = 0;
  bool within_record = false;
  std::string record;
  size_t offset = 0;
  while (offset < log.size()) {
    if (LeftInBlock(offset) < kHeaderBytes) {
      offset += LeftInBlock(offset);
      continue;
    }
    if (!IsWholeFragment(log, offset)) return {Diagnose(kind, log, offset), whole};
    const Header header(log, offset);
    if (within_record != (header.type == kMiddle || header.type == kLast)) return {LogEnd::kDamaged, whole};
    const absl::string_view payload = log.substr(offset + kHeaderBytes, header.length);
    record.append(payload.data(), payload.size());
    offset += kHeaderBytes + header.length;
    within_record = header.type == kFirst || header.type == kMiddle;
    if (within_record) continue;
    whole = offset;
    if (visit != nullptr) visit(record);
    record.clear();
  }
  return {whole == log.size() ? LogEnd::kWhole : LogEnd::kTorn, whole};
}

}  // namespace interlock::storage
