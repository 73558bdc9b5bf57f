#include "server/config/config.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "core/base/error.h"

namespace interlock::server {
namespace {

// What is wrong with a configuration; "" if nothing is.
std::string Problem(const Config& config) {
  const absl::Status status = CheckConfig(config);
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ErrorReason(status), "CONFIG_INVALID");
  return std::string(status.message());
}

Config Listening(const std::string& listen) {
  Config config;
  config.listen = listen;
  return config;
}

TEST(ConfigTest, TheDefaultsAreGoodAndDocumented) {
  const Config config;
  EXPECT_EQ(Problem(config), "");
  EXPECT_EQ(config.listen, "127.0.0.1:7420");
  EXPECT_EQ(config.data_dir, "./interlock-data");
  EXPECT_EQ(config.default_profile, "reference");
  EXPECT_EQ(config.time_source, v1::TIME_SOURCE_WALL);
  EXPECT_EQ(SecretKeyPath(config), "./interlock-data/secret.key");
}

TEST(ConfigTest, EveryLoopbackAddressIsTaken) {
  for (const char* listen : {"127.0.0.1:0", "127.0.0.1:65535", "127.1.2.3:1", "localhost:7420", "[::1]:7420"}) {
    EXPECT_EQ(Problem(Listening(listen)), "") << listen;
  }
}

TEST(ConfigTest, AnyOtherAddressIsRefusedWithTheReason) {
  for (const char* listen : {"0.0.0.0:7420", "[::]:7420", "10.0.0.1:7420", "example.com:7420", "128.0.0.1:1",
                             "127.0.0.1.example.com:1", "127.0.0.256:1", "127.0.1:1", "127.0.0.-1:1"}) {
    const std::string problem = Problem(Listening(listen));
    EXPECT_TRUE(absl::StrContains(problem, "--listen must be a loopback address")) << listen << ": " << problem;
    EXPECT_TRUE(absl::StrContains(problem, "not authenticated")) << problem;
  }
}

TEST(ConfigTest, WhatIsNoAddressIsRefusedWithAnExample) {
  for (const char* listen : {"", "127.0.0.1", ":7420", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
                             "127.0.0.1:1x", "::1:7420", "7420"}) {
    EXPECT_TRUE(absl::StrContains(Problem(Listening(listen)), "--listen is ADDRESS:PORT")) << listen;
  }
}

TEST(ConfigTest, TimeFromRequestsIsRefusedBeyondLoopback) {
  Config config = Listening("0.0.0.0:7420");
  config.time_source = v1::TIME_SOURCE_REQUEST;
  EXPECT_NE(Problem(config), "");
  config.listen = "127.0.0.1:0";
  EXPECT_EQ(Problem(config), "");
}

TEST(ConfigTest, TheHostIsFreeOfPortAndBrackets) {
  EXPECT_EQ(ListenHost(Listening("127.0.0.1:7420")), "127.0.0.1");
  EXPECT_EQ(ListenHost(Listening("[::1]:7420")), "::1");
}

TEST(ConfigTest, OtherMistakesNameTheirFlag) {
  Config config;
  config.data_dir = "";
  EXPECT_TRUE(absl::StrContains(Problem(config), "--data_dir"));
  config = {};
  config.default_profile = "strict";
  EXPECT_TRUE(absl::StrContains(Problem(config), "--default_profile is one of reference, tool_calling"));
  config = {};
  config.time_source = v1::TIME_SOURCE_UNSPECIFIED;
  EXPECT_TRUE(absl::StrContains(Problem(config), "--time_source is wall or request"));
}

TEST(ConfigTest, ExecutorThreadsAre1To256) {
  Config config;
  for (const int32_t threads : {1, 256}) {
    config.executor_threads = threads;
    EXPECT_EQ(Problem(config), "");
  }
  for (const int32_t threads : {0, -1, 257}) {
    config.executor_threads = threads;
    EXPECT_TRUE(absl::StrContains(Problem(config), "--executor_threads is 1 to 256")) << threads;
  }
}

TEST(ConfigTest, AlertsStayForAMinuteAndAKibibyteAtLeast) {
  Config config;
  config.alert_retention = absl::Minutes(1);
  config.alert_log_bytes_max = 1024;
  EXPECT_EQ(Problem(config), "");
  config.alert_retention -= absl::Nanoseconds(1);
  EXPECT_TRUE(absl::StrContains(Problem(config), "--alert_retention is at least 1m"));
  config = Config();
  config.alert_log_bytes_max = 1023;
  EXPECT_TRUE(absl::StrContains(Problem(config), "--alert_log_bytes_max is at least 1024"));
}

TEST(ConfigTest, DecisionsStayForADayAndAKibibyteAtLeast) {
  Config config;
  config.decision_retention = absl::Hours(24);
  config.decision_log_bytes_max = 1024;
  EXPECT_EQ(Problem(config), "");
  config.decision_retention -= absl::Nanoseconds(1);
  EXPECT_TRUE(absl::StrContains(Problem(config), "--decision_retention is at least 24h"));
  config = Config();
  config.decision_log_bytes_max = 1023;
  EXPECT_TRUE(absl::StrContains(Problem(config), "--decision_log_bytes_max is at least 1024"));
}

TEST(ConfigTest, TheAuditLogStaysAsLongAsDecisions) {
  Config config;
  config.audit_retention = config.decision_retention;
  EXPECT_EQ(Problem(config), "");
  config.audit_retention -= absl::Nanoseconds(1);
  EXPECT_TRUE(absl::StrContains(Problem(config), "--audit_retention is at least --decision_retention"));
}

TEST(ConfigTest, RecordingCanBeSwitchedOff) {
  Config config;
  config.recording_retention = absl::ZeroDuration();
  config.recording_bytes_max = 1024;
  EXPECT_EQ(Problem(config), "");
  config.recording_retention -= absl::Nanoseconds(1);
  EXPECT_TRUE(absl::StrContains(Problem(config), "--recording_retention is 0 or more"));
  config = Config();
  config.recording_bytes_max = 1023;
  EXPECT_TRUE(absl::StrContains(Problem(config), "--recording_bytes_max is at least 1024"));
}

TEST(ConfigTest, AKeyFileOfItsOwnIsUsed) {
  Config config;
  config.secret_key_file = "/keys/interlock";
  EXPECT_EQ(SecretKeyPath(config), "/keys/interlock");
  EXPECT_EQ(AuditKeyPath(config), "./interlock-data/audit_key.pem");
  config.audit_key_file = "/keys/audit";
  EXPECT_EQ(AuditKeyPath(config), "/keys/audit");
}

class FlagsTest : public ::testing::Test {
 protected:
  void Set(const char* flag, const std::string& value) {
    std::string error;
    ASSERT_TRUE(absl::FindCommandLineFlag(flag)->ParseFrom(value, &error)) << error;
  }
  absl::FlagSaver saver_;
};

TEST_F(FlagsTest, WithoutFlagsTheDefaultsHold) {
  const auto config = ConfigFromFlags();
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->listen, Config().listen);
  EXPECT_EQ(config->time_source, v1::TIME_SOURCE_WALL);
  EXPECT_EQ(config->executor_threads, Config().executor_threads);
}

TEST_F(FlagsTest, EveryFlagReachesTheConfiguration) {
  Set("listen", "127.0.0.1:0");
  Set("data_dir", "/data");
  Set("default_profile", "tool_calling");
  Set("time_source", "request");
  Set("alert_retention", "36h");
  Set("alert_log_bytes_max", "4096");
  Set("decision_retention", "100h");
  Set("decision_log_bytes_max", "8192");
  Set("executor_threads", "3");
  Set("secret_key_file", "/key");
  Set("audit_retention", "200h");
  Set("audit_key_file", "/audit");
  Set("recording_retention", "10h");
  Set("recording_bytes_max", "2048");
  const auto config = ConfigFromFlags();
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->listen, "127.0.0.1:0");
  EXPECT_EQ(config->data_dir, "/data");
  EXPECT_EQ(config->default_profile, "tool_calling");
  EXPECT_EQ(config->time_source, v1::TIME_SOURCE_REQUEST);
  EXPECT_EQ(config->alert_retention, absl::Hours(36));
  EXPECT_EQ(config->alert_log_bytes_max, 4096);
  EXPECT_EQ(config->decision_retention, absl::Hours(100));
  EXPECT_EQ(config->decision_log_bytes_max, 8192);
  EXPECT_EQ(config->executor_threads, 3);
  EXPECT_EQ(config->secret_key_file, "/key");
  EXPECT_EQ(config->audit_retention, absl::Hours(200));
  EXPECT_EQ(config->audit_key_file, "/audit");
  EXPECT_EQ(config->recording_retention, absl::Hours(10));
  EXPECT_EQ(config->recording_bytes_max, 2048);
}

TEST_F(FlagsTest, AWrongFlagIsAnError) {
  Set("time_source", "moon");
  EXPECT_FALSE(ConfigFromFlags().ok());
}

}  // namespace
}  // namespace interlock::server
