#include "core/engine/decision_chunk.h"

#include <numeric>
#include <utility>

#include "core/base/check.h"

namespace interlock {
namespace {

// The number of `name` in the newest entry, which is a good guess for the next.
uint32_t Newest(const google::protobuf::RepeatedField<uint32_t>& numbers) {
  return numbers.empty() ? 0 : numbers.Get(numbers.size() - 1);
}

bool IsWhole(const v1::DecisionChunk& chunk) {
  const int count = chunk.sequence_steps_size();
  const size_t digest_bytes = static_cast<size_t>(count) * ShortDigest::kBytes;
  return count > 0 && chunk.time_steps_size() == count && chunk.tenants_size() == count &&
         chunk.agents_size() == count && chunk.categories_size() == count && chunk.action_types_size() == count &&
         chunk.attempts_size() == count && (chunk.allowed_size() == 0 || chunk.allowed_size() == count) &&
         (chunk.resources_size() == 0 || chunk.resources_size() == count) &&
         chunk.action_digests().size() == digest_bytes && chunk.request_keys().size() == digest_bytes;
}

// False if there is no such name.
bool NameOf(const v1::DecisionChunk& chunk, uint32_t number, absl::string_view& name) {
  if (number > static_cast<uint32_t>(chunk.names_size())) return false;
  name = number == 0 ? absl::string_view() : absl::string_view(chunk.names(static_cast<int>(number) - 1));
  return true;
}

ShortDigest DigestAt(absl::string_view digests, int index) {
  return ShortDigest::Of(digests.substr(static_cast<size_t>(index) * ShortDigest::kBytes));
}

}  // namespace

ChunkBuilder::ChunkBuilder(const v1::DecisionChunk& previous)
    : last_sequence_(LastSequence(previous)), total_row_bytes_(previous.total_row_bytes()) {
  chunk_.set_previous_sequence(last_sequence_);
}

uint32_t ChunkBuilder::NumberOf(absl::string_view name, uint32_t guess) {
  if (name.empty()) return 0;
  if (guess > 0 && chunk_.names(static_cast<int>(guess) - 1) == name) return guess;
  const auto [entry, added] = numbers_.try_emplace(name, static_cast<uint32_t>(chunk_.names_size()) + 1);
  if (added) chunk_.add_names(entry->first);
  return entry->second;
}

void ChunkBuilder::Add(const ChunkEntry& entry, int64_t row_bytes) {
  INTERLOCK_CHECK(entry.sequence > last_sequence_);
  chunk_.add_sequence_steps(static_cast<uint64_t>(entry.sequence - last_sequence_));
  last_sequence_ = entry.sequence;
  const int64_t time = absl::ToUnixNanos(entry.decide_time);
  chunk_.add_time_steps(time - last_time_);
  last_time_ = time;
  const safety::Attempt attempt = entry.attempt.value_or(safety::Attempt());
  chunk_.add_tenants(NumberOf(entry.tenant_id, Newest(chunk_.tenants())));
  chunk_.add_agents(NumberOf(attempt.agent_id, Newest(chunk_.agents())));
  chunk_.add_categories(NumberOf(attempt.category, Newest(chunk_.categories())));
  chunk_.add_action_types(NumberOf(attempt.action_type, Newest(chunk_.action_types())));
  chunk_.add_attempts(entry.attempt.has_value());
  chunk_.add_allowed(attempt.allowed);
  chunk_.add_resources(NumberOf(attempt.resource, Newest(chunk_.resources())));
  attempt.action_digest.AppendTo(*chunk_.mutable_action_digests());
  entry.request_key.AppendTo(*chunk_.mutable_request_keys());
  chunk_.set_row_bytes(chunk_.row_bytes() + row_bytes);
  total_row_bytes_ += row_bytes;
}

v1::DecisionChunk ChunkBuilder::Take() {
  INTERLOCK_CHECK(size() > 0);
  chunk_.set_total_row_bytes(total_row_bytes_);
  v1::DecisionChunk chunk = std::exchange(chunk_, v1::DecisionChunk());
  chunk_.set_previous_sequence(last_sequence_);
  numbers_.clear();
  last_time_ = 0;
  return chunk;
}

int64_t LastSequence(const v1::DecisionChunk& chunk) {
  return std::accumulate(chunk.sequence_steps().begin(), chunk.sequence_steps().end(), chunk.previous_sequence(),
                         [](int64_t sum, uint64_t step) { return sum + static_cast<int64_t>(step); });
}

absl::Time LastTime(const v1::DecisionChunk& chunk) {
  return absl::FromUnixNanos(std::accumulate(chunk.time_steps().begin(), chunk.time_steps().end(), int64_t{0}));
}

bool ForEachEntry(const v1::DecisionChunk& chunk, const std::function<void(const ChunkEntry&)>& visit) {
  if (!IsWhole(chunk)) return false;
  ChunkEntry entry;
  entry.sequence = chunk.previous_sequence();
  int64_t time = 0;
  for (int i = 0; i < chunk.sequence_steps_size(); ++i) {
    entry.sequence += static_cast<int64_t>(chunk.sequence_steps(i));
    time += chunk.time_steps(i);
    entry.decide_time = absl::FromUnixNanos(time);
    entry.request_key = DigestAt(chunk.request_keys(), i);
    safety::Attempt attempt = {entry.decide_time, {}, {}, {}, DigestAt(chunk.action_digests(), i)};
    attempt.allowed = chunk.allowed_size() == 0 ? chunk.attempts(i) : chunk.allowed(i);
    const uint32_t resource = chunk.resources_size() == 0 ? 0 : chunk.resources(i);
    if (!NameOf(chunk, chunk.tenants(i), entry.tenant_id) || !NameOf(chunk, chunk.agents(i), attempt.agent_id) ||
        !NameOf(chunk, chunk.categories(i), attempt.category) ||
        !NameOf(chunk, chunk.action_types(i), attempt.action_type) || !NameOf(chunk, resource, attempt.resource)) {
      return false;
    }
    entry.attempt.reset();
    if (chunk.attempts(i)) entry.attempt = attempt;
    visit(entry);
  }
  return true;
}

}  // namespace interlock
