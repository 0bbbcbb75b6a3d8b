//! The order of hits.

use serde_json::{Map, Value};

use crate::lang::ast::Scalar;
use crate::lang::date::DateFormat;
use crate::lang::error::EsError;
use crate::lang::json::{failed, text, token};

/// One key of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// What is compared.
    pub on: SortOn,
    /// The largest first.
    pub descending: bool,
    /// Where documents without a value go.
    pub missing: Missing,
    /// Which of several values counts; `None`: the smallest when ascending, else the largest.
    pub mode: Option<Mode>,
    /// The type to assume when the field is not mapped, instead of an error.
    pub unmapped_type: Option<String>,
    /// How dates are written in `sort`.
    pub format: Option<String>,
    /// Compare as this type.
    pub numeric_type: Option<NumericType>,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortOn {
    /// A field.
    Field(String),
    /// The score.
    Score,
    /// The order of the index (`_doc`, `_shard_doc`).
    Doc,
}

/// Where documents without a value go.
#[derive(Clone, Debug, PartialEq)]
pub enum Missing {
    /// Before all others.
    First,
    /// After all others.
    Last,
    /// As if they had this value.
    Value(Scalar),
}

/// Which of several values counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The sum.
    Sum,
    /// The mean.
    Avg,
    /// The middle.
    Median,
}

/// The type values are compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumericType {
    /// Whole numbers.
    Long,
    /// Numbers.
    Double,
    /// Milliseconds.
    Date,
    /// Nanoseconds.
    DateNanos,
}

impl SortKey {
    /// By a field or `_score`, `_doc`, as a name alone means it.
    pub fn new(name: &str, descending: Option<bool>) -> Self {
        let on = match name {
            "_score" => SortOn::Score,
            "_doc" | "_shard_doc" => SortOn::Doc,
            field => SortOn::Field(field.to_owned()),
        };
        Self {
            descending: descending.unwrap_or(on == SortOn::Score),
            on,
            missing: Missing::Last,
            mode: None,
            unmapped_type: None,
            format: None,
            numeric_type: None,
        }
    }
}

/// Keys at most.
const MAX_KEYS: usize = 32;

pub(crate) fn parse(value: &Value) -> Result<Vec<SortKey>, EsError> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut keys = Vec::new();
    for entry in list {
        match entry {
            Value::String(name) => keys.push(SortKey::new(name, None)),
            Value::Object(map) => {
                for (name, options) in map {
                    keys.push(key(name, options)?);
                }
            }
            other => {
                return Err(EsError::illegal(format!(
                    "malformed sort format, within the sort array, an object, or an actual string are allowed, \
                     but found [{}]",
                    token(other)
                )));
            }
        }
    }
    if keys.len() > MAX_KEYS {
        return Err(EsError::illegal(format!("more than {MAX_KEYS} sort keys")));
    }
    // A sort by score alone is what happens anyway.
    if let [SortKey { on: SortOn::Score, descending: true, .. }] = keys.as_slice() {
        keys.clear();
    }
    Ok(keys)
}

pub(super) fn order(name: &str) -> Result<bool, EsError> {
    match name.to_ascii_lowercase().as_str() {
        "asc" => Ok(false),
        "desc" => Ok(true),
        other => Err(EsError::illegal(format!(
            "No enum constant org.elasticsearch.search.sort.SortOrder.{}",
            other.to_ascii_uppercase().chars().take(100).collect::<String>()
        ))),
    }
}

fn key(name: &str, options: &Value) -> Result<SortKey, EsError> {
    if name == "_script" || name == "_geo_distance" || name == "_geoDistance" {
        return Err(EsError::unsupported(&format!("[{name}] sort")));
    }
    let mut key = SortKey::new(name, None);
    match options {
        Value::String(s) => key.descending = order(s)?,
        Value::Object(map) => members(&mut key, map)?,
        other => {
            return Err(EsError::illegal(format!(
                "malformed sort format, an object or a text was expected for [{name}], but found [{}]",
                token(other)
            )));
        }
    }
    Ok(key)
}

fn members(key: &mut SortKey, map: &Map<String, Value>) -> Result<(), EsError> {
    let what = "field_sort";
    for (name, value) in map {
        if value.is_null() {
            continue;
        }
        match name.as_str() {
            "order" => {
                key.descending = order(&text(what, name, value)?).map_err(|e| failed(what, name, e))?;
            }
            "missing" => {
                key.missing = match value {
                    Value::String(s) if s == "_first" => Missing::First,
                    Value::String(s) if s == "_last" => Missing::Last,
                    value => Missing::Value(
                        Scalar::from_json(value)
                            .ok_or_else(|| EsError::x_content("[field_sort] missing has no value"))?,
                    ),
                };
            }
            "mode" => {
                let mode = text(what, name, value)?;
                key.mode = Some(match mode.to_ascii_lowercase().as_str() {
                    "min" => Mode::Min,
                    "max" => Mode::Max,
                    "sum" => Mode::Sum,
                    "avg" => Mode::Avg,
                    "median" => Mode::Median,
                    _ => {
                        let cause = EsError::illegal(format!("Unknown SortMode [{mode}]"));
                        return Err(failed(what, name, cause));
                    }
                });
            }
            "unmapped_type" => key.unmapped_type = Some(text(what, name, value)?),
            "ignore_unmapped" => key.unmapped_type = Some("long".to_owned()),
            "format" => {
                let format = text(what, name, value)?;
                DateFormat::parse(&format)?;
                key.format = Some(format);
            }
            "numeric_type" => {
                let kind = text(what, name, value)?;
                key.numeric_type = Some(match kind.as_str() {
                    "long" => NumericType::Long,
                    "double" => NumericType::Double,
                    "date" => NumericType::Date,
                    "date_nanos" => NumericType::DateNanos,
                    other => {
                        return Err(EsError::illegal(format!(
                            "invalid value for [numeric_type], must be [long, double, date, date_nanos], got {other}"
                        )));
                    }
                });
            }
            "nested" | "nested_path" | "nested_filter" => {
                return Err(EsError::unsupported(&format!("[{name}] of a sort")));
            }
            other => return Err(EsError::x_content(format!("[field_sort] unknown field [{other}]"))),
        }
    }
    Ok(())
}
