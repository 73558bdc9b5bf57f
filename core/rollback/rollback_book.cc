#include "core/rollback/rollback_book.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/status_macros.h"
#include "core/base/time.h"

namespace interlock::rollback {
namespace {

constexpr char kIdKind[] = "rollback";

int64_t CheckpointNumber(const v1::Rollback& rollback) { return IdNumber("checkpoint", rollback.checkpoint_id()); }

absl::Status DataLoss(const v1::Rollback& rollback, absl::string_view what) {
  return MakeError(
      absl::StatusCode::kDataLoss, "ROLLBACK_UNREADABLE",
      absl::StrCat("stored rollback \"", rollback.rollback_id(), "\" ", what, "; restore the store from a backup"));
}

}  // namespace

const v1::Rollback* RollbackBook::Find(absl::string_view rollback_id) const {
  const auto found = rollbacks_.find(IdNumber(kIdKind, rollback_id));
  return found == rollbacks_.end() ? nullptr : &found->second;
}

const v1::Rollback& RollbackBook::Ask(const v1::Checkpoint& checkpoint, v1::Rollback asked, IdCounter& ids,
                                      absl::Time now) {
  INTERLOCK_CHECK(!IsOpen(checkpoint.rollback_state()));
  const int64_t number = ids.Next();
  asked.set_rollback_id(MakeId(kIdKind, number));
  asked.set_tenant_id(checkpoint.tenant_id());
  asked.set_agent_id(checkpoint.agent_id());
  asked.set_checkpoint_id(checkpoint.checkpoint_id());
  asked.set_action_type(checkpoint.action_type());
  asked.set_target_resource(checkpoint.target_resource());
  asked.set_content_digest(checkpoint.content_digest());
  Request(now, asked);
  Insert(number, std::move(asked));
  return rollbacks_.at(number);
}

absl::StatusOr<const v1::Rollback*> RollbackBook::FindOpen(absl::string_view tenant_id,
                                                           absl::string_view rollback_id) const {
  const v1::Rollback* rollback = Find(rollback_id);
  if (rollback != nullptr && rollback->tenant_id() == tenant_id) return rollback;
  return MakeError(
      absl::StatusCode::kNotFound, "ROLLBACK_NOT_FOUND",
      absl::StrCat("no rollback \"", rollback_id,
                   "\" of the tenant is open; ListRollbacks names those that are, and those that are over"),
      {{"rollback_id", std::string(rollback_id)}});
}

absl::Status RollbackBook::CheckOrder(const v1::Rollback& rollback) const {
  for (const auto& [due, number] : due_.Of(rollback.tenant_id())) {
    const v1::Rollback& other = rollbacks_.at(number);
    const bool first = other.agent_id() == rollback.agent_id() &&
                       other.target_resource() == rollback.target_resource() &&
                       CheckpointNumber(other) > CheckpointNumber(rollback);
    if (!first) continue;
    return MakeError(
        absl::StatusCode::kFailedPrecondition, "ROLLBACK_OUT_OF_ORDER",
        absl::StrCat("\"", other.rollback_id(), "\" restores a newer checkpoint of the same resource than \"",
                     rollback.rollback_id(), "\"; end it first"),
        {{"rollback_id", other.rollback_id()}});
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Rollback> RollbackBook::Try(const v1::Rollback& rollback, int64_t version, const Report& report,
                                               absl::Time now) const {
  if (rollback.version() != version) {
    return MakeError(absl::StatusCode::kAborted, "ROLLBACK_VERSION_MISMATCH",
                     absl::StrCat("rollback \"", rollback.rollback_id(), "\" is at version ", rollback.version(),
                                  ", not ", version, "; read it again"),
                     {{"rollback_id", rollback.rollback_id()}, {"current_version", absl::StrCat(rollback.version())}});
  }
  v1::Rollback tried = rollback;
  INTERLOCK_RETURN_IF_ERROR(rollback::Tell(report, now, tried));
  if (tried.state() == v1::ROLLBACK_STATE_RUNNING) INTERLOCK_RETURN_IF_ERROR(CheckOrder(rollback));
  return tried;
}

absl::Status RollbackBook::CheckTell(absl::string_view rollback_id, int64_t version, const Report& report,
                                     absl::Time now) const {
  const v1::Rollback* rollback = Find(rollback_id);
  INTERLOCK_CHECK(rollback != nullptr);
  return Try(*rollback, version, report, now).status();
}

absl::StatusOr<v1::Rollback> RollbackBook::Tell(absl::string_view rollback_id, int64_t version, const Report& report,
                                                absl::Time now) {
  const v1::Rollback* rollback = Find(rollback_id);
  INTERLOCK_CHECK(rollback != nullptr);
  INTERLOCK_ASSIGN_OR_RETURN(v1::Rollback told, Try(*rollback, version, report, now));
  const int64_t number = IdNumber(kIdKind, rollback_id);
  Remove(number);
  if (IsOpen(told.state())) Insert(number, told);
  return told;
}

absl::Time RollbackBook::NextDue(absl::optional<absl::string_view> tenant_id) const { return due_.Next(tenant_id); }

v1::Rollback RollbackBook::FireDue(absl::optional<absl::string_view> tenant_id, absl::Time now) {
  INTERLOCK_CHECK(NextDue(tenant_id) <= now);
  v1::Rollback rollback = Remove(due_.Of(tenant_id).begin()->second);
  Expire(now, rollback);
  return rollback;
}

absl::Status RollbackBook::Load(const v1::Rollback& rollback) {
  if (!IsOpen(rollback.state())) return DataLoss(rollback, "is not open");
  const int64_t number = IdNumber(kIdKind, rollback.rollback_id());
  if (number < 0) return DataLoss(rollback, "has an id of another form");
  if (!rollback.has_expire_time()) return DataLoss(rollback, "does not say when it expires");
  if (rollbacks_.find(number) != rollbacks_.end()) return DataLoss(rollback, "has the id of another one");
  Insert(number, rollback);
  return absl::OkStatus();
}

void RollbackBook::Insert(int64_t number, v1::Rollback rollback) {
  due_.Add(rollback.tenant_id(), FromProto(rollback.expire_time()), number);
  rollbacks_[number] = std::move(rollback);
}

v1::Rollback RollbackBook::Remove(int64_t number) {
  const auto found = rollbacks_.find(number);
  INTERLOCK_CHECK(found != rollbacks_.end());
  v1::Rollback rollback = std::move(found->second);
  rollbacks_.erase(found);
  due_.Remove(rollback.tenant_id(), FromProto(rollback.expire_time()), number);
  return rollback;
}

}  // namespace interlock::rollback
