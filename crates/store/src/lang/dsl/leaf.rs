//! Queries of terms and ranges.

use std::ops::Bound;

use serde_json::{Map, Value};

use super::{field_of, members_of, said};
use crate::lang::ast::{Fuzziness, Query, RangeQuery, RegexpFlags, Scalar};
use crate::lang::date::{DateFormat, Zone};
use crate::lang::error::EsError;
use crate::lang::json::{boolean, integer, text, token};

/// Values of `terms` at most: Elasticsearch's `index.max_terms_count`.
pub(super) const MAX_TERMS: usize = 65_536;

fn scalar(what: &str, value: Option<&Value>) -> Result<Scalar, EsError> {
    match value {
        None | Some(Value::Null) => Err(EsError::illegal("value cannot be null")),
        Some(value) => Scalar::from_json(value).ok_or_else(|| {
            EsError::parsing(format!("[{what}] query malformed, no value but [{}]", token(value)))
        }),
    }
}

fn flag(what: &str, options: Option<&Map<String, Value>>, name: &str) -> Result<bool, EsError> {
    options.and_then(|o| o.get(name)).map_or(Ok(false), |v| boolean(what, name, v))
}

pub(super) fn term(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = field_of("term", body)?;
    if value.is_array() {
        return Err(EsError::parsing("[term] query does not support array of values"));
    }
    let (options, value) = said("term", value, "value", &["value", "case_insensitive", "term"])?;
    let value = value.or_else(|| options.and_then(|o| o.get("term")));
    Ok(Query::Term {
        field: field.to_owned(),
        value: scalar("term", value)?,
        case_insensitive: flag("term", options, "case_insensitive")?,
    })
}

pub(super) fn terms(body: &Map<String, Value>) -> Result<Query, EsError> {
    let mut found: Option<(&String, &Vec<Value>)> = None;
    for (name, value) in body {
        match value {
            Value::Array(values) if found.is_none() => found = Some((name, values)),
            Value::Array(_) => {
                return Err(EsError::parsing("[terms] query does not support multiple fields"));
            }
            Value::Object(_) => return Err(EsError::unsupported("[terms] query with a lookup")),
            _ if name == "boost" || name == "_name" => {}
            _ => return Err(EsError::parsing(format!("[terms] query does not support [{name}]"))),
        }
    }
    let Some((field, values)) = found else {
        return Err(EsError::parsing(
            "[terms] query requires a field name, followed by array of terms or a document lookup specification",
        ));
    };
    if values.len() > MAX_TERMS {
        return Err(EsError::illegal(format!(
            "The number of terms [{}] used in the Terms Query request has exceeded the allowed maximum of \
             [{MAX_TERMS}]. This maximum can be set by changing the [index.max_terms_count] index level setting.",
            values.len()
        )));
    }
    let values = values
        .iter()
        .map(|v| match v {
            Value::Null => Err(EsError::parsing("No value specified for terms query")),
            v => scalar("terms", Some(v)),
        })
        .collect::<Result<_, _>>()?;
    Ok(Query::Terms { field: field.clone(), values })
}

pub(super) fn range(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = field_of("range", body)?;
    let Value::Object(options) = value else {
        return Err(EsError::parsing(format!("[range] query does not support [{field}]")));
    };
    let mut out = RangeQuery {
        field: field.to_owned(),
        lower: Bound::Unbounded,
        upper: Bound::Unbounded,
        format: None,
        time_zone: None,
    };
    let bound = |value: &Value, included: bool| -> Result<Bound<Scalar>, EsError> {
        Ok(match value {
            Value::Null => Bound::Unbounded,
            value if included => Bound::Included(scalar("range", Some(value))?),
            value => Bound::Excluded(scalar("range", Some(value))?),
        })
    };
    let included = |name: &str| options.get(name).map_or(Ok(true), |v| boolean("range", name, v));
    for (name, value) in options {
        match name.as_str() {
            "gt" => out.lower = bound(value, false)?,
            "gte" => out.lower = bound(value, true)?,
            "from" => out.lower = bound(value, included("include_lower")?)?,
            "lt" => out.upper = bound(value, false)?,
            "lte" => out.upper = bound(value, true)?,
            "to" => out.upper = bound(value, included("include_upper")?)?,
            "include_lower" | "include_upper" | "boost" | "_name" => {}
            "format" if value.is_null() => {}
            "format" => {
                let format = text("range", name, value)?;
                DateFormat::parse(&format)?;
                out.format = Some(format);
            }
            "time_zone" if value.is_null() => {}
            "time_zone" => {
                let zone = text("range", name, value)?;
                Zone::parse(&zone).map_err(|e| EsError::illegal(e.reason.clone()).caused_by(e))?;
                out.time_zone = Some(zone);
            }
            "relation" => {
                let relation = text("range", name, value)?;
                if !matches!(relation.to_ascii_lowercase().as_str(), "intersects" | "contains" | "within") {
                    return Err(EsError::illegal(format!("{relation} is not a valid relation")));
                }
            }
            other => return Err(EsError::parsing(format!("[range] query does not support [{other}]"))),
        }
    }
    Ok(Query::Range(out))
}

pub(super) fn exists(body: &Map<String, Value>) -> Result<Query, EsError> {
    members_of("exists", body, &["field"])?;
    match body.get("field") {
        Some(Value::String(field)) if !field.is_empty() => Ok(Query::Exists { field: field.clone() }),
        Some(Value::Object(_) | Value::Array(_)) => {
            Err(EsError::parsing("[exists] unknown token [START_OBJECT] after [field]"))
        }
        _ => Err(EsError::parsing("[exists] must be provided with a [field]")),
    }
}

pub(super) fn prefix(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = field_of("prefix", body)?;
    let (options, value) = said("prefix", value, "value", &["value", "rewrite", "case_insensitive"])?;
    Ok(Query::Prefix {
        field: field.to_owned(),
        value: scalar("prefix", value)?.text().into_owned(),
        case_insensitive: flag("prefix", options, "case_insensitive")?,
    })
}

pub(super) fn wildcard(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = field_of("wildcard", body)?;
    let known = ["value", "wildcard", "rewrite", "case_insensitive"];
    let (options, value) = said("wildcard", value, "value", &known)?;
    let value = value.or_else(|| options.and_then(|o| o.get("wildcard")));
    Ok(Query::Wildcard {
        field: field.to_owned(),
        pattern: scalar("wildcard", value)?.text().into_owned(),
        case_insensitive: flag("wildcard", options, "case_insensitive")?,
    })
}

pub(super) fn regexp(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = field_of("regexp", body)?;
    let known = ["value", "flags", "flags_value", "max_determinized_states", "rewrite", "case_insensitive"];
    let (options, value) = said("regexp", value, "value", &known)?;
    let flags = match options.and_then(|o| o.get("flags")) {
        Some(flags) => RegexpFlags::parse(&text("regexp", "flags", flags)?)?,
        None => RegexpFlags::ALL,
    };
    if options.is_some_and(|o| o.contains_key("flags_value")) {
        return Err(EsError::unsupported("[flags_value] of a [regexp] query"));
    }
    Ok(Query::Regexp {
        field: field.to_owned(),
        pattern: scalar("regexp", value)?.text().into_owned(),
        flags,
        case_insensitive: flag("regexp", options, "case_insensitive")?,
    })
}

/// `0`, `1`, `2`, `AUTO`.
pub(super) fn fuzziness(what: &str, value: &Value) -> Result<Option<u8>, EsError> {
    let said = text(what, "fuzziness", value)?;
    if said.eq_ignore_ascii_case("auto") {
        return Ok(None);
    }
    if said.get(..5).is_some_and(|t| t.eq_ignore_ascii_case("auto:")) {
        return if said[5..] == *"3,6" {
            Ok(None)
        } else {
            Err(EsError::unsupported("[fuzziness] [AUTO:low,high]"))
        };
    }
    match said.parse::<f64>() {
        Ok(n) if (0.0..=2.0).contains(&n) && n.fract() == 0.0 => Ok(Some(n as u8)),
        Ok(_) => Err(EsError::illegal(format!("Valid edit distances are [0, 1, 2] but was [{said}]"))),
        Err(_) => Err(EsError::number_format(&said)),
    }
}

pub(super) fn fuzzy(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = field_of("fuzzy", body)?;
    let known = ["value", "fuzziness", "prefix_length", "max_expansions", "transpositions", "rewrite"];
    let (options, value) = said("fuzzy", value, "value", &known)?;
    Ok(Query::Fuzzy {
        field: field.to_owned(),
        value: scalar("fuzzy", value)?.text().into_owned(),
        fuzziness: edits("fuzzy", options, "transpositions")?.unwrap_or_default(),
    })
}

/// The options of fuzziness; `None` when `fuzziness` itself is not among them.
pub(super) fn edits(
    what: &str,
    options: Option<&Map<String, Value>>,
    transpositions: &str,
) -> Result<Option<Fuzziness>, EsError> {
    let Some(options) = options else { return Ok(None) };
    let mut out = Fuzziness::default();
    if let Some(n) = options.get("prefix_length") {
        out.prefix_length = u32::try_from(integer(what, "prefix_length", n)?)
            .map_err(|_| EsError::illegal(format!("[{what}] requires prefix length to be non-negative.")))?;
    }
    if let Some(on) = options.get(transpositions) {
        out.transpositions = boolean(what, transpositions, on)?;
    }
    match options.get("fuzziness") {
        None | Some(Value::Null) if what == "fuzzy" => Ok(Some(out)),
        None | Some(Value::Null) => Ok(None),
        Some(n) => {
            out.edits = fuzziness(what, n)?;
            Ok(Some(out))
        }
    }
}

pub(super) fn ids(body: &Map<String, Value>) -> Result<Query, EsError> {
    for key in body.keys() {
        if !matches!(key.as_str(), "values" | "type" | "boost" | "_name") {
            return Err(EsError::x_content(format!("[ids] unknown field [{key}]")));
        }
    }
    let Some(values) = body.get("values") else { return Ok(Query::Ids(Vec::new())) };
    let list = crate::lang::json::texts("ids", "values", values)?;
    Ok(Query::Ids(list))
}
