#include "tests/crash/power/going_on.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/engine/engine.h"
#include "interlock/v1/principal.pb.h"
#include "storage/store_header.h"
#include "tests/crash/power/script.h"
#include "tests/support/requests.h"

namespace interlock::crash {
namespace {

// An engine on a store, and all that it answered and wrote.
class Side {
 public:
  Side(Store& store, absl::Time now) : store_(store), now_(now) {
    caller_.set_kind(v1::PRINCIPAL_KIND_HUMAN);
    caller_.set_id("checker");
  }

  absl::Status Run() {
    Effects effects;
    INTERLOCK_ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine,
                               Engine::Load(store_, Script::EngineOptions(), now_, effects));
    now_ = std::max(now_, engine->now());
    engine->Tick(now_, effects);
    for (const char* tenant_id : {"shop", "lab"}) {
      auto action = support::ActionOf(tenant_id, "agent-1", "post_1");
      action.set_request_id("checker");
      Ask(*engine, action, effects);
      Ask(*engine, support::ReportOf(tenant_id, "agent-2", 0.2), effects);
      Ask(*engine, support::EngageOf(tenant_id, v1::SCOPE_KIND_AGENT, "agent-1", "check"), effects);
      Ask(*engine, support::ActionOf(tenant_id, "agent-1", "post_2"), effects);
    }
    engine->EndBatch(effects);
    for (const Write& write : effects.writes.writes()) {
      answers_.push_back(absl::StrCat(static_cast<int>(write.kind), " ", static_cast<int>(write.table), " ", write.key,
                                      " ", write.value));
    }
    return store_.Commit(effects.writes);
  }

  const std::vector<std::string>& answers() const { return answers_; }

 private:
  template <typename Request>
  void Ask(Engine& engine, const Request& request, Effects& effects) {
    const auto reply = engine.Apply(request, CommandContext{caller_, now_}, effects);
    answers_.push_back(reply.ok() ? reply->SerializeAsString() : reply.status().ToString());
  }

  Store& store_;
  absl::Time now_;
  v1::Principal caller_;
  std::vector<std::string> answers_;
};

}  // namespace

absl::Status GoOn(Store& expected, Store& actual, absl::Time now) {
  // The epoch is part of alerts, and not every disk remembers the one that its store was given first.
  WriteSet header;
  INTERLOCK_ASSIGN_OR_RETURN(std::string bytes, actual.Get(Table::kHeader, storage::HeaderKey()));
  header.PutBytes(Table::kHeader, storage::HeaderKey(), std::move(bytes));
  INTERLOCK_RETURN_IF_ERROR(expected.Commit(header));
  Side expected_side(expected, now);
  Side actual_side(actual, now);
  INTERLOCK_RETURN_IF_ERROR(expected_side.Run());
  INTERLOCK_RETURN_IF_ERROR(actual_side.Run());
  if (expected_side.answers() == actual_side.answers()) return absl::OkStatus();
  return absl::InternalError("the engine loaded from the disk goes on in another way than it should");
}

}  // namespace interlock::crash
