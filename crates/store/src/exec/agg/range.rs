//! `range`, `date_range`, `ip_range`: buckets for given spans.

use arrow_array::Array;
use serde_json::{Map, json};
use wirebeat_model::Kind;

use super::buckets::{Buckets, Filler, each_value};
use super::decimal::Written;
use super::outcome::{Bucket, Outcome, number};
use super::{Batch, Collector, Finish, Setup, Subs, wrong_kind};
use crate::block::{Rows, Terms, Values};
use crate::exec::test;
use crate::exec::view::View;
use crate::lang::agg::{DateRange, IpRange, IpSpan, NumberRange};
use crate::lang::ast::{Scalar, java_double};
use crate::lang::date::{DateFormat, DateParser, MS};
use crate::lang::error::EsError;
use crate::lang::ip;

/// A span: its name, from, up to.
struct Span {
    bucket: Bucket,
    from: f64,
    to: f64,
}

pub(super) struct RangeNode {
    kind: &'static str,
    column: Option<(String, Kind)>,
    spans: Vec<Span>,
    /// Of addresses.
    ips: Vec<IpSpan>,
    keyed: bool,
    missing: Option<f64>,
    buckets: Buckets,
    subs: Subs,
}

/// Spans with their ends and texts, in their order.
fn spans(list: Vec<(Option<String>, Option<f64>, Option<f64>)>, written: &Written) -> Vec<Span> {
    let mut out: Vec<Span> = list
        .into_iter()
        .map(|(key, from, to)| {
            let text = |n: Option<f64>| match n {
                None => "*".to_owned(),
                Some(n) => written.text(n).unwrap_or_else(|| java_double(n)),
            };
            let name = key.unwrap_or_else(|| format!("{}-{}", text(from), text(to)));
            let mut body = Map::new();
            body.insert("key".to_owned(), json!(name));
            for (member, end) in [("from", from), ("to", to)] {
                if let Some(end) = end {
                    body.insert(member.to_owned(), number(end));
                    if let Some(text) = written.text(end) {
                        body.insert(format!("{member}_as_string"), json!(text));
                    }
                }
            }
            Span {
                bucket: Bucket { name, body, ..Bucket::default() },
                from: from.unwrap_or(f64::NEG_INFINITY),
                to: to.unwrap_or(f64::INFINITY),
            }
        })
        .collect();
    out.sort_by(|a, b| a.from.total_cmp(&b.from).then(a.to.total_cmp(&b.to)));
    out
}

impl RangeNode {
    pub(super) fn numbers(spec: &NumberRange, setup: &Setup<'_>, subs: Subs) -> Result<Self, EsError> {
        let field = setup.field(&spec.field);
        let kind = field.as_ref().map_or(Kind::Double, |f| f.kind);
        if !matches!(kind, Kind::Long | Kind::Double | Kind::Date | Kind::Boolean) {
            return Err(wrong_kind(&spec.field, kind.es_type(), "range"));
        }
        let written = match (&spec.format, kind) {
            (None, Kind::Boolean) => Written::Plain,
            (format, kind) => Written::new(kind, format.as_deref())?,
        };
        Ok(Self {
            kind: "range",
            column: field.map(|f| (f.column, f.kind)),
            spans: spans(spec.ranges.clone(), &written),
            ips: Vec::new(),
            keyed: spec.keyed,
            missing: spec.missing,
            buckets: Buckets::default(),
            subs,
        })
    }

    pub(super) fn dates(spec: &DateRange, setup: &Setup<'_>, subs: Subs) -> Result<Self, EsError> {
        let field = setup.field(&spec.field);
        if let Some(field) = &field
            && !matches!(field.kind, Kind::Date | Kind::Long | Kind::Boolean)
        {
            return Err(wrong_kind(&spec.field, field.kind.es_type(), "date_range"));
        }
        let format = match &spec.format {
            Some(format) => format.clone(),
            None => test::default_format()?,
        };
        let parser = DateParser { format: &format, zone: Some(&spec.zone), now: setup.now.ms };
        let read = |value: &Option<Scalar>| -> Result<Option<f64>, EsError> {
            match value {
                None => Ok(None),
                Some(Scalar::Int(ms)) if spec.format.is_none() => Ok(Some(*ms as f64)),
                Some(Scalar::Float(ms)) if spec.format.is_none() => Ok(Some(*ms)),
                Some(value) => Ok(Some(parser.read(&test::date_text(value), false)? as f64)),
            }
        };
        let list = spec
            .ranges
            .iter()
            .map(|(key, from, to)| Ok((key.clone(), read(from)?, read(to)?)))
            .collect::<Result<Vec<_>, EsError>>()?;
        let write = match &spec.format {
            Some(format) => format.clone(),
            None => DateFormat::parse("strict_date_optional_time")?,
        };
        Ok(Self {
            kind: "date_range",
            column: field.map(|f| (f.column, f.kind)),
            spans: spans(list, &Written::Date(write, spec.zone.clone())),
            ips: Vec::new(),
            keyed: spec.keyed,
            missing: read(&spec.missing)?,
            buckets: Buckets::default(),
            subs,
        })
    }

    pub(super) fn addresses(spec: &IpRange, setup: &Setup<'_>, subs: Subs) -> Result<Self, EsError> {
        let field = setup.field(&spec.field);
        if let Some(field) = &field
            && field.kind != Kind::Ip
        {
            return Err(wrong_kind(&spec.field, field.kind.es_type(), "ip_range"));
        }
        let mut ips = spec.ranges.clone();
        ips.sort_by_key(|s| (s.from.unwrap_or(0), s.to.unwrap_or(u128::MAX)));
        let spans = ips
            .iter()
            .map(|span| {
                let text = |end: Option<u128>| end.map_or("*".to_owned(), ip::write);
                let name =
                    span.key.clone().unwrap_or_else(|| format!("{}-{}", text(span.from), text(span.to)));
                let mut body = Map::new();
                body.insert("key".to_owned(), json!(name));
                for (member, end) in [("from", span.from), ("to", span.to)] {
                    if let Some(end) = end {
                        body.insert(member.to_owned(), json!(ip::write(end)));
                    }
                }
                Span { bucket: Bucket { name, body, ..Bucket::default() }, from: 0.0, to: 0.0 }
            })
            .collect();
        Ok(Self {
            kind: "ip_range",
            column: field.map(|f| (f.column, f.kind)),
            spans,
            ips,
            keyed: spec.keyed,
            missing: None,
            buckets: Buckets::default(),
            subs,
        })
    }
}

impl Collector for RangeNode {
    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        let column = match &self.column {
            Some((name, kind)) => view.column(name)?.filter(|c| c.kind == *kind),
            None => None,
        };
        let several = column.as_ref().is_some_and(|c| matches!(c.rows, Rows::Many(_)));
        let keep = !self.subs.is_empty();
        let mut filler = Filler::new(&mut self.buckets, batch, self.spans.len(), several, keep);
        let spans = &self.spans;
        let mut put = |i: usize, value: f64| {
            for (code, span) in spans.iter().enumerate() {
                if span.from <= value && value < span.to {
                    filler.put(batch.rows[i], batch.ords[i], code, || Some(code as u64));
                }
            }
        };
        match &column {
            None => {
                if let Some(value) = self.missing {
                    (0..batch.rows.len()).for_each(|i| put(i, value));
                }
            }
            Some(column) => {
                let scale = if column.kind == Kind::Date { MS } else { 1 };
                match &column.values {
                    Values::Coded { codes, terms } => {
                        // Which spans a term is in, once for each.
                        let of = |a: Option<u128>| -> Vec<u32> {
                            let inside = |s: &&IpSpan| {
                                a.is_some_and(|a| s.from.is_none_or(|f| f <= a) && s.to.is_none_or(|t| a < t))
                            };
                            let numbered = self.ips.iter().enumerate();
                            numbered.filter(|(_, s)| inside(s)).map(|(i, _)| i as u32).collect()
                        };
                        let within: Vec<Vec<u32>> = match terms {
                            Terms::Ip(ips) => ips.iter().map(|a| of(Some(*a))).collect(),
                            Terms::Text(texts) => {
                                (0..texts.len()).map(|c| of(ip::address(texts.value(c)).ok())).collect()
                            }
                        };
                        each_value(&column.rows, &batch.rows, |i, at| {
                            let Some(at) = at else { return };
                            for &code in &within[codes[at] as usize] {
                                let key = u64::from(code);
                                filler.put(batch.rows[i], batch.ords[i], code as usize, || Some(key));
                            }
                        });
                    }
                    values => each_value(&column.rows, &batch.rows, |i, at| match (at, values) {
                        (Some(at), Values::Long(v)) => put(i, v[at].div_euclid(scale) as f64),
                        (Some(at), Values::Double(v)) => put(i, v[at]),
                        _ => {
                            if let Some(value) = self.missing {
                                put(i, value);
                            }
                        }
                    }),
                }
            }
        }
        let below = filler.done()?;
        self.subs.collect(view, &below)
    }

    fn result(&self, bucket: Option<u32>, finish: &Finish<'_>) -> Result<Outcome, EsError> {
        finish.tell(self.spans.len())?;
        let mut buckets = Vec::with_capacity(self.spans.len());
        for (i, span) in self.spans.iter().enumerate() {
            let ord = bucket.and_then(|b| self.buckets.find(b, i as u64));
            let mut body = span.bucket.body.clone();
            if self.keyed {
                body.remove("key");
            }
            buckets.push(Bucket {
                name: span.bucket.name.clone(),
                body,
                key: f64::NAN,
                count: ord.map_or(0, |o| self.buckets.count(o)),
                subs: self.subs.results(ord, finish)?,
            });
        }
        super::pipeline::inside(&self.subs.pipelines, &mut buckets)?;
        Ok(Outcome::Buckets { kind: self.kind, buckets, keyed: self.keyed, more: Map::new() })
    }

    fn number(&self, _: Option<u32>, _: &str) -> Option<f64> {
        None
    }

    fn bytes(&self) -> usize {
        self.buckets.bytes() + self.subs.bytes()
    }
}
