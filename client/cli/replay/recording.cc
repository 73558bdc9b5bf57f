#include "client/cli/replay/recording.h"

#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace interlock::cli {
namespace {

constexpr size_t kBlockBytes = 256 * 1024;
constexpr size_t kLineBytesMax = size_t{16} << 20;

}  // namespace

struct Recording::File {
  ~File() { gzclose(gz); }

  gzFile gz;
  double size;
};

absl::StatusOr<std::unique_ptr<Recording>> Recording::Open(const std::string& path) {
  struct stat info = {};
  const bool regular = stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
  gzFile gz = regular ? gzopen(path.c_str(), "rb") : nullptr;
  if (gz == nullptr) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path, "; check the name of the recording"));
  }
  auto file = std::unique_ptr<File>(new File{gz, static_cast<double>(info.st_size)});
  return std::unique_ptr<Recording>(new Recording(std::move(file)));
}

Recording::Recording(std::unique_ptr<File> file) : file_(std::move(file)) {}

Recording::~Recording() = default;

double Recording::progress() const {
  return file_->size <= 0 ? 1 : std::min(1.0, static_cast<double>(gzoffset(file_->gz)) / file_->size);
}

absl::StatusOr<bool> Recording::Fill() {
  place_ = 0;
  block_.resize(broken_ ? 0 : kBlockBytes);
  if (broken_) return false;
  const int bytes = gzread(file_->gz, block_.data(), static_cast<unsigned>(kBlockBytes));
  block_.resize(static_cast<size_t>(std::max(bytes, 0)));
  if (bytes > 0) return true;
  int problem = Z_OK;
  const char* text = gzerror(file_->gz, &problem);
  if (problem == Z_OK || problem == Z_STREAM_END) return false;
  broken_ = true;
  return absl::DataLossError(absl::StrCat("the recording breaks off: ", text));
}

absl::StatusOr<std::optional<std::string>> Recording::Next() {
  std::string line;
  bool begun = false;
  bool too_long = false;
  while (true) {
    if (place_ == block_.size()) {
      absl::StatusOr<bool> more = Fill();
      if (!more.ok()) {
        ++line_number_;
        return more.status();
      }
      if (!*more) break;
    }
    begun = true;
    const size_t end = std::min(block_.find('\n', place_), block_.size());
    if (line.size() + (end - place_) > kLineBytesMax) too_long = true;
    if (!too_long) line.append(block_, place_, end - place_);
    place_ = end;
    if (end == block_.size()) continue;
    ++place_;
    ++line_number_;
    if (too_long) return absl::InvalidArgumentError("the line is longer than 16 MiB");
    if (!line.empty()) return std::optional<std::string>(std::move(line));
    begun = false;
  }
  if (!begun) return std::optional<std::string>();
  ++line_number_;
  if (too_long) return absl::InvalidArgumentError("the line is longer than 16 MiB");
  return line.empty() ? std::optional<std::string>() : std::optional<std::string>(std::move(line));
}

}  // namespace interlock::cli
