//! Aggregations: what is asked for.

mod bucket;
mod metric;
pub mod pipeline;
mod reader;

use serde_json::Value;

use super::error::EsError;
use super::json::{shown, suggestion, token};

pub use bucket::{
    Bounds, Composite, DateHistogram, DateRange, FiltersAgg, GeoGrid, Grid, Histogram, IncludeExclude,
    IpRange, IpSpan, NumberRange, Order, OrderBy, Source, SourceKind, Terms,
};
pub use metric::{Metric, MetricKind, TopHits, TopMetrics};
pub use pipeline::{Gap, Pipeline, PipelineKind};

use reader::Reader;

/// Aggregations within each other at most.
pub const MAX_DEPTH: usize = 20;
/// Aggregations in all at most.
pub const MAX_AGGS: usize = 1000;

/// An aggregation.
#[derive(Clone, Debug)]
pub struct Agg {
    /// Its name in the answer.
    pub name: String,
    /// What it does.
    pub kind: AggKind,
    /// What is asked of each of its buckets.
    pub subs: Vec<Agg>,
    /// Told back as it came.
    pub meta: Option<Value>,
}

/// What an aggregation does.
#[derive(Clone, Debug)]
pub enum AggKind {
    /// A bucket for each value.
    Terms(Terms),
    /// A bucket for each span of time.
    DateHistogram(DateHistogram),
    /// A bucket for each span of numbers.
    Histogram(Histogram),
    /// Buckets for given spans of numbers.
    Range(NumberRange),
    /// Buckets for given spans of time.
    DateRange(DateRange),
    /// Buckets for given spans of addresses.
    IpRange(IpRange),
    /// One bucket of what a query matches.
    Filter(Box<super::ast::Query>),
    /// A bucket for each of several queries.
    Filters(FiltersAgg),
    /// One bucket of what has no value.
    Missing(String),
    /// One bucket of everything, whatever the query.
    Global,
    /// A bucket for each combination of values, in pages.
    Composite(Composite),
    /// A bucket for each cell of a map.
    GeoGrid(GeoGrid),
    /// A number, or several.
    Metric(Metric),
    /// The first hits.
    TopHits(Box<TopHits>),
    /// Fields of the first hits.
    TopMetrics(TopMetrics),
    /// The box around all points.
    GeoBounds(String),
    /// What is computed from other results.
    Pipeline(Pipeline),
}

/// Elasticsearch's other aggregations, refused by name.
const REFUSED: &[&str] = &[
    "adjacency_matrix",
    "auto_date_histogram",
    "boxplot",
    "bucket_correlation",
    "bucket_count_ks_test",
    "cartesian_bounds",
    "cartesian_centroid",
    "categorize_text",
    "change_point",
    "children",
    "cumulative_cardinality",
    "diversified_sampler",
    "extended_stats_bucket",
    "frequent_item_sets",
    "geo_centroid",
    "geo_distance",
    "geo_line",
    "geohex_grid",
    "inference",
    "ip_prefix",
    "matrix_stats",
    "median_absolute_deviation",
    "moving_avg",
    "moving_fn",
    "moving_percentiles",
    "multi_terms",
    "nested",
    "normalize",
    "parent",
    "percentiles_bucket",
    "random_sampler",
    "rare_terms",
    "rate",
    "reverse_nested",
    "sampler",
    "scripted_metric",
    "significant_terms",
    "significant_text",
    "string_stats",
    "t_test",
    "time_series",
    "variable_width_histogram",
    "weighted_avg",
];

/// The aggregations that are answered.
const KNOWN: &[&str] = &[
    "avg",
    "avg_bucket",
    "bucket_script",
    "bucket_selector",
    "bucket_sort",
    "cardinality",
    "composite",
    "cumulative_sum",
    "date_histogram",
    "date_range",
    "derivative",
    "extended_stats",
    "filter",
    "filters",
    "geo_bounds",
    "geohash_grid",
    "geotile_grid",
    "global",
    "histogram",
    "ip_range",
    "max",
    "max_bucket",
    "min",
    "min_bucket",
    "missing",
    "percentile_ranks",
    "percentiles",
    "range",
    "serial_diff",
    "stats",
    "stats_bucket",
    "sum",
    "sum_bucket",
    "terms",
    "top_hits",
    "top_metrics",
    "value_count",
];

/// Reads the member `aggs` of a search.
///
/// # Errors
/// As Elasticsearch does when it is none; an aggregation it has and we have not is refused by name.
pub fn parse(value: &Value) -> Result<Vec<Agg>, EsError> {
    let mut count = 0;
    let aggs = level(value, 0, &mut count)?;
    for agg in &aggs {
        if let AggKind::Pipeline(p) = &agg.kind
            && !p.kind.is_sibling()
        {
            return Err(EsError::invalid(format!(
                "{} aggregation [{}] must be declared inside of another aggregation",
                p.kind.name(),
                agg.name
            )));
        }
    }
    Ok(aggs)
}

fn level(value: &Value, depth: usize, count: &mut usize) -> Result<Vec<Agg>, EsError> {
    if depth >= MAX_DEPTH {
        return Err(EsError::parsing(format!("aggregations are nested deeper than {MAX_DEPTH}")));
    }
    let Value::Object(map) = value else {
        return Err(EsError::parsing(format!("Expected [START_OBJECT] but found [{}]", token(value))));
    };
    let mut out = Vec::new();
    for (name, definition) in map {
        *count += 1;
        if *count > MAX_AGGS {
            return Err(EsError::illegal(format!("more than {MAX_AGGS} aggregations")));
        }
        out.push(one(name, definition, depth, count)?);
    }
    for agg in &out {
        if let AggKind::Composite(_) = agg.kind
            && depth > 0
        {
            return Err(EsError::illegal(format!(
                "[composite] aggregation cannot be used with a parent aggregation of type other than [nested], found \
                 it in [{}]",
                agg.name
            ))
            .late());
        }
        if let AggKind::Global = agg.kind
            && depth > 0
        {
            return Err(EsError::new(
                500,
                "aggregation_initialization_exception",
                format!(
                    "Aggregation [{}] cannot have a global sub-aggregation. Global aggregations can only be defined as \
                     top level aggregations",
                    agg.name
                ),
            ));
        }
    }
    Ok(out)
}

fn one(name: &str, definition: &Value, depth: usize, count: &mut usize) -> Result<Agg, EsError> {
    let short = shown(&Value::String(name.to_owned()));
    if name.is_empty() || name.contains(['[', ']', '>']) {
        return Err(EsError::parsing(format!(
            "Invalid aggregation name [{short}]. Aggregation names can contain any character except '[', ']', and '>'"
        )));
    }
    let Value::Object(map) = definition else {
        return Err(EsError::parsing(format!(
            "Aggregation definition for [{short} starts with a [{}], expected a [START_OBJECT].",
            token(definition)
        )));
    };
    let mut kind: Option<(&String, AggKind)> = None;
    let mut subs = Vec::new();
    let mut meta = None;
    for (member, value) in map {
        match member.as_str() {
            "meta" => meta = Some(value.clone()),
            "aggs" | "aggregations" => {
                if !subs.is_empty() {
                    return Err(EsError::parsing(format!(
                        "Found two sub aggregation definitions under [{short}]"
                    )));
                }
                subs = level(value, depth + 1, count)?;
            }
            _ => {
                if let Some((first, _)) = &kind {
                    return Err(EsError::parsing(format!(
                        "Found two aggregation type definitions in [{short}]: [{first}] and [{member}]"
                    )));
                }
                if !value.is_object() {
                    return Err(EsError::parsing(format!(
                        "Expected [START_OBJECT] under [{member}], but got a [{}] in [{short}]",
                        token(value)
                    )));
                }
                kind = Some((member, read(name, member, value)?));
            }
        }
    }
    let Some((kind_name, kind)) = kind else {
        return Err(EsError::parsing(format!("Missing definition for aggregation [{short}]")));
    };
    if !subs.is_empty() && !kind.is_bucket() {
        return Err(EsError::illegal(format!(
            "Aggregator [{short}] of type [{kind_name}] cannot accept sub-aggregations"
        )));
    }
    for sub in &subs {
        if let AggKind::Pipeline(p) = &sub.kind
            && p.kind.needs_order()
            && !matches!(kind, AggKind::Histogram(_) | AggKind::DateHistogram(_))
        {
            return Err(EsError::invalid(format!(
                "{} aggregation [{}] must have a histogram, date_histogram or auto_date_histogram as parent",
                p.kind.name(),
                sub.name
            )));
        }
    }
    Ok(Agg { name: name.to_owned(), kind, subs, meta })
}

fn read(name: &str, kind: &str, value: &Value) -> Result<AggKind, EsError> {
    if let Some(metric) = MetricKind::named(kind) {
        return Ok(AggKind::Metric(metric::parse(name, metric, Reader::new(kind, value)?)?));
    }
    if KNOWN.contains(&kind) {
        let body = || Reader::new(kind, value);
        return Ok(match kind {
            "terms" => AggKind::Terms(bucket::terms(name, body()?)?),
            "date_histogram" => AggKind::DateHistogram(bucket::date_histogram(body()?)?),
            "histogram" => AggKind::Histogram(bucket::histogram(body()?)?),
            "range" => AggKind::Range(bucket::range(body()?)?),
            "date_range" => AggKind::DateRange(bucket::date_range(body()?)?),
            "ip_range" => AggKind::IpRange(bucket::ip_range(body()?)?),
            "filter" => AggKind::Filter(Box::new(super::dsl::parse(value)?)),
            "filters" => AggKind::Filters(bucket::filters(body()?)?),
            "missing" => {
                let body = body()?;
                let field = body.field()?;
                body.end()?;
                AggKind::Missing(field)
            }
            "global" => {
                body()?.end()?;
                AggKind::Global
            }
            "composite" => AggKind::Composite(bucket::composite(body()?)?),
            "geohash_grid" => AggKind::GeoGrid(bucket::geo_grid(Grid::Geohash, body()?)?),
            "geotile_grid" => AggKind::GeoGrid(bucket::geo_grid(Grid::Geotile, body()?)?),
            "geo_bounds" => {
                let body = body()?;
                let field = body.field()?;
                body.flag("wrap_longitude", true)?;
                body.end()?;
                AggKind::GeoBounds(field)
            }
            "top_hits" => AggKind::TopHits(Box::new(metric::top_hits(body()?)?)),
            "top_metrics" => AggKind::TopMetrics(metric::top_metrics(body()?)?),
            _ => AggKind::Pipeline(pipeline::parse(kind, body()?)?),
        });
    }
    if REFUSED.contains(&kind) {
        return Err(EsError::unsupported(&format!("[{kind}] aggregation")));
    }
    let short = shown(&Value::String(kind.to_owned()));
    let all: Vec<&str> = KNOWN.iter().chain(REFUSED).copied().collect();
    let cause =
        EsError::new(400, "named_object_not_found_exception", format!("[1:1] unknown field [{short}]"));
    Err(EsError::parsing(format!("Unknown aggregation type [{short}]{}", suggestion(&short, &all)))
        .caused_by(cause))
}

impl AggKind {
    /// Whether it makes buckets that can be asked further.
    pub fn is_bucket(&self) -> bool {
        !matches!(
            self,
            Self::Metric(_) | Self::TopHits(_) | Self::TopMetrics(_) | Self::GeoBounds(_) | Self::Pipeline(_)
        )
    }
}
