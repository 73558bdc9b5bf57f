#include "tests/support/agent_runs.h"

#include <zlib.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "tests/support/vectors.h"

namespace interlock::support {
namespace {

struct Close {
  void operator()(gzFile file) const { gzclose(file); }
};
using GzipFile = std::unique_ptr<gzFile_s, Close>;

// Reads up to and without the next line end. False at the end of the file, or where it is damaged.
bool ReadLine(gzFile file, std::string& line) {
  char buffer[64 * 1024];
  line.clear();
  while (gzgets(file, buffer, sizeof(buffer)) != nullptr) {
    line += buffer;
    if (line.back() != '\n') continue;
    line.pop_back();
    return true;
  }
  return !line.empty();
}

}  // namespace

absl::Status ReadAgentRuns(const std::function<void(const google::protobuf::Struct& run)>& visit) {
  const std::string directory = SharedDirectory();
  if (directory.empty()) {
    return absl::NotFoundError("no recorded runs: run the test with --test_env=INTERLOCK_SHARED=DIRECTORY");
  }
  const std::string path = absl::StrCat(directory, "/data/agent_runs.public.jsonl.gz");
  const GzipFile file(gzopen(path.c_str(), "rb"));
  if (file == nullptr) return absl::FailedPreconditionError(absl::StrCat(path, ": no such file"));
  std::string line;
  int count = 0;
  while (ReadLine(file.get(), line)) {
    google::protobuf::Struct run;
    const auto status = google::protobuf::util::JsonStringToMessage(line, &run);
    ++count;
    if (!status.ok()) return absl::DataLossError(absl::StrCat(path, ":", count, ": ", status.ToString()));
    visit(run);
  }
  if (gzeof(file.get()) == 0) return absl::DataLossError(absl::StrCat(path, ": damaged after line ", count));
  if (count == 0) return absl::FailedPreconditionError(absl::StrCat(path, ": no run in it"));
  return absl::OkStatus();
}

}  // namespace interlock::support
