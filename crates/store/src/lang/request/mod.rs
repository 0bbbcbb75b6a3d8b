//! The body of a search, and the parameters of its URL.

mod sort;
mod source;
mod url;

use std::time::Duration;

use serde_json::{Map, Value};

use super::agg::{self, Agg};
use super::ast::Query;
use super::dsl;
use super::error::EsError;
use super::json::{boolean, failed, float, integer, object, shown, text, texts, token};

pub use sort::{Missing, Mode, NumericType, SortKey, SortOn};
pub use source::{FieldAsk, SourceFilter};

/// `from` + `size` at most: Elasticsearch's `index.max_result_window`.
pub const MAX_WINDOW: usize = 10_000;

/// Hits counted exactly when a request says nothing.
pub const DEFAULT_TOTAL: usize = 10_000;

/// A search.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// Which documents count: for hits, totals and aggregations.
    pub query: Query,
    /// Which of them are hits; aggregations see all.
    pub post_filter: Option<Query>,
    /// Hits left out.
    pub from: usize,
    /// Hits told.
    pub size: usize,
    /// The order of hits; empty: by score, which is all the same, so in the order of the index.
    pub sort: Vec<SortKey>,
    /// Only hits after the one with these sort values.
    pub search_after: Option<Vec<Value>>,
    /// What of a document is told; `None`: as if not said.
    pub source: Option<SourceFilter>,
    /// Fields told beside it.
    pub fields: Vec<FieldAsk>,
    /// The same, from columns.
    pub docvalue_fields: Vec<FieldAsk>,
    /// `stored_fields`: nothing is stored apart; `_none_` leaves out `_id` and source, names leave out the source.
    pub stored_fields: Option<Vec<String>>,
    /// How many hits are counted exactly.
    pub track_total: TrackTotal,
    /// Aggregations.
    pub aggs: Vec<Agg>,
    /// How long it may take; what was found until then is answered.
    pub timeout: Option<Duration>,
    /// Documents looked at, at most.
    pub terminate_after: Option<usize>,
    /// The lowest score of a hit.
    pub min_score: Option<f32>,
    /// Scores are told in sorted searches too.
    pub track_scores: bool,
    /// `_version` is told: always 1.
    pub version: bool,
    /// `_seq_no` and `_primary_term` are told.
    pub seq_no: bool,
    /// Names of aggregations in the answer begin with their types.
    pub typed_keys: bool,
    /// `hits.total` is a number.
    pub total_as_int: bool,
    /// The view to search.
    pub pit: Option<Pit>,
}

/// How many hits are counted exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackTotal {
    /// All.
    All,
    /// None; no total is told.
    No,
    /// So many; beyond, the total is a lower bound.
    UpTo(usize),
}

/// A point in time: a view that stays the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pit {
    /// Its name.
    pub id: String,
    /// For how much longer it is kept.
    pub keep_alive: Option<Duration>,
}

impl Default for SearchRequest {
    fn default() -> Self {
        Self {
            query: Query::MatchAll,
            post_filter: None,
            from: 0,
            size: 10,
            sort: Vec::new(),
            search_after: None,
            source: None,
            fields: Vec::new(),
            docvalue_fields: Vec::new(),
            stored_fields: None,
            track_total: TrackTotal::UpTo(DEFAULT_TOTAL),
            aggs: Vec::new(),
            timeout: None,
            terminate_after: None,
            min_score: None,
            track_scores: false,
            version: false,
            seq_no: false,
            typed_keys: false,
            total_as_int: false,
            pit: None,
        }
    }
}

/// What Elasticsearch has and we have not: each with what it asks for nothing by.
const REFUSED: &[&str] = &[
    "collapse",
    "derived",
    "ext",
    "indices_boost",
    "knn",
    "min_compatible_shard_node",
    "profile",
    "query_rules",
    "rank",
    "rescore",
    "retriever",
    "runtime_mappings",
    "script_fields",
    "slice",
    "sub_searches",
    "suggest",
];

impl SearchRequest {
    /// Reads a body; `null` stands for none.
    ///
    /// # Errors
    /// As Elasticsearch does when the JSON is no search; what it has and we have not is refused by name.
    pub fn parse(body: &Value) -> Result<Self, EsError> {
        let mut out = Self::default();
        match body {
            Value::Null => {}
            Value::Object(map) => {
                for (name, value) in map {
                    out.member(name, value)?;
                }
            }
            other => {
                return Err(EsError::parsing(format!(
                    "Expected [START_OBJECT] but found [{}]",
                    token(other)
                )));
            }
        }
        out.check()?;
        Ok(out)
    }

    fn member(&mut self, name: &str, value: &Value) -> Result<(), EsError> {
        let what = "search";
        match name {
            "query" => self.query = clause(name, value)?,
            "post_filter" => self.post_filter = Some(clause(name, value)?),
            "from" => self.from = positive(name, value)?,
            "size" => self.size = positive(name, value)?,
            "sort" => self.sort = sort::parse(value)?,
            "search_after" => self.search_after = Some(search_after(value)?),
            "_source" => self.source = Some(SourceFilter::parse(value)?),
            "fields" => self.fields = FieldAsk::list(name, value)?,
            "docvalue_fields" => self.docvalue_fields = FieldAsk::list(name, value)?,
            "stored_fields" | "fielddata_fields" => self.stored_fields = Some(texts(what, name, value)?),
            "track_total_hits" => self.track_total = TrackTotal::parse(value)?,
            "aggs" | "aggregations" => self.aggs = agg::parse(value)?,
            "timeout" => self.timeout = duration(name, &text(what, name, value)?)?,
            "terminate_after" => {
                let n = whole(name, value)?;
                if n < 0 {
                    return Err(EsError::illegal("terminateAfter must be > 0"));
                }
                self.terminate_after = usize::try_from(n).ok().filter(|n| *n > 0);
            }
            "min_score" => self.min_score = Some(float(what, name, value)? as f32),
            "track_scores" => self.track_scores = boolean(what, name, value)?,
            "version" => self.version = boolean(what, name, value)?,
            "seq_no_primary_term" => self.seq_no = boolean(what, name, value)?,
            "explain" | "profile" => {
                if boolean(what, name, value)? {
                    return Err(EsError::unsupported(&format!("[{name}]")));
                }
            }
            "pit" => self.pit = Some(Pit::parse(value)?),
            // Words are not marked in answers; statistics are not kept by group.
            "highlight" => highlight(value)?,
            "stats" => {}
            "runtime_mappings" | "script_fields" | "ext" | "indices_boost" if is_empty(value) => {}
            name if REFUSED.contains(&name) => return Err(EsError::unsupported(&format!("[{name}]"))),
            name => {
                let short: String = name.chars().take(200).collect();
                return Err(EsError::parsing(format!("Unknown key for a {} in [{short}].", token(value))));
            }
        }
        Ok(())
    }

    /// What holds between members.
    fn check(&self) -> Result<(), EsError> {
        if let Some(after) = &self.search_after {
            if self.from > 0 {
                return Err(EsError::invalid(
                    "`from` parameter must be set to 0 when `search_after` is used",
                ));
            }
            if self.sort.is_empty() && self.pit.is_none() {
                return Err(EsError::illegal("Sort must contain at least one field.").late());
            }
            let keys = self.sort.len().max(1);
            // A view adds its own tie-break, whose value may be given too.
            let with_tie = self.pit.is_some() && after.len() == keys + 1;
            if after.len() != keys && !with_tie {
                return Err(EsError::illegal(format!(
                    "search_after has {} value(s) but sort has {keys}.",
                    after.len()
                ))
                .late());
            }
        }
        Ok(())
    }

    /// Refuses a window larger than [`MAX_WINDOW`].
    pub(crate) fn check_window(&self) -> Result<(), EsError> {
        let wanted = self.from.saturating_add(self.size);
        if wanted > MAX_WINDOW {
            return Err(EsError::illegal(format!(
                "Result window is too large, from + size must be less than or equal to: [{MAX_WINDOW}] but was \
                 [{wanted}]. See the scroll api for a more efficient way to request large data sets. This limit can \
                 be set by changing the [index.max_result_window] index level setting."
            )));
        }
        Ok(())
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        value => value.is_null(),
    }
}

fn clause(name: &str, value: &Value) -> Result<Query, EsError> {
    match value {
        Value::Null => Err(EsError::parsing(format!("Unknown key for a VALUE_NULL in [{name}]."))),
        value => dsl::parse(value),
    }
}

/// A whole number; here Elasticsearch tells Java's own exception.
fn whole(name: &str, value: &Value) -> Result<i64, EsError> {
    integer("search", name, value).map_err(|e| match e.cause {
        Some(cause) => *cause,
        None => e,
    })
}

/// How words are marked: accepted, and not done.
fn highlight(value: &Value) -> Result<(), EsError> {
    let fields = match value.get("fields") {
        Some(Value::Object(map)) => map.values().collect(),
        Some(Value::Array(list)) => {
            list.iter().filter_map(Value::as_object).flat_map(|m| m.values()).collect()
        }
        _ => Vec::new(),
    };
    for options in std::iter::once(value).chain(fields) {
        match options.get("type").and_then(Value::as_str) {
            None | Some("unified" | "plain" | "fvh") => {}
            Some(other) => {
                return Err(EsError::illegal(format!(
                    "unknown highlighter type [{}] for the field",
                    other.chars().take(100).collect::<String>()
                ))
                .late());
            }
        }
    }
    Ok(())
}

fn positive(name: &str, value: &Value) -> Result<usize, EsError> {
    let n = whole(name, value)?;
    usize::try_from(n)
        .ok()
        .filter(|n| i32::try_from(*n).is_ok())
        .ok_or_else(|| EsError::illegal(format!("[{name}] parameter cannot be negative, found [{n}]")))
}

fn search_after(value: &Value) -> Result<Vec<Value>, EsError> {
    let Value::Array(list) = value else {
        return Err(EsError::parsing(format!("Unknown key for a {} in [search_after].", token(value))));
    };
    if list.is_empty() {
        return Err(EsError::illegal("Values must contains at least one value."));
    }
    for value in list {
        if matches!(value, Value::Array(_) | Value::Object(_)) {
            return Err(EsError::parsing(format!(
                "Expected [VALUE_STRING] or [VALUE_NUMBER] or [VALUE_BOOLEAN] or [VALUE_NULL] but found [{}] inside \
                 search_after.",
                token(value)
            )));
        }
    }
    Ok(list.clone())
}

impl TrackTotal {
    fn parse(value: &Value) -> Result<Self, EsError> {
        let n = match value {
            Value::Bool(true) => return Ok(Self::All),
            Value::Bool(false) => return Ok(Self::No),
            Value::String(s) if s == "true" => return Ok(Self::All),
            Value::String(s) if s == "false" => return Ok(Self::No),
            value => whole("track_total_hits", value)?,
        };
        match n {
            -1 => Ok(Self::All),
            n => usize::try_from(n).map(Self::UpTo).map_err(|_| {
                EsError::illegal(format!(
                    "[track_total_hits] parameter must be positive or equals to -1, got {n}"
                ))
            }),
        }
    }
}

impl Pit {
    fn parse(value: &Value) -> Result<Self, EsError> {
        let map = object("point_in_time", "pit", value)?;
        let mut id = None;
        let mut keep_alive = None;
        for (name, value) in map {
            match name.as_str() {
                "id" => id = Some(text("point_in_time", name, value)?),
                "keep_alive" => keep_alive = duration(name, &text("point_in_time", name, value)?)?,
                other => return Err(EsError::x_content(format!("[point_in_time] unknown field [{other}]"))),
            }
        }
        let id = id.ok_or_else(|| EsError::illegal("Required [id]"))?;
        Ok(Self { id, keep_alive })
    }
}

pub(crate) fn sorts(value: &Value) -> Result<Vec<SortKey>, EsError> {
    sort::parse(value)
}

/// A length of time: `30s`, `1m`, `500ms`; `None` for `-1`, without end.
///
/// # Errors
/// `illegal_argument_exception` when it is none.
pub fn duration(name: &str, text: &str) -> Result<Option<Duration>, EsError> {
    if text == "-1" {
        return Ok(None);
    }
    if text == "0" {
        return Ok(Some(Duration::ZERO));
    }
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let bad = || {
        EsError::illegal(format!(
            "failed to parse setting [{name}] with value [{}] as a time value: unit is missing or unrecognized",
            shown(&Value::String(text.to_owned()))
        ))
    };
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| bad())?;
    let nanos = match unit {
        "nanos" => 1,
        "micros" => 1000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return Err(bad()),
    };
    Ok(Some(Duration::from_nanos(number.saturating_mul(nanos))))
}

/// The query of a `_count` or `_validate` body: `{"query": …}` or nothing.
///
/// # Errors
/// When there is anything else, or no query.
pub fn only_query(body: &Value) -> Result<Query, EsError> {
    let map: &Map<String, Value> = match body {
        Value::Null => return Ok(Query::MatchAll),
        Value::Object(map) => map,
        other => {
            return Err(EsError::parsing(format!("Expected [START_OBJECT] but found [{}]", token(other))));
        }
    };
    let mut out = Query::MatchAll;
    for (name, value) in map {
        if name != "query" {
            return Err(EsError::parsing(format!("request does not support [{name}]")));
        }
        out = match value {
            Value::Null => Query::MatchAll,
            value => dsl::parse(value)
                .map_err(|e| if e.kind == "x_content_parse_exception" { e } else { failed_query(e) })?,
        };
    }
    Ok(out)
}

fn failed_query(cause: EsError) -> EsError {
    if cause.kind == "parsing_exception" { cause } else { failed("count", "query", cause) }
}
