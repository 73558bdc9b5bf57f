#include "core/engine/decision_chunk.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/serialize.h"

namespace interlock {
namespace {

const absl::Time kStart = absl::FromUnixNanos(1700000000123456789);

ChunkEntry Entry(int64_t sequence, absl::string_view tenant_id, absl::string_view agent_id) {
  ChunkEntry entry;
  entry.sequence = sequence;
  entry.tenant_id = tenant_id;
  entry.decide_time = kStart + absl::Nanoseconds(sequence);
  entry.attempt = safety::Attempt{entry.decide_time, "mail", "send", agent_id, ShortDigest{1, uint64_t(sequence)}};
  entry.request_key = ShortDigest{2, uint64_t(sequence)};
  return entry;
}

std::string Text(const ChunkEntry& entry) {
  std::string text = absl::StrCat(entry.sequence, " ", entry.tenant_id, " ", absl::ToUnixNanos(entry.decide_time), " ",
                                  entry.request_key.high, "/", entry.request_key.low);
  if (!entry.attempt.has_value()) return text;
  const safety::Attempt& attempt = *entry.attempt;
  return absl::StrCat(text, " ", absl::ToUnixNanos(attempt.time), " ", attempt.category, " ", attempt.action_type, " ",
                      attempt.agent_id, " ", attempt.action_digest.high, "/", attempt.action_digest.low,
                      attempt.allowed ? " allowed " : " denied ", attempt.resource);
}

std::vector<std::string> TextsOf(const v1::DecisionChunk& chunk) {
  std::vector<std::string> texts;
  EXPECT_TRUE(ForEachEntry(chunk, [&](const ChunkEntry& entry) { texts.push_back(Text(entry)); }));
  return texts;
}

TEST(DecisionChunkTest, EveryEntryIsReadAsItWasAdded) {
  ChunkEntry blocked = Entry(12, "u", "a");
  blocked.attempt.reset();
  blocked.request_key = {};
  ChunkEntry unknown = Entry(30, "t", "b");
  unknown.attempt->category = "";
  unknown.attempt->action_type = "";
  unknown.attempt->agent_id = "";
  unknown.attempt->allowed = true;
  unknown.attempt->resource = "door";
  // The times of a tenant under --time_source=request may lie before another's.
  ChunkEntry early = Entry(31, "t", "a");
  early.decide_time = kStart - absl::Hours(1);
  early.attempt->time = early.decide_time;
  ChunkBuilder builder;
  std::vector<std::string> expected;
  for (const ChunkEntry& entry : {Entry(10, "t", "a"), Entry(11, "t", "b"), blocked, unknown, early}) {
    builder.Add(entry, 100);
    expected.push_back(Text(entry));
  }
  const v1::DecisionChunk chunk = builder.Take();
  EXPECT_EQ(TextsOf(chunk), expected);
  EXPECT_EQ(LastSequence(chunk), 31);
  EXPECT_EQ(LastTime(chunk), early.decide_time);
  EXPECT_EQ(chunk.row_bytes(), 500);
}

TEST(DecisionChunkTest, OfAnEarlierVersionTakesEveryAttemptForAllowedAndForEveryResource) {
  ChunkBuilder builder;
  ChunkEntry denied = Entry(1, "t", "a");
  denied.attempt->resource = "door";
  builder.Add(denied, 100);
  v1::DecisionChunk chunk = builder.Take();
  chunk.clear_allowed();
  chunk.clear_resources();
  denied.attempt->allowed = true;
  denied.attempt->resource = "";
  EXPECT_EQ(TextsOf(chunk), std::vector<std::string>{Text(denied)});
}

TEST(DecisionChunkTest, NamesAreKeptOnce) {
  ChunkBuilder builder;
  for (int i = 1; i <= 100; ++i) builder.Add(Entry(i, "t", i % 2 == 0 ? "a" : "b"), 1);
  EXPECT_EQ(builder.size(), 100);
  EXPECT_EQ(builder.Take().names_size(), 5);
}

TEST(DecisionChunkTest, ChunksFollowOneAnotherAlsoAfterARestart) {
  ChunkBuilder builder;
  builder.Add(Entry(1, "t", "a"), 10);
  const v1::DecisionChunk first = builder.Take();
  EXPECT_EQ(first.previous_sequence(), 0);
  EXPECT_EQ(builder.chunked_sequence(), 1);
  ChunkBuilder restarted(first);
  EXPECT_EQ(restarted.chunked_sequence(), 1);
  std::vector<std::string> bytes;
  for (ChunkBuilder* each : {&builder, &restarted}) {
    each->Add(Entry(2, "t", "b"), 20);
    const v1::DecisionChunk second = each->Take();
    EXPECT_EQ(second.previous_sequence(), 1);
    EXPECT_EQ(second.row_bytes(), 20);
    EXPECT_EQ(second.total_row_bytes(), 30);
    EXPECT_EQ(TextsOf(second), std::vector<std::string>{Text(Entry(2, "t", "b"))});
    bytes.push_back(Serialize(second));
  }
  EXPECT_EQ(bytes[0], bytes[1]);
}

TEST(DecisionChunkTest, ContradictionsAreNoticed) {
  ChunkBuilder builder;
  builder.Add(Entry(1, "t", "a"), 10);
  const v1::DecisionChunk sound = builder.Take();
  const auto ignore = [](const ChunkEntry&) {};
  EXPECT_TRUE(ForEachEntry(sound, ignore));
  EXPECT_FALSE(ForEachEntry(v1::DecisionChunk(), ignore));
  v1::DecisionChunk damaged = sound;
  damaged.set_agents(0, 6);
  EXPECT_FALSE(ForEachEntry(damaged, ignore));
  damaged = sound;
  damaged.mutable_request_keys()->pop_back();
  EXPECT_FALSE(ForEachEntry(damaged, ignore));
  damaged = sound;
  damaged.add_tenants(1);
  EXPECT_FALSE(ForEachEntry(damaged, ignore));
}

}  // namespace
}  // namespace interlock
