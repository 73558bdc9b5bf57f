#include "server/secrets/secret_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "core/base/error.h"
#include "gtest/gtest.h"

namespace interlock::server {
namespace {

const std::string kRaw = absl::HexStringToBytes("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff");

class KeyFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = folder_ + "/secret.key";
  }

  void Write(const std::string& bytes, mode_t mode = 0600) {
    std::ofstream(path_, std::ios::binary) << bytes;
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }
  std::string Read() const {
    std::ifstream file(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  std::string ReasonOfLoad() const { return ErrorReason(LoadKeyFile(path_).status()); }

  std::string folder_;
  std::string path_;
};

TEST_F(KeyFileTest, HexadecimalDigits) {
  const std::string digits = absl::BytesToHexString(kRaw);
  for (const std::string& text : {digits, digits + "\n", digits + " \r\n"}) {
    Write(text);
    const auto key = LoadKeyFile(path_);
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(key->bytes(), kRaw);
  }
  std::string upper = digits;
  std::transform(upper.begin(), upper.end(), upper.begin(), ::toupper);
  Write(upper);
  ASSERT_TRUE(LoadKeyFile(path_).ok());
  EXPECT_EQ(LoadKeyFile(path_)->bytes(), kRaw);
}

TEST_F(KeyFileTest, RawBytes) {
  Write(kRaw);
  const auto key = LoadKeyFile(path_);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->bytes(), kRaw);
}

TEST_F(KeyFileTest, AnythingElseIsRefusedAndNotRepeated) {
  const std::string digits = absl::BytesToHexString(kRaw);
  for (const std::string& text : {std::string(), digits.substr(1), digits + "0", "g" + digits.substr(1), " " + digits,
                                  kRaw + "\n", kRaw.substr(1), digits + "\n" + digits, std::string(1000, '0')}) {
    Write(text);
    const absl::Status status = LoadKeyFile(path_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << text.size();
    EXPECT_EQ(ErrorReason(status), "KEY_FILE_INVALID");
    EXPECT_FALSE(absl::StrContains(status.ToString(), digits.substr(8, 40)));
  }
}

TEST_F(KeyFileTest, FileThatOthersMayAccessIsRefused) {
  for (mode_t mode : {0640, 0620, 0610, 0604, 0602, 0601, 0644, 0666}) {
    Write(kRaw, mode);
    const absl::Status status = LoadKeyFile(path_).status();
    EXPECT_EQ(ErrorReason(status), "KEY_FILE_EXPOSED") << std::oct << mode;
    EXPECT_TRUE(absl::StrContains(status.message(), "chmod 600")) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), path_)) << status;
    // It is not replaced by a new key either.
    EXPECT_EQ(ErrorReason(LoadOrCreateKeyFile(path_).status()), "KEY_FILE_EXPOSED");
    EXPECT_EQ(Read(), kRaw);
  }
  for (mode_t mode : {0600, 0400, 0700}) {
    Write(kRaw, mode);
    EXPECT_TRUE(LoadKeyFile(path_).ok()) << std::oct << mode;
    chmod(path_.c_str(), 0600);
  }
}

TEST_F(KeyFileTest, MissingFile) {
  const absl::Status status = LoadKeyFile(path_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrorReason(status), "KEY_FILE_MISSING");
}

TEST_F(KeyFileTest, FolderOrPipeIsNoKeyFile) {
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  EXPECT_EQ(ReasonOfLoad(), "KEY_FILE_INVALID");
  ASSERT_EQ(rmdir(path_.c_str()), 0);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(ReasonOfLoad(), "KEY_FILE_INVALID");
}

TEST_F(KeyFileTest, FileBehindAFileCannotBeOpened) {
  Write(kRaw);
  EXPECT_EQ(ErrorReason(LoadKeyFile(path_ + "/key").status()), "KEY_FILE_UNREADABLE");
}

TEST_F(KeyFileTest, CreatesAKeyThatOnlyItsOwnerCanRead) {
  const auto made = LoadOrCreateKeyFile(path_);
  ASSERT_TRUE(made.ok()) << made.status();
  struct stat status;
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, mode_t{0600});
  EXPECT_EQ(status.st_nlink, nlink_t{1});
  EXPECT_EQ(Read(), absl::BytesToHexString(made->bytes()) + "\n");
  // Nothing else is left in the folder.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
  const auto loaded = LoadOrCreateKeyFile(path_);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->bytes(), made->bytes());
}

TEST_F(KeyFileTest, EveryNewKeyIsAnotherOne) {
  const auto first = LoadOrCreateKeyFile(path_);
  const auto second = LoadOrCreateKeyFile(path_ + "2");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->bytes(), second->bytes());
}

TEST_F(KeyFileTest, RelativePathIsCreatedInTheWorkingFolder) {
  const std::string before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  const auto key = LoadOrCreateKeyFile("secret.key");
  std::filesystem::current_path(before);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(Read(), absl::BytesToHexString(key->bytes()) + "\n");
}

TEST_F(KeyFileTest, OfManyThatCreateAtOnceAllGetTheSameKey) {
  constexpr int kThreads = 8;
  // One round may by chance go one after the other.
  for (int round = 0; round < 50; ++round) {
    ASSERT_EQ(std::filesystem::remove(path_), round > 0);
    std::latch start(kThreads);
    std::vector<std::string> keys(kThreads);
    std::vector<std::thread> threads;
    for (std::string& key : keys) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        const auto made = LoadOrCreateKeyFile(path_);
        if (made.ok()) key = std::string(made->bytes());
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(keys[0].size(), SecretKey::kBytes);
    for (const std::string& key : keys) ASSERT_EQ(key, keys[0]);
    ASSERT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
  }
}

TEST_F(KeyFileTest, FolderIsNotCreated) {
  EXPECT_EQ(ErrorReason(LoadOrCreateKeyFile(folder_ + "/none/secret.key").status()), "KEY_FILE_UNWRITABLE");
}

TEST(SecretKeyTest, MovesItsBytes) {
  SecretKey key(kRaw);
  SecretKey moved(std::move(key));
  EXPECT_EQ(moved.bytes(), kRaw);
  SecretKey other(std::string(SecretKey::kBytes, 'x'));
  other = std::move(moved);
  EXPECT_EQ(other.bytes(), kRaw);
}

TEST(SecretKeyDeathTest, OfAnotherLengthIsAMistake) { EXPECT_DEATH(SecretKey("short"), "check failed"); }

}  // namespace
}  // namespace interlock::server
