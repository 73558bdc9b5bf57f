// The traffic that is measured: empty calls, actions to decide, reports.
#pragma once

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "interlock/v1/decision.pb.h"
#include "interlock/v1/policy.pb.h"
#include "interlock/v1/safety_service.pb.h"
#include "tests/bench/load.h"

namespace interlock::bench {

// The tenant of all traffic.
inline constexpr char kTenant[] = "bench";
// The agent of this number.
std::string AgentName(int64_t number);

// The `reference` profile without the limits and patterns that count attempts, under which a machine that does nothing
// else than ask would soon be denied everything.
v1::PolicySet PolicyWithoutLimits();

// Empty messages to the echo server.
class EchoTraffic final : public Traffic {
 public:
  std::string Method() const override { return "/interlock.bench.EchoService/Call"; }
  grpc::ByteBuffer NextRequest() override;
  std::string CheckReply(grpc::ByteBuffer& reply) override;
};

// Actions, each with its own action id and request id, of agents that take turns.
class ActionSource {
 public:
  // `run` sets the request ids of one source apart from those of others.
  ActionSource(v1::Verdict verdict, int agents, std::string run);

  // An action that the policy answers with `verdict()`; valid until the next call.
  const v1::ArbitrateRequest& Next();
  v1::Verdict verdict() const { return verdict_; }
  int64_t count() const { return count_; }

 private:
  const v1::Verdict verdict_;
  const int agents_;
  const std::string run_;
  int64_t count_ = 0;
  v1::ArbitrateRequest request_;
};

// Holds decisions against what is expected, and counts the batches that they were made in.
class DecisionChecker {
 public:
  explicit DecisionChecker(v1::Verdict verdict) : verdict_(verdict) {}

  // What is wrong with it; empty: nothing.
  std::string Check(const v1::Decision& decision);
  int64_t decisions() const { return decisions_; }
  // All decisions of a batch are made at the same instant and stored by one commit, and no two batches share one.
  int64_t batches() const { return static_cast<int64_t>(times_.size()); }

 private:
  const v1::Verdict verdict_;
  int64_t decisions_ = 0;
  // In nanoseconds since 1970.
  absl::flat_hash_set<int64_t> times_;
};

// Unary Arbitrate.
class ArbitrateTraffic final : public Traffic {
 public:
  ArbitrateTraffic(ActionSource& source, DecisionChecker& checker) : source_(source), checker_(checker) {}

  std::string Method() const override { return "/interlock.v1.SafetyService/Arbitrate"; }
  grpc::ByteBuffer NextRequest() override;
  std::string CheckReply(grpc::ByteBuffer& reply) override;

 private:
  ActionSource& source_;
  DecisionChecker& checker_;
  v1::Decision decision_;
};

// ArbitrateStream with `requests` actions a message.
class StreamTraffic final : public Traffic {
 public:
  StreamTraffic(ActionSource& source, DecisionChecker& checker, int requests)
      : source_(source), checker_(checker), requests_(requests) {}

  std::string Method() const override { return "/interlock.v1.SafetyService/ArbitrateStream"; }
  grpc::ByteBuffer NextRequest() override;
  std::string CheckReply(grpc::ByteBuffer& reply) override;

 private:
  ActionSource& source_;
  DecisionChecker& checker_;
  const int requests_;
  v1::ArbitrateStreamRequest message_;
  v1::ArbitrateStreamResponse response_;
};

// The messages of a StreamTraffic, which the echo server sends back.
class EchoStreamTraffic final : public Traffic {
 public:
  EchoStreamTraffic(ActionSource& source, int requests);

  std::string Method() const override { return "/interlock.bench.EchoService/Stream"; }
  grpc::ByteBuffer NextRequest() override;
  // Looks at the length alone, which is the same for all messages.
  std::string CheckReply(grpc::ByteBuffer& reply) override;

 private:
  DecisionChecker checker_;
  StreamTraffic messages_;
  size_t length_ = 0;
};

// Reports of agents that do well.
class ReportTraffic final : public Traffic {
 public:
  explicit ReportTraffic(int agents) : agents_(agents) {}

  std::string Method() const override { return "/interlock.v1.MonitorService/ReportSnapshot"; }
  grpc::ByteBuffer NextRequest() override;
  std::string CheckReply(grpc::ByteBuffer& reply) override;

 private:
  const int agents_;
  int64_t count_ = 0;
};

}  // namespace interlock::bench
