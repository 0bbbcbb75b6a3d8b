//! Which rows of a column chunk have values: its levels, page after page.

use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;

use crate::block::Rows;
use crate::decode::{damaged, outside};
use crate::encode::Levels;
use crate::rle;

/// No chunk of ours has so many levels: a group's memory is bounded. A few hostile bytes can tell of any number.
pub(crate) const MAX: usize = 1 << 25;

/// Room is made for so many values before there are any.
const MOST_EXPECTED: usize = 1 << 16;

/// Which rows have values.
pub(crate) enum Told {
    /// By levels.
    Levels(Levels),
    /// Where there are no lists.
    Rows(Rows),
}

/// Reads a chunk's levels.
pub(crate) struct LevelReader {
    max_def: i16,
    max_rep: i16,
    rows: usize,
    /// So many levels are left.
    room: usize,
    expected: usize,
    levels: Levels,
    /// Without lists: the rows that have a value, and the row that comes next.
    few: Vec<u32>,
    row: u32,
}

impl LevelReader {
    pub(crate) fn new(meta: &ColumnChunkMetaData, rows: usize) -> Self {
        let (max_def, max_rep) = (meta.column_descr().max_def_level(), meta.column_descr().max_rep_level());
        let room = if max_rep == 0 { rows.min(MAX) } else { MAX };
        let nulls = meta.statistics().and_then(Statistics::null_count_opt).unwrap_or(0);
        let values = u64::try_from(meta.num_values()).unwrap_or(0).saturating_sub(nulls);
        let expected = usize::try_from(values).unwrap_or(0).min(rows).min(MOST_EXPECTED);
        let few = Vec::with_capacity(if max_rep == 0 { expected } else { 0 });
        Self { max_def, max_rep, rows, room, expected, levels: Levels::default(), few, row: 0 }
    }

    /// About how many values there will be: what to make room for. Growing in steps costs more than decoding.
    pub(crate) fn expected(&self) -> usize {
        self.expected
    }

    fn flat(&self) -> bool {
        self.max_rep == 0 && self.max_def == 1
    }

    /// Takes the levels off the front of a page that has `count` of them; answers how many values it has.
    pub(crate) fn page(&mut self, rest: &mut &[u8], count: u32) -> Result<usize> {
        let n = count as usize;
        self.room = self.room.checked_sub(n).ok_or_else(|| damaged("more levels than rows"))?;
        if self.flat() {
            let before = self.few.len();
            read_rows(rest, n, self.row, &mut self.few)?;
            self.row = self.row.saturating_add(count);
            return Ok(self.few.len() - before);
        }
        read(rest, self.max_rep, n, &mut self.levels.rep)?;
        let before = self.levels.def.len();
        read(rest, self.max_def, n, &mut self.levels.def)?;
        Ok(self.levels.def[before..].iter().filter(|level| **level == self.max_def).count())
    }

    /// What all pages told.
    pub(crate) fn told(self) -> Result<Told> {
        if !self.flat() {
            return Ok(Told::Levels(self.levels));
        }
        if self.row as usize != self.rows {
            return Err(damaged("levels and rows differ in number"));
        }
        Ok(Told::Rows(if self.few.len() == self.rows { Rows::Each } else { Rows::Few(self.few) }))
    }
}

/// The rows of a page that have a value, from its definition levels; `first` is its first row.
fn read_rows(rest: &mut &[u8], count: usize, first: u32, out: &mut Vec<u32>) -> Result<()> {
    let mut at = first;
    rle::runs(take_levels(rest)?, 1, count, |run| match run {
        rle::Run::Same(level, n) => {
            if level == 1 {
                out.extend(at..at.saturating_add(n as u32));
            }
            at = at.saturating_add(n as u32);
        }
        rle::Run::Packed(bits, n) => {
            let end = at.saturating_add(n as u32);
            for (byte, first) in bits.iter().zip((at..end).step_by(8)) {
                let mut left = *byte;
                while left != 0 {
                    let row = first + left.trailing_zeros();
                    // Behind the last row they do not count.
                    if row < end {
                        out.push(row);
                    }
                    left &= left - 1;
                }
            }
            at = end;
        }
    })
    .ok_or_else(|| damaged("levels end early"))
}

/// Levels of a page with their length before them.
pub(crate) fn take_levels<'p>(rest: &mut &'p [u8]) -> Result<&'p [u8]> {
    let (len, tail) = rest.split_first_chunk::<4>().ok_or_else(outside)?;
    let (levels, tail) = tail.split_at_checked(u32::from_le_bytes(*len) as usize).ok_or_else(outside)?;
    *rest = tail;
    Ok(levels)
}

/// Levels of a page, one after the other.
fn read(rest: &mut &[u8], max: i16, count: usize, out: &mut Vec<i16>) -> Result<()> {
    if max == 0 {
        return Ok(());
    }
    let levels = take_levels(rest)?;
    let width = rle::bits(max as u32);
    let mut scratch = Vec::new();
    rle::runs(levels, width, count, |run| match run {
        rle::Run::Same(v, n) => out.resize(out.len() + n, v as i16),
        rle::Run::Packed(packed, n) => {
            scratch.clear();
            rle::unpack(packed, width, n, &mut scratch);
            out.extend(scratch.iter().map(|&v| v as i16));
        }
    })
    .ok_or_else(|| damaged("levels end early"))
}
