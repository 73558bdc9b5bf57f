#include "core/base/serialize.h"

#include "core/base/check.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace interlock {

std::string Serialize(const google::protobuf::MessageLite& message) {
  // The sizes are computed once, and nothing is copied.
  std::string bytes(message.ByteSizeLong(), '\0');
  google::protobuf::io::ArrayOutputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedOutputStream output(&stream);
  output.SetSerializationDeterministic(true);
  message.SerializeWithCachedSizes(&output);
  INTERLOCK_CHECK(!output.HadError());
  INTERLOCK_CHECK(static_cast<size_t>(output.ByteCount()) == bytes.size());
  return bytes;
}

}  // namespace interlock
