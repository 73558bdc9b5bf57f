#include "tests/simulation/checkers/decision_checker.h"

#include "core/base/serialize.h"
#include "core/base/time.h"
#include "tests/simulation/reader.h"

namespace interlock::simulation {
namespace {

// A stored reply that was sent again says so, and is the same otherwise.
std::string BytesOf(v1::Decision decision) {
  decision.clear_replayed();
  return Serialize(decision);
}

}  // namespace

void DecisionChecker::OnSettled(const Settled<v1::ArbitrateRequest, v1::Decision>& call) {
  if (!call.reply.ok()) return;
  const v1::Decision& decision = *call.reply;
  std::string bytes = BytesOf(decision);
  const auto known = decisions_.find(decision.sequence());
  if (decision.replayed()) {
    if (known == decisions_.end() || known->second != bytes) {
      sim_.trace.Fail("same-reply", decision.decision_id(), " was sent again with another content");
    }
    return;
  }
  sim_.coverage.Count("verdict", v1::Verdict_Name(decision.verdict()));
  for (const v1::Reason& reason : decision.reasons()) {
    sim_.coverage.Count("reason", v1::ReasonCode_Name(reason.code()));
  }
  const int64_t expected = decisions_.empty() ? 1 : decisions_.rbegin()->first + 1;
  if (decision.sequence() != expected) {
    sim_.trace.Fail("decisions-dense", "decision ", decision.sequence(), " came where ", expected, " was next");
  }
  if (FromProto(decision.decide_time()) != call.now) {
    sim_.trace.Fail("time-never-decreases", decision.decision_id(), " was decided at ",
                    absl::FormatTime(FromProto(decision.decide_time())), " in a batch of ", absl::FormatTime(call.now));
  }
  decisions_[decision.sequence()] = std::move(bytes);
}

void DecisionChecker::OnSettled(const Settled<v1::ExplainActionRequest, v1::Decision>& call) {
  if (!call.reply.ok() || (call.reply->decision_id().empty() && call.reply->sequence() == 0)) return;
  sim_.trace.Fail("explain-decides-nothing", "an explanation is ", call.reply->decision_id());
}

void DecisionChecker::OnOpened(const server::Core& core) {
  sim_.coverage.Count("check", "audit");
  std::map<int64_t, std::string> stored;
  for (const std::string& tenant_id : cast_.tenants) {
    for (const v1::Decision& decision : DecisionsIn(*core.store, tenant_id)) {
      if (!stored.emplace(decision.sequence(), BytesOf(decision)).second) {
        sim_.trace.Fail("decisions-dense", "two decisions are number ", decision.sequence());
      }
    }
  }
  for (const auto& [sequence, bytes] : decisions_) {
    const auto found = stored.find(sequence);
    if (found == stored.end()) {
      sim_.trace.Fail("decisions-durable", "decision ", sequence, " was given and is gone");
    } else if (found->second != bytes) {
      sim_.trace.Fail("decisions-durable", "decision ", sequence, " is stored otherwise than it was given");
    }
  }
  if (stored.size() > decisions_.size()) {
    sim_.trace.Fail("decisions-durable", "the store has decision ", stored.rbegin()->first, " that nobody made");
  }
}

}  // namespace interlock::simulation
