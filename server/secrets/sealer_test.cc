#include "server/secrets/sealer.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "gtest/gtest.h"

namespace interlock::server {
namespace {

constexpr char kSecret[] = "a refresh token";
constexpr char kOwner[] = "tenant/task";
constexpr size_t kOverhead = 1 + 8 + 12 + 16;

std::string KeyBytes(char first) {
  std::string bytes(SecretKey::kBytes, 'k');
  bytes[0] = first;
  return bytes;
}

Sealer MakeSealer(char first = 'a') { return Sealer(SecretKey(KeyBytes(first))); }

std::string SealOrDie(const Sealer& sealer, absl::string_view secret, absl::string_view owner) {
  const auto sealed = sealer.Seal(secret, owner);
  EXPECT_TRUE(sealed.ok()) << sealed.status();
  return sealed.value_or("");
}

TEST(SealerTest, OpensWhatItSealed) {
  const Sealer sealer = MakeSealer();
  for (const std::string& secret :
       {std::string(), std::string(1, '\0'), std::string(kSecret), std::string(16, 'x'), std::string(1 << 20, 'y')}) {
    for (const std::string& owner : {std::string(), std::string(kOwner), std::string(1000, 'o')}) {
      const std::string sealed = SealOrDie(sealer, secret, owner);
      EXPECT_EQ(sealed.size(), secret.size() + kOverhead);
      const auto opened = sealer.Open(sealed, owner);
      ASSERT_TRUE(opened.ok()) << opened.status();
      EXPECT_EQ(*opened, secret);
    }
  }
}

TEST(SealerTest, SealedSecretDoesNotShowTheSecret) {
  const std::string sealed = SealOrDie(MakeSealer(), kSecret, kOwner);
  EXPECT_FALSE(absl::StrContains(sealed, kSecret));
  EXPECT_FALSE(absl::StrContains(sealed, kOwner));
  EXPECT_FALSE(absl::StrContains(sealed, KeyBytes('a')));
}

TEST(SealerTest, HeaderIsVersionAndKeyId) {
  const std::string sealed = SealOrDie(MakeSealer(), kSecret, kOwner);
  EXPECT_EQ(sealed[0], 1);
  EXPECT_EQ(sealed.substr(1, 8), Sha256(KeyBytes('a')).substr(0, 8));
}

TEST(SealerTest, NoNonceIsUsedTwice) {
  const Sealer sealer = MakeSealer();
  std::set<std::string> nonces;
  for (int i = 0; i < 1000; ++i) nonces.insert(SealOrDie(sealer, kSecret, kOwner).substr(9, 12));
  EXPECT_EQ(nonces.size(), 1000u);
}

// The bytes were made by another implementation from the description in sealer.h and sealer.cc: secrets that are stored
// must stay readable.
TEST(SealerTest, FormatAndDerivedKeysStayTheSame) {
  const auto opened = MakeSealer().Open(
      absl::HexStringToBytes(
          "0141d3a79ea8d7abb3000102030405060708090a0b78cdfa3c0d3a94cd8fd2571f96330f9eed97b9095f118a6cd74d8e5b6fb90d"),
      kOwner);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(*opened, kSecret);
  EXPECT_EQ(absl::BytesToHexString(MakeSealer().Fingerprint(kSecret)),
            "381f61ae6d8dcf4d0384cece525eb858f0d6adafe3dd395b44efc904e9e460ff");
}

TEST(SealerTest, EveryChangedBitIsNoticed) {
  const Sealer sealer = MakeSealer();
  const std::string sealed = SealOrDie(sealer, kSecret, kOwner);
  for (size_t byte = 0; byte < sealed.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = sealed;
      changed[byte] = static_cast<char>(changed[byte] ^ (1 << bit));
      const absl::Status status = sealer.Open(changed, kOwner).status();
      const bool in_key_id = byte >= 1 && byte < 9;
      EXPECT_EQ(ErrorReason(status), in_key_id ? "SECRET_KEY_MISMATCH" : "SECRET_DAMAGED") << byte << " " << bit;
      EXPECT_EQ(status.code(), in_key_id ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kDataLoss);
    }
  }
}

TEST(SealerTest, EveryTruncationAndExtensionIsNoticed) {
  const Sealer sealer = MakeSealer();
  const std::string sealed = SealOrDie(sealer, kSecret, kOwner);
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(ErrorReason(sealer.Open(sealed.substr(0, size), kOwner).status()), "SECRET_DAMAGED") << size;
  }
  EXPECT_EQ(ErrorReason(sealer.Open(sealed + '\0', kOwner).status()), "SECRET_DAMAGED");
  EXPECT_EQ(ErrorReason(sealer.Open(sealed + sealed, kOwner).status()), "SECRET_DAMAGED");
}

TEST(SealerTest, SecretOfAnotherOwnerIsRefused) {
  const Sealer sealer = MakeSealer();
  const std::string mine = SealOrDie(sealer, kSecret, "mine");
  const std::string theirs = SealOrDie(sealer, kSecret, "theirs");
  EXPECT_EQ(ErrorReason(sealer.Open(mine, "theirs").status()), "SECRET_DAMAGED");
  EXPECT_EQ(ErrorReason(sealer.Open(theirs, "mine").status()), "SECRET_DAMAGED");
  EXPECT_EQ(ErrorReason(sealer.Open(mine, "").status()), "SECRET_DAMAGED");
  EXPECT_TRUE(sealer.Open(mine, "mine").ok());
}

TEST(SealerTest, AnotherKeyIsNamedAsTheCause) {
  const std::string sealed = SealOrDie(MakeSealer('a'), kSecret, kOwner);
  const absl::Status status = MakeSealer('b').Open(sealed, kOwner).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(status), "SECRET_KEY_MISMATCH");
}

TEST(SealerTest, AnotherKeyDoesNotOpenEvenUnderTheRightKeyId) {
  const std::string sealed = SealOrDie(MakeSealer('a'), kSecret, kOwner);
  const std::string forged = sealed.substr(0, 1) + Sha256(KeyBytes('b')).substr(0, 8) + sealed.substr(9);
  EXPECT_EQ(ErrorReason(MakeSealer('b').Open(forged, kOwner).status()), "SECRET_DAMAGED");
}

TEST(SealerTest, TooLongASecretIsRefused) {
  const Sealer sealer = MakeSealer();
  const std::string longer((1 << 20) + 1, 'x');
  EXPECT_EQ(ErrorReason(sealer.Seal(longer, kOwner).status()), "SECRET_NOT_SEALED");
  EXPECT_EQ(ErrorReason(sealer.Seal(kSecret, longer).status()), "SECRET_NOT_SEALED");
  const std::string sealed = SealOrDie(sealer, longer.substr(1), kOwner);
  EXPECT_EQ(ErrorReason(sealer.Open(sealed + "x", kOwner).status()), "SECRET_DAMAGED");
  EXPECT_EQ(ErrorReason(sealer.Open(sealed, longer).status()), "SECRET_DAMAGED");
}

TEST(SealerTest, ErrorsDoNotRepeatSecrets) {
  const Sealer sealer = MakeSealer();
  const std::string sealed = SealOrDie(sealer, kSecret, kOwner);
  EXPECT_FALSE(absl::StrContains(sealer.Open(sealed, "other").status().ToString(), kSecret));
}

TEST(SealerTest, FingerprintIsStableAndOfThisKeyOnly) {
  const Sealer sealer = MakeSealer();
  EXPECT_EQ(sealer.Fingerprint(kSecret), sealer.Fingerprint(kSecret));
  EXPECT_EQ(sealer.Fingerprint(kSecret).size(), 32u);
  EXPECT_EQ(sealer.Fingerprint(kSecret), MakeSealer().Fingerprint(kSecret));
  EXPECT_NE(sealer.Fingerprint(kSecret), sealer.Fingerprint("another token"));
  EXPECT_NE(sealer.Fingerprint(kSecret), MakeSealer('b').Fingerprint(kSecret));
  EXPECT_NE(sealer.Fingerprint(kSecret), Sha256(kSecret));
  EXPECT_EQ(sealer.Fingerprint("").size(), 32u);
}

TEST(SealerTest, ThreadsShareOneSealer) {
  const Sealer sealer = MakeSealer();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&sealer, i] {
      const std::string secret(100, static_cast<char>('a' + i));
      for (int round = 0; round < 100; ++round) {
        const auto sealed = sealer.Seal(secret, kOwner);
        ASSERT_TRUE(sealed.ok());
        EXPECT_EQ(sealer.Open(*sealed, kOwner).value_or(""), secret);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace interlock::server
