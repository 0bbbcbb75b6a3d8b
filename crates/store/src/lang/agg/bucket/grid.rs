//! `geohash_grid` and `geotile_grid`: a bucket for each cell of a map.

use crate::lang::agg::reader::Reader;
use crate::lang::error::EsError;

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

pub(super) fn geo_precision(grid: Grid, precision: usize) -> Result<u8, EsError> {
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

pub(in crate::lang::agg) fn geo_grid(grid: Grid, body: Reader<'_>) -> Result<GeoGrid, EsError> {
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
