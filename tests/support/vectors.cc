#include "tests/support/vectors.h"

#include <cstdlib>
#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "google/protobuf/util/json_util.h"

namespace interlock::support {
namespace {

using google::protobuf::Value;

const Value& Field(const google::protobuf::Struct& object, absl::string_view name, Value::KindCase kind) {
  const auto field = object.fields().find(std::string(name));
  INTERLOCK_CHECK(field != object.fields().end());
  INTERLOCK_CHECK(field->second.kind_case() == kind);
  return field->second;
}

}  // namespace

std::string SharedDirectory() {
  const char* directory = std::getenv("INTERLOCK_SHARED");
  return directory == nullptr ? "" : directory;
}

absl::StatusOr<std::vector<Vector>> ReadVectors(absl::string_view kind) {
  const std::string directory = SharedDirectory();
  if (directory.empty()) {
    return absl::NotFoundError("no vectors: run the test with --test_env=INTERLOCK_SHARED=DIRECTORY");
  }
  const std::string path = absl::StrCat(directory, "/vectors/seed_behaviour.jsonl");
  std::ifstream file(path);
  if (!file) return absl::FailedPreconditionError(absl::StrCat(path, ": no such file"));
  std::vector<Vector> vectors;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    Vector vector{line, {}};
    const auto status = google::protobuf::util::JsonStringToMessage(text, &vector.value);
    if (!status.ok()) return absl::DataLossError(absl::StrCat(path, ":", line, ": ", status.ToString()));
    if (StringField(vector.value, "kind") == kind) vectors.push_back(std::move(vector));
  }
  if (vectors.empty()) return absl::FailedPreconditionError(absl::StrCat(path, ": no vector of kind ", kind));
  return vectors;
}

bool HasField(const google::protobuf::Struct& object, absl::string_view name) {
  return object.fields().contains(std::string(name));
}

double NumberField(const google::protobuf::Struct& object, absl::string_view name) {
  return Field(object, name, Value::kNumberValue).number_value();
}

bool BoolField(const google::protobuf::Struct& object, absl::string_view name) {
  return Field(object, name, Value::kBoolValue).bool_value();
}

const std::string& StringField(const google::protobuf::Struct& object, absl::string_view name) {
  return Field(object, name, Value::kStringValue).string_value();
}

const google::protobuf::Struct& StructField(const google::protobuf::Struct& object, absl::string_view name) {
  return Field(object, name, Value::kStructValue).struct_value();
}

const google::protobuf::ListValue& ListField(const google::protobuf::Struct& object, absl::string_view name) {
  return Field(object, name, Value::kListValue).list_value();
}

std::vector<std::string> StringsField(const google::protobuf::Struct& object, absl::string_view name) {
  std::vector<std::string> strings;
  for (const Value& value : ListField(object, name).values()) {
    INTERLOCK_CHECK(value.kind_case() == Value::kStringValue);
    strings.push_back(value.string_value());
  }
  return strings;
}

}  // namespace interlock::support
