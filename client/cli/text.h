// Text for terminals: colours, and text of others made harmless. Pure functions.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace interlock::cli {

enum class Color { kPlain, kBold, kDim, kRed, kGreen, kYellow, kMagenta, kCyan };

// `text` in `color`; as it is if colours are off or the colour is plain.
std::string Paint(absl::string_view text, Color color, bool enabled);

// `text` on one line and without control characters, so that what an agent wrote cannot steer the
// terminal: each becomes \n, \t or \xNN. Bytes that are no UTF-8 become \xNN too.
std::string Printable(absl::string_view text);

// How many columns `text`, which is printable, takes on a terminal: its code points.
size_t Width(absl::string_view text);

// The first `width` code points of `text`, which is printable; the last one is an ellipsis if some
// are left out. REQUIRES: width > 0.
std::string Shorten(absl::string_view text, size_t width);

}  // namespace interlock::cli
