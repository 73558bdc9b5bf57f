#include "storage/store_header.h"

#include "core/base/error.h"
#include "core/base/serialize.h"
#include "gtest/gtest.h"

namespace interlock::storage {
namespace {

v1::StoreHeader Header(int32_t format_version, const std::string& epoch) {
  v1::StoreHeader header;
  header.set_format_version(format_version);
  header.set_epoch(epoch);
  return header;
}

TEST(StoreHeaderTest, KeyIsOneZeroByte) { EXPECT_EQ(HeaderKey(), std::string(1, '\0')); }

TEST(StoreHeaderTest, NewHeaderIsAccepted) {
  EXPECT_EQ(Serialize(MakeHeader("e1")), std::string("\x08\x02\x12\x02"
                                                     "e1"));
  const auto header = ReadHeader(Serialize(MakeHeader("e1")));
  ASSERT_EQ(header.status(), absl::OkStatus());
  EXPECT_EQ(header->epoch(), "e1");
}

TEST(StoreHeaderTest, NewerFormatIsRefusedWithItsNumber) {
  for (int version = 1; version <= kFormatVersion; ++version) {
    EXPECT_EQ(ReadHeader(Serialize(Header(version, "e1")))->format_version(), version);
  }
  const absl::Status status = ReadHeader(Serialize(Header(kFormatVersion + 1, "e1"))).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(status), "FORMAT_TOO_NEW");
  EXPECT_NE(status.message().find("format 3"), absl::string_view::npos) << status;
}

// A newer format may have no epoch; that it is newer is what the operator must hear.
TEST(StoreHeaderTest, NewerFormatWithoutEpochIsStillTooNew) {
  EXPECT_EQ(ErrorReason(ReadHeader(Serialize(Header(kFormatVersion + 1, ""))).status()), "FORMAT_TOO_NEW");
}

TEST(StoreHeaderTest, WhatIsNoHeaderIsDataLoss) {
  for (const std::string& bytes : {std::string(), std::string("\xff\xff"), Serialize(Header(0, "e1")),
                                   Serialize(Header(-1, "e1")), Serialize(Header(1, ""))}) {
    const absl::Status status = ReadHeader(bytes).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_EQ(ErrorReason(status), "STORE_DAMAGED");
  }
}

}  // namespace
}  // namespace interlock::storage
