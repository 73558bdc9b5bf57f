#include "client/cli/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace interlock::cli {
namespace {

// One row of printable texts, padded to the widths.
std::string RenderRow(const std::vector<Column>& columns, const std::vector<size_t>& widths,
                      const std::vector<Cell>& cells, bool color) {
  std::string line;
  size_t owed = 0;
  for (size_t i = 0; i < cells.size(); ++i) {
    const size_t padding = widths[i] - Width(cells[i].text);
    if (columns[i].align == Align::kRight) owed += padding;
    // Spaces are only written when something follows them.
    if (!cells[i].text.empty()) {
      absl::StrAppend(&line, std::string(owed, ' '), Paint(cells[i].text, cells[i].color, color));
      owed = 0;
    }
    if (columns[i].align == Align::kLeft) owed += padding;
    owed += 2;
  }
  return line + "\n";
}

}  // namespace

std::string Table::Render(bool color) const {
  std::vector<std::vector<Cell>> rows(1);
  for (const Column& column : columns_) rows[0].emplace_back(column.title, Color::kBold);
  for (const std::vector<Cell>& row : rows_) {
    INTERLOCK_CHECK(row.size() == columns_.size());
    rows.emplace_back();
    for (size_t i = 0; i < row.size(); ++i) {
      rows.back().emplace_back(Shorten(Printable(row[i].text), columns_[i].width_max), row[i].color);
    }
  }
  std::vector<size_t> widths(columns_.size(), 0);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i].text));
  }
  std::string result;
  for (const auto& row : rows) result += RenderRow(columns_, widths, row, color);
  return result;
}

std::string RenderFacts(const std::vector<std::pair<std::string, Cell>>& facts, bool color) {
  size_t width = 0;
  for (const auto& [name, value] : facts) width = std::max(width, Width(name));
  std::string result;
  for (const auto& [name, value] : facts) {
    if (value.text.empty()) continue;
    absl::StrAppend(&result, Paint(name, Color::kDim, color), std::string(width - Width(name), ' '), "  ",
                    Paint(Printable(value.text), value.color, color), "\n");
  }
  return result;
}

}  // namespace interlock::cli
