#include "client/cli/policy.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "client/cli/list.h"
#include "client/cli/policy_input.h"
#include "client/cli/policy_text.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

constexpr PositionalSpec kFile = {.name = "FILE"};

void Show(const v1::PolicySet& policy, const Output& output) {
  if (output.json) {
    output.WriteJson(policy);
  } else {
    output.out << DescribePolicy(policy, output.color);
  }
}

// The policy in the file that the first word names; --tenant puts it in another tenant's name.
absl::StatusOr<v1::PolicySet> PolicyOf(const Context& context) {
  INTERLOCK_ASSIGN_OR_RETURN(v1::PolicySet policy, ReadPolicy(context.arguments.Word(0), context.output.in));
  if (context.arguments.Has("tenant")) policy.set_tenant_id(context.arguments.Get("tenant"));
  return policy;
}

absl::StatusOr<ExitCode> RunGet(Context& context) {
  v1::GetPolicyRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t version, context.arguments.GetInteger("version", 0));
  request.set_version(version);
  INTERLOCK_ASSIGN_OR_RETURN(const v1::PolicySet policy, context.client.GetPolicy(request));
  Show(policy, context.output);
  return kExitOk;
}

absl::StatusOr<ExitCode> Update(Context& context, v1::PolicySet policy) {
  v1::UpdatePolicyRequest request;
  *request.mutable_policy() = std::move(policy);
  request.set_reason(context.arguments.Get("reason"));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::PolicySet stored, context.client.UpdatePolicy(std::move(request)));
  Show(stored, context.output);
  return kExitOk;
}

absl::StatusOr<ExitCode> RunSet(Context& context) {
  INTERLOCK_ASSIGN_OR_RETURN(v1::PolicySet policy, PolicyOf(context));
  return Update(context, std::move(policy));
}

absl::StatusOr<ExitCode> RunUse(Context& context) {
  v1::PolicySet policy;
  policy.set_tenant_id(context.arguments.Get("tenant"));
  policy.set_profile(context.arguments.Word(0));
  return Update(context, std::move(policy));
}

absl::StatusOr<ExitCode> RunRollback(Context& context) {
  v1::RollbackPolicyRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  const std::string version = context.arguments.Word(0);
  int64_t number = 0;
  if (!absl::SimpleAtoi(version, &number) || number < 1) {
    return UsageError(absl::StrCat("VERSION must be a number, at least 1, not ", version,
                                   "; interlockctl policy versions lists those that there are"));
  }
  request.set_version(number);
  request.set_etag(context.arguments.Get("etag"));
  request.set_reason(context.arguments.Get("reason"));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::PolicySet stored, context.client.RollbackPolicy(std::move(request)));
  Show(stored, context.output);
  return kExitOk;
}

absl::StatusOr<ExitCode> RunValidate(Context& context) {
  v1::ValidatePolicyRequest request;
  INTERLOCK_ASSIGN_OR_RETURN(*request.mutable_policy(), PolicyOf(context));
  INTERLOCK_ASSIGN_OR_RETURN(const v1::ValidatePolicyResponse result,
                             context.client.ValidatePolicy(std::move(request)));
  const Output& output = context.output;
  if (output.json) {
    output.WriteJson(result);
  } else if (result.valid()) {
    output.out << output.Painted("valid", Color::kGreen) << "\n";
  } else {
    output.out << output.Painted("not valid", Color::kRed) << "\n";
    for (const v1::PolicyViolation& violation : result.violations()) {
      output.out << "  " << Printable(violation.field()) << ": " << Printable(violation.description()) << "\n";
    }
  }
  return result.valid() ? kExitOk : kExitError;
}

Table Tabulate(const v1::ListPolicyVersionsResponse& list) {
  Table table({{"version", Align::kRight}, {"profile"}, {"made"}, {"by"}, {"etag"}, {"back to"}, {"reason"}});
  for (const v1::PolicySet& policy : list.policies()) {
    table.AddRow({absl::StrCat(policy.version()), policy.profile(), FormatTime(policy.update_time()),
                  FormatPrincipal(policy.updated_by()), policy.etag(),
                  policy.rolled_back_to() == 0 ? "" : absl::StrCat(policy.rolled_back_to()), policy.reason()});
  }
  return table;
}

absl::StatusOr<ExitCode> RunVersions(Context& context) {
  v1::ListPolicyVersionsRequest request;
  request.set_tenant_id(context.arguments.Get("tenant"));
  return ShowList(context, request, &client::Client::ListPolicyVersions, &v1::ListPolicyVersionsResponse::policies_size,
                  Tabulate);
}

}  // namespace

std::vector<Command> PolicyCommands() {
  const FlagSpec other_tenant = {
      .name = "tenant", .value = "TENANT", .help = "default: the tenant that the file names"};
  const FlagSpec reason = {.name = "reason", .value = "TEXT", .help = "why, for those who read the versions later"};
  return {
      {.name = "policy get",
       .summary = "shows a tenant's policy; with --json in the form that policy set reads",
       .details = "",
       .positionals = {},
       .flags = {kTenantFlag, {.name = "version", .value = "N", .help = "default: the current version"}},
       .run = RunGet},
      {.name = "policy set",
       .summary = "replaces a tenant's policy by the one in a JSON file (- is standard input)",
       .details = "  The etag in the file must be the current one, so that nobody's change is lost;"
                  " without\n  an etag the policy is replaced whatever it is.",
       .positionals = {kFile},
       .flags = {other_tenant, reason},
       .run = RunSet},
      {.name = "policy use",
       .summary = "puts a tenant on a built-in profile: reference or tool_calling",
       .details = "",
       .positionals = {{.name = "PROFILE"}},
       .flags = {kTenantFlag, reason},
       .run = RunUse},
      {.name = "policy rollback",
       .summary = "puts a tenant on the content of an earlier version of its policy",
       .details = "  The old content becomes a new version; the versions in between stay. policy versions lists\n"
                  "  those that there are.",
       .positionals = {{.name = "VERSION"}},
       .flags = {kTenantFlag,
                 reason,
                 {.name = "etag",
                  .value = "ETAG",
                  .help = "of the current version, so that nobody's change is lost; default: whatever it is"}},
       .run = RunRollback},
      {.name = "policy validate",
       .summary = "checks a policy in a JSON file without storing it; exits with 1 if it is not valid",
       .details = "",
       .positionals = {kFile},
       .flags = {other_tenant},
       .run = RunValidate},
      {.name = "policy versions",
       .summary = "lists a tenant's stored policies, newest first",
       .details = "",
       .positionals = {},
       .flags = {kTenantFlag, kLimitFlag},
       .run = RunVersions},
  };
}

}  // namespace interlock::cli
