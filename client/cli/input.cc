#include "client/cli/input.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "client/cli/arguments.h"
#include "google/protobuf/util/json_util.h"

namespace interlock::cli {
namespace {

// A server takes no message that is nearly as long.
constexpr size_t kInputBytesMax = size_t{16} << 20;

absl::StatusOr<std::string> ReadStream(std::istream& stream, const std::string& name) {
  std::string text;
  char block[65536];
  while (stream.read(block, sizeof(block)) || stream.gcount() > 0) {
    text.append(block, static_cast<size_t>(stream.gcount()));
    if (text.size() > kInputBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat(name, " is longer than 16 MiB"));
    }
  }
  return text;
}

}  // namespace

absl::StatusOr<std::string> ReadInput(const std::string& path, std::istream& in) {
  if (path == "-") return ReadStream(in, "standard input");
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path, "; check the name of the file"));
  }
  return ReadStream(file, path);
}

absl::StatusOr<std::string> ReadBytes(const std::string& value, std::istream& in) {
  if (value.empty() || value[0] != '@') return value;
  return ReadInput(value.substr(1), in);
}

absl::Status ParseJson(absl::string_view text, google::protobuf::Message* message) {
  const auto status =
      google::protobuf::util::JsonStringToMessage(google::protobuf::StringPiece(text.data(), text.size()), message);
  if (status.ok()) return absl::OkStatus();
  const auto problem = status.message();
  return absl::InvalidArgumentError(absl::string_view(problem.data(), problem.size()));
}

absl::Status ReadJsonValue(absl::string_view flag, const std::string& value, std::istream& in,
                           google::protobuf::Message* message) {
  const absl::StatusOr<std::string> text = ReadBytes(value, in);
  if (!text.ok()) return text.status();
  const absl::Status status = ParseJson(*text, message);
  return status.ok() ? status : Arguments::InvalidFlag(flag, status.message());
}

}  // namespace interlock::cli
