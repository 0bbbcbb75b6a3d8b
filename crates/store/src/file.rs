//! A sealed file: what it says of itself, and the bytes of its columns.

use std::fs::File;
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
use wirebeat_model::Kind;

use crate::block::BlockError;
use crate::cache::{Cache, Kept, Key};
use crate::decode::{self, Chunk};
use crate::encode::Planned;
use crate::group::SealedBlock;
use crate::layout::{NANOS, Stored, kind_of};
use crate::numbering::Numberings;
use crate::pages::{Opened, Source};
use crate::part::{Part, fields};
use crate::pick::Wanted;
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
    /// Documents that were told: a list that is asked for again and again has mostly the same.
    pub(crate) documents: Cache,
    next_file: AtomicU64,
    /// Times a block could not be read.
    pub(crate) unreadable: AtomicU64,
}

impl Shared {
    pub(crate) fn new(cache_bytes: usize) -> Self {
        Self {
            cache: Cache::new(cache_bytes),
            numberings: Numberings::new(cache_bytes),
            documents: Cache::new(cache_bytes / 16),
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
    pub(crate) stored: Vec<Stored>,
    pub(crate) leaves: Vec<(usize, Option<usize>)>,
    pub(crate) fields: Vec<(String, Kind)>,
    pub(crate) number: u64,
    /// Whether texts in lists are in pages of as many rows each.
    pub(crate) paged: bool,
    /// To be deleted when nobody reads it any more.
    doomed: AtomicBool,
    pub(crate) shared: Arc<Shared>,
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

    pub(crate) fn key(&self, group: usize, name: &str) -> Key {
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
        let file = match file.get() {
            Some(file) => file,
            None => {
                let opened = Arc::new(self.open_again()?);
                file.get_or_init(|| opened)
            }
        };
        if len <= READ_AT_ONCE {
            return Ok(Source::Read(self.bytes_of(file, at, len)?));
        }
        self.check(at, len)?;
        Ok(Source::File(Arc::clone(file), at, len))
    }

    fn open_again(&self) -> Result<File, BlockError> {
        File::open(&self.path).map_err(|e| BlockError::Io(self.path.clone(), e))
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
        self.bytes_of(&self.open_again()?, at, len)
    }

    fn bytes_of(&self, file: &File, at: u64, len: u64) -> Result<Chunk, BlockError> {
        self.check(at, len)?;
        let mut bytes = vec![0; len as usize];
        file.read_exact_at(&mut bytes, at).map_err(|e| BlockError::Io(self.path.clone(), e))?;
        Ok(Chunk { at, bytes: Bytes::from(bytes) })
    }

    /// A stored column of a row group; of some rows, where they are told.
    pub(crate) fn read(
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

    pub(crate) fn damaged(&self, column: &str, error: &ParquetError) -> BlockError {
        BlockError::Damaged(self.path.clone(), format!("{column}: {error}"))
    }
}

/// Whether no row has a value.
pub(crate) fn all_null(meta: &ColumnChunkMetaData) -> bool {
    meta.statistics().and_then(Statistics::null_count_opt) == Some(meta.num_values() as u64)
}

impl Drop for SealedFile {
    fn drop(&mut self) {
        self.shared.cache.forget(self.number);
        self.shared.numberings.forget(self.number);
        self.shared.documents.forget(self.number);
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
