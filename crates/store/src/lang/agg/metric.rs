//! Aggregations that make numbers, and those that tell hits.

use serde_json::Value;

use super::reader::Reader;
use crate::lang::ast::Scalar;
use crate::lang::error::EsError;
use crate::lang::json;
use crate::lang::request::{FieldAsk, SearchRequest, SortKey};

/// A number, or several, of a field's values.
#[derive(Clone, Debug)]
pub struct Metric {
    /// The field.
    pub field: String,
    /// What is computed.
    pub kind: MetricKind,
    /// The value of documents without one.
    pub missing: Option<Scalar>,
    /// How the result is written.
    pub format: Option<String>,
}

/// What is computed.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricKind {
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The mean.
    Avg,
    /// The sum.
    Sum,
    /// How many values there are.
    ValueCount,
    /// All of these.
    Stats,
    /// And their deviation; bounds are so many deviations away.
    ExtendedStats(f64),
    /// How many different values there are; exact up to a number of them.
    Cardinality(usize),
    /// The values below which given shares of all are.
    Percentiles {
        /// 0 to 100.
        percents: Vec<f64>,
        /// As members of an object.
        keyed: bool,
    },
    /// The shares of all that are below given values.
    PercentileRanks {
        /// The values.
        values: Vec<f64>,
        /// As members of an object.
        keyed: bool,
    },
}

impl MetricKind {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "min" => Self::Min,
            "max" => Self::Max,
            "avg" => Self::Avg,
            "sum" => Self::Sum,
            "value_count" => Self::ValueCount,
            "stats" => Self::Stats,
            "extended_stats" => Self::ExtendedStats(2.0),
            "cardinality" => Self::Cardinality(3000),
            "percentiles" => {
                Self::Percentiles { percents: vec![1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0], keyed: true }
            }
            "percentile_ranks" => Self::PercentileRanks { values: Vec::new(), keyed: true },
            _ => return None,
        })
    }
}

/// `top_hits`: a search in each bucket.
#[derive(Clone, Debug)]
pub struct TopHits {
    /// Its hits; of the request `from`, `size`, `sort` and what is told count.
    pub request: SearchRequest,
}

/// `top_metrics`.
#[derive(Clone, Debug)]
pub struct TopMetrics {
    /// Fields told.
    pub metrics: Vec<String>,
    /// The order of documents.
    pub sort: SortKey,
    /// How many documents.
    pub size: usize,
}

/// Values of percentiles at most.
const MAX_PERCENTS: usize = 1000;

fn numbers(body: &Reader<'_>, name: &'static str) -> Result<Option<Vec<f64>>, EsError> {
    let Some(value) = body.get(name) else { return Ok(None) };
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    if list.len() > MAX_PERCENTS {
        return Err(EsError::illegal(format!("more than {MAX_PERCENTS} [{name}]")));
    }
    let mut out = list.iter().map(|v| json::float(body.what(), name, v)).collect::<Result<Vec<_>, _>>()?;
    out.sort_by(f64::total_cmp);
    Ok(Some(out))
}

pub(super) fn parse(name: &str, mut kind: MetricKind, body: Reader<'_>) -> Result<Metric, EsError> {
    match &mut kind {
        MetricKind::ExtendedStats(sigma) => {
            *sigma = body.float("sigma")?.unwrap_or(2.0);
            if *sigma < 0.0 {
                return Err(EsError::illegal(format!(
                    "[sigma] must be greater than or equal to 0. Found [{sigma}] in [{name}]"
                )));
            }
        }
        MetricKind::Cardinality(threshold) => {
            *threshold = body.count("precision_threshold", *threshold)?.min(40_000);
            body.flag("rehash", true)?;
            body.text("execution_hint")?;
        }
        MetricKind::Percentiles { percents, keyed } => {
            if let Some(list) = numbers(&body, "percents")? {
                if list.is_empty() {
                    return Err(body.failed("percents", EsError::illegal("[percents] must not be empty")));
                }
                if let Some(bad) = list.iter().find(|p| !(0.0..=100.0).contains(*p)) {
                    return Err(EsError::x_content(
                        "Failed to build [percentiles] after last required field arrived",
                    )
                    .caused_by(EsError::illegal(format!(
                        "percent must be in [0,100], got [{bad:?}]: [{name}]"
                    ))));
                }
                *percents = list;
            }
            *keyed = body.flag("keyed", true)?;
            // How Elasticsearch's sketch is tuned; ours is not.
            body.get("tdigest");
            body.get("hdr");
        }
        MetricKind::PercentileRanks { values, keyed } => {
            *values = numbers(&body, "values")?.unwrap_or_default();
            if values.is_empty() {
                return Err(EsError::x_content("Required [values]"));
            }
            *keyed = body.flag("keyed", true)?;
            body.get("tdigest");
            body.get("hdr");
        }
        _ => {}
    }
    let out = Metric { field: body.field()?, kind, missing: body.scalar("missing")?, format: body.format()? };
    body.text("value_type")?;
    body.end()?;
    Ok(out)
}

pub(super) fn top_hits(body: Reader<'_>) -> Result<TopHits, EsError> {
    let mut map = serde_json::Map::new();
    for (name, value) in body.all() {
        match name.as_str() {
            "from"
            | "size"
            | "sort"
            | "_source"
            | "fields"
            | "docvalue_fields"
            | "stored_fields"
            | "version"
            | "seq_no_primary_term"
            | "track_scores"
            | "explain"
            | "highlight"
            | "script_fields" => {
                map.insert(name.clone(), value.clone());
            }
            other => {
                return Err(EsError::parsing(format!(
                    "Unknown key for a {} in [{other}].",
                    json::token(value)
                )));
            }
        }
    }
    map.entry("size").or_insert_with(|| Value::from(3));
    let request = SearchRequest::parse(&Value::Object(map))?;
    let window = request.from.saturating_add(request.size);
    if request.size == 0 {
        return Err(EsError::illegal("numHits must be > 0; please use TotalHitCountCollector").late());
    }
    if window > 100 {
        return Err(EsError::illegal(format!(
            "Top hits result window is too large, the top hits aggregator [top_hits]'s from + size must be less than \
             or equal to: [100] but was [{window}]. This limit can be set by changing the \
             [index.max_inner_result_window] index level setting."
        ))
        .late());
    }
    Ok(TopHits { request })
}

pub(super) fn top_metrics(body: Reader<'_>) -> Result<TopMetrics, EsError> {
    let list = match body.get("metrics") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => return Err(EsError::illegal("Required [metrics]")),
    };
    if list.len() > 100 {
        return Err(EsError::illegal("more than 100 [metrics]"));
    }
    let metrics = list
        .iter()
        .map(|v| FieldAsk::list_of_one("metrics", v).map(|f| f.pattern))
        .collect::<Result<Vec<_>, _>>()?;
    let sort = body.get("sort").ok_or_else(|| EsError::illegal("Required [sort]"))?;
    let mut sort = crate::lang::request::sorts(sort)?;
    if sort.len() > 1 {
        return Err(EsError::illegal("only one sort is supported by [top_metrics]"));
    }
    let sort = sort.pop().unwrap_or_else(|| SortKey::new("_score", None));
    let size = body.count("size", 1)?;
    if !(1..=10).contains(&size) {
        return Err(EsError::illegal(format!(
            "[top_metrics.size] must not be more than [10] but was [{size}]. This limit can be set by changing the \
             [index.top_metrics_max_size] index level setting."
        )));
    }
    body.end()?;
    Ok(TopMetrics { metrics, sort, size })
}
