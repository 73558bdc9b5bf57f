#include "server/executors/oauth_grant.h"

#include "absl/strings/match.h"
#include "core/base/error.h"
#include "core/base/serialize.h"
#include "gtest/gtest.h"

namespace interlock::server {
namespace {

v1::Task MakeTask(const std::string& tenant_id, const std::string& type, const std::string& target) {
  v1::Task task;
  task.set_tenant_id(tenant_id);
  task.set_type(type);
  task.set_target(target);
  return task;
}

v1::OAuthGrant MakeGrant() {
  v1::OAuthGrant grant;
  grant.set_token_endpoint("https://accounts.example.com/token");
  grant.set_client_id("client");
  grant.set_client_secret("the client's secret");
  grant.set_refresh_token("the refresh token");
  grant.set_scope("mail");
  return grant;
}

class OAuthGrantTest : public testing::Test {
 protected:
  std::string Seal(const v1::Task& task) {
    const auto sealed = SealGrant(sealer_, task, MakeGrant());
    EXPECT_TRUE(sealed.ok()) << sealed.status();
    return sealed.value_or("");
  }

  const Sealer sealer_{SecretKey(std::string(SecretKey::kBytes, 'k'))};
  const v1::Task task_ = MakeTask("tenant", "oauth_token", "gsc");
};

TEST_F(OAuthGrantTest, OpensForItsTaskWhateverElseHasChangedInIt) {
  const std::string sealed = Seal(task_);
  EXPECT_FALSE(absl::StrContains(sealed, "secret"));
  v1::Task later = task_;
  later.set_task_id("task-7");
  later.set_state(v1::TASK_STATE_DEGRADED);
  later.set_lease_epoch(9);
  const auto opened = OpenGrant(sealer_, later, sealed);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(Serialize(*opened), Serialize(MakeGrant()));
}

TEST_F(OAuthGrantTest, DoesNotOpenForAnotherTask) {
  const std::string sealed = Seal(task_);
  for (const v1::Task& other : {
           MakeTask("tenant2", "oauth_token", "gsc"),
           MakeTask("tenant", "oauth_token2", "gsc"),
           MakeTask("tenant", "oauth_token", "gsc2"),
           // The same letters, divided otherwise.
           MakeTask("tenan", "toauth_token", "gsc"),
           MakeTask("tenant", "oauth_tokengsc", ""),
           MakeTask("", "", ""),
       }) {
    EXPECT_EQ(ErrorReason(OpenGrant(sealer_, other, sealed).status()), "SECRET_DAMAGED") << other.DebugString();
  }
}

TEST_F(OAuthGrantTest, LengthsKeepNamesApartThatHoldDigitsAndColons) {
  const std::string sealed = Seal(MakeTask("a1:b", "c", "d"));
  EXPECT_FALSE(OpenGrant(sealer_, MakeTask("a", "b1:c", "d"), sealed).ok());
  EXPECT_TRUE(OpenGrant(sealer_, MakeTask("a1:b", "c", "d"), sealed).ok());
}

TEST_F(OAuthGrantTest, AnotherKeyIsNamedAsTheCause) {
  const Sealer other(SecretKey(std::string(SecretKey::kBytes, 'o')));
  EXPECT_EQ(ErrorReason(OpenGrant(other, task_, Seal(task_)).status()), "SECRET_KEY_MISMATCH");
}

TEST_F(OAuthGrantTest, WhatIsNoGrantIsDamaged) {
  const auto sealed = sealer_.Seal("\xFF no message", "6:tenant11:oauth_token3:gsc");
  ASSERT_TRUE(sealed.ok());
  const absl::Status status = OpenGrant(sealer_, task_, *sealed).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ErrorReason(status), "SECRET_DAMAGED");
  EXPECT_TRUE(absl::StrContains(status.message(), "no OAuth grant")) << status;
}

TEST_F(OAuthGrantTest, DigestTellsGrantsApartWithoutShowingThem) {
  const std::string digest = GrantDigest(sealer_, MakeGrant());
  EXPECT_EQ(digest.size(), 32u);
  EXPECT_EQ(digest, GrantDigest(sealer_, MakeGrant()));
  EXPECT_EQ(digest, sealer_.Fingerprint(Serialize(MakeGrant())));
  for (const char* field : {"token_endpoint", "client_id", "client_secret", "refresh_token", "scope"}) {
    v1::OAuthGrant other = MakeGrant();
    const auto* descriptor = v1::OAuthGrant::descriptor()->FindFieldByName(field);
    other.GetReflection()->SetString(&other, descriptor, "changed");
    EXPECT_NE(GrantDigest(sealer_, other), digest) << field;
  }
}

TEST_F(OAuthGrantTest, CleanseLeavesNothing) {
  v1::OAuthGrant grant = MakeGrant();
  CleanseGrant(grant);
  EXPECT_EQ(grant.ByteSizeLong(), 0u);
}

}  // namespace
}  // namespace interlock::server
