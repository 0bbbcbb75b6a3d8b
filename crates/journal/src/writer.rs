//! Appending: one writer, whole batches, each visible once it is in the file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::thread::JoinHandle;

use wirebeat_model::Event;

use crate::error::JournalError;
use crate::record::{Encoder, Head, shrink};
use crate::segment::{self, SPAN};
use crate::state::{Core, Segment};
use crate::{Durability, housekeeper};

/// The numbers that events got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The first event's; the others follow.
    pub first_seq: u64,
    /// How many events were written. Fewer than were given when some are larger than 64 MiB; those are counted as refused.
    pub count: u64,
}

/// Appends to a journal. Dropping it closes the journal.
pub struct Writer {
    core: Arc<Core>,
    active: Option<Active>,
    next: u64,
    /// Where the last segment's events ended.
    previous_end: u64,
    encoder: Encoder,
    out: Vec<u8>,
    housekeeper: Option<JoinHandle<()>>,
}

/// The segment that is written.
struct Active {
    file: Arc<File>,
    salt: u64,
    first: u64,
    bytes: u64,
}

impl Writer {
    pub(crate) fn start(core: Arc<Core>, next: u64, previous_end: u64) -> io::Result<Self> {
        let encoder = Encoder::new()?;
        let housekeeper = Some(housekeeper::start(core.clone())?);
        Ok(Self { core, active: None, next, previous_end, encoder, out: Vec::new(), housekeeper })
    }

    /// Appends events and gives them numbers. Readers see them before this returns. May delete old segments when the
    /// quota is spent.
    ///
    /// # Errors
    /// When they could not be written, all of them: the disk is full, or fails. They are counted as refused, nothing of
    /// them is left in the file, and the next call tries anew.
    pub fn append(&mut self, events: &[Event]) -> Result<Appended, JournalError> {
        if events.iter().all(Encoder::fits) {
            return self.append_whole(events);
        }
        // Seldom enough to copy what fits.
        let fitting: Vec<Event> = events
            .iter()
            .filter(|e| Encoder::fits(e))
            .map(|e| Event { stamp: e.stamp, id: e.id, fields: e.fields.clone() })
            .collect();
        self.core.state().counts.events_refused += (events.len() - fitting.len()) as u64;
        self.append_whole(&fitting)
    }

    fn append_whole(&mut self, events: &[Event]) -> Result<Appended, JournalError> {
        if events.is_empty() {
            return Ok(Appended { first_seq: self.next, count: 0 });
        }
        let count = events.len() as u64;
        let written = self.write(events).map_err(|source| {
            let mut state = self.core.state();
            state.counts.events_refused += count;
            state.counts.write_errors += 1;
            let path = self.core.dir.clone();
            JournalError::Io { path, action: "appending events", source }
        });
        self.out.clear();
        shrink(&mut self.out);
        written?;
        let first_seq = self.next;
        self.next += count;
        Ok(Appended { first_seq, count })
    }

    fn write(&mut self, events: &[Event]) -> io::Result<()> {
        let count = events.len() as u64;
        if count >= SPAN {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many events at once"));
        }
        let limit = self.core.options.segment_bytes.min(self.core.options.quota_bytes / 4);
        let full = |a: &Active| a.bytes >= limit || self.next - a.first + count >= SPAN;
        if self.active.as_ref().is_some_and(|a| a.first < self.next && full(a)) {
            self.end_segment();
        }
        let mut active = match self.active.take() {
            Some(active) => active,
            None => self.begin_segment()?,
        };
        let written = self.write_to(&mut active, events);
        let whole = written.is_ok() || active.file.set_len(active.bytes).is_ok();
        if whole {
            self.active = Some(active);
        } else {
            // A part of a batch is left in the file: readers do not look so far, and nothing may follow it.
            self.core.state().active = None;
            self.previous_end = self.next;
            if active.first == self.next {
                // The name is taken.
                self.next += SPAN;
            }
        }
        written
    }

    fn write_to(&mut self, active: &mut Active, events: &[Event]) -> io::Result<()> {
        self.encoder.encode(events, self.next, active.salt, &mut self.out)?;
        let more = self.out.len() as u64;
        self.make_room(more);
        active.file.write_all_at(&self.out, active.bytes)?;
        if self.core.options.durability == Durability::Batch {
            active.file.sync_data()?;
        }
        active.bytes += more;
        let mut state = self.core.state();
        state.next = self.next + events.len() as u64;
        let next = state.next;
        if let Some(segment) = state.segments.back_mut() {
            (segment.bytes, segment.end) = (active.bytes, next);
        }
        state.counts.events += events.len() as u64;
        state.dirty = true;
        drop(state);
        self.core.arrived.notify_all();
        Ok(())
    }

    /// Deletes old segments until so many bytes fit into the quota.
    fn make_room(&self, more: u64) {
        let mut gone = Vec::new();
        let mut state = self.core.state();
        while state.bytes() + more > self.core.options.quota_bytes
            && let Some(path) = state.drop_front()
        {
            gone.push(path);
        }
        drop(state);
        if !gone.is_empty() {
            self.core.arrived.notify_all();
            self.core.delete(&gone);
        }
    }

    fn begin_segment(&mut self) -> io::Result<Active> {
        let core = &self.core;
        let (file, header, bytes) =
            segment::create(&core.dir, self.next, self.previous_end, &core.dictionary, core.syncs())?;
        let file = Arc::new(file);
        let mut state = core.state();
        state.active = Some(file.clone());
        state.next = self.next;
        state.segments.push_back(Segment {
            path: segment::path(&core.dir, self.next),
            first: self.next,
            end: self.next,
            previous_end: self.previous_end,
            bytes,
        });
        Ok(Active { file, salt: header.salt, first: self.next, bytes })
    }

    /// Says in the file that the segment is whole. When that fails it reads as one after a power cut.
    fn end_segment(&mut self) {
        let Some(active) = self.active.take() else { return };
        self.previous_end = self.next;
        let end = Head::end_of_segment(self.next).encode(active.salt);
        let written = active.file.write_all_at(&end, active.bytes);
        let mut state = self.core.state();
        match written {
            Ok(()) => {
                if let Some(segment) = state.segments.back_mut() {
                    segment.bytes = active.bytes + end.len() as u64;
                }
            }
            Err(_) => {
                state.counts.write_errors += 1;
                drop(active.file.set_len(active.bytes));
            }
        }
        state.active = None;
        if self.core.syncs() {
            state.unsynced.push(active.file);
        }
    }

    /// Forces everything to the disk, whatever the durability.
    pub fn flush(&mut self) {
        self.core.sync();
    }

    /// Ends the journal: forces everything to the disk; readers get what is left and then [`crate::Next::Closed`].
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // An empty segment keeps its name: no other may begin with the same number.
        if self.active.as_ref().is_some_and(|a| a.first < self.next) {
            self.end_segment();
        }
        if self.core.syncs() {
            self.core.sync();
        }
        self.core.state().closed = true;
        self.core.closing.notify_all();
        self.core.arrived.notify_all();
        if let Some(thread) = self.housekeeper.take() {
            // It does not panic; if it did, the rest is done all the same.
            drop(thread.join());
        }
        self.core.save_cursors(None);
        self.core.clean();
    }
}
