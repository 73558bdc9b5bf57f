#include "storage/store_header.h"

#include "absl/strings/str_cat.h"
#include "core/base/error.h"

namespace interlock::storage {

std::string HeaderKey() { return std::string(1, '\0'); }

v1::StoreHeader MakeHeader(absl::string_view epoch) {
  v1::StoreHeader header;
  header.set_format_version(kFormatVersion);
  header.set_epoch(std::string(epoch));
  return header;
}

absl::StatusOr<v1::StoreHeader> ReadHeader(absl::string_view bytes) {
  v1::StoreHeader header;
  if (!header.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || header.format_version() < 1) {
    return MakeError(absl::StatusCode::kDataLoss, "STORE_DAMAGED",
                     "the store's header cannot be read: restore the directory from a backup");
  }
  if (header.format_version() > kFormatVersion) {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, "FORMAT_TOO_NEW",
        absl::StrCat("the store is written in format ", header.format_version(), ", this version reads up to ",
                     kFormatVersion, ": run the version that wrote it or a newer one, or restore an older backup"),
        {{"format_version", absl::StrCat(header.format_version())}});
  }
  if (header.epoch().empty()) {
    return MakeError(absl::StatusCode::kDataLoss, "STORE_DAMAGED",
                     "the store's header has no epoch: restore the directory from a backup");
  }
  return header;
}

}  // namespace interlock::storage
