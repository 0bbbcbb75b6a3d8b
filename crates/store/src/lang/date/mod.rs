//! Instants in queries: how they are written ([`format`]), date math ([`math`]), and rounding to buckets ([`round`]).
//!
//! An Elasticsearch `date` counts milliseconds, so a query's instants do too.

mod calendar;
pub mod format;
pub mod math;
pub mod round;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::error::EsError;

pub use format::DateFormat;
pub use math::DateParser;
pub use round::{Calendar, Rounding};

/// Nanoseconds in a millisecond.
pub const MS: i64 = 1_000_000;

/// A time zone: a name of the tz database or an offset.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(pub(crate) TimeZone);

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// From `Europe/Berlin`, `UTC`, `Z`, `+01:00`, `+1`, `GMT+01:00`.
    ///
    /// # Errors
    /// `zone_rules_exception` or `date_time_exception` when there is none of this name.
    pub fn parse(text: &str) -> Result<Self, EsError> {
        if text == "Z" || text == "UTC" || text == "GMT" || text == "UT" {
            return Ok(Self::UTC);
        }
        let offset = ["UTC", "GMT", "UT"].iter().find_map(|p| text.strip_prefix(p)).unwrap_or(text);
        if offset.starts_with(['+', '-']) {
            let bad = || {
                EsError::new(
                    400,
                    "date_time_exception",
                    format!("Invalid ID for offset-based ZoneId: {text}"),
                )
            };
            let (seconds, rest) = read_offset(offset).ok_or_else(bad)?;
            if !rest.is_empty() {
                return Err(bad());
            }
            return Ok(Self(TimeZone::fixed(Offset::from_seconds(seconds).map_err(|_| bad())?)));
        }
        let zone = TimeZone::get(text).ok().filter(|zone| !zone.is_unknown());
        zone.map(Self)
            .ok_or_else(|| EsError::new(400, "zone_rules_exception", format!("Unknown time-zone ID: {text}")))
    }

    /// Seconds to add to UTC at an instant (milliseconds).
    pub fn offset(&self, ms: i64) -> i32 {
        self.0.to_offset(timestamp(ms)).seconds()
    }

    /// Whether the offset is always the same.
    pub fn is_fixed(&self) -> bool {
        self.0.to_fixed_offset().is_ok()
    }
}

/// An instant, as near as the calendar allows (the years -9999 to 9999).
pub(crate) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// Milliseconds of an instant, rounded down.
pub(crate) fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond().div_euclid(i128::from(MS))).unwrap_or(i64::MAX)
}

/// `+01`, `+1`, `+0100`, `+01:00`, `+01:00:00`: seconds, and what follows.
pub(crate) fn read_offset(text: &str) -> Option<(i32, &str)> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count().min(4);
    let number = |t: &str| t.parse::<i32>().ok();
    let (hours, mut minutes, mut rest) = match digits {
        4 => (number(&rest[..2])?, number(&rest[2..4])?, &rest[4..]),
        1 | 2 => (number(&rest[..digits])?, 0, &rest[digits..]),
        3 => (number(&rest[..2])?, 0, &rest[2..]),
        _ => return None,
    };
    let mut seconds = 0;
    if digits <= 2
        && let Some(tail) = rest.strip_prefix(':')
        && let Some(two) = tail.get(..2).filter(|t| t.bytes().all(|b| b.is_ascii_digit()))
    {
        minutes = number(two)?;
        rest = &tail[2..];
        if let Some(tail) = rest.strip_prefix(':')
            && let Some(two) = tail.get(..2).filter(|t| t.bytes().all(|b| b.is_ascii_digit()))
        {
            seconds = number(two)?;
            rest = &tail[2..];
        }
    }
    (hours <= 18 && minutes < 60 && seconds < 60)
        .then_some((sign * (hours * 3600 + minutes * 60 + seconds), rest))
}
