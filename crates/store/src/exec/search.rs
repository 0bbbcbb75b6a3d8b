//! A search over blocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::agg::{Setup, Tree};
use super::fetch::{self, Placed};
use super::filter::choose;
use super::mapping::Mapping;
use super::plan::{Filter, Planner};
use super::rank::{Best, Bounded, Key, Ordered};
use super::score::Score;
use super::select::Selection;
use super::test::Now;
use super::view::View;
use crate::block::Block;
use crate::lang::ast::Query;
use crate::lang::error::EsError;
use crate::lang::request::{SearchRequest, SortOn, TrackTotal};

/// The blocks of an index.
#[derive(Clone, Copy)]
pub struct IndexBlocks<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its blocks, in the order of the index.
    pub blocks: &'a [Arc<dyn Block>],
}

/// What a search is given beside its request.
#[derive(Clone, Debug)]
pub struct Context {
    /// The present, in milliseconds since 1970 (`now` in date math).
    pub now: i64,
    /// When to stop and answer what was found; looked at between blocks.
    pub deadline: Option<Instant>,
    /// Set when nobody waits for the answer any more: it then stops as at its deadline.
    pub cancelled: Option<Arc<AtomicBool>>,
    /// What a search may take.
    pub limits: Limits,
}

/// What a search may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Buckets told, at most: Elasticsearch's `search.max_buckets`.
    pub max_buckets: usize,
    /// Bytes held by aggregations, about, at most.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_buckets: 65_536, memory: 512 << 20 }
    }
}

impl Context {
    /// At a point in time, without a deadline.
    pub fn at(now: i64) -> Self {
        Self { now, deadline: None, cancelled: None, limits: Limits::default() }
    }

    fn is_over(&self, deadline: Option<Instant>) -> bool {
        deadline.is_some_and(|d| Instant::now() >= d)
            || self.cancelled.as_ref().is_some_and(|c| c.load(Ordering::Relaxed))
    }
}

/// One index with what its rows are asked.
struct Shard {
    filter: Filter,
    post: Filter,
    /// The queries that have names.
    named: Vec<(String, Filter)>,
    /// Rows chosen so far, for `terminate_after`.
    seen: usize,
}

/// Where a block is, and the bounds of what it is sorted by.
struct Visit<'a> {
    placed: Placed<'a>,
    shard: usize,
    bounds: (i64, i64),
}

/// Answers a search: the body of the response.
///
/// # Errors
/// What Elasticsearch answers with an error; also rows that cannot be read, and aggregations beyond the limits.
pub fn search(
    indices: &[IndexBlocks<'_>],
    mapping: &Mapping,
    request: &SearchRequest,
    context: &Context,
) -> Result<Value, EsError> {
    let started = Instant::now();
    let first_index = indices.first().map_or("", |i| i.name);
    run(indices, mapping, request, context, started).map_err(|e| match e.status {
        // What does not fit the index is told as a failure of its shard.
        400 if !first_index.is_empty() => e.in_shard(first_index),
        _ => e,
    })
}

fn run(
    indices: &[IndexBlocks<'_>],
    mapping: &Mapping,
    request: &SearchRequest,
    context: &Context,
    started: Instant,
) -> Result<Value, EsError> {
    request.check_window()?;
    let now = Now { ms: context.now };
    let score = request.query.score();
    let mut shards = Vec::new();
    let mut placed = Vec::new();
    let mut visits = Vec::new();
    let mut ordered = Ordered::new(
        &request.sort,
        request.search_after.as_deref(),
        request.pit.is_some() && (!request.sort.is_empty() || request.search_after.is_some()),
        score,
        mapping,
        indices.first().map_or("", |i| i.name),
    )?;
    let by_score = request.size > 0
        && (request.sort.is_empty() && request.search_after.is_none()
            || request.sort.iter().any(|k| k.on == SortOn::Score));
    let mut scores = Vec::new();
    let mut base = 0_u64;
    for (shard, index) in indices.iter().enumerate() {
        let mut planner = Planner::new(mapping, index.name, now);
        let mut filter = planner.plan(&request.query)?;
        if request.min_score.is_some_and(|min| score < min) {
            filter = Filter::None;
        }
        let post = match &request.post_filter {
            Some(query) => planner.plan(query)?,
            None => Filter::All,
        };
        if by_score {
            let score = Score::of(&request.query, &mut planner)?;
            if score.varies() {
                scores.push((index.name.to_owned(), score));
            }
        }
        let named = super::named::plan(request, &mut planner)?;
        shards.push(Shard { filter, post, named, seen: 0 });
        for block in index.blocks {
            let one = Placed { block: &**block, index: index.name, base };
            base += block.rows() as u64;
            placed.push(one);
            visits.push(Visit { placed: one, shard, bounds: (i64::MIN, i64::MAX) });
        }
    }
    if !scores.is_empty() {
        ordered = ordered.scored(scores);
    }
    let window = request.from + request.size;
    let names: Vec<&str> = indices.iter().map(|i| i.name).collect();
    let mut tree = Tree::new(
        &request.aggs,
        &Setup { mapping, indices: &names, blocks: &placed, now, limits: context.limits, score },
    )?;
    if let Some((of, descending, _)) = ordered.first_number() {
        for visit in &mut visits {
            let Placed { block, base, .. } = visit.placed;
            let known = match of {
                Bounded::Place => {
                    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
                    Some((number(base), number(base + block.rows() as u64).saturating_sub(1)))
                }
                Bounded::Column("@timestamp") => Some(block.time()),
                Bounded::Column(column) => block.bounds(column),
            };
            visit.bounds = known.unwrap_or((i64::MIN, i64::MAX));
        }
        if descending {
            visits.sort_by_key(|v| (std::cmp::Reverse(v.bounds.1), v.placed.base));
        } else {
            visits.sort_by_key(|v| (v.bounds.0, v.placed.base));
        }
    }

    let mut best = Best::new(window);
    // Without an order, hits are those that come first in the index.
    let mut first_rows: Vec<u64> = Vec::new();
    let mut counted = 0_u64;
    let deadline = request.timeout.map(|t| started + t).into_iter().chain(context.deadline).min();
    let (mut timed_out, mut terminated) = (false, false);
    let enough = |counted: u64| match request.track_total {
        TrackTotal::All => false,
        TrackTotal::No => true,
        TrackTotal::UpTo(n) => counted > n as u64,
    };
    for visit in &visits {
        if context.is_over(deadline) {
            timed_out = true;
            break;
        }
        let shard = &mut shards[visit.shard];
        let wants_hits = window > 0
            && if ordered.is_empty() { first_rows.len() < window } else { can_hold(&ordered, &best, visit) };
        let wants_count = !enough(counted);
        if !wants_hits && !wants_count && tree.is_empty() {
            continue;
        }
        let rows = visit.placed.block.rows();
        if rows == 0 {
            continue;
        }
        let view = View::new(visit.placed.block, visit.placed.index, visit.placed.base);
        let mut chosen = choose(&shard.filter, &view, &Selection::All)?;
        if let Some(most) = request.terminate_after {
            let left = most.saturating_sub(shard.seen);
            let count = chosen.count(rows);
            terminated |= count > left;
            chosen = chosen.first(left, rows);
            shard.seen += count.min(left);
        }
        tree.collect(&view, &chosen)?;
        if !wants_hits && !wants_count {
            continue;
        }
        let hits = match &shard.post {
            Filter::All => chosen,
            post => {
                let post = choose(post, &view, &chosen)?;
                chosen.and(post)
            }
        };
        counted += hits.count(rows) as u64;
        if !wants_hits || hits == Selection::None {
            continue;
        }
        if ordered.is_empty() {
            let base = visit.placed.base;
            let left = window - first_rows.len();
            match &hits {
                Selection::Some(bits) => {
                    first_rows.extend(bits.iter().take(left).map(|r| base + u64::from(r)))
                }
                _ => first_rows.extend((0..rows.min(left)).map(|r| base + r as u64)),
            }
        } else {
            let look = ordered.look(&view)?;
            best.add_rows(&look, &hits.rows(rows));
        }
    }

    let mut found = if ordered.is_empty() {
        first_rows.into_iter().map(|at| super::rank::Ranked { keys: Vec::new(), at }).collect()
    } else {
        best.take(&ordered)
    };
    found.drain(..request.from.min(found.len()));
    let scored =
        request.sort.is_empty() || request.track_scores || request.sort.iter().any(|k| k.on == SortOn::Score);
    let told_score = scored.then_some(score);
    let mut hits = fetch::hits(&found, &ordered, &placed, request, told_score, mapping)?;
    if shards.iter().any(|s| !s.named.is_empty()) {
        let of_index = |name: &str| {
            let at = indices.iter().position(|index| index.name == name);
            at.and_then(|at| shards.get(at)).map_or(&[][..], |shard| &shard.named)
        };
        super::named::tell(&found, &placed, of_index, &mut hits)?;
    }

    let mut body = Map::new();
    body.insert("took".to_owned(), json!(u64::try_from(started.elapsed().as_millis()).unwrap_or(0)));
    body.insert("timed_out".to_owned(), json!(timed_out));
    if request.terminate_after.is_some() {
        body.insert("terminated_early".to_owned(), json!(terminated));
    }
    body.insert("_shards".to_owned(), shards_json(indices.len()));
    let mut list = Map::new();
    if let Some(total) = total(request, counted) {
        list.insert("total".to_owned(), total);
    }
    let best = found
        .iter()
        .filter_map(|one| ordered.score_of(&one.keys))
        .fold(None, |a, b| Some(a.map_or(b, |a: f64| a.max(b))));
    let max_score = match best {
        Some(best) => json!(best as f32),
        None if scored && !hits.is_empty() => json!(score),
        None => Value::Null,
    };
    list.insert("max_score".to_owned(), max_score);
    list.insert("hits".to_owned(), Value::Array(hits));
    body.insert("hits".to_owned(), Value::Object(list));
    if let Some(pit) = &request.pit {
        body.insert("pit_id".to_owned(), json!(pit.id));
    }
    if !request.aggs.is_empty() {
        body.insert("aggregations".to_owned(), tree.finish(&placed, request.typed_keys)?);
    }
    Ok(Value::Object(body))
}

/// Whether a block can hold a hit better than those found.
fn can_hold(ordered: &Ordered, best: &Best, visit: &Visit<'_>) -> bool {
    let Some((column, descending, scale)) = ordered.first_number() else { return true };
    let (low, high) = (visit.bounds.0.div_euclid(scale), visit.bounds.1.div_euclid(scale));
    // Every row has its time; rows without a value in other columns come after all others.
    if let (Some(Key::Int(after)), Bounded::Column("@timestamp")) = (ordered.first_after(), column) {
        // Everything in it comes before what was asked for.
        if descending && low > *after || !descending && high < *after {
            return false;
        }
    }
    match best.limit().and_then(|l| l.keys.first()) {
        // The same first key may still be better by the next ones.
        Some(Key::Int(limit)) => {
            if descending {
                high >= *limit
            } else {
                low <= *limit
            }
        }
        _ => true,
    }
}

fn total(request: &SearchRequest, counted: u64) -> Option<Value> {
    let (value, relation) = match request.track_total {
        TrackTotal::No if request.total_as_int => return Some(json!(-1)),
        TrackTotal::No => return None,
        TrackTotal::UpTo(n) if counted > n as u64 => (n as u64, "gte"),
        _ => (counted, "eq"),
    };
    Some(if request.total_as_int { json!(value) } else { json!({"value": value, "relation": relation}) })
}

fn shards_json(n: usize) -> Value {
    json!({"total": n, "successful": n, "skipped": 0, "failed": 0})
}

/// Answers a `_count`: the body of the response.
///
/// # Errors
/// As [`search`].
pub fn count(
    indices: &[IndexBlocks<'_>],
    mapping: &Mapping,
    query: &Query,
    context: &Context,
) -> Result<Value, EsError> {
    let now = Now { ms: context.now };
    let mut counted = 0_usize;
    for index in indices {
        let fail = |e: EsError| if e.status == 400 { e.in_shard(index.name) } else { e };
        let filter = Planner::new(mapping, index.name, now).plan(query).map_err(fail)?;
        for block in index.blocks {
            if context.is_over(context.deadline) {
                return Err(EsError::new(503, "search_timeout_exception", "Time exceeded"));
            }
            let view = View::new(&**block, index.name, 0);
            counted += choose(&filter, &view, &Selection::All)?.count(block.rows());
        }
    }
    Ok(json!({"count": counted, "_shards": shards_json(indices.len())}))
}
