//! `composite`: a bucket for each combination of values, in pages.

use serde_json::Value;

use super::grid::{Grid, geo_precision};
use super::histogram::{interval, rounding};
use crate::lang::agg::reader::Reader;
use crate::lang::date::{DateFormat, Rounding};
use crate::lang::error::EsError;
use crate::lang::json;

/// `composite`.
#[derive(Clone, Debug)]
pub struct Composite {
    /// Buckets told.
    pub size: usize,
    /// What is combined.
    pub sources: Vec<Source>,
    /// Only buckets after this one, a value for each source.
    pub after: Option<Vec<Value>>,
}

/// One value of a combination.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// The field.
    pub field: String,
    /// What of its value.
    pub kind: SourceKind,
    /// The largest first.
    pub descending: bool,
    /// Documents without a value have one of their own: null.
    pub missing_bucket: bool,
    /// Where null goes; `None`: first when ascending.
    pub missing_first: Option<bool>,
}

/// What of a value is combined.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// The value.
    Terms,
    /// The span of a number: interval.
    Histogram(f64),
    /// The span of time, and how it is written.
    DateHistogram(Rounding, Option<DateFormat>),
    /// The cell of a map, and its precision.
    GeoTile(u8),
}

pub(in crate::lang::agg) fn composite(body: Reader<'_>) -> Result<Composite, EsError> {
    let size = body.count("size", 10)?;
    if size == 0 {
        return Err(body.failed("size", EsError::illegal("[size] must be greater than 0. Found [0]")));
    }
    let list = match body.get("sources") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    };
    if list.is_empty() {
        return Err(EsError::illegal("Composite [sources] cannot be null or empty"));
    }
    if list.len() > 64 {
        return Err(EsError::illegal("more than 64 composite sources"));
    }
    let mut sources: Vec<Source> = Vec::new();
    for entry in list {
        let map = json::object("composite", "sources", entry)?;
        if map.len() != 1 {
            return Err(body.failed("sources", EsError::parsing("a source has one name")));
        }
        for (name, definition) in map {
            if sources.iter().any(|s| s.name == *name) {
                let cause = EsError::illegal(format!(
                    "Composite source names must be unique, found duplicates: [{name}]"
                ));
                return Err(EsError::x_content(
                    "Failed to build [composite] after last required field arrived",
                )
                .caused_by(cause));
            }
            sources.push(source(name, definition).map_err(|e| body.failed("sources", e))?);
        }
    }
    let after = match body.get("after") {
        None => None,
        Some(value) => {
            let map = json::object("composite", "after", value)?;
            if map.len() != sources.len() {
                return Err(EsError::illegal(format!(
                    "[after] has {} value(s) but [sources] has {}",
                    map.len(),
                    sources.len()
                ))
                .late());
            }
            let values = sources.iter().map(|s| {
                map.get(&s.name)
                    .cloned()
                    .ok_or_else(|| EsError::illegal(format!("Missing value for [after.{}]", s.name)).late())
            });
            Some(values.collect::<Result<_, _>>()?)
        }
    };
    body.end()?;
    Ok(Composite { size, sources, after })
}

fn source(name: &str, definition: &Value) -> Result<Source, EsError> {
    let map = json::object("composite", name, definition)?;
    let Some((kind, body)) = map.iter().next().filter(|_| map.len() == 1) else {
        return Err(EsError::parsing(format!("the source [{name}] has one type")));
    };
    let body = Reader::new(kind, body)?;
    let field = body.field()?;
    let descending = match body.text("order")?.as_deref() {
        None | Some("asc" | "ASC") => false,
        Some("desc" | "DESC") => true,
        Some(other) => return Err(EsError::illegal(format!("Unknown order direction [{other}]"))),
    };
    let missing_bucket = body.flag("missing_bucket", false)?;
    let missing_first = match body.text("missing_order")?.as_deref() {
        None | Some("default") => None,
        Some("first") => Some(true),
        Some("last") => Some(false),
        Some(other) => return Err(EsError::illegal(format!("Unknown missing_order [{other}]"))),
    };
    body.text("value_type")?;
    let kind = match kind.as_str() {
        "terms" => SourceKind::Terms,
        "histogram" => SourceKind::Histogram(interval(&body)?),
        "date_histogram" => SourceKind::DateHistogram(rounding(&body)?, body.date_format()?),
        "geotile_grid" => {
            let precision = body.count("precision", 7)?;
            SourceKind::GeoTile(geo_precision(Grid::Geotile, precision)?)
        }
        other => return Err(EsError::parsing(format!("invalid source type: {other}"))),
    };
    body.end()?;
    Ok(Source { name: name.to_owned(), field, kind, descending, missing_bucket, missing_first })
}
