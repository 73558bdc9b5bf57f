#include "server/rpc/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/engine/keys.h"
#include "core/engine/store.h"
#include "interlock/v1/safety_service.pb.h"
#include "interlock/v1/scheduler_service.pb.h"
#include "interlock/v1/state.pb.h"
#include "server/base/limits.h"
#include "storage/memory_store.h"

namespace interlock::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::ListTasksRequest Asking(int page_size, const std::string& token = "") {
  v1::ListTasksRequest request;
  request.set_tenant_id("t1");
  request.set_page_size(page_size);
  request.set_page_token(token);
  return request;
}

class PageTest : public ::testing::Test {
 protected:
  // Rows 1 to `count` of tenant t1, and one of the tenants before and after it.
  void Fill(int count, size_t row_bytes = 1) {
    WriteSet writes;
    v1::RequestRecord row;
    row.set_reply(std::string(row_bytes, 'x'));
    for (int i = 1; i <= count; ++i) writes.Put(Table::kTask, keys::TenantNumber("t1", i), row);
    writes.Put(Table::kTask, keys::TenantNumber("t0", 1), row);
    writes.Put(Table::kTask, keys::TenantNumber("t2", 1), row);
    ASSERT_TRUE(store_.Commit(writes).ok());
  }

  ScanRange Range(bool reverse = false) const {
    const std::string prefix = keys::Tenant("t1");
    return {Table::kTask, prefix, keys::PrefixEnd(prefix), reverse};
  }

  // Reads a page of the even rows or of all; the rows are in seen_. Answers the next token, or the reason of an error.
  std::string ReadPage(const v1::ListTasksRequest& request, bool reverse = false, bool only_even = false) {
    seen_.clear();
    const absl::StatusOr<Page> page = Page::Of(request);
    if (!page.ok()) return ErrorReason(page.status());
    const auto next =
        ScanPage(store_, Range(reverse), *page, [&](absl::string_view key, absl::string_view) -> absl::StatusOr<bool> {
          const int64_t number = keys::LastNumber(key);
          if (only_even && number % 2 != 0) return false;
          seen_.push_back(number);
          return true;
        });
    return next.ok() ? *next : ErrorReason(next.status());
  }

  storage::MemoryStore store_{"e1"};
  std::vector<int64_t> seen_;
};

TEST_F(PageTest, PagesFollowOneAnotherUntilTheLastOne) {
  Fill(5);
  std::string token = ReadPage(Asking(2));
  EXPECT_THAT(seen_, ElementsAre(1, 2));
  token = ReadPage(Asking(2, token));
  EXPECT_THAT(seen_, ElementsAre(3, 4));
  token = ReadPage(Asking(2, token));
  EXPECT_THAT(seen_, ElementsAre(5));
  EXPECT_EQ(token, "");
}

TEST_F(PageTest, APageThatEndsWithTheListHasNoNextOne) {
  Fill(2);
  EXPECT_EQ(ReadPage(Asking(2)), "");
  EXPECT_THAT(seen_, ElementsAre(1, 2));
}

TEST_F(PageTest, AListMayRunBackwards) {
  Fill(3);
  const std::string token = ReadPage(Asking(2), /*reverse=*/true);
  EXPECT_THAT(seen_, ElementsAre(3, 2));
  EXPECT_EQ(ReadPage(Asking(2, token), /*reverse=*/true), "");
  EXPECT_THAT(seen_, ElementsAre(1));
}

TEST_F(PageTest, AnEmptyListIsOnePage) {
  EXPECT_EQ(ReadPage(Asking(2)), "");
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(PageTest, RowsThatComeBetweenPagesAreNeitherRepeatedNorSkipped) {
  Fill(2);
  const std::string token = ReadPage(Asking(1));
  EXPECT_THAT(seen_, ElementsAre(1));
  WriteSet writes;
  writes.Delete(Table::kTask, keys::TenantNumber("t1", 1));
  writes.Put(Table::kTask, keys::TenantNumber("t1", 3), v1::RequestRecord());
  ASSERT_TRUE(store_.Commit(writes).ok());
  EXPECT_EQ(ReadPage(Asking(5, token)), "");
  EXPECT_THAT(seen_, ElementsAre(2, 3));
}

TEST_F(PageTest, SizesAreUnsetAndCapped) {
  EXPECT_EQ(Page::Of(Asking(0))->size(), kPageSizeDefault);
  EXPECT_EQ(Page::Of(Asking(1))->size(), 1);
  EXPECT_EQ(Page::Of(Asking(kPageSizeMax))->size(), kPageSizeMax);
  EXPECT_EQ(Page::Of(Asking(kPageSizeMax + 1))->size(), kPageSizeMax);
  EXPECT_EQ(Page::Of(Asking(0), {.unset = 20, .max = 100})->size(), 20);
  EXPECT_EQ(Page::Of(Asking(101), {.unset = 20, .max = 100})->size(), 100);
}

TEST_F(PageTest, AFilteredPageMayBeShortAndGoesOn) {
  Fill(5);
  const std::string token = ReadPage(Asking(1), false, /*only_even=*/true);
  EXPECT_THAT(seen_, ElementsAre(2));
  EXPECT_NE(token, "");
  ReadPage(Asking(5, token), false, /*only_even=*/true);
  EXPECT_THAT(seen_, ElementsAre(4));
}

TEST_F(PageTest, AFilteredPageLooksAtNoMoreThanSoManyRows) {
  Fill(kPageRowsMax + 1);
  const absl::StatusOr<Page> page = Page::Of(Asking(1));
  int rows = 0;
  const auto next = ScanPage(store_, Range(), *page, [&](absl::string_view, absl::string_view) -> absl::StatusOr<bool> {
    ++rows;
    return false;
  });
  EXPECT_EQ(rows, kPageRowsMax);
  EXPECT_NE(*next, "");
}

TEST_F(PageTest, APageIsBoundedInBytes) {
  Fill(3, kPageBytesMax / 2);
  const std::string token = ReadPage(Asking(100));
  EXPECT_THAT(seen_, ElementsAre(1, 2));
  EXPECT_EQ(ReadPage(Asking(100, token)), "");
  EXPECT_THAT(seen_, ElementsAre(3));
}

TEST_F(PageTest, AnErrorOfTheTakerEndsThePage) {
  Fill(3);
  const auto next = ScanPage(
      store_, Range(), *Page::Of(Asking(5)),
      [&](absl::string_view, absl::string_view) -> absl::StatusOr<bool> { return absl::DataLossError("damaged"); });
  EXPECT_EQ(next.status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(PageTest, TheSizeMayChangeFromPageToPage) {
  Fill(5);
  const std::string token = ReadPage(Asking(1));
  ReadPage(Asking(3, token));
  EXPECT_THAT(seen_, ElementsAre(2, 3, 4));
}

TEST_F(PageTest, ATokenOfAnotherQueryIsRefused) {
  Fill(5);
  const std::string token = ReadPage(Asking(1));
  v1::ListTasksRequest other_tenant = Asking(1, token);
  other_tenant.set_tenant_id("t2");
  EXPECT_EQ(ReadPage(other_tenant), "INVALID_FIELD");
  v1::ListDecisionsRequest other_list;
  other_list.set_tenant_id("t1");
  other_list.set_page_token(token);
  EXPECT_EQ(ErrorReason(Page::Of(other_list).status()), "INVALID_FIELD");
  EXPECT_EQ(ErrorReason(Page::Of(Asking(1, token), {}, "another context").status()), "INVALID_FIELD");
}

TEST_F(PageTest, GarbageIsRefusedAndSaysWhatToDo) {
  Fill(5);
  const std::string token = ReadPage(Asking(1));
  for (const std::string& garbage :
       {std::string("x"), std::string("!!!"), token.substr(0, 8), "AA" + token, absl::WebSafeBase64Escape("\1"),
        absl::WebSafeBase64Escape(std::string("\2") + std::string(20, 'x'))}) {
    const absl::Status status = Page::Of(Asking(1, garbage)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << garbage;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr("page_token")) << garbage;
  }
}

TEST_F(PageTest, ATokenCannotLeadOutOfTheList) {
  Fill(5);
  // A token with the right identity but the key of another tenant's row.
  const absl::StatusOr<Page> page = Page::Of(Asking(1));
  EXPECT_EQ(ReadPage(Asking(1, page->NextToken(keys::TenantNumber("t0", 1)))), "INVALID_FIELD");
  EXPECT_EQ(ReadPage(Asking(1, page->NextToken(keys::TenantNumber("t2", 1)))), "INVALID_FIELD");
  EXPECT_EQ(ReadPage(Asking(1, page->NextToken(keys::TenantNumber("t2", 1))), /*reverse=*/true), "INVALID_FIELD");
}

}  // namespace
}  // namespace interlock::server
