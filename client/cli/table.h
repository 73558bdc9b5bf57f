// Aligned tables. A pure function of the rows.
#pragma once

#include <string>
#include <vector>

#include "client/cli/text.h"

namespace interlock::cli {

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
  // The most code points that a cell shows.
  size_t width_max = 200;
};

// Text of any origin: it is made printable when it is rendered.
struct Cell {
  Cell(std::string cell_text, Color cell_color = Color::kPlain)  // NOLINT(google-explicit-constructor)
      : text(std::move(cell_text)), color(cell_color) {}
  Cell(const char* cell_text) : text(cell_text) {}  // NOLINT(google-explicit-constructor)

  std::string text;
  Color color = Color::kPlain;
};

// Thread-compatible.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: as many cells as there are columns.
  void AddRow(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }

  // The titles and the rows, each on a line; columns are two spaces apart. No line ends with spaces.
  std::string Render(bool color) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Names and values, one below the other, with the values aligned.
std::string RenderFacts(const std::vector<std::pair<std::string, Cell>>& facts, bool color);

}  // namespace interlock::cli
