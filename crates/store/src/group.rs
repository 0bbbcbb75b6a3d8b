//! The row groups of a sealed file as blocks.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;
use wirebeat_model::{Endpoint, Kind, ip_addr, write_str};

use crate::batch::contains;
use crate::block::{Block, BlockError, Codes, Column, Terms, Values};
use crate::cache::Kept;
use crate::decode;
use crate::file::{SealedFile, all_null};
use crate::layout::{ID, Stored, is_below};
use crate::numbering::Numbering;
use crate::pages::{Opened, Source};
use crate::part::{Part, Parts, logical};
use crate::pick::{Picked, Wanted};
use crate::source;

/// Documents are kept of lists only, not when all are gone through, which would be in vain: of so many in a row group.
const MOST_KEPT: usize = 128;

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

    /// A field's column and where it is, when it has only one.
    fn only(&self, name: &str) -> Option<(usize, &Stored)> {
        let mut stored = self.file.stored.iter().enumerate().filter(|(_, s)| s.field == name);
        stored.next().filter(|_| stored.next().is_none())
    }

    /// Where a field's only column is, when it has one of texts, one for a row at most, as they are.
    fn plain_texts(&self, name: &str) -> Option<usize> {
        let (at, s) = self.only(name)?;
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
        let (at, stored) = self.only(name).filter(|(_, stored)| !stored.same)?;
        Some((self.file.footer().ok()?, self.file.leaves[at].0, stored.kind()))
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
        if let Some((at, s)) = self.only(name)
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
        if !Picked::worthwhile(rows, Block::rows(self)) {
            return self.count(source::sources(self, rows));
        }
        let picked = |rows: &[u32]| {
            let all: Vec<u32> = (0..rows.len() as u32).collect();
            self.count(source::sources(&Picked::new(self, rows), &all))
        };
        if rows.len() > MOST_KEPT {
            return picked(rows);
        }
        let documents = &self.file.shared.documents;
        let key = |row: u32| self.file.key(self.group, itoa::Buffer::new().format(row));
        let kept = |row: &u32| match documents.get(&key(*row)) {
            Some(Kept::Document(text)) => Some(text.to_string()),
            _ => None,
        };
        let mut out: Vec<Option<String>> = rows.iter().map(kept).collect();
        let missing: Vec<u32> =
            rows.iter().zip(&out).filter(|(_, o)| o.is_none()).map(|(row, _)| *row).collect();
        let read = if missing.is_empty() { Vec::new() } else { picked(&missing)? };
        for (row, text) in missing.iter().zip(&read) {
            documents.put(key(*row), Kept::Document(text.as_str().into()));
        }
        let mut read = read.into_iter();
        out.iter_mut().filter(|o| o.is_none()).for_each(|o| *o = read.next());
        Ok(out.into_iter().flatten().collect())
    }
}

/// A text as it is stored.
fn plain(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}
