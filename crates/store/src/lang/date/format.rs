//! How instants are written: Elasticsearch's named formats and Java's `DateTimeFormatter` patterns, `||` between
//! alternatives.

use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use super::{MS, Zone, read_offset, timestamp};
use crate::lang::error::EsError;

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

#[derive(Clone, Debug, PartialEq)]
enum Item {
    Literal(char),
    /// A number of so many digits.
    Number {
        what: What,
        min: usize,
        max: usize,
    },
    /// The year's last two digits.
    ShortYear,
    MonthName {
        full: bool,
    },
    DayName {
        full: bool,
    },
    HalfDay,
    /// Exactly so many digits of a fraction.
    Fraction(usize),
    /// `.` or `,` and 1 to 9 digits; written with 3 to 9.
    PointFraction,
    /// An offset. `z`: `Z` for none; `colon`: between hours and minutes.
    Offset {
        z: bool,
        colon: bool,
        minutes: bool,
    },
    /// An offset or a name.
    ZoneId,
    Optional(Vec<Item>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Year,
    Month,
    Day,
    DayOfYear,
    Hour,
    /// 1 to 12.
    Hour12,
    Minute,
    Second,
    WeekYear,
    Week,
    DayOfWeek,
    /// The same where weeks begin on Sunday and the first is the one of January 1: what Java's letters mean.
    UsWeekYear,
    UsWeek,
    UsDayOfWeek,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Nanoseconds of 400 years, after which days of the week come back.
const CYCLE: i128 = 146_097 * 86_400 * 1_000_000_000;

/// Longest format taken.
const MAX_TEXT: usize = 1000;

/// A name's pattern. `~` is a fraction with its point, `^` an offset.
fn named(name: &str) -> Option<(&'static str, &'static str)> {
    // What is read, what is written.
    let both = |p: &'static str| Some((p, p));
    match name {
        "strict_date_optional_time" | "strict_date_optional_time_nanos" => {
            Some(("uuuu[-MM[-dd['T'[HH[:mm[:ss[~]]]][^]]]]", "uuuu-MM-dd'T'HH:mm:ss~^"))
        }
        "date_optional_time" | "dateOptionalTime" => {
            Some(("u[-M[-d['T'[H[:m[:s[~]]]][^]]]]", "uuuu-MM-dd'T'HH:mm:ss~^"))
        }
        "iso8601" => Some(("uuuu[-MM[-dd['T'[HH[:mm[:ss[~]]]][^]]]]", "uuuu-MM-dd'T'HH:mm:ss~^")),
        "strict_date_time" => both("uuuu-MM-dd'T'HH:mm:ss~^"),
        "date_time" => Some(("u-M-d'T'H:m:s~^", "uuuu-MM-dd'T'HH:mm:ss~^")),
        "strict_date_time_no_millis" => both("uuuu-MM-dd'T'HH:mm:ss^"),
        "date_time_no_millis" => Some(("u-M-d'T'H:m:s^", "uuuu-MM-dd'T'HH:mm:ss^")),
        "strict_date" | "strict_year_month_day" => both("uuuu-MM-dd"),
        "date" | "year_month_day" => Some(("u-M-d", "uuuu-MM-dd")),
        "strict_date_hour" => both("uuuu-MM-dd'T'HH"),
        "date_hour" => Some(("u-M-d'T'H", "uuuu-MM-dd'T'HH")),
        "strict_date_hour_minute" => both("uuuu-MM-dd'T'HH:mm"),
        "date_hour_minute" => Some(("u-M-d'T'H:m", "uuuu-MM-dd'T'HH:mm")),
        "strict_date_hour_minute_second" => both("uuuu-MM-dd'T'HH:mm:ss"),
        "date_hour_minute_second" => Some(("u-M-d'T'H:m:s", "uuuu-MM-dd'T'HH:mm:ss")),
        "strict_date_hour_minute_second_millis" | "strict_date_hour_minute_second_fraction" => {
            both("uuuu-MM-dd'T'HH:mm:ss~")
        }
        "date_hour_minute_second_millis" | "date_hour_minute_second_fraction" => {
            Some(("u-M-d'T'H:m:s~", "uuuu-MM-dd'T'HH:mm:ss~"))
        }
        "strict_year" => both("uuuu"),
        "year" => Some(("u", "uuuu")),
        "strict_year_month" => both("uuuu-MM"),
        "year_month" => Some(("u-M", "uuuu-MM")),
        "basic_date" => both("uuuuMMdd"),
        "basic_date_time" => both("uuuuMMdd'T'HHmmss.SSSXX"),
        "basic_date_time_no_millis" => both("uuuuMMdd'T'HHmmssXX"),
        "basic_ordinal_date" => both("uuuuDDD"),
        "basic_time" => both("HHmmss.SSSXX"),
        "basic_time_no_millis" => both("HHmmssXX"),
        "strict_ordinal_date" => both("uuuu-DDD"),
        "ordinal_date" => Some(("u-D", "uuuu-DDD")),
        "strict_hour" => both("HH"),
        "hour" => Some(("H", "HH")),
        "strict_hour_minute" => both("HH:mm"),
        "hour_minute" => Some(("H:m", "HH:mm")),
        "strict_hour_minute_second" => both("HH:mm:ss"),
        "hour_minute_second" => Some(("H:m:s", "HH:mm:ss")),
        "strict_hour_minute_second_millis" | "strict_hour_minute_second_fraction" => both("HH:mm:ss~"),
        "hour_minute_second_millis" | "hour_minute_second_fraction" => Some(("H:m:s~", "HH:mm:ss~")),
        "strict_time" => both("HH:mm:ss~^"),
        "time" => Some(("H:m:s~^", "HH:mm:ss~^")),
        "strict_time_no_millis" => both("HH:mm:ss^"),
        "time_no_millis" => Some(("H:m:s^", "HH:mm:ss^")),
        "strict_week_date" => both("YYYY-'W'ww-e"),
        "week_date" => Some(("Y-'W'w-e", "YYYY-'W'ww-e")),
        "strict_weekyear" => both("YYYY"),
        "weekyear" => Some(("Y", "YYYY")),
        "strict_weekyear_week" => both("YYYY-'W'ww"),
        "weekyear_week" => Some(("Y-'W'w", "YYYY-'W'ww")),
        _ => None,
    }
}

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

fn items(pattern: &str, internal: bool) -> Result<Vec<Item>, EsError> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    let items = items_until(&chars, &mut at, internal, 0, pattern)?;
    if at < chars.len() {
        return Err(bad_pattern(pattern, "Pattern invalid as it contains ] without previous ["));
    }
    Ok(items)
}

fn bad_pattern(pattern: &str, why: &str) -> EsError {
    EsError::illegal(format!("Invalid format: [{pattern}]: {why}"))
}

/// Up to the end or a `]`, which is left.
fn items_until(
    chars: &[char],
    at: &mut usize,
    internal: bool,
    depth: usize,
    pattern: &str,
) -> Result<Vec<Item>, EsError> {
    if depth > 20 {
        return Err(bad_pattern(pattern, "too deep"));
    }
    let mut items = Vec::new();
    while let Some(&c) = chars.get(*at) {
        match c {
            ']' => break,
            '[' => {
                *at += 1;
                items.push(Item::Optional(items_until(chars, at, internal, depth + 1, pattern)?));
                // Java closes what is open at the end.
                *at += usize::from(chars.get(*at) == Some(&']'));
                continue;
            }
            '\'' => {
                *at += 1;
                if chars.get(*at) == Some(&'\'') {
                    items.push(Item::Literal('\''));
                    *at += 1;
                    continue;
                }
                loop {
                    match chars.get(*at) {
                        None => {
                            return Err(bad_pattern(
                                pattern,
                                "Pattern ends with an incomplete string literal",
                            ));
                        }
                        Some('\'') if chars.get(*at + 1) == Some(&'\'') => {
                            items.push(Item::Literal('\''));
                            *at += 2;
                        }
                        Some('\'') => {
                            *at += 1;
                            break;
                        }
                        Some(&c) => {
                            items.push(Item::Literal(c));
                            *at += 1;
                        }
                    }
                }
                continue;
            }
            '~' if internal => items.push(Item::PointFraction),
            '^' if internal => items.push(Item::Offset { z: true, colon: true, minutes: true }),
            '{' | '}' | '#' => {
                return Err(bad_pattern(pattern, &format!("Pattern includes reserved character: '{c}'")));
            }
            c if c.is_ascii_alphabetic() => {
                let count = chars[*at..].iter().take_while(|&&d| d == c).count();
                let item = letter(c, count, internal)
                    .ok_or_else(|| bad_pattern(pattern, &format!("Unknown pattern letter: {c}")))?;
                items.push(item);
                *at += count;
                continue;
            }
            c => items.push(Item::Literal(c)),
        }
        *at += 1;
    }
    // Numbers without anything between them have the width they are written with.
    for i in 0..items.len() {
        let next_is_number =
            matches!(items.get(i + 1), Some(Item::Number { .. } | Item::Fraction(_) | Item::ShortYear));
        if let Item::Number { min, max, .. } = &mut items[i]
            && next_is_number
        {
            *max = *min;
        }
    }
    Ok(items)
}

fn letter(c: char, count: usize, internal: bool) -> Option<Item> {
    let week = |iso, us| if internal { iso } else { us };
    let number = |what, most: usize| Some(Item::Number { what, min: count, max: most.max(count) });
    let two = |what| match count {
        1 => Some(Item::Number { what, min: 1, max: 2 }),
        2 => Some(Item::Number { what, min: 2, max: 2 }),
        _ => None,
    };
    match c {
        'u' | 'y' if count == 2 => Some(Item::ShortYear),
        'u' | 'y' if count <= 9 => number(What::Year, if count == 4 { 4 } else { 9 }),
        'Y' if count <= 9 && count != 2 => {
            number(week(What::WeekYear, What::UsWeekYear), if count == 4 { 4 } else { 9 })
        }
        'M' | 'L' if count == 3 => Some(Item::MonthName { full: false }),
        'M' | 'L' if count == 4 => Some(Item::MonthName { full: true }),
        'M' | 'L' => two(What::Month),
        'd' => two(What::Day),
        'D' if count <= 3 => Some(Item::Number { what: What::DayOfYear, min: count, max: 3 }),
        'H' => two(What::Hour),
        'h' => two(What::Hour12),
        'm' => two(What::Minute),
        's' => two(What::Second),
        'w' => two(week(What::Week, What::UsWeek)),
        'e' if count == 1 => {
            Some(Item::Number { what: week(What::DayOfWeek, What::UsDayOfWeek), min: 1, max: 1 })
        }
        'E' if count <= 3 => Some(Item::DayName { full: false }),
        'E' if count == 4 => Some(Item::DayName { full: true }),
        'S' if count <= 9 => Some(Item::Fraction(count)),
        'a' if count == 1 => Some(Item::HalfDay),
        'X' if count <= 5 => {
            Some(Item::Offset { z: true, colon: matches!(count, 3 | 5), minutes: count > 1 })
        }
        'x' if count <= 5 => {
            Some(Item::Offset { z: false, colon: matches!(count, 3 | 5), minutes: count > 1 })
        }
        'Z' if count <= 3 => Some(Item::Offset { z: false, colon: false, minutes: true }),
        'Z' if count == 5 => Some(Item::Offset { z: true, colon: true, minutes: true }),
        'V' if count == 2 => Some(Item::ZoneId),
        'z' if count <= 4 => Some(Item::ZoneId),
        _ => None,
    }
}

/// What a text said of an instant.
#[derive(Clone, Debug, Default)]
struct Said {
    year: Option<i32>,
    month: Option<i32>,
    day: Option<i32>,
    day_of_year: Option<i32>,
    week_year: Option<i32>,
    week: Option<i32>,
    day_of_week: Option<i32>,
    /// Weeks are those that begin on Sunday.
    us_weeks: bool,
    hour: Option<i32>,
    hour12: Option<i32>,
    afternoon: Option<bool>,
    minute: Option<i32>,
    second: Option<i32>,
    nano: Option<i32>,
    zone: Option<TimeZone>,
}

impl Said {
    fn set(&mut self, what: What, n: i32) {
        self.us_weeks |= matches!(what, What::UsWeekYear | What::UsWeek | What::UsDayOfWeek);
        *match what {
            What::Year => &mut self.year,
            What::Month => &mut self.month,
            What::Day => &mut self.day,
            What::DayOfYear => &mut self.day_of_year,
            What::Hour => &mut self.hour,
            What::Hour12 => &mut self.hour12,
            What::Minute => &mut self.minute,
            What::Second => &mut self.second,
            What::WeekYear | What::UsWeekYear => &mut self.week_year,
            What::Week | What::UsWeek => &mut self.week,
            What::DayOfWeek | What::UsDayOfWeek => &mut self.day_of_week,
        } = Some(n);
    }

    fn date(&self) -> Option<Date> {
        let small = |n: i32| i8::try_from(n).ok();
        let year = |n: i32| i16::try_from(n).ok();
        if let Some(week_year) = self.week_year
            && self.us_weeks
        {
            let (week, day) = (self.week.unwrap_or(1), self.day_of_week.unwrap_or(1));
            let days = (week.checked_sub(1)?.checked_mul(7)?).checked_add(day - 1)?;
            return us_year(year(week_year)?)?.checked_add(days.days()).ok();
        }
        if let Some(week_year) = self.week_year {
            let day = Weekday::from_monday_one_offset(small(self.day_of_week.unwrap_or(1))?).ok()?;
            let date = ISOWeekDate::new(year(week_year)?, small(self.week.unwrap_or(1))?, day).ok()?;
            return Some(date.date());
        }
        let first = Date::new(year(self.year.unwrap_or(1970))?, small(self.month.unwrap_or(1))?, 1).ok()?;
        if let Some(day) = self.day_of_year {
            return first.with().day_of_year(i16::try_from(day).ok()?).build().ok();
        }
        first.with().day(small(self.day.unwrap_or(1))?).build().ok()
    }

    fn instant(&self, zone: Option<&Zone>, round_up: bool) -> Option<i128> {
        let or = |said: Option<i32>, last: i32| said.unwrap_or(if round_up { last } else { 0 });
        let mut date = self.date()?;
        let hour = match self.hour12 {
            Some(h) if (1..=12).contains(&h) => h % 12 + if self.afternoon.unwrap_or(false) { 12 } else { 0 },
            Some(_) => return None,
            None => or(self.hour, 23),
        };
        let (minute, second) = (or(self.minute, 59), or(self.second, 59));
        let nano = or(self.nano, 999_999_999);
        let small = |n: i32| i8::try_from(n).ok();
        let time = if (hour, minute, second, nano) == (24, 0, 0, 0) {
            date = date.tomorrow().ok()?;
            Time::midnight()
        } else {
            Time::new(small(hour)?, small(minute)?, small(second)?, nano).ok()?
        };
        let zone = self.zone.clone().or(zone.map(|z| z.0.clone())).unwrap_or(TimeZone::UTC);
        let at = zone.to_ambiguous_timestamp(DateTime::from_parts(date, time)).compatible().ok()?;
        Some(at.as_nanosecond())
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

fn read_items<'t>(items: &[Item], text: &'t str, said: &mut Said) -> Option<&'t str> {
    let mut rest = text;
    for item in items {
        rest = match item {
            Item::Literal(c) => rest.strip_prefix(*c)?,
            Item::Number { what, min, max } => {
                let (sign, body) = match rest.as_bytes().first() {
                    Some(b'-') if *what == What::Year => (-1, &rest[1..]),
                    Some(b'+') if *what == What::Year => (1, &rest[1..]),
                    _ => (1, rest),
                };
                let digits = body.bytes().take_while(u8::is_ascii_digit).count().min(*max);
                if digits < *min {
                    return None;
                }
                said.set(*what, sign * body[..digits].parse::<i32>().ok()?);
                &body[digits..]
            }
            Item::ShortYear => {
                let two = rest.get(..2).filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?;
                said.year = Some(2000 + two.parse::<i32>().ok()?);
                &rest[2..]
            }
            Item::MonthName { full } => {
                let (i, rest) = read_name(&MONTHS, *full, rest)?;
                said.month = Some(i);
                rest
            }
            Item::DayName { full } => read_name(&DAYS, *full, rest)?.1,
            Item::HalfDay => {
                let two = rest.get(..2)?;
                said.afternoon = Some(match two {
                    "AM" | "am" => false,
                    "PM" | "pm" => true,
                    _ => return None,
                });
                &rest[2..]
            }
            Item::Fraction(n) => {
                let digits = rest.get(..*n).filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?;
                said.nano = Some(nano(digits)?);
                &rest[*n..]
            }
            Item::PointFraction => {
                let body = rest.strip_prefix(['.', ','])?;
                let digits = body.bytes().take_while(u8::is_ascii_digit).count();
                if !(1..=9).contains(&digits) {
                    return None;
                }
                said.nano = Some(nano(&body[..digits])?);
                &body[digits..]
            }
            Item::Offset { .. } => read_zone(rest, false, said)?,
            Item::ZoneId => read_zone(rest, true, said)?,
            Item::Optional(inner) => {
                let mut maybe = said.clone();
                match read_items(inner, rest, &mut maybe) {
                    Some(after) => {
                        *said = maybe;
                        after
                    }
                    None => rest,
                }
            }
        };
    }
    Some(rest)
}

fn read_name<'t>(names: &[&str], full: bool, text: &'t str) -> Option<(i32, &'t str)> {
    for (i, name) in (1..).zip(names) {
        let name = if full { name } else { &name[..3] };
        if let Some(rest) = text.strip_prefix(name) {
            return Some((i, rest));
        }
    }
    None
}

fn nano(digits: &str) -> Option<i32> {
    Some(digits.parse::<i32>().ok()? * 10_i32.pow(9 - u32::try_from(digits.len()).ok()?))
}

fn read_zone<'t>(text: &'t str, names: bool, said: &mut Said) -> Option<&'t str> {
    if let Some((seconds, rest)) = read_offset(text) {
        said.zone = Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?));
        return Some(rest);
    }
    if names {
        let end =
            text.find(|c: char| !c.is_ascii_alphanumeric() && !"/_-+".contains(c)).unwrap_or(text.len());
        said.zone = Some(Zone::parse(&text[..end]).ok()?.0);
        return Some(&text[end..]);
    }
    let rest = text.strip_prefix('Z')?;
    said.zone = Some(TimeZone::UTC);
    Some(rest)
}

/// `when`: the date and the time, and how many years are added to it.
fn write_items(items: &[Item], when: (DateTime, i32), offset: Offset, zone: &Zone, out: &mut String) {
    let (at, years) = when;
    for item in items {
        match item {
            Item::Literal(c) => out.push(*c),
            Item::Number { what, min, .. } => {
                let width = *min;
                let n = match what {
                    What::Year => i32::from(at.year()) + years,
                    What::Month => at.month().into(),
                    What::Day => at.day().into(),
                    What::DayOfYear => at.day_of_year().into(),
                    What::Hour => at.hour().into(),
                    What::Hour12 => (i32::from(at.hour()) + 11) % 12 + 1,
                    What::Minute => at.minute().into(),
                    What::Second => at.second().into(),
                    What::WeekYear => at.iso_week_date().year().into(),
                    What::Week => at.iso_week_date().week().into(),
                    What::DayOfWeek => at.weekday().to_monday_one_offset().into(),
                    What::UsWeekYear => us_week(at.date()).0,
                    What::UsWeek => us_week(at.date()).1,
                    What::UsDayOfWeek => at.weekday().to_sunday_one_offset().into(),
                };
                if n < 0 {
                    out.push('-');
                } else if n > 9999 && width >= 4 {
                    out.push('+');
                }
                out.push_str(&format!("{:0width$}", n.abs()));
            }
            Item::ShortYear => {
                out.push_str(&format!("{:02}", (i32::from(at.year()) + years).rem_euclid(100)))
            }
            Item::MonthName { full } => {
                push_name(&MONTHS, i32::from(at.month()), *full, out);
            }
            Item::DayName { full } => {
                push_name(&DAYS, i32::from(at.weekday().to_monday_one_offset()), *full, out);
            }
            Item::HalfDay => out.push_str(if at.hour() < 12 { "AM" } else { "PM" }),
            Item::Fraction(n) => {
                let digits = format!("{:09}", at.subsec_nanosecond());
                out.push_str(&digits[..*n]);
            }
            Item::PointFraction => {
                let digits = format!("{:09}", at.subsec_nanosecond());
                let kept = digits.trim_end_matches('0').len().max(3);
                out.push('.');
                out.push_str(&digits[..kept]);
            }
            Item::Offset { z, colon, minutes } => {
                let seconds = offset.seconds();
                if seconds == 0 && *z {
                    out.push('Z');
                    continue;
                }
                let size = seconds.abs();
                out.push(if seconds < 0 { '-' } else { '+' });
                out.push_str(&format!("{:02}", size / 3600));
                if *minutes || size % 3600 != 0 {
                    if *colon {
                        out.push(':');
                    }
                    out.push_str(&format!("{:02}", size % 3600 / 60));
                }
            }
            Item::ZoneId => match zone.0.iana_name() {
                Some(name) => out.push_str(name),
                None => {
                    let id = [Item::Offset { z: true, colon: true, minutes: true }];
                    write_items(&id, when, offset, zone, out);
                }
            },
            Item::Optional(inner) => write_items(inner, when, offset, zone, out),
        }
    }
}

/// The Sunday with which a year of weeks begins.
fn us_year(year: i16) -> Option<Date> {
    let first = Date::new(year, 1, 1).ok()?;
    first.checked_sub(first.weekday().to_sunday_zero_offset().days()).ok()
}

/// The year and the number of a date's week, where weeks begin on Sunday and the first is the one of January 1.
fn us_week(date: Date) -> (i32, i32) {
    let year = date.year();
    let next = us_year(year.saturating_add(1)).filter(|start| date >= *start);
    let (year, start) = match next {
        Some(start) => (year + 1, start),
        None => (year, us_year(year).unwrap_or(date)),
    };
    let days = date.since(start).map_or(0, |span| span.get_days());
    (year.into(), days / 7 + 1)
}

fn push_name(names: &[&str], n: i32, full: bool, out: &mut String) {
    let name = usize::try_from(n - 1).ok().and_then(|i| names.get(i)).copied().unwrap_or_default();
    out.push_str(if full { name } else { name.get(..3).unwrap_or(name) });
}

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
