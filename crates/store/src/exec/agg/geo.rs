//! Points: `geohash_grid`, `geotile_grid`, `geo_bounds`.
//!
//! A point is a text `lat,lon` under the field's name, or two numbers under `.lat` and `.lon`.

use std::sync::OnceLock;

use arrow_array::Array;
use serde_json::{Map, json};

use super::buckets::{Below, Buckets, Filler, each_value};
use super::outcome::{Bucket, Outcome};
use super::{Batch, Collector, Finish, Setup, Subs, wrong_kind};
use crate::block::{Rows, Terms, Values};
use crate::exec::view::View;
use crate::lang::agg::{GeoGrid, Grid};
use crate::lang::error::EsError;

/// `lat,lon`.
fn read(text: &str) -> Option<(f64, f64)> {
    let (lat, lon) = text.split_once(',')?;
    let point = (lat.trim().parse().ok()?, lon.trim().parse().ok()?);
    valid(point).then_some(point)
}

fn valid((lat, lon): (f64, f64)) -> bool {
    (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon)
}

/// Calls for each row of a batch and each of its points.
pub(super) fn each_point(
    view: &View<'_>,
    field: &str,
    rows: &[u32],
    mut call: impl FnMut(usize, Option<(f64, f64)>),
) -> Result<(), EsError> {
    if let Some(column) = view.column(field)?
        && let Values::Coded { codes, terms: Terms::Text(texts) } = &column.values
    {
        let points: Vec<Option<(f64, f64)>> = (0..texts.len()).map(|c| read(texts.value(c))).collect();
        each_value(&column.rows, rows, |i, at| call(i, at.and_then(|at| points[codes[at] as usize])));
        return Ok(());
    }
    let (Some(lat), Some(lon)) =
        (view.column(&format!("{field}.lat"))?, view.column(&format!("{field}.lon"))?)
    else {
        rows.iter().enumerate().for_each(|(i, _)| call(i, None));
        return Ok(());
    };
    let number = |values: &Values, at: usize| match values {
        Values::Double(v) => v[at],
        Values::Long(v) => v[at] as f64,
        Values::Coded { .. } => f64::NAN,
    };
    for (i, &row) in rows.iter().enumerate() {
        let (a, b) = (lat.of(row), lon.of(row));
        if a.is_empty() || b.is_empty() {
            call(i, None);
        }
        for (x, y) in a.zip(b) {
            call(i, Some((number(&lat.values, x), number(&lon.values, y))).filter(|p| valid(*p)));
        }
    }
    Ok(())
}

/// The cell of a point: for geohashes their bits, for tiles zoom, x and y.
pub(super) fn cell(grid: Grid, precision: u8, (lat, lon): (f64, f64)) -> u64 {
    match grid {
        Grid::Geohash => {
            // Half the bits each, the longitude first, one bit of each in turn.
            let bits = u32::from(precision) * 5;
            let place = |value: f64, span: f64, bits: u32| {
                let cells = 2_f64.powi(bits as i32);
                (((value + span) / (2.0 * span) * cells).floor().clamp(0.0, cells - 1.0)) as u64
            };
            let (lon_bits, lat_bits) = (bits.div_ceil(2), bits / 2);
            let (x, y) = (place(lon, 180.0, lon_bits), place(lat, 90.0, lat_bits));
            let (mut out, mut i, mut j) = (0, lon_bits, lat_bits);
            for bit in 0..bits {
                out <<= 1;
                if bit % 2 == 0 {
                    i -= 1;
                    out |= x >> i & 1;
                } else {
                    j -= 1;
                    out |= y >> j & 1;
                }
            }
            out
        }
        Grid::Geotile => {
            let tiles = 2_f64.powi(precision.into());
            let x = ((lon + 180.0) / 360.0 * tiles).floor().clamp(0.0, tiles - 1.0);
            let sine = lat.to_radians().sin().clamp(-0.999_999_999_999, 0.999_999_999_999);
            let y = ((0.5 - ((1.0 + sine) / (1.0 - sine)).ln() / (4.0 * std::f64::consts::PI)) * tiles)
                .floor()
                .clamp(0.0, tiles - 1.0);
            u64::from(precision) << 58 | (x as u64) << 29 | y as u64
        }
    }
}

/// The name of a cell.
pub(super) fn name(grid: Grid, precision: u8, cell: u64) -> String {
    match grid {
        Grid::Geohash => {
            const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
            (0..precision)
                .rev()
                .map(|i| char::from(LETTERS[(cell >> (u32::from(i) * 5) & 31) as usize]))
                .collect()
        }
        Grid::Geotile => {
            let mask = (1 << 29) - 1;
            format!("{}/{}/{}", cell >> 58, cell >> 29 & mask, cell & mask)
        }
    }
}

fn point_field(field: &str, agg: &str, setup: &Setup<'_>) -> Result<Option<String>, EsError> {
    match setup.field(field) {
        None => Ok(None),
        Some(f) if f.geo => Ok(Some(f.column)),
        Some(f) => Err(wrong_kind(field, f.kind.es_type(), agg)),
    }
}

pub(super) struct GridNode {
    field: Option<String>,
    spec: GeoGrid,
    buckets: Buckets,
    below: OnceLock<Below>,
    subs: Subs,
}

impl GridNode {
    pub(super) fn new(spec: &GeoGrid, setup: &Setup<'_>, subs: Subs) -> Result<Self, EsError> {
        Ok(Self {
            field: point_field(&spec.field, kind(spec.grid), setup)?,
            spec: spec.clone(),
            buckets: Buckets::default(),
            below: OnceLock::new(),
            subs,
        })
    }
}

fn kind(grid: Grid) -> &'static str {
    match grid {
        Grid::Geohash => "geohash_grid",
        Grid::Geotile => "geotile_grid",
    }
}

impl Collector for GridNode {
    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        let Some(field) = &self.field else { return Ok(()) };
        let several = view.column(field)?.is_none_or(|c| matches!(c.rows, Rows::Many(_)));
        let keep = !self.subs.is_empty();
        let mut filler = Filler::new(&mut self.buckets, batch, usize::MAX, several, keep);
        let (grid, precision) = (self.spec.grid, self.spec.precision);
        each_point(view, field, &batch.rows, |i, point| {
            if let Some(point) = point {
                filler.put(batch.rows[i], batch.ords[i], 0, || Some(cell(grid, precision, point)));
            }
        })?;
        let below = filler.done()?;
        self.subs.collect(view, &below)
    }

    fn result(&self, bucket: Option<u32>, finish: &Finish<'_>) -> Result<Outcome, EsError> {
        let below = self.below.get_or_init(|| self.buckets.tree());
        let mut ords = bucket.map_or(Vec::new(), |b| below.of(b).to_vec());
        ords.sort_unstable_by_key(|&o| (std::cmp::Reverse(self.buckets.count(o)), self.buckets.key(o)));
        ords.truncate(self.spec.size);
        finish.tell(ords.len())?;
        let mut buckets = Vec::with_capacity(ords.len());
        for ord in ords {
            let name = name(self.spec.grid, self.spec.precision, self.buckets.key(ord));
            let mut body = Map::new();
            body.insert("key".to_owned(), json!(name));
            buckets.push(Bucket {
                name,
                body,
                key: f64::NAN,
                count: self.buckets.count(ord),
                subs: self.subs.results(Some(ord), finish)?,
            });
        }
        super::pipeline::inside(&self.subs.pipelines, &mut buckets)?;
        Ok(Outcome::Buckets { kind: kind(self.spec.grid), buckets, keyed: false, more: Map::new() })
    }

    fn number(&self, _: Option<u32>, _: &str) -> Option<f64> {
        None
    }

    fn bytes(&self) -> usize {
        self.buckets.bytes() + self.subs.bytes()
    }
}

/// Top, left, bottom, right.
#[derive(Clone, Copy)]
struct Frame(f64, f64, f64, f64);

pub(super) struct BoundsNode {
    field: Option<String>,
    frames: Vec<Option<Frame>>,
}

impl BoundsNode {
    pub(super) fn new(field: &str, setup: &Setup<'_>) -> Result<Self, EsError> {
        Ok(Self { field: point_field(field, "geo_bounds", setup)?, frames: Vec::new() })
    }
}

impl Collector for BoundsNode {
    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        let Some(field) = &self.field else { return Ok(()) };
        self.frames.resize(self.frames.len().max(batch.buckets), None);
        let frames = &mut self.frames;
        each_point(view, field, &batch.rows, |i, point| {
            let Some((lat, lon)) = point else { return };
            let frame = frames[batch.ords[i] as usize].get_or_insert(Frame(lat, lon, lat, lon));
            *frame = Frame(frame.0.max(lat), frame.1.min(lon), frame.2.min(lat), frame.3.max(lon));
        })
    }

    fn result(&self, bucket: Option<u32>, _: &Finish<'_>) -> Result<Outcome, EsError> {
        let mut body = Map::new();
        if let Some(Frame(top, left, bottom, right)) =
            bucket.and_then(|b| self.frames.get(b as usize).copied().flatten())
        {
            body.insert(
                "bounds".to_owned(),
                json!({
                    "top_left": {"lat": top, "lon": left},
                    "bottom_right": {"lat": bottom, "lon": right},
                }),
            );
        }
        Ok(Outcome::Metric { kind: "geo_bounds", body, numbers: Vec::new() })
    }

    fn number(&self, bucket: Option<u32>, path: &str) -> Option<f64> {
        let frame = bucket.and_then(|b| self.frames.get(b as usize).copied().flatten());
        let pick = |f: fn(Frame) -> f64| Some(frame.map_or(f64::NAN, f));
        match path {
            "top" => pick(|f| f.0),
            "left" => pick(|f| f.1),
            "bottom" => pick(|f| f.2),
            "right" => pick(|f| f.3),
            _ => None,
        }
    }

    fn bytes(&self) -> usize {
        self.frames.capacity() * 40
    }
}
