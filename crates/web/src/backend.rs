//! What the API asks of whoever keeps the events.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde_json::Value;

use crate::Failure;

/// Keeps events.
pub trait Backend: Send + Sync + 'static {
    /// What can be searched now. It stays as it is while somebody holds it.
    fn snapshot(&self) -> Arc<dyn Snapshot>;

    /// Deletes an index and everything in it.
    ///
    /// # Errors
    /// In Elasticsearch's words.
    fn delete_index(&self, name: &str) -> Result<(), Failure>;

    /// How it is.
    fn health(&self) -> Health;
}

/// How a backend is, in Elasticsearch's colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Everything works.
    #[default]
    Green,
    /// It works, but not all of it.
    Yellow,
    /// Events are not kept, or cannot be searched.
    Red,
}

impl Health {
    /// The colour.
    pub fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

/// An index, e.g. one day of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexInfo {
    /// Its name.
    pub name: String,
    /// What tells it from another of the same name: 22 characters of base64url.
    pub uuid: String,
    /// Events in it.
    pub docs: u64,
    /// Events that are deleted, but still take room.
    pub deleted: u64,
    /// Its size on disk, in bytes.
    pub size_bytes: u64,
    /// Files and open batches it consists of.
    pub segments: u64,
    /// When it was created, in milliseconds since 1970.
    pub created_ms: i64,
}

/// A field of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Dotted name.
    pub name: String,
    /// Elasticsearch's mapping type, e.g. `keyword`; of another name for a field, that field's type.
    pub kind: &'static str,
    /// The field that this is another name for.
    pub alias_of: Option<String>,
    /// Whether a document of the index has a value of it.
    pub filled: bool,
}

impl FieldInfo {
    /// A field that documents have values of.
    pub fn new(name: impl Into<String>, kind: &'static str) -> Self {
        Self { name: name.into(), kind, alias_of: None, filled: true }
    }
}

/// How a search is to be done.
#[derive(Clone, Debug)]
pub struct SearchOptions {
    /// Names of aggregations in the answer carry their type (`terms#name`).
    pub typed_keys: bool,
    /// When to give up.
    pub deadline: Instant,
    /// Set when nobody waits for the answer any more.
    pub cancelled: Arc<AtomicBool>,
}

/// What can be searched, as it was at one moment.
pub trait Snapshot: Send + Sync {
    /// The indices, sorted by name.
    fn indices(&self) -> &[IndexInfo];

    /// The fields of an index and the objects in lists, sorted by name; nothing when there is no such index.
    fn fields(&self, index: &str) -> Vec<FieldInfo>;

    /// Answers a `_search` body (an object) over these indices: `took`, `timed_out`, `_shards`, `hits`, `aggregations`.
    ///
    /// # Errors
    /// In Elasticsearch's words.
    fn search(&self, indices: &[&str], body: &Value, options: &SearchOptions) -> Result<Value, Failure>;

    /// How many documents match a body with nothing but a `query`.
    ///
    /// # Errors
    /// In Elasticsearch's words.
    fn count(&self, indices: &[&str], body: &Value, options: &SearchOptions) -> Result<u64, Failure>;

    /// Whether a body with nothing but a `query` could be answered.
    ///
    /// # Errors
    /// Why not.
    fn validate(&self, indices: &[&str], body: &Value) -> Result<(), Failure>;
}
