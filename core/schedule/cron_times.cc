#include "core/schedule/cron_times.h"

namespace interlock::schedule {
namespace {

// More than there are in the years through which Cron searches: a zone has at most four a year.
constexpr int kClockChangesMax = 64;

ClockChanges ChangesFor(const Cron& cron, const ClockChanges& changes) {
  return cron.every_hour() ? ClockChanges{ClockGap::kSkip, ClockFold::kFireBoth} : changes;
}

// A change of the clock: the civil time jumps from `from` to `to`.
struct Change {
  absl::Time time = absl::InfiniteFuture();
  absl::CivilSecond from;
  absl::CivilSecond to;
};

// The first change after `after`; in the infinite future if there is none.
Change NextChange(const absl::TimeZone& zone, absl::Time after) {
  absl::TimeZone::CivilTransition transition;
  if (!zone.NextTransition(after, &transition)) return {};
  return {zone.At(transition.to).trans, transition.from, transition.to};
}

// Whether a time that the clock shows twice fires when it does so at `time`.
bool Fires(const absl::TimeZone& zone, ClockFold fold, absl::CivilSecond civil, absl::Time time) {
  const absl::TimeZone::TimeInfo info = zone.At(civil);
  if (info.kind != absl::TimeZone::TimeInfo::REPEATED || fold == ClockFold::kFireBoth) return true;
  return time == (fold == ClockFold::kFireFirst ? info.pre : info.post);
}

// The first firing in [begin, end), in which the clock does not change.
absl::optional<absl::Time> FirstBetween(const Cron& cron, const absl::TimeZone& zone, ClockFold fold, absl::Time begin,
                                        absl::Time end) {
  const absl::CivilSecond civil_begin = absl::ToCivilSecond(begin, zone);
  for (auto civil = cron.FirstFrom(civil_begin); civil.has_value(); civil = cron.FirstFrom(*civil + 1)) {
    const absl::Time time = begin + absl::Seconds(*civil - civil_begin);
    if (time >= end) return absl::nullopt;
    if (Fires(zone, fold, *civil, time)) return time;
  }
  return absl::nullopt;
}

}  // namespace

absl::optional<absl::Time> NextCronTime(const Cron& cron, const absl::TimeZone& zone, const ClockChanges& changes,
                                        absl::Time after) {
  const ClockChanges used = ChangesFor(cron, changes);
  // The first whole second after it.
  absl::Time begin = absl::FromUnixSeconds(absl::ToUnixSeconds(after) + 1);
  Change change = NextChange(zone, after);
  for (int i = 0; i < kClockChangesMax; ++i) {
    if (const auto time = FirstBetween(cron, zone, used.fold, begin, change.time); time.has_value()) return time;
    if (change.time == absl::InfiniteFuture()) return absl::nullopt;
    const auto skipped = cron.FirstFrom(change.from);
    const bool skips = skipped.has_value() && *skipped < change.to;
    if (skips && used.gap == ClockGap::kFireAtChange) return change.time;
    begin = change.time;
    change = NextChange(zone, change.time);
  }
  return absl::nullopt;
}

}  // namespace interlock::schedule
