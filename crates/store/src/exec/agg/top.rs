//! `top_hits` and `top_metrics`: the first documents of each bucket.

use serde_json::{Map, Value, json};
use wirebeat_model::Kind;

use super::{Batch, Collector, Finish, Setup};
use crate::block::{Terms, Values};
use crate::exec::fetch;
use crate::exec::rank::{Best, Ordered, Ranked};
use crate::exec::view::{View, unreadable};
use crate::lang::agg::{TopHits, TopMetrics};
use crate::lang::date::{DateFormat, MS, Zone};
use crate::lang::error::EsError;
use crate::lang::ip;
use crate::lang::request::{SearchRequest, SortKey, SortOn};

use super::outcome::{Outcome, number};

pub(super) struct TopNode {
    request: SearchRequest,
    /// Fields told, for `top_metrics`.
    metrics: Option<Vec<String>>,
    ordered: Ordered,
    best: Vec<(Best, u64)>,
}

impl TopNode {
    pub(super) fn hits(spec: &TopHits, setup: &Setup<'_>) -> Result<Self, EsError> {
        Self::new(spec.request.clone(), None, setup)
    }

    pub(super) fn metrics(spec: &TopMetrics, setup: &Setup<'_>) -> Result<Self, EsError> {
        let request =
            SearchRequest { size: spec.size, sort: vec![spec.sort.clone()], ..SearchRequest::default() };
        Self::new(request, Some(spec.metrics.clone()), setup)
    }

    fn new(request: SearchRequest, metrics: Option<Vec<String>>, setup: &Setup<'_>) -> Result<Self, EsError> {
        // Without an order, the first of the index.
        let sort = match request.sort.as_slice() {
            [] => vec![SortKey::new("_doc", None)],
            sort => sort.to_vec(),
        };
        // Its dates are written, not counted.
        let date = |key: &SortKey| match &key.on {
            SortOn::Field(name) => setup.field(name).is_some_and(|f| f.kind == Kind::Date),
            _ => false,
        };
        let sort: Vec<SortKey> = sort
            .into_iter()
            .map(|key| match key.format {
                None if metrics.is_some() && date(&key) => {
                    SortKey { format: Some("strict_date_optional_time".to_owned()), ..key }
                }
                _ => key,
            })
            .collect();
        let ordered = Ordered::new(&sort, None, false, setup.score, setup.mapping, setup.index())?;
        Ok(Self { request, metrics, ordered, best: Vec::new() })
    }

    fn found(&self, bucket: Option<u32>) -> (Vec<Ranked>, u64) {
        let Some((best, count)) = bucket.and_then(|b| self.best.get(b as usize)) else {
            return (Vec::new(), 0);
        };
        let mut found = best.clone().take(&self.ordered);
        found.drain(..self.request.from.min(found.len()));
        (found, *count)
    }

    /// One field of a document.
    fn metric(&self, field: &str, at: u64, finish: &Finish<'_>) -> Result<Value, EsError> {
        let Some(field) = finish.mapping.get(field) else { return Ok(Value::Null) };
        let block = finish.blocks.partition_point(|b| b.base <= at).saturating_sub(1);
        let Some(placed) = finish.blocks.get(block) else { return Ok(Value::Null) };
        let Some(column) = placed.block.column(&field.column).map_err(|e| unreadable(&e))? else {
            return Ok(Value::Null);
        };
        let row = u32::try_from(at - placed.base).unwrap_or(u32::MAX);
        let Some(i) = column.of(row).next() else { return Ok(Value::Null) };
        Ok(match &column.values {
            Values::Long(v) => match column.kind {
                Kind::Boolean => json!(v[i] != 0),
                Kind::Date => {
                    let format = DateFormat::parse("strict_date_optional_time")?;
                    json!(format.write_ms(v[i].div_euclid(MS), &Zone::UTC))
                }
                _ => json!(v[i]),
            },
            Values::Double(v) => number(v[i]),
            Values::Coded { codes, terms: Terms::Text(t) } => json!(t.value(codes[i] as usize)),
            Values::Coded { codes, terms: Terms::Ip(t) } => json!(ip::write(t[codes[i] as usize])),
        })
    }
}

impl Collector for TopNode {
    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        let window = self.request.from + self.request.size;
        self.best.resize_with(self.best.len().max(batch.buckets), || (Best::new(window), 0));
        let look = self.ordered.look(view)?;
        if let [(best, count)] = self.best.as_mut_slice() {
            best.add_rows(&look, &batch.rows);
            *count += batch.rows.len() as u64;
            return Ok(());
        }
        for (&row, &ord) in batch.rows.iter().zip(&batch.ords) {
            let (best, count) = &mut self.best[ord as usize];
            best.add(&self.ordered, look.row(row));
            *count += 1;
        }
        Ok(())
    }

    fn result(&self, bucket: Option<u32>, finish: &Finish<'_>) -> Result<Outcome, EsError> {
        let (found, count) = self.found(bucket);
        if let Some(metrics) = &self.metrics {
            let mut top = Vec::new();
            let mut numbers = Vec::new();
            for (place, one) in found.iter().enumerate() {
                let mut told = Map::new();
                for field in metrics {
                    let value = self.metric(field, one.at, finish)?;
                    if let (0, Some(n)) = (place, value.as_f64()) {
                        numbers.push((field.clone(), n));
                    }
                    told.insert(field.clone(), value);
                }
                top.push(json!({"sort": self.ordered.to_json(&one.keys), "metrics": told}));
            }
            let mut body = Map::new();
            body.insert("top".to_owned(), Value::Array(top));
            return Ok(Outcome::Metric { kind: "top_metrics", body, numbers });
        }
        let sorted = !self.request.sort.is_empty();
        let scored =
            !sorted || self.request.track_scores || self.request.sort.iter().any(|k| k.on == SortOn::Score);
        let nothing = Ordered::new(&[], None, false, finish.score, finish.mapping, "")?;
        let ordered = if sorted { &self.ordered } else { &nothing };
        let score = scored.then_some(finish.score);
        let hits = fetch::hits(&found, ordered, finish.blocks, &self.request, score, finish.mapping)?;
        let max_score = if scored && !hits.is_empty() { json!(finish.score) } else { Value::Null };
        let mut body = Map::new();
        body.insert(
            "hits".to_owned(),
            json!({"total": {"value": count, "relation": "eq"}, "max_score": max_score, "hits": hits}),
        );
        Ok(Outcome::Metric { kind: "top_hits", body, numbers: Vec::new() })
    }

    fn number(&self, _: Option<u32>, _: &str) -> Option<f64> {
        None
    }

    fn bytes(&self) -> usize {
        self.best.iter().map(|b| b.0.bytes() + 64).sum()
    }
}
