// Pages of rows: where a page begins, when it is full, and the token of the next one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/limits.h"
#include "core/engine/store.h"
#include "google/protobuf/message.h"

namespace interlock::server {

// How many rows a page has if the request names none, and at most.
struct PageSizes {
  int unset = kPageSizeDefault;
  int max = kPageSizeMax;
};

// One page of one query. Immutable.
class Page {
 public:
  // `request` has the fields page_size and page_token; its other fields, its type and `context` identify the query, to
  // which a token is bound.
  // Errors: INVALID_ARGUMENT (INVALID_FIELD: the token is not one that this query gave).
  template <typename Request>
  static absl::StatusOr<Page> Of(const Request& request, const PageSizes& sizes = {}, absl::string_view context = "") {
    Request query = request;
    query.clear_page_size();
    query.clear_page_token();
    Page page(request.page_size(), sizes, Identity(query, context));
    const absl::Status status = page.TakeToken(request.page_token());
    if (!status.ok()) return status;
    return page;
  }

  // At most so many rows.
  int size() const { return size_; }
  // The key of the last row of the page before; empty for the first page.
  const std::string& last_key() const { return last_key_; }
  // The token of the page that follows the row of `last_key`.
  std::string NextToken(absl::string_view last_key) const;

  // The error of a token that is not one of this query's.
  static absl::Status BadToken();

 private:
  Page(int size, const PageSizes& sizes, std::string identity);
  static std::string Identity(const google::protobuf::Message& query, absl::string_view context);
  absl::Status TakeToken(absl::string_view token);

  int size_;
  std::string identity_;
  std::string last_key_;
};

// Looks at a row; answers whether it belongs to the list.
using RowTaker = std::function<absl::StatusOr<bool>(absl::string_view key, absl::string_view value)>;

// Shows `take` the rows of `range` after the page before, until it took page.size() or kPageBytesMax bytes of them or
// has seen kPageRowsMax. Answers the token of the next page; empty: there is none. Errors: INVALID_ARGUMENT (the
// token's row lies outside `range`), those of the store and of `take`.
absl::StatusOr<std::string> ScanPage(const Store& store, ScanRange range, const Page& page, const RowTaker& take);

}  // namespace interlock::server
