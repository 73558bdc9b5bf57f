#include <string>

#include "gtest/gtest.h"
#include "server/validate/requests_testing.h"

namespace interlock::server {
namespace {

using Create = v1::CreateTaskRequest;

Create ValidCreate() {
  return Parse<Create>(R"pb(
    task {
      tenant_id: "t"
      type: "oauth_token"
      target: "gsc"
      next_run_time { seconds: 1 }
      interval { seconds: 3600 }
    }
    request_id: "r"
    oauth_grant {
      token_endpoint: "https://accounts.example.com/token"
      client_id: "c"
      client_secret: "hunter2"
      refresh_token: "f"
      scope: "a b"
    }
  )pb");
}

std::function<void(Create&)> Interval(int64_t seconds, int32_t nanos) {
  return [=](Create& r) {
    r.mutable_task()->mutable_interval()->set_seconds(seconds);
    r.mutable_task()->mutable_interval()->set_nanos(nanos);
  };
}

std::function<void(Create&)> InGrant(std::function<void(v1::OAuthGrant&)> change) {
  return [change](Create& request) { change(*request.mutable_oauth_grant()); };
}

TEST(CreateTaskTest, Task) {
  ExpectVariations<Create>(
      ValidCreate(),
      {
          {"empty", [](Create& r) { r.Clear(); }, {"task"}},
          {"nothing in it",
           [](Create& r) { r = Parse<Create>("task {}"); },
           {"task.tenant_id", "task.type", "task.target"}},
          {"tenant", [](Create& r) { r.mutable_task()->set_tenant_id("\n"); }, {"task.tenant_id"}},
          {"type", [](Create& r) { r.mutable_task()->set_type("oauth_token\n"); }, {"task.type", "oauth_grant"}},
          {"target of 256 bytes", [](Create& r) { r.mutable_task()->set_target(std::string(256, 'a')); }, {}},
          {"target", [](Create& r) { r.mutable_task()->set_target(std::string(257, 'a')); }, {"task.target"}},
          {"at once", [](Create& r) { r.mutable_task()->clear_next_run_time(); }, {}},
          {"time", [](Create& r) { r.mutable_task()->mutable_next_run_time()->set_nanos(-1); }, {"task.next_run_time"}},
          {"default interval", [](Create& r) { r.mutable_task()->clear_interval(); }, {}},
          {"shortest interval", Interval(60, 0), {}},
          {"interval too short", Interval(59, 999999999), {"task.interval"}},
          {"longest interval", Interval(366 * 86400, 0), {}},
          {"interval too long", Interval(366 * 86400, 1), {"task.interval"}},
          {"interval of two signs", Interval(61, -1), {"task.interval"}},
          {"output only fields are not looked at", [](Create& r) { r.mutable_task()->set_task_id("\n"); }, {}},
          {"request id", [](Create& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
      });
}

TEST(CreateTaskTest, GrantBelongsToItsType) {
  ExpectVariations<Create>(
      ValidCreate(), {
                         {"no grant", [](Create& r) { r.clear_oauth_grant(); }, {"oauth_grant"}},
                         {"another type", [](Create& r) { r.mutable_task()->set_type("http_probe"); }, {"oauth_grant"}},
                         {"another type without a grant",
                          [](Create& r) {
                            r.mutable_task()->set_type("http_probe");
                            r.clear_oauth_grant();
                          },
                          {}},
                     });
}

TEST(CreateTaskTest, Grant) {
  ExpectVariations<Create>(
      ValidCreate(),
      {
          {"empty",
           InGrant([](v1::OAuthGrant& g) { g.Clear(); }),
           {"oauth_grant.token_endpoint", "oauth_grant.client_id", "oauth_grant.refresh_token"}},
          {"public client", InGrant([](v1::OAuthGrant& g) { g.clear_client_secret(); }), {}},
          {"scope as granted", InGrant([](v1::OAuthGrant& g) { g.clear_scope(); }), {}},
          {"loopback", InGrant([](v1::OAuthGrant& g) { g.set_token_endpoint("http://127.0.0.1:8080/"); }), {}},
          {"endpoint",
           InGrant([](v1::OAuthGrant& g) { g.set_token_endpoint("http://accounts.example.com/"); }),
           {"oauth_grant.token_endpoint"}},
          {"client",
           InGrant([](v1::OAuthGrant& g) { g.set_client_id(std::string(1025, 'a')); }),
           {"oauth_grant.client_id"}},
          {"secret",
           InGrant([](v1::OAuthGrant& g) { g.set_client_secret(std::string(4097, 'a')); }),
           {"oauth_grant.client_secret"}},
          {"token",
           InGrant([](v1::OAuthGrant& g) { g.set_refresh_token(std::string(8193, 'a')); }),
           {"oauth_grant.refresh_token"}},
          {"scope", InGrant([](v1::OAuthGrant& g) { g.set_scope(std::string(4097, 'a')); }), {"oauth_grant.scope"}},
          {"all at their longest",
           InGrant([](v1::OAuthGrant& g) {
             g.set_client_id(std::string(1024, 'a'));
             g.set_client_secret(std::string(4096, 'a'));
             g.set_refresh_token(std::string(8192, 'a'));
             g.set_scope(std::string(4096, 'a'));
           }),
           {}},
      });
}

TEST(CreateTaskTest, SecretsAreNotRepeatedInTheError) {
  Create request = ValidCreate();
  request.mutable_oauth_grant()->set_client_secret("hunter2\n");
  request.mutable_oauth_grant()->set_refresh_token("hunter2\n");
  request.mutable_oauth_grant()->set_token_endpoint("https://hunter2@example.com/");
  const absl::Status status = Validate(request);
  EXPECT_EQ(ViolatedFields(status).size(), 3u);
  EXPECT_EQ(status.ToString().find("hunter2"), std::string::npos);
}

TEST(GetTaskTest, NamesAreRequired) {
  using Get = v1::GetTaskRequest;
  ExpectVariations<Get>(Parse<Get>("tenant_id: 't' task_id: 'task-1'"),
                        {
                            {"empty", [](Get& r) { r.Clear(); }, {"tenant_id", "task_id"}},
                            {"task", [](Get& r) { r.set_task_id("\n"); }, {"task_id"}},
                        });
}

TEST(ListTasksTest, TenantAndPage) {
  using List = v1::ListTasksRequest;
  ExpectVariations<List>(Parse<List>("tenant_id: 't' page_size: 1"),
                         {
                             {"empty", [](List& r) { r.Clear(); }, {"tenant_id"}},
                             {"page size", [](List& r) { r.set_page_size(-1); }, {"page_size"}},
                         });
}

TEST(TriggerTaskTest, NamesAreRequired) {
  using Trigger = v1::TriggerTaskRequest;
  ExpectVariations<Trigger>(
      Parse<Trigger>("tenant_id: 't' task_id: 'task-1' request_id: 'r'"),
      {
          {"empty", [](Trigger& r) { r.Clear(); }, {"tenant_id", "task_id"}},
          {"request id", [](Trigger& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
      });
}

TEST(ListAttemptsTest, NamesAndPage) {
  using List = v1::ListAttemptsRequest;
  ExpectVariations<List>(Parse<List>("tenant_id: 't' task_id: 'task-1' page_size: 1"),
                         {
                             {"empty", [](List& r) { r.Clear(); }, {"tenant_id", "task_id"}},
                             {"page size", [](List& r) { r.set_page_size(-1); }, {"page_size"}},
                         });
}

}  // namespace
}  // namespace interlock::server
