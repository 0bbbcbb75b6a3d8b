//! A sealed file, and its row groups as blocks.

use std::fs::File;
use std::net::IpAddr;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use parquet::bloom_filter::Sbbf;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescriptor;
use wirebeat_model::{Endpoint, Kind, ip_addr, write_str};

use crate::batch::contains;
use crate::block::{Block, BlockError, Codes, Column, Terms, Values};
use crate::cache::{Cache, Kept, Key};
use crate::decode::{self, Chunk};
use crate::encode::Planned;
use crate::layout::{ID, NANOS, Stored, is_below, kind_of};
use crate::numbering::{Numbering, Numberings};
use crate::pages::{Opened, Source};
use crate::part::{Part, Parts, fields, logical};
use crate::pick::{Picked, Wanted};
use crate::source;
use crate::write::{About, FORMAT};

/// Ends every Parquet file, behind the length of its footer.
const MAGIC: &[u8; 4] = b"PAR1";
/// A footer larger than this is none of ours.
const MAX_FOOTER: u64 = 64 << 20;
/// Read at the first attempt; most footers are smaller.
const FOOTER_GUESS: u64 = 32 << 10;

/// A chunk of which only some pages may be wanted is read as a whole up to this size.
const READ_AT_ONCE: u64 = 48 << 10;

/// What all files share.
pub(crate) struct Shared {
    pub(crate) cache: Cache,
    pub(crate) numberings: Numberings,
    next_file: AtomicU64,
    /// Times a block could not be read.
    pub(crate) unreadable: AtomicU64,
}

impl Shared {
    pub(crate) fn new(cache_bytes: usize) -> Self {
        Self {
            cache: Cache::new(cache_bytes),
            numberings: Numberings::new(cache_bytes),
            next_file: AtomicU64::new(0),
            unreadable: AtomicU64::new(0),
        }
    }
}

/// A sealed file.
pub(crate) struct SealedFile {
    pub(crate) path: PathBuf,
    pub(crate) about: About,
    pub(crate) bytes: u64,
    /// Columns without `[ns]`, sorted by name, and the leaf each is, with that of its nanoseconds.
    stored: Vec<Stored>,
    leaves: Vec<(usize, Option<usize>)>,
    fields: Vec<(String, Kind)>,
    number: u64,
    /// Whether texts in lists are in pages of as many rows each.
    pub(crate) paged: bool,
    /// To be deleted when nobody reads it any more.
    doomed: AtomicBool,
    shared: Arc<Shared>,
}

impl SealedFile {
    /// Reads what a file says of itself.
    pub(crate) fn open(path: &Path, shared: &Arc<Shared>) -> Result<Arc<Self>, BlockError> {
        let (footer, bytes) = read_footer(path)?;
        let damaged = |what: &str| BlockError::Damaged(path.into(), what.into());
        let values = footer.file_metadata().key_value_metadata();
        let value = |key: &str| {
            let found = values?.iter().find(|kv| kv.key.strip_prefix("wirebeat.") == Some(key))?;
            found.value.as_deref()
        };
        let number = |key: &str| value(key).and_then(|v| v.parse::<i64>().ok());
        let format = number("format");
        match format {
            None => return Err(damaged("not one of wirebeat's files")),
            Some(v) if v > i64::from(FORMAT) => {
                return Err(damaged(&format!(
                    "written by a later version (format {v}, this one reads {FORMAT})"
                )));
            }
            Some(_) => {}
        }
        let about = (|| {
            let groups: Vec<(u64, i64, i64)> = serde_json::from_str(value("groups")?).ok()?;
            let seq = (u64::try_from(number("first_seq")?).ok()?, u64::try_from(number("last_seq")?).ok()?);
            let same = groups.len() == footer.num_row_groups()
                && groups
                    .iter()
                    .zip(footer.row_groups())
                    .all(|(g, r)| i64::try_from(g.0) == Ok(r.num_rows()));
            (same && seq.0 <= seq.1).then_some(About { seq, ingested: number("ingested")?, groups })
        })()
        .ok_or_else(|| damaged("its description makes no sense"))?;
        let (stored, leaves) = columns(&footer, value("fields").unwrap_or_default())
            .ok_or_else(|| damaged("its columns make no sense"))?;
        let file = Self {
            path: path.into(),
            about,
            bytes,
            fields: fields(&stored),
            stored,
            leaves,
            number: shared.next_file.fetch_add(1, Ordering::Relaxed),
            paged: format >= Some(2),
            doomed: AtomicBool::new(false),
            shared: Arc::clone(shared),
        };
        shared.cache.put(file.key(0, ""), Kept::Footer(Arc::new(footer)));
        Ok(Arc::new(file))
    }

    fn key(&self, group: usize, name: &str) -> Key {
        Key { file: self.number, group: group as u32, name: name.into() }
    }

    /// Deletes the file once the last block of it is gone.
    pub(crate) fn doom(&self) {
        self.doomed.store(true, Ordering::Relaxed);
    }

    /// Its row groups.
    pub(crate) fn blocks(self: &Arc<Self>) -> impl Iterator<Item = SealedBlock> + '_ {
        (0..self.about.groups.len()).map(|group| SealedBlock { file: Arc::clone(self), group })
    }

    /// Its columns as they were planned.
    pub(crate) fn planned(&self) -> Vec<Planned> {
        let mut planned = Vec::with_capacity(self.leaves.len());
        for (stored, (_, nanos)) in self.stored.iter().zip(&self.leaves) {
            planned.push(Planned { stored: stored.clone(), nanos: false });
            planned.extend(nanos.map(|_| Planned { stored: stored.clone(), nanos: true }));
        }
        planned
    }

    /// The chunk of a planned column in a row group.
    pub(crate) fn planned_chunk<'f>(
        &self,
        planned: &Planned,
        group: &'f RowGroupMetaData,
    ) -> Option<&'f ColumnChunkMetaData> {
        let at = self.stored.binary_search_by(|s| s.name.cmp(&planned.stored.name)).ok()?;
        let (leaf, nanos) = self.leaves[at];
        group.columns().get(if planned.nanos { nanos? } else { leaf })
    }

    pub(crate) fn footer(&self) -> Result<Arc<ParquetMetaData>, BlockError> {
        let key = self.key(0, "");
        if let Some(Kept::Footer(footer)) = self.shared.cache.get(&key) {
            return Ok(footer);
        }
        let footer = Arc::new(read_footer(&self.path)?.0);
        self.shared.cache.put(key, Kept::Footer(Arc::clone(&footer)));
        Ok(footer)
    }

    /// The bytes of a column chunk.
    pub(crate) fn chunk(&self, meta: &ColumnChunkMetaData) -> Result<Chunk, BlockError> {
        let (at, len) = meta.byte_range();
        self.bytes(at, len)
    }

    /// The bytes of a column chunk, where only some of its pages may be wanted.
    fn source(&self, meta: &ColumnChunkMetaData, file: &Opened) -> Result<Source, BlockError> {
        let (at, len) = meta.byte_range();
        let failed = |e| BlockError::Io(self.path.clone(), e);
        self.check(at, len)?;
        let file = match file.get() {
            Some(file) => file,
            None => {
                let opened = File::open(&self.path).map_err(failed)?;
                file.get_or_init(|| Arc::new(opened))
            }
        };
        if len > READ_AT_ONCE {
            return Ok(Source::File(Arc::clone(file), at, len));
        }
        let mut bytes = vec![0; len as usize];
        file.read_exact_at(&mut bytes, at).map_err(failed)?;
        Ok(Source::Read(Chunk { at, bytes: Bytes::from(bytes) }))
    }

    fn check(&self, at: u64, len: u64) -> Result<(), BlockError> {
        if at.checked_add(len).is_none_or(|end| end > self.bytes) {
            return Err(BlockError::Damaged(self.path.clone(), "a column lies outside the file".into()));
        }
        Ok(())
    }

    /// The Bloom filter of a chunk's terms, where there is one.
    pub(crate) fn filter(&self, meta: &ColumnChunkMetaData) -> Result<Option<Sbbf>, BlockError> {
        let (Some(at), Some(len)) = (meta.bloom_filter_offset(), meta.bloom_filter_length()) else {
            return Ok(None);
        };
        let damaged = |what: String| BlockError::Damaged(self.path.clone(), what);
        let (Ok(at), Ok(len)) = (u64::try_from(at), u64::try_from(len)) else {
            return Err(damaged("a filter lies outside the file".into()));
        };
        let filter = Sbbf::read_from_column_chunk(meta, &self.bytes(at, len)?);
        let filter = filter.map_err(|e| damaged(format!("a filter: {e}")))?;
        Ok(filter.filter(|f| f.num_blocks() > 0))
    }

    fn bytes(&self, at: u64, len: u64) -> Result<Chunk, BlockError> {
        self.check(at, len)?;
        let failed = |e| BlockError::Io(self.path.clone(), e);
        let file = File::open(&self.path).map_err(failed)?;
        let mut bytes = vec![0; len as usize];
        file.read_exact_at(&mut bytes, at).map_err(failed)?;
        Ok(Chunk { at, bytes: Bytes::from(bytes) })
    }

    /// A stored column of a row group; of some rows, where they are told.
    fn read(
        &self,
        at: usize,
        group: usize,
        some: Option<(Wanted<'_>, &Opened)>,
    ) -> Result<Option<Part>, BlockError> {
        let footer = self.footer()?;
        let outside = || BlockError::Damaged(self.path.clone(), "fewer columns than told".into());
        let row_group = footer.row_groups().get(group).ok_or_else(outside)?;
        let (leaf, nanos) = self.leaves[at];
        let meta = row_group.columns().get(leaf).ok_or_else(outside)?;
        if all_null(meta) {
            return Ok(None);
        }
        let source = |meta| match some {
            Some((_, file)) => self.source(meta, file),
            None => Ok(Source::Read(self.chunk(meta)?)),
        };
        let chunk = source(meta)?;
        let nanos = match nanos.and_then(|n| row_group.columns().get(n)) {
            Some(meta) => Some((meta, source(meta)?)),
            None => None,
        };
        let planned = Planned { stored: self.stored[at].clone(), nanos: false };
        decode::column(&planned, row_group.num_rows() as usize, meta, chunk, nanos, some.map(|s| s.0))
            .map_err(|e| self.damaged(&planned.name(), &e))
    }

    fn damaged(&self, column: &str, error: &ParquetError) -> BlockError {
        BlockError::Damaged(self.path.clone(), format!("{column}: {error}"))
    }
}

/// Whether no row has a value.
fn all_null(meta: &ColumnChunkMetaData) -> bool {
    meta.statistics().and_then(Statistics::null_count_opt) == Some(meta.num_values() as u64)
}

impl Drop for SealedFile {
    fn drop(&mut self) {
        self.shared.cache.forget(self.number);
        self.shared.numberings.forget(self.number);
        if self.doomed.load(Ordering::Relaxed) {
            // A file that stays is removed at the next start; a directory goes when it is empty.
            let _ = std::fs::remove_file(&self.path);
            let _ = self.path.parent().map(std::fs::remove_dir);
        }
    }
}

fn read_footer(path: &Path) -> Result<(ParquetMetaData, u64), BlockError> {
    let failed = |e| BlockError::Io(path.into(), e);
    let damaged = |what: &str| BlockError::Damaged(path.into(), what.into());
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    if size < 12 {
        return Err(damaged("too short"));
    }
    let guess = FOOTER_GUESS.min(size);
    let mut tail = vec![0; guess as usize];
    file.read_exact_at(&mut tail, size - guess).map_err(failed)?;
    let (rest, magic) = tail.split_last_chunk::<4>().ok_or_else(|| damaged("too short"))?;
    let (rest, len) = rest.split_last_chunk::<4>().ok_or_else(|| damaged("too short"))?;
    if magic != MAGIC {
        return Err(damaged("it has no end"));
    }
    let len = u64::from(u32::from_le_bytes(*len));
    if len > MAX_FOOTER || len + 8 > size {
        return Err(damaged("its footer has no sensible length"));
    }
    let footer = if len as usize <= rest.len() {
        ParquetMetaDataReader::decode_metadata(&rest[rest.len() - len as usize..])
    } else {
        let mut whole = vec![0; len as usize];
        file.read_exact_at(&mut whole, size - 8 - len).map_err(failed)?;
        ParquetMetaDataReader::decode_metadata(&whole)
    };
    let footer = footer.map_err(|e| damaged(&e.to_string()))?;
    if footer.row_groups().iter().flat_map(RowGroupMetaData::columns).all(|column| lies_within(column, size))
    {
        Ok((footer, size))
    } else {
        Err(damaged("a column lies outside the file"))
    }
}

/// Whether a chunk is in a file of this size. The library panics over numbers below 0.
fn lies_within(column: &ColumnChunkMetaData, size: u64) -> bool {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let end = start.checked_add(column.compressed_size());
    start >= 0
        && column.data_page_offset() >= 0
        && column.compressed_size() >= 0
        && end.and_then(|end| u64::try_from(end).ok()).is_some_and(|end| end <= size)
}

/// Stored columns and their leaves.
#[allow(clippy::type_complexity)]
fn columns(footer: &ParquetMetaData, kinds: &str) -> Option<(Vec<Stored>, Vec<(usize, Option<usize>)>)> {
    let kinds: serde_json::Map<String, serde_json::Value> = serde_json::from_str(kinds).ok()?;
    let mut all: Vec<(Stored, (usize, Option<usize>))> = Vec::new();
    let schema = footer.file_metadata().schema_descr();
    // Whether a column has the type that its name and kind ask for.
    let fits = |leaf: usize, column: &ColumnDescriptor, planned: &Planned| {
        let levels = (column.max_def_level(), column.max_rep_level());
        let made = planned.parquet_type().ok();
        levels == planned.levels()
            && made.is_some_and(|made| physical(&made) == physical(schema.get_column_root(leaf)))
    };
    let named = || schema.columns().iter().enumerate().map(|(i, c)| (i, c, c.path().parts().first()));
    for (leaf, column, name) in named() {
        let name = name?;
        if !name.ends_with(NANOS) {
            let stored = Stored::parse(name, kind_of(kinds.get(name)?.as_str()?)?);
            let planned = Planned { stored, nanos: false };
            if !fits(leaf, column, &planned) {
                return None;
            }
            all.push((planned.stored, (leaf, None)));
        }
    }
    for (leaf, column, name) in named() {
        if let Some(name) = name?.strip_suffix(NANOS) {
            let (stored, places) = all.iter_mut().find(|(s, _)| s.name == name)?;
            if !fits(leaf, column, &Planned { stored: stored.clone(), nanos: true }) {
                return None;
            }
            places.1 = Some(leaf);
        }
    }
    all.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    Some(all.into_iter().unzip())
}

/// The type of the values of a column.
fn physical(column: &parquet::schema::types::Type) -> Option<parquet::basic::Type> {
    let mut at = column;
    while at.is_group() {
        at = at.get_fields().first()?;
    }
    Some(at.get_physical_type())
}

/// A text as it is stored.
fn plain(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

/// A row group of a sealed file.
#[derive(Clone)]
pub(crate) struct SealedBlock {
    pub(crate) file: Arc<SealedFile>,
    pub(crate) group: usize,
}

impl SealedBlock {
    /// Bytes of its columns before compression.
    pub(crate) fn plain_bytes(&self) -> Result<u64, BlockError> {
        let footer = self.file.footer()?;
        Ok(footer.row_groups().get(self.group).map_or(0, |g| g.total_byte_size().max(0) as u64))
    }

    fn about(&self) -> (u64, i64, i64) {
        self.file.about.groups[self.group]
    }

    fn count<T>(&self, result: Result<T, BlockError>) -> Result<T, BlockError> {
        if result.is_err() {
            self.file.shared.unreadable.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    /// Whether a text can be in a stored column: as a whole term, or within one.
    fn may_hold(&self, at: usize, text: &str, whole: bool) -> Result<bool, BlockError> {
        let stored = &self.file.stored[at];
        if stored.same {
            let ids = self.file.stored.binary_search_by(|s| s.name.as_str().cmp(ID));
            return ids.map_or(Ok(true), |at| self.may_hold(at, text, whole));
        }
        let address;
        // As it is stored, and the bytes to look for.
        let (term, needle) = match stored.kind() {
            Kind::Keyword | Kind::Text if whole => (text, plain(text)),
            Kind::Keyword => (text, text.as_bytes().to_vec()),
            Kind::Ip if whole => {
                let Ok(ip) = text.parse::<IpAddr>() else { return Ok(true) };
                address = ip_addr(Endpoint::new(ip, 0).ip).to_string();
                (address.as_str(), plain(&address))
            }
            Kind::Map if whole => {
                let mut quoted = Vec::new();
                write_str(text, &mut quoted);
                (text, quoted[1..quoted.len() - 1].to_vec())
            }
            _ => return Ok(true),
        };
        let whole = whole && stored.kind() != Kind::Map;
        let key = self.file.key(self.group, &stored.name);
        if let (Some(Kept::Part(part)), true) = (self.file.shared.cache.get(&key), stored.kind() != Kind::Map)
        {
            return Ok(part.is_some_and(|p| !whole || contains(&p.column, term)));
        }
        let footer = self.file.footer()?;
        let Some(group) = footer.row_groups().get(self.group) else { return Ok(true) };
        let Some(meta) = group.columns().get(self.file.leaves[at].0) else { return Ok(true) };
        if all_null(meta) {
            return Ok(false);
        }
        if let Some(stats) = meta.statistics() {
            let outside = || {
                let below = stats.min_bytes_opt().is_some_and(|min| term.as_bytes() < min);
                below || stats.max_bytes_opt().is_some_and(|max| term.as_bytes() > max)
            };
            if whole && outside() {
                return Ok(false);
            }
        }
        if whole && self.file.filter(meta)?.is_some_and(|filter| !filter.check(term)) {
            return Ok(false);
        }
        let chunk = Source::Read(self.file.chunk(meta)?);
        decode::texts_hold(meta, chunk, &needle).map_err(|e| self.file.damaged(&stored.name, &e))
    }

    /// Some rows of a stored column; `None` when no row of the block has a value.
    pub(crate) fn pick(&self, at: usize, rows: &[u32], file: &Opened) -> Result<Option<Part>, BlockError> {
        let key = self.file.key(self.group, &self.file.stored[at].name);
        match self.file.shared.cache.get(&key) {
            Some(Kept::Part(part)) => Ok(part.map(|part| part.take(rows))),
            _ => {
                let stored = &self.file.stored[at];
                let numbering = match self.plain_texts(&stored.field) {
                    Some(_) => self.file.shared.numberings.known(&stored.field),
                    None => None,
                };
                let numbers =
                    numbering.as_ref().and_then(|n| n.of_group((self.file.number, self.group as u32)));
                let known = numbering.as_deref().zip(numbers.as_deref());
                let wanted = Wanted { rows, paged: self.file.paged, known };
                self.file.read(at, self.group, Some((wanted, file)))
            }
        }
    }

    fn may_have(&self, name: &str, text: &str, whole: bool) -> bool {
        let mut stored = self.file.stored.iter().enumerate();
        stored.any(|(at, s)| {
            let inside = s.kind() == Kind::Map && (s.field == name || is_below(name, &s.field));
            // What cannot be read is told when the column is asked for.
            (s.field == name || inside) && self.may_hold(at, text, whole).unwrap_or(true)
        })
    }

    /// Where a field's only column is, when it has one of texts, one for a row at most, as they are.
    fn plain_texts(&self, name: &str) -> Option<usize> {
        let mut stored = self.file.stored.iter().enumerate().filter(|(_, s)| s.field == name);
        let (Some((at, s)), None) = (stored.next(), stored.next()) else { return None };
        (s.kind() == Kind::Keyword && !s.many && s.list.is_none() && !s.same).then_some(at)
    }

    /// Has something read of a column that has a dictionary; `None`: it has none, or no value.
    fn of_dictionary<T>(
        &self,
        at: usize,
        read: impl FnOnce(&ColumnChunkMetaData, usize, Source) -> Result<Option<T>, ParquetError>,
    ) -> Result<Option<T>, BlockError> {
        let footer = self.file.footer()?;
        let outside = || BlockError::Damaged(self.file.path.clone(), "fewer columns than told".into());
        let group = footer.row_groups().get(self.group).ok_or_else(outside)?;
        let meta = group.columns().get(self.file.leaves[at].0).ok_or_else(outside)?;
        if all_null(meta) || meta.dictionary_page_offset().is_none() {
            return Ok(None);
        }
        let chunk = Source::Read(self.file.chunk(meta)?);
        let name = &self.file.stored[at].name;
        read(meta, group.num_rows() as usize, chunk).map_err(|e| self.file.damaged(name, &e))
    }

    /// The chunk's metadata of a field's only column.
    fn meta(&self, name: &str) -> Option<(Arc<ParquetMetaData>, usize, Kind)> {
        let mut of_field = self.file.stored.iter().zip(&self.file.leaves).filter(|(s, _)| s.field == name);
        let (stored, (leaf, _)) = of_field.next()?;
        if stored.same || of_field.next().is_some() {
            return None;
        }
        Some((self.file.footer().ok()?, *leaf, stored.kind()))
    }
}

impl Parts for SealedBlock {
    fn origin(&self) -> PathBuf {
        self.file.path.clone()
    }

    fn rows(&self) -> usize {
        self.about().0 as usize
    }

    fn stored(&self) -> &[Stored] {
        &self.file.stored
    }

    fn part(&self, at: usize) -> Result<Option<Part>, BlockError> {
        let key = self.file.key(self.group, &self.file.stored[at].name);
        if let Some(Kept::Part(part)) = self.file.shared.cache.get(&key) {
            return Ok(part);
        }
        let part = self.file.read(at, self.group, None)?;
        self.file.shared.cache.put(key, Kept::Part(part.clone()));
        Ok(part)
    }
}

/// Rows that are read once, for a merge, and push nothing out of the cache.
pub(crate) struct Uncached<'a>(pub(crate) &'a SealedBlock);

impl Parts for Uncached<'_> {
    fn origin(&self) -> PathBuf {
        self.0.origin()
    }

    fn rows(&self) -> usize {
        Parts::rows(self.0)
    }

    fn stored(&self) -> &[Stored] {
        &self.0.file.stored
    }

    fn part(&self, at: usize) -> Result<Option<Part>, BlockError> {
        self.0.file.read(at, self.0.group, None)
    }
}

impl Block for SealedBlock {
    fn rows(&self) -> usize {
        self.about().0 as usize
    }

    fn time(&self) -> (i64, i64) {
        (self.about().1, self.about().2)
    }

    fn fields(&self) -> &[(String, Kind)] {
        &self.file.fields
    }

    fn column(&self, name: &str) -> Result<Option<Arc<Column>>, BlockError> {
        // A single stored column is kept as such.
        let mut stored = self.file.stored.iter().enumerate().filter(|(_, s)| s.field == name);
        if let (Some((at, s)), None) = (stored.next(), stored.next())
            && s.list.is_none()
            && !s.same
            && s.kind() != Kind::Map
        {
            return self.count(self.part(at)).map(|p| p.map(|p| p.column));
        }
        let key = self.file.key(self.group, &format!(" {name}"));
        if let Some(Kept::Column(column)) = self.file.shared.cache.get(&key) {
            return Ok(column);
        }
        let column = self.count(logical(self, name))?;
        self.file.shared.cache.put(key, Kept::Column(column.clone()));
        Ok(column)
    }

    fn may_contain(&self, name: &str, term: &str) -> bool {
        self.may_have(name, term, true)
    }

    fn may_contain_part(&self, name: &str, part: &str) -> bool {
        self.may_have(name, part, false)
    }

    fn bounds(&self, name: &str) -> Option<(i64, i64)> {
        if name == "@timestamp" {
            return Some(self.time());
        }
        let (footer, leaf, kind) = self.meta(name)?;
        let stats = footer.row_groups().get(self.group)?.columns().get(leaf)?.statistics()?;
        match (stats, kind) {
            (Statistics::Int64(s), Kind::Long) => Some((*s.min_opt()?, *s.max_opt()?)),
            (Statistics::Int64(s), Kind::Date) => {
                let (min, max) = (*s.min_opt()?, *s.max_opt()?);
                Some((min.saturating_mul(1000), max.saturating_mul(1000).saturating_add(999)))
            }
            (Statistics::Boolean(s), Kind::Boolean) => Some(((*s.min_opt()?).into(), (*s.max_opt()?).into())),
            _ => None,
        }
    }

    fn codes(&self, name: &str) -> Result<Option<Arc<Codes>>, BlockError> {
        let Some(at) = self.plain_texts(name) else { return Ok(None) };
        let stored = &self.file.stored[at].name;
        let cache = &self.file.shared.cache;
        let key = self.file.key(self.group, &format!("#{stored}"));
        match (cache.get(&key), cache.get(&self.file.key(self.group, stored))) {
            (Some(Kept::Codes(codes)), _) => return Ok(Some(codes)),
            // All of it is at hand.
            (_, Some(_)) => return Ok(None),
            _ => {}
        }
        let codes = self.count(self.of_dictionary(at, decode::codes))?.map(Arc::new);
        if let Some(codes) = &codes {
            cache.put(key, Kept::Codes(Arc::clone(codes)));
        }
        Ok(codes)
    }

    fn numbering(&self, name: &str) -> Option<Arc<Numbering>> {
        self.plain_texts(name).and_then(|_| self.file.shared.numberings.of(name))
    }

    fn numbers(
        &self,
        name: &str,
        numbering: &Numbering,
        make: bool,
    ) -> Result<Option<Arc<[u32]>>, BlockError> {
        let Some(at) = self.plain_texts(name) else { return Ok(None) };
        let group = (self.file.number, self.group as u32);
        if let Some(numbers) = numbering.of_group(group) {
            return Ok(Some(numbers));
        }
        if !make {
            return Ok(None);
        }
        let stored = &self.file.stored[at].name;
        if let Some(Kept::Part(part)) = self.file.shared.cache.get(&self.file.key(self.group, stored)) {
            return Ok(match part.as_ref().map(|part| &part.column.values) {
                Some(Values::Coded { terms: Terms::Text(terms), .. }) => numbering.add_group(group, terms),
                _ => None,
            });
        }
        let terms = self.count(self.of_dictionary(at, |meta, _, chunk| decode::dictionary(meta, chunk)))?;
        Ok(terms.and_then(|terms| numbering.add_group(group, &terms)))
    }

    fn some(&self, name: &str, rows: &[u32]) -> Result<Option<Arc<Column>>, BlockError> {
        if Picked::worthwhile(rows, Block::rows(self)) {
            return self.count(logical(&Picked::new(self, rows), name));
        }
        Ok(self.column(name)?.map(|column| Arc::new(column.take(rows))))
    }

    fn sources(&self, rows: &[u32]) -> Result<Vec<String>, BlockError> {
        self.count(if Picked::worthwhile(rows, Block::rows(self)) {
            let all: Vec<u32> = (0..rows.len() as u32).collect();
            source::sources(&Picked::new(self, rows), &all)
        } else {
            source::sources(self, rows)
        })
    }
}
