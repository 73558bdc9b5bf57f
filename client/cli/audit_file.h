// Files with an exported audit log: JSON lines or protobuf messages with their lengths. docs/audit.md describes both.
#pragma once

#include <istream>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "core/audit/export_check.h"
#include "interlock/v1/audit.pb.h"

namespace interlock::cli {

enum class AuditFormat {
  // Each entry is a line of protobuf JSON.
  kJsonLines,
  // Each entry is its length as a varint, and its bytes.
  kProtobuf,
};

// The bytes of one entry. An entry has one form only, so that whatever else stands in a file was not written so.
std::string FormatAuditEntry(const v1::AuditEntry& entry, AuditFormat format);

// Shows every piece of the file to `check`; its first bytes tell the format. Memory is bounded, whatever the file
// holds.
void ReadAuditFile(std::istream& file, audit::ExportCheck& check);

}  // namespace interlock::cli
