//! `date_histogram` and `histogram`: a bucket for each span of time or numbers.

use serde_json::Value;

use super::{Order, OrderBy, order};
use crate::lang::agg::reader::Reader;
use crate::lang::ast::Scalar;
use crate::lang::date::round::Unit;
use crate::lang::date::{Calendar, DateFormat, Rounding};
use crate::lang::error::EsError;
use crate::lang::json;
use crate::lang::request::duration;

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

/// The spans of a date histogram.
pub(super) fn rounding(body: &Reader<'_>) -> Result<Rounding, EsError> {
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

pub(in crate::lang::agg) fn date_histogram(body: Reader<'_>) -> Result<DateHistogram, EsError> {
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

pub(super) fn interval(body: &Reader<'_>) -> Result<f64, EsError> {
    let bad = |what: &str| EsError::illegal(format!("[interval] must be >0 for {what} aggregation [{what}]"));
    match body.float("interval")? {
        None => Err(bad(body.what()).late()),
        Some(interval) if interval > 0.0 && interval.is_finite() => Ok(interval),
        Some(_) => Err(body.failed("interval", bad(body.what()))),
    }
}

pub(in crate::lang::agg) fn histogram(body: Reader<'_>) -> Result<Histogram, EsError> {
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
