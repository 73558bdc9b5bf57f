#include "core/rollback/checkpoint_book.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/rollback/rollback_machine.h"

namespace interlock::rollback {
namespace {

constexpr char kIdKind[] = "checkpoint";

// Whether somebody may want to go back to it.
bool IsUsed(const v1::Checkpoint& checkpoint) {
  return !checkpoint.used_by().empty() || !checkpoint.rollback_id().empty();
}

bool CanBeRolledBack(const v1::Checkpoint& checkpoint) {
  return !IsOpen(checkpoint.rollback_state()) && checkpoint.rollback_state() != v1::ROLLBACK_STATE_SUCCEEDED;
}

absl::Status DataLoss(const v1::Checkpoint& checkpoint, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "CHECKPOINT_UNREADABLE",
                   absl::StrCat("stored checkpoint \"", checkpoint.checkpoint_id(), "\" ", what,
                                "; restore the store from a backup"));
}

}  // namespace

const CheckpointBook::TenantShare* CheckpointBook::FindShare(absl::string_view tenant_id) const {
  const auto found = tenants_.find(tenant_id);
  return found == tenants_.end() ? nullptr : &found->second;
}

const std::set<int64_t>& CheckpointBook::NumbersOf(absl::string_view tenant_id, absl::string_view agent_id) const {
  static const auto& none = *new std::set<int64_t>();
  const TenantShare* share = FindShare(tenant_id);
  if (share == nullptr) return none;
  const auto found = share->by_agent.find(agent_id);
  return found == share->by_agent.end() ? none : found->second;
}

const v1::Checkpoint* CheckpointBook::Find(absl::string_view tenant_id, absl::string_view checkpoint_id) const {
  const auto found = checkpoints_.find(IdNumber(kIdKind, checkpoint_id));
  if (found == checkpoints_.end() || found->second.tenant_id() != tenant_id) return nullptr;
  return &found->second;
}

std::string CheckpointBook::WhyNot(absl::string_view checkpoint_id, const CheckpointNeed& need) const {
  const v1::Checkpoint* checkpoint = Find(need.tenant_id, checkpoint_id);
  const std::string name = absl::StrCat("Checkpoint \"", checkpoint_id, "\" ");
  if (checkpoint == nullptr) return name + "is not known, or not any more";
  if (checkpoint->agent_id() != need.agent_id) return name + "is another agent's";
  if (checkpoint->action_type() != need.action_type) return name + "is for another type of action";
  if (checkpoint->target_resource() != need.target_resource) return name + "is for another resource";
  if (!checkpoint->used_by().empty()) return absl::StrCat(name, "was used by ", checkpoint->used_by());
  if (!checkpoint->rollback_id().empty()) {
    return absl::StrCat(name, "is what ", checkpoint->rollback_id(), " goes back to");
  }
  if (FromProto(checkpoint->expire_time()) <= need.now) return name + "is too old";
  return "";
}

std::vector<const v1::Checkpoint*> CheckpointBook::Latest(absl::string_view tenant_id, absl::string_view agent_id,
                                                          int count) const {
  std::vector<const v1::Checkpoint*> latest;
  const std::set<int64_t>& numbers = NumbersOf(tenant_id, agent_id);
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    if (static_cast<int>(latest.size()) >= count) break;
    const v1::Checkpoint& checkpoint = checkpoints_.at(*number);
    if (!checkpoint.used_by().empty() && CanBeRolledBack(checkpoint)) latest.push_back(&checkpoint);
  }
  return latest;
}

size_t CheckpointBook::CountOpenRollbacks(absl::string_view tenant_id, absl::string_view agent_id) const {
  const std::set<int64_t>& numbers = NumbersOf(tenant_id, agent_id);
  return static_cast<size_t>(std::count_if(numbers.begin(), numbers.end(), [this](int64_t number) {
    return IsOpen(checkpoints_.at(number).rollback_state());
  }));
}

CheckpointBook::Group CheckpointBook::GroupOf(absl::string_view tenant_id, absl::string_view agent_id,
                                              bool used) const {
  Group group;
  absl::Time first_time = absl::InfiniteFuture();
  for (const int64_t number : NumbersOf(tenant_id, agent_id)) {
    const v1::Checkpoint& checkpoint = checkpoints_.at(number);
    if (IsUsed(checkpoint) != used) continue;
    ++group.size;
    const absl::Time time = FromProto(checkpoint.expire_time());
    if (IsOpen(checkpoint.rollback_state()) || time >= first_time) continue;
    group.first = number;
    first_time = time;
  }
  return group;
}

absl::Status CheckpointBook::CheckRoom(absl::string_view tenant_id, absl::string_view agent_id,
                                       int64_t state_bytes) const {
  const TenantShare* share = FindShare(tenant_id);
  if (share == nullptr) return absl::OkStatus();
  size_t count = share->due.size();
  int64_t bytes = share->state_bytes + state_bytes;
  // One goes when the new one comes.
  if (const Group unused = GroupOf(tenant_id, agent_id, false); unused.size >= kCheckpointsPerAgentMax) {
    --count;
    bytes -= checkpoints_.at(unused.first).state_bytes();
  }
  if (count < kCheckpointsMax && bytes <= kCheckpointBytesMax) return absl::OkStatus();
  return MakeError(absl::StatusCode::kResourceExhausted, "CHECKPOINTS_EXHAUSTED",
                   absl::StrCat("the tenant keeps as many checkpoints as it may, ", kCheckpointsMax, " or ",
                                kCheckpointBytesMax, " bytes; wait until some expire, or save less"));
}

const v1::Checkpoint& CheckpointBook::Create(v1::Checkpoint created, IdCounter& ids, absl::Time now) {
  const int64_t number = ids.Next();
  created.set_checkpoint_id(MakeId(kIdKind, number));
  created.set_version(1);
  *created.mutable_create_time() = ToProto(now);
  *created.mutable_expire_time() = ToProto(now + kCheckpointValidity);
  Insert(number, std::move(created));
  return checkpoints_.at(number);
}

v1::Checkpoint& CheckpointBook::Change(absl::string_view checkpoint_id) {
  const auto found = checkpoints_.find(IdNumber(kIdKind, checkpoint_id));
  INTERLOCK_CHECK(found != checkpoints_.end());
  found->second.set_version(found->second.version() + 1);
  return found->second;
}

void CheckpointBook::SetExpireTime(v1::Checkpoint& checkpoint, absl::Time expire_time) {
  const int64_t number = IdNumber(kIdKind, checkpoint.checkpoint_id());
  for (Due* due : {&due_, &tenants_.at(checkpoint.tenant_id()).due}) {
    due->erase({FromProto(checkpoint.expire_time()), number});
    due->emplace(expire_time, number);
  }
  *checkpoint.mutable_expire_time() = ToProto(expire_time);
}

const v1::Checkpoint& CheckpointBook::Use(absl::string_view checkpoint_id, absl::string_view decision_id,
                                          absl::Time now) {
  v1::Checkpoint& checkpoint = Change(checkpoint_id);
  INTERLOCK_CHECK(!IsUsed(checkpoint));
  checkpoint.set_used_by(std::string(decision_id));
  *checkpoint.mutable_use_time() = ToProto(now);
  SetExpireTime(checkpoint, now + kCheckpointRetention);
  return checkpoint;
}

const v1::Checkpoint& CheckpointBook::SetRollback(const v1::Rollback& rollback, absl::Time now) {
  v1::Checkpoint& checkpoint = Change(rollback.checkpoint_id());
  if (checkpoint.rollback_id() != rollback.rollback_id()) SetExpireTime(checkpoint, now + kCheckpointRetention);
  checkpoint.set_rollback_id(rollback.rollback_id());
  checkpoint.set_rollback_state(rollback.state());
  return checkpoint;
}

absl::optional<v1::Checkpoint> CheckpointBook::TakeSurplus(absl::string_view tenant_id, absl::string_view agent_id) {
  for (const bool used : {false, true}) {
    const Group group = GroupOf(tenant_id, agent_id, used);
    if (group.size > kCheckpointsPerAgentMax && group.first >= 0) return Remove(group.first);
  }
  return absl::nullopt;
}

absl::Time CheckpointBook::NextDue(absl::optional<absl::string_view> tenant_id) const {
  const Due* due = &due_;
  if (tenant_id.has_value()) {
    const TenantShare* share = FindShare(*tenant_id);
    if (share == nullptr) return absl::InfiniteFuture();
    due = &share->due;
  }
  return due->empty() ? absl::InfiniteFuture() : due->begin()->first;
}

v1::Checkpoint CheckpointBook::FireDue(absl::optional<absl::string_view> tenant_id) {
  const Due& due = tenant_id.has_value() ? tenants_.find(*tenant_id)->second.due : due_;
  INTERLOCK_CHECK(!due.empty());
  return Remove(due.begin()->second);
}

absl::Status CheckpointBook::Load(const v1::Checkpoint& checkpoint) {
  const int64_t number = IdNumber(kIdKind, checkpoint.checkpoint_id());
  if (number < 0) return DataLoss(checkpoint, "has an id of another form");
  if (!checkpoint.has_expire_time()) return DataLoss(checkpoint, "does not say when it expires");
  if (checkpoints_.find(number) != checkpoints_.end()) return DataLoss(checkpoint, "has the id of another one");
  Insert(number, checkpoint);
  return absl::OkStatus();
}

void CheckpointBook::Insert(int64_t number, v1::Checkpoint checkpoint) {
  TenantShare& share = tenants_[checkpoint.tenant_id()];
  share.by_agent[checkpoint.agent_id()].insert(number);
  share.state_bytes += checkpoint.state_bytes();
  const std::pair<absl::Time, int64_t> due = {FromProto(checkpoint.expire_time()), number};
  share.due.insert(due);
  due_.insert(due);
  checkpoints_[number] = std::move(checkpoint);
}

v1::Checkpoint CheckpointBook::Remove(int64_t number) {
  const auto found = checkpoints_.find(number);
  INTERLOCK_CHECK(found != checkpoints_.end());
  v1::Checkpoint checkpoint = std::move(found->second);
  checkpoints_.erase(found);
  const std::pair<absl::Time, int64_t> due = {FromProto(checkpoint.expire_time()), number};
  due_.erase(due);
  const auto share = tenants_.find(checkpoint.tenant_id());
  share->second.due.erase(due);
  share->second.state_bytes -= checkpoint.state_bytes();
  const auto agent = share->second.by_agent.find(checkpoint.agent_id());
  agent->second.erase(number);
  if (agent->second.empty()) share->second.by_agent.erase(agent);
  if (share->second.due.empty()) tenants_.erase(share);
  return checkpoint;
}

}  // namespace interlock::rollback
