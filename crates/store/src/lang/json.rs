//! Members of a request's objects, read as leniently as Elasticsearch does.

use serde_json::{Map, Value};

use super::ast::Scalar;
use super::error::EsError;

/// Elasticsearch's name of a value's first token.
pub(crate) fn token(value: &Value) -> &'static str {
    match value {
        Value::Null => "VALUE_NULL",
        Value::Bool(_) => "VALUE_BOOLEAN",
        Value::Number(_) => "VALUE_NUMBER",
        Value::String(_) => "VALUE_STRING",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

/// What of a value goes into a message.
pub(crate) fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    };
    text.chars().take(200).collect()
}

/// A member that is not what it should be.
fn wrong(what: &str, name: &str, value: &Value) -> EsError {
    EsError::x_content(format!("[{what}] {name} doesn't support values of type: {}", token(value)))
}

/// A member that cannot be read. What Elasticsearch finds later it does not find here.
pub(crate) fn failed(what: &str, name: &str, cause: EsError) -> EsError {
    if cause.shard_of.is_some() {
        return cause;
    }
    EsError::x_content(format!("[{what}] failed to parse field [{name}]")).caused_by(cause)
}

/// A text; numbers and booleans are written as such.
pub(crate) fn text(what: &str, name: &str, value: &Value) -> Result<String, EsError> {
    Scalar::from_json(value).map(|s| s.text().into_owned()).ok_or_else(|| wrong(what, name, value))
}

/// A whole number, also written as a text or with a fraction of zero.
pub(crate) fn integer(what: &str, name: &str, value: &Value) -> Result<i64, EsError> {
    let bad = |text: &str| failed(what, name, EsError::number_format(text));
    match value {
        Value::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(n), _) => Ok(n),
            (None, Some(f)) if f.fract() == 0.0 && f.abs() < 9e15 => Ok(f as i64),
            (None, Some(f)) if f.abs() < 9e15 => Err(failed(
                what,
                name,
                EsError::illegal(format!("{n} cannot be converted to Integer without data loss")),
            )),
            _ => Err(bad(&n.to_string())),
        },
        Value::String(s) => s.trim().parse::<i64>().map_err(|_| bad(&shown(value))),
        other => Err(wrong(what, name, other)),
    }
}

/// A number, also written as a text.
pub(crate) fn float(what: &str, name: &str, value: &Value) -> Result<f64, EsError> {
    match value {
        Value::Number(n) => n.as_f64().ok_or_else(|| wrong(what, name, value)),
        Value::String(s) => {
            s.trim().parse::<f64>().map_err(|_| failed(what, name, EsError::number_format(&shown(value))))
        }
        other => Err(wrong(what, name, other)),
    }
}

/// A boolean, also written as a text.
pub(crate) fn boolean(what: &str, name: &str, value: &Value) -> Result<bool, EsError> {
    match value {
        Value::Bool(b) => Ok(*b),
        Value::String(s) if s == "true" => Ok(true),
        Value::String(s) if s == "false" => Ok(false),
        Value::String(_) => Err(failed(
            what,
            name,
            EsError::illegal(format!(
                "Failed to parse value [{}] as only [true] or [false] are allowed.",
                shown(value)
            )),
        )),
        other => Err(wrong(what, name, other)),
    }
}

/// An object.
pub(crate) fn object<'v>(
    what: &str,
    name: &str,
    value: &'v Value,
) -> Result<&'v Map<String, Value>, EsError> {
    value.as_object().ok_or_else(|| wrong(what, name, value))
}

/// A text, or a list of texts.
pub(crate) fn texts(what: &str, name: &str, value: &Value) -> Result<Vec<String>, EsError> {
    match value {
        Value::Array(list) => list.iter().map(|v| text(what, name, v)).collect(),
        one => Ok(vec![text(what, name, one)?]),
    }
}

/// Something whose name is not known, with what may have been meant.
pub(crate) fn suggestion(unknown: &str, candidates: &[&str]) -> String {
    let mut near: Vec<(f64, &str)> = candidates
        .iter()
        .map(|c| (strsim::normalized_levenshtein(unknown, c), *c))
        .filter(|(score, _)| *score > 0.5 && unknown.len() < 100)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let names: Vec<&str> = near.iter().map(|n| n.1).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!(" did you mean [{one}]?"),
        many => format!(" did you mean any of [{}]?", many.join(", ")),
    }
}

/// `text` matches a pattern in which `*` stands for any text.
pub fn matches_simple(pattern: &str, text: &str) -> bool {
    let (p, t) = (pattern.as_bytes(), text.as_bytes());
    let (mut i, mut j) = (0, 0);
    // Where to go on after the last star: a longer piece of text under it.
    let mut star: Option<(usize, usize)> = None;
    while j < t.len() {
        if i < p.len() && p[i] == b'*' {
            star = Some((i + 1, j));
            i += 1;
        } else if i < p.len() && p[i] == t[j] {
            i += 1;
            j += 1;
        } else if let Some((after, from)) = star {
            i = after;
            j = from + 1;
            star = Some((after, from + 1));
        } else {
            return false;
        }
    }
    p[i..].iter().all(|&b| b == b'*')
}
