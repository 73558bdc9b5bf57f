#include "tests/simulation/workloads/locks.h"

#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/environment.h"
#include "core/base/time.h"
#include "server/rpc/history.h"

namespace interlock::simulation {

namespace {

constexpr absl::string_view kPeople[] = {"alice", "bob", "carol"};

}  // namespace

void Locks::Step() {
  if (sim_.random.Chance(0.2)) return Engage();
  const std::vector<v1::Lock> locks = List();
  if (locks.empty()) return;
  const v1::Lock& lock = sim_.random.Pick(locks);
  // What was approved before a further cause must not count after it.
  if (lock.approved_by_size() > 0 && sim_.random.Chance(0.3)) return EngageAgain(lock);
  const bool unseen = lock.state() == v1::LOCK_STATE_TRIPPED && lock.release_rule().acknowledgement_required();
  if (sim_.random.Chance(unseen || lock.has_end_time() ? 0.8 : 0.15)) {
    TakeStep("acknowledge", v1::AcknowledgeLockRequest(), lock);
  } else {
    TakeStep("release", v1::ReleaseLockRequest(), lock);
  }
}

void Locks::Engage() {
  v1::EngageLockRequest request;
  v1::LockScope& scope = *request.mutable_scope();
  request.set_tenant_id(sim_.random.Pick(cast_.tenants));
  switch (sim_.random.Below(8)) {
    case 0:
      request.clear_tenant_id();
      scope.set_kind(v1::SCOPE_KIND_FLEET);
      break;
    case 1:
      scope.set_kind(v1::SCOPE_KIND_TENANT);
      scope.set_id(request.tenant_id());
      break;
    case 2:
    case 3:
      scope.set_kind(v1::SCOPE_KIND_CATEGORY);
      scope.set_id("content_modification");
      break;
    case 4:
    case 5:
      scope.set_kind(v1::SCOPE_KIND_RESOURCE);
      scope.set_id(sim_.random.Pick(cast_.resources));
      break;
    default:
      scope.set_kind(v1::SCOPE_KIND_AGENT);
      scope.set_id(sim_.random.Pick(cast_.agents));
  }
  request.set_reason("stop this");
  if (sim_.random.Chance(0.2)) {
    request.set_kind(v1::LOCK_KIND_MAINTENANCE);
    // Sometimes so soon that it is over when the call comes.
    *request.mutable_end_time() = ToProto(sim_.clock.TimeNow() + absl::Milliseconds(sim_.random.Between(10, 60000)));
  }
  Send(request);
}

void Locks::EngageAgain(const v1::Lock& lock) {
  v1::EngageLockRequest request;
  request.set_tenant_id(lock.tenant_id());
  *request.mutable_scope() = lock.scope();
  request.set_reason("it goes on");
  Send(request);
}

void Locks::Send(v1::EngageLockRequest request) {
  if (sim_.random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  const v1::LockScope& scope = request.scope();
  sim_.trace.Add("engage: ", request.tenant_id(), " ", v1::ScopeKind_Name(scope.kind()), " ", scope.id());
  network_.Call<v1::EngageLockRequest, v1::Lock>(
      PrincipalOf(v1::PRINCIPAL_KIND_HUMAN, "alice"), request, [this](const absl::StatusOr<v1::Lock>& reply) {
        sim_.trace.Add("engaged: ", reply.ok() ? reply->lock_id() : InShort(reply.status()));
      });
}

template <typename Request>
void Locks::TakeStep(absl::string_view what, Request request, const v1::Lock& lock) {
  request.set_lock_id(lock.lock_id());
  request.set_version(lock.version() - (sim_.random.Chance(0.05) ? 1 : 0));
  request.set_reason("all is well");
  if (sim_.random.Chance(0.9)) request.set_request_id(client::NewRequestId(network_.environment()));
  // Only a person may; whoever else tries is refused.
  const v1::PrincipalKind kind = sim_.random.Chance(0.9) ? v1::PRINCIPAL_KIND_HUMAN : v1::PRINCIPAL_KIND_AGENT;
  const std::string person(kPeople[sim_.random.Below(std::size(kPeople))]);
  sim_.trace.Add(what, ": ", lock.lock_id(), " by ", person);
  network_.Call<Request, v1::Lock>(
      PrincipalOf(kind, person), request, [this, kind, what](const absl::StatusOr<v1::Lock>& reply) {
        sim_.trace.Add(what, " answered: ",
                       reply.ok() ? absl::StrCat(reply->lock_id(), " ", v1::LockState_Name(reply->state()))
                                  : InShort(reply.status()));
        if (reply.ok() && kind != v1::PRINCIPAL_KIND_HUMAN) {
          sim_.trace.Fail("latched", reply->lock_id(), " was changed by an agent");
        }
      });
}

std::vector<v1::Lock> Locks::List() {
  const std::shared_ptr<const Store> store = server_.store();
  if (store == nullptr) return {};
  sim_.coverage.Count("command", "ListLocks");
  const auto page = server::Read(*store, v1::ListLocksRequest());
  if (!page.ok()) {
    sim_.trace.Fail("history-reads", page.status().ToString());
    return {};
  }
  return {page->locks().begin(), page->locks().end()};
}

}  // namespace interlock::simulation
