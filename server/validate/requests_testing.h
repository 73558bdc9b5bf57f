// For tests: requests that are valid but for one thing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/error.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "server/validate/validate.h"

namespace interlock::server {

// The fields that the BadRequest of `status` names, in its order.
inline std::vector<std::string> ViolatedFields(const absl::Status& status) {
  google::rpc::BadRequest bad_request;
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.BadRequest");
  if (!payload.has_value() || !bad_request.ParseFromString(std::string(*payload))) return {};
  std::vector<std::string> fields;
  for (const auto& violation : bad_request.field_violations()) fields.push_back(violation.field());
  return fields;
}

// One way to change a valid request, and the fields that are then to be named; none: it stays
// valid.
template <typename Request>
struct Variation {
  std::string name;
  std::function<void(Request&)> change;
  std::vector<std::string> fields;
};

template <typename Request>
void ExpectVariations(const Request& valid, const std::vector<Variation<Request>>& variations) {
  EXPECT_TRUE(Validate(valid).ok()) << Validate(valid);
  for (const auto& variation : variations) {
    SCOPED_TRACE(variation.name);
    Request request = valid;
    variation.change(request);
    const absl::Status status = Validate(request);
    EXPECT_THAT(ViolatedFields(status), testing::ElementsAreArray(variation.fields));
    if (variation.fields.empty()) {
      EXPECT_TRUE(status.ok()) << status;
    } else {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_EQ(ErrorReason(status), "INVALID_FIELD");
    }
  }
}

// The message that `text`, in protobuf's text format, describes.
template <typename Request>
Request Parse(const std::string& text) {
  Request request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  return request;
}

}  // namespace interlock::server
