//! A few rows of a row group, read without the others: of a plain column only the pages that have them.

use std::sync::Arc;

use parquet::basic::Encoding;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use wirebeat_model::Kind;

use crate::block::{BlockError, Column, Rows, Terms, Values};
use crate::decode::{address, damaged, outside};
use crate::encode::{Levels, PAGE_ROWS};
use crate::group::SealedBlock;
use crate::layout::Stored;
use crate::levels;
use crate::numbering::Numbering;
use crate::numbers::Decoder;
use crate::pages::{Opened, Page, Pages, Source};
use crate::part::{Cursor, Part, Parts};
use crate::rle;
use crate::spans::Spans;
use crate::terms::checked_text_array;
use crate::thrift::PageKind;

/// Some rows of a block; ascending. They are numbered anew, from 0.
pub(crate) struct Picked<'a> {
    block: &'a SealedBlock,
    rows: &'a [u32],
    /// Its file, once it was opened.
    file: Opened,
}

/// Rows of a chunk that are wanted; ascending.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) rows: &'a [u32],
    /// Whether texts in lists are in pages of [`PAGE_ROWS`] rows.
    pub(crate) paged: bool,
    /// Where the texts of its dictionary are known, and the number of each.
    pub(crate) known: Option<(&'a Numbering, &'a [u32])>,
}

impl<'a> Picked<'a> {
    pub(crate) fn new(block: &'a SealedBlock, rows: &'a [u32]) -> Self {
        Self { block, rows, file: Opened::new() }
    }

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
        self.block.pick(at, self.rows, &self.file)
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

/// What the pages with the wanted rows are made of.
enum Piece<'a> {
    /// Not unpacked.
    Dictionary(Page),
    /// Values: how they are encoded, how many there are, and which are wanted.
    Values(&'a [u8], Encoding, usize, &'a [u32]),
}

/// Goes through the pages that have wanted rows; answers their levels.
fn pages(
    meta: &ColumnChunkMetaData,
    rows: usize,
    chunk: Source,
    Wanted { rows: wanted, paged, .. }: Wanted<'_>,
    mut each: impl FnMut(Piece<'_>) -> Result<()>,
) -> Result<(Levels, Pages)> {
    let mut reader = Pages::new(meta, chunk)?;
    let (max_def, max_rep) = (meta.column_descr().max_def_level(), meta.column_descr().max_rep_level());
    let mut told = Levels::default();
    // The first row of the next page; how many of the wanted rows are done.
    let (mut first, mut done) = (0u32, 0);
    while done < wanted.len()
        && let Some(page) = reader.next_page()?
    {
        let (left, n) = (rows.saturating_sub(first as usize), page.head.count);
        let encoding = match page.head.kind {
            Some(PageKind::Data(encoding)) => encoding,
            Some(PageKind::Dictionary) => {
                each(Piece::Dictionary(page))?;
                continue;
            }
            None => continue,
        };
        // Without lists a page has a row for each level.
        let rows_ahead = match max_rep {
            0 => Some(n as usize),
            _ => paged.then(|| PAGE_ROWS.min(left)),
        };
        if let Some(rows) = rows_ahead
            && wanted[done] as usize >= first as usize + rows
        {
            first = first.saturating_add(rows as u32);
            continue;
        }
        if n as usize > levels::MAX {
            return Err(damaged("more levels than rows"));
        }
        let buf = reader.unpack(&page)?;
        let mut rest = &buf[..];
        let page = Spans::new(&mut rest, (max_def, max_rep), n, first, &wanted[done..])?;
        if rows_ahead.is_some_and(|rows| rows != page.rows as usize) || page.rows as usize > left {
            return Err(damaged("a page has other rows than told"));
        }
        told.def.extend(page.def);
        told.rep.extend(page.rep);
        if !page.places.is_empty() {
            each(Piece::Values(rest, encoding, page.values, &page.places))?;
        }
        done += page.found;
        first = first.saturating_add(page.rows);
    }
    if done < wanted.len() { Err(damaged("fewer rows than told")) } else { Ok((told, reader)) }
}

/// Numbers of some rows of a chunk.
pub(crate) fn numbers(
    meta: &ColumnChunkMetaData,
    rows: usize,
    chunk: Source,
    wanted: Wanted<'_>,
) -> Result<(Levels, Vec<i64>)> {
    let mut decoder = Decoder::new(meta)?;
    let (mut page, mut codes, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let mut dictionary: Option<Page> = None;
    // Places of numbers that are in the dictionary, and which of it they are.
    let mut coded: Vec<(usize, u32)> = Vec::new();
    let (levels, reader) = pages(meta, rows, chunk, wanted, |piece| match piece {
        Piece::Dictionary(page) => {
            dictionary = Some(page);
            Ok(())
        }
        Piece::Values(rest, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY, count, places)
            if dictionary.is_some() =>
        {
            let (&width, rest) = rest.split_first().ok_or_else(outside)?;
            codes.clear();
            rle::pick(rest, width, count, places, &mut codes).ok_or_else(|| damaged("codes end early"))?;
            coded.extend((out.len()..).zip(codes.iter().copied()));
            out.resize(out.len() + codes.len(), 0);
            Ok(())
        }
        Piece::Values(rest, encoding, count, places) => {
            page.clear();
            decoder.page(rest, encoding, count, &mut page)?;
            out.extend(places.iter().map(|place| page[*place as usize]));
            Ok(())
        }
    })?;
    if let (Some(page), Some(last)) = (dictionary, coded.iter().map(|(_, code)| *code as usize).max()) {
        let distinct = reader.unpack_until(&page, |so_far| so_far.len() / 8 > last)?;
        decoder.dictionary(&distinct, (last + 1).min(page.head.count as usize))?;
        for (place, code) in coded {
            out[place] =
                decoder.in_dictionary(code).ok_or_else(|| damaged("a code beyond the dictionary"))?;
        }
    }
    Ok((levels, out))
}

/// Texts of some rows of a chunk, each on its own.
pub(crate) fn texts(
    meta: &ColumnChunkMetaData,
    rows: usize,
    chunk: Source,
    kind: Kind,
    wanted: Wanted<'_>,
) -> Result<(Levels, Values)> {
    let mut dictionary: Option<Page> = None;
    let mut codes = Vec::new();
    let (mut bytes, mut ends) = (Vec::new(), vec![0i32]);
    let (told, reader) = pages(meta, rows, chunk, wanted, |piece| match piece {
        Piece::Dictionary(page) => {
            dictionary = Some(page);
            Ok(())
        }
        Piece::Values(rest, Encoding::PLAIN, _, places) if dictionary.is_none() => {
            plain(rest, places, &mut bytes, &mut ends)
        }
        Piece::Values(rest, Encoding::RLE_DICTIONARY, count, places) if dictionary.is_some() => {
            let (&width, rest) = rest.split_first().ok_or_else(outside)?;
            rle::pick(rest, width, count, places, &mut codes).ok_or_else(|| damaged("codes end early"))
        }
        Piece::Values(_, other, ..) => Err(damaged(&format!("texts encoded as {other}"))),
    })?;
    if let Some(page) = dictionary {
        let mut each: Vec<u32> = codes.clone();
        each.sort_unstable();
        each.dedup();
        match (wanted.known, each.last()) {
            (Some((numbering, numbers)), _) => {
                for code in &each {
                    let number = numbers.get(*code as usize);
                    let number = number.ok_or_else(|| damaged("a code beyond the dictionary"))?;
                    bytes.extend_from_slice(numbering.text(*number).as_bytes());
                    ends.push(i32::try_from(bytes.len()).map_err(|_| damaged("texts of over 2 GiB"))?);
                }
            }
            (None, Some(last)) => {
                let (mut at, mut met) = (0, 0);
                let dictionary = reader.unpack_until(&page, |so_far| {
                    while met <= *last
                        && let Some(len) = so_far.get(at..).and_then(<[u8]>::first_chunk::<4>)
                        && let next = (at + 4).saturating_add(u32::from_le_bytes(*len) as usize)
                        && next <= so_far.len()
                    {
                        (at, met) = (next, met + 1);
                    }
                    met > *last
                })?;
                plain(&dictionary, &each, &mut bytes, &mut ends)?;
            }
            (None, None) => {}
        }
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
