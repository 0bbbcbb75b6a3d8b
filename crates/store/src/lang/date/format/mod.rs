//! How instants are written: Elasticsearch's named formats and Java's `DateTimeFormatter` patterns, `||` between
//! alternatives.

mod names;
mod pattern;
mod print;
mod scan;
mod week;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::{MS, Zone};
use crate::lang::error::EsError;
use names::named;
use pattern::{Item, items};
use print::write_items;
use scan::{Said, read_items};

/// One or several ways to write an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct DateFormat {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    EpochMillis,
    EpochSecond,
    Pattern { parse: Vec<Item>, print: Vec<Item> },
}

/// Nanoseconds of 400 years, after which days of the week come back.
const CYCLE: i128 = 146_097 * 86_400 * 1_000_000_000;

/// Longest format taken.
const MAX_TEXT: usize = 1000;

impl DateFormat {
    /// What a `date` field takes when nothing else is said.
    pub const DEFAULT: &'static str = "strict_date_optional_time||epoch_millis";

    /// Reads a format.
    ///
    /// # Errors
    /// `illegal_argument_exception` when it is none.
    pub fn parse(text: &str) -> Result<Self, EsError> {
        if text.is_empty() || text.len() > MAX_TEXT {
            return Err(EsError::illegal("No date pattern provided"));
        }
        let mut parts = Vec::new();
        for one in text.split("||") {
            let one = one.strip_prefix('8').unwrap_or(one);
            parts.push(match one {
                "epoch_millis" => Part::EpochMillis,
                "epoch_second" => Part::EpochSecond,
                "" => return Err(EsError::illegal("No date pattern provided")),
                name => {
                    let (parse, print) = match named(name) {
                        Some((parse, print)) => (items(parse, true)?, items(print, true)?),
                        None => {
                            let items = items(name, false)?;
                            (items.clone(), items)
                        }
                    };
                    Part::Pattern { parse, print }
                }
            });
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The format as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether instants are written as milliseconds since 1970.
    pub fn is_epoch_millis(&self) -> bool {
        matches!(self.parts.first(), Some(Part::EpochMillis))
    }

    /// Reads an instant: nanoseconds since 1970. What is not said of it is its beginning, or, where `round_up`, the
    /// end of the day, hour, minute or second.
    ///
    /// # Errors
    /// `illegal_argument_exception` when no part of the format fits.
    pub fn read(&self, text: &str, zone: Option<&Zone>, round_up: bool) -> Result<i128, EsError> {
        let wanted = text.trim_end();
        if text.len() <= MAX_TEXT && wanted.len() == text.len() {
            for part in &self.parts {
                let found = match part {
                    Part::EpochMillis => read_epoch(text, i128::from(MS), 6).map(|ns| in_zone(ns, zone)),
                    Part::EpochSecond => read_epoch(text, 1_000_000_000, 9).map(|ns| in_zone(ns, zone)),
                    Part::Pattern { parse, .. } => {
                        let mut said = Said::default();
                        match read_items(parse, text, &mut said) {
                            Some("") => said.instant(zone, round_up),
                            _ => None,
                        }
                    }
                };
                if let Some(at) = found {
                    return Ok(at);
                }
            }
        }
        let reason = if text.is_empty() {
            "cannot parse empty datetime".to_owned()
        } else {
            let short: String = text.chars().take(200).collect();
            format!("failed to parse date field [{short}] with format [{}]", self.text)
        };
        let cause =
            EsError::new(400, "date_time_parse_exception", "Failed to parse with all enclosed parsers");
        Err(EsError::illegal(reason).caused_by(cause))
    }

    /// Writes an instant (nanoseconds since 1970) in the first of the ways.
    pub fn write(&self, ns: i128, zone: &Zone) -> String {
        let mut out = String::new();
        match self.parts.first() {
            None | Some(Part::EpochMillis) => {
                out = ns.div_euclid(i128::from(MS)).to_string();
            }
            Some(Part::EpochSecond) => {
                out = ns.div_euclid(1_000_000_000).to_string();
                let ms = ns.rem_euclid(1_000_000_000) / i128::from(MS);
                if ms != 0 {
                    out.push_str(format!(".{ms:03}").trim_end_matches('0'));
                }
            }
            Some(Part::Pattern { print, .. }) => {
                // Beyond the calendar, in one of the cycles of 400 years before.
                let cycles = match Timestamp::from_nanosecond(ns) {
                    Ok(_) => 0,
                    Err(_) => ns.div_euclid(CYCLE),
                };
                let at = Timestamp::from_nanosecond(ns - cycles * CYCLE).unwrap_or_default();
                let offset = zone.0.to_offset(at);
                let years = i32::try_from(cycles * 400).unwrap_or(0);
                write_items(print, (offset.to_datetime(at), years), offset, zone, &mut out);
            }
        }
        out
    }

    /// Writes an instant given in milliseconds.
    pub fn write_ms(&self, ms: i64, zone: &Zone) -> String {
        self.write(i128::from(ms) * i128::from(MS), zone)
    }
}

/// A number read where a zone was given: as Elasticsearch, the clock of UTC is taken for the one of the zone.
fn in_zone(ns: i128, zone: Option<&Zone>) -> i128 {
    let Some(zone) = zone else { return ns };
    let local = Timestamp::from_nanosecond(ns).map(|at| Offset::UTC.to_datetime(at));
    let at = local.and_then(|local| zone.0.to_ambiguous_timestamp(local).compatible());
    at.map_or(ns, |at| at.as_nanosecond())
}

fn read_epoch(text: &str, unit: i128, digits: usize) -> Option<i128> {
    let (sign, body) = match text.strip_prefix('-') {
        Some(body) => (-1, body),
        None => (1, text),
    };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let all_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 18
        || fraction.len() > digits
        || !all_digits(whole)
        || !all_digits(fraction)
    {
        return None;
    }
    let mut ns = whole.parse::<i128>().ok()? * unit;
    let mut place = unit;
    for b in fraction.bytes() {
        place /= 10;
        ns += i128::from(b - b'0') * place;
    }
    Some(sign * ns)
}
