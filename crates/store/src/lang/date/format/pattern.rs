//! A pattern of Java's `DateTimeFormatter`, taken apart.

use crate::lang::error::EsError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
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
pub(super) enum What {
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

pub(super) const MONTHS: [&str; 12] = [
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

pub(super) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

pub(super) fn items(pattern: &str, internal: bool) -> Result<Vec<Item>, EsError> {
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
