//! Searches that go on: scrolls and points in time. Each holds a snapshot until nobody asked for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::Failure;
use crate::backend::Snapshot;

/// How long a context may be kept without being asked for, at most. A snapshot keeps events in memory and files on disk
/// that would otherwise be gone.
pub(crate) const MAX_KEEP_ALIVE: Duration = Duration::from_secs(3600);

/// Bytes of randomness in an id: as long as it is not told, nobody else finds it.
const ID_BYTES: usize = 24;

/// What a context holds.
pub(crate) struct Context {
    pub(crate) snapshot: Arc<dyn Snapshot>,
    pub(crate) indices: Vec<String>,
    /// `None` for a point in time.
    pub(crate) scroll: Option<Scroll>,
}

/// Where a scroll stands.
#[derive(Clone)]
pub(crate) struct Scroll {
    /// The search, without aggregations, with a sort that no two documents share.
    pub(crate) body: Map<String, Value>,
    /// The sort values of the last hit told; `None` when there is none left.
    pub(crate) after: Option<Value>,
    /// `hits.total` and `hits.max_score` of the first page.
    pub(crate) total: Option<Value>,
    pub(crate) max_score: Value,
    /// How many values of each hit's `sort` are ours and not asked for; the user's sort has the others.
    pub(crate) hide_sort: bool,
    pub(crate) typed_keys: bool,
}

struct Entry {
    context: Arc<Context>,
    keep_alive: Duration,
    until: Instant,
}

/// The contexts that are open.
pub(crate) struct Contexts {
    limit: usize,
    open: Mutex<HashMap<String, Entry>>,
}

impl Contexts {
    /// At most so many at a time.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, open: Mutex::new(HashMap::new()) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        open.retain(|_, entry| entry.until > now);
        open
    }

    /// Opens one.
    ///
    /// # Errors
    /// 429 when too many are open.
    pub(crate) fn open(&self, context: Context, keep_alive: Duration) -> Result<String, Failure> {
        let mut bytes = [0u8; ID_BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|e| Failure::new(500, "exception", format!("no randomness for an id: {e}")))?;
        let id = URL_SAFE_NO_PAD.encode(bytes);
        let mut open = self.lock();
        if open.len() >= self.limit {
            let reason = format!(
                "Trying to create too many scroll contexts. Must be less than or equal to: [{}]. This limit can be \
                 set by changing the [search.max_open_scroll_context] setting.",
                self.limit
            );
            return Err(Failure::new(429, "too_many_scroll_contexts_exception", reason));
        }
        let until = Instant::now() + keep_alive;
        open.insert(id.clone(), Entry { context: Arc::new(context), keep_alive, until });
        Ok(id)
    }

    /// Takes a context for a look at it, and keeps it open for as long as before, or as said.
    ///
    /// # Errors
    /// 404 when it is not open.
    pub(crate) fn get(&self, id: &str, keep_alive: Option<Duration>) -> Result<Arc<Context>, Failure> {
        let mut open = self.lock();
        let entry = open.get_mut(id).ok_or_else(missing)?;
        entry.keep_alive = keep_alive.unwrap_or(entry.keep_alive);
        entry.until = Instant::now() + entry.keep_alive;
        Ok(Arc::clone(&entry.context))
    }

    /// Puts a context into the place of another one, if that is still open.
    pub(crate) fn replace(&self, id: &str, context: Context) {
        if let Some(entry) = self.lock().get_mut(id) {
            entry.context = Arc::new(context);
        }
    }

    /// Closes one; whether it was open.
    pub(crate) fn close(&self, id: &str) -> bool {
        self.lock().remove(id).is_some()
    }

    /// Closes all scrolls, not the points in time; how many there were.
    pub(crate) fn close_scrolls(&self) -> usize {
        let mut open = self.lock();
        let before = open.len();
        open.retain(|_, entry| entry.context.scroll.is_none());
        before - open.len()
    }

    /// Gives up what nobody asked for in time; how many are still open.
    pub(crate) fn sweep(&self) -> usize {
        self.lock().len()
    }
}

/// Whether it can be an id of ours: 32 characters of base64url.
///
/// # Errors
/// 400 when it cannot.
pub(crate) fn check_id(id: &str) -> Result<(), Failure> {
    let ours = id.len() == 32 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if ours { Ok(()) } else { Err(unreadable()) }
}

/// What is said to an id that is none.
pub(crate) fn unreadable() -> Failure {
    Failure::illegal("Cannot parse scroll id")
}

/// Whether a keep-alive is one.
///
/// # Errors
/// 400 when it is too long.
pub(crate) fn keep_alive(wanted: Duration, text: &str) -> Result<Duration, Failure> {
    if wanted > MAX_KEEP_ALIVE {
        return Err(Failure::illegal(format!(
            "Keep alive for request ({text}) is too large. It must be less than (1h). This limit can be set by \
             changing the [search.max_keep_alive] cluster level setting."
        )));
    }
    Ok(wanted)
}

/// `search_context_missing_exception`, as a failed search.
fn missing() -> Failure {
    let cause =
        json!({"type": "search_context_missing_exception", "reason": "No search context found for id [0]"});
    let body = json!({
        "error": {
            "root_cause": [cause],
            "type": "search_phase_execution_exception",
            "reason": "all shards failed",
            "phase": "query",
            "grouped": true,
            "failed_shards": [{"shard": -1, "index": null, "reason": cause}],
            "caused_by": cause,
        },
        "status": 404,
    });
    Failure { status: 404, body }
}
