#include <string>

#include "gtest/gtest.h"
#include "server/validate/requests_testing.h"

namespace interlock::server {
namespace {

using Engage = v1::EngageLockRequest;

Engage WithScope(const std::string& text) { return Parse<Engage>(text + " reason: 'why' request_id: 'r'"); }

TEST(EngageLockTest, EnvelopeAndReason) {
  ExpectVariations<Engage>(
      WithScope("tenant_id: 't' scope { kind: SCOPE_KIND_AGENT id: 'a' }"),
      {
          {"empty", [](Engage& r) { r.Clear(); }, {"scope", "reason"}},
          {"no kind", [](Engage& r) { r.mutable_scope()->clear_kind(); }, {"scope.kind"}},
          {"unknown kind",
           [](Engage& r) { r.mutable_scope()->set_kind(static_cast<v1::ScopeKind>(6)); },
           {"scope.kind"}},
          {"no reason", [](Engage& r) { r.clear_reason(); }, {"reason"}},
          {"reason of 1,024 bytes", [](Engage& r) { r.set_reason(std::string(1024, 'a')); }, {}},
          {"reason too long", [](Engage& r) { r.set_reason(std::string(1025, 'a')); }, {"reason"}},
          {"reason not UTF-8", [](Engage& r) { r.set_reason("\xFF"); }, {"reason"}},
          {"reason of two lines", [](Engage& r) { r.set_reason("a\nb"); }, {}},
          {"request id", [](Engage& r) { r.set_request_id(std::string(65, 'r')); }, {"request_id"}},
      });
}

TEST(EngageLockTest, FleetHasNeitherTenantNorId) {
  ExpectVariations<Engage>(WithScope("scope { kind: SCOPE_KIND_FLEET }"),
                           {
                               {"tenant", [](Engage& r) { r.set_tenant_id("t"); }, {"tenant_id"}},
                               {"id", [](Engage& r) { r.mutable_scope()->set_id("t"); }, {"scope.id"}},
                               {"both",
                                [](Engage& r) {
                                  r.set_tenant_id("t");
                                  r.mutable_scope()->set_id("t");
                                },
                                {"tenant_id", "scope.id"}},
                           });
}

TEST(EngageLockTest, TenantIsNamedByEitherFieldOrTheSameInBoth) {
  const auto names = [](const std::string& tenant_id, const std::string& scope_id) {
    return [=](Engage& r) {
      r.set_tenant_id(tenant_id);
      r.mutable_scope()->set_id(scope_id);
    };
  };
  ExpectVariations<Engage>(WithScope("tenant_id: 't' scope { kind: SCOPE_KIND_TENANT }"),
                           {
                               {"id only", names("", "t"), {}},
                               {"both", names("t", "t"), {}},
                               {"neither", names("", ""), {"scope.id"}},
                               {"different", names("t", "u"), {"scope.id"}},
                               {"bad tenant", names("\n", ""), {"tenant_id"}},
                               {"bad id", names("", "\n"), {"scope.id"}},
                               {"long id", names("", std::string(129, 't')), {"scope.id"}},
                           });
}

TEST(EngageLockTest, InnerScopesNeedTenantAndId) {
  struct Kind {
    const char* name;
    size_t id_bytes_max;
  };
  for (const Kind& kind : {Kind{"CATEGORY", 64}, Kind{"AGENT", 128}, Kind{"RESOURCE", 512}}) {
    SCOPED_TRACE(kind.name);
    ExpectVariations<Engage>(
        WithScope(std::string("tenant_id: 't' scope { id: 'x' kind: SCOPE_KIND_") + kind.name + "}"),
        {
            {"no tenant", [](Engage& r) { r.clear_tenant_id(); }, {"tenant_id"}},
            {"no id", [](Engage& r) { r.mutable_scope()->clear_id(); }, {"scope.id"}},
            {"neither",
             [](Engage& r) {
               r.clear_tenant_id();
               r.mutable_scope()->clear_id();
             },
             {"tenant_id", "scope.id"}},
            {"longest id", [&](Engage& r) { r.mutable_scope()->set_id(std::string(kind.id_bytes_max, 'a')); }, {}},
            {"id too long",
             [&](Engage& r) { r.mutable_scope()->set_id(std::string(kind.id_bytes_max + 1, 'a')); },
             {"scope.id"}},
            {"bad id", [](Engage& r) { r.mutable_scope()->set_id("\n"); }, {"scope.id"}},
        });
  }
}

TEST(EngageLockTest, OnlyAMaintenanceHasAnEnd) {
  const auto end = [](Engage& r, v1::LockKind kind) {
    r.set_kind(kind);
    r.mutable_end_time()->set_seconds(1700000000);
  };
  ExpectVariations<Engage>(
      WithScope("tenant_id: 't' scope { kind: SCOPE_KIND_AGENT id: 'a' }"),
      {
          {"stop", [](Engage& r) { r.set_kind(v1::LOCK_KIND_EMERGENCY_STOP); }, {}},
          {"trip", [](Engage& r) { r.set_kind(v1::LOCK_KIND_TRIP); }, {"kind"}},
          {"unknown kind", [](Engage& r) { r.set_kind(static_cast<v1::LockKind>(9)); }, {"kind"}},
          {"maintenance", [=](Engage& r) { end(r, v1::LOCK_KIND_MAINTENANCE); }, {}},
          {"without an end", [](Engage& r) { r.set_kind(v1::LOCK_KIND_MAINTENANCE); }, {"end_time"}},
          {"stop with an end", [=](Engage& r) { end(r, v1::LOCK_KIND_EMERGENCY_STOP); }, {"end_time"}},
          {"no time",
           [=](Engage& r) {
             end(r, v1::LOCK_KIND_MAINTENANCE);
             r.mutable_end_time()->set_nanos(-1);
           },
           {"end_time"}},
      });
}

TEST(AcknowledgeLockTest, LockAndVersionAreRequired) {
  using Acknowledge = v1::AcknowledgeLockRequest;
  ExpectVariations<Acknowledge>(
      Parse<Acknowledge>("lock_id: 'lock-1' version: 1"),
      {
          {"empty", [](Acknowledge& r) { r.Clear(); }, {"lock_id", "version"}},
          {"lock", [](Acknowledge& r) { r.set_lock_id("\n"); }, {"lock_id"}},
          {"version", [](Acknowledge& r) { r.set_version(0); }, {"version"}},
          {"reason", [](Acknowledge& r) { r.set_reason(std::string(1024, 'a')); }, {}},
          {"reason too long", [](Acknowledge& r) { r.set_reason(std::string(1025, 'a')); }, {"reason"}},
          {"request id", [](Acknowledge& r) { r.set_request_id("\n"); }, {"request_id"}},
      });
}

TEST(ReleaseLockTest, EveryFieldButTheRequestIdIsRequired) {
  using Release = v1::ReleaseLockRequest;
  ExpectVariations<Release>(Parse<Release>("lock_id: 'lock-1' version: 1 reason: 'why' request_id: 'r'"),
                            {
                                {"empty", [](Release& r) { r.Clear(); }, {"lock_id", "version", "reason"}},
                                {"no request id", [](Release& r) { r.clear_request_id(); }, {}},
                                {"lock", [](Release& r) { r.set_lock_id("\n"); }, {"lock_id"}},
                                {"version negative", [](Release& r) { r.set_version(-1); }, {"version"}},
                                {"reason", [](Release& r) { r.set_reason(std::string(1025, 'a')); }, {"reason"}},
                                {"request id", [](Release& r) { r.set_request_id("\n"); }, {"request_id"}},
                            });
}

TEST(GetLockTest, LockIsRequired) {
  using Get = v1::GetLockRequest;
  ExpectVariations<Get>(Parse<Get>("lock_id: 'lock-1'"),
                        {
                            {"empty", [](Get& r) { r.Clear(); }, {"lock_id"}},
                            {"too long", [](Get& r) { r.set_lock_id(std::string(129, 'a')); }, {"lock_id"}},
                        });
}

TEST(ListLocksTest, TenantIsOptional) {
  using List = v1::ListLocksRequest;
  ExpectVariations<List>(Parse<List>("tenant_id: 't' include_clear: true page_size: 1000"),
                         {
                             {"empty", [](List& r) { r.Clear(); }, {}},
                             {"tenant", [](List& r) { r.set_tenant_id("\n"); }, {"tenant_id"}},
                             {"page size", [](List& r) { r.set_page_size(-1); }, {"page_size"}},
                         });
}

TEST(WatchLocksTest, TenantIsOptional) {
  using Watch = v1::WatchLocksRequest;
  ExpectVariations<Watch>(Parse<Watch>("tenant_id: 't'"),
                          {
                              {"empty", [](Watch& r) { r.Clear(); }, {}},
                              {"tenant", [](Watch& r) { r.set_tenant_id("\n"); }, {"tenant_id"}},
                              {"revision", [](Watch& r) { r.set_after_revision(-1); }, {"after_revision"}},
                              {"epoch", [](Watch& r) { r.set_epoch("\n"); }, {"epoch"}},
                          });
}

}  // namespace
}  // namespace interlock::server
