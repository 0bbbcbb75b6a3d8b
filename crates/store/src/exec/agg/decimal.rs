//! How results are written: Java's `DecimalFormat` patterns, dates, booleans.

use wirebeat_model::Kind;

use crate::lang::date::{DateFormat, Zone};
use crate::lang::error::EsError;

/// How a number is written.
#[derive(Clone, Debug)]
pub(crate) enum Written {
    /// As it is; no text beside it.
    Plain,
    /// Milliseconds as a date.
    Date(DateFormat, Zone),
    /// 1 and 0 as true and false.
    Boolean,
    /// By a pattern.
    Decimal(Decimal),
}

/// A pattern: `0.00`, `#,##0.###`, `0%`, with texts around.
#[derive(Clone, Debug)]
pub(crate) struct Decimal {
    before: String,
    after: String,
    whole: usize,
    least: usize,
    most: usize,
    grouped: bool,
    percent: bool,
}

impl Written {
    /// For a field of a kind and the format that was asked for.
    pub(crate) fn new(kind: Kind, format: Option<&str>) -> Result<Self, EsError> {
        Ok(match (kind, format) {
            (Kind::Date, format) => {
                Self::Date(DateFormat::parse(format.unwrap_or("strict_date_optional_time"))?, Zone::UTC)
            }
            (Kind::Boolean, None) => Self::Boolean,
            (_, Some(pattern)) if matches!(kind, Kind::Long | Kind::Double | Kind::Boolean) => {
                Self::Decimal(Decimal::parse(pattern)?)
            }
            _ => Self::Plain,
        })
    }

    /// The text beside a number.
    pub(crate) fn text(&self, n: f64) -> Option<String> {
        match self {
            Self::Plain => None,
            Self::Date(format, zone) => Some(format.write_ms(n as i64, zone)),
            Self::Boolean => Some(if n != 0.0 { "true" } else { "false" }.to_owned()),
            Self::Decimal(decimal) => Some(decimal.write(n)),
        }
    }
}

impl Decimal {
    fn parse(pattern: &str) -> Result<Self, EsError> {
        let refuse = || {
            EsError::unsupported(&format!(
                "the number format [{}]",
                pattern.chars().take(100).collect::<String>()
            ))
        };
        // The part for negative numbers is rarely given.
        if pattern.contains(';') || pattern.contains('E') || pattern.len() > 100 || pattern == "raw" {
            return Err(refuse());
        }
        let is_digit = |c: char| matches!(c, '0' | '#' | ',' | '.');
        let from = pattern.find(is_digit).ok_or_else(refuse)?;
        let to = pattern.rfind(is_digit).ok_or_else(refuse)? + 1;
        let number = &pattern[from..to];
        if !number.chars().all(is_digit) {
            return Err(refuse());
        }
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let clean = |t: &str| t.replace('\'', "");
        let out = Self {
            before: clean(&pattern[..from]),
            after: clean(&pattern[to..]),
            whole: whole.matches('0').count(),
            least: fraction.matches('0').count(),
            most: fraction.chars().filter(|c| matches!(c, '0' | '#')).count(),
            grouped: whole.contains(','),
            percent: pattern.contains('%'),
        };
        if out.most > 15 || out.whole > 40 { Err(refuse()) } else { Ok(out) }
    }

    fn write(&self, n: f64) -> String {
        if !n.is_finite() {
            return crate::lang::ast::java_double(n);
        }
        let n = if self.percent { n * 100.0 } else { n };
        let most = self.most;
        let text = format!("{:.most$}", n.abs());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let mut fraction = fraction.to_owned();
        while fraction.len() > self.least && fraction.ends_with('0') {
            fraction.pop();
        }
        let width = self.whole;
        let mut whole = format!("{whole:0>width$}");
        if self.whole == 0 && whole == "0" && !fraction.is_empty() {
            whole.clear();
        }
        if self.grouped {
            let digits: Vec<char> = whole.chars().collect();
            whole = digits
                .iter()
                .enumerate()
                .flat_map(|(i, c)| {
                    let comma = i > 0 && (digits.len() - i).is_multiple_of(3);
                    comma.then_some(',').into_iter().chain(std::iter::once(*c))
                })
                .collect();
        }
        let sign = if n < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{}{whole}{point}{fraction}{}", self.before, self.after)
    }
}
