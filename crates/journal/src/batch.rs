//! Events as a reader gets them.

use std::slice::ChunksExact;

use wirebeat_model::{EntryIter, EventId, Time};

use crate::record::{Head, ROW, read_row};

/// A batch of events. Reuse one: it keeps its memory.
#[derive(Debug, Default)]
pub struct Batch {
    /// Rows, then fields, as in a record; checked.
    pub(crate) raw: Vec<u8>,
    /// Number of its first event, and of the first that the reader has not had.
    first: u64,
    from: u64,
    count: u32,
    times: Option<(Time, Time)>,
}

impl Batch {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self { raw: std::mem::take(&mut self.raw), ..Self::default() };
        self.raw.clear();
        crate::record::shrink(&mut self.raw);
    }

    /// Takes over the content in `raw`, from the event numbered `from` on.
    pub(crate) fn fill(&mut self, head: &Head, from: u64) {
        self.first = head.first;
        self.from = from.clamp(head.first, head.end());
        self.count = head.count;
        self.times = Some((head.earliest, head.latest));
    }

    /// Sequence number of the first event.
    pub fn first_seq(&self) -> u64 {
        self.from
    }

    /// The number after the last event: what to [commit](crate::Reader::commit) when all is done.
    pub fn end_seq(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// How many events.
    pub fn len(&self) -> usize {
        (self.end_seq() - self.from) as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// No stamp is before the first or after the second. `None` when there are no events.
    pub fn time_range(&self) -> Option<(Time, Time)> {
        self.times
    }

    /// The events in order, each with its number.
    pub fn iter(&self) -> Events<'_> {
        let (rows, fields) = self.raw.split_at(self.count as usize * ROW);
        let mut events = Events { rows: rows.chunks_exact(ROW), fields, seq: self.first };
        if self.from > self.first {
            events.nth((self.from - self.first) as usize - 1);
        }
        events
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = (u64, EventRef<'a>);
    type IntoIter = Events<'a>;
    fn into_iter(self) -> Events<'a> {
        self.iter()
    }
}

/// An event in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef<'a> {
    /// When it was complete.
    pub stamp: Time,
    /// Its name.
    pub id: EventId,
    /// Its fields, as [`wirebeat_model::Entries::as_bytes`] gave them, with the ids of the running program.
    pub fields: &'a [u8],
}

impl<'a> EventRef<'a> {
    /// Its fields.
    pub fn entries(&self) -> EntryIter<'a> {
        EntryIter::new(self.fields)
    }
}

/// Goes through a batch.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    rows: ChunksExact<'a, u8>,
    fields: &'a [u8],
    seq: u64,
}

impl<'a> Iterator for Events<'a> {
    type Item = (u64, EventRef<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (stamp, id, len) = read_row(self.rows.next()?.try_into().ok()?);
        let (fields, rest) = self.fields.split_at_checked(len)?;
        self.fields = rest;
        self.seq += 1;
        Some((self.seq - 1, EventRef { stamp, id: EventId(id), fields }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl ExactSizeIterator for Events<'_> {}
