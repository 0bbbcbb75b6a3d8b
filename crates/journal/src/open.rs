//! Opening a journal: what is there, what of it is whole, where numbers go on.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wirebeat_model::Schema;

use crate::cursor::{self, Cursor};
use crate::error::JournalError;
use crate::record::{HEAD, Head, LAST};
use crate::segment::{self, SPAN};
use crate::state::{Core, Damage, Journal, ReaderState, Segment, State};
use crate::writer::Writer;
use crate::{Options, dictionary, directory};

/// What was found when a journal was opened. Its text is one line for the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whether the last writer was closed in good order (or there was none).
    pub clean: bool,
    /// A tail that was cut off.
    pub torn: Option<Torn>,
    /// Segments that cannot be read at all. Batches that cannot be read are found by readers.
    pub damaged: Vec<Damage>,
    /// Files of cursors that make no sense: those readers begin with the oldest event.
    pub damaged_cursors: Vec<PathBuf>,
    /// The number of the next event.
    pub next_seq: u64,
}

/// The end of a segment that holds no whole batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Which file.
    pub file: PathBuf,
    /// Where it was cut.
    pub offset: u64,
    /// What was cut off.
    pub bytes: u64,
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.clean { "closed in good order" } else { "not closed" };
        write!(f, "journal {end}, goes on with event {}", self.next_seq)?;
        if let Some(Torn { file, offset, bytes }) = &self.torn {
            write!(
                f,
                "; {}: {bytes} bytes from {offset} on are no whole batch and were dropped",
                file.display()
            )?;
        }
        for damage in &self.damaged {
            write!(f, "; {damage}")?;
        }
        for path in &self.damaged_cursors {
            write!(f, "; {}: damaged, this reader begins with the oldest event", path.display())?;
        }
        Ok(())
    }
}

/// Opens the journal in a directory, which is made if need be, and takes it for this process. Events have the ids of
/// `schema`, which must have the fields in [`crate::FIELDS`]. What an ended process left behind is put in order.
///
/// # Errors
/// [`JournalError::InUse`], [`JournalError::Version`], and whatever files do.
pub fn open(
    dir: &Path,
    options: Options,
    schema: &'static Schema,
) -> Result<(Writer, Journal, Recovery), JournalError> {
    let other = dictionary::OTHER.name();
    if !schema.by_name(other).is_some_and(|f| std::ptr::eq(f, &raw const dictionary::OTHER)) {
        return Err(JournalError::Schema(other));
    }
    let lock = directory::enter(dir)?;
    let mut recovery = Recovery::default();
    let mut state = State::default();
    let last = segments(dir, &mut state.segments, &mut recovery)?;
    readers(dir, &mut state, &mut recovery)?;
    let furthest = state.readers.values().map(|r| r.cursor.next).max();
    (recovery.clean, state.next) = match (&last, furthest) {
        (Some(last), _) if last.closed => (true, last.end),
        (Some(last), _) => (false, last.first + SPAN),
        (None, Some(furthest)) => (false, furthest + SPAN),
        (None, None) => (true, 0),
    };
    state.next = state.next.max(furthest.unwrap_or(0));
    recovery.next_seq = state.next;
    let previous_end = last.map_or(furthest.unwrap_or(0), |l| l.end);
    let next = state.next;
    let core = Arc::new(Core::new(dir, options, schema, dictionary::encode(schema), lock, state));
    let writer =
        Writer::start(core.clone(), next, previous_end).map_err(JournalError::io(dir, "starting"))?;
    Ok((writer, Journal { core }, recovery))
}

/// The last segment, whole.
struct Last {
    first: u64,
    end: u64,
    closed: bool,
}

/// Finds all segments, cuts what is no batch from the last one.
fn segments(
    dir: &Path,
    all: &mut VecDeque<Segment>,
    recovery: &mut Recovery,
) -> Result<Option<Last>, JournalError> {
    let mut last = None;
    // The beginning of the one after tells where the events of one end.
    let (mut following, mut begin) = (None, LAST);
    for first in segment::list(dir).map_err(JournalError::io(dir, "reading the directory"))?.into_iter().rev()
    {
        let path = segment::path(dir, first);
        let failed = |action| JournalError::io(&path, action);
        let mut bytes = fs::metadata(&path).map_err(failed("reading"))?.len();
        if bytes == 0 {
            // Being deleted, or not yet begun.
            fs::remove_file(&path).map_err(failed("deleting"))?;
            continue;
        }
        // No segment holds more.
        let bound = begin.min(first + SPAN);
        let opened = segment::open(&path, first);
        let salt = match &opened {
            Ok(opened) => Some((opened.header.salt, opened.body)),
            Err(_) if following.is_none() => salvage(&path, bytes).map_err(failed("reading"))?,
            Err(_) => None,
        };
        let scan = match (following, salt) {
            (Some(end), _) => Scan { end, whole: bytes, closed: true },
            (None, Some((salt, body))) => {
                let file = File::open(&path).map_err(failed("reading"))?;
                scan(&file, salt, body, bytes, first, bound)
            }
            (None, None) => Scan { end: first, whole: bytes, closed: false },
        };
        let end = scan.end.clamp(first, bound);
        match &opened {
            Ok(_) if last.is_none() && scan.whole < bytes => {
                let torn = Torn { file: path.clone(), offset: scan.whole, bytes: bytes - scan.whole };
                let file = File::options().write(true).open(&path).map_err(failed("opening"))?;
                file.set_len(scan.whole)
                    .and_then(|()| file.sync_all())
                    .map_err(failed("cutting its tail"))?;
                bytes = scan.whole;
                recovery.torn = Some(torn);
            }
            Ok(_) => {}
            Err(error) => {
                let why = error.to_string();
                recovery.damaged.push(Damage { file: path.clone(), offset: 0, from: first, to: end, why });
            }
        }
        // None of ours is closed empty; the number after it would be its own, and its name is taken.
        let closed = opened.is_ok() && scan.closed && first < end;
        last.get_or_insert(Last { first, end, closed });
        let previous_end = opened.as_ref().map_or(first, |o| o.header.previous_end);
        all.push_front(Segment { path, first, end, previous_end, bytes });
        (following, begin) = (opened.ok().map(|o| o.header.previous_end), first);
    }
    Ok(last)
}

/// What a segment's file holds.
struct Scan {
    /// The number after its last event.
    end: u64,
    /// Where its last whole batch ends.
    whole: u64,
    /// Whether that is the end it was given in good order.
    closed: bool,
}

fn scan(file: &File, salt: u64, body: u64, bytes: u64, first: u64, bound: u64) -> Scan {
    let mut found = Scan { end: first, whole: body, closed: false };
    let (mut at, mut content) = (body, Vec::new());
    loop {
        let here = segment::head_at(file, salt, at, bytes, bound).map(|h| (at, h));
        let Some((place, head)) = here.or_else(|| segment::find(file, salt, at + 1, bytes, bound)) else {
            return found;
        };
        at = place + head.size();
        if head.first >= found.end && is_whole(file, place, &head, &mut content) {
            found = Scan { end: head.end(), whole: at, closed: head.count == 0 };
        }
    }
}

fn is_whole(file: &File, at: u64, head: &Head, content: &mut Vec<u8>) -> bool {
    content.resize(head.stored as usize, 0);
    file.read_exact_at(content, at + HEAD as u64).is_ok() && crc32c::crc32c(content) == head.crc
}

/// The salt of a segment whose beginning is damaged, from a batch in it: only to tell how many events are lost.
fn salvage(path: &Path, bytes: u64) -> io::Result<Option<(u64, u64)>> {
    const CHUNK: usize = 1 << 20;
    let file = File::open(path)?;
    let mut chunk = vec![0; CHUNK + HEAD];
    let mut at = 0;
    while at + (HEAD as u64) <= bytes {
        let read = file.read_at(&mut chunk, at)?;
        for (i, bytes) in chunk[..read].array_windows::<HEAD>().enumerate() {
            let mut rest = &bytes[..];
            let salt = crate::bytes::u64(&mut rest).unwrap_or_default();
            if Head::decode(bytes, salt).is_some() {
                return Ok(Some((salt, at + i as u64)));
            }
        }
        at += CHUNK as u64;
    }
    Ok(None)
}

/// Finds all readers.
fn readers(dir: &Path, state: &mut State, recovery: &mut Recovery) -> Result<(), JournalError> {
    let folder = cursor::folder(dir);
    let entries = fs::read_dir(&folder).map_err(JournalError::io(&folder, "reading the directory"))?;
    for entry in entries {
        let path = entry.map_err(JournalError::io(&folder, "reading the directory"))?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()).filter(|n| cursor::is_name(n)) else {
            continue;
        };
        let oldest = state.segments.front().map_or(0, |s| s.first);
        let (saved, cursor) = match cursor::load(&path).map_err(JournalError::io(&path, "reading"))? {
            Some(cursor) => (cursor, cursor),
            None => {
                recovery.damaged_cursors.push(path.clone());
                (Cursor::default(), Cursor { next: oldest, ..Cursor::default() })
            }
        };
        let mut reader =
            ReaderState { cursor, saved, position: cursor.next, holds: true, ..ReaderState::default() };
        if let Some(front) = state.segments.front() {
            // Deleted without this reader having been told before the end.
            reader.drop_up_to(cursor.next, front.previous_end);
        }
        state.readers.insert(name.to_owned(), reader);
    }
    recovery.damaged_cursors.sort();
    Ok(())
}
