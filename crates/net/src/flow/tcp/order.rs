//! Where a segment goes when it is not simply next, and what is delivered when.

use wirebeat_model::{Dir, Time};

use super::held::{Cover, EMPTY_COST, Head, Held};
use super::{
    ABSENT, ACKED, DIRS, ENDED, FAR, FIRM, HALF_OPEN, JOINED, OPENER, OPENER_B, RESET, RESET_AHEAD,
    RESET_BEHIND, SEEN, STARTED, STRAY, Segment, Sink, TOLD, Tcp, after, reached,
};
use crate::flow::Buffers;
use crate::wire::TcpFlags;

/// Data on its way in.
#[derive(Clone, Copy)]
struct Data<'a> {
    seq: u32,
    bytes: &'a [u8],
    len: u32,
}

impl Data<'_> {
    fn end(&self) -> u32 {
        self.seq.wrapping_add(self.len)
    }

    /// Without what lies before `next`.
    fn from(self, next: u32) -> Self {
        let skip = if after(next, self.seq) { next.wrapping_sub(self.seq).min(self.len) } else { 0 };
        Self {
            seq: self.seq.wrapping_add(skip),
            bytes: self.bytes.get(skip as usize..).unwrap_or_default(),
            len: self.len - skip,
        }
    }
}

impl Tcp {
    /// A segment about which there is something to decide.
    #[cold]
    #[inline(never)]
    pub(super) fn slow(
        &mut self,
        seg: &Segment<'_>,
        clock: Time,
        buffers: &mut Buffers,
        out: &mut impl Sink,
    ) {
        let dir = seg.dir;
        let flags = seg.flags;
        let half = &mut self.half[dir.index()];
        half.bits = half.bits & !ABSENT | SEEN;
        let mut seq = seg.seq;
        if flags.any(TcpFlags::SYN) {
            self.synchronise(seg);
            seq = seq.wrapping_add(1);
        }
        let half = &mut self.half[dir.index()];
        half.flags |= flags;
        // A length that no segment has comes from a frame length that lies.
        let len = if seg.payload_len < 1 << 24 { seg.payload_len } else { seg.payload.len() as u32 };
        let data = Data { seq, bytes: &seg.payload[..seg.payload.len().min(len as usize)], len };
        if flags.any(TcpFlags::RST) {
            self.reset(seg, clock, buffers, out);
        } else {
            let ack = flags.any(TcpFlags::ACK).then_some(seg.ack);
            if let Some(ack) = ack {
                self.acknowledge(seg, ack, clock, buffers, out);
            }
            self.begin(dir, &data);
            if len > 0 {
                self.take(dir, data, seg.time, ack, clock, buffers, out);
            }
            if flags.any(TcpFlags::FIN) {
                self.take_fin(dir, data.end(), seg.time, ack, clock, buffers, out);
            }
        }
        self.turn(clock, Some((dir, data.end())), buffers, out);
    }

    pub(super) fn next(&self, dir: Dir) -> u32 {
        self.half[dir.index()].next
    }

    fn synchronise(&mut self, seg: &Segment<'_>) {
        let half = &mut self.half[seg.dir.index()];
        if !half.flags.any(TcpFlags::SYN) {
            half.isn = seg.seq;
            if !half.is(FIRM) || !half.is(STARTED) && !half.is(ENDED) {
                half.next = seg.seq.wrapping_add(1);
                half.bits |= FIRM;
            }
        }
        let answer = seg.flags.any(TcpFlags::ACK);
        let opener = if answer { seg.dir.flip() } else { seg.dir };
        // Its SYN has no such flag.
        let acknowledged = self.half[opener.index()].flags.any(TcpFlags::ACK);
        if self.bits & OPENER == 0 {
            self.bits |= OPENER | if opener == Dir::BtoA { OPENER_B } else { 0 };
            self.bits |= if acknowledged { JOINED } else { 0 };
        }
        if answer && self.syn_ack == Time::MIN && !acknowledged {
            self.bits |= HALF_OPEN;
        }
        earlier(if answer { &mut self.syn_ack } else { &mut self.syn }, seg.time);
    }

    /// If the opener acknowledges: what it acknowledged first ends the handshake, which may not be what came first.
    pub(super) fn complete(&mut self, seg: &Segment<'_>) {
        if self.opener() != Some(seg.dir) {
            return;
        }
        self.bits &= !HALF_OPEN;
        if self.first_ack == Time::MIN || after(self.first_acked, seg.ack) {
            (self.first_ack, self.first_acked) = (seg.time, seg.ack);
        } else if self.first_acked == seg.ack {
            earlier(&mut self.first_ack, seg.time);
        }
    }

    fn acknowledge(
        &mut self,
        seg: &Segment<'_>,
        ack: u32,
        clock: Time,
        buffers: &mut Buffers,
        out: &mut impl Sink,
    ) {
        let syn = seg.flags.any(TcpFlags::SYN);
        if !syn {
            self.complete(seg);
        }
        let other = seg.dir.flip();
        let low = self.held.as_ref().and_then(|h| h.head(other)).map(|h| h.seq);
        let half = &mut self.half[other.index()];
        if half.is(FIRM) && ack.wrapping_sub(half.next) >= FAR && after(ack, half.next) {
            return;
        }
        if !half.is(ACKED) || after(ack, half.acked) {
            half.acked = ack;
            half.bits |= ACKED;
        }
        if !half.is(FIRM) {
            if !half.is(TOLD) || after(half.next, ack) {
                half.next = ack;
                half.bits |= TOLD;
            }
            // The peer answers a SYN that was not seen, or has all that waits here: nothing earlier is on its way.
            if syn || low.is_some_and(|low| reached(ack, low)) {
                self.settle(other);
            }
        } else if half.is(ABSENT) && self.missing(other) > 0 {
            self.close_holes(other, ack, clock, buffers, out);
        }
    }

    /// A direction whose beginning is not settled may begin here.
    fn begin(&mut self, dir: Dir, data: &Data<'_>) {
        let low = self.held.as_ref().and_then(|h| h.head(dir)).map(|h| h.seq);
        let half = &mut self.half[dir.index()];
        let expected = half.is(TOLD) && !half.is(FIRM) && half.next == data.seq;
        if expected && low.is_none_or(|low| reached(low, data.seq)) {
            half.bits |= FIRM;
        }
    }

    /// Settles where a direction begins: where the peer said, or earlier if earlier bytes are here.
    fn settle(&mut self, dir: Dir) {
        let low = self.held.as_ref().and_then(|h| h.head(dir)).map(|h| h.seq);
        let half = &mut self.half[dir.index()];
        if half.is(FIRM) {
            return;
        }
        match low {
            Some(low) if !half.is(TOLD) || low.wrapping_sub(half.next) >= FAR => half.next = low,
            None if !half.is(TOLD) => return,
            _ => {}
        }
        half.bits |= FIRM;
    }

    pub(super) fn settle_all(&mut self) {
        for dir in DIRS {
            self.settle(dir);
        }
    }

    /// Takes data: counts what it is, then finds its place.
    #[expect(clippy::too_many_arguments, reason = "one call site")]
    fn take(
        &mut self,
        dir: Dir,
        data: Data<'_>,
        time: Time,
        ack: Option<u32>,
        clock: Time,
        buffers: &mut Buffers,
        out: &mut impl Sink,
    ) {
        let half = &mut self.half[dir.index()];
        let mut cover = Cover::None;
        if half.is(FIRM) {
            let ahead = data.seq.wrapping_sub(half.next) as i32;
            if ahead == -1 && data.len == 1 {
                return; // A keep-alive probe (RFC 9293 section 3.8.4).
            }
            if ahead.unsigned_abs() >= FAR && !half.is(ENDED) {
                if !(half.is(STRAY) && half.stray == data.seq) {
                    half.stray = data.end();
                    half.bits |= STRAY;
                    return;
                }
                // Twice in a row from another place: the connection went on there while nobody looked.
                half.bits &= !STRAY;
                self.leap(dir, data.seq, clock, buffers, out);
            } else if ahead < 0 || half.is(ENDED) {
                cover =
                    if half.is(ENDED) || reached(half.next, data.end()) { Cover::Whole } else { Cover::Part };
            }
        }
        let held = self.held.as_ref();
        if cover == Cover::None {
            cover = held.map_or(Cover::None, |h| h.cover(dir, data.seq, data.end()));
        }
        let last = held.and_then(|h| h.pieces[dir.index()].back()).map(|p| p.seq);
        let half = &mut self.half[dir.index()];
        match cover {
            Cover::Whole => {
                half.retransmits = half.retransmits.saturating_add(1);
                out.counters().retransmits += 1;
                return;
            }
            Cover::Part => out.counters().overlaps += 1,
            Cover::None if last.is_some_and(|last| after(last, data.seq)) => {
                half.late = half.late.saturating_add(1);
                out.counters().out_of_order += 1;
            }
            Cover::None => {}
        }
        self.place(dir, data, time, ack, clock, buffers, out);
    }

    /// Delivers data or keeps it. When it can be neither, what waits gives way until it can.
    #[expect(clippy::too_many_arguments, reason = "one call site")]
    fn place(
        &mut self,
        dir: Dir,
        data: Data<'_>,
        time: Time,
        ack: Option<u32>,
        clock: Time,
        buffers: &mut Buffers,
        out: &mut impl Sink,
    ) {
        let mut data = data;
        let mut refused = false;
        loop {
            let half = &self.half[dir.index()];
            if half.is(FIRM) {
                data = data.from(half.next);
                if data.len == 0 || half.is(ENDED) {
                    return;
                }
                let head = self.held.as_ref().and_then(|h| h.head(dir)).map(|h| h.seq);
                let free = head.is_none_or(|seq| reached(seq, data.end()));
                if data.seq == half.next && free && self.is_covered(dir, ack) {
                    self.deliver(dir, data.bytes, data.len, time, out);
                    return;
                }
            }
            if self.hold(dir, data, time, ack, buffers, out) {
                return;
            }
            if !refused {
                out.counters().reassembly_drops += 1;
                refused = true;
            }
            if !self.force(clock, buffers, out) {
                // Nothing waits and there is no room to wait: order gives way before bytes do.
                self.settle_all();
                if !self.half[dir.index()].is(FIRM) {
                    self.half[dir.index()].next = data.seq;
                    self.half[dir.index()].bits |= FIRM;
                }
                if after(data.seq, self.next(dir)) {
                    self.lose(dir, data.seq, clock, out);
                }
                let data = data.from(self.next(dir));
                self.deliver(dir, data.bytes, data.len, time, out);
                return;
            }
        }
    }

    fn hold(
        &mut self,
        dir: Dir,
        data: Data<'_>,
        time: Time,
        ack: Option<u32>,
        buffers: &mut Buffers,
        out: &mut impl Sink,
    ) -> bool {
        let anchor = self.held.as_ref().and_then(|h| h.head(dir)).map(|h| h.seq);
        if anchor.is_some_and(|a| (data.seq.wrapping_sub(a) as i32).unsigned_abs() >= FAR) {
            return true; // From nowhere near: not kept, or order would have no meaning.
        }
        let Some(held) = self.held(buffers, out) else { return false };
        let mark = held.mark(time, ack);
        held.insert(dir, data.seq, data.bytes, data.len, mark, buffers, out.budget())
    }

    /// Makes sure that there is somewhere to wait.
    pub(super) fn held(&mut self, buffers: &mut Buffers, out: &mut impl Sink) -> Option<&mut Held> {
        if self.held.is_none() {
            if !out.budget().take(EMPTY_COST) {
                return None;
            }
            self.held = Some(buffers.take_held());
        }
        self.held.as_deref_mut()
    }

    pub(super) fn put_away(&mut self, buffers: &mut Buffers, out: &mut impl Sink) {
        if let Some(held) = self.held.take() {
            out.budget().give(EMPTY_COST);
            buffers.give_held(held);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call site")]
    fn take_fin(
        &mut self,
        dir: Dir,
        seq: u32,
        time: Time,
        ack: Option<u32>,
        clock: Time,
        buffers: &mut Buffers,
        out: &mut impl Sink,
    ) {
        loop {
            let half = &self.half[dir.index()];
            let known = self.held.as_ref().is_some_and(|h| h.fin[dir.index()].is_some());
            let far = half.is(FIRM) && seq.wrapping_sub(half.next) >= FAR;
            if half.is(ENDED) || known || far {
                return;
            }
            if let Some(held) = self.held(buffers, out) {
                let mark = held.mark(time, ack);
                held.fin[dir.index()] = Some((seq, mark));
                return; // The turn that follows delivers it if it can.
            }
            if !self.force(clock, buffers, out) {
                self.settle_all();
                if self.half[dir.index()].is(FIRM) && after(seq, self.next(dir)) {
                    self.lose(dir, seq, clock, out);
                }
                self.end(dir, time, buffers, out);
                return;
            }
        }
    }

    fn reset(&mut self, seg: &Segment<'_>, clock: Time, buffers: &mut Buffers, out: &mut impl Sink) {
        let half = &self.half[seg.dir.index()];
        let near = (RESET_BEHIND..=RESET_AHEAD).contains(&(seg.seq.wrapping_sub(half.next) as i32));
        // One from far off is forged or very old (RFC 5961 section 3).
        if self.bits & RESET != 0 || half.is(FIRM) && !near {
            return;
        }
        self.finish(clock, buffers, out);
        self.bits |= RESET;
        out.reset(seg.dir, seg.time);
    }

    /// Whether what acknowledges `ack` may be told: the bytes it acknowledges were.
    fn is_covered(&self, dir: Dir, ack: Option<u32>) -> bool {
        let other = &self.half[dir.flip().index()];
        match ack {
            None => true,
            Some(_) if !other.is(FIRM) => false,
            Some(ack) => !(1..FAR).contains(&ack.wrapping_sub(other.next)) || other.is(ENDED),
        }
    }

    /// What waits at a direction's front and could be next, were it not for causal order.
    fn ready(&self, dir: Dir) -> Option<Head> {
        let head = self.held.as_ref()?.head(dir)?;
        let half = &self.half[dir.index()];
        (half.is(FIRM) && reached(half.next, head.seq)).then_some(head)
    }

    /// What has waited longest of the two that are first in their directions.
    pub(super) fn eldest(&self) -> Option<(Dir, Head)> {
        let held = self.held.as_ref()?;
        DIRS.into_iter().filter_map(|d| Some((d, held.head(d)?))).min_by_key(|(_, h)| h.mark.order)
    }

    /// Delivers everything that is in order, the elder first.
    pub(super) fn pump(&mut self, buffers: &mut Buffers, out: &mut impl Sink) {
        while self.held.is_some() {
            let heads = DIRS.map(|d| self.ready(d).map(|h| (d, h)));
            let free = |(d, h): &(Dir, Head)| self.is_covered(*d, h.mark.ack);
            let mut next = heads.into_iter().flatten().filter(free).min_by_key(|(_, h)| h.mark.order);
            if next.is_none() && heads.iter().all(Option::is_some) {
                // Each waits for the other: a retransmission with a newer acknowledgement. Nothing to come unties them.
                next = heads.into_iter().flatten().min_by_key(|(_, h)| h.mark.order);
            }
            let Some((dir, head)) = next else { return };
            self.deliver_head(dir, head, buffers, out);
        }
    }

    pub(super) fn deliver_head(&mut self, dir: Dir, head: Head, buffers: &mut Buffers, out: &mut impl Sink) {
        if head.fin {
            self.end(dir, head.mark.time, buffers, out);
            return;
        }
        let Some(piece) = self.held.as_deref_mut().and_then(|h| h.pop(dir, out.budget())) else { return };
        let data = Data { seq: piece.seq, bytes: &piece.bytes, len: piece.len }.from(self.next(dir));
        if data.len > 0 {
            self.deliver(dir, data.bytes, data.len, piece.mark.time, out);
        }
        buffers.give(piece.bytes);
    }

    pub(super) fn deliver(&mut self, dir: Dir, bytes: &[u8], len: u32, time: Time, out: &mut impl Sink) {
        let half = &mut self.half[dir.index()];
        half.bits = (half.bits | STARTED) & !STRAY;
        half.next = half.next.wrapping_add(bytes.len() as u32);
        if !bytes.is_empty() {
            out.data(dir, bytes, time);
        }
        let cut = len - bytes.len() as u32;
        if cut > 0 {
            self.lose(dir, self.next(dir).wrapping_add(cut), time, out);
        }
    }

    fn end(&mut self, dir: Dir, time: Time, buffers: &mut Buffers, out: &mut impl Sink) {
        let half = &mut self.half[dir.index()];
        half.next = half.next.wrapping_add(1);
        half.bits |= ENDED;
        if let Some(held) = self.held.as_deref_mut() {
            held.fin[dir.index()] = None;
            while let Some(piece) = held.pop(dir, out.budget()) {
                buffers.give(piece.bytes);
            }
        }
        out.end(dir, time);
    }
}

/// The earlier of two times; `Time::MIN` is none.
fn earlier(one: &mut Time, other: Time) {
    if *one == Time::MIN || other < *one {
        *one = other;
    }
}
