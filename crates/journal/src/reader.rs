//! Reading: batches in order, each once, from a cursor on.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::batch::Batch;
use crate::dictionary::Mapping;
use crate::error::JournalError;
use crate::record::{Decoder, HEAD, Head, shrink};
use crate::segment::{self, Opened};
use crate::state::{Core, Damage, Lost, Segment};

/// Where a reader begins that is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest event that is kept.
    Oldest,
    /// With the next event that is written.
    Now,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The batch was filled.
    Batch,
    /// Nothing in the time.
    Timeout,
    /// Events were deleted before this reader got them; told once.
    Lost(Lost),
    /// Events cannot be read; told once. What follows can be.
    Damaged(Damage),
    /// The writer is gone and all was read.
    Closed,
}

/// Reads a journal. Used by one thread; dropping it saves its cursor.
pub struct Reader {
    core: Arc<Core>,
    name: String,
    decoder: Decoder,
    stored: Vec<u8>,
    open: Option<Open>,
}

/// The segment that is being read.
struct Open {
    segment: Opened,
    /// When it was written with other fields.
    mapping: Option<Mapping>,
    /// Where the next batch begins.
    at: u64,
    /// Where it should have begun.
    damaged: Option<u64>,
}

/// What was found in a file: a batch up to this number, or damage.
enum Found {
    Batch { end: u64 },
    Damage(Damage),
}

impl Reader {
    pub(crate) fn new(core: Arc<Core>, name: String) -> Result<Self, JournalError> {
        let decoder = Decoder::new().map_err(JournalError::io(&core.dir, "preparing to decompress"))?;
        Ok(Self { core, name, decoder, stored: Vec::new(), open: None })
    }

    /// The next batch, or what else is to be told; waits so long for one. A batch holds at least one event and no event
    /// comes twice, but what was not committed comes again after a restart.
    ///
    /// # Errors
    /// None of what may be in the files: that is [`Next::Damaged`].
    pub fn next(&mut self, batch: &mut Batch, wait: Duration) -> Result<Next, JournalError> {
        batch.clear();
        let deadline = Instant::now().checked_add(wait);
        loop {
            let core = self.core.clone();
            let mut state = core.state();
            let Some(reader) = state.readers.get_mut(&self.name) else {
                return Err(JournalError::NoReader(self.name.clone()));
            };
            if let Some(lost) = reader.lost.take() {
                return Ok(Next::Lost(lost));
            }
            let position = reader.position;
            let Some(segment) = state.at(position).cloned() else {
                if state.closed {
                    return Ok(Next::Closed);
                }
                let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
                match left {
                    Some(Duration::ZERO) => return Ok(Next::Timeout),
                    Some(left) => {
                        drop(core.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner));
                    }
                    None => drop(core.arrived.wait(state).unwrap_or_else(PoisonError::into_inner)),
                }
                continue;
            };
            drop(state);
            let found = self.read(&segment, position.max(segment.first), batch);
            let mut state = core.state();
            let Some(reader) = state.readers.get_mut(&self.name) else { continue };
            if reader.position != position {
                // Deleted meanwhile, and counted as lost.
                batch.clear();
                continue;
            }
            match found {
                Found::Batch { end } => {
                    reader.position = end;
                    return Ok(Next::Batch);
                }
                Found::Damage(damage) => {
                    reader.position = damage.to;
                    reader.lose_to_damage(damage.to.saturating_sub(damage.from));
                    return Ok(Next::Damaged(damage));
                }
            }
        }
    }

    /// Says that all events before the number `seq` are done with. Written to the disk within a second.
    ///
    /// # Errors
    /// When it was not given all of them.
    pub fn commit(&mut self, seq: u64) -> Result<(), JournalError> {
        let mut state = self.core.state();
        let Some(reader) = state.readers.get_mut(&self.name) else {
            return Err(JournalError::NoReader(self.name.clone()));
        };
        if seq > reader.position {
            return Err(JournalError::NotGiven { name: self.name.clone(), seq, given: reader.position });
        }
        reader.cursor.next = reader.cursor.next.max(seq);
        Ok(())
    }

    /// What there is at `position` of a segment that has events from there on.
    fn read(&mut self, seen: &Segment, position: u64, batch: &mut Batch) -> Found {
        let mut open = match self.open.take().filter(|o| o.segment.header.first == seen.first) {
            Some(open) => open,
            None => match self.open(seen) {
                Ok(open) => open,
                Err(why) => return damage(&seen.path, 0, position..seen.end, why),
            },
        };
        let found = self.read_open(&mut open, seen, position, batch);
        self.open = Some(open);
        found
    }

    fn open(&self, seen: &Segment) -> Result<Open, String> {
        let segment = segment::open(&seen.path, seen.first).map_err(|e| e.to_string())?;
        let same = segment.dictionary == self.core.dictionary;
        let mapping = if same {
            None
        } else {
            let mapping = Mapping::new(&segment.dictionary, self.core.schema);
            Some(mapping.ok_or("the segment's dictionary makes no sense")?)
        };
        Ok(Open { at: segment.body, segment, mapping, damaged: None })
    }

    fn read_open(&mut self, open: &mut Open, seen: &Segment, position: u64, batch: &mut Batch) -> Found {
        let (file, salt) = (&open.segment.file, open.segment.header.salt);
        loop {
            let at = open.at;
            let found =
                segment::head_at(file, salt, at, seen.bytes, seen.end).map(|h| (at, h)).or_else(|| {
                    let bad = open.damaged.get_or_insert(at);
                    segment::find(file, salt, (*bad).max(at).saturating_add(1), seen.bytes, seen.end)
                });
            let Some((at, head)) = found else {
                open.at = seen.bytes;
                let bad = open.damaged.take().unwrap_or(at);
                return damage(&seen.path, bad, position..seen.end, "no batch is here");
            };
            open.at = at;
            if head.first > position {
                let bad = open.damaged.take().unwrap_or(at);
                return damage(&seen.path, bad, position..head.first, "no batch is here");
            }
            open.damaged = None;
            open.at = at + head.size();
            if head.end() > position {
                return match self.content(open, at, &head, batch) {
                    Some(()) => {
                        batch.fill(&head, position);
                        Found::Batch { end: head.end() }
                    }
                    None => damage(&seen.path, at, position..head.end(), "the batch is damaged"),
                };
            }
        }
    }

    fn content(&mut self, open: &mut Open, at: u64, head: &Head, batch: &mut Batch) -> Option<()> {
        use std::os::unix::fs::FileExt;
        shrink(&mut self.stored);
        self.stored.resize(head.stored as usize, 0);
        open.segment.file.read_exact_at(&mut self.stored, at + HEAD as u64).ok()?;
        self.decoder.decode(head, &self.stored, &mut batch.raw)?;
        if let Some(mapping) = &mut open.mapping {
            let mut out = Vec::with_capacity(batch.raw.len());
            mapping.rewrite(&batch.raw, head.count as usize, &mut out)?;
            batch.raw = out;
        }
        Some(())
    }
}

fn damage(file: &Path, offset: u64, seqs: std::ops::Range<u64>, why: impl Into<String>) -> Found {
    Found::Damage(Damage { file: file.to_owned(), offset, from: seqs.start, to: seqs.end, why: why.into() })
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.core.save_cursors(Some(&self.name));
        let mut state = self.core.state();
        match state.readers.get_mut(&self.name) {
            Some(reader) if reader.holds => {
                reader.open = false;
                // What was given and not committed comes again.
                reader.position = reader.cursor.next;
            }
            _ => drop(state.readers.remove(&self.name)),
        }
    }
}
