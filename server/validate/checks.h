// The checks that all requests are made of. Private to server/validate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace interlock::server {

// gRPC carries no more than 8 KiB of error; these many violations of this length fit.
inline constexpr int kFieldViolationsMax = 20;
inline constexpr size_t kFieldPathBytesMax = 120;

// Where a field stands in a request. It is only written out when it is violated, because most never
// are. Each path must outlive the paths made from it, and names the texts that they are made of.
class FieldPath {
 public:
  // The request itself.
  FieldPath() = default;
  FieldPath Field(absl::string_view name) const { return FieldPath(this, name, -1); }
  FieldPath Index(int index) const { return FieldPath(this, {}, index); }
  // For example "points[2].value"; what is not printable is escaped, and a long path is cut.
  std::string ToString() const;

 private:
  FieldPath(const FieldPath* parent, absl::string_view name, int index) : parent_(parent), name_(name), index_(index) {}
  void AppendTo(std::string& text) const;

  const FieldPath* parent_ = nullptr;
  absl::string_view name_;
  int index_ = -1;
};

// Collects what is wrong with one request; each method looks at one field. Thread-compatible.
class Checks {
 public:
  void Add(const FieldPath& path, absl::string_view description);

  // A name: valid UTF-8 without control characters, at most `bytes_max` long; not empty if
  // required.
  void RequiredId(const FieldPath& path, absl::string_view id, size_t bytes_max = kIdBytesMax);
  void OptionalId(const FieldPath& path, absl::string_view id, size_t bytes_max = kIdBytesMax);
  void RequestId(const FieldPath& path, absl::string_view id) { OptionalId(path, id, kRequestIdBytesMax); }
  // A text for people: valid UTF-8.
  void RequiredText(const FieldPath& path, absl::string_view text, size_t bytes_max);
  void OptionalText(const FieldPath& path, absl::string_view text, size_t bytes_max);

  void Ratio(const FieldPath& path, double value);
  void FiniteAtLeast0(const FieldPath& path, double value);
  void AtLeast0(const FieldPath& path, int64_t value);
  void Tier(const FieldPath& path, int32_t tier);
  void PageSize(const FieldPath& path, int32_t page_size);

  void Time(const FieldPath& path, const google::protobuf::Timestamp& time);
  // `minimum` and `maximum` are allowed.
  void DurationBetween(const FieldPath& path, const google::protobuf::Duration& duration, absl::Duration minimum,
                       absl::Duration maximum);

  absl::Status ToStatus() const { return violations_.ToStatus(); }

 private:
  FieldViolations violations_;
  int count_ = 0;
};

// Whether `text` is UTF-8 as RFC 3629 defines it.
bool IsUtf8(absl::string_view text);

}  // namespace interlock::server
