#include "tests/simulation/world.h"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "tests/simulation/cast.h"
#include "tests/simulation/checkers/alert_checker.h"
#include "tests/simulation/checkers/approval_checker.h"
#include "tests/simulation/checkers/audit_checker.h"
#include "tests/simulation/checkers/budget_checker.h"
#include "tests/simulation/checkers/decision_checker.h"
#include "tests/simulation/checkers/limit_checker.h"
#include "tests/simulation/checkers/lock_checker.h"
#include "tests/simulation/checkers/recording_checker.h"
#include "tests/simulation/checkers/request_checker.h"
#include "tests/simulation/checkers/rollback_checker.h"
#include "tests/simulation/checkers/shadow_checker.h"
#include "tests/simulation/checkers/state_checker.h"
#include "tests/simulation/checkers/task_checker.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/network.h"
#include "tests/simulation/server.h"
#include "tests/simulation/sim.h"
#include "tests/simulation/workloads/actions.h"
#include "tests/simulation/workloads/approvals.h"
#include "tests/simulation/workloads/faults.h"
#include "tests/simulation/workloads/locks.h"
#include "tests/simulation/workloads/outcomes.h"
#include "tests/simulation/workloads/policies.h"
#include "tests/simulation/workloads/reads.h"
#include "tests/simulation/workloads/reports.h"
#include "tests/simulation/workloads/rollbacks.h"
#include "tests/simulation/workloads/subscribers.h"
#include "tests/simulation/workloads/tasks.h"
#include "tests/simulation/workloads/watchers.h"

namespace interlock::simulation {
namespace {

// How long the end of a run may take, once everything works.
constexpr absl::Duration kDrainMax = absl::Minutes(10);
// Long enough for the first retry of a task.
constexpr absl::Duration kQuietTime = absl::Minutes(20);

Cast MakeCast(Random& random) {
  Cast cast;
  for (int i = random.Between(1, 3); i > 0; --i) cast.tenants.push_back(absl::StrCat("tenant-", i));
  for (int i = random.Between(1, 4); i > 0; --i) cast.agents.push_back(absl::StrCat("agent-", i));
  cast.resources = {"page-1", "page-2"};
  cast.action_types = {"write_blog",       "optimize_content", "delete_content", "seo_meta",
                       "competitor_watch", "social_share",     "plan_strategy",  "get_page"};
  cast.remediations = {"seo_meta", "plan_strategy", "get_page"};
  cast.reversibles = {"rename_page", "move_page"};
  cast.irreversibles = {"send_letter"};
  return cast;
}

SimServer::Options MakeOptions(Random& random) {
  SimServer::Options options;
  options.engine.default_profile = random.Chance(0.7) ? "reference" : "tool_calling";
  options.works_max = static_cast<size_t>(random.Between(1, 64));
  options.batch_works_max = static_cast<size_t>(random.Between(1, 32));
  options.alert_ring_max = static_cast<size_t>(random.Between(1, 32));
  if (random.Chance(0.5)) options.engine.alert_retention = absl::Minutes(random.Between(1, 20));
  options.engine.decisions_per_chunk = random.Between(1, 50);
  options.lock_ring_max = static_cast<size_t>(random.Between(1, 32));
  return options;
}

class World {
 public:
  World(uint64_t seed, bool print, Coverage& coverage) : sim_(seed, print, coverage) {
    for (Observer* observer :
         std::initializer_list<Observer*>{&decisions_, &requests_, &locks_, &approvals_, &rollbacks_, &alerts_,
                                          &limits_, &budgets_, &shadows_, &recording_, &tasks_, &state_, &audit_}) {
      server_.AddObserver(*observer);
    }
    Compose();
  }

  RunResult Run() {
    Act();
    Drain("after the faults");
    // Whatever was acknowledged up to here must survive once more, in a store that had time to settle.
    if (!sim_.trace.failed()) {
      server_.Kill();
      server_.Start();
    }
    Drain("after the last restart");
    // Nobody asks for anything any more, and what is due happens nevertheless.
    if (!sim_.trace.failed()) {
      sim_.timeline.RunUntil(sim_.timeline.now() + kQuietTime, [this] { return sim_.trace.failed(); });
    }
    Drain("after a quiet time");
    for (const Part& part : parts_) {
      if (!sim_.trace.failed()) part.workload->Check();
    }
    return {sim_.trace.violation(), sim_.trace.hash(), sim_.trace.lines(), sim_.timeline.events_run()};
  }

 private:
  struct Part {
    std::unique_ptr<Workload> workload;
    // How often it is chosen, compared with the others.
    double weight;
  };

  void Add(std::unique_ptr<Workload> workload, double probability, double weight_max) {
    const bool present = sim_.random.Chance(probability);
    const double weight = present ? weight_max * (0.1 + 0.9 * sim_.random.Share()) : 0;
    if (present) sim_.trace.Add("with ", workload->name());
    if (present) parts_.push_back({std::move(workload), weight});
  }

  void Compose() {
    const Actions::Options actions = {.high_risk = sim_.random.Chance(0.5) ? 0.02 : 0.15, .tier_3 = 0.01};
    Add(std::make_unique<Actions>(sim_, network_, cast_, budgets_, actions), 1, 10);
    Add(std::make_unique<Outcomes>(sim_, network_, budgets_), 0.8, 3);
    Add(std::make_unique<Reports>(sim_, network_, cast_), 0.8, 8);
    Add(std::make_unique<Locks>(sim_, server_, network_, cast_), 0.9, 5);
    Add(std::make_unique<Approvals>(sim_, server_, network_, cast_), 0.9, 5);
    Add(std::make_unique<Rollbacks>(sim_, server_, network_, cast_), 0.8, 5);
    Add(std::make_unique<Policies>(sim_, network_, cast_), 0.7, 1);
    Add(std::make_unique<Tasks>(sim_, server_, network_, cast_), 0.7, 2);
    Add(std::make_unique<Subscribers>(sim_, server_, network_, cast_, alerts_), 0.7, 1);
    Add(std::make_unique<Watchers>(sim_, server_, network_, cast_, locks_), 0.6, 0.5);
    Add(std::make_unique<Reads>(sim_, network_, cast_), 0.5, 1);
    for (auto& fault : MakeFaults(sim_, disk_, server_, network_)) Add(std::move(fault), 0.5, 0.6);
  }

  // Steps of the workloads at random times.
  void Act() {
    for (const Part& part : parts_) part.workload->Setup();
    server_.Start();
    const int steps = sim_.random.Between(120, 350);
    absl::Duration pace;
    for (int step = 0; step < steps && !sim_.trace.failed(); ++step) {
      if (step % 50 == 0) pace = NextPace();
      Choose().Step();
      const absl::Duration pause = sim_.random.Between(absl::ZeroDuration(), 2 * pace);
      sim_.timeline.RunUntil(sim_.timeline.now() + pause, [this] { return sim_.trace.failed(); });
    }
  }

  absl::Duration NextPace() {
    switch (sim_.random.Below(4)) {
      case 0:
        return absl::Microseconds(200);
      case 1:
        return absl::Milliseconds(20);
      case 2:
        return absl::Seconds(1);
      default:
        return absl::Minutes(2);
    }
  }

  Workload& Choose() {
    double sum = 0;
    for (const Part& part : parts_) sum += part.weight;
    double left = sum * sim_.random.Share();
    for (const Part& part : parts_) {
      if (left < part.weight) return *part.workload;
      left -= part.weight;
    }
    return *parts_.front().workload;
  }

  // Everything works from here on, and all that was begun must come to its end.
  void Drain(absl::string_view when) {
    if (sim_.trace.failed()) return;
    sim_.trace.Add("drain ", when);
    disk_.SetRight();
    for (const Part& part : parts_) part.workload->Stop();
    const auto is_done = [this] {
      return server_.store() != nullptr && network_.calls_under_way() == 0 &&
             std::all_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.workload->IsDone(); });
    };
    // Nothing may happen for minutes, and what happens then needs time of its own.
    if (is_done()) return;
    const absl::Time begin = sim_.timeline.now();
    sim_.timeline.RunUntil(begin + kDrainMax, [&] { return sim_.trace.failed() || is_done(); });
    if (sim_.trace.failed() || is_done()) return;
    std::string waiting;
    for (const Part& part : parts_) {
      if (!part.workload->IsDone()) absl::StrAppend(&waiting, " ", part.workload->name());
    }
    sim_.trace.Fail("liveness", when, ", after ", absl::FormatDuration(kDrainMax), ": ", network_.calls_under_way(),
                    " calls are under way, not done:", waiting);
  }

  Sim sim_;
  const Cast cast_ = MakeCast(sim_.random);
  const SimServer::Options options_ = MakeOptions(sim_.random);
  SimDisk disk_{sim_};
  DecisionChecker decisions_{sim_, cast_};
  RequestChecker requests_{sim_};
  LockChecker locks_{sim_};
  ApprovalChecker approvals_{sim_, cast_};
  RollbackChecker rollbacks_{sim_, cast_};
  AlertChecker alerts_{sim_, cast_, options_.engine.alert_retention};
  LimitChecker limits_{sim_, options_.engine.default_profile};
  BudgetChecker budgets_{sim_, options_.engine.default_profile};
  ShadowChecker shadows_{sim_};
  RecordingChecker recording_{sim_, cast_, options_.engine.default_profile};
  TaskChecker tasks_{sim_, cast_};
  StateChecker state_{sim_, cast_, disk_, options_.engine};
  AuditChecker audit_{sim_, cast_, disk_};
  std::vector<Part> parts_;
  // What the server lets go of when it ends comes back through the network.
  Network network_{sim_, server_};
  SimServer server_{sim_, disk_, options_};
};

}  // namespace

RunResult RunSeed(uint64_t seed, bool print, Coverage& coverage) { return World(seed, print, coverage).Run(); }

}  // namespace interlock::simulation
