// Reads lists page by page.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace interlock::cli {

// The most rows that a server puts on one page.
inline constexpr int64_t kPageRowsMax = 1000;

// Fetches pages until there are `limit` rows (0: all) or no more, and hands each reply to `take`,
// which answers how many rows it held. Filtered pages may be empty with more to come. Returns the
// token of the next page; empty: that was all.
template <typename Request, typename Fetch, typename Take>
absl::StatusOr<std::string> FetchPages(Request request, int64_t limit, Fetch fetch, Take take) {
  int64_t rows = 0;
  do {
    const int64_t wanted = limit == 0 ? kPageRowsMax : std::min(kPageRowsMax, limit - rows);
    request.set_page_size(static_cast<int32_t>(wanted));
    auto page = fetch(request);
    if (!page.ok()) return page.status();
    request.set_page_token(page->next_page_token());
    rows += take(*page);
  } while (!request.page_token().empty() && (limit == 0 || rows < limit));
  return request.page_token();
}

}  // namespace interlock::cli
