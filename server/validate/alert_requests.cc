#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/validate/checks.h"
#include "server/validate/validate.h"

namespace interlock::server {
namespace {

constexpr int kTypesMax = 10;
constexpr absl::Duration kBookmarkIntervalMin = absl::Seconds(1);
constexpr absl::Duration kBookmarkIntervalMax = absl::Seconds(60);

// A stream that asks for a type that does not exist would stay silent for ever.
bool IsAlertType(const std::string& type) { return type == "systemic_anomaly" || type == "anomaly" || type == "lock"; }

void CheckFilter(const FieldPath& path, const v1::AlertFilter& filter, Checks& checks) {
  checks.OptionalId(path.Field("agent_id"), filter.agent_id());
  const FieldPath types = path.Field("types");
  if (filter.types_size() > kTypesMax) {
    checks.Add(types, absl::StrCat("must be at most ", kTypesMax, " types, not ", filter.types_size()));
    return;
  }
  for (int i = 0; i < filter.types_size(); ++i) {
    if (!IsAlertType(filter.types(i))) {
      checks.Add(types.Index(i), "must be \"systemic_anomaly\", \"anomaly\" or \"lock\"");
    }
  }
}

}  // namespace

absl::Status Validate(const v1::SubscribeAlertsRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.OptionalId(root.Field("tenant_id"), request.tenant_id());
  if (request.has_min_tier()) checks.Tier(root.Field("min_tier"), request.min_tier());
  CheckFilter(root.Field("filter"), request.filter(), checks);
  checks.AtLeast0(root.Field("after_sequence"), request.after_sequence());
  checks.OptionalId(root.Field("epoch"), request.epoch());
  if (request.has_bookmark_interval()) {
    checks.DurationBetween(root.Field("bookmark_interval"), request.bookmark_interval(), kBookmarkIntervalMin,
                           kBookmarkIntervalMax);
  }
  return checks.ToStatus();
}

absl::Status Validate(const v1::ListAlertsRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.OptionalId(root.Field("tenant_id"), request.tenant_id());
  checks.Tier(root.Field("min_tier"), request.min_tier());
  CheckFilter(root.Field("filter"), request.filter(), checks);
  checks.PageSize(root.Field("page_size"), request.page_size());
  checks.AtLeast0(root.Field("after_sequence"), request.after_sequence());
  return checks.ToStatus();
}

absl::Status Validate(const v1::ListUserAlertsRequest& request) {
  const FieldPath root;
  Checks checks;
  checks.RequiredId(root.Field("tenant_id"), request.tenant_id());
  checks.PageSize(root.Field("page_size"), request.page_size());
  return checks.ToStatus();
}

}  // namespace interlock::server
