//! A partition: one index and one UTC day, its sealed files and its open rows.

use std::sync::Arc;

use wirebeat_model::{EventId, Time, Value};

use crate::batch::{BATCH_ROWS, Batch};
use crate::block::Block;
use crate::build::Builder;
use crate::file::SealedFile;
use crate::layout::Layout;

/// The files of a partition.
#[derive(Default)]
pub(crate) struct Partition {
    /// Ascending by number.
    pub(crate) sealed: Vec<Arc<SealedFile>>,
    /// The row groups of these files.
    pub(crate) blocks: Vec<Arc<dyn Block>>,
    /// Events of this partition below this number are sealed, or were and are deleted.
    pub(crate) sealed_end: u64,
}

impl Partition {
    /// Other files than before.
    pub(crate) fn set_sealed(&mut self, mut files: Vec<Arc<SealedFile>>) {
        files.sort_by_key(|f| f.about.seq);
        self.blocks = files.iter().flat_map(|f| f.blocks().map(|b| Arc::new(b) as Arc<dyn Block>)).collect();
        let end = files.iter().map(|f| f.about.seq.1 + 1).max().unwrap_or(0);
        self.sealed_end = self.sealed_end.max(end);
        self.sealed = files;
    }

    pub(crate) fn rows(&self) -> u64 {
        self.sealed.iter().map(|f| f.about.rows()).sum()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.sealed.iter().map(|f| f.bytes).sum()
    }
}

/// Rows that are in no file yet.
pub(crate) struct Open {
    frozen: Vec<Arc<Batch>>,
    tail: Builder,
    /// The tail as a block, when nothing came since.
    tail_block: Option<Arc<Batch>>,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    /// When its first and its last row came in.
    pub(crate) opened: Time,
    pub(crate) ingested: Time,
    pub(crate) rows: usize,
    frozen_bytes: usize,
}

impl Open {
    pub(crate) fn new(layout: &Arc<Layout>, seq: u64, now: Time) -> Self {
        Self {
            frozen: Vec::new(),
            tail: Builder::new(Arc::clone(layout)),
            tail_block: None,
            first_seq: seq,
            last_seq: seq,
            opened: now,
            ingested: now,
            rows: 0,
            frozen_bytes: 0,
        }
    }

    /// What the rows take in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.frozen_bytes + self.tail.bytes()
    }

    pub(crate) fn push(
        &mut self,
        seq: u64,
        id: EventId,
        time: Time,
        now: Time,
        entries: &[(u16, Value<'_>)],
    ) {
        self.tail.push(seq, id, time, entries);
        self.tail_block = None;
        self.rows += 1;
        (self.last_seq, self.ingested) = (seq, self.ingested.max(now));
        if self.tail.rows() >= BATCH_ROWS {
            self.freeze();
        }
    }

    fn freeze(&mut self) {
        let batch = self.tail.freeze();
        self.frozen_bytes += batch.bytes();
        self.frozen.push(Arc::new(batch));
        self.tail.clear();
        self.tail_block = None;
    }

    /// All rows, in order.
    pub(crate) fn batches(&mut self) -> Vec<Arc<Batch>> {
        let mut all = self.frozen.clone();
        if self.tail.rows() > 0 {
            let block = self.tail_block.get_or_insert_with(|| Arc::new(self.tail.freeze()));
            all.push(Arc::clone(block));
        }
        all
    }

    pub(crate) fn blocks(&mut self) -> impl Iterator<Item = Arc<dyn Block>> {
        self.batches().into_iter().map(|b| b as Arc<dyn Block>)
    }
}
