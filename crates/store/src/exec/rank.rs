//! The first documents of an order.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::Array;
use serde_json::{Value, json};
use wirebeat_model::Kind;

use super::mapping::Mapping;
use super::score::Score;
use super::test::{Number, boolean, date_text, default_format, double, number};
use super::view::View;
use crate::block::{Column, Rows, Terms, Values};
use crate::lang::ast::{Scalar, java_double};
use crate::lang::date::{DateFormat, DateParser, MS, Zone};
use crate::lang::error::EsError;
use crate::lang::ip;
use crate::lang::request::{Missing, Mode, NumericType, SortKey, SortOn};

/// What a document is compared by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    /// No text, no address.
    Null,
    Int(i64),
    Float(f64),
    Text(Box<str>),
    Ip(u128),
}

/// An order of documents, ready to be used.
pub(crate) struct Ordered {
    keys: Vec<By>,
    /// Only documents after these values; may be fewer than there are keys.
    after: Vec<Key>,
    /// What documents score in each index, where they differ.
    scores: Vec<(String, Score)>,
    /// Nobody asked for it: hits come by their scores.
    implied: bool,
}

struct By {
    on: On,
    descending: bool,
    /// Texts and addresses: documents without one come first.
    null_first: bool,
    format: Option<DateFormat>,
}

/// A first key that blocks know bounds of.
#[derive(Clone, Copy)]
pub(crate) enum Bounded<'a> {
    /// The place in the index.
    Place,
    /// A column of numbers.
    Column(&'a str),
}

enum On {
    Score(f32),
    Doc,
    /// No such field: all documents are without a value.
    Nothing(Key),
    Field {
        column: String,
        kind: Kind,
        mode: Mode,
        missing: Key,
        nanos: bool,
    },
}

/// A document in an order.
#[derive(Clone, Debug)]
pub(crate) struct Ranked {
    pub(crate) keys: Vec<Key>,
    /// Its place among all rows of the search.
    pub(crate) at: u64,
}

impl Ordered {
    /// Prepares an order. `tie`: its last key is the place in the index.
    pub(crate) fn new(
        sort: &[SortKey],
        after: Option<&[Value]>,
        tie: bool,
        score: f32,
        mapping: &Mapping,
        index: &str,
    ) -> Result<Self, EsError> {
        let mut keys =
            sort.iter().map(|key| by(key, score, mapping, index)).collect::<Result<Vec<_>, _>>()?;
        if tie && !keys.iter().any(|k| matches!(k.on, On::Doc)) {
            keys.push(By { on: On::Doc, descending: false, null_first: false, format: None });
        }
        let mut out = Self { keys, after: Vec::new(), scores: Vec::new(), implied: false };
        if let Some(values) = after {
            out.after = values
                .iter()
                .zip(&out.keys)
                .zip(sort.iter().map(Some).chain(std::iter::repeat(None)))
                .map(|((value, key), sort)| key.read(value, sort))
                .collect::<Result<_, _>>()?;
        }
        Ok(out)
    }

    /// Says what documents score in each index. Without an order they then come by their scores.
    #[must_use]
    pub(crate) fn scored(mut self, scores: Vec<(String, Score)>) -> Self {
        self.scores = scores;
        if self.keys.is_empty() {
            let on = On::Score(0.0);
            self.keys.push(By { on, descending: true, null_first: false, format: None });
            self.implied = true;
        }
        self
    }

    /// Whether hits tell what they are sorted by.
    pub(crate) fn is_told(&self) -> bool {
        !self.keys.is_empty() && !self.implied
    }

    /// What a document scores, where documents differ.
    pub(crate) fn score_of(&self, keys: &[Key]) -> Option<f64> {
        if self.scores.is_empty() {
            return None;
        }
        self.keys.iter().zip(keys).find_map(|(by, key)| match (&by.on, key) {
            (On::Score(_), Key::Float(score)) => Some(*score),
            _ => None,
        })
    }

    /// Whether there is an order at all, beside that of the index.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What the first key is, whether the largest come first, and how many nanoseconds it counts: where it is a number
    /// that blocks know bounds of.
    pub(crate) fn first_number(&self) -> Option<(Bounded<'_>, bool, i64)> {
        let key = self.keys.first()?;
        if matches!(key.on, On::Doc) {
            return Some((Bounded::Place, key.descending, 1));
        }
        let On::Field { column, kind, mode, missing, nanos } = &key.on else { return None };
        // Where rows without a value come last, and a row's value is one of its own.
        let last = if key.descending { i64::MIN } else { i64::MAX };
        if *missing != Key::Int(last) || *mode == Mode::Sum {
            return None;
        }
        match kind {
            Kind::Date if !nanos => Some((Bounded::Column(column), key.descending, MS)),
            Kind::Long | Kind::Date => Some((Bounded::Column(column), key.descending, 1)),
            _ => None,
        }
    }

    /// The first value that hits come after.
    pub(crate) fn first_after(&self) -> Option<&Key> {
        self.after.first()
    }

    pub(crate) fn compare(&self, a: &Ranked, b: &Ranked) -> Ordering {
        self.compare_keys(&a.keys, &b.keys).then(a.at.cmp(&b.at))
    }

    fn compare_keys(&self, a: &[Key], b: &[Key]) -> Ordering {
        for ((a, b), by) in a.iter().zip(b).zip(&self.keys) {
            let order = by.compare(a, b);
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    /// The member `sort` of a hit.
    pub(crate) fn to_json(&self, keys: &[Key]) -> Vec<Value> {
        keys.iter().zip(&self.keys).map(|(key, by)| by.write(key)).collect()
    }

    /// Prepares to rank the rows of a block.
    pub(crate) fn look<'v>(&'v self, view: &'v View<'_>) -> Result<Look<'v>, EsError> {
        let columns = self
            .keys
            .iter()
            .map(|key| match &key.on {
                On::Field { column, kind, .. } => {
                    Ok(view.column(column)?.filter(|c| same_storage(c.kind, *kind)))
                }
                _ => Ok(None),
            })
            .collect::<Result<_, EsError>>()?;
        let scores = match self.scores.iter().find(|s| s.0 == view.index) {
            Some((_, score)) if self.keys.iter().any(|k| matches!(k.on, On::Score(_))) => score.rows(view)?,
            _ => Vec::new(),
        };
        Ok(Look { ordered: self, columns, scores, base: view.base })
    }
}

fn same_storage(a: Kind, b: Kind) -> bool {
    let class = |k: Kind| match k {
        Kind::Keyword | Kind::Map | Kind::Text => 0,
        Kind::Long => 1,
        Kind::Boolean => 2,
        Kind::Date => 3,
        Kind::Double => 4,
        Kind::Ip => 5,
        Kind::Objects => 6,
    };
    class(a) == class(b)
}

/// Elasticsearch's refusal to sort or aggregate analysed texts.
pub(crate) fn no_fielddata(field: &str, index: &str) -> EsError {
    EsError::illegal(format!(
        "Fielddata is disabled on [{field}] in [{index}]. Text fields are not optimised for operations that require \
         per-document field data like aggregations and sorting, so these operations are disabled by default. Please use \
         a keyword field instead. Alternatively, set fielddata=true on [{field}] in order to load field data by \
         uninverting the inverted index. Note that this can use significant memory."
    ))
}

fn by(key: &SortKey, score: f32, mapping: &Mapping, index: &str) -> Result<By, EsError> {
    let first = matches!(key.missing, Missing::First);
    let format = key.format.as_deref().map(DateFormat::parse).transpose()?;
    let mut out = By { on: On::Doc, descending: key.descending, null_first: first, format };
    let name = match &key.on {
        SortOn::Doc => return Ok(out),
        SortOn::Score => {
            out.on = On::Score(score);
            return Ok(out);
        }
        SortOn::Field(name) => name,
    };
    // A number that comes first or last in any case.
    let extreme = |float: bool| match (first == key.descending, float) {
        (true, false) => Key::Int(i64::MAX),
        (false, false) => Key::Int(i64::MIN),
        (true, true) => Key::Float(f64::INFINITY),
        (false, true) => Key::Float(f64::NEG_INFINITY),
    };
    let Some(field) = mapping.get(name) else {
        let Some(kind) = &key.unmapped_type else {
            return Err(EsError::query_shard(format!("No mapping found for [{name}] in order to sort on")));
        };
        out.on = On::Nothing(match kind.as_str() {
            "keyword" | "text" | "string" | "ip" => Key::Null,
            "double" | "float" | "half_float" | "scaled_float" => extreme(true),
            _ => extreme(false),
        });
        return Ok(out);
    };
    let mode = key.mode.unwrap_or(if key.descending { Mode::Max } else { Mode::Min });
    if !matches!(field.kind, Kind::Long | Kind::Double | Kind::Date | Kind::Boolean)
        && matches!(mode, Mode::Sum | Mode::Avg | Mode::Median)
    {
        return Err(EsError::query_shard("we only support AVG, MEDIAN and SUM on number based fields"));
    }
    let nanos = field.kind == Kind::Date && key.numeric_type == Some(NumericType::DateNanos);
    let missing = match (&key.missing, field.kind) {
        (_, Kind::Text) => return Err(no_fielddata(name, index)),
        (_, Kind::Objects) => {
            return Err(EsError::query_shard(format!("No mapping found for [{name}] in order to sort on")));
        }
        (Missing::Value(v), Kind::Keyword | Kind::Map) => Key::Text(v.text().into()),
        (Missing::Value(v), Kind::Ip) => Key::Ip(ip::address(&v.text())?),
        (Missing::Value(v), Kind::Boolean) => Key::Int(boolean(v)?.into()),
        (Missing::Value(v), Kind::Double) => Key::Float(double(v)?),
        (Missing::Value(v), Kind::Long) => Key::Int(match number(v)? {
            Number::Whole(n) => n,
            Number::Fraction(d) => d as i64,
        }),
        (Missing::Value(v), Kind::Date) => Key::Int(instant(v, nanos)?),
        (_, Kind::Keyword | Kind::Map | Kind::Ip) => Key::Null,
        (_, Kind::Double) => extreme(true),
        (_, Kind::Long | Kind::Date | Kind::Boolean) => extreme(false),
    };
    if out.format.is_some() && field.kind != Kind::Date {
        out.format = None;
    }
    out.on = On::Field { column: field.column, kind: field.kind, mode, missing, nanos };
    Ok(out)
}

/// An instant as a sort value: milliseconds, or nanoseconds.
fn instant(value: &Scalar, nanos: bool) -> Result<i64, EsError> {
    if let Scalar::Int(n) = value {
        return Ok(*n);
    }
    let format = default_format()?;
    read_instant(&format, &date_text(value), nanos)
}

fn read_instant(format: &DateFormat, text: &str, nanos: bool) -> Result<i64, EsError> {
    if nanos && !text.contains("||") && !text.starts_with("now") {
        let ns = format.read(text, None, false)?;
        return Ok(i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX }));
    }
    let ms = DateParser { format, zone: None, now: 0 }.read(text, false)?;
    Ok(if nanos { ms.saturating_mul(MS) } else { ms })
}

impl By {
    fn compare(&self, a: &Key, b: &Key) -> Ordering {
        let order = match (a, b) {
            (Key::Int(a), Key::Int(b)) => a.cmp(b),
            (Key::Float(a), Key::Float(b)) => a.total_cmp(b),
            (Key::Text(a), Key::Text(b)) => a.cmp(b),
            (Key::Ip(a), Key::Ip(b)) => a.cmp(b),
            (Key::Null, Key::Null) => return Ordering::Equal,
            (Key::Null, _) => return if self.null_first { Ordering::Less } else { Ordering::Greater },
            (_, Key::Null) => return if self.null_first { Ordering::Greater } else { Ordering::Less },
            // One key has one kind of values.
            _ => Ordering::Equal,
        };
        if self.descending { order.reverse() } else { order }
    }

    fn write(&self, key: &Key) -> Value {
        match key {
            Key::Null => Value::Null,
            Key::Int(n) => match (&self.format, &self.on) {
                (Some(format), On::Field { nanos, .. }) if *n != i64::MAX && *n != i64::MIN => {
                    let ns = i128::from(*n) * if *nanos { 1 } else { i128::from(MS) };
                    json!(format.write(ns, &Zone::UTC))
                }
                _ => json!(n),
            },
            Key::Float(d) if d.is_finite() => json!(d),
            Key::Float(d) => json!(java_double(*d)),
            Key::Text(text) => json!(text),
            Key::Ip(a) => json!(ip::write(*a)),
        }
    }

    /// A value of `search_after`.
    fn read(&self, value: &Value, sort: Option<&SortKey>) -> Result<Key, EsError> {
        let name = match sort.map(|s| &s.on) {
            Some(SortOn::Field(name)) => name.as_str(),
            Some(SortOn::Score) => "_score",
            _ => "_doc",
        };
        let bad = |cause: EsError| {
            EsError::illegal(format!("Failed to parse search_after value for field [{name}]."))
                .caused_by(cause)
        };
        let scalar = Scalar::from_json(value);
        let kind = match &self.on {
            On::Score(_) => {
                return match scalar {
                    Some(s) => double(&s).map(Key::Float).map_err(bad),
                    None => Ok(Key::Float(0.0)),
                };
            }
            On::Nothing(missing) => return Ok(missing.clone()),
            On::Doc => Kind::Long,
            On::Field { kind, .. } => *kind,
        };
        let Some(scalar) = scalar else {
            return Ok(match &self.on {
                On::Field { missing, .. } => missing.clone(),
                _ => Key::Int(i64::MAX),
            });
        };
        match kind {
            Kind::Date => {
                if let Scalar::Int(n) = scalar {
                    return Ok(Key::Int(n));
                }
                let nanos = matches!(self.on, On::Field { nanos: true, .. });
                let format = match &self.format {
                    Some(format) => format.clone(),
                    None => default_format()?,
                };
                // What stands for no value comes back as it was told.
                if let Ok(n @ (i64::MAX | i64::MIN)) = scalar.text().parse::<i64>() {
                    return Ok(Key::Int(n));
                }
                read_instant(&format, &date_text(&scalar), nanos).map(Key::Int)
            }
            Kind::Boolean => match &scalar {
                Scalar::Int(n) => Ok(Key::Int(*n)),
                other => boolean(other).map(|b| Key::Int(b.into())).map_err(bad),
            },
            Kind::Long => match number(&scalar).map_err(bad)? {
                Number::Whole(n) => Ok(Key::Int(n)),
                Number::Fraction(d) => Ok(Key::Int(d as i64)),
            },
            Kind::Double => match scalar.text().as_ref() {
                "Infinity" => Ok(Key::Float(f64::INFINITY)),
                "-Infinity" => Ok(Key::Float(f64::NEG_INFINITY)),
                _ => double(&scalar).map(Key::Float).map_err(bad),
            },
            Kind::Ip => ip::address(&scalar.text()).map(Key::Ip).map_err(bad),
            _ => Ok(Key::Text(scalar.text().into())),
        }
    }
}

/// The rows of a block in an order.
pub(crate) struct Look<'v> {
    ordered: &'v Ordered,
    columns: Vec<Option<Arc<Column>>>,
    /// What each row scores; empty: all the same.
    scores: Vec<f32>,
    base: u64,
}

impl Look<'_> {
    /// A row with its keys.
    pub(crate) fn row(&self, row: u32) -> Ranked {
        let keys = (0..self.columns.len()).map(|i| self.key(i, row)).collect();
        Ranked { keys, at: self.base + u64::from(row) }
    }

    fn key(&self, i: usize, row: u32) -> Key {
        let on = &self.ordered.keys[i].on;
        match on {
            On::Score(score) => {
                Key::Float(f64::from(self.scores.get(row as usize).copied().unwrap_or(*score)))
            }
            On::Doc => Key::Int(i64::try_from(self.base + u64::from(row)).unwrap_or(i64::MAX)),
            On::Nothing(missing) => missing.clone(),
            On::Field { mode, missing, nanos, .. } => {
                let Some(column) = &self.columns[i] else { return missing.clone() };
                let values = column.of(row);
                if values.is_empty() {
                    return missing.clone();
                }
                match &column.values {
                    Values::Long(list) => {
                        let scale = if column.kind == Kind::Date && !nanos { MS } else { 1 };
                        let one = |i: usize| list[i].div_euclid(scale);
                        if values.len() == 1 {
                            return Key::Int(one(values.start));
                        }
                        let all: Vec<i64> = values.map(one).collect();
                        Key::Int(of_longs(all, *mode))
                    }
                    Values::Double(list) => Key::Float(of_doubles(list[values].to_vec(), *mode)),
                    Values::Coded { codes, terms } => {
                        let codes = codes[values].iter().copied();
                        match terms {
                            Terms::Text(texts) => {
                                let text = |c: u32| texts.value(c as usize);
                                let best = match mode {
                                    Mode::Max => codes.max_by(|a, b| text(*a).cmp(text(*b))),
                                    _ => codes.min_by(|a, b| text(*a).cmp(text(*b))),
                                };
                                best.map_or(Key::Null, |c| Key::Text(text(c).into()))
                            }
                            Terms::Ip(ips) => {
                                let ips = codes.map(|c| ips[c as usize]);
                                let best = if *mode == Mode::Max { ips.max() } else { ips.min() };
                                best.map_or(Key::Null, Key::Ip)
                            }
                        }
                    }
                }
            }
        }
    }

    /// A test that is quick and lets pass what may be better than a document.
    fn sieve(&self, worst: Option<&Ranked>) -> Sieve<'_> {
        let Some(worst) = worst else { return Sieve::All };
        let (Some(by), Some(Some(column)), Some(key)) =
            (self.ordered.keys.first(), self.columns.first(), worst.keys.first())
        else {
            return Sieve::All;
        };
        match (&column.values, key) {
            (Values::Long(values), Key::Int(n)) if matches!(column.rows, Rows::Each) => {
                let scale = match by.on {
                    On::Field { nanos: false, .. } if column.kind == Kind::Date => MS,
                    _ => 1,
                };
                if by.descending {
                    Sieve::AtLeast(values, n.saturating_mul(scale))
                } else {
                    Sieve::AtMost(values, n.saturating_add(1).saturating_mul(scale).saturating_sub(1))
                }
            }
            (Values::Coded { codes, terms: Terms::Text(texts) }, Key::Text(limit))
                if matches!(column.rows, Rows::Each) =>
            {
                let pass = (0..texts.len()).map(|c| {
                    let order = texts.value(c).cmp(limit);
                    order != if by.descending { Ordering::Less } else { Ordering::Greater }
                });
                Sieve::Codes(codes, pass.collect())
            }
            _ => Sieve::All,
        }
    }
}

/// A quick test by the first key.
enum Sieve<'c> {
    All,
    AtLeast(&'c [i64], i64),
    AtMost(&'c [i64], i64),
    Codes(&'c [u32], Vec<bool>),
}

impl Sieve<'_> {
    fn pass(&self, row: u32) -> bool {
        match self {
            Self::All => true,
            Self::AtLeast(values, n) => values[row as usize] >= *n,
            Self::AtMost(values, n) => values[row as usize] <= *n,
            Self::Codes(codes, pass) => pass[codes[row as usize] as usize],
        }
    }
}

fn of_longs(mut all: Vec<i64>, mode: Mode) -> i64 {
    let rounded = |d: f64| (d + 0.5).floor() as i64;
    match mode {
        Mode::Min => all.iter().copied().min().unwrap_or(0),
        Mode::Max => all.iter().copied().max().unwrap_or(0),
        Mode::Sum => all.iter().fold(0, |a, b| a.saturating_add(*b)),
        Mode::Avg => rounded(all.iter().map(|n| *n as f64).sum::<f64>() / all.len() as f64),
        Mode::Median => {
            all.sort_unstable();
            let middle = all.len() / 2;
            if all.len() % 2 == 1 {
                all[middle]
            } else {
                rounded((all[middle - 1] as f64 + all[middle] as f64) / 2.0)
            }
        }
    }
}

fn of_doubles(mut all: Vec<f64>, mode: Mode) -> f64 {
    match mode {
        Mode::Min => all.iter().copied().fold(f64::INFINITY, f64::min),
        Mode::Max => all.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Mode::Sum => all.iter().sum(),
        Mode::Avg => all.iter().sum::<f64>() / all.len() as f64,
        Mode::Median => {
            all.sort_unstable_by(f64::total_cmp);
            let middle = all.len() / 2;
            if all.len() % 2 == 1 { all[middle] } else { (all[middle - 1] + all[middle]) / 2.0 }
        }
    }
}

/// The best documents seen so far: at least `size` of them are kept, at most about twice as many.
#[derive(Clone, Debug)]
pub(crate) struct Best {
    size: usize,
    found: Vec<Ranked>,
    /// The worst of the best `size`, when there are so many.
    limit: Option<Ranked>,
}

/// Documents added between two looks at the quick test.
const STRIDE: usize = 1024;

impl Best {
    pub(crate) fn new(size: usize) -> Self {
        Self { size, found: Vec::new(), limit: None }
    }

    /// The worst of the best, when there are as many as wanted.
    pub(crate) fn limit(&self) -> Option<&Ranked> {
        self.limit.as_ref()
    }

    /// Adds rows of a block, ascending.
    pub(crate) fn add_rows(&mut self, look: &Look<'_>, rows: &[u32]) {
        // The newest rows are the last ones: from behind, the limit is soon where it stays.
        let backwards = look.ordered.keys.first().is_some_and(|k| k.descending);
        let chunks = rows.chunks(STRIDE);
        if backwards {
            chunks.rev().for_each(|chunk| self.add_chunk(look, chunk.iter().rev()));
        } else {
            chunks.for_each(|chunk| self.add_chunk(look, chunk.iter()));
        }
    }

    fn add_chunk<'r>(&mut self, look: &Look<'_>, rows: impl Iterator<Item = &'r u32>) {
        let limit = self.limit.clone();
        let sieve = look.sieve(limit.as_ref());
        for &row in rows {
            if sieve.pass(row) {
                self.add(look.ordered, look.row(row));
            }
        }
    }

    /// Adds a document.
    pub(crate) fn add(&mut self, ordered: &Ordered, one: Ranked) {
        if self.size == 0 {
            return;
        }
        if !ordered.after.is_empty() && ordered.compare_keys(&one.keys, &ordered.after) != Ordering::Greater {
            return;
        }
        if let Some(limit) = &self.limit
            && ordered.compare(&one, limit) != Ordering::Less
        {
            return;
        }
        self.found.push(one);
        if self.found.len() >= self.size * 2 + 64 {
            self.cut(ordered);
        } else if self.limit.is_none() && self.found.len() == self.size {
            self.limit = self.found.iter().max_by(|a, b| ordered.compare(a, b)).cloned();
        }
    }

    fn cut(&mut self, ordered: &Ordered) {
        if self.found.len() > self.size {
            self.found.select_nth_unstable_by(self.size - 1, |a, b| ordered.compare(a, b));
            self.found.truncate(self.size);
        }
        if self.found.len() == self.size {
            self.limit = self.found.iter().max_by(|a, b| ordered.compare(a, b)).cloned();
        }
    }

    /// The best, in order.
    pub(crate) fn take(mut self, ordered: &Ordered) -> Vec<Ranked> {
        if self.size == 0 {
            return Vec::new();
        }
        self.cut(ordered);
        self.found.sort_unstable_by(|a, b| ordered.compare(a, b));
        self.found
    }

    /// What it takes in memory, about, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.found.len() * 96
    }
}
