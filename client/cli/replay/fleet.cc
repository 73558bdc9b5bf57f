#include "client/cli/replay/fleet.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/replay/recording.h"
#include "client/client.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

// Runs that wait for a worker. A recording names its agents one after another, so the queues must be deep for several
// agents to be under way at once; a run takes a few kilobytes.
constexpr size_t kQueueRunsMax = 4096;
constexpr absl::Duration kProgressInterval = absl::Milliseconds(100);

// What the workers have in common. Thread-safe.
struct Shared {
  std::atomic<int64_t> runs = 0;
  std::atomic<int64_t> actions = 0;
  // Becomes true when a worker fails or the caller has had enough.
  std::atomic<bool> stop = false;
};

// Plays the agents that are given to it, on a thread and a connection of its own.
class Worker {
 public:
  Worker(const FleetOptions& options, Shared& shared)
      : options_(options), shared_(shared), client_(options.client), stream_(client_), thread_([this] { Work(); }) {}

  ~Worker() {
    Close();
    if (thread_.joinable()) thread_.join();
  }

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  size_t queued() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return queue_.size();
  }

  // Hands over a run. False: the queue is full.
  bool Offer(RecordedRun& run) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (queue_.size() >= kQueueRunsMax) return false;
    queue_.push_back(std::move(run));
    changed_.notify_one();
    return true;
  }

  // Nothing more will come.
  void Close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    changed_.notify_one();
  }

  bool done() const { return done_; }

  // Waits for the end.
  absl::Status Finish(std::map<std::string, Tally>& agents) {
    Close();
    thread_.join();
    for (const auto& [agent, player] : players_) agents[agent].Merge(player.tally());
    return status_;
  }

 private:
  bool Take(RecordedRun& run) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !queue_.empty() || closed_; });
    if (queue_.empty()) return false;
    run = std::move(queue_.front());
    queue_.pop_front();
    return true;
  }

  void Work() {
    RecordedRun run;
    while (!shared_.stop && Take(run)) {
      Player& player = players_.try_emplace(run.agent, client_, stream_, options_.play, run.agent).first->second;
      status_ = player.Play(run);
      if (!status_.ok()) {
        shared_.stop = true;
        break;
      }
      ++shared_.runs;
      shared_.actions += static_cast<int64_t>(run.calls.size());
    }
    done_ = true;
  }

  const FleetOptions& options_;
  Shared& shared_;
  const client::Client client_;
  client::ArbitrateStream stream_;
  // Used by the thread, and by Finish after its end.
  std::map<std::string, Player> players_;
  absl::Status status_;
  std::atomic<bool> done_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<RecordedRun> queue_;
  bool closed_ = false;
  // Last, so that all else is there when it begins.
  std::thread thread_;
};

// Reads the recording and deals the runs out.
class Fleet {
 public:
  Fleet(const FleetOptions& options, Recording& recording) : options_(options), recording_(recording) {
    for (int i = 0; i < options.parallel; ++i) workers_.push_back(std::make_unique<Worker>(options, shared_));
  }

  absl::StatusOr<FleetResult> Play() {
    const absl::Time begin = absl::Now();
    FleetResult result;
    result.profile = options_.play.profile;
    while (!Stopped()) {
      absl::StatusOr<std::optional<std::string>> line = recording_.Next();
      if (line.ok() && !line->has_value()) break;
      absl::StatusOr<RecordedRun> run = line.ok() ? ParseRun(**line) : line.status();
      if (!run.ok()) {
        ++result.bad_lines;
        options_.play.note(
            absl::StrCat("error: line ", recording_.line_number(), " is no run: ", run.status().message()));
        continue;
      }
      Deal(*run);
    }
    for (const auto& worker : workers_) worker->Close();
    for (const auto& worker : workers_) {
      while (!worker->done()) Pause();
    }
    result.stopped = Stopped();
    absl::Status status;
    for (const auto& worker : workers_) {
      absl::Status worker_status = worker->Finish(result.agents);
      if (status.ok()) status = std::move(worker_status);
    }
    if (!status.ok()) return status;
    result.elapsed = absl::Now() - begin;
    return result;
  }

 private:
  bool Stopped() {
    if (options_.stop != nullptr && *options_.stop) shared_.stop = true;
    return shared_.stop;
  }

  // Gives the run to the worker of its agent: the one with the fewest runs when the agent was new.
  void Deal(RecordedRun& run) {
    ++dealt_;
    Worker*& worker = by_agent_[run.agent];
    if (worker == nullptr) {
      worker = workers_[0].get();
      for (const auto& other : workers_) {
        if (other->queued() < worker->queued()) worker = other.get();
      }
    }
    while (!Stopped() && !worker->Offer(run)) Pause();
    if (absl::Now() >= next_progress_) ShowProgress();
  }

  void Pause() {
    Stopped();
    ShowProgress();
    absl::SleepFor(kProgressInterval / 10);
  }

  void ShowProgress() {
    if (absl::Now() < next_progress_) return;
    next_progress_ = absl::Now() + kProgressInterval;
    // How much of the file was read, less what waits.
    const double played = dealt_ == 0 ? 0 : static_cast<double>(shared_.runs) / static_cast<double>(dealt_);
    options_.progress(recording_.progress() * played, shared_.runs, shared_.actions);
  }

  const FleetOptions& options_;
  Recording& recording_;
  Shared shared_;
  std::map<std::string, Worker*> by_agent_;
  int64_t dealt_ = 0;
  absl::Time next_progress_ = absl::InfinitePast();
  // Last, so that the workers end before what they use.
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

Tally FleetResult::Total() const {
  Tally total;
  for (const auto& [agent, tally] : agents) total.Merge(tally);
  return total;
}

absl::StatusOr<FleetResult> PlayRecording(const std::string& path, const FleetOptions& options) {
  INTERLOCK_ASSIGN_OR_RETURN(const std::unique_ptr<Recording> recording, Recording::Open(path));
  return Fleet(options, *recording).Play();
}

}  // namespace interlock::cli
