#include "tests/differential/duel.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/error.h"
#include "tests/differential/compare.h"
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
    Answer actual = Watch([&] {
      do {
        world_.Tick();
      } while (world_.engine->NextTimer() <= world_.now);
      return Answer();
    });
    return Compare(model_.Tick(), actual);
  }

  // What `act` answers, with what was told meanwhile.
  template <typename Act>
  Answer Watch(const Act& act) {
    const size_t alerts = world_.alerts.size();
    const size_t locks = world_.lock_changes.size();
    const size_t grants = world_.grants.size();
    Answer answer = act();
    answer.alerts.assign(world_.alerts.begin() + static_cast<ptrdiff_t>(alerts), world_.alerts.end());
    answer.locks.assign(world_.lock_changes.begin() + static_cast<ptrdiff_t>(locks), world_.lock_changes.end());
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
    return Compare(expected, actual);
  }

  template <typename Request>
  std::string Run(const Request& request) {
    return Judge(model_.Apply(request, caller_), Ask(request));
  }

  std::string Run(const ReleaseLock& release) {
    v1::ReleaseLockRequest request = release.request;
    request.set_lock_id("lock-999999");
    request.set_version(1);
    if (const size_t count = model_.locks().size(); count > 0) {
      const v1::Lock& lock = model_.locks()[release.pick % count];
      request.set_lock_id(lock.lock_id());
      request.set_version(lock.version() + release.version_offset);
    }
    return Run(request);
  }

  std::string Run(const UpdatePolicy& update) {
    v1::UpdatePolicyRequest request = update.request;
    const std::vector<std::string>& etags = etags_[request.policy().tenant_id()];
    const bool old = update.etag == Etag::kOld && etags.size() > 1;
    if (update.etag != Etag::kNone && !etags.empty()) {
      request.mutable_policy()->set_etag(old ? etags[etags.size() - 2] : etags.back());
    }
    Answer expected = model_.Apply(request, !old, update.is_valid, caller_);
    Answer actual = Ask(request);
    if (actual.reply != nullptr) {
      const auto& policy = static_cast<const v1::PolicySet&>(*actual.reply);
      std::vector<std::string>& known = etags_[policy.tenant_id()];
      if (policy.version() == static_cast<int64_t>(known.size()) + 1) known.push_back(policy.etag());
    }
    return Judge(expected, actual);
  }

  std::string Run(const v1::CreateTaskRequest& request) {
    return Judge(model_.Apply(request, caller_), Ask(CreateTaskCommand{request, "sealed", "digest"}));
  }

  std::string Run(const TriggerTask& trigger) {
    v1::TriggerTaskRequest request = trigger.request;
    request.set_tenant_id("t0");
    request.set_task_id("task-999999");
    if (const size_t count = model_.tasks().size(); count > 0) {
      const v1::Task& task = model_.tasks()[trigger.pick % count].task();
      request.set_tenant_id(task.tenant_id());
      request.set_task_id(task.task_id());
    }
    return Run(request);
  }

  std::string Run(const EndAttempt& end) {
    const size_t count = model_.grants().size();
    if (count <= end.back) return "";
    const v1::Task task = model_.grants()[count - 1 - end.back].task();
    AttemptResult result;
    result.tenant_id = task.tenant_id();
    result.task_id = task.task_id();
    result.lease_epoch = task.lease_epoch();
    result.success = end.success;
    result.failure_reason = end.failure_reason;
    result.error_message = end.error_message;
    const EndOfAttempt told = {task.tenant_id(), task.task_id(),     task.lease_epoch(),
                               end.success,      end.failure_reason, end.error_message};
    return Judge(model_.Apply(told, caller_), Ask(result));
  }

  std::string Run(const Restart&) {
    Answer actual = Watch([&] {
      world_.Restart();
      return Answer();
    });
    return Judge(model_.Restart(), actual);
  }

  Coverage& coverage_;
  testing::EngineWorld world_;
  Model model_;
  v1::Principal caller_;
  // Of each tenant's versions, oldest first.
  std::map<std::string, std::vector<std::string>> etags_;
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
