#include "client/cli/audit.h"

#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/audit_export.h"
#include "client/cli/audit_file.h"
#include "client/cli/format.h"
#include "core/audit/export_check.h"
#include "core/base/ed25519.h"
#include "core/base/status_macros.h"
#include "google/protobuf/struct.pb.h"

namespace interlock::cli {
namespace {

std::string RowsText(int64_t rows, int64_t first, int64_t last) {
  if (rows == 0) return "no rows";
  return absl::StrCat(FormatCount(rows), rows == 1 ? " row, " : " rows, ", first, "..", last);
}

std::string IntactLine(bool intact, absl::string_view what, const Output& output) {
  return intact ? absl::StrCat(output.Painted("intact", Color::kGreen), ": ", what, "\n")
                : absl::StrCat(output.Painted("NOT intact", Color::kRed), ": ", what, "\n");
}

// Exports.

absl::StatusOr<AuditFormat> FormatOf(const Arguments& arguments) {
  const std::string format = arguments.Get("format", "jsonl");
  if (format == "jsonl") return AuditFormat::kJsonLines;
  if (format == "protobuf") return AuditFormat::kProtobuf;
  return Arguments::InvalidFlag("format", "is jsonl or protobuf");
}

absl::Status WriteExport(Context& context, AuditFormat format, std::ostream& out, v1::AuditTrailer& trailer) {
  v1::ExportAuditLogRequest request;
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t first, context.arguments.GetInteger("first", 0));
  INTERLOCK_ASSIGN_OR_RETURN(const int64_t last, context.arguments.GetInteger("last", 0));
  request.set_first_sequence(first);
  request.set_last_sequence(last);
  return client::ExportAuditLog(context.client, request, [&](const v1::ExportAuditLogResponse& piece) {
    v1::AuditEntry entry;
    for (const v1::AuditRow& row : piece.rows()) {
      *entry.mutable_row() = row;
      out << FormatAuditEntry(entry, format);
    }
    if (piece.has_trailer()) {
      *entry.mutable_trailer() = trailer = piece.trailer();
      out << FormatAuditEntry(entry, format);
    }
    out.flush();
    return out ? absl::OkStatus() : absl::InternalError("the export cannot be written; is the disk full?");
  });
}

absl::StatusOr<ExitCode> RunExport(Context& context) {
  INTERLOCK_ASSIGN_OR_RETURN(const AuditFormat format, FormatOf(context.arguments));
  v1::AuditTrailer trailer;
  const std::string path = context.arguments.Get("output");
  if (path.empty()) {
    INTERLOCK_RETURN_IF_ERROR(WriteExport(context, format, context.output.out, trailer));
    return kExitOk;
  }
  // The name is given once all is there, so that half an export is not taken for one.
  const std::string part = path + ".part";
  std::ofstream file(part, std::ios::binary | std::ios::trunc);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot write ", part, "; check the name of the folder"));
  absl::Status status = WriteExport(context, format, file, trailer);
  file.close();
  if (status.ok() && (!file || std::rename(part.c_str(), path.c_str()) != 0)) {
    status = absl::InternalError(absl::StrCat("cannot write ", path));
  }
  if (!status.ok()) {
    std::remove(part.c_str());
    return status;
  }
  context.output.Note(absl::StrCat(path, ": ",
                                   RowsText(trailer.rows(), trailer.first_sequence(), trailer.last_sequence()),
                                   ", signed by ", absl::BytesToHexString(trailer.public_key())));
  return kExitOk;
}

// Verification of a file.

absl::StatusOr<std::string> PublicKeyOf(const Arguments& arguments) {
  const std::string text = arguments.Get("public_key");
  if (!arguments.Has("public_key")) return std::string();
  const std::string key = absl::HexStringToBytes(text);
  if (key.size() != kEd25519KeyBytes || absl::BytesToHexString(key) != absl::AsciiStrToLower(text)) {
    return Arguments::InvalidFlag("public_key", "is 64 hexadecimal digits, as `interlockctl status` shows them");
  }
  return key;
}

void ShowJson(const audit::ExportVerdict& verdict, const Output& output) {
  google::protobuf::Struct json;
  auto& fields = *json.mutable_fields();
  fields["intact"].set_bool_value(verdict.intact);
  fields["badSequence"].set_number_value(static_cast<double>(verdict.bad_sequence));
  fields["fault"].set_string_value(verdict.fault);
  fields["complete"].set_bool_value(verdict.complete);
  fields["missing"].set_string_value(verdict.missing);
  fields["rows"].set_number_value(static_cast<double>(verdict.rows));
  fields["firstSequence"].set_number_value(static_cast<double>(verdict.first_sequence));
  fields["lastSequence"].set_number_value(static_cast<double>(verdict.last_sequence));
  fields["startIsKnown"].set_bool_value(verdict.start_is_known);
  fields["publicKey"].set_string_value(absl::BytesToHexString(verdict.trailer.public_key()));
  fields["epoch"].set_string_value(verdict.trailer.epoch());
  fields["time"].set_string_value(FormatTime(verdict.trailer.time()));
  output.WriteJson(json);
}

void ShowText(const audit::ExportVerdict& verdict, bool key_was_given, const Output& output) {
  const v1::AuditTrailer& trailer = verdict.trailer;
  output.out << IntactLine(
      verdict.intact,
      verdict.intact ? RowsText(verdict.rows, verdict.first_sequence, verdict.last_sequence) : verdict.fault, output);
  if (verdict.intact && verdict.rows > 0 && !verdict.start_is_known) {
    output.out << "  row " << verdict.first_sequence << " itself is not checked: what it follows is not known\n";
  }
  if (!verdict.complete) {
    output.out << output.Painted("incomplete", Color::kYellow) << ": " << Printable(verdict.missing) << "\n";
    return;
  }
  output.out << output.Painted("complete", Color::kGreen) << ": signed by "
             << absl::BytesToHexString(trailer.public_key()) << " at " << FormatTime(trailer.time()) << ", store "
             << Printable(trailer.epoch()) << "\n";
  if (key_was_given) return;
  output.out << "  this key is the one in the file: compare it with the server's, which `interlockctl status` shows,\n"
                "  or give that with --public_key\n";
}

absl::StatusOr<ExitCode> VerifyFile(Context& context) {
  INTERLOCK_ASSIGN_OR_RETURN(std::string public_key, PublicKeyOf(context.arguments));
  audit::ExportCheck check(std::move(public_key));
  const std::string path = context.arguments.Word(0);
  if (path == "-") {
    ReadAuditFile(context.output.in, check);
  } else {
    std::ifstream file(path, std::ios::binary);
    if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path, "; check the name of the file"));
    ReadAuditFile(file, check);
  }
  const audit::ExportVerdict verdict = check.Finish();
  if (context.output.json) {
    ShowJson(verdict, context.output);
  } else {
    ShowText(verdict, context.arguments.Has("public_key"), context.output);
  }
  if (!verdict.intact) return kExitError;
  return verdict.complete ? kExitOk : kExitIncomplete;
}

// Verification of the server's log.

absl::StatusOr<ExitCode> VerifyServer(Context& context) {
  v1::VerifyAuditLogRequest request;
  v1::VerifyAuditLogResponse response;
  do {
    INTERLOCK_ASSIGN_OR_RETURN(response, context.client.VerifyAuditLog(request));
    request.set_continuation(response.continuation());
  } while (!request.continuation().empty());
  const Output& output = context.output;
  if (output.json) {
    output.WriteJson(response);
    return response.intact() ? kExitOk : kExitError;
  }
  if (!response.intact()) {
    output.out << IntactLine(false, Printable(response.description()), output);
    return kExitError;
  }
  output.out << IntactLine(true, RowsText(response.rows(), response.first_sequence(), response.last_sequence()), output)
             << "  " << FormatCount(response.records_checked()) << " records are as their rows say, "
             << FormatCount(response.records_removed()) << " were removed by retention\n";
  if (response.records_unchecked() > 0) {
    output.out << "  " << FormatCount(response.records_unchecked()) << " changed too often meanwhile to be checked\n";
  }
  if (response.rows() > 0) output.out << "  newest hash " << absl::BytesToHexString(response.head_hash()) << "\n";
  return kExitOk;
}

absl::StatusOr<ExitCode> RunVerify(Context& context) {
  if (context.arguments.word_count() > 0) return VerifyFile(context);
  if (context.arguments.Has("public_key")) {
    return Arguments::InvalidFlag("public_key", "is for a file; the server's own log has no signature");
  }
  return VerifyServer(context);
}

}  // namespace

std::vector<Command> AuditCommands() {
  return {
      {.name = "audit export",
       .summary = "writes the audit log, which ends with a signed trailer",
       .details = "  With --output the file has its name only once all is in it.",
       .positionals = {},
       .flags = {{.name = "format", .value = "FORMAT", .help = "jsonl or protobuf; default: jsonl"},
                 {.name = "output", .value = "FILE", .help = "default: standard output"},
                 {.name = "first", .value = "N", .help = "from this row on; default: the oldest"},
                 {.name = "last", .value = "N", .help = "up to this row; default: the newest"}},
       .run = RunExport},
      {.name = "audit verify",
       .summary = "checks an exported audit log without a server, or the log of the server",
       .details = "  A file is intact if its rows are as they were written, and complete if a signed trailer says\n"
                  "  that none is left out. Exits with 0 if it is both, with 1 if it is not intact, with 6 if it is\n"
                  "  intact and not complete. Without FILE (\"-\" is standard input) the server checks its own log\n"
                  "  and the records that it vouches for.",
       .positionals = {{.name = "FILE", .required = false}},
       .flags = {{.name = "public_key", .value = "HEX", .help = "the server's key; default: the one in the file"}},
       .run = RunVerify},
  };
}

}  // namespace interlock::cli
