#include "tests/differential/duel.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error.h"
#include "tests/differential/compare.h"
#include "tests/differential/known.h"
#include "tests/differential/model.h"
#include "tests/support/engine_world.h"

namespace interlock::differential {
namespace {

Engine::Options OptionsOf(const Setting& setting) {
  Engine::Options options;
  options.default_profile = setting.default_profile;
  options.time_source = setting.time_source;
  return options;
}

// The engine and the model, at the same point of a script.
class Pair {
 public:
  Pair(const Setting& setting, Coverage& coverage)
      : coverage_(coverage),
        world_(OptionsOf(setting)),
        model_(setting.default_profile, setting.time_source, world_.engine->epoch()) {
    model_.SetTime(world_.now);
  }

  // What differs; empty: nothing.
  std::string Run(const Command& command) {
    if (std::string difference = MoveTo(command.time); !difference.empty()) return difference;
    caller_ = command.caller;
    world_.caller = command.caller;
    ++coverage_[absl::StrCat("command ", NameOf(command.request))];
    return std::visit([this](const auto& request) { return Run(request); }, command.request);
  }

 private:
  std::string MoveTo(absl::Time time) {
    world_.now = std::max(world_.now, time);
    model_.SetTime(world_.now);
    const Answer actual = Watch([&] {
      do {
        world_.Tick();
      } while (world_.engine->NextTimer() <= world_.now);
      return Answer();
    });
    return Judge(model_.Tick(), actual);
  }

  // What `act` answers, with what was told meanwhile.
  template <typename Act>
  Answer Watch(const Act& act) {
    const size_t alerts = world_.alerts.size();
    const size_t locks = world_.lock_changes.size();
    const size_t approvals = world_.approval_changes.size();
    const size_t checkpoints = world_.checkpoint_changes.size();
    const size_t rollbacks = world_.rollback_changes.size();
    const size_t grants = world_.grants.size();
    Answer answer = act();
    answer.alerts.assign(world_.alerts.begin() + static_cast<ptrdiff_t>(alerts), world_.alerts.end());
    answer.locks.assign(world_.lock_changes.begin() + static_cast<ptrdiff_t>(locks), world_.lock_changes.end());
    answer.approvals.assign(world_.approval_changes.begin() + static_cast<ptrdiff_t>(approvals),
                            world_.approval_changes.end());
    answer.checkpoints.assign(world_.checkpoint_changes.begin() + static_cast<ptrdiff_t>(checkpoints),
                              world_.checkpoint_changes.end());
    answer.rollbacks.assign(world_.rollback_changes.begin() + static_cast<ptrdiff_t>(rollbacks),
                            world_.rollback_changes.end());
    answer.grants.assign(world_.grants.begin() + static_cast<ptrdiff_t>(grants), world_.grants.end());
    return answer;
  }

  template <typename EngineCommand>
  Answer Ask(const EngineCommand& command) {
    return Watch([&] {
      auto reply = world_.Do(command);
      if (reply.ok()) return ReplyWith(*std::move(reply));
      Answer answer;
      answer.error = absl::StrCat(absl::StatusCodeToString(reply.status().code()), " ", ErrorReason(reply.status()));
      return answer;
    });
  }

  std::string Judge(const Answer& expected, const Answer& actual) {
    Count(actual, coverage_);
    known_.Learn(actual);
    return Compare(expected, actual);
  }

  template <typename Request>
  std::string Run(const Request& request) {
    const Answer expected = model_.Apply(request, caller_);
    return Judge(expected, Ask(request));
  }

  std::string Run(const ReleaseLock& release) { return Run(known_.Resolve(release)); }
  std::string Run(const AcknowledgeLock& acknowledge) { return Run(known_.Resolve(acknowledge)); }
  std::string Run(const DecideApproval& decide) { return Run(known_.Resolve(decide)); }
  template <typename ActionRequest>
  std::string Run(const AgainWith<ActionRequest>& again) {
    return Run(known_.Resolve(again));
  }
  template <typename ActionRequest>
  std::string Run(const ActionWith<ActionRequest>& act) {
    return Run(known_.Resolve(act));
  }
  std::string Run(const GoBack& go_back) { return Run(known_.Resolve(go_back)); }
  std::string Run(const TellOfRollback& tell) { return Run(known_.Resolve(tell)); }
  std::string Run(const TriggerTask& trigger) { return Run(known_.Resolve(trigger)); }

  std::string Run(const UpdatePolicy& update) {
    const v1::UpdatePolicyRequest request = known_.Resolve(update);
    const Answer expected = model_.Apply(request, !known_.IsOld(update), update.is_valid, caller_);
    return Judge(expected, Ask(request));
  }

  std::string Run(const RollbackPolicy& rollback) {
    const v1::RollbackPolicyRequest request = known_.Resolve(rollback);
    const Answer expected = model_.Apply(request, !known_.IsOld(rollback), caller_);
    return Judge(expected, Ask(request));
  }

  std::string Run(const v1::CreateTaskRequest& request) {
    const Answer expected = model_.Apply(request, caller_);
    return Judge(expected, Ask(CreateTaskCommand{request, "sealed", "digest"}));
  }

  std::string Run(const EndAttempt& command) {
    const absl::optional<EndOfAttempt> end = known_.Resolve(command);
    if (!end.has_value()) return "";
    AttemptResult result;
    result.tenant_id = end->tenant_id;
    result.task_id = end->task_id;
    result.lease_epoch = end->lease_epoch;
    result.success = end->success;
    result.failure_reason = end->failure_reason;
    result.error_message = end->error_message;
    const Answer expected = model_.Apply(*end, caller_);
    return Judge(expected, Ask(result));
  }

  std::string Run(const Restart&) {
    const Answer actual = Watch([&] {
      world_.Restart();
      return Answer();
    });
    return Judge(model_.Restart(), actual);
  }

  Coverage& coverage_;
  testing::EngineWorld world_;
  Model model_;
  v1::Principal caller_;
  Known known_;
};

bool Differs(const Script& script) {
  Coverage coverage;
  return Duel(script, coverage).has_value();
}

}  // namespace

absl::optional<Difference> Duel(const Script& script, Coverage& coverage) {
  Pair pair(script.setting, coverage);
  for (size_t i = 0; i < script.commands.size(); ++i) {
    std::string difference = pair.Run(script.commands[i]);
    if (!difference.empty()) return Difference{i, std::move(difference)};
  }
  return absl::nullopt;
}

Script Shrink(Script script) {
  Coverage coverage;
  const absl::optional<Difference> difference = Duel(script, coverage);
  if (difference.has_value()) script.commands.resize(difference->step + 1);
  // Large parts first, then single commands, until no single one can go.
  for (size_t part = script.commands.size() / 2; part >= 1;) {
    bool shrunk = false;
    for (size_t end = script.commands.size(); end >= part; end -= std::min(part, end)) {
      Script shorter = script;
      shorter.commands.erase(shorter.commands.begin() + static_cast<ptrdiff_t>(end - part),
                             shorter.commands.begin() + static_cast<ptrdiff_t>(end));
      if (!Differs(shorter)) continue;
      script = std::move(shorter);
      shrunk = true;
      end = std::min(end, script.commands.size() + part);
    }
    if (!shrunk || part > 1) part /= 2;
  }
  return script;
}

}  // namespace interlock::differential
