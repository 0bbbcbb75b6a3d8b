//! Aggregations that make buckets.

mod composite;
mod filters;
mod grid;
mod histogram;
mod range;
mod terms;

use serde_json::Value;

use crate::lang::error::EsError;
use crate::lang::json::{self, token};

pub use composite::{Composite, Source, SourceKind};
pub use filters::FiltersAgg;
pub use grid::{GeoGrid, Grid};
pub use histogram::{Bounds, DateHistogram, Histogram};
pub use range::{DateRange, IpRange, IpSpan, NumberRange};
pub use terms::{IncludeExclude, Terms};

pub(super) use composite::composite;
pub(super) use filters::filters;
pub(super) use grid::geo_grid;
pub(super) use histogram::{date_histogram, histogram};
pub(super) use range::{date_range, ip_range, range};
pub(super) use terms::terms;

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
