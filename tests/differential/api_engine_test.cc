// The same random commands go through the API of a whole server and straight to an engine; the replies must be the same
// bytes, and what the lists of the API show must be what the engine told. The server takes its time from the requests.
// Its store is in memory, because what a disk adds is compared in storage and tested in tests/crash.
//
// Replay a seed: bazel run //tests/differential:api_engine_test -- --first_seed=SEED --seeds=1

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/serialize.h"
#include "core/base/status_macros.h"
#include "gtest/gtest.h"
#include "server/base/clock.h"
#include "server/main/server.h"
#include "storage/memory_store.h"
#include "tests/differential/known.h"
#include "tests/differential/script.h"
#include "tests/support/api.h"
#include "tests/support/engine_world.h"
#include "tests/support/files.h"

ABSL_FLAG(uint64_t, first_seed, 1, "The first seed.");
ABSL_FLAG(uint64_t, seeds, 4, "How many seeds, one after the other.");
ABSL_FLAG(int, commands, 300, "How many commands each seed's script has.");

namespace interlock::differential {
namespace {

using support::Api;

// The reply without what the engine leaves to the server.
template <typename Reply>
std::string Bytes(Reply reply) {
  if constexpr (std::is_same_v<Reply, v1::ServerInfo>) {
    reply.clear_version();
    reply.clear_format_version();
    reply.clear_start_time();
    reply.clear_caller();
    reply.clear_audit_public_key();
  }
  return Serialize(reply);
}

Engine::Options OptionsOf(const Setting& setting) {
  Engine::Options options;
  options.default_profile = setting.default_profile;
  options.time_source = v1::TIME_SOURCE_REQUEST;
  return options;
}

// A server that can be stopped and started again on its store.
class MemoryServer {
 public:
  explicit MemoryServer(Engine::Options options) : options_(std::move(options)) {
    config_.listen = "127.0.0.1:0";
    config_.default_profile = options_.default_profile;
    config_.time_source = options_.time_source;
    config_.secret_key_file = support::FreshDirectory("keys") + "/secret.key";
    config_.audit_key_file = support::FreshDirectory("audit_keys") + "/audit_key.pem";
    Start();
  }
  ~MemoryServer() { server_->Stop(); }

  void Restart() {
    server_->Stop();
    server_.reset();
    Start();
  }

  std::shared_ptr<grpc::Channel> NewChannel() const {
    return grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
  }

 private:
  void Start() {
    auto server = server::Server::StartOn([this] { return OpenCore(); }, config_, clock_, [](const auto&) {});
    INTERLOCK_CHECK(server.ok());
    server_ = *std::move(server);
  }

  absl::StatusOr<std::unique_ptr<server::Core>> OpenCore() {
    auto core = std::make_unique<server::Core>();
    core->store = store_;
    INTERLOCK_ASSIGN_OR_RETURN(core->engine, Engine::Load(*store_, options_, clock_.TimeNow(), core->effects));
    return core;
  }

  const Engine::Options options_;
  const std::shared_ptr<storage::MemoryStore> store_ = std::make_shared<storage::MemoryStore>("epoch-1");
  // Looked at for deadlines only.
  server::SystemClock clock_;
  server::Config config_;
  std::unique_ptr<server::Server> server_;
};

// The engine and the server, at the same point of a script.
class ApiPair {
 public:
  explicit ApiPair(const Setting& setting) : world_(OptionsOf(setting)), server_(OptionsOf(setting)) {}

  // What differs; empty: nothing.
  std::string Run(const Command& command) {
    world_.caller = command.caller;
    const std::string kind = v1::PrincipalKind_Name(command.caller.kind()).substr(sizeof("PRINCIPAL_KIND_") - 1);
    const std::string principal = absl::StrCat(absl::AsciiStrToLower(kind), ":", command.caller.id());
    api_ = &ApiOf(principal);
    return std::visit([this](const auto& request) { return Run(request); }, command.request);
  }

  // Reads every list to its end.
  std::string CompareLists();

  int64_t compared() const { return compared_; }

 private:
  Api& ApiOf(const std::string& principal) {
    std::unique_ptr<Api>& api = apis_[principal];
    if (api == nullptr) api = std::make_unique<Api>(server_.NewChannel(), principal);
    return *api;
  }

  // `through` is the answer of the API.
  template <typename Reply>
  std::string Judge(const absl::StatusOr<Reply>& direct, const support::Answer<Reply>& through) {
    ++compared_;
    if (!direct.ok() || !through.ok()) {
      const std::string expected =
          absl::StrCat(static_cast<int>(direct.status().code()), " ", ErrorReason(direct.status()));
      const std::string actual =
          absl::StrCat(static_cast<int>(through.status.error_code()), " ", support::ReasonOf(through.status));
      return expected == actual ? "" : absl::StrCat("engine: ", expected, "\nAPI:    ", actual, "\n");
    }
    return Same(*direct, *through);
  }

  template <typename Reply>
  static std::string Same(const Reply& direct, const Reply& through) {
    if (Bytes(direct) == Bytes(through)) return "";
    return absl::StrCat("engine: ", direct.ShortDebugString(), "\nAPI:    ", through.ShortDebugString(), "\n");
  }

  template <typename Reply>
  static std::string SameList(const char* what, const std::vector<Reply>& direct, const std::vector<Reply>& through) {
    if (direct.size() != through.size()) {
      return absl::StrCat(what, ": the engine told ", direct.size(), ", the API lists ", through.size(), "\n");
    }
    for (size_t i = 0; i < direct.size(); ++i) {
      const std::string difference = Same(direct[i], through[i]);
      if (!difference.empty()) return absl::StrCat(what, " ", i, ":\n", difference);
    }
    return "";
  }

  template <typename Request>
  auto Direct(const Request& request) {
    const size_t locks = world_.lock_changes.size();
    const size_t approvals = world_.approval_changes.size();
    const size_t checkpoints = world_.checkpoint_changes.size();
    const size_t rollbacks = world_.rollback_changes.size();
    auto reply = world_.Do(request);
    Answer answer;
    answer.locks.assign(world_.lock_changes.begin() + static_cast<ptrdiff_t>(locks), world_.lock_changes.end());
    answer.approvals.assign(world_.approval_changes.begin() + static_cast<ptrdiff_t>(approvals),
                            world_.approval_changes.end());
    answer.checkpoints.assign(world_.checkpoint_changes.begin() + static_cast<ptrdiff_t>(checkpoints),
                              world_.checkpoint_changes.end());
    answer.rollbacks.assign(world_.rollback_changes.begin() + static_cast<ptrdiff_t>(rollbacks),
                            world_.rollback_changes.end());
    if (reply.ok()) answer = ReplyWith(*reply, std::move(answer));
    known_.Learn(answer);
    return reply;
  }

  std::string Run(const v1::ArbitrateRequest& request) {
    const absl::StatusOr<v1::Decision> direct = Direct(request);
    if (direct.ok() && !direct->replayed()) decisions_[direct->tenant_id()].push_back(*direct);
    return Judge(direct, api_->Call(&support::Safety::Arbitrate, request));
  }
  std::string Run(const v1::ExplainActionRequest& request) {
    return Judge(Direct(request), api_->Call(&support::Safety::ExplainAction, request));
  }
  std::string Run(const v1::EngageLockRequest& request) {
    return Judge(Direct(request), api_->Call(&support::Locks::EngageLock, request));
  }
  std::string Run(const AcknowledgeLock& acknowledge) {
    const v1::AcknowledgeLockRequest request = known_.Resolve(acknowledge);
    // No lock has version 0, and the server says so before the engine could.
    if (request.version() == 0) return "";
    return Judge(Direct(request), api_->Call(&support::Locks::AcknowledgeLock, request));
  }
  std::string Run(const ReleaseLock& release) {
    const v1::ReleaseLockRequest request = known_.Resolve(release);
    if (request.version() == 0) return "";
    return Judge(Direct(request), api_->Call(&support::Locks::ReleaseLock, request));
  }
  std::string Run(const DecideApproval& decide) {
    const v1::DecideApprovalRequest request = known_.Resolve(decide);
    // As with locks.
    if (request.version() == 0) return "";
    return Judge(Direct(request), api_->Call(&support::Approvals::DecideApproval, request));
  }
  template <typename ActionRequest>
  std::string Run(const AgainWith<ActionRequest>& again) {
    return Run(known_.Resolve(again));
  }
  template <typename ActionRequest>
  std::string Run(const ActionWith<ActionRequest>& act) {
    return Run(known_.Resolve(act));
  }
  std::string Run(const v1::CreateCheckpointRequest& request) {
    return Judge(Direct(request), api_->Call(&support::Checkpoints::CreateCheckpoint, request));
  }
  std::string Run(const GoBack& go_back) {
    const v1::RequestRollbackRequest request = known_.Resolve(go_back);
    return Judge(Direct(request), api_->Call(&support::Checkpoints::RequestRollback, request));
  }
  std::string Run(const TellOfRollback& tell) {
    const v1::ReportRollbackRequest request = known_.Resolve(tell);
    if (request.version() == 0) return "";
    return Judge(Direct(request), api_->Call(&support::Checkpoints::ReportRollback, request));
  }
  std::string Run(const UpdatePolicy& update) {
    const v1::UpdatePolicyRequest request = known_.Resolve(update);
    const absl::StatusOr<v1::PolicySet> direct = Direct(request);
    if (direct.ok()) policies_[direct->tenant_id()][direct->version()] = *direct;
    return Judge(direct, api_->Call(&support::Policies::UpdatePolicy, request));
  }
  std::string Run(const RollbackPolicy& rollback) {
    const v1::RollbackPolicyRequest request = known_.Resolve(rollback);
    const absl::StatusOr<v1::PolicySet> direct = Direct(request);
    if (direct.ok()) policies_[direct->tenant_id()][direct->version()] = *direct;
    return Judge(direct, api_->Call(&support::Policies::RollbackPolicy, request));
  }
  std::string Run(const v1::ReportSnapshotRequest& request) {
    return Judge(Direct(request), api_->Call(&support::Monitor::ReportSnapshot, request));
  }
  std::string Run(const v1::ReportActionOutcomeRequest& request) {
    return Judge(Direct(request), api_->Call(&support::Safety::ReportActionOutcome, request));
  }
  std::string Run(const v1::RecordDataPointsRequest& request) {
    return Judge(Direct(request), api_->Call(&support::Monitor::RecordDataPoints, request));
  }
  // A task of the server would call a token endpoint by itself, so these are never due.
  std::string Run(v1::CreateTaskRequest request) {
    request.mutable_task()->mutable_next_run_time()->set_seconds(32503680000);
    v1::CreateTaskRequest sent = request;
    if (request.task().type() == "oauth_token") {
      sent.mutable_oauth_grant()->set_token_endpoint("http://127.0.0.1:9/token");
      sent.mutable_oauth_grant()->set_client_id("client");
      sent.mutable_oauth_grant()->set_refresh_token("refresh");
    }
    const absl::StatusOr<v1::Task> direct = Direct(CreateTaskCommand{request, "sealed", "digest"});
    if (direct.ok()) tasks_[direct->tenant_id()][direct->task_id()] = *direct;
    return Judge(direct, api_->Call(&support::Scheduler::CreateTask, sent));
  }
  std::string Run(const v1::GetAgentRequest& request) {
    return Judge(Direct(request), api_->Call(&support::Monitor::GetAgent, request));
  }
  std::string Run(const v1::GetFleetStatsRequest& request) {
    return Judge(Direct(request), api_->Call(&support::Monitor::GetFleetStats, request));
  }
  std::string Run(const v1::GetServerInfoRequest& request) {
    return Judge(Direct(request), api_->Call(&support::Admin::GetServerInfo, request));
  }
  std::string Run(const TriggerTask&) { return ""; }
  std::string Run(const EndAttempt&) { return ""; }
  std::string Run(const Restart&) {
    server_.Restart();
    apis_.clear();
    world_.Restart();
    return "";
  }

  // All pages, joined.
  template <typename Item, typename Stub, typename Request, typename Response>
  std::vector<Item> ReadAll(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                            Request request,
                            const google::protobuf::RepeatedPtrField<Item>& (Response::*items)() const) {
    std::vector<Item> all;
    do {
      const auto page = ApiOf("human:alice").Call(method, request);
      EXPECT_TRUE(page.ok()) << page.status.error_message();
      all.insert(all.end(), (page.reply.*items)().begin(), (page.reply.*items)().end());
      request.set_page_token(page.reply.next_page_token());
    } while (!request.page_token().empty());
    return all;
  }

  std::string CompareTenant(const std::string& tenant_id);
  std::string CompareApprovals(const std::string& tenant_id);
  std::string CompareRollbacks(const std::string& tenant_id);

  testing::EngineWorld world_;
  MemoryServer server_;
  std::map<std::string, std::unique_ptr<Api>> apis_;
  Api* api_ = nullptr;
  Known known_;
  int64_t compared_ = 0;
  // What the engine answered, by tenant.
  std::map<std::string, std::vector<v1::Decision>> decisions_;
  std::map<std::string, std::map<int64_t, v1::PolicySet>> policies_;
  std::map<std::string, std::map<std::string, v1::Task>> tasks_;
};

// Lists that begin with the newest.
template <typename Item>
std::vector<Item> Reversed(std::vector<Item> items) {
  std::reverse(items.begin(), items.end());
  return items;
}

std::string ApiPair::CompareTenant(const std::string& tenant_id) {
  v1::ListDecisionsRequest decisions;
  decisions.set_tenant_id(tenant_id);
  decisions.set_page_size(7);
  std::string difference =
      SameList("decision", Reversed(decisions_[tenant_id]),
               ReadAll(&support::Safety::ListDecisions, decisions, &v1::ListDecisionsResponse::decisions));

  v1::ListPolicyVersionsRequest versions;
  versions.set_tenant_id(tenant_id);
  versions.set_page_size(2);
  std::vector<v1::PolicySet> policies;
  for (const auto& [version, policy] : policies_[tenant_id]) policies.push_back(policy);
  difference +=
      SameList("policy", Reversed(policies),
               ReadAll(&support::Policies::ListPolicyVersions, versions, &v1::ListPolicyVersionsResponse::policies));

  v1::ListAgentsRequest agents;
  agents.set_tenant_id(tenant_id);
  const absl::StatusOr<v1::ListAgentsResponse> known = world_.Do(agents);
  agents.set_page_size(1);
  difference += SameList("agent", std::vector<v1::Agent>(known->agents().begin(), known->agents().end()),
                         ReadAll(&support::Monitor::ListAgents, agents, &v1::ListAgentsResponse::agents));

  v1::ListTasksRequest tasks;
  tasks.set_tenant_id(tenant_id);
  const auto listed = ReadAll(&support::Scheduler::ListTasks, tasks, &v1::ListTasksResponse::tasks);
  if (listed.size() != tasks_[tenant_id].size()) difference += "other tasks\n";
  for (const v1::Task& task : listed) difference += Same(tasks_[tenant_id][task.task_id()], task);
  return difference;
}

std::string ApiPair::CompareApprovals(const std::string& tenant_id) {
  // As each approval was last told, by its number; which are kept is known.
  std::map<int64_t, v1::Approval> told;
  for (const v1::Approval& approval : world_.approval_changes) {
    if (approval.tenant_id() == tenant_id) told[IdNumber("approval", approval.approval_id())] = approval;
  }
  std::vector<v1::Approval> kept;
  std::vector<v1::Approval> over;
  for (const auto& [number, approval] : told) (known_.IsKept(approval.approval_id()) ? kept : over).push_back(approval);
  v1::ListApprovalsRequest approvals;
  approvals.set_tenant_id(tenant_id);
  approvals.set_page_size(2);
  std::string difference = SameList(
      "approval", kept, ReadAll(&support::Approvals::ListApprovals, approvals, &v1::ListApprovalsResponse::approvals));
  approvals.set_closed(true);
  difference += SameList("closed approval", Reversed(over),
                         ReadAll(&support::Approvals::ListApprovals, approvals, &v1::ListApprovalsResponse::approvals));
  return difference;
}

std::string ApiPair::CompareRollbacks(const std::string& tenant_id) {
  // As each rollback was last told, by its number.
  std::map<int64_t, v1::Rollback> told;
  for (const v1::Rollback& rollback : world_.rollback_changes) {
    if (rollback.tenant_id() == tenant_id) told[IdNumber("rollback", rollback.rollback_id())] = rollback;
  }
  std::vector<v1::Rollback> open;
  std::vector<v1::Rollback> over;
  for (const auto& [number, rollback] : told) {
    const bool is_open =
        rollback.state() == v1::ROLLBACK_STATE_REQUESTED || rollback.state() == v1::ROLLBACK_STATE_RUNNING;
    (is_open ? open : over).push_back(rollback);
  }
  v1::ListRollbacksRequest rollbacks;
  rollbacks.set_tenant_id(tenant_id);
  rollbacks.set_page_size(2);
  std::string difference =
      SameList("rollback", open,
               ReadAll(&support::Checkpoints::ListRollbacks, rollbacks, &v1::ListRollbacksResponse::rollbacks));
  rollbacks.set_closed(true);
  difference +=
      SameList("closed rollback", Reversed(over),
               ReadAll(&support::Checkpoints::ListRollbacks, rollbacks, &v1::ListRollbacksResponse::rollbacks));
  return difference;
}

std::string ApiPair::CompareLists() {
  std::string difference;
  for (const char* tenant_id : {"t0", "t1", "t2"})
    difference += CompareTenant(tenant_id) + CompareApprovals(tenant_id) + CompareRollbacks(tenant_id);
  v1::ListAlertsRequest alerts;
  alerts.set_page_size(9);
  difference +=
      SameList("alert", world_.alerts, ReadAll(&support::Alerts::ListAlerts, alerts, &v1::ListAlertsResponse::alerts));
  // As each lock was last told.
  std::map<std::string, v1::Lock> told;
  for (const v1::Lock& lock : world_.lock_changes) told[lock.lock_id()] = lock;
  v1::ListLocksRequest locks;
  locks.set_include_clear(true);
  locks.set_page_size(3);
  const auto listed = ReadAll(&support::Locks::ListLocks, locks, &v1::ListLocksResponse::locks);
  if (listed.size() != told.size()) difference += "other locks\n";
  for (const v1::Lock& lock : listed) difference += Same(told[lock.lock_id()], lock);
  return difference;
}

TEST(ApiEngineTest, SameBytesThroughTheApiAsFromTheEngine) {
  const uint64_t first = absl::GetFlag(FLAGS_first_seed);
  for (uint64_t seed = first; seed < first + absl::GetFlag(FLAGS_seeds); ++seed) {
    const Script script = MakeScript(seed, absl::GetFlag(FLAGS_commands), v1::TIME_SOURCE_REQUEST);
    ApiPair pair(script.setting);
    for (const Command& command : script.commands) {
      const std::string difference = pair.Run(command);
      ASSERT_EQ(difference, "") << "seed " << seed << ", " << Describe(command);
    }
    ASSERT_EQ(pair.CompareLists(), "") << "seed " << seed;
    ASSERT_GT(pair.compared(), absl::GetFlag(FLAGS_commands) / 2) << "seed " << seed;
  }
}

}  // namespace
}  // namespace interlock::differential

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  return RUN_ALL_TESTS();
}
