#include "server/secrets/audit_key.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "core/base/ed25519.h"
#include "core/base/error.h"
#include "gtest/gtest.h"

namespace interlock::server {
namespace {

// Made by `openssl genpkey -algorithm ed25519`; its public key by `openssl pkey -pubout -outform DER | tail -c 32`.
constexpr char kPem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIPC+cKPQKZlo49rj09zPTmFHiiiWb8m8npsdvFXmykwm\n"
    "-----END PRIVATE KEY-----\n";
constexpr char kPublicKeyHex[] = "d5af43160dd338b0c47a12ccc7eb8ac390239ae394584db0638ad0ae18fb730f";

class AuditKeyTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = folder_ + "/audit_key.pem";
  }

  void Write(const std::string& bytes, mode_t mode = 0600) {
    std::ofstream(path_, std::ios::binary) << bytes;
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }
  std::string Read() const {
    std::ifstream file(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  std::string folder_;
  std::string path_;
};

TEST_F(AuditKeyTest, KeysOfOpensslAreRead) {
  Write(kPem);
  const auto key = LoadAuditKeyFile(path_);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(absl::BytesToHexString(Ed25519PublicKey(key->bytes())), kPublicKeyHex);
}

TEST_F(AuditKeyTest, AMissingKeyIsMadeOnceAndForItsOwnerAlone) {
  EXPECT_EQ(ErrorReason(LoadAuditKeyFile(path_).status()), "KEY_FILE_MISSING");
  const auto made = LoadOrCreateAuditKeyFile(path_);
  ASSERT_TRUE(made.ok()) << made.status();
  struct stat status;
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_TRUE(absl::StartsWith(Read(), "-----BEGIN PRIVATE KEY-----\n"));
  const auto again = LoadOrCreateAuditKeyFile(path_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(made->bytes(), again->bytes());
  std::filesystem::remove(path_);
  EXPECT_NE(LoadOrCreateAuditKeyFile(path_)->bytes(), made->bytes());
}

TEST_F(AuditKeyTest, OtherFilesAreRefusedAndKept) {
  constexpr char kPublicPem[] =
      "-----BEGIN PUBLIC KEY-----\n"
      "MCowBQYDK2VwAyEA1a9DFg3TOLDEehLMx+uKw5AjmuOUWE2wY4rQrhj7cw8=\n"
      "-----END PUBLIC KEY-----\n";
  for (const std::string& bytes :
       {std::string(), std::string("nonsense"), std::string(kPublicPem), std::string(kPem).substr(0, 60),
        std::string(4097, 'x'), kPem + std::string(5000, '\n')}) {
    Write(bytes);
    const auto key = LoadOrCreateAuditKeyFile(path_);
    EXPECT_EQ(ErrorReason(key.status()), "KEY_FILE_INVALID") << bytes;
    EXPECT_TRUE(absl::StrContains(key.status().message(), "openssl genpkey -algorithm ed25519"));
    EXPECT_EQ(Read(), bytes);
  }
}

TEST_F(AuditKeyTest, KeysThatOthersCanReadAreRefused) {
  Write(kPem, 0640);
  EXPECT_EQ(ErrorReason(LoadAuditKeyFile(path_).status()), "KEY_FILE_EXPOSED");
}

TEST_F(AuditKeyTest, AFolderThatIsMissingIsNamed) {
  const auto key = LoadOrCreateAuditKeyFile(folder_ + "/none/audit_key.pem");
  EXPECT_EQ(ErrorReason(key.status()), "KEY_FILE_UNWRITABLE");
  EXPECT_TRUE(absl::StrContains(key.status().message(), folder_));
}

TEST_F(AuditKeyTest, KeysWithAPasswordAndOfOtherKindsAreRefused) {
  Write(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiHHY4NIWeJTgICCAAw\n"
      "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEED7I1ZVz4tOaqrZXnLtnpHcEQACp\n"
      "eYTpikAMgkUnpLUDLyJksjxkHcpDFJco5QwgCeZSFxk/c5VL4NMTHlAEVKASrpJJ\n"
      "eubboe07cahjMpAwim0=\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_EQ(ErrorReason(LoadAuditKeyFile(path_).status()), "KEY_FILE_INVALID");
  Write(
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VuBCIEIFjDueE/UguopaeoxwV1gC0hZnBEHdSYWMrF1RRaBMx/\n"
      "-----END PRIVATE KEY-----\n");
  EXPECT_EQ(ErrorReason(LoadAuditKeyFile(path_).status()), "KEY_FILE_INVALID");
}

}  // namespace
}  // namespace interlock::server
