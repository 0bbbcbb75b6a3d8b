//! Writing an instant by a pattern.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::super::Zone;
use super::pattern::{DAYS, Item, MONTHS, What};
use super::week::us_week;

/// `when`: the date and the time, and how many years are added to it.
pub(super) fn write_items(
    items: &[Item],
    when: (DateTime, i32),
    offset: Offset,
    zone: &Zone,
    out: &mut String,
) {
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

fn push_name(names: &[&str], n: i32, full: bool, out: &mut String) {
    let name = usize::try_from(n - 1).ok().and_then(|i| names.get(i)).copied().unwrap_or_default();
    out.push_str(if full { name } else { name.get(..3).unwrap_or(name) });
}
