#include "core/base/ed25519.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace interlock {
namespace {

struct Vector {
  absl::string_view private_key;
  absl::string_view public_key;
  absl::string_view message;
  absl::string_view signature;
};

// RFC 8032, section 7.1, tests 1 to 3.
constexpr Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
     "55141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
     "00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc"
     "027beceea1ec40a"},
};

TEST(Ed25519Test, KeysAndSignaturesAreThoseOfTheStandard) {
  for (const Vector& vector : kVectors) {
    const std::string private_key = absl::HexStringToBytes(vector.private_key);
    const std::string message = absl::HexStringToBytes(vector.message);
    EXPECT_EQ(absl::BytesToHexString(Ed25519PublicKey(private_key)), vector.public_key);
    EXPECT_EQ(absl::BytesToHexString(Ed25519Sign(private_key, message)), vector.signature);
    EXPECT_TRUE(
        Ed25519Verify(absl::HexStringToBytes(vector.public_key), message, absl::HexStringToBytes(vector.signature)));
  }
}

TEST(Ed25519Test, EveryFlippedBitIsNoticed) {
  const std::string private_key(kEd25519KeyBytes, 'k');
  const std::string public_key = Ed25519PublicKey(private_key);
  const std::string message = "what was signed";
  const std::string signature = Ed25519Sign(private_key, message);
  for (size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    std::string changed = signature;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(Ed25519Verify(public_key, message, changed)) << bit;
  }
  for (size_t bit = 0; bit < 8 * message.size(); ++bit) {
    std::string changed = message;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(Ed25519Verify(public_key, changed, signature)) << bit;
  }
  EXPECT_FALSE(Ed25519Verify(Ed25519PublicKey(std::string(kEd25519KeyBytes, 'j')), message, signature));
}

TEST(Ed25519Test, WhatHasNotItsSizeIsRefused) {
  const std::string private_key(kEd25519KeyBytes, 'k');
  const std::string public_key = Ed25519PublicKey(private_key);
  const std::string signature = Ed25519Sign(private_key, "m");
  EXPECT_FALSE(Ed25519Verify("", "m", signature));
  EXPECT_FALSE(Ed25519Verify(public_key + "x", "m", signature));
  EXPECT_FALSE(Ed25519Verify(public_key, "m", ""));
  EXPECT_FALSE(Ed25519Verify(public_key, "m", signature.substr(1)));
  EXPECT_FALSE(Ed25519Verify(public_key, "m", signature + "x"));
}

}  // namespace
}  // namespace interlock
