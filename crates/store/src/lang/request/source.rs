//! What of a document is told.

use serde_json::{Map, Value};

use crate::lang::error::EsError;
use crate::lang::json::{boolean, matches_simple, text, texts, token};

/// What of a document is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFilter {
    /// Whether it is told at all.
    pub fetch: bool,
    /// Names of fields and objects, with `*`; empty: all.
    pub includes: Vec<String>,
    /// What is left out.
    pub excludes: Vec<String>,
}

impl SourceFilter {
    /// From `true`, a name, names, or `{"includes": …, "excludes": …}`.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(value: &Value) -> Result<Self, EsError> {
        let mut out = Self { fetch: true, includes: Vec::new(), excludes: Vec::new() };
        match value {
            Value::Bool(fetch) => out.fetch = *fetch,
            Value::String(_) | Value::Array(_) => out.includes = texts("_source", "includes", value)?,
            Value::Object(map) => {
                for (name, value) in map {
                    match name.as_str() {
                        "includes" | "include" => out.includes = texts("_source", name, value)?,
                        "excludes" | "exclude" => out.excludes = texts("_source", name, value)?,
                        other => {
                            return Err(EsError::parsing(format!(
                                "Unknown key for a {} in [{other}].",
                                token(value)
                            )));
                        }
                    }
                }
            }
            other => {
                return Err(EsError::parsing(format!(
                    "Expected one of [VALUE_BOOLEAN, VALUE_STRING, START_ARRAY, START_OBJECT] but found [{}]",
                    token(other)
                )));
            }
        }
        Ok(out)
    }

    /// A document without what is not told.
    pub fn apply(&self, document: Value) -> Value {
        if self.includes.is_empty() && self.excludes.is_empty() {
            return document;
        }
        match document {
            Value::Object(map) => {
                let mut path = String::new();
                Value::Object(self.object(map, &mut path, self.includes.is_empty()))
            }
            other => other,
        }
    }

    fn object(&self, map: Map<String, Value>, path: &mut String, included: bool) -> Map<String, Value> {
        let length = path.len();
        let mut out = Map::new();
        for (name, value) in map {
            if length > 0 {
                path.push('.');
            }
            path.push_str(&name);
            let names = |list: &[String]| list.iter().any(|p| matches_simple(p, path));
            if !names(&self.excludes) {
                let included = included || names(&self.includes);
                if let Some(value) = self.value(value, path, included) {
                    out.insert(name, value);
                }
            }
            path.truncate(length);
        }
        out
    }

    fn value(&self, value: Value, path: &mut String, included: bool) -> Option<Value> {
        match value {
            Value::Object(map) => {
                let empty = map.is_empty();
                let kept = self.object(map, path, included);
                (!kept.is_empty() || included && (empty || self.excludes.is_empty()))
                    .then_some(Value::Object(kept))
            }
            Value::Array(list) => {
                let empty = list.is_empty();
                let kept: Vec<Value> =
                    list.into_iter().filter_map(|v| self.value(v, path, included)).collect();
                (!kept.is_empty() || included && empty).then_some(Value::Array(kept))
            }
            leaf => included.then_some(leaf),
        }
    }
}

/// Fields told beside the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldAsk {
    /// A name, with `*`.
    pub pattern: String,
    /// How dates are written.
    pub format: Option<String>,
}

impl FieldAsk {
    pub(super) fn list(what: &str, value: &Value) -> Result<Vec<Self>, EsError> {
        let list = match value {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        list.iter().map(|v| Self::list_of_one(what, v)).collect()
    }

    pub(crate) fn list_of_one(what: &str, value: &Value) -> Result<Self, EsError> {
        let Value::Object(map) = value else {
            return Ok(Self { pattern: text(what, "field", value)?, format: None });
        };
        let mut out = Self { pattern: String::new(), format: None };
        for (name, value) in map {
            match name.as_str() {
                "field" => out.pattern = text(what, name, value)?,
                "format" => out.format = Some(text(what, name, value)?),
                "include_unmapped" => {
                    boolean(what, name, value)?;
                }
                other => return Err(EsError::x_content(format!("[{what}] unknown field [{other}]"))),
            }
        }
        if out.pattern.is_empty() {
            return Err(EsError::illegal("Required [field]"));
        }
        Ok(out)
    }
}
