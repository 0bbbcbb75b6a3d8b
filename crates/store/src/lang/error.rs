//! What went wrong with a request, in the words and the JSON of Elasticsearch.

use serde_json::{Map, Value, json};

/// An error as Elasticsearch tells it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{kind}: {reason}")]
pub struct EsError {
    /// The HTTP status.
    pub status: u16,
    /// `error.type`, e.g. `parsing_exception`.
    pub kind: String,
    /// `error.reason`: a sentence.
    pub reason: String,
    /// Further members of `error`, e.g. `line` and `col`.
    pub more: Map<String, Value>,
    /// What caused it.
    pub cause: Option<Box<EsError>>,
    /// The index whose search failed: the error is then shown as a failure of its shard. Empty: of whichever index is
    /// searched.
    pub shard_of: Option<String>,
}

/// Java's own exceptions, which Elasticsearch wraps before it shows them as a root cause.
const PLAIN: &[&str] = &[
    "illegal_argument_exception",
    "illegal_state_exception",
    "number_format_exception",
    "x_content_parse_exception",
    "x_content_e_o_f_exception",
    "json_parse_exception",
    "json_e_o_f_exception",
    "null_pointer_exception",
    "date_time_parse_exception",
    "date_time_exception",
    "zone_rules_exception",
    "named_object_not_found_exception",
    "too_complex_to_determinize_exception",
    "too_many_nested_clauses",
    "too_many_clauses",
];

/// What contradicts itself, whatever the index.
const INVALID: &str = "action_request_validation_exception";

impl EsError {
    /// An error with a status of its own.
    pub fn new(status: u16, kind: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            status,
            kind: kind.into(),
            reason: reason.into(),
            more: Map::new(),
            cause: None,
            shard_of: None,
        }
    }

    /// `parsing_exception`: the body is JSON, but not a request.
    pub fn parsing(reason: impl Into<String>) -> Self {
        Self::new(400, "parsing_exception", reason)
    }

    /// `x_content_parse_exception`: a member has the wrong form.
    pub fn x_content(reason: impl Into<String>) -> Self {
        Self::new(400, "x_content_parse_exception", reason)
    }

    /// `parse_exception`: a text inside the body (a date, a query string) cannot be read.
    pub fn parse(reason: impl Into<String>) -> Self {
        Self::new(400, "parse_exception", reason)
    }

    /// `illegal_argument_exception`.
    pub fn illegal(reason: impl Into<String>) -> Self {
        Self::new(400, "illegal_argument_exception", reason)
    }

    /// `query_shard_exception`: the request does not fit the index.
    pub fn query_shard(reason: impl Into<String>) -> Self {
        Self::new(400, "query_shard_exception", reason)
    }

    /// `number_format_exception`, as Java words it.
    pub fn number_format(text: &str) -> Self {
        Self::new(400, "number_format_exception", format!("For input string: \"{text}\""))
    }

    /// Something Elasticsearch has and we have not: refused by name, never answered wrongly.
    pub fn unsupported(what: &str) -> Self {
        Self::illegal(format!("{what} is not supported by wirebeat"))
    }

    /// `too_many_buckets_exception`.
    pub fn too_many_buckets(limit: usize) -> Self {
        Self::new(
            400,
            "too_many_buckets_exception",
            format!(
                "Trying to create too many buckets. Must be less than or equal to: [{limit}] but this number of \
                 buckets was exceeded. This limit can be set by changing the [search.max_buckets] cluster level \
                 setting."
            ),
        )
        .with("max_buckets", json!(limit))
    }

    /// Adds a member to `error`.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// Says what caused it.
    #[must_use]
    pub fn caused_by(mut self, cause: EsError) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    /// Says that it happened while an index was searched. An error that is already of a shard stays as it is, and one
    /// of a request that fits no index.
    #[must_use]
    pub fn in_shard(mut self, index: &str) -> Self {
        if self.shard_of.as_deref().is_none_or(str::is_empty) && self.kind != INVALID {
            self.shard_of = Some(index.to_owned());
        }
        self
    }

    /// Says that Elasticsearch finds it only when it searches an index. Which one is for [`Self::placed`] to say.
    #[must_use]
    pub fn late(self) -> Self {
        self.in_shard("")
    }

    /// Names the index of an error that was found before an index was searched.
    #[must_use]
    pub fn placed(self, index: &str) -> Self {
        if self.shard_of.is_some() { self.in_shard(index) } else { self }
    }

    /// A text of a query that cannot be read; Elasticsearch reads it only when it searches an index.
    #[must_use]
    pub fn in_query(self) -> Self {
        if self.kind == "query_shard_exception" {
            return self.late();
        }
        Self::query_shard(format!("failed to create query: {}", self.reason)).caused_by(self).late()
    }

    /// `action_request_validation_exception`: the request contradicts itself.
    pub fn invalid(problem: impl std::fmt::Display) -> Self {
        Self::new(400, INVALID, format!("Validation Failed: 1: {problem};"))
    }

    /// The whole body of the response: `{"error": …, "status": …}`.
    pub fn to_json(&self) -> Value {
        json!({"error": self.error_json(), "status": self.status})
    }

    /// The member `error`: with `root_cause`, and as a failed search phase where it was one.
    pub fn error_json(&self) -> Value {
        let root = self.root();
        let Some(index) = &self.shard_of else {
            let mut body = self.plain(None);
            body.insert("root_cause".to_owned(), json!([root.plain_without_cause(None)]));
            return Value::Object(body);
        };
        let mut body = Map::new();
        body.insert("root_cause".to_owned(), json!([root.plain_without_cause(Some(index))]));
        body.insert("type".to_owned(), json!("search_phase_execution_exception"));
        body.insert("reason".to_owned(), json!("all shards failed"));
        body.insert("phase".to_owned(), json!("query"));
        body.insert("grouped".to_owned(), json!(true));
        let failure =
            json!({"shard": 0, "index": index, "node": "wirebeat", "reason": self.plain(Some(index))});
        body.insert("failed_shards".to_owned(), json!([failure]));
        if root.is_plain() {
            // Elasticsearch wraps such an exception in one of the same name.
            let mut outer = root.plain_without_cause(None);
            outer.insert("caused_by".to_owned(), Value::Object(root.plain(None)));
            body.insert("caused_by".to_owned(), Value::Object(outer));
        }
        Value::Object(body)
    }

    fn is_plain(&self) -> bool {
        PLAIN.contains(&self.kind.as_str())
    }

    /// The innermost of Elasticsearch's own exceptions, or the outermost when it is none of those. A part that cannot
    /// be read shows what in it could not.
    fn root(&self) -> &Self {
        let mut at = self;
        while !at.is_of_lucene()
            && let Some(cause) = at.cause.as_deref()
            && (!at.is_plain() || at.is_x_content())
            && (!cause.is_plain() || cause.is_x_content() && at.is_x_content())
        {
            at = cause;
        }
        at
    }

    /// What Lucene's own parser says has its parse exception beneath, not Elasticsearch's.
    fn is_of_lucene(&self) -> bool {
        self.kind == "query_shard_exception" && self.reason.starts_with("Failed to parse query")
    }

    fn is_x_content(&self) -> bool {
        matches!(self.kind.as_str(), "x_content_parse_exception" | "named_object_not_found_exception")
    }

    fn plain_without_cause(&self, index: Option<&str>) -> Map<String, Value> {
        let mut body = self.more.clone();
        body.insert("type".to_owned(), json!(self.kind));
        body.insert("reason".to_owned(), json!(self.reason));
        if let Some(index) = index
            && self.kind == "query_shard_exception"
        {
            body.insert("index".to_owned(), json!(index));
            body.insert("index_uuid".to_owned(), json!("_na_"));
        }
        body
    }

    fn plain(&self, index: Option<&str>) -> Map<String, Value> {
        let mut body = self.plain_without_cause(index);
        if let Some(cause) = &self.cause {
            body.insert("caused_by".to_owned(), Value::Object(cause.plain(index)));
        }
        body
    }
}
