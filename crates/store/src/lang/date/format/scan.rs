//! Reading an instant by a pattern.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::{Offset, TimeZone};

use super::super::{Zone, read_offset};
use super::pattern::{DAYS, Item, MONTHS, What};
use super::week::us_year;

/// What a text said of an instant.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
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

    pub(super) fn instant(&self, zone: Option<&Zone>, round_up: bool) -> Option<i128> {
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

pub(super) fn read_items<'t>(items: &[Item], text: &'t str, said: &mut Said) -> Option<&'t str> {
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
