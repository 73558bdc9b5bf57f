#include "tests/simulation/workloads/faults.h"

#include <functional>
#include <utility>

namespace interlock::simulation {
namespace {

// The process ends, at any instant or in the middle of a commit, and is started again.
class Crash final : public Workload {
 public:
  Crash(Sim& sim, SimDisk& disk, SimServer& server) : sim_(sim), disk_(disk), server_(server) {}
  absl::string_view name() const override { return "crash"; }
  void Step() override {
    if (sim_.random.Chance(0.6)) return disk_.InNextCommit([this] { Kill(); });
    Kill();
  }

 private:
  void Kill() {
    server_.Kill();
    sim_.timeline.After(sim_.random.Between(absl::Milliseconds(1), absl::Seconds(3)), [this] {
      if (!server_.running()) server_.Start();
    });
  }

  Sim& sim_;
  SimDisk& disk_;
  SimServer& server_;
};

// Something is wrong for a while.
class Spell final : public Workload {
 public:
  struct Effect {
    std::function<void()> begin;
    std::function<void()> end;
    absl::Duration max;
  };
  Spell(Sim& sim, absl::string_view name, Effect effect) : sim_(sim), name_(name), effect_(std::move(effect)) {}
  absl::string_view name() const override { return name_; }
  void Step() override {
    sim_.trace.Add("fault: ", name_);
    sim_.coverage.Count("fault", name_);
    effect_.begin();
    sim_.timeline.After(sim_.random.Between(absl::Milliseconds(1), effect_.max), [this, id = ++spells_] {
      if (id == spells_) effect_.end();
    });
  }
  void Stop() override {
    ++spells_;
    effect_.end();
  }

 private:
  Sim& sim_;
  const absl::string_view name_;
  const Effect effect_;
  int spells_ = 0;
};

// Something goes wrong once.
class Blow final : public Workload {
 public:
  Blow(
      absl::string_view name, std::function<void()> strike, std::function<void()> stop = [] {})
      : name_(name), strike_(std::move(strike)), stop_(std::move(stop)) {}
  absl::string_view name() const override { return name_; }
  void Step() override { strike_(); }
  void Stop() override { stop_(); }

 private:
  const absl::string_view name_;
  const std::function<void()> strike_;
  const std::function<void()> stop_;
};

void SetClock(Sim& sim, SimServer& server) {
  const bool forward = sim.random.Chance(0.5);
  absl::Duration step = sim.random.Between(absl::Milliseconds(1), absl::Seconds(10));
  if (sim.random.Chance(0.2)) step *= 60;
  sim.coverage.Count("fault", forward ? "clock set forward" : "clock set back");
  sim.trace.Add("fault: clock set by ", forward ? "" : "-", absl::FormatDuration(step));
  sim.clock.Set(forward ? step : -step);
  server.OnClockSet();
}

}  // namespace

std::vector<std::unique_ptr<Workload>> MakeFaults(Sim& sim, SimDisk& disk, SimServer& server, Network& network) {
  std::vector<std::unique_ptr<Workload>> faults;
  faults.push_back(std::make_unique<Crash>(sim, disk, server));
  faults.push_back(std::make_unique<Spell>(
      sim, "slow disk",
      Spell::Effect{[&disk] { disk.set_sync_time(absl::Milliseconds(5), absl::Milliseconds(400)); },
                    [&disk] { disk.SetRight(); }, absl::Seconds(10)}));
  faults.push_back(std::make_unique<Blow>("failed commit", [&sim, &disk] {
    disk.FailNextCommit(sim.random.Chance(0.5) ? SimDisk::Fault::kFailStored : SimDisk::Fault::kFailNotStored);
    if (sim.random.Chance(0.3)) disk.FailNextOpens(sim.random.Between(1, 3));
  }));
  faults.push_back(std::make_unique<Spell>(
      sim, "bad network",
      Spell::Effect{[&network] { network.set_faults({.lost_reply = 0.2, .duplicate = 0.2, .delay = 0.1}); },
                    [&network] { network.set_faults({}); }, absl::Minutes(2)}));
  faults.push_back(std::make_unique<Blow>("engine stalled", [&sim, &server] {
    sim.coverage.Count("fault", "engine stalled");
    server.Stall(sim.timeline.now() + sim.random.Between(absl::Milliseconds(10), absl::Seconds(2)));
  }));
  faults.push_back(std::make_unique<Blow>(
      "clock set", [&sim, &server] { SetClock(sim, server); },
      [&sim, &server] {
        sim.clock.SetRight();
        server.OnClockSet();
      }));
  faults.push_back(
      std::make_unique<Spell>(sim, "no room for grants",
                              Spell::Effect{[&server] { server.set_room_for_grants(false); },
                                            [&server] { server.set_room_for_grants(true); }, absl::Minutes(1)}));
  faults.push_back(std::make_unique<Blow>("reader held the store", [&sim, &server] {
    sim.coverage.Count("fault", "reader held the store");
    server.HoldStore(sim.timeline.now() + sim.random.Between(absl::Milliseconds(1), absl::Seconds(2)));
  }));
  return faults;
}

}  // namespace interlock::simulation
