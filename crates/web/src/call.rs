//! One request, read; what calls ask of it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use axum::http::Method;
use serde_json::{Map, Value};

use crate::Failure;
use crate::api::Api;
use crate::backend::{IndexInfo, SearchOptions, Snapshot};
use crate::json;
use crate::media::Form;
use crate::names::{self, Expansion};
use crate::params::Params;
use crate::reply::Wanted;

/// Parameters that say how names of indices are read.
pub(crate) const INDICES: &[&str] =
    &["index", "ignore_unavailable", "allow_no_indices", "expand_wildcards", "ignore_throttled"];

/// One request.
pub(crate) struct Call<'a> {
    pub(crate) api: &'a Api,
    pub(crate) method: Method,
    /// As it came, without parameters.
    pub(crate) path: String,
    /// Those of the path and those behind it.
    pub(crate) params: Params,
    /// Unpacked.
    pub(crate) body: Vec<u8>,
    /// What `Accept` names, if it names anything.
    pub(crate) accepted: Option<Form>,
    pub(crate) wanted: Wanted,
    pub(crate) began: Instant,
    pub(crate) deadline: Instant,
    pub(crate) cancelled: Arc<AtomicBool>,
}

impl Call<'_> {
    /// What can be searched now.
    pub(crate) fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.api.backend.snapshot()
    }

    /// How names of indices are read here.
    ///
    /// # Errors
    /// When a parameter is wrong.
    pub(crate) fn expansion(&self, default: Expansion) -> Result<Expansion, Failure> {
        let mut how = default;
        if let Some(words) = self.params.list("expand_wildcards") {
            how = how.wildcards(words)?;
        }
        if let Some(ignore) = self.params.boolean("ignore_unavailable")? {
            how.ignore_unavailable = ignore;
        }
        if let Some(allow) = self.params.boolean("allow_no_indices")? {
            how.allow_no_indices = allow;
        }
        self.params.boolean("ignore_throttled")?;
        Ok(how)
    }

    /// The indices asked for.
    ///
    /// # Errors
    /// As [`names::resolve`].
    pub(crate) fn indices<'s>(&self, snapshot: &'s dyn Snapshot) -> Result<Vec<&'s IndexInfo>, Failure> {
        let how = self.expansion(Expansion::STRICT)?;
        names::resolve(self.params.get("index"), snapshot.indices(), how)
    }

    /// The body as an object; an empty one when there is none.
    ///
    /// # Errors
    /// 400 when it is no JSON object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Failure> {
        let bytes = match self.params.text("source") {
            Some(source) if self.body.is_empty() => source.as_bytes(),
            _ => self.body.as_slice(),
        };
        if bytes.is_empty() {
            return Ok(Map::new());
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(expected_object("null", 0));
        }
        as_object(json::parse(bytes)?)
    }

    /// How searches of this request are done.
    ///
    /// # Errors
    /// When a parameter is wrong.
    pub(crate) fn search_options(&self) -> Result<SearchOptions, Failure> {
        Ok(SearchOptions {
            typed_keys: self.params.flag("typed_keys")?,
            deadline: self.deadline,
            cancelled: Arc::clone(&self.cancelled),
        })
    }

    /// Milliseconds since the request came.
    pub(crate) fn took(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// An object, or the error that it is none.
///
/// # Errors
/// `parsing_exception`.
pub(crate) fn as_object(value: Value) -> Result<Map<String, Value>, Failure> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(expected_object(json::token(&other), 1)),
    }
}

fn expected_object(found: &str, column: usize) -> Failure {
    Failure::parsing(format!("Expected [START_OBJECT] but found [{found}]"), 1, column)
}

/// The `_shards` of an answer: one shard an index, all of them well.
pub(crate) fn shards(indices: usize) -> Value {
    serde_json::json!({"total": indices, "successful": indices, "skipped": 0, "failed": 0})
}

/// Names of indices, as the backend wants them.
pub(crate) fn names_of<'a>(indices: &[&'a IndexInfo]) -> Vec<&'a str> {
    indices.iter().map(|index| index.name.as_str()).collect()
}
