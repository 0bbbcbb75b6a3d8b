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
use crate::decode::{Chunk, address, damaged, outside};
use crate::encode::Levels;
use crate::file::SealedBlock;
use crate::layout::Stored;
use crate::pages::Pages;
use crate::part::{Cursor, Part, Parts};
use crate::rle;
use crate::spans::Spans;
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
        self.block.pick(at, self.rows)
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

/// Numbers of some rows of a chunk, through the library.
pub(crate) fn numbers<T: DataType>(
    meta: &ColumnChunkMetaData,
    rows: usize,
    chunk: Chunk,
    wanted: &[u32],
) -> Result<(Levels, Vec<T::T>)> {
    let mut reader =
        ColumnReaderImpl::<T>::new(meta.column_descr_ptr(), Box::new(Pages::new(meta, rows, chunk)?));
    let (mut levels, mut values, mut at) = (Levels::default(), Vec::new(), 0);
    for &row in wanted {
        let skip = row as usize - at;
        if skip > 0 && reader.skip_records(skip)? != skip
            || reader.read_records(1, Some(&mut levels.def), Some(&mut levels.rep), &mut values)?.0 != 1
        {
            return Err(damaged("fewer rows than told"));
        }
        at = row as usize + 1;
    }
    if meta.column_descr().max_rep_level() == 0 {
        levels.rep.clear();
    }
    Ok((levels, values))
}

/// Texts of some rows of a chunk, each on its own.
pub(crate) fn texts(
    meta: &ColumnChunkMetaData,
    rows: usize,
    chunk: Chunk,
    kind: Kind,
    wanted: &[u32],
) -> Result<(Levels, Values)> {
    let mut reader = Pages::new(meta, rows, chunk)?;
    let (max_def, max_rep) = (meta.column_descr().max_def_level(), meta.column_descr().max_rep_level());
    let mut dictionary: Option<Bytes> = None;
    let (mut told, mut codes) = (Levels::default(), Vec::new());
    let (mut bytes, mut ends) = (Vec::new(), vec![0i32]);
    // The first row of the next page; how many of the wanted rows are done.
    let (mut first, mut done) = (0u32, 0);
    while done < wanted.len()
        && let Some(ahead) = reader.peek_next_page()?
    {
        // Without lists a page has a row for each level.
        if !ahead.is_dict
            && max_rep == 0
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
        let mut rest = &buf[..];
        let page = Spans::new(&mut rest, (max_def, max_rep), n, first, &wanted[done..])?;
        told.def.extend(page.def);
        told.rep.extend(page.rep);
        let (places, count) = (page.places, page.values);
        match encoding {
            Encoding::PLAIN if dictionary.is_none() => plain(rest, &places, &mut bytes, &mut ends)?,
            Encoding::RLE_DICTIONARY if dictionary.is_some() => {
                let (&width, rest) = rest.split_first().ok_or_else(outside)?;
                rle::pick(rest, width, count, &places, &mut codes)
                    .ok_or_else(|| damaged("codes end early"))?;
            }
            other => return Err(damaged(&format!("texts encoded as {other}"))),
        }
        done += page.found;
        first = first.saturating_add(page.rows);
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
