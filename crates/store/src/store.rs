//! The store: events in, a snapshot of everything out.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wirebeat_model::{EntryIter, EventId, Field, Kind, Scalar, Schema, Time, Value, fields};

use crate::batch::Batch;
use crate::block::Block;
use crate::dir::{Directory, OpenError, make_dir};
use crate::file::{SealedFile, Shared};
use crate::layout::Layout;
use crate::marks::{Marks, day};
use crate::part::Parts;
use crate::partition::{Open, Partition};
use crate::recover::{self, Opened};
use crate::retain::Retention;
use crate::stats::{Counters, count};
use crate::tombstones::Tombstones;
use crate::upkeep::Upkeep;
use crate::write::{About, FileWriter, WriteError, plan};

fields! {
    pub FIELDS:
    INGESTED = Field::new("event.ingested", Kind::Date, "When it came into the store. Only of events that were filed under that day, because their own time is more than a day away from it.");
}

/// The index an event belongs to, without the day, from its entries.
pub type Prefix = Box<dyn Fn(&[(u16, Value<'_>)]) -> &'static str + Send + Sync>;

/// How a store works.
pub struct Options {
    /// Names the index of an event, e.g. `packetbeat`; the day is added.
    pub prefix: Prefix,
    /// Events are an import: each is filed under its own day, however far from today.
    pub import: bool,
    /// Events below this number were in the journal when the program started: they may have been here before.
    pub replay_below: u64,
    /// Rows of a row group: so many are written together.
    pub group_rows: usize,
    /// Bytes that the open rows of one partition take in memory at most, about.
    pub group_bytes: usize,
    /// Bytes that all open rows take: above, the largest partition is written.
    pub open_bytes: usize,
    /// Open partitions at most.
    pub open_partitions: usize,
    /// Open rows are written after so long.
    pub seal_after: std::time::Duration,
    /// Bytes of columns kept in memory once they were read; the numbers of texts, by which searches count them, take as many
    /// at most, documents that were told a sixteenth of it.
    pub cache_bytes: usize,
    /// Whether a file is forced to the disk before it counts. Not needed for what can be read again, as an import.
    pub sync: bool,
    /// How long events are kept.
    pub retention: Retention,
}

impl Options {
    /// The defaults.
    pub fn new(prefix: Prefix) -> Self {
        Self {
            prefix,
            import: false,
            replay_below: 0,
            group_rows: 65_536,
            group_bytes: 48 << 20,
            open_bytes: 64 << 20,
            open_partitions: 16,
            seal_after: std::time::Duration::from_secs(3600),
            cache_bytes: 64 << 20,
            sync: true,
            retention: Retention::default(),
        }
    }
}

/// An event that comes in.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Its number in the journal: each event's is larger than the one's before.
    pub seq: u64,
    /// When it was complete.
    pub stamp: Time,
    /// Its name.
    pub id: EventId,
    /// Its fields, as [`wirebeat_model::Entries::as_bytes`] gave them, with ids of the installed schema.
    pub fields: &'a [u8],
}

/// Why events were not taken, or not all of them. Those that were taken are skipped when they are offered again.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// There is no more room in memory, because writing to the disk fails.
    #[error("the store's memory is full, because it cannot write: {0}")]
    Full(String),
    /// The ingest time could not be noted.
    #[error("{0}: {1}")]
    Io(PathBuf, std::io::Error),
}

/// Events in columns, on disk and in memory.
pub struct Store {
    pub(crate) dir: Directory,
    pub(crate) options: Options,
    layout: Arc<Layout>,
    pub(crate) shared: Arc<Shared>,
    /// One at a time merges and deletes files. Taken before `writer`.
    pub(crate) upkeep: Mutex<Upkeep>,
    /// One at a time takes events in and writes them. Taken before `state`.
    writer: Mutex<Writer>,
    /// Held for moments only.
    state: Mutex<State>,
    pub(crate) counters: Counters,
}

pub(crate) struct Writer {
    marks: Marks,
    tombstones: Tombstones,
    /// Names of partitions, by prefix and day.
    names: HashMap<(&'static str, i64), Arc<str>>,
    started: bool,
    /// Why the last write failed, and when the next attempt may be.
    pub(crate) failed: Option<(String, Time)>,
}

pub(crate) struct State {
    /// Every open partition is here too.
    pub(crate) partitions: BTreeMap<Arc<str>, Partition>,
    pub(crate) open: BTreeMap<Arc<str>, Open>,
    /// The number after the last event.
    next_seq: u64,
    pub(crate) view: Option<Arc<View>>,
}

/// Everything that is in the store at one moment.
pub struct View {
    /// Sorted by name.
    pub indices: Vec<Index>,
}

/// An index of a [`View`].
pub struct Index {
    /// E.g. `packetbeat-2026.11.25`.
    pub name: String,
    /// Its rows, in the order they came.
    pub blocks: Vec<Arc<dyn Block>>,
    /// How many rows.
    pub documents: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Earliest and latest `@timestamp`, in nanoseconds since 1970.
    pub time: (i64, i64),
}

impl Store {
    /// Opens the store in a directory, or makes one.
    ///
    /// # Errors
    /// [`OpenError`]. Damaged files are no error: the report names them.
    pub fn open(dir: &Path, options: Options, schema: &Schema) -> Result<(Arc<Self>, Opened), OpenError> {
        let dir = Directory::open(dir)?;
        let shared = Arc::new(Shared::new(options.cache_bytes));
        let tombstones = Tombstones::open(&dir.path).map_err(|e| OpenError::Io(dir.path.clone(), e))?;
        let (partitions, opened) = recover::partitions(&dir.path, &tombstones, &shared)?;
        let writer = Writer {
            marks: Marks::open(&dir.path),
            tombstones,
            names: HashMap::new(),
            started: false,
            failed: None,
        };
        let counters = Counters::default();
        count(&counters.damaged_files, opened.damaged.len() as u64);
        let store = Self {
            dir,
            options,
            layout: Arc::new(Layout::new(schema)),
            shared,
            upkeep: Mutex::default(),
            writer: Mutex::new(writer),
            state: Mutex::new(State { partitions, open: BTreeMap::new(), next_seq: 0, view: None }),
            counters,
        };
        Ok((Arc::new(store), opened))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes events in. They are in the next [`Store::view`] when this returns. `now` is the wall clock.
    ///
    /// # Errors
    /// [`IngestError`]: offer the same events again later.
    pub fn ingest<'a>(
        &self,
        now: Time,
        events: impl IntoIterator<Item = Incoming<'a>>,
    ) -> Result<(), IngestError> {
        let mut writer = self.writer();
        let mut entries: Vec<(u16, Value<'a>)> = Vec::with_capacity(128);
        let mut last_of: Vec<u32> = vec![0; self.layout.slots.len()];
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let mut full = None;
            let mut state = self.state();
            for event in events.by_ref().take(CHUNK) {
                full = self.take(&mut writer, &mut state, event, now, &mut entries, &mut last_of)?;
                if full.is_some() {
                    break;
                }
            }
            drop(state);
            if let Some(name) = full {
                self.make_room(&mut writer, &name, now)?;
            }
        }
        Ok(())
    }

    /// Takes one event; answers the partition that is to be written before the next.
    fn take<'a>(
        &self,
        writer: &mut Writer,
        state: &mut State,
        event: Incoming<'a>,
        now: Time,
        entries: &mut Vec<(u16, Value<'a>)>,
        last_of: &mut [u32],
    ) -> Result<Option<Arc<str>>, IngestError> {
        if event.seq < state.next_seq {
            count(&self.counters.again, 1);
            return Ok(None);
        }
        if !writer.started {
            writer.started = true;
            writer.tombstones.forget_below(event.seq);
        }
        self.entries(event.fields, entries, last_of);
        let now = if event.seq < self.options.replay_below {
            writer.marks.of(event.seq).unwrap_or(now)
        } else {
            now
        };
        writer
            .marks
            .note(event.seq, now, || sealed_upto(state))
            .map_err(|e| IngestError::Io(self.dir.path.join("CLOCK"), e))?;
        let time = entries
            .iter()
            .find_map(|(id, value)| match value {
                Value::Scalar(Scalar::Time(t)) if Some(*id) == self.layout.timestamp => Some(*t),
                _ => None,
            })
            .unwrap_or(event.stamp);
        let misdated = !self.options.import && (day(time) - day(now)).abs() > 1;
        if misdated {
            count(&self.counters.misdated, 1);
            if let Some(id) = self.layout.ingested {
                entries.retain(|e| e.0 != id);
                entries.push((id, Value::Scalar(Scalar::Time(now))));
            }
        }
        let prefix = (self.options.prefix)(entries);
        let name = writer.name(prefix, if misdated { now } else { time });
        state.next_seq = event.seq + 1;
        let partition = state.partitions.entry(Arc::clone(&name)).or_default();
        if event.seq < partition.sealed_end || event.seq < writer.tombstones.end(&name) {
            count(&self.counters.again, 1);
            return Ok(None);
        }
        let new = !state.open.contains_key(&name);
        let open =
            state.open.entry(Arc::clone(&name)).or_insert_with(|| Open::new(&self.layout, event.seq, now));
        open.push(event.seq, event.id, time, now, entries);
        let done = open.rows >= self.options.group_rows || open.bytes() >= self.options.group_bytes;
        count(&self.counters.events, 1);
        state.view = None;
        if done {
            return Ok(Some(name));
        }
        if new && state.open.len() > self.options.open_partitions {
            return Ok(state.open.iter().min_by_key(|(_, o)| o.last_seq).map(|(n, _)| Arc::clone(n)));
        }
        if state.open_bytes() >= self.options.open_bytes {
            return Ok(state.open.iter().max_by_key(|(_, o)| o.bytes()).map(|(n, _)| Arc::clone(n)));
        }
        Ok(None)
    }

    /// An event's entries, each field once: the last one counts.
    fn entries<'a>(&self, fields: &'a [u8], out: &mut Vec<(u16, Value<'a>)>, last_of: &mut [u32]) {
        out.clear();
        let mut dead = false;
        for (id, value) in EntryIter::new(fields) {
            let Some(last) = last_of.get_mut(usize::from(id)) else {
                count(&self.counters.unknown_fields, 1);
                continue;
            };
            // A place that another event left is not believed.
            if let Some(entry) = out.get_mut(*last as usize)
                && entry.0 == id
            {
                entry.1 = Value::Absent;
                dead = true;
            }
            *last = out.len() as u32;
            dead |= value == Value::Absent;
            out.push((id, value));
        }
        if dead {
            out.retain(|(_, value)| *value != Value::Absent);
        }
    }

    /// Writes a partition; when that fails, more is taken as long as memory allows.
    fn make_room(&self, writer: &mut Writer, name: &str, now: Time) -> Result<(), IngestError> {
        if writer.failed.as_ref().is_none_or(|(_, next)| now >= *next) {
            // Counted and told by `seal_partition`.
            let _ = self.seal_partition(writer, name, now);
        }
        let Some((why, _)) = &writer.failed else { return Ok(()) };
        if self.state().open_bytes() < self.options.open_bytes * 3 / 2 {
            return Ok(());
        }
        count(&self.counters.refused, 1);
        Err(IngestError::Full(why.clone()))
    }

    /// Writes the open rows of a partition to a file.
    fn seal_partition(&self, writer: &mut Writer, name: &str, now: Time) -> Result<(), WriteError> {
        let (batches, seq, ingested) = {
            let mut state = self.state();
            let Some(open) = state.open.get_mut(name) else { return Ok(()) };
            (open.batches(), (open.first_seq, open.last_seq), open.ingested.0)
        };
        match self.write_batches(name, &batches, seq, ingested) {
            Ok(file) => {
                writer.failed = None;
                count(&self.counters.files_written, 1);
                let mut state = self.state();
                if let Some(partition) = state.partitions.get_mut(name) {
                    let files = partition.sealed.iter().cloned().chain([file]).collect();
                    partition.set_sealed(files);
                }
                state.open.remove(name);
                state.view = None;
                Ok(())
            }
            Err(e) => {
                count(&self.counters.write_failures, 1);
                writer.failed = Some((e.to_string(), now + RETRY));
                Err(e)
            }
        }
    }

    fn write_batches(
        &self,
        name: &str,
        batches: &[Arc<Batch>],
        seq: (u64, u64),
        ingested: i64,
    ) -> Result<Arc<SealedFile>, WriteError> {
        let sources: Vec<&dyn Parts> = batches.iter().map(|b| &**b as &dyn Parts).collect();
        let rows: usize = sources.iter().map(|s| s.rows()).sum();
        let earliest = batches.iter().map(|b| b.time().0).min().unwrap_or(0);
        let latest = batches.iter().map(|b| b.time().1).max().unwrap_or(0);
        let about = About { seq, ingested, groups: vec![(rows as u64, earliest, latest)] };
        let dir = self.dir.partition(name);
        make_dir(&dir, self.options.sync).map_err(|e| WriteError::Io(dir.clone(), e))?;
        let mut writer = FileWriter::create(&dir, about, plan(&sources)?, self.options.sync)?;
        writer.group(&sources)?;
        let (path, _) = writer.finish()?;
        Ok(SealedFile::open(&path, &self.shared)?)
    }

    /// Writes all open rows.
    ///
    /// # Errors
    /// The first [`WriteError`]; the other partitions are written all the same.
    pub fn seal(&self, now: Time) -> Result<(), WriteError> {
        self.seal_where(now, |_| true)
    }

    /// Writes the rows that have waited long enough.
    pub(crate) fn seal_old(&self, now: Time) -> Result<(), WriteError> {
        let limit = u64::try_from(self.options.seal_after.as_nanos()).unwrap_or(u64::MAX);
        self.seal_where(now, |open| now.since(open.opened) >= limit)
    }

    fn seal_where(&self, now: Time, wanted: impl Fn(&Open) -> bool) -> Result<(), WriteError> {
        let mut writer = self.writer();
        let names: Vec<Arc<str>> =
            self.state().open.iter().filter(|(_, o)| wanted(o)).map(|(n, _)| Arc::clone(n)).collect();
        let mut result = Ok(());
        for name in names {
            let sealed = self.seal_partition(&mut writer, &name, now);
            result = result.and(sealed);
        }
        result
    }

    /// All events with smaller numbers are in files: the journal may forget them.
    pub fn sealed_upto(&self) -> u64 {
        sealed_upto(&self.state())
    }

    /// Everything that is in the store now.
    pub fn view(&self) -> Arc<View> {
        let mut state = self.state();
        if let Some(view) = &state.view {
            return Arc::clone(view);
        }
        let mut indices = Vec::new();
        let State { partitions, open, .. } = &mut *state;
        for (name, partition) in partitions {
            let mut blocks = partition.blocks.clone();
            blocks.extend(open.get_mut(name).into_iter().flat_map(Open::blocks));
            let earliest = blocks.iter().map(|b| b.time().0).min();
            let latest = blocks.iter().map(|b| b.time().1).max();
            let Some(time) = earliest.zip(latest) else { continue };
            indices.push(Index {
                name: name.to_string(),
                documents: blocks.iter().map(|b| b.rows() as u64).sum(),
                blocks,
                bytes: partition.bytes(),
                time,
            });
        }
        let view = Arc::new(View { indices });
        state.view = Some(Arc::clone(&view));
        view
    }

    /// Deletes an index and what it holds; `false` when there is none. Its events do not come back from the journal.
    ///
    /// # Errors
    /// When that cannot be noted on the disk.
    pub fn delete_index(&self, name: &str) -> std::io::Result<bool> {
        let _upkeep = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writer = self.writer();
        let end = {
            let state = self.state();
            let Some(partition) = state.partitions.get(name) else { return Ok(false) };
            if partition.sealed.is_empty() && !state.open.contains_key(name) {
                return Ok(false);
            }
            state.next_seq.max(partition.sealed_end)
        };
        writer.tombstones.add(name, end)?;
        let mut state = self.state();
        let open = state.open.remove(name).map_or(0, |o| o.rows as u64);
        if let Some(gone) = state.partitions.remove(name) {
            gone.sealed.iter().for_each(|file| file.doom());
            count(&self.counters.deleted, gone.rows() + open);
        }
        state.view = None;
        Ok(true)
    }
}

/// Events taken while the state is held.
const CHUNK: usize = 256;
/// How long to wait after a write failed.
const RETRY: std::time::Duration = std::time::Duration::from_secs(5);

impl State {
    pub(crate) fn open_bytes(&self) -> usize {
        self.open.values().map(Open::bytes).sum()
    }
}

fn sealed_upto(state: &State) -> u64 {
    state.open.values().map(|o| o.first_seq).min().unwrap_or(state.next_seq)
}

impl Writer {
    /// `packetbeat-2026.11.25`.
    fn name(&mut self, prefix: &'static str, time: Time) -> Arc<str> {
        if self.names.len() > 256 {
            self.names.clear();
        }
        let name = self.names.entry((prefix, day(time))).or_insert_with(|| {
            let text = time.to_string();
            format!("{prefix}-{}", text.get(..10).unwrap_or_default().replace('-', ".")).into()
        });
        Arc::clone(name)
    }
}
