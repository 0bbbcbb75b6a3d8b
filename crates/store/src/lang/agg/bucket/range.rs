//! `range`, `date_range` and `ip_range`: a bucket for each of several spans.

use serde_json::{Map, Value};

use super::MAX_LIST;
use crate::lang::agg::reader::Reader;
use crate::lang::ast::Scalar;
use crate::lang::date::{DateFormat, Zone};
use crate::lang::error::EsError;
use crate::lang::json;

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

pub(in crate::lang::agg) fn range(body: Reader<'_>) -> Result<NumberRange, EsError> {
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

pub(in crate::lang::agg) fn date_range(body: Reader<'_>) -> Result<DateRange, EsError> {
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

pub(in crate::lang::agg) fn ip_range(body: Reader<'_>) -> Result<IpRange, EsError> {
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
