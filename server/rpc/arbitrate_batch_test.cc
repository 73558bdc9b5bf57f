#include "server/rpc/arbitrate_batch.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/error.h"
#include "core/engine/effects.h"
#include "core/engine/engine.h"
#include "server/rpc/encode.h"
#include "storage/memory_store.h"

namespace interlock::server {
namespace {

void AddRequest(const std::string& tenant_id, const std::string& action_type, v1::ArbitrateStreamRequest& message) {
  v1::Action& action = *message.add_requests()->mutable_action();
  action.set_tenant_id(tenant_id);
  action.set_agent_id("a1");
  action.set_action_type(action_type);
  action.set_risk_score(0.1);
  action.set_impact_score(0.1);
}

class ArbitrateBatchTest : public ::testing::Test {
 protected:
  ArbitrateBatchTest() { caller_.set_kind(v1::PRINCIPAL_KIND_AGENT); }

  void SetUp() override {
    auto engine = Engine::Load(store_, {}, now_, effects_);
    ASSERT_TRUE(engine.ok());
    engine_ = *std::move(engine);
  }

  std::unique_ptr<ArbitrateBatch> Batch(const v1::ArbitrateStreamRequest& message) {
    auto batch = std::make_unique<ArbitrateBatch>(caller_, [this] { ++done_; });
    batch->request() = message;
    has_work_ = batch->Admit();
    return batch;
  }

  static v1::ArbitrateStreamResponse ResponseOf(const ArbitrateBatch& batch) {
    v1::ArbitrateStreamResponse response;
    EXPECT_TRUE(Decode(batch.response(), response).ok());
    return response;
  }

  storage::MemoryStore store_{"e1"};
  const absl::Time now_ = absl::FromUnixSeconds(1700000000);
  Effects effects_;
  std::unique_ptr<Engine> engine_;
  v1::Principal caller_;
  int done_ = 0;
  // Of the newest batch.
  bool has_work_ = false;
};

TEST_F(ArbitrateBatchTest, DecidesEachRequestInOrder) {
  v1::ArbitrateStreamRequest message;
  AddRequest("t1", "read_file", message);
  AddRequest("t2", "write_file", message);
  const auto batch = Batch(message);
  ASSERT_TRUE(has_work_);
  batch->Apply(*engine_, now_, effects_);
  EXPECT_EQ(done_, 0);
  batch->Release();
  EXPECT_EQ(done_, 1);
  const v1::ArbitrateStreamResponse response = ResponseOf(*batch);
  ASSERT_EQ(response.results_size(), 2);
  EXPECT_EQ(response.results(0).decision().action_type(), "read_file");
  EXPECT_EQ(response.results(0).decision().sequence(), 1);
  EXPECT_EQ(response.results(1).decision().tenant_id(), "t2");
  EXPECT_EQ(response.results(1).decision().sequence(), 2);
}

TEST_F(ArbitrateBatchTest, ABadRequestIsAnsweredByItselfAndTheOthersAreDecided) {
  v1::ArbitrateStreamRequest message;
  AddRequest("t1", "read_file", message);
  AddRequest("", "read_file", message);
  AddRequest("t1", "write_file", message);
  const auto batch = Batch(message);
  batch->Apply(*engine_, now_, effects_);
  batch->Release();
  const v1::ArbitrateStreamResponse response = ResponseOf(*batch);
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_TRUE(response.results(0).has_decision());
  const v1::ArbitrateError& error = response.results(1).error();
  EXPECT_EQ(error.code(), static_cast<int>(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(error.reason(), "INVALID_FIELD");
  EXPECT_NE(error.message().find("action.tenant_id"), std::string::npos) << error.message();
  EXPECT_EQ(response.results(2).decision().action_type(), "write_file");
}

TEST_F(ArbitrateBatchTest, NothingButBadRequestsNeedsNoEngine) {
  v1::ArbitrateStreamRequest message;
  AddRequest("", "read_file", message);
  const auto batch = Batch(message);
  EXPECT_FALSE(has_work_);
  const v1::ArbitrateStreamResponse response = ResponseOf(*batch);
  ASSERT_EQ(response.results_size(), 1);
  EXPECT_TRUE(response.results(0).has_error());
}

TEST_F(ArbitrateBatchTest, AnErrorOfTheEngineIsThatRequestsAlone) {
  v1::ArbitrateStreamRequest message;
  AddRequest("t1", "read_file", message);
  AddRequest("t1", "write_file", message);
  message.mutable_requests(0)->set_request_id("r1");
  message.mutable_requests(1)->set_request_id("r1");
  const auto batch = Batch(message);
  batch->Apply(*engine_, now_, effects_);
  batch->Release();
  const v1::ArbitrateStreamResponse response = ResponseOf(*batch);
  EXPECT_TRUE(response.results(0).has_decision());
  EXPECT_EQ(response.results(1).error().reason(), "REQUEST_ID_REUSED");
}

TEST_F(ArbitrateBatchTest, AFailureTakesBackEveryVerdict) {
  v1::ArbitrateStreamRequest message;
  AddRequest("t1", "read_file", message);
  AddRequest("", "read_file", message);
  const auto batch = Batch(message);
  batch->Apply(*engine_, now_, effects_);
  batch->Fail(MakeError(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN", "repeat it"));
  EXPECT_EQ(done_, 1);
  const v1::ArbitrateStreamResponse response = ResponseOf(*batch);
  EXPECT_EQ(response.results(0).error().code(), static_cast<int>(absl::StatusCode::kUnavailable));
  EXPECT_EQ(response.results(0).error().reason(), "OUTCOME_UNKNOWN");
  EXPECT_EQ(response.results(0).error().message(), "repeat it");
  EXPECT_EQ(response.results(1).error().reason(), "INVALID_FIELD");
}

TEST_F(ArbitrateBatchTest, MayBeDestroyedByWhoIsToldThatItIsDone) {
  std::unique_ptr<ArbitrateBatch> batch;
  const auto token = std::make_shared<int>(0);
  batch = std::make_unique<ArbitrateBatch>(caller_, [&batch, token] {
    batch.reset();
    ++*token;
  });
  AddRequest("t1", "read_file", batch->request());
  ASSERT_TRUE(batch->Admit());
  batch->Apply(*engine_, now_, effects_);
  batch->Release();
  EXPECT_EQ(batch, nullptr);
  EXPECT_EQ(*token, 1);
}

}  // namespace
}  // namespace interlock::server
