//! Writing a sealed file: under another name, forced to the disk, then renamed.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnDescPtr, ColumnPath, Type};
use wirebeat_model::Kind;

use crate::block::{BlockError, Column, Rows, Values};
use crate::encode::{Encoder, Piece, Planned};
use crate::layout::Stored;
use crate::part::{Part, Parts};

/// The layout of the files. Files of later versions are refused. Before 2, texts in lists were in one page.
pub(crate) const FORMAT: u32 = 2;
/// Ends the name of a file that is not complete.
pub(crate) const TEMPORARY: &str = "part";

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    /// Numbers of the first and the last event.
    pub(crate) seq: (u64, u64),
    /// When the last of its events came into the store, in nanoseconds since 1970.
    pub(crate) ingested: i64,
    /// Rows, earliest and latest `@timestamp` in nanoseconds, of each row group.
    pub(crate) groups: Vec<(u64, i64, i64)>,
}

impl About {
    /// Its name in its partition's directory.
    pub(crate) fn file_name(&self) -> String {
        format!("{:020}-{:020}.parquet", self.seq.0, self.seq.1)
    }

    pub(crate) fn rows(&self) -> u64 {
        self.groups.iter().map(|g| g.0).sum()
    }

    fn key_values(&self, planned: &[Planned]) -> Vec<KeyValue> {
        let groups: Vec<_> = self.groups.iter().map(|g| serde_json::json!([g.0, g.1, g.2])).collect();
        let kinds: serde_json::Map<_, _> = planned
            .iter()
            .filter(|p| !p.nanos)
            .map(|p| (p.stored.name.clone(), p.stored.kind().es_type().into()))
            .collect();
        let pair = |key: &str, value: String| KeyValue::new(format!("wirebeat.{key}"), value);
        vec![
            pair("format", FORMAT.to_string()),
            pair("first_seq", self.seq.0.to_string()),
            pair("last_seq", self.seq.1.to_string()),
            pair("ingested", self.ingested.to_string()),
            pair("groups", serde_json::Value::from(groups).to_string()),
            pair("fields", serde_json::Value::from(kinds).to_string()),
        ]
    }
}

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk says no.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The file format says no.
    #[error("{0}: {1}")]
    Format(PathBuf, String),
    /// What was to be written could not be read.
    #[error(transparent)]
    Read(#[from] BlockError),
}

/// A row group in the making.
pub(crate) type RowGroupWriter<'a> = SerializedRowGroupWriter<'a, BufWriter<File>>;

/// A file in the making.
pub(crate) struct FileWriter {
    target: PathBuf,
    temporary: PathBuf,
    planned: Vec<Planned>,
    leaves: Vec<ColumnDescPtr>,
    writer: SerializedFileWriter<BufWriter<File>>,
    encoder: Encoder,
    sync: bool,
}

impl FileWriter {
    /// Begins a file in a partition's directory. Removed again unless [`FileWriter::finish`] is called.
    pub(crate) fn create(
        dir: &Path,
        about: About,
        planned: Vec<Planned>,
        sync: bool,
    ) -> std::result::Result<Self, WriteError> {
        let target = dir.join(about.file_name());
        let temporary = target.with_extension(TEMPORARY);
        let io_error = |e| WriteError::Io(temporary.clone(), e);
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&temporary).map_err(io_error)?;
        let format_error = |e: ParquetError| WriteError::Format(temporary.clone(), e.to_string());
        let writer =
            begin(BufWriter::with_capacity(256 * 1024, file), &about, &planned).map_err(format_error)?;
        let leaves = writer.schema_descr().columns().to_vec();
        let encoder = Encoder::new().map_err(io_error)?;
        Ok(Self { target, temporary, planned, leaves, writer, encoder, sync })
    }

    /// One more row group, of these rows.
    pub(crate) fn group(&mut self, sources: &[&dyn Parts]) -> std::result::Result<(), WriteError> {
        let mut group = self.writer.next_row_group().map_err(|e| told(&self.temporary, e))?;
        for (planned, descr) in self.planned.iter().zip(&self.leaves) {
            let pieces: std::result::Result<Vec<Piece>, BlockError> =
                sources.iter().map(|s| Ok((s.rows(), part_or_nulls(*s, &planned.stored)?))).collect();
            self.encoder
                .column(&mut group, descr, planned, &pieces?)
                .map_err(|e| told(&self.temporary, e))?;
        }
        group.close().map(drop).map_err(|e| told(&self.temporary, e))
    }

    /// One more row group, whose columns `copy` appends in order.
    pub(crate) fn raw_group(
        &mut self,
        mut copy: impl FnMut(
            &mut Encoder,
            &mut RowGroupWriter<'_>,
            &Planned,
            &ColumnDescPtr,
            &Path,
        ) -> std::result::Result<(), WriteError>,
    ) -> std::result::Result<(), WriteError> {
        let mut group = self.writer.next_row_group().map_err(|e| told(&self.temporary, e))?;
        for (planned, descr) in self.planned.iter().zip(&self.leaves) {
            copy(&mut self.encoder, &mut group, planned, descr, &self.temporary)?;
        }
        group.close().map(drop).map_err(|e| told(&self.temporary, e))
    }

    /// Completes the file: it is on the disk, under its name, when this returns. Answers path and size.
    pub(crate) fn finish(mut self) -> std::result::Result<(PathBuf, u64), WriteError> {
        let failed = |e| WriteError::Io(self.temporary.clone(), e);
        self.writer.finish().map_err(|e| told(&self.temporary, e))?;
        let bytes = self.writer.bytes_written() as u64;
        let buffered = self.writer.inner_mut();
        buffered.flush().map_err(failed)?;
        if self.sync {
            buffered.get_ref().sync_all().map_err(failed)?;
        }
        std::fs::rename(&self.temporary, &self.target).map_err(failed)?;
        if let (true, Some(dir)) = (self.sync, self.target.parent()) {
            sync_dir(dir).map_err(failed)?;
        }
        Ok((self.target.clone(), bytes))
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        // After `finish` it has another name.
        let _ = std::fs::remove_file(&self.temporary);
    }
}

pub(crate) fn told(path: &Path, error: ParquetError) -> WriteError {
    if let ParquetError::External(e) = error {
        return match e.downcast::<io::Error>() {
            Ok(e) => WriteError::Io(path.into(), *e),
            Err(e) => WriteError::Format(path.into(), e.to_string()),
        };
    }
    WriteError::Format(path.into(), error.to_string())
}

/// Makes a directory's entries safe.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn begin(
    out: BufWriter<File>,
    about: &About,
    planned: &[Planned],
) -> Result<SerializedFileWriter<BufWriter<File>>> {
    let fields = planned.iter().map(Planned::parquet_type).collect::<Result<Vec<_>>>()?;
    let schema = Type::group_type_builder("wirebeat").with_fields(fields).build()?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_data_page_row_count_limit(crate::encode::PAGE_ROWS)
        .set_data_page_size_limit(usize::MAX)
        .set_write_batch_size(crate::encode::PAGE_ROWS)
        .set_created_by(format!("wirebeat {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(about.key_values(planned)));
    for planned in planned {
        // Neighbours differ little; a dictionary would hold each of them.
        if !planned.nanos
            && (planned.stored.kind() == Kind::Date || planned.stored.name == crate::layout::SEQ)
        {
            let path = leaf_path(planned);
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties.build()))
}

fn leaf_path(planned: &Planned) -> ColumnPath {
    let mut path = vec![planned.name()];
    for _ in 0..planned.levels().1 {
        path.extend(["list".to_owned(), "element".to_owned()]);
    }
    ColumnPath::new(path)
}

/// A column of some rows. Where no row has a value, a member of a list of objects still says how many objects there are:
/// the members' lists are parallel.
pub(crate) fn part_or_nulls(
    source: &dyn Parts,
    stored: &Stored,
) -> std::result::Result<Option<Part>, BlockError> {
    if let Some(part) = source.named(&stored.name)? {
        return Ok(Some(part));
    }
    if stored.list.is_none() {
        return Ok(None);
    }
    for (at, sibling) in source.stored().iter().enumerate() {
        if sibling.list == stored.list
            && let Some(part) = source.part(at)?
        {
            let count = part.objects.as_ref().and_then(|o| o.last().copied()).unwrap_or(0) as usize;
            let rows = if stored.many { Rows::Many(vec![0; count + 1]) } else { Rows::Few(Vec::new()) };
            let values = Values::Long(Vec::new().into());
            let column = Arc::new(Column { kind: stored.kind(), rows, values });
            return Ok(Some(Part { objects: part.objects, column }));
        }
    }
    Ok(None)
}

/// The columns that rows need, in the order of the file.
pub(crate) fn plan(sources: &[&dyn Parts]) -> std::result::Result<Vec<Planned>, BlockError> {
    let mut stored: Vec<&Stored> = sources.iter().flat_map(|s| s.stored()).collect();
    stored.sort();
    stored.dedup();
    let mut planned = Vec::with_capacity(stored.len());
    for stored in stored {
        planned.push(Planned { stored: stored.clone(), nanos: false });
        if stored.kind() == Kind::Date {
            let mut any = false;
            for source in sources {
                any |= source.named(&stored.name)?.is_some_and(|part| has_nanos(&part.column.values));
            }
            if any {
                planned.push(Planned { stored: stored.clone(), nanos: true });
            }
        }
    }
    Ok(planned)
}

fn has_nanos(values: &Values) -> bool {
    matches!(values, Values::Long(v) if v.iter().any(|t| t.rem_euclid(1000) != 0))
}
