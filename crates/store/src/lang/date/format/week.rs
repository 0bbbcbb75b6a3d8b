//! Weeks that begin on Sunday, the first being the one of January 1: what Java's letters mean.

use jiff::ToSpan;
use jiff::civil::Date;

/// The Sunday with which a year of weeks begins.
pub(super) fn us_year(year: i16) -> Option<Date> {
    let first = Date::new(year, 1, 1).ok()?;
    first.checked_sub(first.weekday().to_sunday_zero_offset().days()).ok()
}

/// The year and the number of a date's week, where weeks begin on Sunday and the first is the one of January 1.
pub(super) fn us_week(date: Date) -> (i32, i32) {
    let year = date.year();
    let next = us_year(year.saturating_add(1)).filter(|start| date >= *start);
    let (year, start) = match next {
        Some(start) => (year + 1, start),
        None => (year, us_year(year).unwrap_or(date)),
    };
    let days = date.since(start).map_or(0, |span| span.get_days());
    (year.into(), days / 7 + 1)
}
