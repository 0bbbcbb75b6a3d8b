//! Instants to the beginnings of the buckets of a date histogram, in milliseconds.

use jiff::tz::AmbiguousOffset;

use super::calendar::{local, plus};
use super::math::{floor, instant};
use super::{Zone, millis, timestamp};

/// A unit of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calendar {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
    /// Three months.
    Quarter,
    /// A year.
    Year,
}

impl Calendar {
    /// From `minute`, `1m`, `month`, `1M` and so on.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "second" | "1s" => Self::Second,
            "minute" | "1m" => Self::Minute,
            "hour" | "1h" => Self::Hour,
            "day" | "1d" => Self::Day,
            "week" | "1w" => Self::Week,
            "month" | "1M" => Self::Month,
            "quarter" | "1q" => Self::Quarter,
            "year" | "1y" => Self::Year,
            _ => return None,
        })
    }

    fn letter(self) -> char {
        match self {
            Self::Second => 's',
            Self::Minute => 'm',
            Self::Hour => 'h',
            Self::Day => 'd',
            Self::Week => 'w',
            Self::Month => 'M',
            Self::Quarter => 'q',
            Self::Year => 'y',
        }
    }

    /// The shortest it can be, in milliseconds; one within a day is exactly so long.
    fn shortest(self) -> i64 {
        let day = 86_400_000;
        match self {
            Self::Second => 1000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => day,
            Self::Week => 7 * day,
            Self::Month => 28 * day,
            Self::Quarter => 90 * day,
            Self::Year => 365 * day,
        }
    }

    fn within_day(self) -> bool {
        matches!(self, Self::Second | Self::Minute | Self::Hour)
    }
}

/// How instants fall into buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct Rounding {
    /// The length of a bucket.
    pub unit: Unit,
    /// The clock that buckets begin by.
    pub zone: Zone,
    /// Milliseconds by which every bucket begins later.
    pub offset: i64,
}

/// The length of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A unit of the calendar.
    Calendar(Calendar),
    /// So many milliseconds, at least 1.
    Fixed(i64),
}

impl Rounding {
    /// The beginning of the bucket that holds an instant.
    pub fn round(&self, ms: i64) -> i64 {
        self.plain(ms.saturating_sub(self.offset)).saturating_add(self.offset)
    }

    /// The beginning of the bucket after the one that begins here. Always later.
    pub fn next(&self, key: i64) -> i64 {
        self.after(key.saturating_sub(self.offset)).saturating_add(self.offset)
    }

    /// The beginning of an instant's bucket, and an instant up to which all later ones are in the same.
    pub fn span(&self, ms: i64) -> (i64, i64) {
        let key = self.round(ms);
        let length = match self.unit {
            Unit::Calendar(unit) if !unit.within_day() => {
                return (key, self.next(key).max(ms.saturating_add(1)));
            }
            Unit::Calendar(unit) => unit.shortest(),
            Unit::Fixed(n) => n.max(1),
        };
        let at = ms.saturating_sub(self.offset);
        let clock = at.saturating_add(i64::from(self.zone.offset(at)) * 1000);
        let mut end = ms.saturating_add(length - clock.rem_euclid(length));
        if !self.zone.is_fixed()
            && let Some(change) = self.zone.0.following(timestamp(at)).next()
        {
            // A change of the clock can end a bucket early.
            end = end.min(millis(change.timestamp()).saturating_add(self.offset));
        }
        (key, end.max(ms.saturating_add(1)))
    }

    fn plain(&self, ms: i64) -> i64 {
        match self.unit {
            Unit::Fixed(n) => self.fixed(ms, n.max(1)),
            Unit::Calendar(unit) if unit.within_day() => self.within_day(ms, unit),
            Unit::Calendar(unit) => self.start_of_day(floor(local(ms, &self.zone), unit.letter())),
        }
    }

    fn after(&self, key: i64) -> i64 {
        let next = match self.unit {
            Unit::Fixed(n) => self.fixed(key.saturating_add(n.max(1)), n.max(1)),
            Unit::Calendar(unit) if unit.within_day() => {
                self.within_day(key.saturating_add(unit.shortest()), unit)
            }
            Unit::Calendar(unit) => {
                let at = local(key, &self.zone);
                let day = floor(at, 'd');
                // A bucket that begins in a gap begins after midnight, on the day it is named by.
                let next = match unit {
                    Calendar::Quarter => plus(day, 3, 'M'),
                    unit => plus(day, 1, unit.letter()),
                };
                self.start_of_day(floor(next, unit.letter()))
            }
        };
        if next > key {
            return next;
        }
        let length = match self.unit {
            Unit::Fixed(n) => n.max(1),
            Unit::Calendar(unit) => unit.shortest(),
        };
        let next = self.plain(key.saturating_add(length.saturating_mul(2)));
        if next > key { next } else { key.saturating_add(length) }
    }

    /// Midnight, or the first instant after it where the clock jumps over it.
    fn start_of_day(&self, at: jiff::civil::DateTime) -> i64 {
        let ambiguous = self.zone.0.to_ambiguous_timestamp(at);
        match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => self.gap(at),
            _ => instant(at, &self.zone),
        }
    }

    /// The instant at which the clock jumps over a local time.
    fn gap(&self, at: jiff::civil::DateTime) -> i64 {
        let after = instant(at, &self.zone);
        match self.zone.0.preceding(timestamp(after.saturating_add(1))).next() {
            Some(change) => millis(change.timestamp()),
            None => after,
        }
    }

    fn fixed(&self, ms: i64, length: i64) -> i64 {
        let offset = i64::from(self.zone.offset(ms)) * 1000;
        let local_ms = ms.saturating_add(offset).div_euclid(length).saturating_mul(length);
        let simple = local_ms.saturating_sub(offset);
        if self.zone.is_fixed() {
            return simple;
        }
        // The bucket's local beginning as an instant: of two the later that is not after the instant itself.
        let begins = local(local_ms, &Zone::UTC);
        match self.zone.0.to_ambiguous_timestamp(begins).offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                local_ms.saturating_sub(i64::from(offset.seconds()) * 1000)
            }
            AmbiguousOffset::Gap { .. } => self.gap(begins),
            AmbiguousOffset::Fold { before, after } => {
                let later = local_ms.saturating_sub(i64::from(after.seconds()) * 1000);
                let earlier = local_ms.saturating_sub(i64::from(before.seconds()) * 1000);
                if later <= ms { later } else { earlier }
            }
        }
    }

    /// Hours and less: cut on the local clock, but never across a change of it.
    fn within_day(&self, ms: i64, unit: Calendar) -> i64 {
        let length = unit.shortest();
        let cut = |ms: i64| {
            let offset = i64::from(self.zone.offset(ms)) * 1000;
            ms.saturating_add(offset).div_euclid(length).saturating_mul(length).saturating_sub(offset)
        };
        let at = cut(ms);
        if self.zone.is_fixed() {
            return at;
        }
        let change =
            self.zone.0.preceding(timestamp(ms.saturating_add(1))).next().map(|c| millis(c.timestamp()));
        match change {
            // The cut would fall before the change: round what is just before it.
            Some(change) if change > at => cut(change - 1),
            _ => at,
        }
    }
}
