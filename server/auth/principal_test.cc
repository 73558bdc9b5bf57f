#include "server/auth/principal.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/error.h"
#include "core/base/limits.h"

namespace interlock::server {
namespace {

std::string Parsed(absl::string_view value) {
  const auto principal = ParsePrincipal({value});
  return principal.ok() ? FormatPrincipal(*principal) : std::string(principal.status().message());
}

void ExpectRefused(const std::vector<absl::string_view>& values) {
  const auto principal = ParsePrincipal(values);
  ASSERT_FALSE(principal.ok());
  EXPECT_EQ(principal.status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ErrorReason(principal.status()), "PRINCIPAL_INVALID");
  EXPECT_NE(principal.status().message().find("human:alice"), absl::string_view::npos)
      << "the message does not say what to send: " << principal.status();
}

TEST(PrincipalTest, WithoutMetadataTheCallerIsTheLocalHuman) {
  const auto principal = ParsePrincipal({});
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ(principal->kind(), v1::PRINCIPAL_KIND_HUMAN);
  EXPECT_EQ(principal->id(), "local");
}

TEST(PrincipalTest, EveryKindIsRead) {
  EXPECT_EQ(Parsed("human:alice"), "human:alice");
  EXPECT_EQ(Parsed("agent:a-1"), "agent:a-1");
  EXPECT_EQ(Parsed("worker:w"), "worker:w");
  EXPECT_EQ(Parsed("service:billing"), "service:billing");
}

TEST(PrincipalTest, FurtherColonsBelongToTheId) { EXPECT_EQ(Parsed("agent:a:b"), "agent:a:b"); }

TEST(PrincipalTest, AnIdMayHave128BytesAndNoMore) {
  const std::string longest = "human:" + std::string(kIdBytesMax, 'x');
  EXPECT_EQ(Parsed(longest), longest);
  ExpectRefused({longest + "x"});
}

TEST(PrincipalTest, AnythingElseIsRefusedAndToldWhatToSend) {
  ExpectRefused({""});
  ExpectRefused({"alice"});
  ExpectRefused({"human:"});
  ExpectRefused({":alice"});
  ExpectRefused({"root:alice"});
  ExpectRefused({"Human:alice"});
  ExpectRefused({" human:alice"});
  ExpectRefused({"human:al ice"});
  ExpectRefused({"human:al\nice"});
  ExpectRefused({"human:\xc3\xa9"});
}

TEST(PrincipalTest, TwoValuesAreRefusedEvenIfEqual) {
  ExpectRefused({"human:alice", "human:alice"});
  ExpectRefused({"agent:a", "human:alice"});
}

}  // namespace
}  // namespace interlock::server
