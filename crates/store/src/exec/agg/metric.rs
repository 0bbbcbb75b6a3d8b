//! Numbers of values: sums and the like, how many different, percentiles.

use std::sync::Arc;

use arrow_array::Array;
use serde_json::{Map, Value, json};
use wirebeat_model::Kind;

use super::buckets::{each_single, each_value};
use super::decimal::Written;
use super::outcome::{Outcome, maybe, number};
use super::sketch::{Distinct, Spread, hash_of};
use super::{Batch, Collector, Finish, Setup, wrong_kind};
use crate::block::{CodedLongs, Column, Longs, Rows, Terms, Values};
use crate::exec::rank::no_fielddata;
use crate::exec::test;
use crate::exec::view::View;
use crate::lang::agg::{Metric, MetricKind};
use crate::lang::ast::{Scalar, java_double};
use crate::lang::date::MS;
use crate::lang::error::EsError;
use crate::lang::ip;

/// The values of a field as numbers.
struct Numbers {
    column: Option<(String, Kind)>,
    missing: Option<f64>,
}

fn name_of(kind: &MetricKind) -> &'static str {
    match kind {
        MetricKind::Min => "min",
        MetricKind::Max => "max",
        MetricKind::Avg => "avg",
        MetricKind::Sum => "sum",
        MetricKind::ValueCount => "value_count",
        MetricKind::Stats => "stats",
        MetricKind::ExtendedStats(_) => "extended_stats",
        MetricKind::Cardinality(_) => "cardinality",
        MetricKind::Percentiles { .. } => "percentiles",
        MetricKind::PercentileRanks { .. } => "percentile_ranks",
    }
}

/// What a metric is gathered by.
pub(super) fn collector(spec: &Metric, setup: &Setup<'_>) -> Result<Box<dyn Collector>, EsError> {
    let field = setup.field(&spec.field);
    let kind = field.as_ref().map_or(Kind::Double, |f| f.kind);
    let column = field.map(|f| (f.column, f.kind));
    match kind {
        Kind::Text => return Err(no_fielddata(&spec.field, setup.index())),
        Kind::Objects => return Err(wrong_kind(&spec.field, kind.es_type(), name_of(&spec.kind))),
        _ => {}
    }
    let any_kind = matches!(spec.kind, MetricKind::ValueCount | MetricKind::Cardinality(_));
    if !any_kind && matches!(kind, Kind::Keyword | Kind::Map | Kind::Ip) {
        return Err(wrong_kind(&spec.field, kind.es_type(), name_of(&spec.kind)));
    }
    if let MetricKind::Cardinality(threshold) = spec.kind {
        let missing = spec.missing.as_ref().map(|v| hash_of_scalar(v, kind)).transpose()?;
        return Ok(Box::new(DistinctNode { column, missing, threshold, sets: Vec::new() }));
    }
    let missing = match &spec.missing {
        None => None,
        Some(_) if any_kind => Some(0.0),
        Some(value) if kind == Kind::Date => {
            let ns = match value {
                Scalar::Int(ms) => i128::from(*ms) * i128::from(MS),
                value => test::default_format()?.read(&test::date_text(value), None, false)?,
            };
            Some(ns.div_euclid(i128::from(MS)) as f64)
        }
        Some(value) if kind == Kind::Boolean => Some(f64::from(u8::from(test::boolean(value)?))),
        Some(value) => Some(test::double(value)?),
    };
    let numbers = Numbers { column, missing };
    let written = Written::new(kind, spec.format.as_deref())?;
    match &spec.kind {
        MetricKind::Percentiles { percents, keyed } => Ok(Box::new(SpreadNode {
            numbers,
            written,
            asked: percents.clone(),
            ranks: false,
            keyed: *keyed,
            spreads: Vec::new(),
        })),
        MetricKind::PercentileRanks { values, keyed } => Ok(Box::new(SpreadNode {
            numbers,
            written,
            asked: values.clone(),
            ranks: true,
            keyed: *keyed,
            spreads: Vec::new(),
        })),
        kind => Ok(Box::new(SumNode { numbers, written, kind: kind.clone(), sums: Vec::new() })),
    }
}

impl Numbers {
    fn column(&self, view: &View<'_>) -> Result<Option<Arc<Column>>, EsError> {
        Ok(match &self.column {
            Some((name, kind)) => view.column(name)?.filter(|c| super::terms::alike(c.kind, *kind)),
            None => None,
        })
    }

    /// Calls for each row and each of its values: place in the batch, value.
    fn each(&self, view: &View<'_>, batch: &Batch, mut call: impl FnMut(usize, f64)) -> Result<(), EsError> {
        let Some(column) = self.column(view)? else {
            if let Some(missing) = self.missing {
                (0..batch.rows.len()).for_each(|i| call(i, missing));
            }
            return Ok(());
        };
        let scale = if column.kind == Kind::Date { MS } else { 1 };
        let none = |call: &mut dyn FnMut(usize, f64), i: usize| {
            if let Some(missing) = self.missing {
                call(i, missing);
            }
        };
        match &column.values {
            Values::Long(values) if scale == 1 => each_value(&column.rows, &batch.rows, |i, at| match at {
                Some(at) => call(i, values[at] as f64),
                None => none(&mut call, i),
            }),
            Values::Long(values) => each_value(&column.rows, &batch.rows, |i, at| match at {
                Some(at) => call(i, values[at].div_euclid(scale) as f64),
                None => none(&mut call, i),
            }),
            Values::Double(values) => each_value(&column.rows, &batch.rows, |i, at| match at {
                Some(at) => call(i, values[at]),
                None => none(&mut call, i),
            }),
            // Only counted.
            Values::Coded { .. } => each_value(&column.rows, &batch.rows, |i, at| match at {
                Some(_) => call(i, 0.0),
                None => none(&mut call, i),
            }),
        }
        Ok(())
    }
}

/// Sums that do not lose what is small beside what is large (Kahan).
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    value: f64,
    lost: f64,
}

impl Sum {
    #[inline]
    fn add(&mut self, n: f64) {
        if !n.is_finite() || !self.value.is_finite() {
            self.value += n;
            return;
        }
        let corrected = n + self.lost;
        let sum = self.value + corrected;
        self.lost = corrected - (sum - self.value);
        self.value = sum;
    }
}

#[derive(Clone, Copy, Debug)]
struct Sums {
    count: u64,
    sum: Sum,
    squares: Sum,
    min: f64,
    max: f64,
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            count: 0,
            sum: Sum::default(),
            squares: Sum::default(),
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

/// Below this a sum of whole numbers is exact in 64 bits of floating point, whatever their order.
const EXACT: u128 = 1 << 53;

/// The same of whole numbers.
struct WholeSums {
    count: u64,
    sum: i128,
    min: i64,
    max: i64,
}

impl WholeSums {
    /// Of the batch's values; `None`: rows may have several.
    fn of(values: &Longs, map: &Rows, batch: &Batch) -> Option<Self> {
        let mut out = Self { count: 0, sum: 0, min: i64::MAX, max: i64::MIN };
        let mut take = |n: i64, times: u64| {
            out.count += times;
            out.sum += i128::from(n) * i128::from(times);
            out.min = out.min.min(n);
            out.max = out.max.max(n);
        };
        match values.codes() {
            Some(CodedLongs { codes, distinct }) if distinct.len() < batch.rows.len() => {
                let mut times = vec![0; distinct.len()];
                each_single(map, batch, |at| times[codes[at] as usize] += 1)?;
                distinct
                    .iter()
                    .zip(times)
                    .filter(|(_, times)| *times > 0)
                    .for_each(|(n, times)| take(*n, times));
            }
            _ => {
                each_single(map, batch, |at| take(values[at], 1))?;
            }
        }
        Some(out)
    }
}

impl Sums {
    /// Takes in whole numbers at once, if the sum stays exact: then it is the same as one after the other.
    fn take(&mut self, more: &WholeSums) -> bool {
        if more.count == 0 {
            return true;
        }
        let largest = u128::from(more.min.unsigned_abs().max(more.max.unsigned_abs()));
        let before = self.sum.value.abs();
        let exact = before < EXACT as f64 && before.fract() == 0.0 && self.sum.lost == 0.0;
        if !exact || largest.saturating_mul(more.count.into()).saturating_add(before as u128) >= EXACT {
            return false;
        }
        self.count += more.count;
        self.sum.value += more.sum as f64;
        self.min = self.min.min(more.min as f64);
        self.max = self.max.max(more.max as f64);
        true
    }

    fn some(&self, n: f64) -> Option<f64> {
        (self.count > 0).then_some(n)
    }

    fn mean(&self) -> f64 {
        self.sum.value / self.count as f64
    }

    fn variance(&self, sample: bool) -> f64 {
        let n = self.count as f64;
        let spread = self.squares.value - self.sum.value * self.sum.value / n;
        let variance = spread / if sample { n - 1.0 } else { n };
        if variance < 0.0 { 0.0 } else { variance }
    }
}

/// What buckets without values are ordered by.
fn of_nothing(name: &str) -> f64 {
    match name {
        "min" => f64::INFINITY,
        "max" => f64::NEG_INFINITY,
        _ => f64::NAN,
    }
}

struct SumNode {
    numbers: Numbers,
    written: Written,
    kind: MetricKind,
    sums: Vec<Sums>,
}

impl SumNode {
    fn of(&self, bucket: Option<u32>) -> Sums {
        bucket.and_then(|b| self.sums.get(b as usize)).copied().unwrap_or_default()
    }

    /// The numbers by name, as they are told.
    fn parts(&self, s: &Sums) -> Vec<(&'static str, Option<f64>)> {
        let mut out = vec![
            ("count", Some(s.count as f64)),
            ("min", s.some(s.min)),
            ("max", s.some(s.max)),
            ("avg", s.some(s.mean())),
            ("sum", Some(s.sum.value)),
        ];
        if let MetricKind::ExtendedStats(_) = self.kind {
            let (population, sample) = (s.variance(false), s.variance(true));
            out.extend([
                ("sum_of_squares", s.some(s.squares.value)),
                ("variance", s.some(population)),
                ("variance_population", s.some(population)),
                ("variance_sampling", s.some(sample)),
                ("std_deviation", s.some(population.sqrt())),
                ("std_deviation_population", s.some(population.sqrt())),
                ("std_deviation_sampling", s.some(sample.sqrt())),
            ]);
        }
        out
    }

    /// `std_deviation_bounds`.
    fn bounds(&self, s: &Sums) -> Vec<(&'static str, Option<f64>)> {
        let MetricKind::ExtendedStats(sigma) = self.kind else { return Vec::new() };
        let (population, sample) = (s.variance(false).sqrt(), s.variance(true).sqrt());
        let at = |deviation: f64| s.some(s.mean() + deviation);
        vec![
            ("upper", at(sigma * population)),
            ("lower", at(-sigma * population)),
            ("upper_population", at(sigma * population)),
            ("lower_population", at(-sigma * population)),
            ("upper_sampling", at(sigma * sample)),
            ("lower_sampling", at(-sigma * sample)),
        ]
    }

    fn single(&self, s: &Sums) -> Option<f64> {
        match self.kind {
            MetricKind::Min => s.some(s.min),
            MetricKind::Max => s.some(s.max),
            MetricKind::Avg => s.some(s.mean()),
            MetricKind::Sum => Some(s.sum.value),
            _ => Some(s.count as f64),
        }
    }

    fn is_single(&self) -> bool {
        !matches!(self.kind, MetricKind::Stats | MetricKind::ExtendedStats(_))
    }
}

impl Collector for SumNode {
    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        self.sums.resize(self.sums.len().max(batch.buckets), Sums::default());
        let sums = &mut self.sums;
        let squares = matches!(self.kind, MetricKind::ExtendedStats(_));
        if !squares
            && let ([all], 1, None) = (sums.as_mut_slice(), batch.buckets, self.numbers.missing)
            && let Some(column) = self.numbers.column(view)?
            && let (Values::Long(values), false) = (&column.values, column.kind == Kind::Date)
            && let Some(more) = WholeSums::of(values, &column.rows, batch)
            && all.take(&more)
        {
            return Ok(());
        }
        self.numbers.each(view, batch, |i, n| {
            let s = &mut sums[batch.ords[i] as usize];
            s.count += 1;
            s.sum.add(n);
            s.min = s.min.min(n);
            s.max = s.max.max(n);
            if squares {
                s.squares.add(n * n);
            }
        })
    }

    fn result(&self, bucket: Option<u32>, _: &Finish<'_>) -> Result<Outcome, EsError> {
        let s = self.of(bucket);
        let kind = name_of(&self.kind);
        if self.kind == MetricKind::ValueCount {
            let mut body = Map::new();
            body.insert("value".to_owned(), json!(s.count));
            return Ok(Outcome::Metric { kind, body, numbers: vec![("value".to_owned(), s.count as f64)] });
        }
        if self.is_single() {
            let value = self.single(&s);
            return Ok(Outcome::simple(kind, value, value.and_then(|v| self.written.text(v))));
        }
        let mut body = Map::new();
        let mut numbers = Vec::new();
        for (name, n) in self.parts(&s) {
            let value = if name == "count" { json!(s.count) } else { maybe(n) };
            body.insert(name.to_owned(), value);
            if let Some(n) = n {
                numbers.push((name.to_owned(), n));
                if name != "count"
                    && s.count > 0
                    && let Some(text) = self.written.text(n)
                {
                    body.insert(format!("{name}_as_string"), json!(text));
                }
            }
        }
        let bounds = self.bounds(&s);
        if !bounds.is_empty() {
            let mut told = Map::new();
            for (name, n) in bounds {
                told.insert(name.to_owned(), maybe(n));
                if let Some(n) = n {
                    numbers.push((format!("std_{name}"), n));
                    numbers.push((format!("std_deviation_bounds.{name}"), n));
                }
            }
            body.insert("std_deviation_bounds".to_owned(), Value::Object(told));
        }
        Ok(Outcome::Metric { kind, body, numbers })
    }

    fn number(&self, bucket: Option<u32>, path: &str) -> Option<f64> {
        let s = self.of(bucket);
        if self.is_single() {
            return matches!(path, "" | "value")
                .then(|| self.single(&s).unwrap_or(of_nothing(name_of(&self.kind))));
        }
        let bound = path.strip_prefix("std_deviation_bounds.").or(path.strip_prefix("std_"));
        let parts = self.parts(&s);
        let found = parts.iter().find(|p| p.0 == path).map(|p| p.1);
        let found = found.or_else(|| self.bounds(&s).iter().find(|p| Some(p.0) == bound).map(|p| p.1));
        found.map(|n| n.unwrap_or(of_nothing(path)))
    }

    fn bytes(&self) -> usize {
        self.sums.capacity() * size_of::<Sums>()
    }
}

struct DistinctNode {
    column: Option<(String, Kind)>,
    missing: Option<u64>,
    threshold: usize,
    sets: Vec<Distinct>,
}

/// The hash of a value as it was written.
fn hash_of_scalar(value: &Scalar, kind: Kind) -> Result<u64, EsError> {
    Ok(match kind {
        Kind::Ip => hash_of(&ip::address(&value.text())?),
        Kind::Double => hash_of(&test::double(value)?.to_bits()),
        Kind::Long | Kind::Boolean | Kind::Date => match test::number(value)? {
            test::Number::Whole(n) => hash_of(&n),
            test::Number::Fraction(d) => hash_of(&(d as i64)),
        },
        _ => hash_of(value.text().as_ref()),
    })
}

impl DistinctNode {
    /// The hashes of a block's different values, and which of them each value is.
    fn add(&mut self, column: &Column, batch: &Batch) {
        let (missing, threshold) = (self.missing, self.threshold);
        let sets = &mut self.sets;
        let hashes: Vec<u64> = match &column.values {
            Values::Coded { terms: Terms::Text(texts), .. } => {
                (0..texts.len()).map(|c| hash_of(texts.value(c))).collect()
            }
            Values::Coded { terms: Terms::Ip(ips), .. } => ips.iter().map(hash_of).collect(),
            _ => Vec::new(),
        };
        // Under one bucket, each term of a dictionary is added once.
        let mut seen = vec![false; if batch.buckets == 1 { hashes.len() } else { 0 }];
        let scale = if column.kind == Kind::Date { MS } else { 1 };
        let mut last: Option<(u64, u32)> = None;
        each_value(&column.rows, &batch.rows, |i, at| {
            let ord = batch.ords[i];
            let hash = match (at, &column.values) {
                (Some(at), Values::Coded { codes, .. }) => {
                    let code = codes[at] as usize;
                    if let Some(seen) = seen.get_mut(code)
                        && std::mem::replace(seen, true)
                    {
                        return;
                    }
                    hashes[code]
                }
                (Some(at), Values::Long(v)) => hash_of(&v[at].div_euclid(scale)),
                (Some(at), Values::Double(v)) => hash_of(&(v[at] + 0.0).to_bits()),
                (None, _) => match missing {
                    Some(hash) => hash,
                    None => return,
                },
            };
            if last != Some((hash, ord)) {
                sets[ord as usize].add(hash, threshold);
                last = Some((hash, ord));
            }
        });
    }

    fn count(&self, bucket: Option<u32>) -> u64 {
        bucket.and_then(|b| self.sets.get(b as usize)).map_or(0, Distinct::count)
    }
}

impl Collector for DistinctNode {
    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        self.sets.resize_with(self.sets.len().max(batch.buckets), Distinct::default);
        let column = match &self.column {
            Some((name, kind)) => view.column(name)?.filter(|c| super::terms::alike(c.kind, *kind)),
            None => None,
        };
        match column {
            Some(column) => self.add(&column, batch),
            None => {
                if let Some(hash) = self.missing {
                    batch.ords.iter().for_each(|&o| self.sets[o as usize].add(hash, self.threshold));
                }
            }
        }
        Ok(())
    }

    fn result(&self, bucket: Option<u32>, _: &Finish<'_>) -> Result<Outcome, EsError> {
        let count = self.count(bucket);
        let mut body = Map::new();
        body.insert("value".to_owned(), json!(count));
        let numbers = vec![("value".to_owned(), count as f64)];
        Ok(Outcome::Metric { kind: "cardinality", body, numbers })
    }

    fn number(&self, bucket: Option<u32>, path: &str) -> Option<f64> {
        matches!(path, "" | "value").then(|| self.count(bucket) as f64)
    }

    fn bytes(&self) -> usize {
        self.sets.iter().map(Distinct::bytes).sum()
    }
}

struct SpreadNode {
    numbers: Numbers,
    written: Written,
    /// Percents, or values.
    asked: Vec<f64>,
    ranks: bool,
    keyed: bool,
    spreads: Vec<Spread>,
}

impl SpreadNode {
    fn answers(&self, bucket: Option<u32>) -> Vec<(f64, Option<f64>)> {
        let spread = bucket.and_then(|b| self.spreads.get(b as usize));
        let sorted = spread.map(Spread::sorted);
        self.asked
            .iter()
            .map(|&asked| {
                let answer = sorted.as_ref().and_then(|s| {
                    if self.ranks {
                        s.share_below(asked).map(|n| n * 100.0)
                    } else {
                        s.quantile(asked / 100.0)
                    }
                });
                (asked, answer)
            })
            .collect()
    }
}

impl Collector for SpreadNode {
    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        self.spreads.resize_with(self.spreads.len().max(batch.buckets), Spread::default);
        let spreads = &mut self.spreads;
        self.numbers.each(view, batch, |i, n| spreads[batch.ords[i] as usize].add(n))
    }

    fn result(&self, bucket: Option<u32>, _: &Finish<'_>) -> Result<Outcome, EsError> {
        let answers = self.answers(bucket);
        let text = |n: Option<f64>| n.filter(|_| !self.ranks).and_then(|n| self.written.text(n));
        let mut numbers = Vec::new();
        let values = if self.keyed {
            let mut map = Map::new();
            for (asked, answer) in &answers {
                let name = java_double(*asked);
                map.insert(name.clone(), maybe(*answer));
                if let Some(text) = text(*answer) {
                    map.insert(format!("{name}_as_string"), json!(text));
                }
            }
            Value::Object(map)
        } else {
            Value::Array(
                answers
                    .iter()
                    .map(|(asked, answer)| {
                        let mut one = Map::new();
                        one.insert("key".to_owned(), number(*asked));
                        one.insert("value".to_owned(), maybe(*answer));
                        if let Some(text) = text(*answer) {
                            one.insert("value_as_string".to_owned(), json!(text));
                        }
                        Value::Object(one)
                    })
                    .collect(),
            )
        };
        for (asked, answer) in answers {
            if let Some(answer) = answer {
                numbers.push((java_double(asked), answer));
            }
        }
        let mut body = Map::new();
        body.insert("values".to_owned(), values);
        let kind = if self.ranks { "tdigest_percentile_ranks" } else { "tdigest_percentiles" };
        Ok(Outcome::Metric { kind, body, numbers })
    }

    fn number(&self, bucket: Option<u32>, path: &str) -> Option<f64> {
        let wanted: f64 = path.parse().ok()?;
        let answers = self.answers(bucket);
        answers.iter().find(|a| a.0 == wanted).map(|a| a.1.unwrap_or(f64::NAN))
    }

    fn bytes(&self) -> usize {
        self.spreads.iter().map(Spread::bytes).sum()
    }
}
