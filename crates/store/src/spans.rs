//! Where in a page of version 1 the values of some rows are, found by its levels without unpacking those of other rows.

use std::ops::Range;

use parquet::errors::Result;

use crate::decode::damaged;
use crate::levels::take_levels;
use crate::rle::{self, Run};

/// Some rows of a page.
#[derive(Debug, PartialEq)]
pub(crate) struct Spans {
    /// How many of the rows that were asked for are in it.
    pub(crate) found: usize,
    /// Their levels; none for the repetition where there are no lists.
    pub(crate) def: Vec<i16>,
    pub(crate) rep: Vec<i16>,
    /// Which of the page's values are theirs.
    pub(crate) places: Vec<u32>,
    /// How many values the page has; 0 where none of the rows is in it.
    pub(crate) values: usize,
    /// How many rows the page has.
    pub(crate) rows: u32,
}

impl Spans {
    /// Takes the levels off the front of a page: `max` are the largest definition and repetition level, `levels` is how many
    /// there are, `first` the page's first row, `wanted` are rows not before it, ascending.
    pub(crate) fn new(
        page: &mut &[u8],
        max: (i16, i16),
        levels: u32,
        first: u32,
        wanted: &[u32],
    ) -> Result<Self> {
        let (max_def, max_rep) = max;
        let rep = if max_rep > 0 { take_levels(page)? } else { &[] };
        let def = take_levels(page)?;
        let (spans, rows) = if max_rep == 0 {
            let here = wanted.iter().map(|row| row.saturating_sub(first)).take_while(|row| *row < levels);
            (here.map(|row| row..row + 1).collect(), levels)
        } else {
            rows(rep, max_rep, levels, first, wanted)?
        };
        let mut out = Self {
            found: spans.len(),
            def: Vec::new(),
            rep: Vec::new(),
            places: Vec::new(),
            values: 0,
            rows,
        };
        if max_rep > 0 {
            within(rep, max_rep, levels, &spans, |_, level| out.rep.push(level))?;
        }
        if spans.is_empty() {
            return Ok(out);
        }
        let (def_out, places) = (&mut out.def, &mut out.places);
        out.values = within(def, max_def, levels, &spans, |before, level| {
            def_out.push(level);
            if level == max_def {
                places.push(before);
            }
        })?;
        Ok(out)
    }
}

/// Packed levels are looked at in parts of so many; a multiple of 8.
const PART: usize = 512;

/// Levels that follow each other.
enum Piece<'a> {
    Same(u32),
    Bits(&'a [u8]),
    Each(&'a [u32]),
}

impl Piece<'_> {
    fn get(&self, i: usize) -> u32 {
        match self {
            Self::Same(level) => *level,
            Self::Bits(bits) => u32::from(bits[i / 8] >> (i % 8) & 1),
            Self::Each(levels) => levels[i],
        }
    }

    /// How many of these are `level`.
    fn count(&self, range: Range<usize>, level: u32) -> usize {
        match self {
            Self::Same(one) => range.len() * usize::from(*one == level),
            Self::Bits(bits) => {
                let ones = ones(bits, range.end) - ones(bits, range.start);
                if level == 1 { ones } else { range.len() - ones }
            }
            Self::Each(levels) => levels[range].iter().filter(|one| **one == level).count(),
        }
    }
}

/// How many of the first bits are set.
fn ones(bits: &[u8], upto: usize) -> usize {
    let whole: usize = bits[..upto / 8].iter().map(|byte| byte.count_ones() as usize).sum();
    let rest = bits.get(upto / 8).map_or(0, |byte| byte & ((1u16 << (upto % 8)) - 1) as u8);
    whole + rest.count_ones() as usize
}

fn pieces(levels: &[u8], max: i16, count: u32, mut each: impl FnMut(&Piece<'_>, usize)) -> Result<()> {
    let width = rle::bits(max as u32);
    let mut scratch = Vec::new();
    rle::runs(levels, width, count as usize, |run| match run {
        Run::Same(level, n) => each(&Piece::Same(level), n),
        Run::Packed(packed, n) => {
            // In parts, so that those without a wanted row are counted at once.
            for (part, packed) in packed.chunks(PART / 8 * usize::from(width)).enumerate() {
                let n = PART.min(n.saturating_sub(part * PART));
                if width == 1 {
                    each(&Piece::Bits(packed), n);
                } else {
                    scratch.clear();
                    rle::unpack(packed, width, n, &mut scratch);
                    each(&Piece::Each(&scratch), n);
                }
            }
        }
    })
    .ok_or_else(|| damaged("levels end early"))
}

/// Which levels are those of the wanted rows, and how many rows there are: a row begins at each 0.
fn rows(rep: &[u8], max: i16, levels: u32, first: u32, wanted: &[u32]) -> Result<(Vec<Range<u32>>, u32)> {
    let mut spans: Vec<Range<u32>> = Vec::new();
    let mut next = wanted.iter().map(|row| row.saturating_sub(first)).peekable();
    // The row that begins next, the place in the page, and whether the last span is still open.
    let (mut row, mut at, mut open, mut inside) = (0, 0, false, false);
    pieces(rep, max, levels, |piece, n| {
        let zeros = piece.count(0..n, 0) as u32;
        inside |= at == 0 && n > 0 && piece.get(0) != 0;
        if zeros > 0 && (open || next.peek().is_some_and(|wanted| *wanted < row + zeros)) {
            let mut begin = |i: u32, spans: &mut Vec<Range<u32>>| {
                if std::mem::take(&mut open)
                    && let Some(last) = spans.last_mut()
                {
                    last.end = at + i;
                }
                if next.next_if_eq(&row).is_some() {
                    spans.push(at + i..levels);
                    open = true;
                }
                row += 1;
            };
            (0..n as u32).filter(|i| piece.get(*i as usize) == 0).for_each(|i| begin(i, &mut spans));
        } else {
            row += zeros;
        }
        at += n as u32;
    })?;
    if inside {
        return Err(damaged("a page that begins within a row"));
    }
    Ok((spans, row))
}

/// Tells each level in the spans with how many values come before it; answers how many values there are.
fn within(
    levels: &[u8],
    max: i16,
    count: u32,
    spans: &[Range<u32>],
    mut tell: impl FnMut(u32, i16),
) -> Result<usize> {
    let (mut at, mut values, mut next) = (0, 0, 0);
    pieces(levels, max, count, |piece, n| {
        let mut here = 0;
        while let Some(span) = spans.get(next).filter(|span| (span.start as usize) < at + n) {
            let start = (span.start as usize).max(at) - at;
            let end = (span.end as usize).min(at + n) - at;
            values += piece.count(here..start, max as u32);
            for i in start..end {
                let level = piece.get(i);
                tell(values as u32, level as i16);
                values += usize::from(level == max as u32);
            }
            here = end;
            if span.end as usize > at + n {
                break;
            }
            next += 1;
        }
        values += piece.count(here..n, max as u32);
        at += n;
    })?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As a page has them.
    fn encoded(levels: &[i16], max: i16, out: &mut Vec<u8>) {
        if max > 0 {
            let mut bytes = Vec::new();
            let levels: Vec<u32> = levels.iter().map(|level| *level as u32).collect();
            rle::encode(&levels, rle::bits(max as u32), &mut bytes);
            out.extend((bytes.len() as u32).to_le_bytes());
            out.extend(bytes);
        }
    }

    proptest! {
        /// Lists of these lengths (0: no value), and rows of them.
        #[test]
        fn the_same_as_one_after_the_other(
            lists in proptest::collection::vec((0usize..5, 1usize..12), 1..60),
            every in 1usize..7,
            max in prop_oneof![Just((1i16, 0i16)), Just((2, 1)), Just((3, 1)), Just((4, 2))],
        ) {
            let (max_def, max_rep) = max;
            let lengths: Vec<usize> = lists.iter().flat_map(|&(length, n)| std::iter::repeat_n(length, n)).collect();
            let (mut def, mut rep, mut starts) = (Vec::new(), Vec::new(), Vec::new());
            for &length in &lengths {
                starts.push(def.len());
                let length = if max_rep == 0 { length.min(1) } else { length };
                def.push(if length == 0 { 0 } else { max_def });
                rep.push(0);
                for i in 1..length {
                    def.push(if i % 3 == 2 { max_def - 1 } else { max_def });
                    rep.push(1 + (i as i16 % max_rep.max(1)));
                }
            }
            starts.push(def.len());
            let (first, mut page) = (1000, Vec::new());
            encoded(&rep, max_rep, &mut page);
            encoded(&def, max_def, &mut page);
            page.extend(b"rest");
            let wanted: Vec<u32> = (0..lengths.len()).step_by(every).map(|row| first + row as u32).collect();
            let mut asked = wanted.clone();
            asked.push(first + lengths.len() as u32);
            let mut rest = &page[..];
            let spans = Spans::new(&mut rest, max, def.len() as u32, first, &asked).unwrap();
            prop_assert_eq!(rest, b"rest");
            let levels = || wanted.iter().flat_map(|row| {
                let row = (row - first) as usize;
                starts[row]..starts[row + 1]
            });
            let value = |i: &usize| def[*i] == max_def;
            let before = |i: usize| (0..i).filter(value).count();
            prop_assert_eq!(spans, Spans {
                found: wanted.len(),
                def: levels().map(|i| def[i]).collect(),
                rep: levels().filter(|_| max_rep > 0).map(|i| rep[i]).collect(),
                places: levels().filter(value).map(|i| before(i) as u32).collect(),
                values: before(def.len()),
                rows: lengths.len() as u32,
            });
        }

        #[test]
        fn damaged_levels_end(bytes in proptest::collection::vec(any::<u8>(), 0..80), n in 0u32..5000) {
            for max in [(1, 0), (2, 1), (4, 2)] {
                let _ = Spans::new(&mut &bytes[..], max, n, 0, &[0, 1, 7, 4999]);
            }
        }
    }
}
