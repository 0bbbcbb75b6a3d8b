//! Segments that wait: out of order, or for bytes of the other direction that they acknowledge.

use std::collections::VecDeque;
use std::mem::size_of;

use wirebeat_model::{Budget, Dir, Time};

use super::super::Buffers;
use super::{after, reached};

/// What one connection may hold, both directions together.
pub(super) const MAX_BYTES: usize = 256 * 1024;
/// And in how many pieces: keeps insertion cheap when an attacker sends single bytes.
pub(super) const MAX_PIECES: usize = 256;
/// What an empty [`Held`] is charged with.
pub(super) const EMPTY_COST: usize = size_of::<Held>();
/// Pieces whose room is kept when a [`Held`] is put away.
const KEEP_PIECES: usize = 32;
/// How many further segments of the connection that do not fill it make a gap final.
const SEGMENTS: u8 = 3;
/// How much packet time makes a gap final, in nanoseconds.
pub(super) const PATIENCE: u64 = 20_000_000;

/// Data that waits. Pieces of a direction are sorted and do not overlap.
pub(super) struct Piece {
    pub(super) seq: u32,
    /// By the headers; more than `bytes` holds when the frame was cut.
    pub(super) len: u32,
    pub(super) mark: Mark,
    pub(super) bytes: Vec<u8>,
}

/// When something that waits came, and what it acknowledges.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) time: Time,
    pub(super) ack: Option<u32>,
    /// Order of arrival.
    pub(super) order: u32,
}

/// The first thing that waits in a direction.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) seq: u32,
    pub(super) mark: Mark,
    pub(super) fin: bool,
}

/// A decision put off.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    since: Time,
    left: u8,
    /// Where the hole began.
    pub(super) from: u32,
    /// Holes before this will be final.
    pub(super) upto: u32,
}

impl Wait {
    pub(super) fn new(since: Time, from: u32, upto: u32) -> Self {
        Self { since, left: SEGMENTS, from, upto }
    }

    pub(super) fn count_segment(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    pub(super) fn is_over(&self, clock: Time) -> bool {
        self.left == 0 || clock.since(self.since) >= PATIENCE
    }

    pub(super) fn deadline(&self) -> Time {
        Time(self.since.0.saturating_add(PATIENCE as i64))
    }
}

/// How much of a range is held already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    None,
    Part,
    Whole,
}

/// What waits in one connection.
#[derive(Default)]
pub(in crate::flow) struct Held {
    pub(super) pieces: [VecDeque<Piece>; 2],
    /// Where a direction ends.
    pub(super) fin: [Option<(u32, Mark)>; 2],
    /// Until holes that the peer acknowledged are final.
    pub(super) gaps: [Option<Wait>; 2],
    /// Until it is settled where the directions begin.
    pub(super) start: Option<Wait>,
    /// Borrowed from the budget for pieces.
    cost: usize,
    arrivals: u32,
}

impl Held {
    /// Makes it fit to be put away.
    pub(in crate::flow) fn reset(&mut self) {
        for pieces in &mut self.pieces {
            pieces.clear();
            pieces.shrink_to(KEEP_PIECES);
        }
        self.fin = [None; 2];
        self.gaps = [None; 2];
        self.start = None;
        self.cost = 0;
        self.arrivals = 0;
    }

    /// Whether no bytes and no ends wait.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.iter().all(VecDeque::is_empty) && self.fin.iter().all(Option::is_none)
    }

    pub(super) fn mark(&mut self, time: Time, ack: Option<u32>) -> Mark {
        self.arrivals = self.arrivals.wrapping_add(1);
        Mark { time, ack, order: self.arrivals }
    }

    pub(super) fn head(&self, dir: Dir) -> Option<Head> {
        let piece = self.pieces[dir.index()].front().map(|p| Head { seq: p.seq, mark: p.mark, fin: false });
        let fin = self.fin[dir.index()].map(|(seq, mark)| Head { seq, mark, fin: true });
        match (piece, fin) {
            (Some(p), Some(f)) => Some(if after(p.seq, f.seq) { f } else { p }),
            (p, f) => p.or(f),
        }
    }

    /// How much of `seq .. end` is held.
    pub(super) fn cover(&self, dir: Dir, seq: u32, end: u32) -> Cover {
        let list = &self.pieces[dir.index()];
        let mut missing = end.wrapping_sub(seq);
        let whole = missing;
        let first = list.partition_point(|p| reached(seq, p.end()));
        for p in list.range(first..) {
            if reached(p.seq, end) {
                break;
            }
            let from = if after(p.seq, seq) { p.seq } else { seq };
            let to = if after(p.end(), end) { end } else { p.end() };
            missing = missing.saturating_sub(to.wrapping_sub(from));
        }
        match missing {
            0 => Cover::Whole,
            m if m == whole => Cover::None,
            _ => Cover::Part,
        }
    }

    /// Keeps what is not held yet of `len` bytes from `seq`: who comes first wins. `false` when there is no room; some
    /// of it may be held by then.
    #[expect(clippy::too_many_arguments, reason = "one call site")]
    pub(super) fn insert(
        &mut self,
        dir: Dir,
        seq: u32,
        bytes: &[u8],
        len: u32,
        mark: Mark,
        buffers: &mut Buffers,
        budget: &mut Budget,
    ) -> bool {
        let end = seq.wrapping_add(len);
        let mut from = seq;
        let mut at = self.pieces[dir.index()].partition_point(|p| reached(seq, p.end()));
        while after(end, from) {
            let next = self.pieces[dir.index()].get(at).map(|p| (p.seq, p.end()));
            let to = match next {
                Some((start, _)) if !after(start, from) => from,
                Some((start, _)) if after(end, start) => start,
                _ => end,
            };
            if to != from {
                let part = |n: u32| bytes.len().min(n.wrapping_sub(seq) as usize);
                let part = &bytes[part(from)..part(to)];
                let cost = piece_cost(part.len());
                let count = self.pieces[0].len() + self.pieces[1].len();
                if count >= MAX_PIECES || self.cost + cost > MAX_BYTES || !budget.take(cost) {
                    return false;
                }
                self.cost += cost;
                let piece = Piece { seq: from, len: to.wrapping_sub(from), mark, bytes: buffers.copy(part) };
                self.pieces[dir.index()].insert(at, piece);
                at += 1;
            }
            match next {
                Some((_, past)) => from = if after(past, from) { past } else { to },
                None => break,
            }
            at += 1;
        }
        true
    }

    /// Takes the first piece out; its bytes must come back by [`Buffers::give`].
    pub(super) fn pop(&mut self, dir: Dir, budget: &mut Budget) -> Option<Piece> {
        let piece = self.pieces[dir.index()].pop_front()?;
        let cost = piece_cost(piece.bytes.len());
        self.cost -= cost;
        budget.give(cost);
        Some(piece)
    }
}

impl Piece {
    pub(super) fn end(&self) -> u32 {
        self.seq.wrapping_add(self.len)
    }
}

fn piece_cost(bytes: usize) -> usize {
    size_of::<Piece>() + if bytes == 0 { 0 } else { Buffers::cost(bytes) }
}
