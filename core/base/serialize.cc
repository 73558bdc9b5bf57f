#include "core/base/serialize.h"

#include <cstdint>

#include "core/base/check.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace interlock {
namespace {

using google::protobuf::io::CodedOutputStream;

// The wire type of a field that is preceded by its length.
constexpr uint32_t kLengthDelimited = 2;
constexpr size_t kVarint32BytesMax = 5;

}  // namespace

std::string Serialize(const google::protobuf::MessageLite& message) {
  // The sizes are computed once, and nothing is copied.
  std::string bytes(message.ByteSizeLong(), '\0');
  google::protobuf::io::ArrayOutputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  CodedOutputStream output(&stream);
  output.SetSerializationDeterministic(true);
  message.SerializeWithCachedSizes(&output);
  INTERLOCK_CHECK(!output.HadError());
  INTERLOCK_CHECK(static_cast<size_t>(output.ByteCount()) == bytes.size());
  return bytes;
}

void AppendField(int number, absl::string_view value, std::string& bytes) {
  uint8_t head[2 * kVarint32BytesMax];
  uint8_t* end = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(number) << 3 | kLengthDelimited, head);
  end = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(value.size()), end);
  bytes.append(reinterpret_cast<const char*>(head), static_cast<size_t>(end - head));
  bytes.append(value.data(), value.size());
}

}  // namespace interlock
