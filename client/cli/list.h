// Shows what a server lists page by page.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/command.h"
#include "client/cli/table.h"
#include "core/base/limits.h"
#include "core/base/status_macros.h"

namespace interlock::cli {

// Fetches pages until there are `limit` rows (0: all) or no more, and answers them as one: its
// next_page_token is empty if that was all. `size` counts a reply's rows; a filtered page may be
// empty with more to come.
template <typename Request, typename Reply>
absl::StatusOr<Reply> FetchPages(const client::Client& client, Request request, int64_t limit,
                                 absl::StatusOr<Reply> (client::Client::*method)(Request, const client::CallOptions&)
                                     const,
                                 int (Reply::*size)() const) {
  Reply all;
  int64_t rows = 0;
  do {
    const int64_t wanted = limit == 0 ? kPageSizeMax : std::min<int64_t>(kPageSizeMax, limit - rows);
    request.set_page_size(static_cast<int32_t>(wanted));
    INTERLOCK_ASSIGN_OR_RETURN(const Reply page, (client.*method)(request, {}));
    all.MergeFrom(page);
    all.set_next_page_token(page.next_page_token());
    request.set_page_token(page.next_page_token());
    rows += (page.*size)();
  } while (!request.page_token().empty() && (limit == 0 || rows < limit));
  return all;
}

// A whole list command: as many rows as --limit says, as JSON or in the table that `tabulate` makes.
template <typename Request, typename Reply, typename Tabulate>
absl::StatusOr<ExitCode> ShowList(const Context& context, const Request& request,
                                  absl::StatusOr<Reply> (client::Client::*method)(Request, const client::CallOptions&)
                                      const,
                                  int (Reply::*size)() const, Tabulate tabulate) {
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t limit, context.arguments.GetInteger("limit", 100));
  if (limit < 0) return Arguments::InvalidFlag("limit", "must be 0 or more");
  INTERLOCK_ASSIGN_OR_RETURN(const Reply all, FetchPages(context.client, request, limit, method, size));
  if (context.output.json) {
    context.output.WriteJson(all);
    return kExitOk;
  }
  const Table table = tabulate(all);
  context.output.Write(table);
  if (!all.next_page_token().empty()) context.output.Note("There are more: --limit=0 shows all.");
  return kExitOk;
}

}  // namespace interlock::cli
