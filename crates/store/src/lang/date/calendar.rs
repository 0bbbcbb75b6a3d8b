//! Local dates and times, and calendar units added to them.

use jiff::ToSpan;
use jiff::civil::DateTime;

use super::{Zone, timestamp};

/// The local date and time of an instant in milliseconds.
pub(super) fn local(ms: i64, zone: &Zone) -> DateTime {
    zone.0.to_datetime(timestamp(ms))
}

/// Adds calendar units to a local date and time; stops at the calendar's ends.
pub(super) fn plus(at: DateTime, n: i64, unit: char) -> DateTime {
    let n = n.clamp(-1_000_000_000, 1_000_000_000);
    let span = match unit {
        'y' => n.clamp(-19_998, 19_998).years(),
        'M' => n.clamp(-239_976, 239_976).months(),
        'w' => n.clamp(-1_043_497, 1_043_497).weeks(),
        _ => n.clamp(-7_304_484, 7_304_484).days(),
    };
    at.saturating_add(span)
}
