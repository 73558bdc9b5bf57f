#include "server/validate/checks.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"

namespace interlock::server {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

google::rpc::BadRequest BadRequestOf(const absl::Status& status) {
  google::rpc::BadRequest bad_request;
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.BadRequest");
  if (payload.has_value()) {
    EXPECT_TRUE(bad_request.ParseFromString(std::string(*payload)));
  }
  return bad_request;
}

// Whether one check of the field "x" finds it in order.
bool Passes(const std::function<void(Checks&, const FieldPath&)>& check) {
  const FieldPath root;
  const FieldPath path = root.Field("x");
  Checks checks;
  check(checks, path);
  const absl::Status status = checks.ToStatus();
  if (status.ok()) return true;
  EXPECT_EQ(BadRequestOf(status).field_violations_size(), 1);
  EXPECT_EQ(BadRequestOf(status).field_violations(0).field(), "x");
  return false;
}

bool IsId(const std::string& id) {
  return Passes([&](Checks& checks, const FieldPath& path) { checks.OptionalId(path, id); });
}

TEST(IsUtf8Test, TakesTheEndsOfEveryRangeAndRefusesWhatLiesBeyond) {
  const std::vector<std::pair<std::string, bool>> cases = {
      {"", true},
      {"plain", true},
      {"\x7F", true},
      {"\x80", false},      // A continuation without a start.
      {"\xC1\xBF", false},  // Two bytes for what needs one.
      {"\xC2\x80", true},
      {"\xC2\x7F", false},
      {"\xC2\xC0", false},
      {"\xDF\xBF", true},
      {"\xC2", false},          // Cut off.
      {"\xE0\x9F\xBF", false},  // Three bytes for what needs two.
      {"\xE0\xA0\x80", true},
      {"\xE1\x80\x80", true},
      {"\xED\x9F\xBF", true},
      {"\xED\xA0\x80", false},  // A surrogate.
      {"\xEE\x80\x80", true},
      {"\xEF\xBF\xBF", true},
      {"\xE2\x82", false},
      {"\xE2\x82\x41", false},
      {"\xF0\x8F\xBF\xBF", false},  // Four bytes for what needs three.
      {"\xF0\x90\x80\x80", true},
      {"\xF1\x80\x80\x80", true},
      {"\xF4\x8F\xBF\xBF", true},
      {"\xF4\x90\x80\x80", false},  // Beyond U+10FFFF.
      {"\xF5\x80\x80\x80", false},
      {"\xF0\x9F\x98", false},
      {"\xF0\x9F\x98\x41", false},
      {"\xFF", false},
      {"a\xE2\x82\xAC"
       "b\xF0\x9F\x98\x80",
       true},
      {"good then bad \x80", false},
  };
  for (const auto& [text, valid] : cases) EXPECT_EQ(IsUtf8(text), valid) << testing::PrintToString(text);
}

TEST(FieldPathTest, WritesFieldsAndIndexes) {
  const FieldPath root;
  const FieldPath points = root.Field("points");
  const FieldPath point = points.Index(2);
  EXPECT_EQ(root.ToString(), "");
  EXPECT_EQ(points.ToString(), "points");
  EXPECT_EQ(point.ToString(), "points[2]");
  EXPECT_EQ(point.Field("value").ToString(), "points[2].value");
  EXPECT_EQ(point.Index(0).ToString(), "points[2][0]");
}

TEST(FieldPathTest, EscapesWhatIsNotPrintable) {
  const FieldPath root;
  EXPECT_EQ(root.Field("a\n\xC3\xA4").ToString(), "a\\n\\303\\244");
}

TEST(FieldPathTest, CutsALongPath) {
  const FieldPath root;
  const std::string exact(kFieldPathBytesMax, 'a');
  EXPECT_EQ(root.Field(exact).ToString(), exact);
  const std::string longer(kFieldPathBytesMax + 1, 'a');
  // The field alone is cut before the path is.
  const FieldPath field = root.Field(longer);
  const std::string text = field.Field("b").ToString();
  EXPECT_EQ(text, std::string(kFieldPathBytesMax - 3, 'a') + "...");
}

TEST(ChecksTest, IdMayNotHaveControlCharacters) {
  EXPECT_TRUE(IsId("agent-7"));
  EXPECT_TRUE(IsId("agent \xC3\xA4 \xE2\x82\xAC"));
  EXPECT_TRUE(IsId(" "));
  EXPECT_TRUE(IsId("~"));
  EXPECT_TRUE(IsId("\xC2\xA0"));
  EXPECT_FALSE(IsId(std::string("a\0b", 3)));
  EXPECT_FALSE(IsId("a\x1F"));
  EXPECT_FALSE(IsId("\n"));
  EXPECT_FALSE(IsId("\x7F"));
  EXPECT_FALSE(IsId("\xC2\x80"));
  EXPECT_FALSE(IsId("\xC2\x9F"));
  EXPECT_FALSE(IsId("\xC2"));
  EXPECT_FALSE(IsId("ab\xFF"));
}

TEST(ChecksTest, IdLengthIsCountedInBytes) {
  EXPECT_TRUE(IsId(""));
  EXPECT_TRUE(IsId(std::string(kIdBytesMax, 'a')));
  EXPECT_FALSE(IsId(std::string(kIdBytesMax + 1, 'a')));
  std::string two_byte_letters;
  for (size_t i = 0; i < kIdBytesMax / 2; ++i) two_byte_letters += "\xC3\xA4";
  EXPECT_TRUE(IsId(two_byte_letters));
  EXPECT_FALSE(IsId(two_byte_letters + "a"));
}

TEST(ChecksTest, RequiredIdIsNotEmptyAndOtherwiseAnId) {
  const auto is_required_id = [](const std::string& id) {
    return Passes([&](Checks& checks, const FieldPath& path) { checks.RequiredId(path, id, 3); });
  };
  EXPECT_FALSE(is_required_id(""));
  EXPECT_TRUE(is_required_id("a"));
  EXPECT_TRUE(is_required_id("abc"));
  EXPECT_FALSE(is_required_id("abcd"));
  EXPECT_FALSE(is_required_id("\n"));
}

TEST(ChecksTest, RequestIdHasItsOwnLength) {
  const auto is_request_id = [](const std::string& id) {
    return Passes([&](Checks& checks, const FieldPath& path) { checks.RequestId(path, id); });
  };
  EXPECT_TRUE(is_request_id(""));
  EXPECT_TRUE(is_request_id(std::string(kRequestIdBytesMax, 'a')));
  EXPECT_FALSE(is_request_id(std::string(kRequestIdBytesMax + 1, 'a')));
}

TEST(ChecksTest, RequiredTextMayHaveLines) {
  const auto is_text = [](const std::string& text) {
    return Passes([&](Checks& checks, const FieldPath& path) { checks.RequiredText(path, text, 5); });
  };
  EXPECT_FALSE(is_text(""));
  EXPECT_TRUE(is_text("a\nb\tc"));
  EXPECT_FALSE(is_text("abcdef"));
  EXPECT_FALSE(is_text("\xFF"));
}

TEST(ChecksTest, RatioIs0To1) {
  const auto is_ratio = [](double value) {
    return Passes([&](Checks& checks, const FieldPath& path) { checks.Ratio(path, value); });
  };
  EXPECT_TRUE(is_ratio(0));
  EXPECT_TRUE(is_ratio(-0.0));
  EXPECT_TRUE(is_ratio(1));
  EXPECT_FALSE(is_ratio(std::nextafter(1.0, 2.0)));
  EXPECT_FALSE(is_ratio(-std::numeric_limits<double>::denorm_min()));
  EXPECT_FALSE(is_ratio(kInfinity));
  EXPECT_FALSE(is_ratio(-kInfinity));
  EXPECT_FALSE(is_ratio(kNotANumber));
}

TEST(ChecksTest, FiniteAtLeast0RefusesNegativeNumbersInfinityAndNotANumber) {
  const auto passes = [](double value) {
    return Passes([&](Checks& checks, const FieldPath& path) { checks.FiniteAtLeast0(path, value); });
  };
  EXPECT_TRUE(passes(0));
  EXPECT_TRUE(passes(std::numeric_limits<double>::max()));
  EXPECT_FALSE(passes(-1e-300));
  EXPECT_FALSE(passes(kInfinity));
  EXPECT_FALSE(passes(-kInfinity));
  EXPECT_FALSE(passes(kNotANumber));
}

TEST(ChecksTest, WholeNumbersAtTheirBounds) {
  const auto at_least_0 = [](int64_t value) {
    return Passes([&](Checks& checks, const FieldPath& path) { checks.AtLeast0(path, value); });
  };
  EXPECT_TRUE(at_least_0(0));
  EXPECT_FALSE(at_least_0(-1));
  const auto tier = [](int32_t value) {
    return Passes([&](Checks& checks, const FieldPath& path) { checks.Tier(path, value); });
  };
  EXPECT_FALSE(tier(-1));
  EXPECT_TRUE(tier(0));
  EXPECT_TRUE(tier(3));
  EXPECT_FALSE(tier(4));
  const auto page_size = [](int32_t value) {
    return Passes([&](Checks& checks, const FieldPath& path) { checks.PageSize(path, value); });
  };
  EXPECT_FALSE(page_size(-1));
  EXPECT_TRUE(page_size(0));
  EXPECT_TRUE(page_size(std::numeric_limits<int32_t>::max()));
}

TEST(ChecksTest, TimeMustBeOneThatProtobufDefines) {
  const auto is_time = [](int64_t seconds, int32_t nanos) {
    google::protobuf::Timestamp time;
    time.set_seconds(seconds);
    time.set_nanos(nanos);
    return Passes([&](Checks& checks, const FieldPath& path) { checks.Time(path, time); });
  };
  EXPECT_TRUE(is_time(0, 0));
  EXPECT_TRUE(is_time(253402300799, 999999999));
  EXPECT_FALSE(is_time(253402300800, 0));
  EXPECT_FALSE(is_time(0, -1));
  EXPECT_FALSE(is_time(0, 1000000000));
}

TEST(ChecksTest, DurationIsValidAndWithinItsBounds) {
  const auto passes = [](int64_t seconds, int32_t nanos) {
    google::protobuf::Duration duration;
    duration.set_seconds(seconds);
    duration.set_nanos(nanos);
    return Passes([&](Checks& checks, const FieldPath& path) {
      checks.DurationBetween(path, duration, absl::Seconds(1), absl::Seconds(60));
    });
  };
  EXPECT_FALSE(passes(0, 999999999));
  EXPECT_TRUE(passes(1, 0));
  EXPECT_TRUE(passes(60, 0));
  EXPECT_FALSE(passes(60, 1));
  EXPECT_FALSE(passes(-1, 0));
  // Two minutes less half a second would be in range, but is not a way to write a duration.
  EXPECT_FALSE(passes(2, -500000000));
}

TEST(ChecksTest, EveryViolationIsNamedUpToABoundThatFitsInAnError) {
  const FieldPath root;
  const std::string long_name(1000, 'x');
  Checks checks;
  for (int i = 0; i < 1000; ++i) checks.Add(root.Field(long_name), std::string(100, 'd'));
  const absl::Status status = checks.ToStatus();
  EXPECT_EQ(BadRequestOf(status).field_violations_size(), kFieldViolationsMax);
  // Base64 makes four bytes of three.
  EXPECT_LT(BadRequestOf(status).ByteSizeLong() * 4 / 3 + status.message().size(), 7000u);
}

TEST(ChecksTest, NoViolationIsOk) { EXPECT_TRUE(Checks().ToStatus().ok()); }

}  // namespace
}  // namespace interlock::server
