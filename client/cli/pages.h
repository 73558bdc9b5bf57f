// Reads lists page by page.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/arguments.h"
#include "core/base/limits.h"

namespace interlock::cli {

// How many rows the flag --limit asks for; 0: all.
inline absl::StatusOr<int64_t> Limit(const Arguments& arguments) {
  absl::StatusOr<int64_t> limit = arguments.GetInteger("limit", 100);
  if (limit.ok() && *limit < 0) return Arguments::InvalidFlag("limit", "must be 0 or more");
  return limit;
}

// Fetches pages until there are `limit` rows (0: all) or no more, and hands each reply to `take`,
// which answers how many rows it held. Filtered pages may be empty with more to come. Returns the
// token of the next page; empty: that was all.
template <typename Request, typename Fetch, typename Take>
absl::StatusOr<std::string> FetchPages(Request request, int64_t limit, Fetch fetch, Take take) {
  int64_t rows = 0;
  do {
    const int64_t wanted = limit == 0 ? kPageSizeMax : std::min<int64_t>(kPageSizeMax, limit - rows);
    request.set_page_size(static_cast<int32_t>(wanted));
    auto page = fetch(request);
    if (!page.ok()) return page.status();
    request.set_page_token(page->next_page_token());
    rows += take(*page);
  } while (!request.page_token().empty() && (limit == 0 || rows < limit));
  return request.page_token();
}

}  // namespace interlock::cli
