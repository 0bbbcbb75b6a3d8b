//! Aggregations that make buckets.

use serde_json::{Map, Value};

use super::reader::Reader;
use crate::lang::ast::{Query, RegexpFlags, Scalar};
use crate::lang::date::round::Unit;
use crate::lang::date::{Calendar, DateFormat, Rounding, Zone};
use crate::lang::dsl;
use crate::lang::error::EsError;
use crate::lang::json::{self, token};
use crate::lang::regexp::Pattern;
use crate::lang::request::duration;

/// `terms`.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The field.
    pub field: String,
    /// Buckets told.
    pub size: usize,
    /// Documents a bucket needs; 0: values that only other documents have make buckets too.
    pub min_doc_count: u64,
    /// The value of documents without one.
    pub missing: Option<Scalar>,
    /// The order of buckets; the last tie-break is the key, ascending.
    pub order: Vec<Order>,
    /// Which values make buckets.
    pub filter: IncludeExclude,
    /// How keys are written.
    pub format: Option<String>,
    /// `doc_count_error_upper_bound` is told of each bucket; it is always 0 here.
    pub show_error: bool,
}

/// Which values make buckets.
#[derive(Clone, Debug, Default)]
pub struct IncludeExclude {
    /// Only these values.
    pub include: Option<Vec<Scalar>>,
    /// Only values of this form.
    pub include_form: Option<Pattern>,
    /// Not these values.
    pub exclude: Option<Vec<Scalar>>,
    /// Not values of this form.
    pub exclude_form: Option<Pattern>,
    /// Only this part of all values, of so many parts.
    pub partition: Option<(u32, u32)>,
}

/// One key of an order of buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What is compared.
    pub by: OrderBy,
    /// The largest first.
    pub descending: bool,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderBy {
    /// The number of documents.
    Count,
    /// The key.
    Key,
    /// A metric below the bucket: `avg_time`, `stats.max`, `errors>bytes.sum`.
    Path(String),
}

/// `date_histogram`.
#[derive(Clone, Debug)]
pub struct DateHistogram {
    /// The field.
    pub field: String,
    /// The spans.
    pub rounding: Rounding,
    /// Spans that are there even when empty (`extended_bounds`).
    pub extended: Option<Bounds>,
    /// Spans beyond are left out (`hard_bounds`).
    pub hard: Option<Bounds>,
    /// Documents a bucket needs; 0: empty ones between full ones are told.
    pub min_doc_count: u64,
    /// Buckets are members of an object.
    pub keyed: bool,
    /// How keys are written.
    pub format: Option<DateFormat>,
    /// The instant of documents without one.
    pub missing: Option<Scalar>,
    /// The order of buckets.
    pub order: Vec<Order>,
}

/// The ends of a histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// The smallest value.
    pub min: Option<Scalar>,
    /// The largest value.
    pub max: Option<Scalar>,
}

/// `histogram`.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// The field.
    pub field: String,
    /// The length of a span; above 0.
    pub interval: f64,
    /// Where a span begins.
    pub offset: f64,
    /// Spans that are there even when empty.
    pub extended: Option<(f64, f64)>,
    /// Spans beyond are left out.
    pub hard: Option<(f64, f64)>,
    /// Documents a bucket needs.
    pub min_doc_count: u64,
    /// Buckets are members of an object.
    pub keyed: bool,
    /// How keys are written.
    pub format: Option<String>,
    /// The value of documents without one.
    pub missing: Option<f64>,
    /// The order of buckets.
    pub order: Vec<Order>,
}

/// `range`.
#[derive(Clone, Debug)]
pub struct NumberRange {
    /// The field.
    pub field: String,
    /// The spans: key, from (included), to (excluded).
    pub ranges: Vec<(Option<String>, Option<f64>, Option<f64>)>,
    /// Buckets are members of an object.
    pub keyed: bool,
    /// How ends are written.
    pub format: Option<String>,
    /// The value of documents without one.
    pub missing: Option<f64>,
}

/// `date_range`.
#[derive(Clone, Debug)]
pub struct DateRange {
    /// The field.
    pub field: String,
    /// The spans: key, from (included), to (excluded).
    pub ranges: Vec<(Option<String>, Option<Scalar>, Option<Scalar>)>,
    /// Buckets are members of an object.
    pub keyed: bool,
    /// How ends are read and written.
    pub format: Option<DateFormat>,
    /// The zone of ends.
    pub zone: Zone,
    /// The instant of documents without one.
    pub missing: Option<Scalar>,
}

/// `ip_range`.
#[derive(Clone, Debug)]
pub struct IpRange {
    /// The field.
    pub field: String,
    /// The spans: key, from (included), to (excluded), as addresses; a mask's end may be beyond the last address.
    pub ranges: Vec<IpSpan>,
    /// Buckets are members of an object.
    pub keyed: bool,
}

/// A span of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpSpan {
    /// Its name.
    pub key: Option<String>,
    /// The first address.
    pub from: Option<u128>,
    /// The address after the last.
    pub to: Option<u128>,
}

/// `filters`.
#[derive(Clone, Debug)]
pub struct FiltersAgg {
    /// The queries; names of anonymous ones are their numbers.
    pub filters: Vec<(String, Query)>,
    /// Buckets tell their names.
    pub named: bool,
    /// Buckets are members of an object.
    pub keyed: bool,
    /// The bucket of what none matches.
    pub other: Option<String>,
}

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

/// `geohash_grid`, `geotile_grid`.
#[derive(Clone, Debug)]
pub struct GeoGrid {
    /// The field.
    pub field: String,
    /// Which cells.
    pub grid: Grid,
    /// How fine: 1 to 12, 0 to 29.
    pub precision: u8,
    /// Buckets told.
    pub size: usize,
}

/// Cells of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// Geohashes.
    Geohash,
    /// Tiles of web maps.
    Geotile,
}

/// Sources, filters and ranges at most.
const MAX_LIST: usize = 10_000;

fn order(value: Option<&Value>, default: &[(OrderBy, bool)]) -> Result<Vec<Order>, EsError> {
    let Some(value) = value else {
        return Ok(default
            .iter()
            .map(|(by, descending)| Order { by: by.clone(), descending: *descending })
            .collect());
    };
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut out = Vec::new();
    for entry in list {
        let Value::Object(map) = entry else {
            return Err(EsError::parsing(format!(
                "Unexpected token [{}] for [order] in [terms]",
                token(entry)
            )));
        };
        if map.len() != 1 {
            return Err(EsError::parsing("Must specify at least one field for [order]"));
        }
        for (name, direction) in map {
            let by = match name.as_str() {
                "_count" => OrderBy::Count,
                "_key" | "_term" | "_time" => OrderBy::Key,
                path => OrderBy::Path(path.to_owned()),
            };
            let direction = json::text("order", name, direction)?;
            let descending = match direction.to_ascii_lowercase().as_str() {
                "asc" => false,
                "desc" => true,
                _ => {
                    let cause = EsError::parsing(format!("Unknown order direction [{direction}]"));
                    return Err(json::failed("terms", "order", cause));
                }
            };
            out.push(Order { by, descending });
        }
    }
    Ok(out)
}

pub(super) fn terms(name: &str, body: Reader<'_>) -> Result<Terms, EsError> {
    let field = body.field()?;
    let size = body.integer("size")?.unwrap_or(10);
    let size = usize::try_from(size).ok().filter(|n| *n > 0).ok_or_else(|| {
        body.failed(
            "size",
            EsError::illegal(format!("[size] must be greater than 0. Found [{size}] in [{name}]")),
        )
    })?;
    let min = body.integer("min_doc_count")?.unwrap_or(1);
    let min_doc_count = u64::try_from(min).map_err(|_| {
        body.failed(
            "min_doc_count",
            EsError::illegal(format!(
                "[min_doc_count] must be greater than or equal to 0. Found [{min}] in [{name}]"
            )),
        )
    })?;
    for unused in ["shard_size", "shard_min_doc_count"] {
        body.integer(unused)?;
    }
    for unused in ["execution_hint", "collect_mode", "value_type"] {
        body.text(unused)?;
    }
    let out = Terms {
        field,
        size,
        min_doc_count,
        missing: body.scalar("missing")?,
        order: order(body.get("order"), &[(OrderBy::Count, true), (OrderBy::Key, false)])?,
        filter: include_exclude(&body)?,
        format: body.format()?,
        show_error: body.flag("show_term_doc_count_error", false)?,
    };
    body.end()?;
    Ok(out)
}

fn include_exclude(body: &Reader<'_>) -> Result<IncludeExclude, EsError> {
    let one = |name: &'static str| -> Result<(Option<Vec<Scalar>>, Option<Pattern>), EsError> {
        match body.get(name) {
            None => Ok((None, None)),
            Some(Value::String(form)) => Ok((
                None,
                Some(Pattern::regexp(form, RegexpFlags::ALL, false).map_err(|e| body.failed(name, e))?),
            )),
            Some(Value::Array(list)) if list.len() <= 65_536 => {
                let values = list.iter().map(|v| {
                    Scalar::from_json(v).ok_or_else(|| {
                        EsError::parsing("Array elements in include/exclude clauses should be string values")
                    })
                });
                Ok((Some(values.collect::<Result<_, _>>()?), None))
            }
            Some(Value::Object(_)) if name == "include" => Ok((None, None)),
            Some(other) => {
                Err(EsError::parsing(format!("Unrecognized token [{}] in [{name}]", token(other))))
            }
        }
    };
    let (include, include_form) = one("include")?;
    let (exclude, exclude_form) = one("exclude")?;
    let partition = match body.get("include") {
        Some(Value::Object(map)) => Some(partition(map).map_err(|e| body.failed("include", e))?),
        _ => None,
    };
    Ok(IncludeExclude { include, include_form, exclude, exclude_form, partition })
}

fn partition(map: &Map<String, Value>) -> Result<(u32, u32), EsError> {
    let number = |name: &str| match map.get(name) {
        None => Err(EsError::illegal(format!("Missing [{name}] parameter for partition-based include"))),
        Some(n) => {
            let n = json::integer("include", name, n)?;
            u32::try_from(n).map_err(|_| EsError::illegal(format!("[{name}] cannot be [{n}]")))
        }
    };
    let (part, parts) = (number("partition")?, number("num_partitions")?);
    if let Some(other) = map.keys().find(|k| !matches!(k.as_str(), "partition" | "num_partitions")) {
        return Err(EsError::parsing(format!("Unknown parameter in Include/Exclude clause: {other}")));
    }
    if part >= parts {
        return Err(EsError::illegal(format!("Partition must be less than partition number [{parts}]")));
    }
    Ok((part, parts))
}

/// The spans of a date histogram.
fn rounding(body: &Reader<'_>) -> Result<Rounding, EsError> {
    let calendar = body.text("calendar_interval")?;
    let fixed = body.text("fixed_interval")?;
    let either = body.text("interval")?;
    let read_fixed = |text: &str| -> Result<Unit, EsError> {
        match duration("date_histogram.fixedInterval", text)? {
            Some(length) if length.as_millis() >= 1 => {
                Ok(Unit::Fixed(i64::try_from(length.as_millis()).unwrap_or(i64::MAX)))
            }
            _ => Err(EsError::illegal("Zero or negative time interval not supported").late()),
        }
    };
    let unit = match (calendar, fixed, either) {
        (Some(text), None, None) => match Calendar::parse(&text) {
            Some(unit) => Unit::Calendar(unit),
            None => {
                return Err(body.failed(
                    "calendar_interval",
                    EsError::illegal(format!(
                        "The supplied interval [{}] could not be parsed as a calendar interval.",
                        text.chars().take(100).collect::<String>()
                    )),
                ));
            }
        },
        (None, Some(text), None) => read_fixed(&text).map_err(|e| body.failed("fixed_interval", e))?,
        (None, None, Some(text)) => match (Calendar::parse(&text), text.parse::<i64>()) {
            (Some(unit), _) => Unit::Calendar(unit),
            (None, Ok(ms)) if ms > 0 => Unit::Fixed(ms),
            _ => read_fixed(&text).map_err(|e| body.failed("interval", e))?,
        },
        (None, None, None) => {
            return Err(EsError::illegal("Invalid interval specified, must be non-null and non-empty").late());
        }
        _ => {
            return Err(body.failed(
                "calendar_interval",
                EsError::illegal(
                    "Cannot use [fixed_interval] with [calendar_interval] or [interval] configuration option.",
                ),
            ));
        }
    };
    let offset = match body.get("offset") {
        None => 0,
        Some(Value::Number(n)) => n.as_i64().unwrap_or(0),
        Some(value) => {
            let text = json::text(body.what(), "offset", value)?;
            let (sign, rest) = match text.strip_prefix('-') {
                Some(rest) => (-1, rest),
                None => (1, text.strip_prefix('+').unwrap_or(&text)),
            };
            match rest.parse::<i64>() {
                Ok(ms) => sign * ms,
                Err(_) => {
                    let length =
                        duration("offset", rest).map_err(|e| body.failed("offset", e))?.unwrap_or_default();
                    sign * i64::try_from(length.as_millis()).unwrap_or(0)
                }
            }
        }
    };
    Ok(Rounding { unit, zone: body.zone()?, offset })
}

fn bounds(body: &Reader<'_>, name: &'static str) -> Result<Option<Bounds>, EsError> {
    let Some(value) = body.get(name) else { return Ok(None) };
    let map = json::object(body.what(), name, value)?;
    let mut out = Bounds { min: None, max: None };
    for (member, value) in map {
        match member.as_str() {
            "min" => out.min = Scalar::from_json(value),
            "max" => out.max = Scalar::from_json(value),
            other => {
                return Err(
                    body.failed(name, EsError::x_content(format!("[bounds] unknown field [{other}]")))
                );
            }
        }
    }
    Ok(Some(out))
}

const BY_KEY: &[(OrderBy, bool)] = &[(OrderBy::Key, false)];

pub(super) fn date_histogram(body: Reader<'_>) -> Result<DateHistogram, EsError> {
    let out = DateHistogram {
        field: body.field()?,
        rounding: rounding(&body)?,
        extended: bounds(&body, "extended_bounds")?,
        hard: bounds(&body, "hard_bounds")?,
        min_doc_count: body.count("min_doc_count", 0)? as u64,
        keyed: body.flag("keyed", false)?,
        format: body.date_format()?,
        missing: body.scalar("missing")?,
        order: order(body.get("order"), BY_KEY)?,
    };
    body.end()?;
    Ok(out)
}

fn number_bounds(body: &Reader<'_>, name: &'static str) -> Result<Option<(f64, f64)>, EsError> {
    let Some(value) = body.get(name) else { return Ok(None) };
    let map = json::object(body.what(), name, value)?;
    let end = |member: &str, open: f64| map.get(member).map_or(Ok(open), |v| json::float(name, member, v));
    for key in map.keys() {
        if key != "min" && key != "max" {
            return Err(body.failed(name, EsError::x_content(format!("[bounds] unknown field [{key}]"))));
        }
    }
    let (min, max) = (end("min", f64::NEG_INFINITY)?, end("max", f64::INFINITY)?);
    if min > max {
        return Err(EsError::illegal(format!(
            "max bound [{max:?}] must be greater than min bound [{min:?}]"
        )));
    }
    Ok(Some((min, max)))
}

fn interval(body: &Reader<'_>) -> Result<f64, EsError> {
    let bad = |what: &str| EsError::illegal(format!("[interval] must be >0 for {what} aggregation [{what}]"));
    match body.float("interval")? {
        None => Err(bad(body.what()).late()),
        Some(interval) if interval > 0.0 && interval.is_finite() => Ok(interval),
        Some(_) => Err(body.failed("interval", bad(body.what()))),
    }
}

pub(super) fn histogram(body: Reader<'_>) -> Result<Histogram, EsError> {
    let interval = interval(&body)?;
    let out = Histogram {
        field: body.field()?,
        interval,
        offset: body.float("offset")?.unwrap_or(0.0).rem_euclid(interval),
        extended: number_bounds(&body, "extended_bounds")?,
        hard: number_bounds(&body, "hard_bounds")?,
        min_doc_count: body.count("min_doc_count", 0)? as u64,
        keyed: body.flag("keyed", false)?,
        format: body.format()?,
        missing: body.float("missing")?,
        order: order(body.get("order"), BY_KEY)?,
    };
    body.end()?;
    Ok(out)
}

/// The ranges of a range aggregation, each an object.
fn ranges<'v>(body: &Reader<'v>) -> Result<Vec<&'v Map<String, Value>>, EsError> {
    let list = match body.get("ranges") {
        Some(Value::Array(list)) if !list.is_empty() => list,
        _ => return Err(EsError::illegal("No [ranges] specified for the aggregation").late()),
    };
    if list.len() > MAX_LIST {
        return Err(EsError::illegal(format!("more than {MAX_LIST} ranges")));
    }
    list.iter().map(|v| json::object(body.what(), "ranges", v)).collect()
}

fn only(what: &str, map: &Map<String, Value>, known: &[&str]) -> Result<(), EsError> {
    match map.keys().find(|k| !known.contains(&k.as_str())) {
        None => Ok(()),
        Some(other) => Err(EsError::x_content(format!("[{what}] unknown field [{other}]"))),
    }
}

fn key(map: &Map<String, Value>) -> Result<Option<String>, EsError> {
    map.get("key").filter(|v| !v.is_null()).map(|v| json::text("range", "key", v)).transpose()
}

pub(super) fn range(body: Reader<'_>) -> Result<NumberRange, EsError> {
    let mut list = Vec::new();
    for map in ranges(&body)? {
        only("range", map, &["key", "from", "to"])?;
        let end = |name: &str| {
            map.get(name).filter(|v| !v.is_null()).map(|v| json::float("range", name, v)).transpose()
        };
        list.push((key(map)?, end("from")?, end("to")?));
    }
    let out = NumberRange {
        field: body.field()?,
        ranges: list,
        keyed: body.flag("keyed", false)?,
        format: body.format()?,
        missing: body.float("missing")?,
    };
    body.end()?;
    Ok(out)
}

pub(super) fn date_range(body: Reader<'_>) -> Result<DateRange, EsError> {
    let mut list = Vec::new();
    for map in ranges(&body)? {
        only("date_range", map, &["key", "from", "to"])?;
        list.push((
            key(map)?,
            map.get("from").and_then(Scalar::from_json),
            map.get("to").and_then(Scalar::from_json),
        ));
    }
    let out = DateRange {
        field: body.field()?,
        ranges: list,
        keyed: body.flag("keyed", false)?,
        format: body.date_format()?,
        zone: body.zone()?,
        missing: body.scalar("missing")?,
    };
    body.end()?;
    Ok(out)
}

pub(super) fn ip_range(body: Reader<'_>) -> Result<IpRange, EsError> {
    let mut list = Vec::new();
    for map in ranges(&body)? {
        only("ip_range", map, &["key", "from", "to", "mask"])?;
        let address = |name: &str| -> Result<Option<u128>, EsError> {
            let Some(value) = map.get(name).filter(|v| !v.is_null()) else { return Ok(None) };
            let text = json::text("ip_range", name, value)?;
            crate::lang::ip::address(&text).map(Some).map_err(|e| body.failed("ranges", e))
        };
        let mut span = IpSpan { key: key(map)?, from: address("from")?, to: address("to")? };
        if let Some(mask) = map.get("mask").filter(|v| !v.is_null()) {
            let mask = json::text("ip_range", "mask", mask)?;
            let (first, last) = crate::lang::ip::network(&mask).map_err(|e| body.failed("ranges", e))?;
            span.from = Some(first).filter(|n| *n != 0);
            span.to = last.checked_add(1);
            span.key.get_or_insert(mask);
        }
        list.push(span);
    }
    let out = IpRange { field: body.field()?, ranges: list, keyed: body.flag("keyed", false)? };
    body.end()?;
    Ok(out)
}

pub(super) fn filters(body: Reader<'_>) -> Result<FiltersAgg, EsError> {
    let mut keyed = body.flag("keyed", true)?;
    let named = matches!(body.get("filters"), Some(Value::Object(_))) && !keyed;
    let read = |v: &Value| dsl::parse(v).map_err(|e| body.failed("filters", e));
    let filters = match body.get("filters") {
        Some(Value::Object(map)) if map.len() <= MAX_LIST => {
            let mut list = map
                .iter()
                .map(|(name, v)| Ok((name.clone(), read(v)?)))
                .collect::<Result<Vec<_>, EsError>>()?;
            list.sort_by(|a, b| a.0.cmp(&b.0));
            list
        }
        Some(Value::Array(list)) if list.len() <= MAX_LIST => {
            keyed = false;
            list.iter()
                .enumerate()
                .map(|(i, v)| Ok((i.to_string(), read(v)?)))
                .collect::<Result<_, EsError>>()?
        }
        _ => return Err(EsError::illegal("[filters] cannot be null.")),
    };
    let other_key = body.text("other_bucket_key")?;
    let other = body.flag("other_bucket", other_key.is_some())?;
    let other = other.then(|| other_key.unwrap_or_else(|| "_other_".to_owned()));
    body.end()?;
    Ok(FiltersAgg { filters, named, keyed, other })
}

pub(super) fn composite(body: Reader<'_>) -> Result<Composite, EsError> {
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

fn geo_precision(grid: Grid, precision: usize) -> Result<u8, EsError> {
    let (low, high) = match grid {
        Grid::Geohash => (1, 12),
        Grid::Geotile => (0, 29),
    };
    u8::try_from(precision).ok().filter(|p| (low..=high).contains(p)).ok_or_else(|| {
        EsError::illegal(match grid {
            Grid::Geohash => {
                format!("Invalid geohash aggregation precision of {precision}. Must be between 1 and 12.")
            }
            Grid::Geotile => {
                format!("Invalid geotile_grid precision of {precision}. Must be between 0 and 29.")
            }
        })
    })
}

pub(super) fn geo_grid(grid: Grid, body: Reader<'_>) -> Result<GeoGrid, EsError> {
    let (precision, size) = match grid {
        Grid::Geohash => (5, 10_000),
        Grid::Geotile => (7, 10_000),
    };
    let precision =
        geo_precision(grid, body.count("precision", precision)?).map_err(|e| body.failed("precision", e))?;
    let size = body.count("size", size)?;
    body.integer("shard_size")?;
    if size == 0 {
        return Err(body.failed("size", EsError::illegal("[size] must be greater than 0. Found [0]")));
    }
    let out = GeoGrid { field: body.field()?, grid, precision, size };
    body.end()?;
    Ok(out)
}
