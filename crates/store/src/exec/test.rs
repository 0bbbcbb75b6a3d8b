//! What a leaf of the query tree asks of a value, for each kind of field.

use std::ops::Bound;

use wirebeat_model::Kind;

use crate::lang::analyze;
use crate::lang::ast::{Fuzziness, MatchQuery, MinimumMatch, Operator, Query, RangeQuery, Scalar};
use crate::lang::date::{DateFormat, DateParser, MS, Zone};
use crate::lang::error::EsError;
use crate::lang::ip;
use crate::lang::regexp::Pattern;

/// What is asked of a value. Ranges are closed.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// No value.
    Never,
    /// Any value.
    Always,
    /// A text.
    Text(TextTest),
    /// An address.
    Ip(Vec<(u128, u128)>),
    /// A whole number, boolean or instant in nanoseconds.
    Long(Vec<(i64, i64)>),
    /// A number.
    Double(Vec<(f64, f64)>),
}

/// What is asked of a text.
#[derive(Clone, Debug)]
pub(crate) enum TextTest {
    /// One of these; sorted.
    Equals(Vec<String>),
    /// This one in lower case.
    EqualsFolded(String),
    /// Begins so.
    Prefix(String),
    /// Begins so in lower case.
    PrefixFolded(String),
    /// Is of a form.
    Form(Pattern),
    /// Lies between.
    Between(Bound<String>, Bound<String>),
    /// Is nearly this one.
    Fuzzy(String, Fuzziness),
    /// Has a word for which this holds.
    Word(Box<TextTest>),
    /// Has words for at least so many of these.
    Words(Vec<TextTest>, usize),
    /// Has these words one after the other.
    Phrase {
        /// The words.
        words: Vec<String>,
        /// How far they may be moved in all.
        slop: u32,
        /// The last one is only the beginning of one.
        prefix: bool,
    },
}

/// What tests need to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// Milliseconds since 1970.
    pub(crate) ms: i64,
}

/// What a leaf asks of the values of a field of this kind.
pub(crate) fn compile(leaf: &Query, field: &str, kind: Kind, now: Now) -> Result<Test, EsError> {
    match leaf {
        Query::Exists { .. } => Ok(Test::Always),
        Query::Term { value, case_insensitive, .. } => match kind {
            Kind::Keyword | Kind::Map | Kind::Text => {
                let text = value.text().into_owned();
                let test = if *case_insensitive {
                    TextTest::EqualsFolded(text.to_ascii_lowercase())
                } else {
                    TextTest::Equals(vec![text])
                };
                Ok(Test::Text(word_if_text(kind, test)))
            }
            kind => one_of(std::slice::from_ref(value), kind, now).map_err(failed),
        },
        Query::Terms { values, .. } => one_of(values, kind, now).map_err(failed),
        Query::Range(range) => self::range(range, kind, now),
        Query::Prefix { value, case_insensitive, .. } => {
            textual("prefix", "keyword, text and wildcard", field, kind)?;
            let test = if *case_insensitive {
                TextTest::PrefixFolded(value.to_ascii_lowercase())
            } else {
                TextTest::Prefix(value.clone())
            };
            Ok(Test::Text(word_if_text(kind, test)))
        }
        Query::Wildcard { pattern, case_insensitive, .. } => {
            textual("wildcard", "keyword, text and wildcard", field, kind)?;
            if pattern.is_empty() {
                return Ok(Test::Never);
            }
            // Words are in lower case, and so is what Elasticsearch compares with them.
            let folded = if kind == Kind::Text { pattern.to_lowercase() } else { pattern.clone() };
            let form = Pattern::wildcard(&folded, *case_insensitive).map_err(failed)?;
            Ok(Test::Text(word_if_text(kind, TextTest::Form(form))))
        }
        Query::Regexp { pattern, flags, case_insensitive, .. } => {
            textual("regexp", "keyword and text", field, kind)?;
            let form = Pattern::regexp(pattern, *flags, *case_insensitive).map_err(failed)?;
            Ok(Test::Text(word_if_text(kind, TextTest::Form(form))))
        }
        Query::Fuzzy { value, fuzziness, .. } => {
            textual("fuzzy", "keyword and text", field, kind)?;
            Ok(Test::Text(word_if_text(kind, TextTest::Fuzzy(value.clone(), *fuzziness))))
        }
        Query::Match(q) => words(q, kind, now),
        Query::MatchPhrase { text, slop, prefix, .. } => match kind {
            Kind::Text => {
                let words: Vec<String> = analyze::words(&text.text()).collect();
                if words.is_empty() {
                    return Ok(Test::Never);
                }
                Ok(Test::Text(TextTest::Phrase { words, slop: *slop, prefix: *prefix }))
            }
            kind if *prefix => Err(EsError::query_shard(format!(
                "Can only use phrase prefix queries on text fields - not on [{field}] which is of type [{}]",
                kind.es_type()
            ))),
            kind => one_of(std::slice::from_ref(text), kind, now).map_err(failed),
        },
        _ => Ok(Test::Never),
    }
}

fn word_if_text(kind: Kind, test: TextTest) -> TextTest {
    if kind == Kind::Text { TextTest::Word(Box::new(test)) } else { test }
}

/// What cannot be asked of a shard.
fn failed(cause: EsError) -> EsError {
    match cause.kind.as_str() {
        "illegal_argument_exception" | "number_format_exception" | "too_complex_to_determinize_exception" => {
            EsError::query_shard(format!("failed to create query: {}", cause.reason)).caused_by(cause)
        }
        _ => cause,
    }
}

fn textual(what: &str, kinds: &str, field: &str, kind: Kind) -> Result<(), EsError> {
    if matches!(kind, Kind::Keyword | Kind::Text | Kind::Map) {
        return Ok(());
    }
    Err(EsError::query_shard(format!(
        "Can only use {what} queries on {kinds} fields - not on [{field}] which is of type [{}]",
        kind.es_type()
    )))
}

fn words(q: &MatchQuery, kind: Kind, now: Now) -> Result<Test, EsError> {
    let text = q.text.text();
    let one = |word: &str, last: bool| {
        if q.prefix && last {
            TextTest::Prefix(word.to_owned())
        } else if let Some(fuzziness) = q.fuzziness.filter(|f| f.edits != Some(0)) {
            TextTest::Fuzzy(word.to_owned(), fuzziness)
        } else {
            TextTest::Equals(vec![word.to_owned()])
        }
    };
    match kind {
        Kind::Text => {
            let words: Vec<String> = analyze::words(&text).collect();
            if words.is_empty() {
                return Ok(if q.zero_terms_all { Test::Always } else { Test::Never });
            }
            let count = words.len();
            let needed = match q.operator {
                Operator::And => count,
                Operator::Or => {
                    q.minimum_should_match.as_ref().map_or(1, |m: &MinimumMatch| m.of(count).max(1))
                }
            };
            if needed > count {
                return Ok(Test::Never);
            }
            let tests = words.iter().enumerate().map(|(i, w)| one(w, i + 1 == count)).collect();
            Ok(Test::Text(TextTest::Words(tests, needed)))
        }
        Kind::Keyword | Kind::Map => Ok(Test::Text(one(&text, true))),
        kind => match one_of(std::slice::from_ref(&q.text), kind, now) {
            Err(_) if q.lenient => Ok(Test::Never),
            other => other.map_err(failed),
        },
    }
}

/// A value that equals one of these.
fn one_of(values: &[Scalar], kind: Kind, now: Now) -> Result<Test, EsError> {
    match kind {
        Kind::Keyword | Kind::Map | Kind::Text => {
            let mut texts: Vec<String> = values.iter().map(|v| v.text().into_owned()).collect();
            texts.sort_unstable();
            texts.dedup();
            Ok(Test::Text(word_if_text(kind, TextTest::Equals(texts))))
        }
        Kind::Ip => {
            let ranges = values.iter().map(|v| {
                let text = v.text();
                if text.contains('/') { ip::network(&text) } else { ip::address(&text).map(|a| (a, a)) }
            });
            Ok(Test::Ip(ranges.collect::<Result<_, _>>()?))
        }
        Kind::Boolean => {
            let ranges = values.iter().map(|v| boolean(v).map(|b| (i64::from(b), i64::from(b))));
            Ok(Test::Long(ranges.collect::<Result<_, _>>()?))
        }
        Kind::Long => {
            let mut ranges = Vec::new();
            for value in values {
                match number(value)? {
                    Number::Whole(n) => ranges.push((n, n)),
                    Number::Fraction(_) => {}
                }
            }
            Ok(Test::Long(ranges))
        }
        Kind::Double => {
            let ranges = values.iter().map(|v| double(v).map(|d| (d, d)));
            Ok(Test::Double(ranges.collect::<Result<_, _>>()?))
        }
        Kind::Date => {
            let format = default_format()?;
            let parser = DateParser { format: &format, zone: None, now: now.ms };
            let mut ranges = Vec::new();
            for value in values {
                let text = value.text();
                ranges.push((nanos(parser.read(&text, false)?), last_nano(parser.read(&text, true)?)));
            }
            Ok(Test::Long(ranges))
        }
        Kind::Objects => Ok(Test::Never),
    }
}

/// The first nanosecond of a millisecond.
fn nanos(ms: i64) -> i64 {
    ms.saturating_mul(MS)
}

/// The last nanosecond of a millisecond.
fn last_nano(ms: i64) -> i64 {
    ms.saturating_mul(MS).saturating_add(MS - 1)
}

pub(crate) fn default_format() -> Result<DateFormat, EsError> {
    DateFormat::parse(DateFormat::DEFAULT)
}

pub(crate) fn boolean(value: &Scalar) -> Result<bool, EsError> {
    match value {
        Scalar::Bool(b) => Ok(*b),
        other => match other.text().as_ref() {
            "true" => Ok(true),
            "false" => Ok(false),
            text => Err(EsError::illegal(format!(
                "Can't parse boolean value [{}], expected [true] or [false]",
                text.chars().take(100).collect::<String>()
            ))),
        },
    }
}

/// A number for a field of whole numbers.
pub(crate) enum Number {
    /// Without a fraction.
    Whole(i64),
    /// With one, or beyond all of them.
    Fraction(f64),
}

/// What a whole number is below.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

pub(crate) fn number(value: &Scalar) -> Result<Number, EsError> {
    let of_double = |d: f64| {
        if d.fract() == 0.0 && (-TWO_63..TWO_63).contains(&d) {
            return Ok(Number::Whole(d as i64));
        }
        Ok(Number::Fraction(d))
    };
    match value {
        Scalar::Int(n) => Ok(Number::Whole(*n)),
        Scalar::Float(d) => of_double(*d),
        Scalar::Bool(_) => Err(EsError::number_format(&value.text())),
        Scalar::Text(text) => {
            let short: String = text.chars().take(100).collect();
            if let Ok(n) = text.trim().parse::<i64>() {
                return Ok(Number::Whole(n));
            }
            match text.trim().parse::<f64>() {
                Ok(d) if d.is_finite() => of_double(d),
                _ => Err(EsError::number_format(&short)),
            }
        }
    }
}

pub(crate) fn double(value: &Scalar) -> Result<f64, EsError> {
    let d = match value {
        Scalar::Int(n) => *n as f64,
        Scalar::Float(d) => *d,
        Scalar::Bool(_) => return Err(EsError::number_format(&value.text())),
        Scalar::Text(text) => text
            .trim()
            .parse::<f64>()
            .map_err(|_| EsError::number_format(&text.chars().take(100).collect::<String>()))?,
    };
    if d.is_finite() {
        Ok(d)
    } else {
        Err(EsError::illegal(format!("[double] supports only finite values, but got [{}]", value.text())))
    }
}

fn range(range: &RangeQuery, kind: Kind, now: Now) -> Result<Test, EsError> {
    if range.lower == Bound::Unbounded && range.upper == Bound::Unbounded {
        return Ok(Test::Always);
    }
    match kind {
        Kind::Keyword | Kind::Map | Kind::Text => {
            let text = |b: &Bound<Scalar>| b.as_ref().map(|v| v.text().into_owned());
            let test = TextTest::Between(text(&range.lower), text(&range.upper));
            Ok(Test::Text(word_if_text(kind, test)))
        }
        Kind::Ip => {
            let low = match &range.lower {
                Bound::Unbounded => Some(0),
                Bound::Included(v) => Some(ip::address(&v.text()).map_err(failed)?),
                Bound::Excluded(v) => ip::address(&v.text()).map_err(failed)?.checked_add(1),
            };
            let high = match &range.upper {
                Bound::Unbounded => Some(u128::MAX),
                Bound::Included(v) => Some(ip::address(&v.text()).map_err(failed)?),
                Bound::Excluded(v) => ip::address(&v.text()).map_err(failed)?.checked_sub(1),
            };
            Ok(match (low, high) {
                (Some(low), Some(high)) if low <= high => Test::Ip(vec![(low, high)]),
                _ => Test::Never,
            })
        }
        Kind::Long | Kind::Boolean => {
            let read = |v: &Scalar| match kind {
                Kind::Boolean => boolean(v).map(|b| Number::Whole(b.into())),
                _ => number(v),
            };
            let low = match &range.lower {
                Bound::Unbounded => Some(i64::MIN),
                Bound::Included(v) => Some(match read(v).map_err(failed)? {
                    Number::Whole(n) => n,
                    Number::Fraction(d) => d.ceil() as i64,
                }),
                Bound::Excluded(v) => match read(v).map_err(failed)? {
                    Number::Whole(n) => n.checked_add(1),
                    Number::Fraction(d) => Some(d.ceil() as i64),
                },
            };
            let high = match &range.upper {
                Bound::Unbounded => Some(i64::MAX),
                Bound::Included(v) => Some(match read(v).map_err(failed)? {
                    Number::Whole(n) => n,
                    Number::Fraction(d) => d.floor() as i64,
                }),
                Bound::Excluded(v) => match read(v).map_err(failed)? {
                    Number::Whole(n) => n.checked_sub(1),
                    Number::Fraction(d) => Some(d.floor() as i64),
                },
            };
            Ok(closed(low, high))
        }
        Kind::Double => {
            let low = match &range.lower {
                Bound::Unbounded => f64::NEG_INFINITY,
                Bound::Included(v) => double(v).map_err(failed)?,
                Bound::Excluded(v) => above(double(v).map_err(failed)?),
            };
            let high = match &range.upper {
                Bound::Unbounded => f64::INFINITY,
                Bound::Included(v) => double(v).map_err(failed)?,
                Bound::Excluded(v) => -above(-double(v).map_err(failed)?),
            };
            Ok(if low.total_cmp(&high).is_le() { Test::Double(vec![(low, high)]) } else { Test::Never })
        }
        Kind::Date => {
            let format = match &range.format {
                Some(format) => DateFormat::parse(format)?,
                None => default_format()?,
            };
            let zone = range.time_zone.as_deref().map(Zone::parse).transpose()?;
            let parser = DateParser { format: &format, zone: zone.as_ref(), now: now.ms };
            let low = match &range.lower {
                Bound::Unbounded => Some(i64::MIN),
                Bound::Included(v) => Some(nanos(parser.read(&date_text(v), false)?)),
                Bound::Excluded(v) => last_nano(parser.read(&date_text(v), true)?).checked_add(1),
            };
            let high = match &range.upper {
                Bound::Unbounded => Some(i64::MAX),
                Bound::Included(v) => Some(last_nano(parser.read(&date_text(v), true)?)),
                Bound::Excluded(v) => nanos(parser.read(&date_text(v), false)?).checked_sub(1),
            };
            Ok(closed(low, high))
        }
        Kind::Objects => Ok(Test::Never),
    }
}

/// The next number; minus zero is below zero, as in Lucene.
fn above(d: f64) -> f64 {
    if d == 0.0 && d.is_sign_negative() { 0.0 } else { d.next_up() }
}

/// Whether a number lies between others; minus zero is below zero, as in Lucene.
fn between(ranges: &[(f64, f64)], d: f64) -> bool {
    ranges.iter().any(|r| r.0.total_cmp(&d).is_le() && d.total_cmp(&r.1).is_le())
}

/// A number that stands for an instant is written without an exponent.
pub(crate) fn date_text(value: &Scalar) -> String {
    match value {
        Scalar::Float(d) if d.fract() == 0.0 && d.abs() < 9e15 => format!("{d:.0}"),
        Scalar::Float(d) => format!("{d}"),
        other => other.text().into_owned(),
    }
}

fn closed(low: Option<i64>, high: Option<i64>) -> Test {
    match (low, high) {
        (Some(low), Some(high)) if low <= high => Test::Long(vec![(low, high)]),
        _ => Test::Never,
    }
}

impl Test {
    /// How much work it is, about: 0 to 3.
    pub(crate) fn cost(&self) -> u8 {
        match self {
            Self::Never | Self::Always => 0,
            Self::Long(_) | Self::Double(_) | Self::Ip(_) => 1,
            Self::Text(TextTest::Equals(_)) => 1,
            Self::Text(TextTest::Prefix(_) | TextTest::Between(..)) => 2,
            Self::Text(_) => 3,
        }
    }

    /// The whole terms of which a row has to have one, when it can be said.
    pub(crate) fn needs(&self) -> Option<&[String]> {
        match self {
            Self::Text(TextTest::Equals(texts)) => Some(texts),
            _ => None,
        }
    }

    /// A part that every term has, when it can be said.
    pub(crate) fn part(&self) -> Option<&str> {
        match self {
            Self::Text(TextTest::Form(form)) => form.part(),
            Self::Text(TextTest::Prefix(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn long(&self, n: i64) -> bool {
        match self {
            Self::Always => true,
            Self::Long(ranges) => ranges.iter().any(|r| r.0 <= n && n <= r.1),
            Self::Double(ranges) => between(ranges, n as f64),
            _ => false,
        }
    }

    pub(crate) fn double(&self, d: f64) -> bool {
        match self {
            Self::Always => true,
            Self::Double(ranges) => between(ranges, d),
            _ => false,
        }
    }

    pub(crate) fn ip(&self, a: u128) -> bool {
        match self {
            Self::Always => true,
            Self::Ip(ranges) => ranges.iter().any(|r| r.0 <= a && a <= r.1),
            _ => false,
        }
    }

    pub(crate) fn text(&self, text: &str) -> bool {
        match self {
            Self::Always => true,
            Self::Text(test) => test.holds(text),
            // Addresses kept as texts.
            Self::Ip(_) => ip::address(text).is_ok_and(|a| self.ip(a)),
            _ => false,
        }
    }
}

/// Places of words looked at in a phrase with slop, at most.
const MAX_PLACES: usize = 10_000;

impl TextTest {
    /// Whether it holds for a term.
    pub(crate) fn holds(&self, term: &str) -> bool {
        match self {
            Self::Equals(texts) => match texts.as_slice() {
                [one] => one == term,
                many => many.binary_search_by(|t| t.as_str().cmp(term)).is_ok(),
            },
            Self::EqualsFolded(text) => same_folded(term, text, false),
            Self::Prefix(text) => term.starts_with(text.as_str()),
            Self::PrefixFolded(text) => same_folded(term, text, true),
            Self::Form(form) => form.matches(term),
            Self::Between(low, high) => {
                let above = match low {
                    Bound::Unbounded => true,
                    Bound::Included(low) => low.as_str() <= term,
                    Bound::Excluded(low) => low.as_str() < term,
                };
                above
                    && match high {
                        Bound::Unbounded => true,
                        Bound::Included(high) => term <= high.as_str(),
                        Bound::Excluded(high) => term < high.as_str(),
                    }
            }
            Self::Fuzzy(text, fuzziness) => near(term, text, *fuzziness),
            Self::Word(test) => analyze::words(term).any(|word| test.holds(&word)),
            Self::Words(tests, needed) => {
                let mut open: Vec<&Self> = tests.iter().collect();
                let mut found = 0;
                for word in analyze::words(term) {
                    open.retain(|test| {
                        let holds = test.holds(&word);
                        found += usize::from(holds);
                        !holds
                    });
                    if found >= *needed {
                        return true;
                    }
                }
                false
            }
            Self::Phrase { words, slop, prefix } => phrase(term, words, *slop, *prefix),
        }
    }
}

fn same_folded(term: &str, folded: &str, prefix: bool) -> bool {
    let mut left = folded.chars();
    for c in term.chars().map(|c| c.to_ascii_lowercase()) {
        match left.next() {
            None => return prefix,
            Some(wanted) if wanted == c => {}
            Some(_) => return false,
        }
    }
    left.next().is_none()
}

fn phrase(text: &str, wanted: &[String], slop: u32, prefix: bool) -> bool {
    let words: Vec<String> = analyze::words(text).collect();
    let is = |i: usize, word: &str| {
        if prefix && i + 1 == wanted.len() { word.starts_with(wanted[i].as_str()) } else { word == wanted[i] }
    };
    if slop == 0 {
        return words.windows(wanted.len()).any(|w| w.iter().enumerate().all(|(i, word)| is(i, word)));
    }
    // Each word's places, moved back by its place in the phrase: how far they lie apart is the slop needed.
    let mut places: Vec<(i64, usize)> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        for i in 0..wanted.len() {
            if is(i, word) && places.len() < MAX_PLACES {
                places.push((at as i64 - i as i64, i));
            }
        }
    }
    places.sort_unstable();
    let mut counts = vec![0_u32; wanted.len()];
    let (mut from, mut have) = (0, 0);
    for &(at, i) in &places {
        have += usize::from(counts[i] == 0);
        counts[i] += 1;
        while at - places[from].0 > i64::from(slop) {
            let left = places[from].1;
            counts[left] -= 1;
            have -= usize::from(counts[left] == 0);
            from += 1;
        }
        if have == wanted.len() {
            return true;
        }
    }
    false
}

/// Whether two terms differ by no more edits than allowed.
fn near(term: &str, wanted: &str, fuzziness: Fuzziness) -> bool {
    let edits = usize::from(fuzziness.edits_for(wanted));
    let a: Vec<char> = wanted.chars().collect();
    if term.len() > wanted.len() * 4 + 8 {
        return false;
    }
    let b: Vec<char> = term.chars().collect();
    if a.len().abs_diff(b.len()) > edits {
        return false;
    }
    let prefix = fuzziness.prefix_length as usize;
    if a.iter().take(prefix).ne(b.iter().take(prefix)) {
        return false;
    }
    // Three rows of the table of distances; more than `edits` is given up.
    let width = b.len() + 1;
    let mut before: Vec<usize> = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; width];
        for j in 1..width {
            let same = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + same);
            if fuzziness.transpositions && i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        if row.iter().all(|d| *d > edits) {
            return false;
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()] <= edits
}
