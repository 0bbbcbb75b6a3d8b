//! Aggregations of the results of others.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};
use wirebeat_model::Kind;

use super::decimal::Written;
use super::outcome::{Bucket, Named, Outcome, maybe};
use crate::lang::agg::{Agg, AggKind, Gap, Pipeline, PipelineKind};
use crate::lang::error::EsError;

/// A pipeline with its name and what is told back with it.
type Step = (String, Pipeline, Option<Value>);

/// Pipelines in an order in which each comes after those it needs.
fn ordered(steps: &[Step]) -> Result<Vec<&Step>, EsError> {
    let mut left: Vec<&Step> = steps.iter().collect();
    let mut out: Vec<&Step> = Vec::new();
    while !left.is_empty() {
        let needs = |step: &Step| {
            let paths = step.1.paths.iter().map(|p| p.1.as_str());
            let sorts = match &step.1.kind {
                PipelineKind::BucketSort { sort, .. } => sort.iter().map(|s| s.0.as_str()).collect(),
                _ => Vec::new(),
            };
            let names: Vec<String> = paths
                .chain(sorts)
                .map(|p| super::split_part(p.split('>').next().unwrap_or_default()).0.to_owned())
                .collect();
            left.iter().any(|other| other.0 != step.0 && names.contains(&other.0))
        };
        // Those that cut or drop buckets come last.
        let cuts = |step: &&&Step| {
            matches!(step.1.kind, PipelineKind::BucketSelector(_) | PipelineKind::BucketSort { .. })
        };
        let next =
            left.iter().position(|s| !needs(s) && !cuts(&s)).or_else(|| left.iter().position(|s| !needs(s)));
        let Some(next) = next else {
            return Err(EsError::illegal("Cyclical dependency found with pipeline aggregator"));
        };
        out.push(left.remove(next));
    }
    Ok(out)
}

/// Refuses pipelines whose paths lead nowhere, before anything is looked at.
pub(super) fn check(aggs: &[Agg]) -> Result<(), EsError> {
    for agg in aggs {
        check(&agg.subs)?;
        let AggKind::Pipeline(pipeline) = &agg.kind else { continue };
        let sorts = match &pipeline.kind {
            PipelineKind::BucketSort { sort, .. } => sort.as_slice(),
            _ => &[],
        };
        for path in pipeline.paths.iter().map(|p| &p.1).chain(sorts.iter().map(|s| &s.0)) {
            let head = path.split('>').next().unwrap_or_default();
            let part = super::split_part(head).0;
            let own = !pipeline.kind.is_sibling() && matches!(path.as_str(), "_count" | "_key");
            if !own && !aggs.iter().any(|a| a.name == head || a.name == part) {
                return Err(missing_path(&agg.name, path));
            }
        }
    }
    Ok(())
}

fn missing_path(name: &str, path: &str) -> EsError {
    let path: String = path.chars().take(200).collect();
    EsError::invalid(format!("No aggregation found for path [{path}] in [{name}]"))
}

/// A bucket's value by a path, as the gap policy has it.
fn value(bucket: &Bucket, path: &str, gap: Gap) -> Option<f64> {
    let found = bucket.number(path).filter(|n| n.is_finite());
    let empty = bucket.count == 0 && path != "_count" && path != "_key";
    match gap {
        Gap::InsertZeros => Some(if empty { 0.0 } else { found.unwrap_or(0.0) }),
        Gap::Skip if empty => None,
        _ => found,
    }
}

/// Runs the pipelines of a list of buckets.
pub(super) fn inside(steps: &[Step], buckets: &mut Vec<Bucket>) -> Result<(), EsError> {
    if steps.is_empty() {
        return Ok(());
    }
    for (name, pipeline, meta) in ordered(steps)? {
        if pipeline.kind.is_sibling() {
            continue;
        }
        run(name, pipeline, meta.as_ref(), buckets)?;
    }
    Ok(())
}

fn add(bucket: &mut Bucket, name: &str, meta: Option<&Value>, outcome: Outcome) {
    bucket.subs.push(Named { name: name.to_owned(), meta: meta.cloned(), outcome });
}

fn run(
    name: &str,
    pipeline: &Pipeline,
    meta: Option<&Value>,
    buckets: &mut Vec<Bucket>,
) -> Result<(), EsError> {
    let path = pipeline.paths.first().map_or("", |p| p.1.as_str());
    let gap = pipeline.gap;
    let written = match &pipeline.format {
        Some(format) => Written::new(Kind::Double, Some(format))?,
        None => Written::Plain,
    };
    let simple = |kind, n: f64| {
        let n = Some(n).filter(|n| !n.is_nan());
        Outcome::simple(kind, n, n.and_then(|n| written.text(n)))
    };
    match &pipeline.kind {
        PipelineKind::Derivative(unit) => {
            let mut last: Option<(f64, f64)> = None;
            for bucket in buckets.iter_mut() {
                // From and to nothing the change is no number; where there is nothing to ask there is no change.
                let now = bucket.has(path).then(|| value(bucket, path, gap).unwrap_or(f64::NAN));
                if let (Some(now), Some((before, key))) = (now, last) {
                    let change = now - before;
                    let mut outcome = simple("derivative", change);
                    if let (Some(unit), Outcome::Metric { body, numbers, .. }) = (unit, &mut outcome) {
                        let per = change / ((bucket.key - key) / *unit as f64);
                        body.insert("normalized_value".to_owned(), maybe(Some(per).filter(|n| !n.is_nan())));
                        numbers.push(("normalized_value".to_owned(), per));
                    }
                    add(bucket, name, meta, outcome);
                }
                last = now.map(|now| (now, bucket.key));
            }
        }
        PipelineKind::CumulativeSum => {
            let mut sum = 0.0;
            for bucket in buckets.iter_mut() {
                sum += value(bucket, path, Gap::InsertZeros).unwrap_or(0.0);
                let outcome = simple("simple_value", sum);
                add(bucket, name, meta, outcome);
            }
        }
        PipelineKind::SerialDiff(lag) => {
            let values: Vec<Option<f64>> = buckets.iter().map(|b| value(b, path, gap)).collect();
            for (i, bucket) in buckets.iter_mut().enumerate() {
                if let Some(before) = i.checked_sub(*lag).and_then(|j| values[j])
                    && let Some(now) = values[i]
                {
                    let outcome = simple("simple_value", now - before);
                    add(bucket, name, meta, outcome);
                }
            }
        }
        PipelineKind::BucketScript(script) => {
            for bucket in buckets.iter_mut() {
                let values = values(bucket, pipeline);
                if gap != Gap::KeepValues && values.iter().any(|v| v.1.is_none()) {
                    continue;
                }
                let result = script.run(&|n| values.iter().find(|v| v.0 == n).and_then(|v| v.1));
                if let Some(n) = result {
                    let outcome = simple("simple_value", n);
                    add(bucket, name, meta, outcome);
                }
            }
        }
        PipelineKind::BucketSelector(script) => {
            buckets.retain(|bucket| {
                let values = values(bucket, pipeline);
                if gap != Gap::KeepValues && values.iter().any(|v| v.1.is_none()) {
                    return false;
                }
                let result = script.run(&|n| values.iter().find(|v| v.0 == n).and_then(|v| v.1));
                result.is_some_and(|n| n != 0.0)
            });
        }
        PipelineKind::BucketSort { sort, from, size } => {
            if !sort.is_empty() {
                let compare = |a: &Bucket, b: &Bucket| {
                    for (path, descending) in sort {
                        let number = |x: &Bucket| value(x, path, gap).unwrap_or(f64::NAN);
                        let (x, y) = (number(a), number(b));
                        let order = if path == "_key" && x.is_nan() && y.is_nan() {
                            let order = a.name.cmp(&b.name);
                            if *descending { order.reverse() } else { order }
                        } else {
                            compare_numbers(x, y, *descending)
                        };
                        if order != Ordering::Equal {
                            return order;
                        }
                    }
                    Ordering::Equal
                };
                if gap == Gap::Skip {
                    buckets.retain(|b| sort.iter().any(|(p, _)| p == "_key" || value(b, p, gap).is_some()));
                }
                buckets.sort_by(compare);
            }
            buckets.drain(..(*from).min(buckets.len()));
            buckets.truncate(size.unwrap_or(usize::MAX));
        }
        _ => {}
    }
    Ok(())
}

/// What is no number comes last either way.
fn compare_numbers(a: f64, b: f64, descending: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ if descending => b.total_cmp(&a),
        _ => a.total_cmp(&b),
    }
}

fn values(bucket: &Bucket, pipeline: &Pipeline) -> Vec<(String, Option<f64>)> {
    let gap = if pipeline.gap == Gap::InsertZeros { Gap::InsertZeros } else { pipeline.gap };
    pipeline.paths.iter().map(|(name, path)| (name.clone(), value(bucket, path, gap))).collect()
}

/// Runs the pipelines that stand beside what they are computed from, and adds their results.
pub(super) fn siblings(steps: &[Step], results: &mut Vec<Named>) -> Result<(), EsError> {
    if !steps.iter().any(|s| s.1.kind.is_sibling()) {
        return Ok(());
    }
    for (name, pipeline, meta) in ordered(steps)? {
        if !pipeline.kind.is_sibling() {
            continue;
        }
        let path = pipeline.paths.first().map_or("", |p| p.1.as_str());
        let (head, rest) = path.split_once('>').unwrap_or((path, "_count"));
        let Some(Outcome::Buckets { buckets, .. }) =
            results.iter().find(|r| r.name == head).map(|r| &r.outcome)
        else {
            return Err(missing_path(name, path));
        };
        let numbers: Vec<(&Bucket, f64)> =
            buckets.iter().filter_map(|b| value(b, rest, pipeline.gap).map(|n| (b, n))).collect();
        let outcome = sibling(pipeline, &numbers)?;
        results.push(Named { name: name.clone(), meta: meta.clone(), outcome });
    }
    Ok(())
}

fn sibling(pipeline: &Pipeline, numbers: &[(&Bucket, f64)]) -> Result<Outcome, EsError> {
    let written = match &pipeline.format {
        Some(format) => Written::new(Kind::Double, Some(format))?,
        None => Written::Plain,
    };
    let sum: f64 = numbers.iter().map(|n| n.1).sum();
    let count = numbers.len();
    let largest = numbers.iter().map(|n| n.1).fold(f64::NEG_INFINITY, f64::max);
    let smallest = numbers.iter().map(|n| n.1).fold(f64::INFINITY, f64::min);
    let some = |n: f64| (count > 0).then_some(n);
    let simple = |n: Option<f64>| Outcome::simple("simple_value", n, n.and_then(|n| written.text(n)));
    Ok(match pipeline.kind {
        PipelineKind::AvgBucket => simple(some(sum / count as f64)),
        PipelineKind::SumBucket => simple(Some(sum)),
        PipelineKind::StatsBucket => {
            let mut body = Map::new();
            body.insert("count".to_owned(), json!(count));
            let parts = [
                ("min", some(smallest)),
                ("max", some(largest)),
                ("avg", some(sum / count as f64)),
                ("sum", Some(sum)),
            ];
            for (name, n) in parts {
                body.insert(name.to_owned(), maybe(n));
            }
            let numbers = parts.iter().filter_map(|(name, n)| n.map(|n| ((*name).to_owned(), n))).collect();
            Outcome::Metric { kind: "stats_bucket", body, numbers }
        }
        _ => {
            let best = if matches!(pipeline.kind, PipelineKind::MaxBucket) { largest } else { smallest };
            let keys: Vec<&str> = numbers.iter().filter(|n| n.1 == best).map(|n| n.0.name.as_str()).collect();
            let mut outcome = simple(some(best));
            if let Outcome::Metric { kind, body, .. } = &mut outcome {
                *kind = "bucket_metric_value";
                body.insert("keys".to_owned(), json!(keys));
            }
            outcome
        }
    })
}
