//! `date_histogram` and `histogram`: a bucket for each span.

use std::cmp::Ordering;
use std::sync::OnceLock;

use hashbrown::HashMap;
use serde_json::{Map, json};
use wirebeat_model::Kind;

use super::buckets::{Below, Buckets, Filler, each_value};
use super::decimal::Written;
use super::outcome::{Bucket, Outcome, number};
use super::terms::order_numbers;
use super::{Batch, Collector, Finish, Setup, Subs, wrong_kind};
use crate::block::{Rows, Values};
use crate::exec::test;
use crate::exec::view::View;
use crate::lang::agg::{Bounds, DateHistogram, Histogram, Order, OrderBy};
use crate::lang::ast::Scalar;
use crate::lang::date::{DateFormat, DateParser, MS, Rounding};
use crate::lang::error::EsError;

/// Spans of time in milliseconds, or of numbers by their number.
enum Spans {
    Dates(Rounding),
    Numbers { interval: f64, offset: f64 },
}

pub(super) struct HistogramNode {
    column: Option<(String, Kind)>,
    spans: Spans,
    /// The first and the last key that are there in any case.
    extended: Option<(i64, i64)>,
    hard: Option<(f64, f64)>,
    min_doc_count: u64,
    keyed: bool,
    missing: Option<f64>,
    order: Vec<Order>,
    written: Written,
    buckets: Buckets,
    below: OnceLock<Below>,
    subs: Subs,
}

/// An end of the bounds of a date histogram, in milliseconds.
fn end(
    value: Option<&Scalar>,
    format: &DateFormat,
    spec: &DateHistogram,
    now: i64,
) -> Result<Option<i64>, EsError> {
    let Some(value) = value else { return Ok(None) };
    if let Scalar::Int(ms) = value {
        return Ok(Some(*ms));
    }
    let parser = DateParser { format, zone: Some(&spec.rounding.zone), now };
    parser.read(&test::date_text(value), false).map(Some)
}

impl HistogramNode {
    pub(super) fn dates(
        name: &str,
        spec: &DateHistogram,
        setup: &Setup<'_>,
        subs: Subs,
    ) -> Result<Self, EsError> {
        let field = setup.field(&spec.field);
        if let Some(field) = &field
            && !matches!(field.kind, Kind::Date | Kind::Long | Kind::Boolean)
        {
            return Err(wrong_kind(&spec.field, field.kind.es_type(), "date_histogram"));
        }
        let read = match &spec.format {
            Some(format) => format.clone(),
            None => test::default_format()?,
        };
        let ends = |bounds: &Option<Bounds>| -> Result<(Option<i64>, Option<i64>), EsError> {
            let Some(bounds) = bounds else { return Ok((None, None)) };
            let min = end(bounds.min.as_ref(), &read, spec, setup.now.ms)?;
            let max = end(bounds.max.as_ref(), &read, spec, setup.now.ms)?;
            if let (Some(min), Some(max)) = (min, max)
                && min > max
            {
                return Err(EsError::illegal(format!(
                    "[extended_bounds.min][{min}] cannot be greater than [extended_bounds.max][{max}] for histogram \
                     aggregation [{name}]"
                )));
            }
            Ok((min, max))
        };
        let extended = match ends(&spec.extended)? {
            (Some(min), Some(max)) => Some((min, max)),
            (Some(one), None) | (None, Some(one)) => Some((one, one)),
            (None, None) => None,
        };
        let extended = extended.map(|(min, max)| (spec.rounding.round(min), spec.rounding.round(max)));
        let hard = spec.hard.as_ref().map(|_| ends(&spec.hard)).transpose()?.map(|(min, max)| {
            (min.map_or(f64::NEG_INFINITY, |n| n as f64), max.map_or(f64::INFINITY, |n| n as f64))
        });
        let write = match &spec.format {
            Some(format) => format.clone(),
            None => DateFormat::parse("strict_date_optional_time")?,
        };
        let missing = end(spec.missing.as_ref(), &read, spec, setup.now.ms)?.map(|ms| ms as f64);
        Ok(Self {
            column: field.map(|f| (f.column, f.kind)),
            written: Written::Date(write, spec.rounding.zone.clone()),
            spans: Spans::Dates(spec.rounding.clone()),
            extended,
            hard,
            min_doc_count: spec.min_doc_count,
            keyed: spec.keyed,
            missing,
            order: spec.order.clone(),
            buckets: Buckets::default(),
            below: OnceLock::new(),
            subs,
        })
    }

    pub(super) fn numbers(
        name: &str,
        spec: &Histogram,
        setup: &Setup<'_>,
        subs: Subs,
    ) -> Result<Self, EsError> {
        let field = setup.field(&spec.field);
        if let Some(field) = &field
            && !matches!(field.kind, Kind::Long | Kind::Double | Kind::Date | Kind::Boolean)
        {
            return Err(wrong_kind(&spec.field, field.kind.es_type(), "histogram"));
        }
        let extended = match spec.extended {
            None => None,
            Some((min, max)) if min.is_finite() && max.is_finite() => {
                let place = |d: f64| ((d - spec.offset) / spec.interval).floor() as i64;
                Some((place(min), place(max)))
            }
            Some(_) => {
                return Err(EsError::illegal(format!(
                    "extended_bounds of histogram aggregation [{name}] must have min and max"
                )));
            }
        };
        let kind = field.as_ref().map_or(Kind::Double, |f| f.kind);
        let written = match (&spec.format, kind) {
            (None, Kind::Boolean) => Written::Plain,
            (format, kind) => Written::new(kind, format.as_deref())?,
        };
        Ok(Self {
            column: field.map(|f| (f.column, f.kind)),
            spans: Spans::Numbers { interval: spec.interval, offset: spec.offset },
            extended,
            hard: spec.hard,
            min_doc_count: spec.min_doc_count,
            keyed: spec.keyed,
            missing: spec.missing,
            order: spec.order.clone(),
            written,
            buckets: Buckets::default(),
            below: OnceLock::new(),
            subs,
        })
    }

    /// Where a span begins.
    fn start(&self, key: i64) -> f64 {
        match &self.spans {
            Spans::Dates(_) => key as f64,
            Spans::Numbers { interval, offset } => key as f64 * interval + offset,
        }
    }

    fn next(&self, key: i64) -> i64 {
        match &self.spans {
            Spans::Dates(rounding) => rounding.next(key),
            Spans::Numbers { .. } => key.saturating_add(1),
        }
    }

    fn bucket(&self, key: i64, ord: Option<u32>, finish: &Finish<'_>) -> Result<Bucket, EsError> {
        let start = self.start(key);
        let mut out = Bucket {
            key: start,
            count: ord.map_or(0, |o| self.buckets.count(o)),
            subs: self.subs.results(ord, finish)?,
            ..Bucket::default()
        };
        let text = self.written.text(start);
        out.name = text.clone().unwrap_or_else(|| crate::lang::ast::java_double(start));
        if let Some(text) = text {
            out.body.insert("key_as_string".to_owned(), json!(text));
        }
        let value = match &self.spans {
            Spans::Dates(_) => json!(key),
            Spans::Numbers { .. } => number(start),
        };
        out.body.insert("key".to_owned(), value);
        Ok(out)
    }

    fn sort(&self, buckets: &mut [Bucket]) {
        if let [Order { by: OrderBy::Key, descending }] = self.order.as_slice() {
            if *descending {
                buckets.reverse();
            }
            return;
        }
        buckets.sort_by(|a, b| {
            for Order { by, descending } in &self.order {
                let order = match by {
                    OrderBy::Count => a.count.cmp(&b.count),
                    OrderBy::Key => a.key.total_cmp(&b.key),
                    OrderBy::Path(path) => {
                        let value = |x: &Bucket| x.number(path).unwrap_or(f64::NAN);
                        match order_numbers(value(a), value(b), *descending) {
                            Ordering::Equal => continue,
                            order => return order,
                        }
                    }
                };
                match if *descending { order.reverse() } else { order } {
                    Ordering::Equal => {}
                    order => return order,
                }
            }
            a.key.total_cmp(&b.key)
        });
    }
}

/// The spans of a block's values, by small codes; the last one is remembered, because the next value is mostly in it.
struct Coder<'s> {
    spans: &'s Spans,
    hard: Option<(f64, f64)>,
    codes: HashMap<i64, usize, foldhash::fast::RandomState>,
    keys: Vec<Option<u64>>,
    /// From, up to, code.
    last: (i64, i64, usize),
}

/// Spans of one block that get codes; what is beyond is looked up each time.
const MAX_CODES: usize = 4096;

impl<'s> Coder<'s> {
    fn new(spans: &'s Spans, hard: Option<(f64, f64)>) -> Self {
        Self { spans, hard, codes: HashMap::default(), keys: Vec::new(), last: (1, 0, 0) }
    }

    fn code(&mut self, key: i64) -> usize {
        let next = self.keys.len();
        let code = *self.codes.entry(key).or_insert(next);
        if code == next {
            let start = match self.spans {
                Spans::Dates(_) => key as f64,
                Spans::Numbers { interval, offset } => key as f64 * interval + offset,
            };
            let inside = self.hard.is_none_or(|(low, high)| low <= start && start < high);
            self.keys.push(inside.then_some(key as u64));
        }
        code
    }

    /// The code of an instant in milliseconds times `scale`.
    #[inline]
    fn instant(&mut self, value: i64, scale: i64) -> usize {
        if self.last.0 <= value && value < self.last.1 {
            return self.last.2;
        }
        let Spans::Dates(rounding) = self.spans else { return self.number(value as f64 / scale as f64) };
        let ms = value.div_euclid(scale);
        let (key, end) = rounding.span(ms);
        let code = self.code(key);
        // Values between this one and the span's end are in it too; those before only if the span began before them.
        self.last = (ms.saturating_mul(scale), end.saturating_mul(scale), code);
        code
    }

    fn number(&mut self, value: f64) -> usize {
        let Spans::Numbers { interval, offset } = self.spans else { return self.instant(value as i64, 1) };
        self.code(((value - offset) / interval).floor() as i64)
    }
}

impl Collector for HistogramNode {
    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        let column = match &self.column {
            Some((name, kind)) => view.column(name)?.filter(|c| c.kind == *kind),
            None => None,
        };
        if column.is_none() && self.missing.is_none() {
            return Ok(());
        }
        let mut coder = Coder::new(&self.spans, self.hard);
        let several = column.as_ref().is_some_and(|c| matches!(c.rows, Rows::Many(_)));
        let keep = !self.subs.is_empty();
        let mut filler = Filler::new(&mut self.buckets, batch, MAX_CODES, several, keep);
        let missing = self.missing;
        let mut put = |coder: &mut Coder<'_>, i: usize, code: usize| {
            let keys = &coder.keys;
            if code < MAX_CODES {
                filler.put(batch.rows[i], batch.ords[i], code, || keys[code]);
            } else {
                filler.put_directly(batch.rows[i], batch.ords[i], keys[code]);
            }
        };
        let none = |coder: &mut Coder<'_>| match (missing, &self.spans) {
            (Some(ms), Spans::Dates(_)) => Some(coder.instant(ms as i64, 1)),
            (Some(value), Spans::Numbers { .. }) => Some(coder.number(value)),
            (None, _) => None,
        };
        match &column {
            None => {
                for i in 0..batch.rows.len() {
                    if let Some(code) = none(&mut coder) {
                        put(&mut coder, i, code);
                    }
                }
            }
            Some(column) => {
                let scale = if column.kind == Kind::Date { MS } else { 1 };
                let dates = matches!(self.spans, Spans::Dates(_));
                if let (Rows::Each, Values::Long(values), true, 1) =
                    (&column.rows, &column.values, dates, batch.buckets)
                {
                    // Neighbours are mostly in the same span.
                    let mut rest = &batch.rows[..];
                    while let Some(&row) = rest.first() {
                        let code = coder.instant(values[row as usize], scale);
                        let span = coder.last.0..coder.last.1;
                        let same = rest[1..].iter().take_while(|row| span.contains(&values[**row as usize]));
                        let (rows, more) = rest.split_at(1 + same.count());
                        filler.put_all(rows, 0, coder.keys[code]);
                        rest = more;
                    }
                    let below = filler.done()?;
                    return self.subs.collect(view, &below);
                }
                each_value(&column.rows, &batch.rows, |i, at| {
                    let code = match (at, &column.values) {
                        (Some(at), Values::Long(values)) if dates => Some(coder.instant(values[at], scale)),
                        (Some(at), Values::Long(values)) => {
                            Some(coder.number(values[at].div_euclid(scale) as f64))
                        }
                        (Some(at), Values::Double(values)) => Some(coder.number(values[at])),
                        (Some(_), Values::Coded { .. }) => None,
                        (None, _) => none(&mut coder),
                    };
                    if let Some(code) = code {
                        put(&mut coder, i, code);
                    }
                });
            }
        }
        let below = filler.done()?;
        self.subs.collect(view, &below)
    }

    fn result(&self, bucket: Option<u32>, finish: &Finish<'_>) -> Result<Outcome, EsError> {
        let below = self.below.get_or_init(|| self.buckets.tree());
        let mut found: Vec<(i64, u32)> = bucket
            .map_or(&[][..], |b| below.of(b))
            .iter()
            .map(|&o| (self.buckets.key(o) as i64, o))
            .filter(|(_, o)| self.buckets.count(*o) >= self.min_doc_count)
            .collect();
        found.sort_unstable();
        let mut buckets = Vec::new();
        if self.min_doc_count == 0 {
            let first = found.first().map(|f| f.0).into_iter().chain(self.extended.map(|e| e.0)).min();
            let last = found.last().map(|f| f.0).into_iter().chain(self.extended.map(|e| e.1)).max();
            if let (Some(first), Some(last)) = (first, last) {
                let mut found = found.into_iter().peekable();
                let mut key = first;
                while key <= last {
                    finish.tell(1)?;
                    let ord = found.next_if(|f| f.0 == key).map(|f| f.1);
                    let hidden = self.hard.is_some_and(|(low, high)| {
                        let start = self.start(key);
                        start < low || start >= high
                    });
                    if !hidden {
                        buckets.push(self.bucket(key, ord, finish)?);
                    }
                    let next = self.next(key);
                    // A span that other arithmetic put between two others is told too.
                    key = match found.peek() {
                        Some(f) if f.0 < next => f.0,
                        _ if next > key => next,
                        _ => break,
                    };
                }
            }
        } else {
            finish.tell(found.len())?;
            for (key, ord) in found {
                buckets.push(self.bucket(key, Some(ord), finish)?);
            }
        }
        self.sort(&mut buckets);
        super::pipeline::inside(&self.subs.pipelines, &mut buckets)?;
        let kind = match self.spans {
            Spans::Dates(_) => "date_histogram",
            Spans::Numbers { .. } => "histogram",
        };
        Ok(Outcome::Buckets { kind, buckets, keyed: self.keyed, more: Map::new() })
    }

    fn number(&self, _: Option<u32>, _: &str) -> Option<f64> {
        None
    }

    fn bytes(&self) -> usize {
        self.buckets.bytes() + self.subs.bytes()
    }
}
