//! Segments into the order of TCP, and a model of what must come out.

use wirebeat_model::{Budget, Counters, Dir, Time};
use wirebeat_net::flow::{Buffers, Segment, Sink, Tcp};
use wirebeat_net::wire::TcpFlags;

use super::script::{START, Script};

/// The byte that stands at a place of a direction, when nobody lies.
fn content(dir: Dir, seq: u32) -> u8 {
    (seq.wrapping_mul(0x9e37_79b1) >> 24) as u8 ^ if dir == Dir::AtoB { 0 } else { 0x55 }
}

/// What one direction has delivered.
#[derive(Default)]
struct Said {
    /// The next place, while it is known.
    next: Option<u32>,
    gaps: u32,
    lost: u64,
    ended: bool,
}

struct Model {
    said: [Said; 2],
    honest: bool,
    budget: Budget,
    counters: Counters,
}

impl Sink for Model {
    fn data(&mut self, dir: Dir, bytes: &[u8], _: Time) {
        assert!(!bytes.is_empty());
        let said = &mut self.said[dir.index()];
        let Some(next) = &mut said.next else { return };
        assert!(!said.ended, "data after the end");
        for b in bytes {
            assert!(!self.honest || *b == content(dir, *next), "a wrong byte at {next} of {dir:?}");
            *next = next.wrapping_add(1);
        }
    }
    fn gap(&mut self, dir: Dir, lost: u64, _: Time) {
        let said = &mut self.said[dir.index()];
        said.gaps = said.gaps.saturating_add(1);
        said.lost += lost;
        // 0: it goes on somewhere else.
        said.next = said.next.filter(|_| lost > 0).map(|n| n.wrapping_add(lost as u32));
        said.ended = false;
    }
    fn end(&mut self, dir: Dir, _: Time) {
        let said = &mut self.said[dir.index()];
        assert!(!said.ended, "ends twice");
        said.ended = true;
        said.next = said.next.map(|n| n.wrapping_add(1));
    }
    fn reset(&mut self, _: Dir, _: Time) {}
    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }
    fn counters(&mut self) -> &mut Counters {
        &mut self.counters
    }
}

pub fn run(data: &[u8]) {
    let mut s = Script::new(data);
    let options = s.u8();
    let limit = [1 << 20, 64 << 10, 4096, 512][usize::from(options >> 3 & 3)];
    let base = [1_000, u32::MAX - 300, (1 << 31) - 300, 0][usize::from(options >> 5 & 3)];
    // With a handshake, and no SYN after it, it is known where each byte belongs.
    let handshake = options & 1 != 0;
    let honest = options & 2 == 0;
    let mut sent = [base, base.wrapping_add(77)];
    let mut tcp = Tcp::default();
    let mut buffers = Buffers::new();
    let mut out =
        Model { said: Default::default(), honest, budget: Budget::new(limit), counters: Counters::default() };
    let (mut time, mut clock) = (START, START);
    if handshake {
        let [a, b] = sent;
        for (dir, flags, seq, ack) in [
            (Dir::AtoB, 2, a.wrapping_sub(1), 0),
            (Dir::BtoA, 0x12, b.wrapping_sub(1), a),
            (Dir::AtoB, 0x10, a, b),
        ] {
            let seg = Segment { dir, time, seq, ack, flags: TcpFlags(flags), payload: &[], payload_len: 0 };
            tcp.segment(&seg, clock, &mut buffers, &mut out);
        }
        out.said[0].next = Some(a);
        out.said[1].next = Some(b);
    }
    let mut payload = Vec::new();
    while s.more() {
        let head = s.u8();
        if head & 0x40 != 0 {
            time = s.time(time);
            clock = clock.max(time);
        }
        if head & 0x80 != 0 || tcp.deadline().is_some_and(|d| d <= clock) {
            tcp.poll(clock, &mut buffers, &mut out);
            assert!(tcp.deadline().is_none_or(|d| d > clock || clock == Time::MAX), "a deadline that stays");
            if head & 0x80 != 0 {
                continue;
            }
        }
        let dir = if head & 1 == 0 { Dir::AtoB } else { Dir::BtoA };
        let next = sent[dir.index()];
        let seq = match head >> 1 & 3 {
            0 => next,
            1 => next.wrapping_add(i32::from(s.u16() as i16) as u32),
            2 => base.wrapping_add(u32::from(s.u8())),
            _ => s.u32(),
        };
        let peer = sent[dir.flip().index()];
        let ack = if head & 8 == 0 { peer } else { peer.wrapping_add(i32::from(s.u16() as i16) as u32) };
        let (mut flags, mut missing) = (0x10, 0);
        if head & 0x10 != 0 {
            flags = s.u8();
        }
        if head & 0x20 != 0 {
            missing = u32::from(s.u8());
        }
        if handshake {
            flags &= !TcpFlags::SYN.0;
        }
        let len = s.len();
        let first = if flags & TcpFlags::SYN.0 != 0 { seq.wrapping_add(1) } else { seq };
        let noise = if honest { 0 } else { s.u8() };
        payload.clear();
        payload.extend((0..len as u32).map(|i| content(dir, first.wrapping_add(i)) ^ noise));
        if head >> 1 & 3 == 0 {
            sent[dir.index()] = next.wrapping_add(len as u32 + missing + u32::from(flags & TcpFlags::FIN.0));
        }
        let seg = Segment {
            dir,
            time,
            seq,
            ack,
            flags: TcpFlags(flags),
            payload: &payload,
            payload_len: len as u32 + missing,
        };
        if handshake || !tcp.is_new_connection(dir, seq, seg.flags) {
            tcp.segment(&seg, clock, &mut buffers, &mut out);
        }
        // What one connection may hold, and its frame.
        assert!(out.budget.used() <= (256 << 10) + 4096);
        tcp.state();
        tcp.handshake();
    }
    tcp.finish(clock, &mut buffers, &mut out);
    assert_eq!(out.budget.used(), 0, "all memory comes back");
    assert_eq!(tcp.deadline(), None);
    for dir in [Dir::AtoB, Dir::BtoA] {
        let said = &out.said[dir.index()];
        assert_eq!(tcp.gaps(dir), (said.gaps, said.lost), "every gap is told");
    }
}
