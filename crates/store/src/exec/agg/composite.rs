//! `composite`: a bucket for each combination of values, in pages.

use std::cmp::Ordering;

use arrow_array::Array;
use hashbrown::HashMap;
use serde_json::{Map, Value, json};
use wirebeat_model::Kind;

use super::buckets::{Buckets, Filler, each_value};
use super::geo;
use super::outcome::{Bucket, Outcome, number};
use super::terms::{Keys, alike};
use super::{Batch, Collector, Finish, Setup, Subs, wrong_kind};
use crate::block::{Column, Terms as Dictionary, Values};
use crate::exec::test;
use crate::exec::view::View;
use crate::lang::agg::{Composite, Grid, IncludeExclude, Source, SourceKind};
use crate::lang::ast::Scalar;
use crate::lang::date::{DateFormat, MS, Zone};
use crate::lang::error::EsError;

/// The key of a document without a value.
const NULL: u64 = u64::MAX;

/// One value of a combination while it is gathered.
struct Part {
    spec: Source,
    /// `None`: the field is not mapped.
    column: Option<String>,
    keys: Keys,
}

pub(super) struct CompositeNode {
    size: usize,
    parts: Vec<Part>,
    after: Option<Vec<u64>>,
    /// Combinations by their number.
    numbers: HashMap<Box<[u64]>, u32, foldhash::fast::RandomState>,
    combinations: Vec<Box<[u64]>>,
    buckets: Buckets,
    subs: Subs,
}

impl Part {
    fn new(spec: &Source, setup: &Setup<'_>) -> Result<Self, EsError> {
        let field = setup.field(&spec.field);
        let kind = field.as_ref().map_or(Kind::Keyword, |f| f.kind);
        let mapped = field.is_some();
        let numeric = matches!(kind, Kind::Long | Kind::Double | Kind::Date | Kind::Boolean);
        let fits = match &spec.kind {
            SourceKind::Terms => true,
            SourceKind::Histogram(_) => numeric,
            SourceKind::DateHistogram(..) => matches!(kind, Kind::Date | Kind::Long),
            SourceKind::GeoTile(_) => field.as_ref().is_some_and(|f| f.geo),
        };
        if mapped && !fits {
            return Err(wrong_kind(&spec.field, kind.es_type(), "composite"));
        }
        Ok(Self {
            keys: Keys::new(
                &spec.field,
                kind,
                "composite",
                &spec.name,
                &IncludeExclude::default(),
                setup.index(),
            )?,
            spec: spec.clone(),
            column: field.map(|f| f.column),
        })
    }

    fn of_long(&self, n: i64) -> Option<u64> {
        match &self.spec.kind {
            SourceKind::Terms => self.keys.of_long(n),
            SourceKind::Histogram(interval) => Some((n as f64 / interval).floor() as i64 as u64),
            SourceKind::DateHistogram(rounding, _) => Some(rounding.round(n) as u64),
            SourceKind::GeoTile(_) => None,
        }
    }

    fn of_double(&self, d: f64) -> Option<u64> {
        match &self.spec.kind {
            SourceKind::Terms => self.keys.of_double(d),
            SourceKind::Histogram(interval) => Some((d / interval).floor() as i64 as u64),
            _ => None,
        }
    }

    /// The keys of each row of a batch: where they begin, and all of them.
    fn read(&mut self, view: &View<'_>, batch: &Batch) -> Result<(Vec<u32>, Vec<u64>), EsError> {
        let column = match &self.column {
            Some(name) => view.column(name)?.filter(|c| alike(c.kind, self.keys.kind)),
            None => None,
        };
        let mut starts = Vec::with_capacity(batch.rows.len() + 1);
        let mut keys: Vec<u64> = Vec::with_capacity(batch.rows.len());
        let null = self.spec.missing_bucket.then_some(NULL);
        let mut put = |i: usize, key: Option<u64>| {
            if starts.len() == i {
                starts.push(keys.len() as u32);
            }
            let from = starts[i] as usize;
            if let Some(key) = key
                && !keys[from..].contains(&key)
            {
                keys.push(key);
            }
        };
        if let SourceKind::GeoTile(precision) = self.spec.kind
            && let Some(field) = &self.column
        {
            geo::each_point(view, field, &batch.rows, |i, point| {
                put(i, point.map(|p| geo::cell(Grid::Geotile, precision, p)).or(null));
            })?;
        } else if let Some(column) = column {
            self.values(&column, batch, null, &mut put);
        } else {
            (0..batch.rows.len()).for_each(|i| put(i, null));
        }
        starts.push(keys.len() as u32);
        Ok((starts, keys))
    }

    fn values(
        &mut self,
        column: &Column,
        batch: &Batch,
        null: Option<u64>,
        put: &mut dyn FnMut(usize, Option<u64>),
    ) {
        let scale = if column.kind == Kind::Date { MS } else { 1 };
        match &column.values {
            Values::Coded { codes, terms } => {
                let count = match terms {
                    Dictionary::Text(texts) => texts.len(),
                    Dictionary::Ip(ips) => ips.len(),
                };
                let mut known: Vec<Option<Option<u64>>> = vec![None; count];
                each_value(&column.rows, &batch.rows, |i, at| match at {
                    Some(at) => {
                        let code = codes[at] as usize;
                        let keys = &mut self.keys;
                        put(i, *known[code].get_or_insert_with(|| keys.of_term(terms, code)));
                    }
                    None => put(i, null),
                });
            }
            Values::Long(values) => each_value(&column.rows, &batch.rows, |i, at| match at {
                Some(at) => put(i, self.of_long(values[at].div_euclid(scale))),
                None => put(i, null),
            }),
            Values::Double(values) => each_value(&column.rows, &batch.rows, |i, at| match at {
                Some(at) => put(i, self.of_double(values[at])),
                None => put(i, null),
            }),
        }
    }

    fn compare(&self, a: u64, b: u64) -> Ordering {
        let null_first = self.spec.missing_first.unwrap_or(!self.spec.descending);
        match (a == NULL, b == NULL) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if null_first { Ordering::Less } else { Ordering::Greater },
            (false, true) => return if null_first { Ordering::Greater } else { Ordering::Less },
            _ => {}
        }
        let order = match &self.spec.kind {
            SourceKind::Terms => self.keys.compare(a, b),
            SourceKind::Histogram(_) | SourceKind::DateHistogram(..) => (a as i64).cmp(&(b as i64)),
            SourceKind::GeoTile(_) => a.cmp(&b),
        };
        if self.spec.descending { order.reverse() } else { order }
    }

    fn write(&self, key: u64) -> Result<Value, EsError> {
        if key == NULL {
            return Ok(Value::Null);
        }
        Ok(match &self.spec.kind {
            SourceKind::Terms => match self.keys.kind {
                Kind::Boolean => json!(key != 0),
                _ => self.keys.value(key).0,
            },
            SourceKind::Histogram(interval) => number(key as i64 as f64 * interval),
            SourceKind::DateHistogram(rounding, format) => match format {
                Some(format) => json!(format.write_ms(key as i64, &rounding.zone)),
                None => json!(key as i64),
            },
            SourceKind::GeoTile(precision) => json!(geo::name(Grid::Geotile, *precision, key)),
        })
    }

    /// A value of `after`.
    fn read_after(&mut self, value: &Value) -> Result<u64, EsError> {
        let bad = || EsError::illegal(format!("Invalid value for [after.{}]", self.spec.name));
        if value.is_null() {
            return Ok(NULL);
        }
        let scalar = Scalar::from_json(value).ok_or_else(bad)?;
        match &self.spec.kind {
            SourceKind::Terms => {
                let scalar = match (self.keys.kind, scalar) {
                    (Kind::Date, Scalar::Text(text)) => Scalar::Int(instant(&text, None, &Zone::UTC)?),
                    (_, scalar) => scalar,
                };
                self.keys.of_scalar(&scalar)?.ok_or_else(bad)
            }
            SourceKind::Histogram(interval) => Ok((test::double(&scalar)? / interval).round() as i64 as u64),
            SourceKind::DateHistogram(rounding, format) => match scalar {
                Scalar::Int(ms) => Ok(ms as u64),
                other => Ok(instant(&other.text(), format.as_ref(), &rounding.zone)? as u64),
            },
            SourceKind::GeoTile(_) => {
                let mut parts =
                    scalar.text().split('/').map(str::parse::<u64>).collect::<Vec<_>>().into_iter();
                match (parts.next(), parts.next(), parts.next()) {
                    (Some(Ok(z)), Some(Ok(x)), Some(Ok(y))) if z < 30 && x < 1 << 29 && y < 1 << 29 => {
                        Ok(z << 58 | x << 29 | y)
                    }
                    _ => Err(bad()),
                }
            }
        }
    }
}

fn instant(text: &str, format: Option<&DateFormat>, zone: &Zone) -> Result<i64, EsError> {
    let ns = match format {
        Some(format) => format.read(text, Some(zone), false)?,
        None => test::default_format()?.read(text, Some(zone), false)?,
    };
    Ok(i64::try_from(ns.div_euclid(i128::from(MS))).unwrap_or(0))
}

impl CompositeNode {
    pub(super) fn new(spec: &Composite, setup: &Setup<'_>, subs: Subs) -> Result<Self, EsError> {
        if spec.size > setup.limits.max_buckets {
            return Err(EsError::too_many_buckets(setup.limits.max_buckets));
        }
        let mut parts = spec.sources.iter().map(|s| Part::new(s, setup)).collect::<Result<Vec<_>, _>>()?;
        let after = match &spec.after {
            None => None,
            Some(values) => Some(
                parts.iter_mut().zip(values).map(|(p, v)| p.read_after(v)).collect::<Result<Vec<_>, _>>()?,
            ),
        };
        Ok(Self {
            size: spec.size,
            parts,
            after,
            numbers: HashMap::default(),
            combinations: Vec::new(),
            buckets: Buckets::default(),
            subs,
        })
    }

    fn compare(&self, a: &[u64], b: &[u64]) -> Ordering {
        compare(&self.parts, a, b)
    }
}

fn compare(parts: &[Part], a: &[u64], b: &[u64]) -> Ordering {
    for (part, (a, b)) in parts.iter().zip(a.iter().zip(b)) {
        match part.compare(*a, *b) {
            Ordering::Equal => {}
            order => return order,
        }
    }
    Ordering::Equal
}

impl Collector for CompositeNode {
    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        let mut read = Vec::with_capacity(self.parts.len());
        for part in &mut self.parts {
            read.push(part.read(view, batch)?);
        }
        let keep = !self.subs.is_empty();
        let mut filler = Filler::new(&mut self.buckets, batch, usize::MAX, false, keep);
        let mut combination = vec![0; self.parts.len()];
        let mut places = vec![0_usize; self.parts.len()];
        for i in 0..batch.rows.len() {
            let span = |p: usize| (read[p].0[i] as usize, read[p].0[i + 1] as usize);
            if (0..read.len()).any(|p| span(p).0 == span(p).1) {
                continue;
            }
            (0..read.len()).for_each(|p| places[p] = span(p).0);
            // Every combination of the row's values.
            'all: loop {
                for (p, at) in places.iter().enumerate() {
                    combination[p] = read[p].1[*at];
                }
                let n = match self.numbers.get(combination.as_slice()) {
                    Some(n) => *n,
                    None => {
                        let wanted = self.after.as_ref().is_none_or(|after| {
                            compare(&self.parts, &combination, after) == Ordering::Greater
                        });
                        let n = if wanted { self.combinations.len() as u32 } else { super::buckets::NONE };
                        let boxed: Box<[u64]> = combination.as_slice().into();
                        if wanted {
                            self.combinations.push(boxed.clone());
                        }
                        self.numbers.insert(boxed, n);
                        n
                    }
                };
                if n != super::buckets::NONE {
                    filler.put(batch.rows[i], batch.ords[i], 0, || Some(n.into()));
                }
                let mut p = read.len();
                loop {
                    if p == 0 {
                        break 'all;
                    }
                    p -= 1;
                    places[p] += 1;
                    if places[p] < span(p).1 {
                        break;
                    }
                    places[p] = span(p).0;
                }
                filler.check()?;
            }
        }
        let below = filler.done()?;
        self.subs.collect(view, &below)
    }

    fn result(&self, bucket: Option<u32>, finish: &Finish<'_>) -> Result<Outcome, EsError> {
        let mut ords = bucket.map_or(Vec::new(), |b| self.buckets.below(b));
        let of = |ord: u32| &self.combinations[self.buckets.key(ord) as usize];
        if ords.len() > self.size {
            ords.select_nth_unstable_by(self.size - 1, |a, b| self.compare(of(*a), of(*b)));
            ords.truncate(self.size);
        }
        ords.sort_unstable_by(|a, b| self.compare(of(*a), of(*b)));
        finish.tell(ords.len())?;
        let mut buckets = Vec::with_capacity(ords.len());
        for ord in ords {
            let mut key = Map::new();
            for (part, value) in self.parts.iter().zip(of(ord)) {
                key.insert(part.spec.name.clone(), part.write(*value)?);
            }
            let mut body = Map::new();
            body.insert("key".to_owned(), Value::Object(key));
            buckets.push(Bucket {
                name: String::new(),
                body,
                key: f64::NAN,
                count: self.buckets.count(ord),
                subs: self.subs.results(Some(ord), finish)?,
            });
        }
        let mut more = Map::new();
        if let Some(last) = buckets.last().and_then(|b| b.body.get("key")) {
            more.insert("after_key".to_owned(), last.clone());
        }
        super::pipeline::inside(&self.subs.pipelines, &mut buckets)?;
        Ok(Outcome::Buckets { kind: "composite", buckets, keyed: false, more })
    }

    fn number(&self, _: Option<u32>, _: &str) -> Option<f64> {
        None
    }

    fn bytes(&self) -> usize {
        let keys: usize = self.parts.iter().map(|p| p.keys.bytes()).sum();
        let each = self.parts.len() * 16 + 60;
        keys + self.numbers.len() * each + self.buckets.bytes() + self.subs.bytes()
    }
}
