// Reads the vectors of the reference system's behaviour. They stand beside the tree, in the
// directory that the environment variable INTERLOCK_SHARED names (bazel test
// --test_env=INTERLOCK_SHARED=DIRECTORY), as DIRECTORY/vectors. A test that needs them is skipped
// without it:
//
//   const auto vectors = support::ReadVectors("trend");
//   if (absl::IsNotFound(vectors.status())) GTEST_SKIP() << vectors.status();
//   ASSERT_TRUE(vectors.ok()) << vectors.status();
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::support {

// One line of seed_behaviour.jsonl.
struct Vector {
  // Counted from 1.
  int line = 0;
  google::protobuf::Struct value;
};

// The value of INTERLOCK_SHARED; empty if it is not set.
std::string SharedDirectory();

// The vectors whose `kind` is this, in the order of the file; never an empty list.
// Errors: NOT_FOUND (INTERLOCK_SHARED is not set); FAILED_PRECONDITION (no such file, or no vector
// of this kind); DATA_LOSS (a line that is not a JSON object).
absl::StatusOr<std::vector<Vector>> ReadVectors(absl::string_view kind);

// Whether `object` has a field of this name.
bool HasField(const google::protobuf::Struct& object, absl::string_view name);

// The field of this name. A vector without it, or with one of another type, ends the process: the
// file is not what the test was written for.
double NumberField(const google::protobuf::Struct& object, absl::string_view name);
bool BoolField(const google::protobuf::Struct& object, absl::string_view name);
const std::string& StringField(const google::protobuf::Struct& object, absl::string_view name);
const google::protobuf::Struct& StructField(const google::protobuf::Struct& object, absl::string_view name);
const google::protobuf::ListValue& ListField(const google::protobuf::Struct& object, absl::string_view name);
// A list of strings.
std::vector<std::string> StringsField(const google::protobuf::Struct& object, absl::string_view name);

}  // namespace interlock::support
