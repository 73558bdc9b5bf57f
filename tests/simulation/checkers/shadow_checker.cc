#include "tests/simulation/checkers/shadow_checker.h"

#include "core/base/limits.h"
#include "core/base/time.h"
#include "server/rpc/history.h"
#include "tests/support/policy_content.h"

namespace interlock::simulation {

void ShadowChecker::OnPolicy(const v1::PolicySet& policy, const v1::Principal&) {
  v1::PolicySet& known = policies_[policy.tenant_id()];
  if (policy.version() > known.version()) known = policy;
}

void ShadowChecker::OnSettled(const Settled<v1::SetShadowPolicyRequest, v1::ShadowPolicy>& call) {
  if (!call.reply.ok()) return;
  const std::string& tenant_id = call.request.tenant_id();
  const auto [answer, is_new] =
      answers_.try_emplace(call.request.request_id(), Answer{call.now, FromProto(call.reply->start_time())});
  if (!is_new) {
    const bool is_late = call.now >= answer->second.time + kRequestRetention;
    // Whether an end was told again or is a new one cannot be seen.
    if (is_late && !call.request.has_policy()) shadows_.erase(tenant_id);
    // A reply that is sent again tells nothing new; but a message that was under way for so long is a new request.
    if (FromProto(call.reply->start_time()) == answer->second.start_time) return;
    answer->second = {call.now, FromProto(call.reply->start_time())};
  }
  sim_.coverage.Count("shadow", call.request.has_policy() ? "set" : "ended");
  shadows_[tenant_id] = {*call.reply, {}, true};
}

void ShadowChecker::OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) {
  if (!call.reply.ok() || call.reply->replayed()) return;
  const v1::Decision& decision = *call.reply;
  const auto found = shadows_.find(decision.tenant_id());
  if (found == shadows_.end() || !found->second.set.has_policy()) return;
  Shadow& shadow = found->second;
  shadow.decisions[decision.decision_id()] = decision.verdict();
  const auto policy = policies_.find(decision.tenant_id());
  shadow.is_mirror = shadow.is_mirror && policy != policies_.end() &&
                     support::ContentOf(policy->second) == support::ContentOf(shadow.set.policy());
}

void ShadowChecker::OnOpened(const server::Core& core) {
  for (const auto& [tenant_id, shadow] : shadows_) CheckTenant(core, tenant_id, shadow);
}

void ShadowChecker::CheckTenant(const server::Core& core, const std::string& tenant_id, const Shadow& shadow) {
  v1::ListShadowDifferencesRequest request;
  request.set_tenant_id(tenant_id);
  request.set_page_size(1000);
  const auto stored = server::Read(*core.store, request);
  if (!shadow.set.has_policy()) {
    if (stored.ok()) sim_.trace.Fail("shadow", tenant_id, " has a shadow policy that was ended");
    return;
  }
  if (!stored.ok()) return sim_.trace.Fail("shadow", tenant_id, " has lost its shadow policy");
  const v1::ShadowCounts& counts = stored->shadow().counts();
  int64_t counted = 0;
  int64_t differing = 0;
  for (const v1::VerdictCount& verdicts : counts.verdicts()) {
    counted += verdicts.count();
    differing += verdicts.from() == verdicts.to() ? 0 : verdicts.count();
  }
  const auto decided = static_cast<int64_t>(shadow.decisions.size());
  if (counts.decisions() != decided || counted != decided || counts.differences() != differing) {
    sim_.trace.Fail("shadow", tenant_id, " has ", decided, " decisions beside its shadow policy, counted are ",
                    counts.decisions(), ", by verdict ", counted);
  }
  if (stored->next_page_token().empty() && stored->differences_size() != differing) {
    sim_.trace.Fail("shadow", tenant_id, " has ", differing, " differences, listed are ", stored->differences_size());
  }
  for (const v1::ShadowDifference& difference : stored->differences()) {
    const auto decision = shadow.decisions.find(difference.decision_id());
    const bool fits = decision != shadow.decisions.end() && decision->second == difference.verdict() &&
                      difference.verdict() != difference.shadow_verdict();
    if (!fits) sim_.trace.Fail("shadow", "the difference of ", difference.decision_id(), " is none");
  }
  if (shadow.is_mirror && differing > 0) {
    sim_.trace.Fail("shadow", tenant_id, " differs from its own policy in ", differing, " decisions");
  }
  if (decided == 0) return;
  sim_.coverage.Count("shadow", differing > 0 ? "differs" : shadow.is_mirror ? "mirrors" : "agrees");
}

}  // namespace interlock::simulation
