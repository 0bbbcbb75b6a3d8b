//! A few rows of a row group, read without the others: of a plain column only the pages that have them.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::DataType;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use wirebeat_model::Kind;

use crate::block::{BlockError, Column, Rows, Terms, Values};
use crate::decode::{Chunk, address, damaged, outside, pages};
use crate::encode::Levels;
use crate::file::SealedBlock;
use crate::layout::Stored;
use crate::part::{Cursor, Part, Parts};
use crate::rle;
use crate::terms::checked_text_array;

/// Some rows of a block; ascending. They are numbered anew, from 0.
pub(crate) struct Picked<'a> {
    pub(crate) block: &'a SealedBlock,
    pub(crate) rows: &'a [u32],
}

impl Picked<'_> {
    /// Whether so few rows are better read alone.
    pub(crate) fn worthwhile(rows: &[u32], all: usize) -> bool {
        rows.len() < all / 16
    }
}

impl Parts for Picked<'_> {
    fn origin(&self) -> std::path::PathBuf {
        self.block.origin()
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn stored(&self) -> &[Stored] {
        self.block.stored()
    }

    fn part(&self, at: usize) -> std::result::Result<Option<Part>, BlockError> {
        if self.block.is_flat(at) {
            return self.block.pick(at, self.rows);
        }
        Ok(self.block.part(at)?.map(|part| part.take(self.rows)))
    }
}

impl Part {
    /// Some of its rows, ascending, numbered anew.
    pub(crate) fn take(&self, rows: &[u32]) -> Self {
        let Some(objects) = &self.objects else {
            return Self { objects: None, column: Arc::new(self.column.take(rows)) };
        };
        let (mut ends, mut taken) = (vec![0], Vec::new());
        for &row in rows {
            taken.extend(objects[row as usize]..objects[row as usize + 1]);
            ends.push(taken.len() as u32);
        }
        Self { objects: Some(Arc::new(ends)), column: Arc::new(self.column.take(&taken)) }
    }
}

impl Column {
    /// Some of its rows, ascending, numbered anew.
    pub(crate) fn take(&self, rows: &[u32]) -> Self {
        let mut cursor = Cursor::new(&self.rows);
        let (mut ends, mut few, mut at) = (vec![0], Vec::new(), Vec::new());
        for (new, &row) in (0..).zip(rows) {
            let values = cursor.of(row);
            if !values.is_empty() {
                few.push(new);
            }
            at.extend(values);
            ends.push(at.len() as u32);
        }
        let rows = match &self.rows {
            Rows::Each => Rows::Each,
            Rows::Few(_) => Rows::Few(few),
            Rows::Many(_) => Rows::Many(ends),
        };
        let values = match &self.values {
            Values::Long(v) => Values::Long(at.iter().map(|&i| v[i]).collect()),
            Values::Double(v) => Values::Double(at.iter().map(|&i| v[i]).collect()),
            Values::Coded { codes, terms } => {
                let terms = match terms {
                    Terms::Text(texts) => Terms::Text(texts.clone()),
                    Terms::Ip(ips) => Terms::Ip(ips.clone()),
                };
                Values::Coded { codes: at.iter().map(|&i| codes[i]).collect(), terms }
            }
        };
        Self { kind: self.kind, rows, values }
    }
}

/// Numbers of some rows of a chunk without lists, through the library.
pub(crate) fn numbers<T: DataType>(
    meta: &ColumnChunkMetaData,
    rows: usize,
    chunk: Chunk,
    wanted: &[u32],
) -> Result<(Levels, Vec<T::T>)> {
    let mut reader = ColumnReaderImpl::<T>::new(meta.column_descr_ptr(), Box::new(pages(meta, rows, chunk)?));
    let (mut levels, mut values, mut at) = (Levels::default(), Vec::new(), 0);
    for &row in wanted {
        let skip = row as usize - at;
        if skip > 0 && reader.skip_records(skip)? != skip
            || reader.read_records(1, Some(&mut levels.def), None, &mut values)?.0 != 1
        {
            return Err(damaged("fewer rows than told"));
        }
        at = row as usize + 1;
    }
    Ok((levels, values))
}

/// Texts of some rows of a chunk without lists, each on its own.
pub(crate) fn texts(
    meta: &ColumnChunkMetaData,
    rows: usize,
    chunk: Chunk,
    kind: Kind,
    wanted: &[u32],
) -> Result<(Levels, Values)> {
    let mut reader = pages(meta, rows, chunk)?;
    let mut dictionary: Option<Bytes> = None;
    let (mut told, mut codes) = (Levels::default(), Vec::new());
    let (mut bytes, mut ends) = (Vec::new(), vec![0i32]);
    // The first row of the next page; how many of the wanted rows are done.
    let (mut first, mut done) = (0u32, 0);
    while done < wanted.len()
        && let Some(ahead) = reader.peek_next_page()?
    {
        if !ahead.is_dict
            && let Some(n) = ahead.num_levels
            && wanted[done] as usize >= first as usize + n
        {
            reader.skip_next_page()?;
            first = first.saturating_add(n as u32);
            continue;
        }
        let Some(page) = reader.get_next_page()? else { break };
        let (buf, n, encoding) = match page {
            Page::DictionaryPage { buf, .. } => {
                dictionary = Some(buf);
                continue;
            }
            Page::DataPage { buf, num_values, encoding, .. } => (buf, num_values, encoding),
            Page::DataPageV2 { .. } => return Err(damaged("data pages of version 2")),
        };
        let here = wanted[done..].iter().take_while(|&&row| u64::from(row) < u64::from(first) + u64::from(n));
        let here: Vec<u32> = here.map(|row| row - first).collect();
        let (len, rest) = buf.split_first_chunk::<4>().ok_or_else(outside)?;
        let (levels, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize).ok_or_else(outside)?;
        let (ranks, count) = ranks(levels, n as usize, &here)?;
        told.def.extend(ranks.iter().map(|rank| i16::from(rank.is_some())));
        let places: Vec<u32> = ranks.into_iter().flatten().collect();
        match encoding {
            Encoding::PLAIN if dictionary.is_none() => plain(rest, &places, &mut bytes, &mut ends)?,
            Encoding::RLE_DICTIONARY if dictionary.is_some() => {
                let (&width, rest) = rest.split_first().ok_or_else(outside)?;
                rle::pick(rest, width, count, &places, &mut codes)
                    .ok_or_else(|| damaged("codes end early"))?;
            }
            other => return Err(damaged(&format!("texts encoded as {other}"))),
        }
        done += here.len();
        first = first.saturating_add(n);
    }
    if done < wanted.len() {
        return Err(damaged("fewer rows than told"));
    }
    if let Some(dictionary) = dictionary {
        let mut each: Vec<u32> = codes.clone();
        each.sort_unstable();
        each.dedup();
        plain(&dictionary, &each, &mut bytes, &mut ends)?;
        codes.iter_mut().for_each(|code| *code = each.partition_point(|c| c < code) as u32);
    } else {
        codes = (0..ends.len() as u32 - 1).collect();
    }
    let array = checked_text_array(bytes, ends).ok_or_else(|| damaged("texts that are not UTF-8"))?;
    let terms = if kind == Kind::Ip { address(&array)? } else { Terms::Text(array) };
    Ok((told, Values::Coded { codes, terms }))
}

/// For each of these rows of a page, ascending, how many values are before its own, if it has one; and how many the page has.
fn ranks(levels: &[u8], rows: usize, wanted: &[u32]) -> Result<(Vec<Option<u32>>, usize)> {
    let (mut out, mut next) = (Vec::with_capacity(wanted.len()), wanted.iter().peekable());
    let (mut at, mut before) = (0u32, 0u32);
    let done = rle::runs(levels, 1, rows, |run| match run {
        rle::Run::Same(level, n) => {
            let set = level == 1;
            while let Some(row) = next.next_if(|row| **row < at + n as u32) {
                out.push(set.then_some(before + row - at));
            }
            at += n as u32;
            before += if set { n as u32 } else { 0 };
        }
        rle::Run::Packed(packed, n) => {
            // The lowest bit of a byte is the first row; behind the last row they are 0 or do not count.
            let (mut byte, mut ones) = (0, 0);
            let mut upto = |bit: u32| {
                while byte < bit as usize / 8 {
                    ones += packed[byte].count_ones();
                    byte += 1;
                }
                let rest = packed.get(byte).map_or(0, |b| b & ((1 << (bit % 8)) - 1));
                ones + rest.count_ones()
            };
            while let Some(row) = next.next_if(|row| **row < at + n as u32) {
                let bit = row - at;
                let set = packed[bit as usize / 8] >> (bit % 8) & 1 == 1;
                out.push(set.then_some(before + upto(bit)));
            }
            before += upto(n as u32);
            at += n as u32;
        }
    });
    done.ok_or_else(|| damaged("levels end early"))?;
    Ok((out, before as usize))
}

/// The texts at these places, ascending, of texts with their lengths before them.
fn plain(mut rest: &[u8], places: &[u32], bytes: &mut Vec<u8>, ends: &mut Vec<i32>) -> Result<()> {
    let mut at = 0;
    for &place in places {
        loop {
            let (len, tail) = rest.split_first_chunk::<4>().ok_or_else(outside)?;
            let (text, tail) =
                tail.split_at_checked(u32::from_le_bytes(*len) as usize).ok_or_else(outside)?;
            rest = tail;
            at += 1;
            if at > place {
                bytes.extend_from_slice(text);
                ends.push(i32::try_from(bytes.len()).map_err(|_| damaged("texts of over 2 GiB"))?);
                break;
            }
        }
    }
    Ok(())
}
