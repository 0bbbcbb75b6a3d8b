//! `filters`: a bucket for each of several queries.

use serde_json::Value;

use super::MAX_LIST;
use crate::lang::agg::reader::Reader;
use crate::lang::ast::Query;
use crate::lang::dsl;
use crate::lang::error::EsError;

/// `filters`.
#[derive(Clone, Debug)]
pub struct FiltersAgg {
    /// The queries; names of anonymous ones are their numbers.
    pub filters: Vec<(String, Query)>,
    /// Buckets tell their names.
    pub named: bool,
    /// Buckets are members of an object.
    pub keyed: bool,
    /// The bucket of what none matches.
    pub other: Option<String>,
}

pub(in crate::lang::agg) fn filters(body: Reader<'_>) -> Result<FiltersAgg, EsError> {
    let mut keyed = body.flag("keyed", true)?;
    let named = matches!(body.get("filters"), Some(Value::Object(_))) && !keyed;
    let read = |v: &Value| dsl::parse(v).map_err(|e| body.failed("filters", e));
    let filters = match body.get("filters") {
        Some(Value::Object(map)) if map.len() <= MAX_LIST => {
            let mut list = map
                .iter()
                .map(|(name, v)| Ok((name.clone(), read(v)?)))
                .collect::<Result<Vec<_>, EsError>>()?;
            list.sort_by(|a, b| a.0.cmp(&b.0));
            list
        }
        Some(Value::Array(list)) if list.len() <= MAX_LIST => {
            keyed = false;
            list.iter()
                .enumerate()
                .map(|(i, v)| Ok((i.to_string(), read(v)?)))
                .collect::<Result<_, EsError>>()?
        }
        _ => return Err(EsError::illegal("[filters] cannot be null.")),
    };
    let other_key = body.text("other_bucket_key")?;
    let other = body.flag("other_bucket", other_key.is_some())?;
    let other = other.then(|| other_key.unwrap_or_else(|| "_other_".to_owned()));
    body.end()?;
    Ok(FiltersAgg { filters, named, keyed, other })
}
