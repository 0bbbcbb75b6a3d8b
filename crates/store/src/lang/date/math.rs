//! Date math: `now-15m`, `now/d`, `2026-11-25||+1M/M`.
//!
//! <https://www.elastic.co/docs/reference/elasticsearch/rest-apis/common-options#date-math>

use jiff::civil::{DateTime, Time, Weekday};

use super::calendar::{local, plus};
use super::{DateFormat, MS, Zone, millis};
use crate::lang::error::EsError;

/// Reads instants with date math.
#[derive(Clone, Debug)]
pub struct DateParser<'a> {
    /// How instants are written.
    pub format: &'a DateFormat,
    /// The zone of instants that name none, and of rounding.
    pub zone: Option<&'a Zone>,
    /// Milliseconds since 1970.
    pub now: i64,
}

impl DateParser<'_> {
    /// An instant in milliseconds since 1970. `round_up`: the last millisecond of what is meant instead of the first.
    ///
    /// # Errors
    /// `parse_exception` when the text is none.
    pub fn read(&self, text: &str, round_up: bool) -> Result<i64, EsError> {
        let (at, math) = if let Some(math) = text.strip_prefix("now") {
            (self.now, math)
        } else if let Some((date, math)) = text.split_once("||") {
            (self.plain(date, false)?, math)
        } else {
            return self.plain(text, round_up);
        };
        self.math(at, math, round_up)
    }

    fn plain(&self, text: &str, round_up: bool) -> Result<i64, EsError> {
        let ns = self.format.read(text, self.zone, round_up).map_err(|cause| {
            let short: String = text.chars().take(200).collect();
            EsError::parse(format!(
                "failed to parse date field [{short}] with format [{}]: [{}]",
                self.format.text(),
                cause.reason
            ))
            .caused_by(cause)
        })?;
        Ok(i64::try_from(ns.div_euclid(i128::from(MS))).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX }))
    }

    fn math(&self, mut at: i64, math: &str, round_up: bool) -> Result<i64, EsError> {
        let utc = Zone::UTC;
        let zone = self.zone.unwrap_or(&utc);
        let truncated = || EsError::parse(format!("truncated date math [{}]", short(math)));
        let mut rest = math.chars().peekable();
        while let Some(operator) = rest.next() {
            let sign = match operator {
                '/' | '+' => 1,
                '-' => -1,
                _ => {
                    return Err(EsError::parse(format!(
                        "operator not supported for date math [{}]",
                        short(math)
                    )));
                }
            };
            let mut number = None;
            while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
                number = Some(number.unwrap_or(0_i64).saturating_mul(10).saturating_add(digit.into()));
                rest.next();
            }
            let number = number.unwrap_or(1);
            if number > i64::from(i32::MAX) {
                return Err(EsError::number_format(short(math)));
            }
            if operator == '/' && number != 1 {
                return Err(EsError::parse(format!(
                    "rounding `/` can only be used on single unit types [{}]",
                    short(math)
                )));
            }
            let unit = rest.next().ok_or_else(truncated)?;
            if !"yMwdhHms".contains(unit) {
                return Err(EsError::parse(format!(
                    "unit [{unit}] not supported for date math [{}]",
                    short(math)
                )));
            }
            at = if operator == '/' {
                let floor = floor(local(at, zone), unit);
                if round_up {
                    instant(step(floor, 1, unit, zone), zone).saturating_sub(1)
                } else {
                    instant(floor, zone)
                }
            } else {
                add(at, sign * number, unit, zone)
            };
        }
        Ok(at)
    }
}

/// What of a text goes into a message.
fn short(text: &str) -> &str {
    match text.char_indices().nth(200) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Adds to an instant: calendar units on the local clock, hours and less on the real one.
fn add(at: i64, n: i64, unit: char, zone: &Zone) -> i64 {
    let length = match unit {
        'h' | 'H' => 3_600_000,
        'm' => 60_000,
        's' => 1000,
        _ => return instant(plus(local(at, zone), n, unit), zone),
    };
    at.saturating_add(n.saturating_mul(length))
}

/// The next unit of a local time that is the beginning of one.
fn step(at: DateTime, n: i64, unit: char, zone: &Zone) -> DateTime {
    match unit {
        'y' | 'M' | 'w' | 'd' => plus(at, n, unit),
        _ => local(add(instant(at, zone), n, unit, zone), zone),
    }
}

/// The beginning of the unit.
pub(super) fn floor(at: DateTime, unit: char) -> DateTime {
    let (date, time) = (at.date(), at.time());
    let midnight = |date| DateTime::from_parts(date, Time::midnight());
    let clock =
        |h: i8, m: i8, s: i8| DateTime::from_parts(date, Time::new(h, m, s, 0).unwrap_or(Time::midnight()));
    match unit {
        'y' => midnight(date.first_of_year()),
        'q' => {
            let first = (date.month() - 1) / 3 * 3 + 1;
            midnight(date.first_of_month().with().month(first).build().unwrap_or(date))
        }
        'M' => midnight(date.first_of_month()),
        'w' => {
            let days = i64::from(date.weekday().since(Weekday::Monday));
            plus(midnight(date), -days, 'd')
        }
        'd' => midnight(date),
        'h' | 'H' => clock(time.hour(), 0, 0),
        'm' => clock(time.hour(), time.minute(), 0),
        _ => clock(time.hour(), time.minute(), time.second()),
    }
}

/// The instant of a local time: of two the earlier, of none the one after the gap.
pub(super) fn instant(at: DateTime, zone: &Zone) -> i64 {
    match zone.0.to_ambiguous_timestamp(at).compatible() {
        Ok(at) => millis(at),
        Err(_) => {
            if at.year() < 0 {
                millis(jiff::Timestamp::MIN)
            } else {
                millis(jiff::Timestamp::MAX)
            }
        }
    }
}
