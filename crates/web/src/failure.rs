//! Errors as Elasticsearch tells them.

use serde_json::{Map, Value, json};

/// An answer that is an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The HTTP status.
    pub status: u16,
    /// The whole body: `{"error": …, "status": …}`.
    pub body: Value,
}

impl Failure {
    /// `{"error": {"root_cause": [{type, reason}], type, reason}, "status": …}`.
    pub fn new(status: u16, kind: &str, reason: impl Into<String>) -> Self {
        Self::with(status, kind, reason, Map::new())
    }

    /// The same with further members beside `type` and `reason`.
    pub fn with(status: u16, kind: &str, reason: impl Into<String>, more: Map<String, Value>) -> Self {
        let mut cause = Map::new();
        cause.insert("type".to_owned(), json!(kind));
        cause.insert("reason".to_owned(), json!(reason.into()));
        cause.extend(more);
        Self::caused(status, &cause, cause.clone())
    }

    /// `{"error": "…", "status": …}`, for what Elasticsearch says before it looks at a request.
    pub fn plain(status: u16, text: impl Into<String>) -> Self {
        Self { status, body: json!({"error": text.into(), "status": status}) }
    }

    /// `illegal_argument_exception`.
    pub fn illegal(reason: impl Into<String>) -> Self {
        Self::new(400, "illegal_argument_exception", reason)
    }

    /// `illegal_argument_exception` about a text that should be a number.
    pub(crate) fn not_a_number(reason: impl Into<String>, text: &str) -> Self {
        let mut outer = Map::new();
        outer.insert("type".to_owned(), json!("illegal_argument_exception"));
        outer.insert("reason".to_owned(), json!(reason.into()));
        let root = outer.clone();
        let inner =
            json!({"type": "number_format_exception", "reason": format!("For input string: \"{text}\"")});
        outer.insert("caused_by".to_owned(), inner);
        Self::caused(400, &root, outer)
    }

    /// `action_request_validation_exception` with all that is wrong.
    pub(crate) fn invalid(problems: &[&str]) -> Self {
        let mut reason = "Validation Failed: ".to_owned();
        for (i, problem) in problems.iter().enumerate() {
            reason.push_str(&format!("{}: {problem};", i + 1));
        }
        Self::new(400, "action_request_validation_exception", reason)
    }

    /// `index_not_found_exception`.
    pub(crate) fn no_index(name: &str) -> Self {
        Self::no_index_because(name, format!("no such index [{name}]"))
    }

    /// `index_not_found_exception` with more to say.
    pub(crate) fn no_index_because(name: &str, reason: impl Into<String>) -> Self {
        let mut more = Map::new();
        more.insert("resource.type".to_owned(), json!("index_or_alias"));
        more.insert("resource.id".to_owned(), json!(name));
        more.insert("index_uuid".to_owned(), json!("_na_"));
        more.insert("index".to_owned(), json!(name));
        Self::with(404, "index_not_found_exception", reason, more)
    }

    /// `parsing_exception` at a place of the body.
    pub(crate) fn parsing(reason: impl Into<String>, line: usize, column: usize) -> Self {
        let mut more = Map::new();
        more.insert("line".to_owned(), json!(line));
        more.insert("col".to_owned(), json!(column));
        Self::with(400, "parsing_exception", reason, more)
    }

    /// `parse_exception`: there is nothing to read.
    pub(crate) fn no_body() -> Self {
        Self::new(400, "parse_exception", "request body or source parameter is required")
    }

    /// Elasticsearch has it, we have not.
    pub(crate) fn unsupported(what: &str) -> Self {
        Self::illegal(format!("{what} is not supported by wirebeat"))
    }

    /// Whether it happened when a search was done, not when it was read: Elasticsearch then tells it as a failure of
    /// that search alone.
    pub(crate) fn is_of_search(&self) -> bool {
        self.status == 404
            || self.status == 429
            || self.status >= 500
            || self.body["error"]["type"] == "search_phase_execution_exception"
    }

    /// The innermost cause that is told.
    pub(crate) fn cause(&self) -> &Value {
        let error = &self.body["error"];
        error.pointer("/root_cause/0").unwrap_or(error)
    }

    /// The same error with another one as its cause.
    #[must_use]
    pub(crate) fn caused_by(mut self, kind: &str, reason: &str) -> Self {
        if let Some(error) = self.body.get_mut("error").and_then(Value::as_object_mut) {
            error.insert("caused_by".to_owned(), json!({"type": kind, "reason": reason}));
        }
        self
    }

    fn caused(status: u16, root: &Map<String, Value>, mut error: Map<String, Value>) -> Self {
        let mut whole = Map::new();
        whole.insert("root_cause".to_owned(), json!([root]));
        whole.append(&mut error);
        Self { status, body: json!({"error": whole, "status": status}) }
    }
}
