#include "core/base/serialize.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "gtest/gtest.h"

namespace interlock {
namespace {

TEST(SerializeTest, BytesAreThoseOfProtobuf) {
  google::protobuf::Timestamp timestamp;
  EXPECT_EQ(Serialize(timestamp), "");
  timestamp.set_seconds(5);
  timestamp.set_nanos(300);
  EXPECT_EQ(Serialize(timestamp), "\x08\x05\x10\xac\x02");
}

TEST(SerializeTest, MapIsSortedByKey) {
  google::protobuf::Struct parameters;
  for (const char* key : {"b", "c", "a"}) (*parameters.mutable_fields())[key].set_bool_value(true);
  const std::string entry_tail = std::string("\x12\x02\x20\x01");
  EXPECT_EQ(Serialize(parameters), absl::StrCat("\x0a\x07\x0a\x01", "a", entry_tail, "\x0a\x07\x0a\x01", "b",
                                                entry_tail, "\x0a\x07\x0a\x01", "c", entry_tail));
}

// Maps of equal content that were filled in another order, and so lie in memory in another order.
TEST(SerializeTest, EqualMessagesGiveEqualBytes) {
  google::protobuf::Struct forward;
  google::protobuf::Struct backward;
  for (int i = 0; i < 200; ++i) {
    (*forward.mutable_fields())[absl::StrCat("key", i)].set_number_value(i);
    const int j = 199 - i;
    (*backward.mutable_fields())[absl::StrCat("key", j)].set_number_value(j);
  }
  (*backward.mutable_fields())["removed"].set_bool_value(true);
  backward.mutable_fields()->erase("removed");
  EXPECT_EQ(Serialize(forward), Serialize(backward));
}

TEST(SerializeTest, BytesParseBack) {
  google::protobuf::Struct parameters;
  (*parameters.mutable_fields())["content"].set_string_value(std::string(100000, 'x'));
  google::protobuf::Struct parsed;
  ASSERT_TRUE(parsed.ParseFromString(Serialize(parameters)));
  EXPECT_EQ(parsed.fields().at("content").string_value().size(), 100000u);
}

TEST(SerializeTest, FieldsThatAreAppendedAreThoseOfTheMessage) {
  google::protobuf::Value value;
  value.set_string_value(std::string(300, 'x'));
  google::protobuf::ListValue list;
  std::string bytes;
  for (const char* text : {"", "a"}) {
    list.add_values()->set_string_value(text);
    AppendField(google::protobuf::ListValue::kValuesFieldNumber, Serialize(*list.values().rbegin()), bytes);
  }
  *list.add_values() = value;
  std::string of_value;
  AppendField(google::protobuf::Value::kStringValueFieldNumber, value.string_value(), of_value);
  EXPECT_EQ(of_value, Serialize(value));
  AppendField(google::protobuf::ListValue::kValuesFieldNumber, of_value, bytes);
  EXPECT_EQ(bytes, Serialize(list));
}

// A number that takes more than one byte.
TEST(SerializeTest, AnAppendedFieldMayHaveAHighNumber) {
  std::string bytes;
  AppendField(300, "ab", bytes);
  EXPECT_EQ(bytes, std::string("\xe2\x12\x02", 3) + "ab");
}

}  // namespace
}  // namespace interlock
