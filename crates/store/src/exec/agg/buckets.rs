//! Buckets while they are gathered: found by the bucket around them and their key.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::{Batch, MAX_BATCH};
use crate::block::Rows;
use crate::exec::select::Selection;
use crate::lang::error::EsError;

/// No bucket.
pub(super) const NONE: u32 = u32::MAX;
/// Not looked up yet.
const UNKNOWN: u32 = u32::MAX - 1;

/// Buckets, each below another one.
#[derive(Default)]
pub(super) struct Buckets {
    index: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    all: Vec<Entry>,
    /// At the top, by the first keys: many keys are small numbers, and then need no search.
    near: Vec<u32>,
}

/// One bucket: what is looked at together lies together.
struct Entry {
    key: u64,
    count: u64,
    /// The bucket around it.
    parent: u32,
}

impl Buckets {
    /// How many.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn key(&self, ord: u32) -> u64 {
        self.all[ord as usize].key
    }

    pub(super) fn count(&self, ord: u32) -> u64 {
        self.all[ord as usize].count
    }

    /// So many more documents are in a bucket, which is made if there is none.
    pub(super) fn add(&mut self, parent: u32, key: u64, documents: u64) {
        let ord = self.ord(parent, key);
        self.all[ord as usize].count += documents;
    }

    /// Finds a bucket, or makes it.
    fn ord(&mut self, parent: u32, key: u64) -> u32 {
        if let Some(ord) = self.find(parent, key) {
            return ord;
        }
        let ord = self.all.len() as u32;
        self.all.push(Entry { key, count: 0, parent });
        if parent == 0
            && let Some(near) = self.near.get_mut(key as usize)
        {
            *near = ord;
            return ord;
        }
        let (all, hasher) = (&self.all, &self.hasher);
        let hash = |&o: &u32| hasher.hash_one((all[o as usize].parent, all[o as usize].key));
        self.index.insert_unique(hash(&ord), ord, hash);
        ord
    }

    /// The bucket of this key below another, when there is one.
    #[inline]
    pub(super) fn find(&self, parent: u32, key: u64) -> Option<u32> {
        match self.near.get(key as usize) {
            Some(ord) if parent == 0 => (*ord != NONE).then_some(*ord),
            _ => self.search(parent, key),
        }
    }

    /// Keys below this are expected at the top.
    pub(super) fn expect(&mut self, keys: usize) {
        if keys <= self.near.len() {
            return;
        }
        self.near.resize(keys.max(self.near.len() * 2), NONE);
        for (entry, ord) in self.all.iter().zip(0..) {
            if entry.parent == 0
                && let Some(near) = self.near.get_mut(entry.key as usize)
            {
                *near = ord;
            }
        }
    }

    fn search(&self, parent: u32, key: u64) -> Option<u32> {
        let hash = self.hasher.hash_one((parent, key));
        let same = |&o: &u32| self.all[o as usize].key == key && self.all[o as usize].parent == parent;
        self.index.find(hash, same).copied()
    }

    /// The buckets below one.
    pub(super) fn below(&self, parent: u32) -> Vec<u32> {
        // Only the top has all of them below it; elsewhere `Below` is used.
        (0..self.all.len() as u32).filter(|&o| self.all[o as usize].parent == parent).collect()
    }

    /// All buckets by the one they are below.
    pub(super) fn tree(&self) -> Below {
        let most = self.all.iter().map(|b| b.parent).max().map_or(0, |p| p as usize + 1);
        let mut starts = vec![0_u32; most + 1];
        for &Entry { parent: p, .. } in &self.all {
            starts[p as usize + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut ords = vec![0; self.all.len()];
        for (ord, &Entry { parent: p, .. }) in self.all.iter().enumerate() {
            ords[next[p as usize] as usize] = ord as u32;
            next[p as usize] += 1;
        }
        Below { starts, ords }
    }

    pub(super) fn bytes(&self) -> usize {
        self.all.capacity() * size_of::<Entry>() + self.index.capacity() * 5 + self.near.capacity() * 4
    }
}

/// Buckets by the one they are below.
pub(super) struct Below {
    starts: Vec<u32>,
    ords: Vec<u32>,
}

impl Below {
    pub(super) fn of(&self, parent: u32) -> &[u32] {
        let at = parent as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(&from), Some(&to)) => &self.ords[from as usize..to as usize],
            _ => &[],
        }
    }
}

/// Whether a batch has enough rows for a table of this size.
fn worth_a_table(size: usize, batch: &Batch) -> bool {
    size <= (4 * batch.rows.len()).max(4096)
}

/// Puts the rows of a batch of one bucket into buckets by small codes, where only their numbers are wanted: `None` when the
/// batch, or the column, is not such. `missing`: rows without a value have this code.
pub(super) fn tally(
    buckets: &mut Buckets,
    batch: &Batch,
    map: &Rows,
    codes: usize,
    code_of: impl Fn(usize) -> usize,
    missing: Option<usize>,
    mut key: impl FnMut(usize) -> Option<u64>,
) -> Option<Batch> {
    if batch.buckets > 1 || !worth_a_table(codes, batch) {
        return None;
    }
    // Beside each other, so that a value which comes often need not wait for itself.
    const LANES: usize = 4;
    let lanes = if codes <= 4096 { LANES } else { 1 };
    let mut counts = vec![0_u32; codes * lanes];
    let mut lane = 0;
    let mut count = |code: usize| {
        counts[code * lanes + lane] += 1;
        lane = (lane + 1) & (lanes - 1);
    };
    let absent = each_single(map, batch, |at| count(code_of(at)))?;
    if let Some(code) = missing {
        counts[code * lanes] += absent as u32;
    }
    // One after the other: the memory is far away, and waits for one bucket then overlap with those for the next.
    let times = |code: usize| counts[code * lanes..][..lanes].iter().map(|n| u64::from(*n)).sum();
    let met = (0..codes).map(|code| (code, times(code))).filter(|(_, times)| *times > 0);
    let met: Vec<(u64, u64)> = met.filter_map(|(code, times)| Some((key(code)?, times))).collect();
    met.iter().for_each(|(key, times)| buckets.add(0, *key, *times));
    Some(Batch { buckets: buckets.len(), ..Batch::default() })
}

/// Puts rows of one block into buckets by small codes that mean something in that block only.
pub(super) struct Filler<'b> {
    buckets: &'b mut Buckets,
    /// Parent × code → bucket, where that is not too much.
    table: Vec<u32>,
    codes: usize,
    /// How often each of the table was met, where that is all that is wanted.
    tally: Vec<u32>,
    /// The row that last fell into each bucket, where a row may fall into one more than once.
    last: Option<Vec<u32>>,
    out: Batch,
    keep_rows: bool,
}

impl<'b> Filler<'b> {
    /// For rows in a batch and so many codes. `several`: a row may have the same code more than once.
    pub(super) fn new(
        buckets: &'b mut Buckets,
        batch: &Batch,
        codes: usize,
        several: bool,
        keep_rows: bool,
    ) -> Self {
        let size = batch.buckets.saturating_mul(codes);
        let table = if worth_a_table(size, batch) { vec![UNKNOWN; size] } else { Vec::new() };
        let last = several.then(Vec::new);
        let tally = if several || keep_rows { Vec::new() } else { vec![0; table.len()] };
        let mut out = Batch::default();
        if keep_rows {
            out.rows.reserve(batch.rows.len());
            out.ords.reserve(batch.rows.len());
        }
        Self { buckets, table, codes, tally, last, out, keep_rows }
    }

    /// A row in bucket `parent` has this code. `key` tells the key it stands for, or that it makes no bucket.
    #[inline]
    pub(super) fn put(&mut self, row: u32, parent: u32, code: usize, key: impl FnOnce() -> Option<u64>) {
        if self.table.is_empty() {
            return self.put_directly(row, parent, key());
        }
        let slot = parent as usize * self.codes + code;
        let mut ord = self.table[slot];
        if ord == UNKNOWN {
            ord = key().map_or(NONE, |key| self.buckets.ord(parent, key));
            self.table[slot] = ord;
        }
        match self.tally.get_mut(slot) {
            Some(tally) => *tally += 1,
            None => self.add(row, ord),
        }
    }

    /// These rows in bucket `parent` have this key; only where a row has one code.
    pub(super) fn put_all(&mut self, rows: &[u32], parent: u32, key: Option<u64>) {
        let Some(key) = key else { return };
        let ord = self.buckets.ord(parent, key);
        self.buckets.all[ord as usize].count += rows.len() as u64;
        if self.keep_rows {
            self.out.rows.extend_from_slice(rows);
            self.out.ords.resize(self.out.rows.len(), ord);
        }
    }

    /// A row in bucket `parent` has this key.
    pub(super) fn put_directly(&mut self, row: u32, parent: u32, key: Option<u64>) {
        if let Some(key) = key {
            let ord = self.buckets.ord(parent, key);
            self.add(row, ord);
        }
    }

    #[inline]
    fn add(&mut self, row: u32, ord: u32) {
        if ord == NONE {
            return;
        }
        if let Some(last) = &mut self.last {
            if last.len() <= ord as usize {
                last.resize(ord as usize + 1, NONE);
            }
            if std::mem::replace(&mut last[ord as usize], row) == row {
                return;
            }
        }
        self.buckets.all[ord as usize].count += 1;
        if self.keep_rows {
            self.out.rows.push(row);
            self.out.ords.push(ord);
        }
    }

    /// Refuses to go on when there are unreasonably many rows in buckets.
    pub(super) fn check(&self) -> Result<(), EsError> {
        check(&self.out)
    }

    /// The rows with the buckets they fell into.
    pub(super) fn done(mut self) -> Result<Batch, EsError> {
        for (&ord, &times) in self.table.iter().zip(&self.tally) {
            // What was not met is not known either.
            if times > 0 && ord != NONE {
                self.buckets.all[ord as usize].count += u64::from(times);
            }
        }
        self.out.buckets = self.buckets.len();
        check(&self.out)?;
        Ok(self.out)
    }
}

/// Refuses a batch that has grown beyond what is reasonable: values times values, level by level.
pub(super) fn check(batch: &Batch) -> Result<(), EsError> {
    if batch.rows.len() <= MAX_BATCH {
        return Ok(());
    }
    Err(EsError::new(
        429,
        "circuit_breaking_exception",
        "[request] Data too large: too many values within values in aggregations",
    ))
}

/// Calls for the value of each row of a batch that has one; answers how many have none. `None`: rows may have several.
#[inline]
pub(super) fn each_single(map: &Rows, batch: &Batch, mut call: impl FnMut(usize)) -> Option<usize> {
    let rows = &batch.rows;
    match (map, batch.span()) {
        (Rows::Each, Some(span)) => span.for_each(call),
        (Rows::Each, None) => rows.iter().for_each(|row| call(*row as usize)),
        (Rows::Few(list), Some(span)) => {
            let place = |row: usize| list.partition_point(|r| (*r as usize) < row);
            let with = place(span.start)..place(span.end);
            let absent = span.len() - with.len();
            with.for_each(call);
            return Some(absent);
        }
        (Rows::Few(list), None) => {
            let mut with = 0;
            match &batch.chosen {
                // Each value is looked at, which is quicker than to go through both lists.
                Some(Selection::Some(bits)) if list.len() / 8 <= rows.len() => {
                    for (at, row) in list.iter().enumerate() {
                        if bits.has(*row) {
                            call(at);
                            with += 1;
                        }
                    }
                }
                _ => each_value(map, rows, |_, at| {
                    if let Some(at) = at {
                        call(at);
                        with += 1;
                    }
                }),
            }
            return Some(rows.len() - with);
        }
        (Rows::Many(_), _) => return None,
    }
    Some(0)
}

/// Calls for each row of a batch and each of its values: place in the batch, place of the value; `None` once when it has
/// no value.
#[inline]
pub(super) fn each_value(map: &Rows, rows: &[u32], mut call: impl FnMut(usize, Option<usize>)) {
    match map {
        Rows::Each => {
            for (i, &row) in rows.iter().enumerate() {
                call(i, Some(row as usize));
            }
        }
        Rows::Few(list) => {
            let mut at = match rows.first() {
                Some(first) => list.partition_point(|r| r < first),
                None => 0,
            };
            for (i, &row) in rows.iter().enumerate() {
                while list.get(at).is_some_and(|&r| r < row) {
                    at += 1;
                }
                call(i, (list.get(at) == Some(&row)).then_some(at));
            }
        }
        Rows::Many(offsets) => {
            for (i, &row) in rows.iter().enumerate() {
                let (from, to) = (offsets[row as usize] as usize, offsets[row as usize + 1] as usize);
                if from == to {
                    call(i, None);
                }
                for at in from..to {
                    call(i, Some(at));
                }
            }
        }
    }
}
