//! Aggregations over blocks.
//!
//! Level by level: a collector is given rows with the number of the bucket each is in, finds or makes the buckets of its
//! own that they fall into, and hands rows and new numbers on. In the end results are built from the outside in, only
//! for the buckets that are told.

mod buckets;
mod composite;
pub(crate) mod decimal;
mod filters;
mod geo;
mod histogram;
mod metric;
mod outcome;
mod partition;
mod pipeline;
mod range;
mod sketch;
mod terms;
mod top;

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::fetch::Placed;
use super::mapping::{Field, Mapping};
use super::plan::{Filter, Planner};
use super::search::Limits;
use super::select::Selection;
use super::test::Now;
use super::view::View;
use crate::lang::agg::{Agg, AggKind, Pipeline};
use crate::lang::ast::Query;
use crate::lang::error::EsError;
use crate::numbering::Numbering;
use outcome::Outcome;

/// What aggregations are prepared with.
pub(crate) struct Setup<'a> {
    pub(crate) mapping: &'a Mapping,
    /// The indices of the search.
    pub(crate) indices: &'a [&'a str],
    /// Their blocks.
    pub(crate) blocks: &'a [Placed<'a>],
    pub(crate) now: Now,
    pub(crate) limits: Limits,
    pub(crate) score: f32,
}

impl Setup<'_> {
    /// A query's filter for each index.
    fn filters(&self, query: &Query) -> Result<PerIndex, EsError> {
        let one = |index: &&str| {
            Ok(((*index).to_owned(), Planner::new(self.mapping, index, self.now).plan(query)?))
        };
        Ok(PerIndex(self.indices.iter().map(one).collect::<Result<_, EsError>>()?))
    }

    /// The first of the indices.
    fn index(&self) -> &str {
        self.indices.first().copied().unwrap_or_default()
    }

    /// Numbers for the texts of a field, where blocks have such.
    fn numbering(&self, column: &str) -> Option<Arc<Numbering>> {
        self.blocks.iter().find_map(|placed| placed.block.numbering(column))
    }

    /// The field of this name, when it is mapped.
    fn field(&self, name: &str) -> Option<Field> {
        self.mapping.get(name)
    }
}

/// A filter for each index.
#[derive(Clone, Debug)]
struct PerIndex(Vec<(String, Filter)>);

impl PerIndex {
    fn of(&self, index: &str) -> &Filter {
        self.0.iter().find(|f| f.0 == index).map_or(&Filter::None, |f| &f.1)
    }
}

/// Rows of a block, ascending, each with the number of the bucket it is in. A row may be in several.
#[derive(Debug, Default)]
struct Batch {
    rows: Vec<u32>,
    ords: Vec<u32>,
    /// Buckets there are by now.
    buckets: usize,
    /// The same rows as a selection, where each is there once.
    chosen: Option<Selection>,
}

impl Batch {
    /// The rows, where all of them are in one bucket and follow each other without a gap.
    fn span(&self) -> Option<std::ops::Range<usize>> {
        let (first, last) = (*self.rows.first()? as usize, *self.rows.last()? as usize);
        (self.buckets == 1 && last - first + 1 == self.rows.len()).then_some(first..last + 1)
    }
}

/// Rows in a batch at most: rows times buckets they are in.
const MAX_BATCH: usize = 16 << 20;

/// With fewer aggregations beside each other, or in a smaller block, a second thread is not worth its start.
const MANY_NODES: usize = 4;
const MANY_ROWS: usize = 16_384;

/// What results are built with.
struct Finish<'a> {
    mapping: &'a Mapping,
    blocks: &'a [Placed<'a>],
    /// Buckets told so far.
    told: Cell<usize>,
    max_buckets: usize,
    score: f32,
}

impl Finish<'_> {
    /// Counts buckets that are told.
    fn tell(&self, buckets: usize) -> Result<(), EsError> {
        let told = self.told.get().saturating_add(buckets);
        self.told.set(told);
        if told > self.max_buckets { Err(EsError::too_many_buckets(self.max_buckets)) } else { Ok(()) }
    }
}

/// Gathers what an aggregation needs, for each bucket around it.
trait Collector: Send {
    /// Takes in rows of a block.
    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError>;

    /// The result in a bucket; `None`: in one that has no documents.
    fn result(&self, bucket: Option<u32>, finish: &Finish<'_>) -> Result<Outcome, EsError>;

    /// A number of the result, to order buckets by: `""` or the name of one of several; for one bucket below, the path
    /// from there. `None`: there is no such number.
    fn number(&self, bucket: Option<u32>, path: &str) -> Option<f64>;

    /// What it takes in memory, about, in bytes.
    fn bytes(&self) -> usize;
}

/// Aggregations of the same buckets.
#[derive(Default)]
struct Subs {
    nodes: Vec<Sub>,
    pipelines: Vec<(String, Pipeline, Option<Value>)>,
}

struct Sub {
    name: String,
    meta: Option<Value>,
    collector: Box<dyn Collector>,
}

impl Subs {
    fn new(aggs: &[Agg], setup: &Setup<'_>) -> Result<Self, EsError> {
        let mut out = Self::default();
        for agg in aggs {
            if let AggKind::Pipeline(pipeline) = &agg.kind {
                out.pipelines.push((agg.name.clone(), pipeline.clone(), agg.meta.clone()));
                continue;
            }
            let collector = collector(agg, setup)?;
            out.nodes.push(Sub { name: agg.name.clone(), meta: agg.meta.clone(), collector });
        }
        Ok(out)
    }

    fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        if batch.rows.is_empty() {
            return Ok(());
        }
        for sub in &mut self.nodes {
            sub.collector.collect(view, batch)?;
        }
        Ok(())
    }

    /// As [`Self::collect`], by two threads where that is worth it: one begins with the first, the other with the last, so
    /// that neighbours, which often are about the same column, do not read it twice.
    fn collect_by_two(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        if self.nodes.len() < MANY_NODES || view.rows() < MANY_ROWS {
            return self.collect(view, batch);
        }
        let nodes = Mutex::new(self.nodes.iter_mut());
        let take = |first: bool| {
            let mut nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner);
            if first { nodes.next() } else { nodes.next_back() }
        };
        let work = |first: bool| -> Result<(), EsError> {
            while let Some(sub) = take(first) {
                sub.collector.collect(view, batch)?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            // Without a thread to be had, all is done here.
            let other = std::thread::Builder::new().name("api-helper".to_owned());
            let other = other.spawn_scoped(scope, || work(false)).ok();
            let mine = work(true);
            match other.map(std::thread::ScopedJoinHandle::join) {
                None => mine,
                Some(Ok(theirs)) => mine.and(theirs),
                Some(Err(panic)) => std::panic::resume_unwind(panic),
            }
        })
    }

    fn results(&self, bucket: Option<u32>, finish: &Finish<'_>) -> Result<Vec<outcome::Named>, EsError> {
        let mut out = Vec::with_capacity(self.nodes.len());
        for sub in &self.nodes {
            let outcome = sub.collector.result(bucket, finish)?;
            out.push(outcome::Named { name: sub.name.clone(), meta: sub.meta.clone(), outcome });
        }
        pipeline::siblings(&self.pipelines, &mut out)?;
        Ok(out)
    }

    /// A number below a bucket: `name`, `name.part`, `name>…`, `name[part]`.
    fn number(&self, bucket: Option<u32>, path: &str) -> Option<f64> {
        let (head, rest) = path.split_once('>').map_or((path, None), |(h, r)| (h, Some(r)));
        let (name, part) = match self.nodes.iter().find(|n| n.name == head) {
            Some(_) => (head, ""),
            None => split_part(head),
        };
        let sub = self.nodes.iter().find(|n| n.name == name)?;
        match rest {
            Some(rest) => sub.collector.number(bucket, rest),
            None => sub.collector.number(bucket, part),
        }
    }

    fn bytes(&self) -> usize {
        self.nodes.iter().map(|n| n.collector.bytes()).sum()
    }
}

/// `name.part` and `name[part]`.
fn split_part(text: &str) -> (&str, &str) {
    if let Some(inner) = text.strip_suffix(']')
        && let Some((name, part)) = inner.split_once('[')
    {
        return (name, part.trim_matches(['\'', '"']));
    }
    text.split_once('.').unwrap_or((text, ""))
}

fn collector(agg: &Agg, setup: &Setup<'_>) -> Result<Box<dyn Collector>, EsError> {
    let subs = || Subs::new(&agg.subs, setup);
    Ok(match &agg.kind {
        AggKind::Terms(spec) => Box::new(terms::TermsNode::new(&agg.name, spec, setup, subs()?)?),
        AggKind::DateHistogram(spec) => {
            Box::new(histogram::HistogramNode::dates(&agg.name, spec, setup, subs()?)?)
        }
        AggKind::Histogram(spec) => {
            Box::new(histogram::HistogramNode::numbers(&agg.name, spec, setup, subs()?)?)
        }
        AggKind::Range(spec) => Box::new(range::RangeNode::numbers(spec, setup, subs()?)?),
        AggKind::DateRange(spec) => Box::new(range::RangeNode::dates(spec, setup, subs()?)?),
        AggKind::IpRange(spec) => Box::new(range::RangeNode::addresses(spec, setup, subs()?)?),
        AggKind::Filter(query) => {
            Box::new(filters::FiltersNode::one("filter", setup.filters(query)?, subs()?))
        }
        AggKind::Filters(spec) => Box::new(filters::FiltersNode::several(spec, setup, subs()?)?),
        AggKind::Missing(field) => {
            let query = Query::none_of(Query::Exists { field: field.clone() });
            Box::new(filters::FiltersNode::one("missing", setup.filters(&query)?, subs()?))
        }
        AggKind::Global => {
            Box::new(filters::FiltersNode::one("global", setup.filters(&Query::MatchAll)?, subs()?))
        }
        AggKind::Composite(spec) => Box::new(composite::CompositeNode::new(spec, setup, subs()?)?),
        AggKind::GeoGrid(spec) => Box::new(geo::GridNode::new(spec, setup, subs()?)?),
        AggKind::Metric(spec) => metric::collector(spec, setup)?,
        AggKind::TopHits(spec) => Box::new(top::TopNode::hits(spec, setup)?),
        AggKind::TopMetrics(spec) => Box::new(top::TopNode::metrics(spec, setup)?),
        AggKind::GeoBounds(field) => Box::new(geo::BoundsNode::new(field, setup)?),
        AggKind::Pipeline(_) => return Err(EsError::unsupported("a pipeline aggregation here")),
    })
}

/// A field whose kind an aggregation has no use for.
fn wrong_kind(field: &str, kind: &str, agg: &str) -> EsError {
    EsError::illegal(format!("Field [{field}] of type [{kind}] is not supported for aggregation [{agg}]"))
}

/// The aggregations of a search.
pub(crate) struct Tree<'a> {
    /// Of what the query matches.
    chosen: Subs,
    /// Of everything.
    global: Subs,
    limits: Limits,
    mapping: &'a Mapping,
    score: f32,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(aggs: &[Agg], setup: &Setup<'a>) -> Result<Self, EsError> {
        let (global, chosen): (Vec<Agg>, Vec<Agg>) =
            aggs.iter().cloned().partition(|a| matches!(a.kind, AggKind::Global));
        pipeline::check(aggs)?;
        let chosen = Subs::new(&chosen, setup)?;
        let global = Subs::new(&global, setup)?;
        Ok(Self { chosen, global, limits: setup.limits, mapping: setup.mapping, score: setup.score })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chosen.is_empty() && self.global.is_empty()
    }

    /// Takes in the rows of a block that were chosen.
    pub(crate) fn collect(&mut self, view: &View<'_>, chosen: &Selection) -> Result<(), EsError> {
        if !self.chosen.is_empty() && *chosen != Selection::None {
            self.chosen.collect_by_two(view, &whole(chosen, view.rows()))?;
        }
        if !self.global.is_empty() {
            self.global.collect(view, &whole(&Selection::All, view.rows()))?;
        }
        let bytes = self.chosen.bytes() + self.global.bytes();
        if bytes > self.limits.memory {
            return Err(EsError::new(
                429,
                "circuit_breaking_exception",
                format!(
                    "[request] Data too large, data for [<agg>] would be [{bytes}], which is larger than the limit of \
                     [{}]",
                    self.limits.memory
                ),
            ));
        }
        Ok(())
    }

    /// The member `aggregations`.
    pub(crate) fn finish(&self, blocks: &[Placed<'_>], typed: bool) -> Result<Value, EsError> {
        let finish = Finish {
            mapping: self.mapping,
            blocks,
            told: Cell::new(0),
            max_buckets: self.limits.max_buckets,
            score: self.score,
        };
        let mut results = self.global.results(Some(0), &finish)?;
        results.extend(self.chosen.nodes_only(&finish)?);
        pipeline::siblings(&self.chosen.pipelines, &mut results)?;
        let mut out = Map::new();
        for named in results {
            let (name, value) = named.to_json(typed);
            out.insert(name, value);
        }
        Ok(Value::Object(out))
    }
}

impl Subs {
    /// The results at the top, where what is computed from them may need what is beside.
    fn nodes_only(&self, finish: &Finish<'_>) -> Result<Vec<outcome::Named>, EsError> {
        let mut out = Vec::with_capacity(self.nodes.len());
        for sub in &self.nodes {
            let outcome = sub.collector.result(Some(0), finish)?;
            out.push(outcome::Named { name: sub.name.clone(), meta: sub.meta.clone(), outcome });
        }
        Ok(out)
    }
}

/// All rows in one bucket.
fn whole(chosen: &Selection, rows: usize) -> Batch {
    let rows = chosen.rows(rows);
    let ords = vec![0; rows.len()];
    Batch { rows, ords, buckets: 1, chosen: Some(chosen.clone()) }
}
