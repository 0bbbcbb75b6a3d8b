//! `filter`, `filters`, `missing`, `global`: buckets of what queries match.

use serde_json::{Map, Value, json};

use super::buckets::{Buckets, Filler, each_single};
use super::outcome::{Bucket, Outcome};
use super::{Batch, Collector, Finish, PerIndex, Setup, Subs};
use crate::exec::filter::choose;
use crate::exec::plan::Filter;
use crate::exec::select::Selection;
use crate::exec::test::Test;
use crate::exec::view::View;
use crate::lang::agg::FiltersAgg;
use crate::lang::error::EsError;

pub(super) struct FiltersNode {
    /// `None`: one bucket, not several of which one is told.
    single: Option<&'static str>,
    filters: Vec<(String, PerIndex)>,
    other: Option<String>,
    keyed: bool,
    named: bool,
    buckets: Buckets,
    subs: Subs,
}

impl FiltersNode {
    pub(super) fn one(kind: &'static str, filter: PerIndex, subs: Subs) -> Self {
        Self {
            single: Some(kind),
            filters: vec![(String::new(), filter)],
            other: None,
            keyed: false,
            named: false,
            buckets: Buckets::default(),
            subs,
        }
    }

    pub(super) fn several(spec: &FiltersAgg, setup: &Setup<'_>, subs: Subs) -> Result<Self, EsError> {
        let filters = spec
            .filters
            .iter()
            .map(|(name, query)| Ok((name.clone(), setup.filters(query)?)))
            .collect::<Result<_, EsError>>()?;
        Ok(Self {
            single: None,
            filters,
            other: spec.other.clone(),
            keyed: spec.keyed,
            named: spec.named,
            buckets: Buckets::default(),
            subs,
        })
    }

    fn bucket(&self, parent: Option<u32>, i: usize, finish: &Finish<'_>) -> Result<Bucket, EsError> {
        let ord = parent.and_then(|p| self.buckets.find(p, i as u64));
        Ok(Bucket {
            count: ord.map_or(0, |o| self.buckets.count(o)),
            subs: self.subs.results(ord, finish)?,
            ..Bucket::default()
        })
    }
}

/// How many rows of a batch have a value, where that is all a filter asks for.
fn having_any(filter: &Filter, view: &View<'_>, batch: &Batch) -> Result<Option<u64>, EsError> {
    let Filter::Leaf(leaf) = filter else { return Ok(None) };
    if !leaf.tests.iter().all(|(_, test)| matches!(test, Test::Always)) {
        return Ok(None);
    }
    let Some(coded) = view.coded(&leaf.column)? else { return Ok(Some(0)) };
    if !leaf.tests.iter().any(|(kind, _)| *kind == coded.kind()) {
        return Ok(None);
    }
    let absent = each_single(coded.rows(), batch, |_| {});
    Ok(absent.map(|absent| (batch.rows.len() - absent) as u64))
}

impl Collector for FiltersNode {
    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        let counted = batch.buckets == 1 && self.subs.is_empty() && self.other.is_none();
        if let ([(_, filter)], true) = (self.filters.as_slice(), counted)
            && let Some(documents) = having_any(filter.of(view.index), view, batch)?
        {
            self.buckets.add(0, 0, documents);
            return Ok(());
        }
        let mut chosen = Vec::with_capacity(self.filters.len());
        for (_, filter) in &self.filters {
            chosen.push(choose(filter.of(view.index), view, &Selection::All)?);
        }
        if counted {
            for (i, chosen) in chosen.iter().enumerate() {
                self.buckets.add(0, i as u64, chosen.among(&batch.rows) as u64);
            }
            return Ok(());
        }
        let codes = self.filters.len() + 1;
        let mut filler = Filler::new(&mut self.buckets, batch, codes, false, !self.subs.is_empty());
        for (&row, &parent) in batch.rows.iter().zip(&batch.ords) {
            let mut any = false;
            for (i, chosen) in chosen.iter().enumerate() {
                if chosen.has(row) {
                    any = true;
                    filler.put(row, parent, i, || Some(i as u64));
                }
            }
            if !any && self.other.is_some() {
                let i = codes - 1;
                filler.put(row, parent, i, || Some(i as u64));
            }
        }
        let below = filler.done()?;
        self.subs.collect(view, &below)
    }

    fn result(&self, bucket: Option<u32>, finish: &Finish<'_>) -> Result<Outcome, EsError> {
        if let Some(kind) = self.single {
            finish.tell(1)?;
            return Ok(Outcome::One { kind, bucket: self.bucket(bucket, 0, finish)? });
        }
        let mut buckets = Vec::new();
        for (i, (name, _)) in self.filters.iter().enumerate() {
            buckets.push(Bucket { name: name.clone(), ..self.bucket(bucket, i, finish)? });
        }
        if let Some(name) = &self.other {
            buckets.push(Bucket { name: name.clone(), ..self.bucket(bucket, self.filters.len(), finish)? });
        }
        if self.named {
            for bucket in &mut buckets {
                bucket.body.insert("key".to_owned(), json!(bucket.name));
            }
        }
        finish.tell(buckets.len())?;
        super::pipeline::inside(&self.subs.pipelines, &mut buckets)?;
        Ok(Outcome::Buckets { kind: "filters", buckets, keyed: self.keyed, more: Map::new() })
    }

    fn number(&self, bucket: Option<u32>, path: &str) -> Option<f64> {
        let ord = bucket.and_then(|p| self.buckets.find(p, 0));
        match (self.single, path) {
            (None, _) => None,
            (Some(_), "" | "doc_count") => Some(ord.map_or(0, |o| self.buckets.count(o)) as f64),
            (Some(_), "_count") => None,
            (Some(_), path) => self.subs.number(ord, path),
        }
    }

    fn bytes(&self) -> usize {
        self.buckets.bytes() + self.subs.bytes()
    }
}

/// `doc_count_error_upper_bound` and `sum_other_doc_count`.
pub(super) fn terms_members(other: u64) -> Map<String, Value> {
    let mut more = Map::new();
    more.insert("doc_count_error_upper_bound".to_owned(), json!(0));
    more.insert("sum_other_doc_count".to_owned(), json!(other));
    more
}
