//! The query DSL: JSON to the query tree.

mod leaf;
mod words;

use serde_json::{Map, Value};

use super::ast::{BoolQuery, MinimumMatch, Query};
use super::error::EsError;
use super::json::{failed, float, shown, suggestion, text, token};

/// Queries within each other at most: Elasticsearch's `indices.query.bool.max_nested_depth`.
pub const MAX_DEPTH: usize = 30;

/// The queries that are answered.
const KNOWN: &[&str] = &[
    "bool",
    "boosting",
    "constant_score",
    "dis_max",
    "exists",
    "fuzzy",
    "ids",
    "kql",
    "match",
    "match_all",
    "match_bool_prefix",
    "match_none",
    "match_phrase",
    "match_phrase_prefix",
    "multi_match",
    "nested",
    "prefix",
    "query_string",
    "range",
    "regexp",
    "simple_query_string",
    "term",
    "terms",
    "wildcard",
];

/// Elasticsearch's other queries, refused by name.
const REFUSED: &[&str] = &[
    "combined_fields",
    "distance_feature",
    "function_score",
    "geo_bounding_box",
    "geo_distance",
    "geo_grid",
    "geo_polygon",
    "geo_shape",
    "has_child",
    "has_parent",
    "intervals",
    "knn",
    "more_like_this",
    "parent_id",
    "percolate",
    "pinned",
    "rank_feature",
    "rule",
    "script",
    "script_score",
    "semantic",
    "shape",
    "span_containing",
    "span_field_masking",
    "span_first",
    "span_gap",
    "span_multi",
    "span_near",
    "span_not",
    "span_or",
    "span_term",
    "span_within",
    "sparse_vector",
    "terms_set",
    "text_expansion",
    "weighted_tokens",
    "wrapper",
];

/// Reads a query.
///
/// # Errors
/// As Elasticsearch does when the JSON is no query; a query it has and we have not is refused by name.
pub fn parse(value: &Value) -> Result<Query, EsError> {
    query(value, 0)
}

fn query(value: &Value, depth: usize) -> Result<Query, EsError> {
    if depth > MAX_DEPTH {
        return Err(EsError::illegal(format!(
            "The nested depth of the query exceeds the maximum nested depth for queries set in \
             [indices.query.bool.max_nested_depth] [{MAX_DEPTH}]"
        )));
    }
    let Value::Object(map) = value else {
        return Err(EsError::parsing("[_na] query malformed, must start with start_object"));
    };
    let mut members = map.iter();
    let Some((name, body)) = members.next() else {
        return Err(EsError::illegal("query malformed, empty clause found"));
    };
    if members.next().is_some() {
        // Members have lost their order; a known query's name is the one to complain about.
        let name = map.keys().find(|n| KNOWN.contains(&n.as_str())).unwrap_or(name);
        return Err(EsError::parsing(format!(
            "[{name}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]"
        )));
    }
    let Value::Object(body) = body else {
        return Err(EsError::parsing(format!("[{name}] query malformed, no start_object after query name")));
    };
    let query = match (of_kind(name, body, depth)?, boost_of(name, body)) {
        (query, Some(boost)) => Query::ConstantScore { filter: Box::new(query), boost },
        (query, None) => query,
    };
    Ok(match name_of(name, body) {
        Some(name) => Query::Named { name, query: Box::new(query) },
        None => query,
    })
}

fn of_kind(name: &str, body: &Map<String, Value>, depth: usize) -> Result<Query, EsError> {
    match name {
        "match_all" | "match_none" => {
            for key in body.keys() {
                if key != "boost" && key != "_name" {
                    return Err(EsError::x_content(format!("[{name}] unknown field [{key}]")));
                }
            }
            Ok(if name == "match_all" { Query::MatchAll } else { Query::MatchNone })
        }
        "bool" => boolean(body, depth),
        "boosting" => {
            members_of("boosting", body, &["positive", "negative", "negative_boost"])?;
            let part = |name: &str| {
                body.get(name).ok_or_else(|| {
                    EsError::parsing(format!("[boosting] query requires '{name}' query to be set'"))
                })
            };
            query(part("negative")?, depth + 1)?;
            query(part("positive")?, depth + 1)
        }
        "constant_score" => {
            members_of("constant_score", body, &["filter"])?;
            let filter = body
                .get("filter")
                .ok_or_else(|| EsError::parsing("[constant_score] requires a 'filter' element"))?;
            let boost = body.get("boost").map_or(Ok(1.0), |v| float("constant_score", "boost", v))?;
            Ok(Query::ConstantScore { filter: Box::new(query(filter, depth + 1)?), boost: boost as f32 })
        }
        "dis_max" => {
            members_of("dis_max", body, &["queries", "tie_breaker"])?;
            let Some(queries) = body.get("queries") else {
                return Err(EsError::parsing("[dis_max] requires 'queries' field with at least one clause"));
            };
            let queries = clauses("dis_max", "queries", queries, depth)?;
            Ok(Query::any(queries))
        }
        "term" => leaf::term(body),
        "terms" => leaf::terms(body),
        "range" => leaf::range(body),
        "exists" => leaf::exists(body),
        "prefix" => leaf::prefix(body),
        "wildcard" => leaf::wildcard(body),
        "regexp" => leaf::regexp(body),
        "fuzzy" => leaf::fuzzy(body),
        "ids" => leaf::ids(body),
        "nested" => nested(body),
        "match" | "match_bool_prefix" => words::matches(name, body),
        "match_phrase" | "match_phrase_prefix" => words::phrase(name, body),
        "multi_match" => words::multi_match(body),
        "kql" => words::kql(body),
        "query_string" => words::query_string(body),
        "simple_query_string" => words::simple_query_string(body),
        other if REFUSED.contains(&other) => Err(EsError::unsupported(&format!("[{other}] query"))),
        other => {
            let all: Vec<&str> = KNOWN.iter().chain(REFUSED).copied().collect();
            Err(unknown_query(other, &all))
        }
    }
}

/// No field is nested: lists of objects are told, not searched one by one.
fn nested(body: &Map<String, Value>) -> Result<Query, EsError> {
    if body.get("ignore_unmapped").is_some_and(|v| *v == Value::Bool(true)) {
        return Ok(Query::MatchNone);
    }
    let path = body.get("path").ok_or_else(|| EsError::parsing("[nested] requires 'path' field"))?;
    Err(EsError::query_shard(format!("[nested] failed to find nested object under path [{}]", shown(path)))
        .late())
}

fn unknown_query(name: &str, all: &[&str]) -> EsError {
    let short: String = name.chars().take(200).collect();
    let cause =
        EsError::new(400, "named_object_not_found_exception", format!("[1:1] unknown field [{short}]"));
    EsError::parsing(format!("unknown query [{short}]{}", suggestion(&short, all))).caused_by(cause)
}

/// Refuses members that a query does not have; `boost` every query has, a name no query may have.
fn members_of(what: &str, body: &Map<String, Value>, known: &[&str]) -> Result<(), EsError> {
    for key in body.keys() {
        if key != "boost" && key != "_name" && !known.contains(&key.as_str()) {
            return Err(EsError::parsing(format!("[{what}] query does not support [{key}]")));
        }
    }
    Ok(())
}

/// A member of any query: beside its field, or in what is said of it.
fn common<'v>(kind: &str, body: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    let leaf = !is_compound(kind) && kind != "terms";
    body.get(name).or_else(|| body.values().filter(|_| leaf).find_map(|v| v.get(name)))
}

/// Queries of other queries.
fn is_compound(kind: &str) -> bool {
    matches!(kind, "bool" | "boosting" | "constant_score" | "dis_max")
}

fn name_of(kind: &str, body: &Map<String, Value>) -> Option<String> {
    common(kind, body, "_name").and_then(Value::as_str).map(str::to_owned)
}

/// What a leaf counts, where it is said and is not 1. A `bool` counts what its clauses do.
fn boost_of(kind: &str, body: &Map<String, Value>) -> Option<f32> {
    let boost = common(kind, body, "boost").filter(|_| !is_compound(kind))?.as_f64()? as f32;
    Some(boost).filter(|boost| *boost != 1.0 && boost.is_finite() && *boost >= 0.0)
}

fn clauses(what: &str, name: &str, value: &Value, depth: usize) -> Result<Vec<Query>, EsError> {
    let read = |v: &Value| query(v, depth + 1).map_err(|e| failed(what, name, e));
    match value {
        Value::Array(list) => list.iter().map(read).collect(),
        Value::Object(_) => Ok(vec![read(value)?]),
        other => Err(EsError::x_content(format!(
            "[{what}] {name} doesn't support values of type: {}",
            token(other)
        ))),
    }
}

fn boolean(body: &Map<String, Value>, depth: usize) -> Result<Query, EsError> {
    let mut out = BoolQuery::default();
    for (name, value) in body {
        match name.as_str() {
            "must" => out.must = clauses("bool", name, value, depth)?,
            "filter" => out.filter = clauses("bool", name, value, depth)?,
            "should" => out.should = clauses("bool", name, value, depth)?,
            "must_not" => out.must_not = clauses("bool", name, value, depth)?,
            "minimum_should_match" => {
                let minimum = MinimumMatch::parse(&text("bool", name, value)?);
                out.minimum_should_match = Some(minimum.map_err(EsError::in_query)?);
            }
            "boost" => {
                float("bool", name, value)?;
            }
            "adjust_pure_negative" | "_name" => {}
            other => {
                let known =
                    ["must", "filter", "should", "must_not", "minimum_should_match", "boost", "_name"];
                return Err(EsError::x_content(format!(
                    "[bool] unknown field [{other}]{}",
                    suggestion(other, &known)
                )));
            }
        }
    }
    Ok(Query::Bool(out))
}

/// A leaf's one field with what is said of it.
fn field_of<'v>(what: &str, body: &'v Map<String, Value>) -> Result<(&'v str, &'v Value), EsError> {
    let mut fields = body.iter().filter(|(name, _)| name.as_str() != "boost" && name.as_str() != "_name");
    let Some((field, value)) = fields.next() else {
        return Err(EsError::illegal("fieldName must not be null or empty"));
    };
    if let Some((other, _)) = fields.next() {
        return Err(EsError::parsing(format!(
            "[{what}] query doesn't support multiple fields, found [{field}] and [{other}]"
        )));
    }
    Ok((field, value))
}

/// What is said of a leaf's field: options, and the value.
type Said<'v> = (Option<&'v Map<String, Value>>, Option<&'v Value>);

/// What is said of a leaf's field: an object, or the value that stands for its member `short`.
fn said<'v>(what: &str, value: &'v Value, short: &str, known: &[&str]) -> Result<Said<'v>, EsError> {
    match value {
        Value::Object(map) => {
            members_of(what, map, known)?;
            Ok((Some(map), map.get(short)))
        }
        Value::Array(_) => {
            Err(EsError::parsing(format!("[{what}] unknown token [START_ARRAY] after [{short}]")))
        }
        Value::Null => Ok((None, None)),
        scalar => Ok((None, Some(scalar))),
    }
}
