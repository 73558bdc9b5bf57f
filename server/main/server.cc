#include "server/main/server.h"

#include <functional>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/base/limits.h"
#include "server/base/thread_pool.h"
#include "server/executors/executor_pool.h"
#include "server/executors/oauth_executor.h"
#include "server/feed/alert_feed.h"
#include "server/feed/approval_changes.h"
#include "server/feed/lock_feed.h"
#include "server/feed/stream_hub.h"
#include "server/main/attempt_end.h"
#include "server/main/commit_fan_out.h"
#include "server/main/core_opener.h"
#include "server/main/grpc_server.h"
#include "server/rpc/rooms.h"
#include "server/secrets/audit_key.h"
#include "server/secrets/sealer.h"
#include "server/secrets/secret_key.h"
#include "server/sequencer/sequencer.h"

namespace interlock::server {
namespace {

ExecutorPool::Executors MakeExecutors(const Sealer& sealer, Clock& clock) {
  ExecutorPool::Executors executors;
  executors[kOAuthTokenType] = std::make_unique<OAuthExecutor>(sealer, clock, OAuthExecutor::Options());
  return executors;
}

}  // namespace

// The members stand in the order in which they depend on one another.
class Server::Impl {
 public:
  Impl(const Config& config, Clock& clock, LogWriter write_log, const SecretKey& key, SecretKey audit_key,
       CoreFactory cores)
      : config_(config),
        log_(std::move(write_log)),
        sealer_(key),
        audit_key_(std::move(audit_key)),
        hub_(clock),
        executors_(MakeExecutors(sealer_, clock),
                   [this](schedule::AttemptResult result) { SubmitAttemptEnd(sequencer_, std::move(result)); },
                   {.thread_count = config.executor_threads}),
        fan_out_({alerts_, locks_, approvals_, hub_, executors_, log_,
                  [this](bool serving) { grpc_.SetServing(serving); },
                  [this](schedule::AttemptResult result) { SubmitAttemptEnd(sequencer_, std::move(result)); }}),
        sequencer_(clock, std::move(cores), fan_out_,
                   {.has_room_for_grants = [this] { return executors_.HasRoom(kDueTasksPerTick); }}),
        rooms_{clock,
               sequencer_,
               readers_,
               catch_up_,
               alerts_,
               locks_,
               approvals_,
               hub_,
               sealer_,
               audit_key_,
               config.default_profile,
               clock.TimeNow()},
        grpc_(rooms_) {}

  absl::Status Start() {
    INTERLOCK_RETURN_IF_ERROR(sequencer_.Open());
    engine_thread_ = std::thread([this] { sequencer_.Run(); });
    hub_thread_ = std::thread([this] { hub_.Run(); });
    INTERLOCK_ASSIGN_OR_RETURN(const int port, grpc_.Start(config_));
    const std::string host = ListenHost(config_);
    address_ = absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
    log_.Write({LogSeverity::kInfo, absl::StrCat("serving address=", address_)});
    return absl::OkStatus();
  }

  void Stop() {
    if (stopped_) return;
    stopped_ = true;
    log_.Write({LogSeverity::kInfo, "stopping"});
    grpc_.SetServing(false);
    hub_.EndAll();
    grpc_.Stop(kStopCallsPatience);
    // Their ends still go through the engine.
    executors_.Stop(kStopAttemptsPatience);
    sequencer_.Stop();
    if (engine_thread_.joinable()) engine_thread_.join();
    hub_.Stop();
    if (hub_thread_.joinable()) hub_thread_.join();
    catch_up_.Stop();
    readers_.Stop();
    log_.Write({LogSeverity::kInfo, "stopped"});
    log_.Stop();
  }

  const std::string& address() const { return address_; }

 private:
  const Config config_;
  EventLog log_;
  const Sealer sealer_;
  const SecretKey audit_key_;
  AlertFeed alerts_;
  LockFeed locks_;
  ApprovalChanges approvals_;
  StreamHub hub_;
  ThreadPool readers_{{.threads = kReadThreads, .queue_max = kReadQueueMax}};
  ThreadPool catch_up_{{.threads = 1, .queue_max = kStreamsMax}};
  ExecutorPool executors_;
  CommitFanOut fan_out_;
  Sequencer sequencer_;
  Rooms rooms_;
  GrpcServer grpc_;
  std::thread engine_thread_;
  std::thread hub_thread_;
  std::string address_;
  bool stopped_ = false;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config, Clock& clock, LogWriter write_log) {
  INTERLOCK_RETURN_IF_ERROR(CheckConfig(config));
  Engine::Options options;
  options.default_profile = config.default_profile;
  options.time_source = config.time_source;
  options.alert_retention = config.alert_retention;
  options.alert_log_bytes_max = config.alert_log_bytes_max;
  options.decision_retention = config.decision_retention;
  options.decision_log_bytes_max = config.decision_log_bytes_max;
  options.audit_retention = config.audit_retention;
  options.recording_retention = config.recording_retention;
  options.recording_bytes_max = config.recording_bytes_max;
  INTERLOCK_ASSIGN_OR_RETURN(CoreOpener opener, CoreOpener::Open(config.data_dir, options, clock));
  return StartOn(std::move(opener), config, clock, std::move(write_log));
}

absl::StatusOr<std::unique_ptr<Server>> Server::StartOn(CoreFactory cores, const Config& config, Clock& clock,
                                                        LogWriter write_log) {
  INTERLOCK_RETURN_IF_ERROR(CheckConfig(config));
  INTERLOCK_ASSIGN_OR_RETURN(const SecretKey key, LoadOrCreateKeyFile(SecretKeyPath(config)));
  INTERLOCK_ASSIGN_OR_RETURN(SecretKey audit_key, LoadOrCreateAuditKeyFile(AuditKeyPath(config)));
  auto impl = std::make_unique<Impl>(config, clock, std::move(write_log), key, std::move(audit_key), std::move(cores));
  std::unique_ptr<Server> server(new Server(std::move(impl)));
  INTERLOCK_RETURN_IF_ERROR(server->impl_->Start());
  return server;
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { Stop(); }

const std::string& Server::address() const { return impl_->address(); }

void Server::Stop() { impl_->Stop(); }

}  // namespace interlock::server
