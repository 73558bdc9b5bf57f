#include "client/cli/replay/progress.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/format.h"

namespace interlock::cli {
namespace {

constexpr size_t kWidth = 30;
constexpr char kEraseLine[] = "\r\x1b[K";

}  // namespace

void ProgressBar::Show(double done, absl::string_view before, int64_t count, absl::string_view unit, absl::Time now) {
  if (!enabled_) return;
  shown_ = true;
  const double share = std::clamp(done, 0.0, 1.0);
  const auto filled = static_cast<size_t>(share * static_cast<double>(kWidth));
  const double seconds = absl::ToDoubleSeconds(now - begin_);
  std::string text;
  for (size_t i = 0; i < kWidth; ++i) text += i < filled ? "█" : "░";
  absl::StrAppend(&text, absl::StrFormat(" %3.0f %%  ", share * 100), before, FormatCount(count), " ", unit);
  if (seconds >= 0.5) {
    absl::StrAppend(&text, ", ", FormatCount(static_cast<int64_t>(static_cast<double>(count) / seconds)), " ", unit,
                    "/s");
    if (share > 0.02) absl::StrAppend(&text, absl::StrFormat(", %.0f s left", seconds * (1 - share) / share));
  }
  stream_ << kEraseLine << text << std::flush;
}

void ProgressBar::Clear() {
  if (shown_) stream_ << kEraseLine << std::flush;
  shown_ = false;
}

}  // namespace interlock::cli
