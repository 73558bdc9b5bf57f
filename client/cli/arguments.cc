#include "client/cli/arguments.h"

#include <algorithm>
#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "client/cli/format.h"

namespace interlock::cli {
namespace {

constexpr char kUsageErrorUrl[] = "interlockctl/usage";

const FlagSpec* FindFlag(absl::Span<const FlagSpec> flags, absl::string_view name) {
  const auto found =
      std::find_if(flags.begin(), flags.end(), [name](const FlagSpec& flag) { return flag.name == name; });
  return found == flags.end() ? nullptr : &*found;
}

}  // namespace

absl::Status UsageError(absl::string_view message) {
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kUsageErrorUrl, absl::Cord());
  return status;
}

bool IsUsageError(const absl::Status& status) { return status.GetPayload(kUsageErrorUrl).has_value(); }

absl::Status Arguments::InvalidFlag(absl::string_view name, absl::string_view problem) {
  return UsageError(absl::StrCat("--", name, ": ", problem));
}

std::string Arguments::Get(absl::string_view name, absl::string_view otherwise) const {
  const auto flag = flags_.find(std::string(name));
  return flag == flags_.end() ? std::string(otherwise) : flag->second;
}

absl::StatusOr<int64_t> Arguments::GetInteger(absl::string_view name, int64_t otherwise) const {
  if (!Has(name)) return otherwise;
  int64_t value = 0;
  if (absl::SimpleAtoi(Get(name), &value)) return value;
  return InvalidFlag(name, absl::StrCat("\"", Get(name), "\" is no whole number"));
}

absl::StatusOr<double> Arguments::GetNumber(absl::string_view name, double otherwise) const {
  if (!Has(name)) return otherwise;
  double value = 0;
  if (absl::SimpleAtod(Get(name), &value)) return value;
  return InvalidFlag(name, absl::StrCat("\"", Get(name), "\" is no number"));
}

absl::StatusOr<absl::Duration> Arguments::GetTimeSpan(absl::string_view name, absl::Duration otherwise) const {
  if (!Has(name)) return otherwise;
  absl::StatusOr<absl::Duration> value = ParseTimeSpan(Get(name));
  if (!value.ok()) return InvalidFlag(name, value.status().message());
  return value;
}

std::string Arguments::Word(size_t place) const { return place < words_.size() ? words_[place] : ""; }

absl::StatusOr<Arguments> ParseArguments(absl::Span<const std::string> words, absl::Span<const FlagSpec> flags) {
  Arguments arguments;
  bool only_words = false;
  for (size_t i = 0; i < words.size(); ++i) {
    absl::string_view word = words[i];
    if (only_words || !absl::ConsumePrefix(&word, "--")) {
      arguments.words_.push_back(words[i]);
      continue;
    }
    if (word.empty()) {
      only_words = true;
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = absl::StrReplaceAll(word.substr(0, equals), {{"-", "_"}});
    const FlagSpec* flag = FindFlag(flags, name);
    if (flag == nullptr) return UsageError(absl::StrCat("there is no flag --", name));
    std::optional<std::string> value;
    if (equals != absl::string_view::npos) value = std::string(word.substr(equals + 1));
    if (flag->value.empty() && value.has_value()) {
      return Arguments::InvalidFlag(name, "takes no value");
    }
    if (!flag->value.empty() && !value.has_value()) {
      if (i + 1 == words.size()) {
        return Arguments::InvalidFlag(name, absl::StrCat("needs a value (", flag->value, ")"));
      }
      value = words[++i];
    }
    if (!arguments.flags_.emplace(name, value.value_or("")).second) {
      return Arguments::InvalidFlag(name, "is given twice");
    }
  }
  return arguments;
}

absl::Status CheckArguments(const Arguments& arguments, absl::Span<const FlagSpec> flags,
                            absl::Span<const PositionalSpec> positionals) {
  for (size_t place = 0; place < positionals.size(); ++place) {
    if (positionals[place].required && place >= arguments.word_count()) {
      return UsageError(absl::StrCat(positionals[place].name, " is missing"));
    }
  }
  if (arguments.word_count() > positionals.size()) {
    return UsageError(absl::StrCat("\"", arguments.Word(positionals.size()), "\" is more than the command takes"));
  }
  for (const FlagSpec& flag : flags) {
    if (flag.required && !arguments.Has(flag.name)) {
      return UsageError(absl::StrCat("--", flag.name, "=", flag.value, " is missing"));
    }
  }
  return absl::OkStatus();
}

}  // namespace interlock::cli
