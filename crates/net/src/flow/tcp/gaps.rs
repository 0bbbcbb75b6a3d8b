//! What is lost, and when that is certain.

use wirebeat_model::{Dir, Time};

use super::held::Wait;
use super::{ABSENT, ACKED, DIRS, ENDED, FAR, FIRM, Half, SEEN, Sink, Tcp, after, reached};
use crate::flow::Buffers;
use crate::wire::TcpFlags;

impl Tcp {
    /// Decides what waits for time.
    pub fn poll(&mut self, clock: Time, buffers: &mut Buffers, out: &mut impl Sink) {
        if self.held.is_some() {
            self.turn(clock, None, buffers, out);
        }
    }

    /// The flow ends: everything that waits is delivered in causal order, with its holes.
    pub fn finish(&mut self, clock: Time, buffers: &mut Buffers, out: &mut impl Sink) {
        self.settle_all();
        self.pump(buffers, out);
        while let Some((dir, head)) = self.eldest() {
            let other = dir.flip();
            if after(head.seq, self.next(dir)) {
                self.lose(dir, head.seq, clock, out);
            } else {
                // It waits for bytes of the other direction: up to the next that is there.
                let behind = self.held.as_ref().and_then(|h| h.head(other)).map(|h| h.seq);
                let upto = match (head.mark.ack, behind) {
                    (Some(ack), Some(seq)) if after(ack, seq) => seq,
                    (Some(ack), _) => ack,
                    (None, _) => self.next(other),
                };
                if after(upto, self.next(other)) && !self.half[other.index()].is(ENDED) {
                    self.lose(other, upto, clock, out);
                } else {
                    self.deliver_head(dir, head, buffers, out);
                }
            }
            self.pump(buffers, out);
        }
        for dir in DIRS {
            let half = &self.half[dir.index()];
            // One number past the last byte, when the peer ended too, is a FIN that was not seen.
            let missing = self.missing(dir);
            let fin = missing == 1 && self.half[dir.flip().index()].flags.any(TcpFlags::FIN);
            if missing > 0 && !fin {
                self.lose(dir, half.acked, clock, out);
            }
        }
        self.put_away(buffers, out);
    }

    /// Bytes of a direction that the peer acknowledged and that were not delivered.
    pub(super) fn missing(&self, dir: Dir) -> u32 {
        let half = &self.half[dir.index()];
        let ahead = half.acked.wrapping_sub(half.next);
        if half.is(FIRM | ACKED) && !half.is(ENDED) && ahead < FAR { ahead } else { 0 }
    }

    /// After a segment (its direction and its end) or when time has passed: delivers what can be, decides what is due,
    /// notes what must wait.
    pub(super) fn turn(
        &mut self,
        clock: Time,
        segment: Option<(Dir, u32)>,
        buffers: &mut Buffers,
        out: &mut impl Sink,
    ) {
        self.pump(buffers, out);
        if let Some(segment) = segment {
            self.count(segment);
        }
        if let Some(held) = self.held.as_deref_mut()
            && held.start.take_if(|w| w.is_over(clock)).is_some()
        {
            self.settle_all();
            self.pump(buffers, out);
        }
        for dir in DIRS {
            let wait =
                self.held.as_deref_mut().and_then(|h| h.gaps[dir.index()].take_if(|w| w.is_over(clock)));
            if let Some(wait) = wait {
                let half = &mut self.half[dir.index()];
                half.bits |= if half.is(SEEN) { 0 } else { ABSENT };
                self.close_holes(dir, wait.upto, clock, buffers, out);
            }
        }
        self.arm(clock, buffers, out);
    }

    /// Counts a segment for the waits that it brings nearer to their end. One that fills a hole from its front does not
    /// speak for a loss: the wait for the rest begins anew. Nor does one that its sender sent before what is missing.
    fn count(&mut self, (dir, end): (Dir, u32)) {
        let next = DIRS.map(|d| self.next(d));
        let Some(held) = self.held.as_deref_mut() else { return };
        for hole in DIRS {
            let (wait, next) = (&mut held.gaps[hole.index()], next[hole.index()]);
            if wait.take_if(|w| w.from != next).is_none()
                && (dir != hole || after(end, next))
                && let Some(wait) = wait
            {
                wait.count_segment();
            }
        }
        if let Some(start) = &mut held.start {
            start.count_segment();
        }
    }

    /// Starts the waits that are needed and ends those that are not.
    fn arm(&mut self, clock: Time, buffers: &mut Buffers, out: &mut impl Sink) {
        let mut waits = false;
        for dir in DIRS {
            let next = self.next(dir);
            let here = self.held.as_ref().and_then(|h| h.head(dir)).is_some_and(|h| reached(next, h.seq));
            let hole = self.missing(dir) > 0 && !here;
            let acked = self.half[dir.index()].acked;
            // Without room to wait nothing waits: the hole is closed by whatever comes later.
            if hole && let Some(held) = self.held(buffers, out) {
                held.gaps[dir.index()].get_or_insert(Wait::new(clock, next, acked));
                waits = true;
            } else if let Some(held) = self.held.as_deref_mut() {
                held.gaps[dir.index()] = None;
            }
        }
        let firm = self.half.iter().all(|h| h.is(FIRM));
        let Some(held) = self.held.as_deref_mut() else { return };
        if held.is_empty() && !waits {
            self.put_away(buffers, out);
        } else if firm {
            held.start = None;
        } else if !held.is_empty() {
            held.start.get_or_insert(Wait::new(clock, 0, 0));
        }
    }

    /// Declares everything up to `upto` lost.
    pub(super) fn lose(&mut self, dir: Dir, upto: u32, time: Time, out: &mut impl Sink) {
        let half: &mut Half = &mut self.half[dir.index()];
        let lost = u64::from(upto.wrapping_sub(half.next));
        half.next = upto;
        half.gaps = half.gaps.saturating_add(1);
        half.lost += lost;
        let counters = out.counters();
        counters.gaps += 1;
        counters.gap_bytes += lost;
        out.gap(dir, lost, time);
    }

    /// Closes the holes of a direction that lie before `upto`.
    pub(super) fn close_holes(
        &mut self,
        dir: Dir,
        upto: u32,
        clock: Time,
        buffers: &mut Buffers,
        out: &mut impl Sink,
    ) {
        self.pump(buffers, out);
        while after(upto, self.next(dir)) && !self.half[dir.index()].is(ENDED) {
            let head = self.held.as_ref().and_then(|h| h.head(dir)).map(|h| h.seq);
            let to = match head {
                // It is there and waits for the other direction.
                Some(seq) if reached(self.next(dir), seq) => return,
                Some(seq) if after(upto, seq) => seq,
                _ => upto,
            };
            self.lose(dir, to, clock, out);
            self.pump(buffers, out);
        }
    }

    /// Makes room: delivers the eldest thing that waits, whatever hole is before it. `false` when nothing waits.
    pub(super) fn force(&mut self, clock: Time, buffers: &mut Buffers, out: &mut impl Sink) -> bool {
        let unsettled = self.half.iter().any(|h| !h.is(FIRM)) && self.eldest().is_some();
        if unsettled {
            self.settle_all();
            self.pump(buffers, out);
        }
        let Some((dir, head)) = self.eldest() else { return unsettled };
        if after(head.seq, self.next(dir)) {
            self.lose(dir, head.seq, clock, out);
        }
        self.deliver_head(dir, head, buffers, out);
        self.pump(buffers, out);
        true
    }

    /// Goes on at `seq`, far from here.
    pub(super) fn leap(
        &mut self,
        dir: Dir,
        seq: u32,
        clock: Time,
        buffers: &mut Buffers,
        out: &mut impl Sink,
    ) {
        self.finish(clock, buffers, out);
        let half = &mut self.half[dir.index()];
        half.next = seq;
        half.bits &= !(ENDED | ACKED);
        half.gaps = half.gaps.saturating_add(1);
        out.counters().gaps += 1;
        out.gap(dir, 0, clock);
    }
}
