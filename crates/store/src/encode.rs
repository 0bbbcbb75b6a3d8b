//! Stored columns as column chunks of a Parquet row group.
//!
//! Texts are written here, because their codes are known: a dictionary page and pages of codes, or plain pages
//! when each text stands once. Numbers are written by the library.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{BoolType, ByteArray, DoubleType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::{ColumnDescPtr, Type, TypePtr};
use wirebeat_model::Kind;

use crate::block::{Column, Rows, Terms, Values};
use crate::json::write_ip;
use crate::layout::{NANOS, Stored};
use crate::part::Part;
use crate::rle;
use crate::terms::{Merged, Texts};
use arrow_array::Array;

/// Texts longer than this have no place in a chunk's smallest and largest value.
const STATISTICS_BYTES: usize = 64;

/// A page has so many rows, where a chunk has more than one.
pub(crate) const PAGE_ROWS: usize = 4096;

/// A chunk has more than one page when its codes or texts take more than this.
const PAGE_BYTES: usize = 16 << 10;

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) stored: Stored,
    /// Left-over nanoseconds of the instants in [`Planned::stored`].
    pub(crate) nanos: bool,
}

impl Planned {
    /// Its name in the file.
    pub(crate) fn name(&self) -> String {
        let end = if self.nanos { NANOS } else { "" };
        format!("{}{end}", self.stored.name)
    }

    /// Definition and repetition levels at most.
    pub(crate) fn levels(&self) -> (i16, i16) {
        match (&self.stored.list, self.stored.many) {
            (None, false) => (1, 0),
            (None, true) => (2, 1),
            (Some(_), false) => (3, 1),
            (Some(_), true) => (4, 2),
        }
    }

    /// Its type in the file.
    pub(crate) fn parquet_type(&self) -> Result<TypePtr> {
        let name = self.name();
        let optional = |name: &str| self.leaf(name, Repetition::OPTIONAL);
        let root = match (&self.stored.list, self.stored.many) {
            (None, false) => optional(&name)?,
            (None, true) => list(&name, self.leaf("element", Repetition::REQUIRED)?)?,
            (Some(_), false) => list(&name, optional("element")?)?,
            (Some(_), true) => {
                let inner = list("element", self.leaf("element", Repetition::REQUIRED)?)?;
                list(&name, inner)?
            }
        };
        Ok(Arc::new(root))
    }

    fn leaf(&self, name: &str, repetition: Repetition) -> Result<Type> {
        let (physical, logical) = match self.stored.kind() {
            Kind::Date if self.nanos => (Physical::INT32, None),
            Kind::Date => {
                let unit = parquet::basic::TimeUnit::MICROS;
                (Physical::INT64, Some(LogicalType::timestamp(true, unit)))
            }
            Kind::Long => (Physical::INT64, None),
            Kind::Double => (Physical::DOUBLE, None),
            Kind::Boolean => (Physical::BOOLEAN, None),
            Kind::Keyword | Kind::Text | Kind::Ip | Kind::Map | Kind::Objects => {
                (Physical::BYTE_ARRAY, Some(LogicalType::String))
            }
        };
        Type::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()
    }
}

fn list(name: &str, element: Type) -> Result<Type> {
    let repeated = Type::group_type_builder("list")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![Arc::new(element)])
        .build()?;
    Type::group_type_builder(name)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(repeated)])
        .build()
}

/// Which value belongs to which row, as Parquet says it.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    pub(crate) def: Vec<i16>,
    pub(crate) rep: Vec<i16>,
}

impl Levels {
    /// Appends the rows of a column. Repetition levels are left out where there are none.
    fn append(&mut self, rows: usize, part: Option<&Part>, lists: bool) {
        let Some(part) = part else {
            self.def.resize(self.def.len() + rows, 0);
            self.rep.resize(if lists { self.def.len() } else { 0 }, 0);
            return;
        };
        match &part.objects {
            None => self.append_rows(rows, &part.column.rows),
            Some(objects) => self.append_objects(objects, &part.column),
        }
    }

    fn append_rows(&mut self, count: usize, rows: &Rows) {
        match rows {
            Rows::Each => self.def.resize(self.def.len() + count, 1),
            Rows::Few(list) => {
                let start = self.def.len();
                self.def.resize(start + count, 0);
                list.iter().for_each(|&row| self.def[start + row as usize] = 1);
            }
            Rows::Many(offsets) => {
                for pair in offsets.windows(2) {
                    self.push_list(pair[1] - pair[0], 0, 0, 2);
                }
            }
        }
    }

    /// A list of so many values: `first` is the repetition level of the first, `empty` and `value` definition levels.
    fn push_list(&mut self, count: u32, first: i16, empty: i16, value: i16) {
        if count == 0 {
            self.def.push(empty);
            self.rep.push(first);
            return;
        }
        self.rep.push(first);
        // Further values of the innermost list.
        let more = if value == 2 { 1 } else { 2 };
        self.rep.resize(self.rep.len() + count as usize - 1, more);
        self.def.resize(self.def.len() + count as usize, value);
    }

    fn append_objects(&mut self, objects: &[u32], column: &Column) {
        let mut cursor = crate::part::Cursor::new(&column.rows);
        let many = matches!(column.rows, Rows::Many(_));
        for pair in objects.windows(2) {
            if pair[0] == pair[1] {
                self.def.push(0);
                self.rep.push(0);
            }
            for object in pair[0]..pair[1] {
                let first = i16::from(object > pair[0]);
                let count = cursor.of(object).len() as u32;
                if many {
                    self.push_list(count, first, 2, 4);
                } else {
                    self.def.push(if count > 0 { 3 } else { 2 });
                    self.rep.push(first);
                }
            }
        }
    }
}

/// Rows and what they hold in one column.
pub(crate) type Piece = (usize, Option<Part>);

/// The values of all pieces, one after the other.
fn concat(pieces: &[Piece], kind: Kind) -> Values {
    let columns = || pieces.iter().filter_map(|(_, p)| p.as_ref()).map(|p| &p.column.values);
    let total = columns().map(count).sum();
    match kind {
        Kind::Long | Kind::Boolean | Kind::Date => {
            let mut out = Vec::with_capacity(total);
            columns().for_each(|v| {
                if let Values::Long(v) = v {
                    out.extend_from_slice(v)
                }
            });
            Values::Long(out.into())
        }
        Kind::Double => {
            let mut out = Vec::with_capacity(total);
            columns().for_each(|v| {
                if let Values::Double(v) = v {
                    out.extend_from_slice(v)
                }
            });
            Values::Double(out)
        }
        Kind::Keyword | Kind::Text | Kind::Ip | Kind::Map | Kind::Objects => {
            let mut all = if kind == Kind::Ip {
                Merged::like(&Terms::Ip(Vec::new()))
            } else {
                Merged::Texts(Texts::new())
            };
            let mut out = Vec::with_capacity(total);
            for values in columns() {
                if let Values::Coded { codes, terms } = values {
                    let new = all.add(terms);
                    out.extend(codes.iter().map(|&c| new[c as usize]));
                }
            }
            Values::Coded { codes: out, terms: all.into_terms() }
        }
    }
}

fn count(values: &Values) -> usize {
    match values {
        Values::Coded { codes, .. } => codes.len(),
        Values::Long(v) => v.len(),
        Values::Double(v) => v.len(),
    }
}

/// Writes column chunks. Reuse one: it keeps its memory.
pub(crate) struct Encoder {
    zstd: zstd::bulk::Compressor<'static>,
}

impl Encoder {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { zstd: zstd::bulk::Compressor::new(1)? })
    }

    /// Writes the next column of a row group.
    pub(crate) fn column<W: std::io::Write + Send>(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, W>,
        descr: &ColumnDescPtr,
        planned: &Planned,
        pieces: &[Piece],
    ) -> Result<()> {
        let rows = pieces.iter().map(|p| p.0).sum();
        let lists = planned.levels().1 > 0;
        let mut levels = Levels::default();
        let values = concat(pieces, planned.stored.kind());
        if lists || !matches!(values, Values::Coded { .. }) {
            pieces.iter().for_each(|(rows, part)| levels.append(*rows, part.as_ref(), lists));
        }
        match values {
            Values::Coded { codes, terms } => {
                let texts = Coded::new(codes, as_texts(&terms));
                let pages = if lists {
                    list_page_starts(&levels, (descr.max_def_level(), descr.max_rep_level()))
                } else {
                    page_starts(pieces, &texts)
                };
                let filter = filter(&texts.terms, planned.stored.kind())?;
                let chunk = self.texts(descr, rows, pages, &texts, filter)?;
                group.append_column(&chunk.0, chunk.1)
            }
            Values::Long(v) => {
                let Some(mut writer) = group.next_column()? else { return Err(too_many()) };
                let (def, rep) = (Some(levels.def.as_slice()), lists.then_some(levels.rep.as_slice()));
                match planned.stored.kind() {
                    Kind::Boolean => {
                        let v: Vec<bool> = v.iter().map(|&b| b != 0).collect();
                        writer.typed::<BoolType>().write_batch(&v, def, rep)?;
                    }
                    Kind::Date if planned.nanos => {
                        let v: Vec<i32> = v.iter().map(|t| t.rem_euclid(1000) as i32).collect();
                        writer.typed::<Int32Type>().write_batch(&v, def, rep)?;
                    }
                    Kind::Date => {
                        let v: Vec<i64> = v.iter().map(|t| t.div_euclid(1000)).collect();
                        writer.typed::<Int64Type>().write_batch(&v, def, rep)?;
                    }
                    _ => {
                        writer.typed::<Int64Type>().write_batch(&v, def, rep)?;
                    }
                }
                writer.close()
            }
            Values::Double(v) => {
                let Some(mut writer) = group.next_column()? else { return Err(too_many()) };
                writer.typed::<DoubleType>().write_batch(
                    &v,
                    Some(&levels.def),
                    lists.then_some(&levels.rep),
                )?;
                writer.close()
            }
        }
    }

    /// A chunk of texts in pages that begin so.
    fn texts(
        &mut self,
        descr: &ColumnDescPtr,
        rows: usize,
        starts: Vec<PageStart>,
        Coded { codes, terms, each_once }: &Coded,
        bloom_filter: Option<Sbbf>,
    ) -> Result<(Bytes, ColumnCloseResult)> {
        let mut sink = TrackedWrite::new(Vec::new());
        let mut pages = SerializedPageWriter::new(&mut sink);
        let (mut plain_size, mut data_at) = (0, 0);
        let count = starts.iter().map(|start| start.count).sum::<usize>();
        if !*each_once {
            let mut dictionary = Vec::with_capacity(terms.value_data().len() + terms.len() * 4);
            write_plain(terms, 0..terms.len(), &mut dictionary);
            let page = Page::DictionaryPage {
                buf: self.compress(&dictionary)?,
                num_values: terms.len() as u32,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            let spec = pages.write_page(CompressedPage::new(page, dictionary.len()))?;
            plain_size += spec.uncompressed_size;
            data_at = spec.bytes_written;
        }
        let width = rle::bits((terms.len() as u32).saturating_sub(1));
        let mut first = 0;
        for start in starts {
            let (mut data, here) = (start.levels, first..first + start.values);
            first = here.end;
            let encoding = if *each_once {
                write_plain(terms, here, &mut data);
                Encoding::PLAIN
            } else {
                data.push(width);
                rle::encode(&codes[here], width, &mut data);
                Encoding::RLE_DICTIONARY
            };
            let page = Page::DataPage {
                buf: self.compress(&data)?,
                num_values: start.count as u32,
                encoding,
                def_level_encoding: Encoding::RLE,
                rep_level_encoding: Encoding::RLE,
                statistics: None,
            };
            plain_size += pages.write_page(CompressedPage::new(page, data.len()))?.uncompressed_size;
        }
        pages.close()?;
        let bytes = Bytes::from(sink.into_inner()?);
        let mut encodings = vec![Encoding::PLAIN, Encoding::RLE];
        encodings.extend((!*each_once).then_some(Encoding::RLE_DICTIONARY));
        let metadata = ColumnChunkMetaData::builder(Arc::clone(descr))
            .set_encodings(encodings)
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_num_values(count as i64)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(plain_size as i64)
            .set_data_page_offset(data_at as i64)
            .set_dictionary_page_offset((!*each_once).then_some(0))
            .set_statistics(statistics(terms, count - codes.len()))
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: rows as u64,
            metadata,
            bloom_filter,
            column_index: None,
            offset_index: None,
        };
        Ok((bytes, close))
    }

    fn compress(&mut self, bytes: &[u8]) -> Result<Bytes> {
        Ok(Bytes::from(self.zstd.compress(bytes)?))
    }
}

/// From so many bytes of terms on a filter spares more reading than it costs.
const FILTER_FROM: usize = 32 << 10;

/// A Bloom filter of the terms, where whole terms are looked for and reading them all is dear.
fn filter(terms: &arrow_array::StringArray, kind: Kind) -> Result<Option<Sbbf>> {
    if terms.value_data().len() < FILTER_FROM || matches!(kind, Kind::Map | Kind::Objects) {
        return Ok(None);
    }
    let mut filter = Sbbf::new_with_ndv_fpp(terms.len() as u64, 0.01)?;
    terms.iter().flatten().for_each(|term| filter.insert(term));
    Ok(Some(filter))
}

fn too_many() -> ParquetError {
    ParquetError::General("more columns than planned".into())
}

/// Length and run-length encoding, as data pages of version 1 have them.
fn write_levels(levels: &[i16], max: i16, out: &mut Vec<u8>) {
    with_length(max, out, |encoder| levels.iter().for_each(|&level| encoder.push(level as u32, 1)));
}

/// The texts of a chunk, and which of them each value is.
struct Coded {
    codes: Vec<u32>,
    terms: arrow_array::StringArray,
    /// Each text stands once, in its order: then a dictionary is of no use.
    each_once: bool,
}

impl Coded {
    fn new(codes: Vec<u32>, terms: arrow_array::StringArray) -> Self {
        let each_once = terms.len() == codes.len() && codes.iter().zip(0..).all(|(c, i)| *c == i);
        Self { codes, terms, each_once }
    }
}

/// How a data page begins: its levels; and what it has.
struct PageStart {
    levels: Vec<u8>,
    /// How many levels: values, and places without one.
    count: usize,
    values: usize,
}

/// The pages of rows with one value or none: one, or, where that would be long, some for [`PAGE_ROWS`] rows each, so that a
/// few rows can be read without the others.
fn page_starts(pieces: &[Piece], texts: &Coded) -> Vec<PageStart> {
    let rows: usize = pieces.iter().map(|p| p.0).sum();
    let bits = if texts.each_once {
        texts.terms.value_data().len() * 8
    } else {
        texts.codes.len() * usize::from(rle::bits(texts.terms.len() as u32))
    };
    let limit = if bits / 8 > PAGE_BYTES { PAGE_ROWS } else { rows.max(1) };
    let mut starts = Vec::new();
    let mut open: Vec<(u32, usize)> = Vec::new();
    let mut room = limit;
    let mut close = |open: &mut Vec<(u32, usize)>| {
        let mut levels = Vec::new();
        with_length(1, &mut levels, |encoder| open.iter().for_each(|(level, n)| encoder.push(*level, *n)));
        let values = open.iter().filter(|(level, _)| *level == 1).map(|(_, n)| n).sum();
        starts.push(PageStart { levels, count: open.iter().map(|(_, n)| n).sum(), values });
        open.clear();
    };
    presence(pieces, |level, mut n| {
        while n > 0 {
            let taken = n.min(room);
            open.push((level, taken));
            (n, room) = (n - taken, room - taken);
            if room == 0 {
                close(&mut open);
                room = limit;
            }
        }
    });
    if !open.is_empty() || rows == 0 {
        close(&mut open);
    }
    starts
}

/// The pages of rows with lists: [`PAGE_ROWS`] rows each, whatever they take. Readers count on it from format 2 on.
fn list_page_starts(levels: &Levels, (max_def, max_rep): (i16, i16)) -> Vec<PageStart> {
    let rows = (0..levels.rep.len()).filter(|i| levels.rep[*i] == 0);
    let mut ends: Vec<usize> = rows.step_by(PAGE_ROWS).skip(1).collect();
    ends.push(levels.rep.len());
    let mut first = 0;
    let start = |end: usize| {
        let (rep, def) = (&levels.rep[first..end], &levels.def[first..end]);
        first = end;
        let mut out = Vec::new();
        write_levels(rep, max_rep, &mut out);
        write_levels(def, max_def, &mut out);
        let values = def.iter().filter(|level| **level == max_def).count();
        PageStart { levels: out, count: def.len(), values }
    };
    ends.into_iter().map(start).collect()
}

/// The definition levels of rows with one value or none, and how often each.
fn presence(pieces: &[Piece], mut push: impl FnMut(u32, usize)) {
    for (rows, part) in pieces {
        match part.as_ref().map(|p| &p.column.rows) {
            Some(Rows::Each) => push(1, *rows),
            Some(Rows::Few(list)) => {
                let mut next = 0;
                for &row in list {
                    push(0, (row - next) as usize);
                    push(1, 1);
                    next = row + 1;
                }
                push(0, rows - next as usize);
            }
            // A column of lists has repetition levels too.
            Some(Rows::Many(_)) | None => push(0, *rows),
        }
    }
}

/// Texts with their lengths before them.
fn write_plain(terms: &arrow_array::StringArray, which: std::ops::Range<usize>, out: &mut Vec<u8>) {
    for term in which.map(|i| terms.value(i)) {
        out.extend_from_slice(&(term.len() as u32).to_le_bytes());
        out.extend_from_slice(term.as_bytes());
    }
}

fn with_length(max: i16, out: &mut Vec<u8>, fill: impl FnOnce(&mut rle::Encoder<'_>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut encoder = rle::Encoder::new(rle::bits(max as u32), out);
    fill(&mut encoder);
    encoder.finish();
    let len = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&len.to_le_bytes());
}

/// Smallest and largest text, distinct texts, nulls.
fn statistics(terms: &arrow_array::StringArray, nulls: usize) -> Statistics {
    let all = || (0..terms.len()).map(|i| terms.value(i));
    let short = |t: &&str| t.len() <= STATISTICS_BYTES;
    let value = |t: &str| ByteArray::from(t.as_bytes().to_vec());
    let (min, max) = (all().min().filter(short), all().max().filter(short));
    // One without the other would not help.
    let (min, max) = min.zip(max).map(|(a, b)| (value(a), value(b))).unzip();
    Statistics::byte_array(min, max, Some(terms.len() as u64), Some(nulls as u64), false)
}

fn as_texts(terms: &Terms) -> arrow_array::StringArray {
    match terms {
        Terms::Text(texts) => texts.clone(),
        Terms::Ip(ips) => {
            let (mut bytes, mut ends) = (Vec::new(), vec![0]);
            for &ip in ips {
                write_ip(ip, &mut bytes);
                ends.push(bytes.len() as i32);
            }
            crate::terms::text_array(bytes, ends)
        }
    }
}
