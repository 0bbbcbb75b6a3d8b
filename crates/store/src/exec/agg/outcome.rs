//! Results: buckets and numbers, and their JSON.

use serde_json::{Map, Value, json};

use crate::lang::ast::java_double;

/// A result with its name.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) meta: Option<Value>,
    pub(super) outcome: Outcome,
}

/// A result.
pub(super) enum Outcome {
    /// Several buckets.
    Buckets {
        /// Elasticsearch's name of the type.
        kind: &'static str,
        buckets: Vec<Bucket>,
        /// As members of an object.
        keyed: bool,
        /// Members beside the buckets.
        more: Map<String, Value>,
    },
    /// One bucket.
    One { kind: &'static str, bucket: Bucket },
    /// Numbers, or whatever else.
    Metric {
        kind: &'static str,
        body: Map<String, Value>,
        /// The numbers by name; the first is meant when none is named.
        numbers: Vec<(String, f64)>,
    },
}

/// A bucket.
#[derive(Default)]
pub(super) struct Bucket {
    /// Its name when buckets are members of an object.
    pub(super) name: String,
    /// Its key and what else is said of it.
    pub(super) body: Map<String, Value>,
    /// Its key as a number, where it is one.
    pub(super) key: f64,
    pub(super) count: u64,
    pub(super) subs: Vec<Named>,
}

/// A number; what JSON has no number for is a text, as Elasticsearch writes it.
pub(super) fn number(n: f64) -> Value {
    if n.is_finite() { json!(n) } else { json!(java_double(n)) }
}

/// A number that may not be there.
pub(super) fn maybe(n: Option<f64>) -> Value {
    n.map_or(Value::Null, number)
}

impl Named {
    pub(super) fn to_json(&self, typed: bool) -> (String, Value) {
        let mut body = match &self.outcome {
            Outcome::Metric { body, .. } => body.clone(),
            Outcome::One { bucket, .. } => bucket.to_json(typed),
            Outcome::Buckets { buckets, keyed, more, .. } => {
                let mut body = more.clone();
                let list = if *keyed {
                    let one = |b: &Bucket| (b.name.clone(), Value::Object(b.to_json(typed)));
                    Value::Object(buckets.iter().map(one).collect())
                } else {
                    Value::Array(buckets.iter().map(|b| Value::Object(b.to_json(typed))).collect())
                };
                body.insert("buckets".to_owned(), list);
                body
            }
        };
        if let Some(meta) = &self.meta {
            body.insert("meta".to_owned(), meta.clone());
        }
        let name = if typed { format!("{}#{}", self.outcome.kind(), self.name) } else { self.name.clone() };
        (name, Value::Object(body))
    }
}

impl Bucket {
    fn to_json(&self, typed: bool) -> Map<String, Value> {
        let mut body = self.body.clone();
        body.insert("doc_count".to_owned(), json!(self.count));
        for sub in &self.subs {
            let (name, value) = sub.to_json(typed);
            body.insert(name, value);
        }
        body
    }

    /// A number in it: `_count`, `_key`, `name`, `name.part`, `name>…`.
    pub(super) fn number(&self, path: &str) -> Option<f64> {
        match path {
            "_count" => return Some(self.count as f64),
            "_key" => return Some(self.key),
            _ => {}
        }
        let (head, rest) = path.split_once('>').map_or((path, None), |(h, r)| (h, Some(r)));
        let (name, part) = match self.subs.iter().find(|s| s.name == head) {
            Some(_) => (head, ""),
            None => super::split_part(head),
        };
        let sub = self.subs.iter().find(|s| s.name == name)?;
        match (&sub.outcome, rest) {
            (Outcome::Metric { numbers, .. }, None) => {
                let mut found =
                    numbers.iter().filter(|n| part.is_empty() || n.0 == part || same_number(&n.0, part));
                found.next().map(|n| n.1)
            }
            (Outcome::One { bucket, .. }, Some(rest)) => bucket.number(rest),
            (Outcome::One { bucket, .. }, None) if part == "_count" => Some(bucket.count as f64),
            (Outcome::Buckets { buckets, .. }, rest) => {
                if part == "_bucket_count" {
                    return Some(buckets.len() as f64);
                }
                let bucket = buckets.iter().find(|b| !part.is_empty() && b.name == part)?;
                bucket.number(rest.unwrap_or("_count"))
            }
            _ => None,
        }
    }
}

impl Bucket {
    /// Whether the first step of a path leads to something that this bucket has, whatever its value.
    pub(super) fn has(&self, path: &str) -> bool {
        let head = path.split('>').next().unwrap_or_default();
        let name = super::split_part(head).0;
        matches!(path, "_count" | "_key") || self.subs.iter().any(|s| s.name == head || s.name == name)
    }
}

/// `95` and `95.0`.
fn same_number(a: &str, b: &str) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

impl Outcome {
    /// One number.
    pub(super) fn simple(kind: &'static str, value: Option<f64>, text: Option<String>) -> Self {
        let mut body = Map::new();
        body.insert("value".to_owned(), maybe(value));
        if let Some(text) = text {
            body.insert("value_as_string".to_owned(), json!(text));
        }
        let numbers = value.map(|v| vec![("value".to_owned(), v)]).unwrap_or_default();
        Self::Metric { kind, body, numbers }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Buckets { kind, .. } | Self::One { kind, .. } | Self::Metric { kind, .. } => kind,
        }
    }
}
