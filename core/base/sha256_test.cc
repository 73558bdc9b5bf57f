#include "core/base/sha256.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace interlock {
namespace {

// The examples of FIPS 180-2 and the empty message.
TEST(Sha256Test, DigestsAreThoseOfTheStandard) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Hex(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, HexIsTheDigestInLowerCase) {
  const std::string digest = Sha256("abc");
  EXPECT_EQ(digest.size(), 32u);
  EXPECT_EQ(Sha256Hex("abc"), absl::BytesToHexString(digest));
}

TEST(Sha256Test, ADigestTakesThePlaceOfWhatIsThere) {
  std::string digest = "what was here before and is longer than a digest";
  Sha256Into("abc", digest);
  EXPECT_EQ(digest, Sha256("abc"));
  Sha256Into(digest, digest);
  EXPECT_EQ(digest, Sha256(Sha256("abc")));
}

TEST(Sha256Test, ZeroBytesCount) {
  const std::string one_zero("\0", 1);
  EXPECT_EQ(Sha256Hex(one_zero), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_NE(Sha256(one_zero), Sha256(""));
}

}  // namespace
}  // namespace interlock
