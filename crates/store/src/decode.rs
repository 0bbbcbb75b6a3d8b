//! Column chunks of a Parquet row group as stored columns.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use parquet::basic::Encoding;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use wirebeat_model::{Endpoint, Kind};

use crate::block::{Codes, Column, Rows, Terms, Values};
use crate::encode::{Levels, Planned};
use crate::levels::{LevelReader, Told};
use crate::numbers;
use crate::pages::{Pages, Source};
use crate::part::Part;
use crate::pick::{self, Wanted};
use crate::rle;
use crate::terms::checked_text_array;
use crate::thrift::PageKind;

/// The bytes of one column chunk, addressed as in the file.
pub(crate) struct Chunk {
    pub(crate) at: u64,
    pub(crate) bytes: Bytes,
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }
}

impl ChunkReader for Chunk {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let skip =
            start.checked_sub(self.at).filter(|s| *s <= self.bytes.len() as u64).ok_or_else(outside)?;
        Ok(self.bytes.slice(skip as usize..).reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let skip = start.checked_sub(self.at).ok_or_else(outside)? as usize;
        let end = skip.checked_add(length).filter(|e| *e <= self.bytes.len()).ok_or_else(outside)?;
        Ok(self.bytes.slice(skip..end))
    }
}

pub(crate) fn outside() -> ParquetError {
    ParquetError::EOF("a page lies outside its column chunk".into())
}

pub(crate) fn damaged(what: &str) -> ParquetError {
    ParquetError::General(what.into())
}

/// Reads a chunk; `None` when no row has a value. `nanos` is the chunk of left-over nanoseconds, `wanted` the rows that are
/// wanted, where not all are.
pub(crate) fn column(
    planned: &Planned,
    rows: usize,
    meta: &ColumnChunkMetaData,
    chunk: Source,
    nanos: Option<(&ColumnChunkMetaData, Source)>,
    wanted: Option<Wanted<'_>>,
) -> Result<Option<Part>> {
    let kind = planned.stored.kind();
    let numbers = |meta: &ColumnChunkMetaData, chunk| match wanted {
        Some(wanted) => {
            // Numbers in lists are not in pages of as many rows each.
            let wanted = Wanted { paged: false, ..wanted };
            let (levels, v) = pick::numbers(meta, rows, chunk, wanted)?;
            Ok((Told::Levels(levels), v))
        }
        None => numbers::all(meta, rows, chunk),
    };
    let (told, values) = match kind {
        Kind::Long if wanted.is_none() => {
            let (told, v) = numbers::coded(meta, rows, chunk)?;
            (told, Values::Long(v))
        }
        Kind::Long | Kind::Boolean => numbers(meta, chunk).map(|(t, v)| (t, Values::Long(v.into())))?,
        Kind::Date => {
            let (told, mut v) = numbers(meta, chunk)?;
            v.iter_mut().for_each(|t| *t = t.saturating_mul(1000));
            if let Some((meta, chunk)) = nanos {
                let (_, rest) = numbers(meta, chunk)?;
                if !rest.is_empty() && rest.len() != v.len() {
                    return Err(damaged("instants and their nanoseconds differ in number"));
                }
                v.iter_mut().zip(rest).for_each(|(t, ns)| *t = t.saturating_add(ns));
            }
            (told, Values::Long(v.into()))
        }
        Kind::Double => {
            let (told, v) = numbers(meta, chunk)?;
            (told, Values::Double(v.into_iter().map(|bits| f64::from_bits(bits as u64)).collect()))
        }
        Kind::Keyword | Kind::Text | Kind::Ip | Kind::Map | Kind::Objects => match wanted {
            Some(wanted) => {
                let (levels, values) = pick::texts(meta, rows, chunk, kind, wanted)?;
                (Told::Levels(levels), values)
            }
            None => texts(meta, rows, chunk, kind)?,
        },
    };
    let rows = wanted.map_or(rows, |wanted| wanted.rows.len());
    let count = match &values {
        Values::Coded { codes, .. } => codes.len(),
        Values::Long(v) => v.len(),
        Values::Double(v) => v.len(),
    };
    if count == 0 {
        return Ok(None);
    }
    let (objects, column_rows) = match (told, planned.levels().0) {
        (Told::Rows(rows), _) => (None, rows),
        (Told::Levels(levels), 1) => (None, single(&levels, rows)?),
        (Told::Levels(levels), 2) => (None, Rows::Many(lists(&levels, rows)?)),
        (Told::Levels(levels), max) => {
            let (objects, column_rows) = members(&levels, rows, max)?;
            (Some(Arc::new(objects)), column_rows)
        }
    };
    let told = match (&column_rows, &objects) {
        (Rows::Each, Some(objects)) => objects.last().copied().unwrap_or(0) as usize,
        (Rows::Each, None) => rows,
        (Rows::Few(list), _) => list.len(),
        (Rows::Many(offsets), _) => offsets.last().copied().unwrap_or(0) as usize,
    };
    if told != count {
        return Err(damaged("levels and values differ in number"));
    }
    Ok(Some(Part { objects, column: Arc::new(Column { kind, rows: column_rows, values }) }))
}

/// The codes of texts in a dictionary, which is not looked at; `None`: they are not in one. Only where there are no lists.
pub(crate) fn codes(meta: &ColumnChunkMetaData, rows: usize, chunk: Source) -> Result<Option<Codes>> {
    let mut reader = Pages::new(meta, chunk)?;
    let mut levels = LevelReader::new(meta, rows);
    let (mut codes, mut dictionary) = (Vec::with_capacity(levels.expected()), false);
    while let Some(page) = reader.next_page()? {
        match page.head.kind {
            Some(PageKind::Dictionary) => dictionary = true,
            Some(PageKind::Data(Encoding::RLE_DICTIONARY)) => {
                let buf = reader.unpack(&page)?;
                let mut rest = &buf[..];
                let count = levels.page(&mut rest, page.head.count)?;
                read_codes(rest, count, &mut codes)?;
            }
            _ => return Ok(None),
        }
    }
    match levels.told()? {
        Told::Rows(rows) if dictionary => Ok(Some(Codes { rows, codes })),
        _ => Ok(None),
    }
}

/// The texts of a chunk's dictionary; `None`: there is none.
pub(crate) fn dictionary(
    meta: &ColumnChunkMetaData,
    chunk: Source,
) -> Result<Option<arrow_array::StringArray>> {
    let mut reader = Pages::new(meta, chunk)?;
    let Some(page) = reader.next_page()?.filter(|page| page.head.kind == Some(PageKind::Dictionary)) else {
        return Ok(None);
    };
    let (mut bytes, mut ends) = (Vec::new(), vec![0i32]);
    plain_texts(&reader.unpack(&page)?, page.head.count as usize, &mut bytes, &mut ends)?;
    checked_text_array(bytes, ends).map(Some).ok_or_else(|| damaged("texts that are not UTF-8"))
}

/// The codes of a page behind its levels.
fn read_codes(page: &[u8], count: usize, out: &mut Vec<u32>) -> Result<()> {
    let (&width, rest) = page.split_first().ok_or_else(outside)?;
    rle::decode(rest, width, count, out).ok_or_else(|| damaged("codes end early"))
}

/// Texts: codes and dictionary as they were written; and the rows that have one, where there are no lists.
fn texts(meta: &ColumnChunkMetaData, rows: usize, chunk: Source, kind: Kind) -> Result<(Told, Values)> {
    let mut reader = Pages::new(meta, chunk)?;
    let mut levels = LevelReader::new(meta, rows);
    let mut codes = Vec::new();
    let (mut bytes, mut ends) = (Vec::new(), vec![0i32]);
    let mut dictionary = false;
    while let Some(page) = reader.next_page()? {
        let buf = reader.unpack(&page)?;
        match page.head.kind {
            Some(PageKind::Dictionary) => {
                plain_texts(&buf, page.head.count as usize, &mut bytes, &mut ends)?;
                dictionary = true;
            }
            Some(PageKind::Data(encoding)) => {
                let mut rest = &buf[..];
                let count = levels.page(&mut rest, page.head.count)?;
                match encoding {
                    Encoding::PLAIN if !dictionary => {
                        let first = ends.len() as u32 - 1;
                        plain_texts(rest, count, &mut bytes, &mut ends)?;
                        codes.extend(first..first + count as u32);
                    }
                    Encoding::RLE_DICTIONARY if dictionary => {
                        read_codes(rest, count, &mut codes)?;
                    }
                    other => return Err(damaged(&format!("texts encoded as {other}"))),
                }
            }
            None => {}
        }
    }
    if !codes.is_empty() && rle::largest(&codes) as usize >= ends.len() - 1 {
        return Err(damaged("a code beyond the dictionary"));
    }
    let array = checked_text_array(bytes, ends).ok_or_else(|| damaged("texts that are not UTF-8"))?;
    let terms = if kind == Kind::Ip { address(&array)? } else { Terms::Text(array) };
    Ok((levels.told()?, Values::Coded { codes, terms }))
}

/// Addresses that were stored as texts.
pub(crate) fn address(texts: &arrow_array::StringArray) -> Result<Terms> {
    let ips = texts.iter().map(|t| Some(Endpoint::new(t?.parse().ok()?, 0).ip)).collect::<Option<_>>();
    Ok(Terms::Ip(ips.ok_or_else(|| damaged("a text that is no address"))?))
}

/// Whether these bytes are among a chunk's texts, as they are stored: much less than reading the column. Some other bytes
/// may look the same.
pub(crate) fn texts_hold(meta: &ColumnChunkMetaData, chunk: Source, bytes: &[u8]) -> Result<bool> {
    let mut reader = Pages::new(meta, chunk)?;
    let finder = memchr::memmem::Finder::new(bytes);
    while let Some(page) = reader.next_page()? {
        if finder.find(&reader.unpack(&page)?).is_some() {
            return Ok(true);
        }
        // Behind a dictionary come only codes.
        if page.head.kind == Some(PageKind::Dictionary) {
            return Ok(false);
        }
    }
    Ok(false)
}

/// Texts with their lengths before them.
fn plain_texts(mut rest: &[u8], count: usize, bytes: &mut Vec<u8>, ends: &mut Vec<i32>) -> Result<()> {
    bytes.reserve(rest.len().saturating_sub(count.saturating_mul(4)));
    for _ in 0..count {
        let (len, tail) = rest.split_first_chunk::<4>().ok_or_else(outside)?;
        let (text, tail) = tail.split_at_checked(u32::from_le_bytes(*len) as usize).ok_or_else(outside)?;
        bytes.extend_from_slice(text);
        ends.push(i32::try_from(bytes.len()).map_err(|_| damaged("texts of over 2 GiB"))?);
        rest = tail;
    }
    Ok(())
}

/// Rows with one value or none.
fn single(levels: &Levels, rows: usize) -> Result<Rows> {
    if levels.def.len() != rows {
        return Err(damaged("levels and rows differ in number"));
    }
    if levels.def.iter().all(|&d| d == 1) {
        return Ok(Rows::Each);
    }
    Ok(Rows::Few((0..).zip(&levels.def).filter(|(_, d)| **d == 1).map(|(row, _)| row).collect()))
}

/// Rows with lists: where each ends.
fn lists(levels: &Levels, rows: usize) -> Result<Vec<u32>> {
    let mut offsets = Vec::with_capacity(rows + 1);
    let mut values = 0;
    for (def, rep) in levels.def.iter().zip(&levels.rep) {
        if *rep == 0 {
            offsets.push(values);
        }
        values += u32::from(*def == 2);
    }
    offsets.push(values);
    if offsets.len() == rows + 1 { Ok(offsets) } else { Err(damaged("levels and rows differ in number")) }
}

/// Rows with objects: where each row's objects end, and what the column's objects hold.
fn members(levels: &Levels, rows: usize, max: i16) -> Result<(Vec<u32>, Rows)> {
    let mut objects = Vec::with_capacity(rows + 1);
    let (mut count, mut values) = (0u32, 0u32);
    let mut few = Vec::new();
    let mut ends = vec![0];
    for (&def, &rep) in levels.def.iter().zip(&levels.rep) {
        if rep == 0 {
            objects.push(count);
        }
        let new_object = rep < 2 && def >= 2;
        count += u32::from(new_object);
        if max == 3 {
            if def == 3 {
                few.push(count.saturating_sub(1));
            }
        } else {
            values += u32::from(def == 4);
            if new_object {
                ends.push(values);
            } else if let Some(last) = ends.last_mut() {
                *last = values;
            }
        }
    }
    objects.push(count);
    if objects.len() != rows + 1 {
        return Err(damaged("levels and rows differ in number"));
    }
    let rows = match max {
        3 if few.len() == count as usize => Rows::Each,
        3 => Rows::Few(few),
        _ => Rows::Many(ends),
    };
    Ok((objects, rows))
}
