#include "tests/bench/traffic.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/check.h"
#include "core/base/time.h"
#include "core/policy/profiles.h"
#include "interlock/v1/monitor_service.pb.h"
#include "tests/support/requests.h"

namespace interlock::bench {
namespace {

// High, but not critical, which would trip a lock.
constexpr double kRiskyScore = 0.75;
// What is acted on, in turn; it shares no factor with numbers of agents that people choose.
constexpr int64_t kResources = 9973;

template <typename Message>
grpc::ByteBuffer Encode(const Message& message) {
  grpc::ByteBuffer bytes;
  bool own_buffer = false;
  INTERLOCK_CHECK(grpc::SerializationTraits<Message>::Serialize(message, &bytes, &own_buffer).ok());
  return bytes;
}

template <typename Message>
bool Decode(grpc::ByteBuffer& bytes, Message& message) {
  return grpc::SerializationTraits<Message>::Deserialize(&bytes, &message).ok();
}

}  // namespace

std::string AgentName(int64_t number) { return absl::StrCat("agent-", absl::Dec(number, absl::kZeroPad6)); }

v1::PolicySet PolicyWithoutLimits() {
  v1::PolicySet policy = *policy::FindProfile("reference");
  policy.set_tenant_id(kTenant);
  for (v1::Constraint& constraint : *policy.mutable_constraints()) {
    constraint.clear_daily_limit();
    constraint.clear_hourly_limit();
  }
  policy.clear_pattern_rules();
  return policy;
}

grpc::ByteBuffer EchoTraffic::NextRequest() {
  const grpc::Slice nothing;
  return grpc::ByteBuffer(&nothing, 1);
}

std::string EchoTraffic::CheckReply(grpc::ByteBuffer& reply) {
  return reply.Length() == 0 ? "" : "the echo of nothing is something";
}

ActionSource::ActionSource(v1::Verdict verdict, int agents, std::string run)
    : verdict_(verdict), agents_(agents), run_(std::move(run)), request_(support::ActionOf(kTenant, AgentName(0))) {
  if (verdict == v1::VERDICT_ALLOW) return;
  request_.mutable_action()->set_risk_score(kRiskyScore);
  request_.mutable_action()->set_impact_score(kRiskyScore);
}

const v1::ArbitrateRequest& ActionSource::Next() {
  ++count_;
  const std::string number = absl::StrCat(absl::Dec(count_, absl::kZeroPad10));
  request_.set_request_id(absl::StrCat(run_, "-", number));
  request_.mutable_action()->set_action_id(absl::StrCat("action-", number));
  request_.mutable_action()->set_agent_id(AgentName(count_ % agents_));
  request_.mutable_action()->set_target_resource(
      absl::StrCat("article-", absl::Dec(count_ % kResources, absl::kZeroPad4)));
  return request_;
}

std::string DecisionChecker::Check(const v1::Decision& decision) {
  if (decision.verdict() != verdict_) {
    return absl::StrCat("a verdict is ", v1::Verdict_Name(decision.verdict()), " instead of ",
                        v1::Verdict_Name(verdict_), ": ", decision.ShortDebugString());
  }
  if (decision.replayed()) return "a decision was made before";
  ++decisions_;
  times_.insert(absl::ToUnixNanos(FromProto(decision.decide_time())));
  return "";
}

grpc::ByteBuffer ArbitrateTraffic::NextRequest() { return Encode(source_.Next()); }

std::string ArbitrateTraffic::CheckReply(grpc::ByteBuffer& reply) {
  if (!Decode(reply, decision_)) return "a reply is no decision";
  return checker_.Check(decision_);
}

grpc::ByteBuffer StreamTraffic::NextRequest() {
  message_.mutable_requests()->Reserve(requests_);
  while (message_.requests_size() < requests_) message_.add_requests();
  for (v1::ArbitrateRequest& request : *message_.mutable_requests()) request = source_.Next();
  return Encode(message_);
}

std::string StreamTraffic::CheckReply(grpc::ByteBuffer& reply) {
  if (!Decode(reply, response_)) return "a reply is no list of results";
  if (response_.results_size() != requests_) return "a message was not answered as a whole";
  for (const v1::ArbitrateResult& result : response_.results()) {
    if (!result.has_decision()) return absl::StrCat("an action was not decided: ", result.error().message());
    if (std::string fault = checker_.Check(result.decision()); !fault.empty()) return fault;
  }
  return "";
}

EchoStreamTraffic::EchoStreamTraffic(ActionSource& source, int requests)
    : checker_(source.verdict()), messages_(source, checker_, requests) {}

grpc::ByteBuffer EchoStreamTraffic::NextRequest() {
  grpc::ByteBuffer message = messages_.NextRequest();
  length_ = message.Length();
  return message;
}

std::string EchoStreamTraffic::CheckReply(grpc::ByteBuffer& reply) {
  return reply.Length() == length_ ? "" : "an echo has another length than what was sent";
}

grpc::ByteBuffer ReportTraffic::NextRequest() {
  ++count_;
  return Encode(support::ReportOf(kTenant, AgentName(count_ % agents_), 0.95));
}

std::string ReportTraffic::CheckReply(grpc::ByteBuffer& reply) {
  v1::ReportSnapshotResponse response;
  if (!Decode(reply, response)) return "a reply is no assessment";
  return response.assessment().tier() == 0 ? "" : "a good report makes an anomaly";
}

}  // namespace interlock::bench
