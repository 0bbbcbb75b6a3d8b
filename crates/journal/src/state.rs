//! What writer, readers and housekeeper share: the segments there are and how far each reader is.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use wirebeat_model::Schema;

use crate::cursor::{self, Cursor};
use crate::error::JournalError;
use crate::reader::{Reader, Start};
use crate::{Durability, Options, directory};

/// A segment as it is known to be: of the one that is being written, the part that readers may see.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    /// Its events' numbers are `first..end`.
    pub(crate) first: u64,
    pub(crate) end: u64,
    /// Where the events of the segment before ended.
    pub(crate) previous_end: u64,
    pub(crate) bytes: u64,
}

/// Events a reader missed because the quota was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Their numbers are in `from..to`.
    pub from: u64,
    /// See `from`.
    pub to: u64,
    /// How many there were: not every number is given to an event.
    pub events: u64,
}

/// A part of a segment that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which file.
    pub file: PathBuf,
    /// Where in it.
    pub offset: u64,
    /// The events in it had the numbers `from..to`.
    pub from: u64,
    /// See `from`.
    pub to: u64,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, offset, from, to, why } = self;
        write!(f, "{} at byte {offset}: {why}; events {from} up to {to} are lost", file.display())
    }
}

/// A reader that is known, at work or not.
#[derive(Debug, Default)]
pub(crate) struct ReaderState {
    pub(crate) cursor: Cursor,
    /// What the file says.
    pub(crate) saved: Cursor,
    /// The first number that was not given to it; as far as the cursor when nobody reads.
    pub(crate) position: u64,
    pub(crate) open: bool,
    /// Whether it has a file and segments wait for it.
    pub(crate) holds: bool,
    /// What it has to be told.
    pub(crate) lost: Option<Lost>,
}

impl ReaderState {
    /// The events up to `end` are gone, those it was not given are lost.
    pub(crate) fn drop_up_to(&mut self, first: u64, end: u64) {
        if self.position < end {
            let from = self.position.max(first);
            let events = end.saturating_sub(from);
            let lost = self.lost.get_or_insert(Lost { from, to: end, events: 0 });
            lost.to = end;
            lost.events = lost.events.saturating_add(events);
            self.position = end;
            // What the cursor's file told may be any number.
            self.cursor.lost_to_quota = self.cursor.lost_to_quota.saturating_add(events);
        }
        self.cursor.next = self.cursor.next.max(end);
    }

    /// So many events cannot be read.
    pub(crate) fn lose_to_damage(&mut self, events: u64) {
        self.cursor.lost_to_damage = self.cursor.lost_to_damage.saturating_add(events);
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) segments: VecDeque<Segment>,
    /// The file of the last segment while it is being written.
    pub(crate) active: Option<Arc<File>>,
    /// Whether data of it was not forced to the disk.
    pub(crate) dirty: bool,
    /// Older files with such data.
    pub(crate) unsynced: Vec<Arc<File>>,
    /// The number of the next event.
    pub(crate) next: u64,
    pub(crate) readers: BTreeMap<String, ReaderState>,
    pub(crate) closed: bool,
    pub(crate) counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) events: u64,
    pub(crate) events_refused: u64,
    pub(crate) write_errors: u64,
    pub(crate) tails: u64,
}

impl State {
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(|s| s.bytes).sum()
    }

    /// The segment that holds the event numbered `position`, or the next one there is.
    pub(crate) fn at(&self, position: u64) -> Option<&Segment> {
        let later = self.segments.partition_point(|s| s.end <= position);
        // One that was begun when the process ended holds nothing.
        self.segments.range(later..).find(|s| s.first < s.end)
    }

    /// Takes the oldest segment away from all readers; the last one stays, it tells the next number.
    pub(crate) fn drop_front(&mut self) -> Option<PathBuf> {
        if self.segments.len() < 2 {
            return None;
        }
        let segment = self.segments.pop_front()?;
        for reader in self.readers.values_mut() {
            reader.drop_up_to(segment.first, segment.end);
        }
        Some(segment.path)
    }

    /// What no reader that waits needs any more, as the files of the cursors say.
    pub(crate) fn drop_passed(&mut self) -> Vec<PathBuf> {
        let needed =
            self.readers.values().filter(|r| r.holds).map(|r| r.saved.next).min().unwrap_or(self.next);
        let mut gone = Vec::new();
        while self.segments.front().is_some_and(|s| s.end <= needed)
            && let Some(path) = self.drop_front()
        {
            gone.push(path);
        }
        gone
    }

    fn events_between(&self, from: u64) -> u64 {
        self.segments.iter().map(|s| s.end.saturating_sub(s.first.max(from))).sum()
    }
}

pub(crate) struct Core {
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) schema: &'static Schema,
    pub(crate) dictionary: Vec<u8>,
    /// Held as long as anybody may write here.
    _lock: File,
    state: Mutex<State>,
    /// New events, or the end.
    pub(crate) arrived: Condvar,
    /// The end, for the housekeeper.
    pub(crate) closing: Condvar,
    /// One at a time writes cursors.
    saving: Mutex<()>,
}

impl Core {
    pub(crate) fn new(
        dir: &Path,
        options: Options,
        schema: &'static Schema,
        dictionary: Vec<u8>,
        lock: File,
        state: State,
    ) -> Self {
        Self {
            dir: dir.to_owned(),
            options,
            schema,
            dictionary,
            _lock: lock,
            state: Mutex::new(state),
            arrived: Condvar::new(),
            closing: Condvar::new(),
            saving: Mutex::new(()),
        }
    }

    /// A thread that panicked left the state whole: it is changed in steps that cannot fail.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn syncs(&self) -> bool {
        self.options.durability != Durability::None
    }

    /// Writes the cursors that moved, of all readers or of one.
    pub(crate) fn save_cursors(&self, only: Option<&str>) {
        let _one = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let moved: Vec<(String, Cursor)> = self
            .state()
            .readers
            .iter()
            .filter(|(name, r)| r.holds && r.cursor != r.saved && only.is_none_or(|o| o == *name))
            .map(|(name, r)| (name.clone(), r.cursor))
            .collect();
        for (name, cursor) in moved {
            let saved = cursor::save(&self.dir, &name, cursor, self.syncs());
            let mut state = self.state();
            match saved {
                Ok(()) => {
                    if let Some(reader) = state.readers.get_mut(&name) {
                        reader.saved = cursor;
                    }
                }
                Err(_) => state.counts.write_errors += 1,
            }
        }
    }

    /// Deletes the files of segments. They are emptied first: a reader may hold one open.
    pub(crate) fn delete(&self, paths: &[PathBuf]) {
        for path in paths {
            let emptied = File::options().write(true).open(path).and_then(|f| f.set_len(0));
            if emptied.and_then(|()| fs::remove_file(path)).is_err() {
                self.state().counts.write_errors += 1;
            }
        }
    }
}

/// The journal as its readers know it. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    pub(crate) core: Arc<Core>,
}

impl Journal {
    /// Opens the reader of this name, which goes on where it was. Begins at `start` when there was none of this name;
    /// from then on segments wait for it, in this run and the next ones, until [`Journal::forget`].
    ///
    /// # Errors
    /// A name that cannot be a file's, a reader that is open, a file that cannot be written.
    pub fn reader(&self, name: &str, start: Start) -> Result<Reader, JournalError> {
        if !cursor::is_name(name) {
            return Err(JournalError::Name(name.to_owned()));
        }
        let mut state = self.core.state();
        if !state.readers.contains_key(name) {
            let oldest = state.segments.front().map_or(state.next, |s| s.first);
            let next = if start == Start::Oldest { oldest } else { state.next };
            let cursor = Cursor { next, ..Cursor::default() };
            cursor::save(&self.core.dir, name, cursor, self.core.syncs())
                .and_then(|()| directory::sync(&cursor::folder(&self.core.dir)))
                .map_err(JournalError::io(&cursor::folder(&self.core.dir).join(name), "writing"))?;
            let reader =
                ReaderState { cursor, saved: cursor, position: next, holds: true, ..ReaderState::default() };
            state.readers.insert(name.to_owned(), reader);
        }
        match state.readers.get_mut(name) {
            Some(reader) if !reader.open => reader.open = true,
            _ => return Err(JournalError::ReaderOpen(name.to_owned())),
        }
        drop(state);
        Reader::new(self.core.clone(), name.to_owned())
    }

    /// A reader of what is new from now on. Nothing waits for it and nothing of it is kept.
    ///
    /// # Errors
    /// When memory for decompressing is refused.
    pub fn tail(&self) -> Result<Reader, JournalError> {
        let mut state = self.core.state();
        state.counts.tails += 1;
        let next = state.next;
        // No name of a reader that is kept has a space.
        let name = format!("tail {}", state.counts.tails);
        let cursor = Cursor { next, ..Cursor::default() };
        let reader =
            ReaderState { cursor, saved: cursor, position: next, open: true, ..ReaderState::default() };
        state.readers.insert(name.clone(), reader);
        drop(state);
        Reader::new(self.core.clone(), name)
    }

    /// Forgets a reader: segments do not wait for it any more.
    ///
    /// # Errors
    /// When there is none, it is open, or its file cannot be deleted.
    pub fn forget(&self, name: &str) -> Result<(), JournalError> {
        let mut state = self.core.state();
        match state.readers.get(name) {
            None => return Err(JournalError::NoReader(name.to_owned())),
            Some(reader) if reader.open => return Err(JournalError::ReaderOpen(name.to_owned())),
            Some(_) => {}
        }
        let folder = cursor::folder(&self.core.dir);
        let path = folder.join(name);
        fs::remove_file(&path)
            .and_then(|()| directory::sync(&folder))
            .map_err(JournalError::io(&path, "deleting"))?;
        state.readers.remove(name);
        Ok(())
    }

    /// What there is, who reads it, what was lost.
    pub fn stats(&self) -> Stats {
        let state = self.core.state();
        let readers = state.readers.iter().map(|(name, r)| ReaderStats {
            name: name.clone(),
            open: r.open,
            cursor: r.cursor.next,
            position: r.position,
            lag_events: state.events_between(r.cursor.next),
            lag_bytes: state.segments.iter().filter(|s| s.end > r.cursor.next).map(|s| s.bytes).sum(),
            lost_to_quota: r.cursor.lost_to_quota,
            lost_to_damage: r.cursor.lost_to_damage,
        });
        Stats {
            bytes: state.bytes(),
            segments: state.segments.len(),
            first_seq: state.segments.front().map_or(state.next, |s| s.first),
            next_seq: state.next,
            events: state.counts.events,
            events_refused: state.counts.events_refused,
            write_errors: state.counts.write_errors,
            readers: readers.collect(),
        }
    }
}

/// What a journal holds and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Bytes of all segments.
    pub bytes: u64,
    /// Segments.
    pub segments: usize,
    /// The number of the oldest event that is kept.
    pub first_seq: u64,
    /// The number that the next event will get.
    pub next_seq: u64,
    /// Events appended since it was opened.
    pub events: u64,
    /// Events that could not be appended since it was opened: the disk was full or failed, or an event was too large.
    pub events_refused: u64,
    /// Files that could not be written, forced to the disk or deleted since it was opened.
    pub write_errors: u64,
    /// Every reader, by name.
    pub readers: Vec<ReaderStats>,
}

/// How far a reader is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderStats {
    /// Its name.
    pub name: String,
    /// Whether somebody reads.
    pub open: bool,
    /// The first number it is not done with.
    pub cursor: u64,
    /// The first number it was not given.
    pub position: u64,
    /// Events it is not done with.
    pub lag_events: u64,
    /// Bytes of the segments that hold them.
    pub lag_bytes: u64,
    /// Events it missed because the quota was spent, ever.
    pub lost_to_quota: u64,
    /// Events it missed because they could not be read, ever.
    pub lost_to_damage: u64,
}
