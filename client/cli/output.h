// Where a command writes, and how.
#pragma once

#include <istream>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "client/cli/table.h"
#include "client/cli/text.h"
#include "google/protobuf/message.h"

namespace interlock::cli {

// Results go to `out`, everything else to `err`. Borrows the streams. One thread at a time.
struct Output {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  // Whether results are protobuf JSON instead of text for people.
  bool json = false;
  // Whether `out` takes colours.
  bool color = false;
  // Whether `err` is a terminal, on which a line may be written over.
  bool progress = false;

  std::string Painted(absl::string_view text, Color text_color) const { return Paint(text, text_color, color); }
  void Write(const Table& table) const { out << table.Render(color); }
  // One line of protobuf JSON, fields that are zero included. Output of a stream is one object a
  // line; a single object is one line too, since that is what programs read.
  void WriteJson(const google::protobuf::Message& message) const;
  // A line for people on `err`.
  void Note(absl::string_view text) const;
};

}  // namespace interlock::cli
