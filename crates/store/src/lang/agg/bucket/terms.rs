//! `terms`: a bucket for each value.

use serde_json::{Map, Value};

use super::{Order, OrderBy, order};
use crate::lang::agg::reader::Reader;
use crate::lang::ast::{RegexpFlags, Scalar};
use crate::lang::error::EsError;
use crate::lang::json::{self, token};
use crate::lang::regexp::Pattern;

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

pub(in crate::lang::agg) fn terms(name: &str, body: Reader<'_>) -> Result<Terms, EsError> {
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
