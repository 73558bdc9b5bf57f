// The rollbacks that are open, at most one for each checkpoint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "core/base/due_index.h"
#include "core/base/ids.h"
#include "core/rollback/rollback_machine.h"
#include "interlock/v1/checkpoint.pb.h"

namespace interlock::rollback {

// Copyable, thread-compatible. Pointers and references that it hands out live until the next change of the book.
class RollbackBook {
 public:
  // nullptr if none of this id is open.
  const v1::Rollback* Find(absl::string_view rollback_id) const;

  // Asks for `checkpoint` to be restored; `asked` says by whom and why. REQUIRES: the checkpoint's rollback is not
  // open.
  const v1::Rollback& Ask(const v1::Checkpoint& checkpoint, v1::Rollback asked, IdCounter& ids, absl::Time now);
  // The rollback that a report would change. Errors: NOT_FOUND ROLLBACK_NOT_FOUND (none of this id of the tenant is
  // open).
  absl::StatusOr<const v1::Rollback*> FindOpen(absl::string_view tenant_id, absl::string_view rollback_id) const;
  // The rollback after a report; one that is over is let go of. Errors: ABORTED ROLLBACK_VERSION_MISMATCH (it has
  // changed since `version` was read; metadata rollback_id, current_version); FAILED_PRECONDITION ROLLBACK_OUT_OF_ORDER
  // (it would start before that of a newer checkpoint of the same agent and resource; metadata rollback_id); and as
  // rollback::Tell. Then nothing has changed. REQUIRES: it is open.
  absl::StatusOr<v1::Rollback> Tell(absl::string_view rollback_id, int64_t version, const Report& report,
                                    absl::Time now);
  // Whether Tell would take the report, without taking it. Errors: as Tell.
  absl::Status CheckTell(absl::string_view rollback_id, int64_t version, const Report& report, absl::Time now) const;

  // When the first one's time is up; InfiniteFuture if there is none. Of one tenant only, if it is given.
  absl::Time NextDue(absl::optional<absl::string_view> tenant_id = absl::nullopt) const;
  // Ends the one whose time is up first, and answers it. REQUIRES: NextDue(tenant_id) <= now.
  v1::Rollback FireDue(absl::optional<absl::string_view> tenant_id, absl::Time now);

  // Puts back a stored rollback. Errors: DATA_LOSS ROLLBACK_UNREADABLE (it is not open, its id or times are not sound,
  // or another one has its id).
  absl::Status Load(const v1::Rollback& rollback);
  size_t size() const { return rollbacks_.size(); }

 private:
  // The report, tried on a copy. Errors: as Tell.
  absl::StatusOr<v1::Rollback> Try(const v1::Rollback& rollback, int64_t version, const Report& report,
                                   absl::Time now) const;
  absl::Status CheckOrder(const v1::Rollback& rollback) const;
  void Insert(int64_t number, v1::Rollback rollback);
  v1::Rollback Remove(int64_t number);

  // By the number in rollback_id.
  std::map<int64_t, v1::Rollback> rollbacks_;
  DueIndex<int64_t> due_;
};

}  // namespace interlock::rollback
