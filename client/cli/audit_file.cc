#include "client/cli/audit_file.h"

#include <cstdint>
#include <limits>

#include "core/base/check.h"
#include "core/base/serialize.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/util/json_util.h"

namespace interlock::cli {
namespace {

// More than any entry takes: its strings have bounds that are much smaller.
constexpr size_t kPieceBytesMax = 8192;
// A varint of a length below that has at most so many bytes.
constexpr int kLengthBytesMax = 2;

constexpr char kTooLong[] = "it is too long";
constexpr char kNotTheForm[] = "it is not in the form in which it was written";

std::string ToJson(const v1::AuditEntry& entry) {
  std::string json;
  INTERLOCK_CHECK(google::protobuf::util::MessageToJsonString(entry, &json).ok());
  return json;
}

void TakeLine(const std::string& line, audit::ExportCheck& check) {
  v1::AuditEntry entry;
  if (!google::protobuf::util::JsonStringToMessage(line, &entry).ok()) {
    return check.AddUnreadable("it is no JSON of a row or a trailer");
  }
  if (ToJson(entry) != line) return check.AddUnreadable(kNotTheForm);
  check.Add(entry);
}

void ReadLines(std::istream& file, audit::ExportCheck& check) {
  std::string buffer(kPieceBytesMax, '\0');
  while (file.peek() != std::istream::traits_type::eof()) {
    file.getline(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto size = static_cast<size_t>(file.gcount());
    if (file.eof()) return check.AddCut();
    if (!file.fail()) {
      // The line end counts too.
      TakeLine(buffer.substr(0, size - 1), check);
      continue;
    }
    if (file.bad()) return check.AddCut();
    file.clear();
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    check.AddUnreadable(kTooLong);
  }
}

// The length that stands next; -1: the file ends in it, -2: there is none so large.
int64_t ReadLength(std::istream& file) {
  int64_t length = 0;
  for (int i = 0; i < kLengthBytesMax; ++i) {
    const int byte = file.get();
    if (byte == std::istream::traits_type::eof()) return -1;
    length |= static_cast<int64_t>(byte & 0x7f) << (7 * i);
    // The last byte of a longer number is not zero.
    if ((byte & 0x80) == 0) return i > 0 && byte == 0 ? -2 : length;
  }
  return -2;
}

void ReadMessages(std::istream& file, audit::ExportCheck& check) {
  while (file.peek() != std::istream::traits_type::eof()) {
    const int64_t length = ReadLength(file);
    if (length == -1) return check.AddCut();
    if (length < 0 || length > static_cast<int64_t>(kPieceBytesMax)) {
      // Where the next one begins nobody knows.
      check.AddUnreadable(kTooLong);
      if (file.peek() != std::istream::traits_type::eof()) check.AddUnreadable(kTooLong);
      return;
    }
    std::string bytes(static_cast<size_t>(length), '\0');
    file.read(bytes.data(), length);
    if (file.gcount() < length) return check.AddCut();
    v1::AuditEntry entry;
    if (!entry.ParseFromString(bytes)) {
      check.AddUnreadable("it is no message of a row or a trailer");
    } else if (Serialize(entry) != bytes) {
      check.AddUnreadable(kNotTheForm);
    } else {
      check.Add(entry);
    }
  }
}

}  // namespace

std::string FormatAuditEntry(const v1::AuditEntry& entry, AuditFormat format) {
  if (format == AuditFormat::kJsonLines) return ToJson(entry) + "\n";
  const std::string bytes = Serialize(entry);
  uint8_t length[10];
  const uint8_t* end =
      google::protobuf::io::CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(bytes.size()), length);
  return std::string(reinterpret_cast<const char*>(length), static_cast<size_t>(end - length)) + bytes;
}

void ReadAuditFile(std::istream& file, audit::ExportCheck& check) {
  // A message whose length is that of '{' goes on with the number of a field, which is no quotation mark.
  const int first = file.get();
  const int second = file.peek();
  if (first == std::istream::traits_type::eof()) return;
  file.unget();
  if (first == '{' && second == '"') {
    ReadLines(file, check);
  } else {
    ReadMessages(file, check);
  }
}

}  // namespace interlock::cli
