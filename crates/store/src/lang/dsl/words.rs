//! Queries of words.

use serde_json::{Map, Value};

use super::leaf::edits;
use super::{field_of, members_of, said};
use crate::lang::analyze;
use crate::lang::ast::{BoolQuery, Fuzziness, MatchQuery, MinimumMatch, Operator, Query, Scalar};
use crate::lang::error::EsError;
use crate::lang::json::{boolean, integer, text, texts};
use crate::lang::{kql, lucene, simple};

/// What `match` may say.
const MATCH: &[&str] = &[
    "query",
    "operator",
    "analyzer",
    "fuzziness",
    "prefix_length",
    "max_expansions",
    "fuzzy_transpositions",
    "fuzzy_rewrite",
    "minimum_should_match",
    "lenient",
    "zero_terms_query",
    "auto_generate_synonyms_phrase_query",
];

fn operator(what: &str, value: Option<&Value>, name: &str) -> Result<Operator, EsError> {
    let Some(value) = value else { return Ok(Operator::Or) };
    let said = text(what, name, value)?;
    match said.to_ascii_lowercase().as_str() {
        "or" => Ok(Operator::Or),
        "and" => Ok(Operator::And),
        _ => Err(EsError::illegal(format!(
            "operator needs to be either 'AND' or 'OR', but not [{}]",
            said.chars().take(100).collect::<String>()
        ))),
    }
}

fn minimum(what: &str, options: &Map<String, Value>) -> Result<Option<MinimumMatch>, EsError> {
    match options.get("minimum_should_match") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => MinimumMatch::parse(&text(what, "minimum_should_match", value)?)
            .map(Some)
            .map_err(EsError::in_query),
    }
}

fn flag(what: &str, options: &Map<String, Value>, name: &str) -> Result<bool, EsError> {
    match options.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(value) => boolean(what, name, value),
    }
}

/// Texts have one analyzer.
fn analyzer(what: &str, options: &Map<String, Value>) -> Result<(), EsError> {
    for name in ["analyzer", "quote_analyzer", "quote_field_suffix"] {
        match options.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(s)) if s == "standard" => {}
            Some(_) => return Err(EsError::unsupported(&format!("[{name}] of a [{what}] query"))),
        }
    }
    Ok(())
}

fn zero_terms(what: &str, options: &Map<String, Value>) -> Result<bool, EsError> {
    let Some(value) = options.get("zero_terms_query") else { return Ok(false) };
    match text(what, "zero_terms_query", value)?.to_ascii_lowercase().as_str() {
        "none" => Ok(false),
        "all" => Ok(true),
        other => Err(EsError::parsing(format!(
            "Unsupported zero_terms_query value [{}]",
            other.chars().take(100).collect::<String>()
        ))),
    }
}

fn words(
    what: &str,
    field: &str,
    value: Option<&Value>,
    options: &Map<String, Value>,
) -> Result<Query, EsError> {
    let text = value
        .and_then(Scalar::from_json)
        .ok_or_else(|| EsError::parsing("No text specified for text query"))?;
    analyzer(what, options)?;
    Ok(Query::Match(MatchQuery {
        field: field.to_owned(),
        text,
        operator: operator(what, options.get("operator"), "operator")?,
        minimum_should_match: minimum(what, options)?,
        fuzziness: edits(what, Some(options), "fuzzy_transpositions")?,
        prefix: what == "match_bool_prefix",
        zero_terms_all: zero_terms(what, options)?,
        lenient: flag(what, options, "lenient")?,
    }))
}

/// `match` and `match_bool_prefix`.
pub(super) fn matches(what: &str, body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = field_of(what, body)?;
    let (options, value) = said(what, value, "query", MATCH)?;
    let none = Map::new();
    words(what, field, value, options.unwrap_or(&none))
}

/// `match_phrase` and `match_phrase_prefix`.
pub(super) fn phrase(what: &str, body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = field_of(what, body)?;
    let (options, value) =
        said(what, value, "query", &["query", "analyzer", "slop", "zero_terms_query", "max_expansions"])?;
    let none = Map::new();
    let options = options.unwrap_or(&none);
    let text = value
        .and_then(Scalar::from_json)
        .ok_or_else(|| EsError::parsing("No text specified for text query"))?;
    analyzer(what, options)?;
    if zero_terms(what, options)? {
        return Err(EsError::unsupported(&format!("[zero_terms_query] of a [{what}] query")));
    }
    let slop = options.get("slop").map_or(Ok(0), |v| integer(what, "slop", v))?;
    let slop = u32::try_from(slop).map_err(|_| EsError::illegal("No negative slop allowed."))?;
    Ok(Query::MatchPhrase { field: field.to_owned(), text, slop, prefix: what == "match_phrase_prefix" })
}

/// Names of fields without their boosts.
fn fields(what: &str, value: Option<&Value>) -> Result<Vec<String>, EsError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let list = texts(what, "fields", value)?;
    Ok(list.iter().map(|f| f.split('^').next().unwrap_or_default().to_owned()).collect())
}

pub(super) fn multi_match(body: &Map<String, Value>) -> Result<Query, EsError> {
    let what = "multi_match";
    let known = [MATCH, &["fields", "type", "slop", "tie_breaker", "use_dis_max"]].concat();
    members_of(what, body, &known)?;
    let value = body.get("query");
    let fields = fields(what, body.get("fields"))?;
    let lenient = flag(what, body, "lenient")? || fields.is_empty() || fields.iter().any(|f| f == "*");
    let kind = body.get("type").map_or(Ok("best_fields".to_owned()), |v| text(what, "type", v))?;
    let any = |leaf: Query| Query::AnyField { fields: fields.clone(), leaf: Box::new(leaf), lenient };
    let said = value
        .and_then(Scalar::from_json)
        .ok_or_else(|| EsError::parsing("No text specified for multi_match query"))?;
    match kind.as_str() {
        "best_fields" | "most_fields" => Ok(any(words(what, "", value, body)?)),
        "bool_prefix" => {
            let mut leaf = words(what, "", value, body)?;
            if let Query::Match(leaf) = &mut leaf {
                leaf.prefix = true;
            }
            Ok(any(leaf))
        }
        "phrase" | "phrase_prefix" => {
            let slop = body.get("slop").map_or(Ok(0), |v| integer(what, "slop", v))?;
            let slop = u32::try_from(slop).map_err(|_| EsError::illegal("No negative slop allowed."))?;
            Ok(any(Query::MatchPhrase {
                field: String::new(),
                text: said,
                slop,
                prefix: kind == "phrase_prefix",
            }))
        }
        "cross_fields" => {
            // Each word may be in another field.
            let each: Vec<Query> =
                analyze::words(&said.text()).map(|word| any(Query::matches("", word.as_str()))).collect();
            let minimum = minimum(what, body)?;
            match operator(what, body.get("operator"), "operator")? {
                Operator::And => Ok(Query::all(each)),
                Operator::Or if each.is_empty() => Ok(Query::MatchNone),
                Operator::Or => Ok(Query::Bool(BoolQuery {
                    should: each,
                    minimum_should_match: minimum,
                    ..BoolQuery::default()
                })),
            }
        }
        other => Err(EsError::parse(format!(
            "failed to parse [multi_match] query type [{}]. unknown type.",
            other.chars().take(100).collect::<String>()
        ))),
    }
}

pub(super) fn query_string(body: &Map<String, Value>) -> Result<Query, EsError> {
    let what = "query_string";
    members_of(
        what,
        body,
        &[
            "query",
            "default_field",
            "fields",
            "default_operator",
            "analyzer",
            "quote_analyzer",
            "quote_field_suffix",
            "allow_leading_wildcard",
            "max_determinized_states",
            "enable_position_increments",
            "escape",
            "fuzziness",
            "fuzzy_prefix_length",
            "fuzzy_max_expansions",
            "fuzzy_rewrite",
            "fuzzy_transpositions",
            "phrase_slop",
            "analyze_wildcard",
            "rewrite",
            "minimum_should_match",
            "lenient",
            "time_zone",
            "type",
            "tie_breaker",
            "auto_generate_synonyms_phrase_query",
            "auto_generate_phrase_queries",
        ],
    )?;
    let Some(query) = body.get("query") else {
        return Err(EsError::parsing("[query_string] must be provided with a [query]"));
    };
    let query = text(what, "query", query)?;
    analyzer(what, body)?;
    if flag(what, body, "escape")? {
        return Err(EsError::unsupported("[escape] of a [query_string] query"));
    }
    let mut names = list_of_fields(what, body)?;
    if let Some(one) = body.get("default_field") {
        if !names.is_empty() {
            return Err(EsError::parsing(
                "cannot use [fields] parameter in conjunction with [default_field]",
            ));
        }
        names = vec![text(what, "default_field", one)?];
    }
    let slop = body.get("phrase_slop").map_or(Ok(0), |v| integer(what, "phrase_slop", v))?;
    let leading = body
        .get("allow_leading_wildcard")
        .map_or(Ok(true), |v| boolean(what, "allow_leading_wildcard", v))?;
    let mut fuzziness = Fuzziness::default();
    if let Some(value) = body.get("fuzziness") {
        fuzziness.edits = super::leaf::fuzziness(what, value)?;
    }
    lucene::parse(
        &query,
        &lucene::Options {
            fields: every_field(names),
            operator: operator(what, body.get("default_operator"), "default_operator")?,
            lenient: flag(what, body, "lenient")?,
            minimum_should_match: minimum(what, body)?,
            phrase_slop: u32::try_from(slop).map_err(|_| EsError::illegal("No negative slop allowed."))?,
            time_zone: body.get("time_zone").map(|v| text(what, "time_zone", v)).transpose()?,
            no_leading_wildcard: !leading,
            fuzziness,
        },
    )
    .map_err(EsError::in_query)
}

/// Here names of fields have to be a list.
fn list_of_fields(what: &str, body: &Map<String, Value>) -> Result<Vec<String>, EsError> {
    match body.get("fields") {
        Some(Value::String(_)) => Err(EsError::parsing(format!("[{what}] query does not support [fields]"))),
        value => fields(what, value),
    }
}

/// Kibana's query language, as Elasticsearch 8.18 and later read it.
pub(super) fn kql(body: &Map<String, Value>) -> Result<Query, EsError> {
    let what = "kql";
    members_of(what, body, &["query", "case_insensitive", "default_field", "time_zone"])?;
    let Some(query) = body.get("query") else {
        return Err(EsError::illegal("Required [query]"));
    };
    let fields = body.get("default_field").map(|v| text(what, "default_field", v)).transpose()?;
    kql::parse(
        &text(what, "query", query)?,
        &kql::Options {
            fields: every_field(fields.into_iter().collect()),
            time_zone: body.get("time_zone").map(|v| text(what, "time_zone", v)).transpose()?,
            case_insensitive: flag(what, body, "case_insensitive")?,
        },
    )
}

/// `*` alone is every field.
fn every_field(names: Vec<String>) -> Vec<String> {
    if names.iter().any(|n| n == "*") { Vec::new() } else { names }
}

pub(super) fn simple_query_string(body: &Map<String, Value>) -> Result<Query, EsError> {
    let what = "simple_query_string";
    members_of(
        what,
        body,
        &[
            "query",
            "fields",
            "default_operator",
            "analyzer",
            "flags",
            "lenient",
            "analyze_wildcard",
            "quote_field_suffix",
            "minimum_should_match",
            "auto_generate_synonyms_phrase_query",
            "fuzzy_prefix_length",
            "fuzzy_max_expansions",
            "fuzzy_transpositions",
        ],
    )?;
    let Some(query) = body.get("query") else {
        return Err(EsError::parsing("[simple_query_string] query text missing"));
    };
    let query = text(what, "query", query)?;
    analyzer(what, body)?;
    let flags = match body.get("flags") {
        None | Some(Value::Null) => simple::Flags::default(),
        Some(Value::Number(n)) if n.as_i64() == Some(-1) => simple::Flags::default(),
        Some(value) => simple::Flags::parse(&text(what, "flags", value)?)?,
    };
    simple::parse(
        &query,
        &simple::Options {
            fields: every_field(list_of_fields(what, body)?),
            operator: operator(what, body.get("default_operator"), "default_operator")?,
            lenient: flag(what, body, "lenient")?,
            minimum_should_match: minimum(what, body)?,
            flags,
        },
    )
    .map_err(EsError::in_query)
}
