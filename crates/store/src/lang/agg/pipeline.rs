//! Aggregations of the results of others.

use serde_json::Value;

use super::reader::Reader;
use crate::lang::error::EsError;
use crate::lang::json;
use crate::lang::script::Script;

/// What is computed from other results.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// What is computed.
    pub kind: PipelineKind,
    /// What of: names and paths of metrics in a bucket (`_count` too), or from beside the buckets through them (`by_day>sales`).
    pub paths: Vec<(String, String)>,
    /// What stands for a value that is not there.
    pub gap: Gap,
    /// How the result is written.
    pub format: Option<String>,
}

/// What is computed.
#[derive(Clone, Debug)]
pub enum PipelineKind {
    /// The change from bucket to bucket; `normalized_value` is per so many milliseconds.
    Derivative(Option<i64>),
    /// The sum of this and all earlier buckets.
    CumulativeSum,
    /// The change from so many buckets ago.
    SerialDiff(usize),
    /// An expression of a bucket's metrics.
    BucketScript(Script),
    /// Keeps buckets for which an expression is true.
    BucketSelector(Script),
    /// Orders and cuts buckets.
    BucketSort {
        /// Paths, the largest first.
        sort: Vec<(String, bool)>,
        /// Buckets left out.
        from: usize,
        /// Buckets kept.
        size: Option<usize>,
    },
    /// The largest bucket beside.
    MaxBucket,
    /// The smallest bucket beside.
    MinBucket,
    /// The mean of the buckets beside.
    AvgBucket,
    /// The sum of the buckets beside.
    SumBucket,
    /// All of these.
    StatsBucket,
}

/// What stands for a value that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Nothing: the bucket is passed over.
    Skip,
    /// Zero.
    InsertZeros,
    /// What is there, even in an empty bucket.
    KeepValues,
}

impl PipelineKind {
    /// Whether it stands beside the buckets it is computed from, not inside.
    pub fn is_sibling(&self) -> bool {
        matches!(
            self,
            Self::MaxBucket | Self::MinBucket | Self::AvgBucket | Self::SumBucket | Self::StatsBucket
        )
    }

    /// Whether it goes from one bucket to the next, so that they need an order of their own.
    pub fn needs_order(&self) -> bool {
        matches!(self, Self::Derivative(_) | Self::CumulativeSum | Self::SerialDiff(_))
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Derivative(_) => "derivative",
            Self::CumulativeSum => "cumulative_sum",
            Self::SerialDiff(_) => "serial_diff",
            Self::BucketScript(_) => "bucket_script",
            Self::BucketSelector(_) => "bucket_selector",
            Self::BucketSort { .. } => "bucket_sort",
            Self::MaxBucket => "max_bucket",
            Self::MinBucket => "min_bucket",
            Self::AvgBucket => "avg_bucket",
            Self::SumBucket => "sum_bucket",
            Self::StatsBucket => "stats_bucket",
        }
    }
}

fn paths(body: &Reader<'_>) -> Result<Vec<(String, String)>, EsError> {
    let what = body.what();
    match body.get("buckets_path") {
        None => Err(EsError::illegal(format!("Required [buckets_path] in [{what}]"))),
        Some(Value::Object(map)) => {
            map.iter().map(|(name, v)| Ok((name.clone(), json::text(what, name, v)?))).collect()
        }
        Some(Value::Array(list)) => list
            .iter()
            .enumerate()
            .map(|(i, v)| Ok((format!("_value{i}"), json::text(what, "buckets_path", v)?)))
            .collect(),
        Some(one) => Ok(vec![("_value".to_owned(), json::text(what, "buckets_path", one)?)]),
    }
}

pub(super) fn parse(kind: &str, body: Reader<'_>) -> Result<Pipeline, EsError> {
    let script = || {
        let script =
            body.get("script").ok_or_else(|| EsError::illegal(format!("Required [script] in [{kind}]")))?;
        Script::parse(script)
    };
    let gap = match body.text("gap_policy")?.as_deref() {
        None | Some("skip") => Gap::Skip,
        Some("insert_zeros") => Gap::InsertZeros,
        Some("keep_values") => Gap::KeepValues,
        Some(other) => {
            return Err(EsError::illegal(format!(
                "Invalid gap policy: [{other}], accepted values: [insert_zeros, skip, keep_values]"
            )));
        }
    };
    let single = !matches!(kind, "bucket_script" | "bucket_selector" | "bucket_sort");
    let paths = if kind == "bucket_sort" { Vec::new() } else { paths(&body)? };
    if single && paths.len() != 1 {
        return Err(EsError::illegal(format!(
            "buckets_path must contain a single entry for aggregation of type [{kind}]"
        )));
    }
    let kind = match kind {
        "derivative" => {
            let unit = match body.text("unit")? {
                None => None,
                Some(text) => {
                    let length = crate::lang::request::duration("derivative.unit", &unit_length(&text))?;
                    length.map(|l| i64::try_from(l.as_millis()).unwrap_or(i64::MAX)).filter(|ms| *ms > 0)
                }
            };
            PipelineKind::Derivative(unit)
        }
        "cumulative_sum" => PipelineKind::CumulativeSum,
        "serial_diff" => {
            let lag = body.count("lag", 1)?;
            if lag == 0 {
                return Err(EsError::illegal("[lag] must be a positive integer: [serial_diff]"));
            }
            PipelineKind::SerialDiff(lag)
        }
        "bucket_script" => PipelineKind::BucketScript(script()?),
        "bucket_selector" => PipelineKind::BucketSelector(script()?),
        "bucket_sort" => bucket_sort(&body)?,
        "max_bucket" => PipelineKind::MaxBucket,
        "min_bucket" => PipelineKind::MinBucket,
        "avg_bucket" => PipelineKind::AvgBucket,
        "sum_bucket" => PipelineKind::SumBucket,
        "stats_bucket" => PipelineKind::StatsBucket,
        other => return Err(EsError::unsupported(&format!("[{other}] aggregation"))),
    };
    let out = Pipeline { kind, paths, gap, format: body.format()? };
    if !body.all().contains_key("script") {
        body.end()?;
    }
    Ok(out)
}

/// A unit's name as a length of time.
fn unit_length(text: &str) -> String {
    match text {
        "second" => "1s",
        "minute" => "1m",
        "hour" => "1h",
        "day" | "1d" => "1d",
        "week" | "1w" => "7d",
        other => other,
    }
    .to_owned()
}

fn bucket_sort(body: &Reader<'_>) -> Result<PipelineKind, EsError> {
    let mut sort = Vec::new();
    if let Some(value) = body.get("sort") {
        let list = match value {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        for entry in list {
            match entry {
                Value::String(path) => sort.push((path.clone(), false)),
                Value::Object(map) => {
                    for (path, order) in map {
                        let order = match order {
                            Value::Object(o) => o.get("order").unwrap_or(order),
                            order => order,
                        };
                        let order = json::text("bucket_sort", "sort", order)?;
                        sort.push((path.clone(), order.eq_ignore_ascii_case("desc")));
                    }
                }
                other => {
                    return Err(EsError::illegal(format!("malformed sort, found [{}]", json::token(other))));
                }
            }
        }
    }
    let size = match body.integer("size")? {
        None => None,
        Some(n) => Some(usize::try_from(n).ok().filter(|n| *n > 0).ok_or_else(|| {
            body.failed("size", EsError::illegal("[size] must be a positive integer: [bucket_sort]"))
        })?),
    };
    Ok(PipelineKind::BucketSort { sort, from: body.count("from", 0)?, size })
}
