// The words of a command line, checked against what a command takes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace interlock::cli {

// --name=VALUE or --name VALUE; a switch is --name alone.
struct FlagSpec {
  absl::string_view name;
  // What the value is called in help texts; empty for a switch.
  absl::string_view value;
  absl::string_view help;
  bool required = false;
};

// A word without a name, in its place.
struct PositionalSpec {
  absl::string_view name;
  bool required = true;
};

// An error in how the program was called, which ends it with exit code 2.
absl::Status UsageError(absl::string_view message);
bool IsUsageError(const absl::Status& status);

// What was given. Values of flags that the command does not have may not be asked for.
class Arguments {
 public:
  bool Has(absl::string_view name) const { return flags_.count(std::string(name)) > 0; }
  // The value, or `otherwise` if the flag was not given.
  std::string Get(absl::string_view name, absl::string_view otherwise = "") const;
  // Errors, here and below: a usage error if the value is none of its kind.
  absl::StatusOr<int64_t> GetInteger(absl::string_view name, int64_t otherwise) const;
  absl::StatusOr<double> GetNumber(absl::string_view name, double otherwise) const;
  absl::StatusOr<absl::Duration> GetTimeSpan(absl::string_view name, absl::Duration otherwise) const;

  // The value of an enum by its name without the prefix, or `otherwise`.
  template <typename Parse, typename Enum>
  absl::StatusOr<Enum> GetEnum(absl::string_view name, Enum otherwise, Parse parse) const {
    if (!Has(name)) return otherwise;
    absl::StatusOr<Enum> value = parse(Get(name));
    if (!value.ok()) return InvalidFlag(name, value.status().message());
    return value;
  }

  // The word in this place; empty if there are fewer.
  std::string Word(size_t place) const;
  size_t word_count() const { return words_.size(); }

  // A usage error about one flag.
  static absl::Status InvalidFlag(absl::string_view name, absl::string_view problem);

 private:
  friend absl::StatusOr<Arguments> ParseArguments(absl::Span<const std::string> words,
                                                  absl::Span<const FlagSpec> flags);

  std::map<std::string, std::string> flags_;
  std::vector<std::string> words_;
};

// Splits words into flags and other words. "-" counts as a word; after "--" everything does. In
// names - and _ are the same.
// Errors: a usage error for an unknown flag, a flag without its value, a switch with one, or a
// flag that is given twice.
absl::StatusOr<Arguments> ParseArguments(absl::Span<const std::string> words, absl::Span<const FlagSpec> flags);

// Checks that each required flag is given and that the number of words fits.
absl::Status CheckArguments(const Arguments& arguments, absl::Span<const FlagSpec> flags,
                            absl::Span<const PositionalSpec> positionals);

}  // namespace interlock::cli
