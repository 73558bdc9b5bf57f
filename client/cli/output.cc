#include "client/cli/output.h"

#include "google/protobuf/util/json_util.h"

namespace interlock::cli {

void Output::WriteJson(const google::protobuf::Message& message) const {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) {
    err << "error: a reply cannot be shown as JSON: " << status.ToString() << "\n";
    return;
  }
  // Scripts that follow a stream want each line when it comes.
  out << text << std::endl;
}

void Output::Note(absl::string_view text) const { err << Printable(text) << std::endl; }

}  // namespace interlock::cli
