//! TCP order against a model: a dialogue is cut, mutated, and must come out as it was said.

#![allow(clippy::unwrap_used, clippy::too_many_arguments, reason = "helpers of tests are tests too")]

use proptest::prelude::*;
use wirebeat_model::{Budget, Counters, Dir, Time};
use wirebeat_net::flow::{Buffers, Segment, Sink, Tcp, TcpState};
use wirebeat_net::wire::TcpFlags;

const A: Dir = Dir::AtoB;
const B: Dir = Dir::BtoA;

#[derive(Clone, Debug, PartialEq)]
enum Ev {
    Data(Dir, Vec<u8>, i64),
    Gap(Dir, u64),
    End(Dir),
    Reset(Dir),
}

struct Recorder {
    events: Vec<Ev>,
    budget: Budget,
    counters: Counters,
}

impl Sink for Recorder {
    fn data(&mut self, dir: Dir, bytes: &[u8], time: Time) {
        self.events.push(Ev::Data(dir, bytes.to_vec(), time.0));
    }
    fn gap(&mut self, dir: Dir, lost: u64, _: Time) {
        self.events.push(Ev::Gap(dir, lost));
    }
    fn end(&mut self, dir: Dir, _: Time) {
        self.events.push(Ev::End(dir));
    }
    fn reset(&mut self, dir: Dir, _: Time) {
        self.events.push(Ev::Reset(dir));
    }
    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }
    fn counters(&mut self) -> &mut Counters {
        &mut self.counters
    }
}

/// A connection under test, with its clock.
struct Rig {
    tcp: Tcp,
    buffers: Buffers,
    out: Recorder,
    clock: i64,
}

const MS: i64 = 1_000_000;

fn bits(flags: &str) -> u8 {
    flags.chars().map(|c| 1u8 << "FSRPAUEC".find(c).unwrap()).sum()
}

impl Rig {
    fn new(budget: usize) -> Self {
        let out = Recorder { events: Vec::new(), budget: Budget::new(budget), counters: Counters::default() };
        Self { tcp: Tcp::default(), buffers: Buffers::new(), out, clock: 0 }
    }

    fn at(&mut self, time: i64, dir: Dir, flags: u8, seq: u32, ack: u32, payload: &[u8], len: u32) {
        self.clock = self.clock.max(time);
        let seg =
            Segment { dir, time: Time(time), seq, ack, flags: TcpFlags(flags), payload, payload_len: len };
        self.tcp.segment(&seg, Time(self.clock), &mut self.buffers, &mut self.out);
    }

    /// One millisecond after the last.
    fn seg(&mut self, dir: Dir, flags: &str, seq: u32, ack: u32, payload: &[u8]) {
        self.at(self.clock + MS, dir, bits(flags), seq, ack, payload, payload.len() as u32);
    }

    fn poll(&mut self, time: i64) {
        self.clock = self.clock.max(time);
        self.tcp.poll(Time(self.clock), &mut self.buffers, &mut self.out);
    }

    fn finish(&mut self) {
        self.tcp.finish(Time(self.clock), &mut self.buffers, &mut self.out);
        assert_eq!(self.out.budget.used(), 0);
    }

    fn handshake(&mut self) {
        self.seg(A, "S", 99, 0, b"");
        self.seg(B, "SA", 499, 100, b"");
        self.seg(A, "A", 100, 500, b"");
    }

    /// What happened since last asked, in short: `>GET <OK >| ` and so on.
    fn said(&mut self) -> String {
        let arrow = |d: &Dir| if *d == A { '>' } else { '<' };
        let text = self.out.events.iter().map(|e| match e {
            Ev::Data(d, b, _) => format!("{}{}", arrow(d), String::from_utf8_lossy(b)),
            Ev::Gap(d, n) => format!("{}-{n}", arrow(d)),
            Ev::End(d) => format!("{}|", arrow(d)),
            Ev::Reset(d) => format!("{}!", arrow(d)),
        });
        let text = text.collect::<Vec<_>>().join(" ");
        self.out.events.clear();
        text
    }
}

#[test]
fn plain_conversation() {
    let mut r = Rig::new(1 << 20);
    r.seg(A, "S", 99, 0, b"");
    assert_eq!(r.tcp.state(), TcpState::SynSent);
    r.seg(B, "SA", 499, 100, b"");
    assert_eq!(r.tcp.state(), TcpState::SynReceived);
    r.seg(A, "A", 100, 500, b"");
    assert_eq!(r.tcp.handshake(), (Some(1_000_000), Some(2_000_000)));
    r.seg(A, "PA", 100, 500, b"GET");
    r.seg(B, "PA", 500, 103, b"OK");
    assert_eq!(r.said(), ">GET <OK");
    r.seg(A, "FA", 103, 502, b"");
    assert_eq!(r.tcp.state(), TcpState::Closing);
    r.seg(B, "PA", 502, 104, b"more");
    r.seg(B, "FA", 506, 104, b"");
    r.seg(A, "A", 104, 507, b"");
    assert_eq!(r.said(), ">| <more <|");
    assert!(r.tcp.is_over());
    assert_eq!((r.tcp.state().name(), r.tcp.opener()), ("closed", Some(A)));
    assert_eq!(r.out.counters, Counters::default());
    assert_eq!(r.out.budget.used(), 0);
    assert!(size_of::<Tcp>() <= 120, "{}", size_of::<Tcp>());
}

#[test]
fn round_trip_of_a_handshake_in_any_order() {
    /// Milliseconds, direction, flags, sequence, acknowledgement, data.
    type Sent = (i64, Dir, &'static str, u32, u32, &'static [u8]);
    const SYN: Sent = (10, A, "S", 99, 0, b"");
    const SYN_ACK: Sent = (13, B, "SA", 499, 100, b"");
    const FIRST_ACK: Sent = (15, A, "A", 100, 500, b"");
    const GET: Sent = (16, A, "PA", 100, 500, b"GET");
    const OK: Sent = (17, B, "PA", 500, 103, b"OK");
    const LAST: Sent = (18, A, "A", 103, 502, b"");
    let rtt = |sent: &[Sent]| {
        let mut r = Rig::new(1 << 20);
        for &(ms, dir, flags, seq, ack, data) in sent {
            r.at(ms * MS, dir, bits(flags), seq, ack, data, data.len() as u32);
        }
        r.tcp.handshake()
    };
    let both = (Some(3_000_000), Some(5_000_000));
    assert_eq!(rtt(&[SYN, SYN_ACK, FIRST_ACK, GET, OK, LAST]), both);
    assert_eq!(rtt(&[SYN_ACK, SYN, FIRST_ACK, GET, OK, LAST]), both);
    assert_eq!(rtt(&[SYN, FIRST_ACK, SYN_ACK, GET, OK, LAST]), both);
    assert_eq!(rtt(&[SYN, GET, FIRST_ACK, SYN_ACK, OK, LAST]), both);
    assert_eq!(rtt(&[SYN, SYN_ACK, GET, FIRST_ACK, OK, LAST]), both);
    assert_eq!(rtt(&[SYN, SYN_ACK, OK, LAST, GET, FIRST_ACK]), both);
    // What is not known is not told.
    let to_server = (Some(3_000_000), None);
    assert_eq!(rtt(&[SYN, SYN_ACK]), to_server);
    assert_eq!(rtt(&[SYN, SYN_ACK, OK, LAST]), to_server);
    assert_eq!(rtt(&[SYN, LAST, SYN_ACK, OK]), to_server);
    assert_eq!(rtt(&[FIRST_ACK, SYN, SYN_ACK, GET, OK, LAST]), to_server);
    assert_eq!(rtt(&[FIRST_ACK, SYN_ACK, SYN, GET, OK, LAST]), to_server);
    assert_eq!(rtt(&[SYN_ACK, FIRST_ACK, GET, OK, LAST]), (None, None));
    assert_eq!(rtt(&[SYN, FIRST_ACK, GET, OK, LAST]), (None, None));
    // The tap has stamped them as it swapped them.
    assert_eq!(rtt(&[(9, B, "SA", 499, 100, b""), SYN, FIRST_ACK, GET]), (None, None));
}

#[test]
fn fin_with_data_retransmitted_and_half_closed() {
    let mut r = Rig::new(1 << 20);
    r.handshake();
    r.seg(A, "FPA", 100, 500, b"bye");
    r.seg(A, "FPA", 100, 500, b"bye");
    r.seg(A, "FA", 103, 500, b"");
    r.seg(B, "A", 500, 104, b"");
    r.seg(B, "PA", 500, 104, b"late");
    assert_eq!(r.said(), ">bye >| <late");
    assert_eq!((r.out.counters.retransmits, r.out.counters.gaps), (1, 0));
    assert_eq!(r.tcp.state(), TcpState::Closing);
}

#[test]
fn fast_open_and_simultaneous_open() {
    let mut r = Rig::new(1 << 20);
    r.seg(A, "S", 99, 0, b"early");
    r.seg(B, "SA", 499, 105, b"");
    r.seg(A, "A", 105, 500, b"");
    r.seg(B, "PA", 500, 105, b"OK");
    assert_eq!(r.said(), ">early <OK");
    let mut r = Rig::new(1 << 20);
    r.seg(A, "S", 99, 0, b"");
    r.seg(B, "S", 499, 0, b"");
    r.seg(A, "SA", 99, 500, b"");
    r.seg(B, "SA", 499, 100, b"");
    r.seg(A, "PA", 100, 500, b"x");
    r.seg(B, "PA", 500, 101, b"y");
    assert_eq!(r.said(), ">x <y");
}

#[test]
fn probes_are_no_loss() {
    let mut r = Rig::new(1 << 20);
    r.handshake();
    r.seg(A, "PA", 100, 500, b"GET");
    r.seg(B, "PA", 500, 103, b"OK");
    r.seg(A, "A", 102, 502, b""); // keep-alive without and with a byte
    r.seg(A, "A", 102, 502, b"\0");
    r.seg(B, "A", 502, 103, b"");
    r.seg(A, "PA", 103, 502, b"a"); // zero window probe with a byte of data
    r.seg(A, "PA", 103, 502, b"abc"); // then all of it
    r.finish();
    assert_eq!(r.said(), ">GET <OK >a >bc");
    let c = &r.out.counters;
    assert_eq!((c.retransmits, c.overlaps, c.gaps, c.out_of_order), (0, 1, 0, 0));
}

#[test]
fn resets() {
    let mut r = Rig::new(1 << 20);
    r.seg(A, "S", 99, 0, b"");
    r.seg(B, "RA", 0, 100, b"");
    assert_eq!(r.said(), "<!");
    assert_eq!(r.tcp.state().name(), "reset");
    let mut r = Rig::new(1 << 20);
    r.handshake();
    r.seg(A, "R", 900_000_000, 0, b""); // forged
    r.seg(A, "PA", 100, 500, b"x");
    r.seg(A, "R", 101, 0, b"");
    r.seg(A, "R", 101, 0, b"");
    assert_eq!(r.said(), ">x >!");
}

#[test]
fn cut_segments_are_gaps_at_once() {
    let mut r = Rig::new(1 << 20);
    r.handshake();
    r.at(10 * MS, A, 0x18, 100, 500, b"GET /", 20);
    r.seg(A, "PA", 120, 500, b"next");
    assert_eq!(r.said(), ">GET / >-15 >next");
    assert_eq!((r.out.counters.gaps, r.out.counters.gap_bytes), (1, 15));
}

#[test]
fn answer_before_request_waits_for_it() {
    let mut r = Rig::new(1 << 20);
    r.handshake();
    r.seg(B, "PA", 500, 103, b"OK");
    assert_eq!(r.said(), "");
    r.seg(A, "PA", 100, 500, b"GET");
    assert_eq!(r.out.events, [Ev::Data(A, b"GET".to_vec(), 5 * MS), Ev::Data(B, b"OK".to_vec(), 4 * MS)]);
    r.finish();
    assert_eq!(r.out.counters.gaps, 0);
}

#[test]
fn a_gap_is_final_after_three_segments_or_twenty_milliseconds() {
    for by_time in [false, true] {
        let mut r = Rig::new(1 << 20);
        r.handshake();
        r.seg(B, "PA", 500, 103, b"OK");
        let deadline = r.tcp.deadline().unwrap().0;
        assert_eq!(deadline, 24 * MS);
        if by_time {
            r.poll(deadline - 1);
            assert_eq!(r.said(), "");
            r.poll(deadline);
        } else {
            r.seg(B, "A", 502, 103, b"");
            r.seg(B, "A", 502, 103, b"");
            assert_eq!(r.said(), "");
            r.seg(B, "A", 502, 103, b"");
        }
        assert_eq!(r.said(), ">-3 <OK");
        assert_eq!(r.tcp.deadline(), None);
        r.seg(A, "PA", 103, 502, b"GET2");
        assert_eq!(r.said(), ">GET2");
        assert_eq!((r.tcp.gaps(A), r.tcp.gaps(B)), ((1, 3), (0, 0)));
    }
}

#[test]
fn an_acknowledgement_may_come_long_before_its_data() {
    let mut r = Rig::new(1 << 20);
    r.handshake();
    // Two of the peer's segments may follow it; 100 of what it acknowledges fill the hole one by one.
    r.seg(B, "A", 500, 200, b"");
    r.seg(B, "A", 500, 200, b"");
    r.seg(B, "PA", 500, 200, b"OK");
    for n in 100..200 {
        // A pure acknowledgement that was sent before the missing bytes says nothing about them.
        r.seg(A, "A", n, 500, b"");
        r.seg(A, "PA", n, 500, b"x");
    }
    assert_eq!(r.said(), [">x"; 100].join(" ") + " <OK");
    assert_eq!((r.out.counters.gaps, r.tcp.deadline()), (0, None));
}

#[test]
fn a_hole_that_shrinks_and_stops_is_a_gap_soon() {
    for by_time in [false, true] {
        let mut r = Rig::new(1 << 20);
        r.handshake();
        r.seg(B, "A", 500, 110, b"");
        for n in 100..104 {
            r.seg(A, "PA", n, 500, b"x");
        }
        let deadline = r.tcp.deadline().unwrap().0;
        assert_eq!(deadline, 28 * MS, "from the last that filled it");
        r.said();
        if by_time {
            r.poll(deadline - 1);
            assert_eq!(r.said(), "");
            r.poll(deadline);
            assert_eq!(r.said(), ">-6");
        } else {
            // Sent after what is missing; sent before it; an acknowledgement more.
            r.seg(A, "PA", 106, 500, b"yy");
            r.seg(A, "PA", 100, 500, b"xxxx");
            r.seg(B, "A", 500, 110, b"");
            assert_eq!(r.said(), "");
            r.seg(A, "PA", 108, 500, b"yy");
            assert_eq!(r.said(), ">-2 >yy >yy");
        }
    }
}

#[test]
fn a_hole_that_nobody_acknowledges_waits_for_the_end() {
    let mut r = Rig::new(1 << 20);
    r.handshake();
    for i in 0..10 {
        r.seg(A, "PA", 103 + i, 500, b"x");
    }
    r.poll(500 * MS);
    assert_eq!(r.said(), "");
    r.finish();
    assert_eq!(r.said(), ">-3 >x >x >x >x >x >x >x >x >x >x");
}

#[test]
fn beginning_not_seen() {
    // The request is settled by its answer, which is settled by the request's acknowledgement.
    let mut r = Rig::new(1 << 20);
    r.seg(A, "PA", 100, 500, b"GET");
    assert_eq!(r.said(), "");
    r.seg(B, "PA", 500, 103, b"OK");
    assert_eq!(r.out.events, [Ev::Data(A, b"GET".to_vec(), MS), Ev::Data(B, b"OK".to_vec(), 2 * MS)]);
    // Neighbours swapped at the very start, one direction only.
    let mut r = Rig::new(1 << 20);
    r.seg(A, "PA", 103, 500, b"def");
    r.seg(A, "PA", 100, 500, b"abc");
    r.seg(A, "PA", 106, 500, b"ghi");
    assert_eq!(r.said(), "");
    r.seg(A, "PA", 109, 500, b"jkl");
    assert_eq!(r.said(), ">abc >def >ghi >jkl");
    // Only one side captured: what it acknowledges is waited for once.
    r.seg(A, "PA", 112, 600, b"m");
    assert_eq!(r.said(), "");
    r.poll(r.clock + 20 * MS);
    assert_eq!(r.said(), "<-100 >m");
    r.seg(A, "PA", 113, 700, b"n");
    assert_eq!(r.said(), "<-100 >n");
    // By time.
    let mut r = Rig::new(1 << 20);
    r.seg(B, "PA", 100, 500, b"x");
    r.poll(21 * MS);
    assert_eq!(r.said(), "<x");
}

#[test]
fn first_bytes_win() {
    let mut r = Rig::new(1 << 20);
    r.handshake();
    r.seg(A, "PA", 103, 500, b"def");
    r.seg(A, "PA", 102, 500, b"XYYYZ");
    r.seg(A, "PA", 100, 500, b"ab");
    r.seg(A, "PA", 100, 500, b"######!");
    assert_eq!(r.said(), ">ab >X >def >Z");
    r.seg(A, "PA", 99, 500, b"#########!");
    assert_eq!(r.said(), ">#!");
    assert_eq!((r.out.counters.overlaps, r.out.counters.retransmits), (2, 1));
    r.finish();
}

#[test]
fn port_reuse() {
    let mut r = Rig::new(1 << 20);
    let new = |r: &Rig, d, seq, f| r.tcp.is_new_connection(d, seq, f);
    let (syn, syn_ack) = (TcpFlags::SYN, TcpFlags::SYN | TcpFlags::ACK);
    assert!(!new(&r, A, 99, syn));
    r.handshake();
    assert!(!new(&r, A, 99, syn) && !new(&r, B, 499, syn_ack), "retransmitted");
    assert!(new(&r, A, 777, syn) && new(&r, B, 888, syn_ack));
    assert!(!new(&r, A, 777, TcpFlags::ACK));
    r.seg(A, "FA", 100, 500, b"");
    r.seg(B, "FA", 500, 101, b"");
    assert!(!r.tcp.is_over(), "a FIN that is not acknowledged is sent again");
    r.seg(A, "A", 101, 501, b"");
    assert!(r.tcp.is_over() && !new(&r, A, 99, syn) && new(&r, A, 5000, syn));
    // The SYN comes after the SYN-ACK.
    let mut r = Rig::new(1 << 20);
    r.seg(B, "SA", 499, 100, b"");
    assert!(!new(&r, A, 99, syn) && new(&r, A, 70_000, syn));
    // Joined in the middle.
    let mut r = Rig::new(1 << 20);
    r.seg(A, "PA", 100, 500, b"GET");
    r.seg(B, "PA", 500, 103, b"OK");
    assert!(new(&r, A, 123_456, syn));
}

#[test]
fn goes_on_far_away() {
    let mut r = Rig::new(1 << 20);
    r.handshake();
    r.seg(A, "PA", 100, 500, b"x");
    r.seg(A, "PA", 3_000_000_000, 500, b"lost");
    r.seg(A, "PA", 3_000_000_004, 500, b"found");
    assert_eq!(r.said(), ">x >-0 >found");
}

#[test]
fn without_budget_order_gives_way_before_bytes() {
    let mut r = Rig::new(0);
    r.handshake();
    r.seg(A, "PA", 103, 500, b"def");
    r.seg(A, "PA", 100, 500, b"abc");
    r.seg(B, "FPA", 503, 106, b"OK");
    r.seg(A, "FA", 106, 506, b"");
    assert_eq!(r.said(), ">-3 >def <-3 <OK <| >|");
    assert_eq!(r.out.counters.reassembly_drops, 2);
    r.finish();
}

// The model.

#[derive(Clone, Debug)]
struct Sent {
    dir: Dir,
    flags: u8,
    /// Offset in the direction's stream; the SYN is at -1.
    at: i64,
    /// Bytes of the other direction that its sender had (the FIN and SYN count as in TCP).
    ack: i64,
    bytes: Vec<u8>,
}

/// Says `messages` as segments of at most `cut` bytes, each acknowledging all that was said before.
fn speak(messages: &[(bool, u8)], cuts: &[u8], acks: bool) -> Vec<Sent> {
    let mut out = Vec::new();
    let syn = |dir, flags, ack| Sent { dir, flags, at: -1, ack, bytes: vec![] };
    out.push(syn(A, 0x02, 0));
    out.push(syn(B, 0x12, 0));
    let mut at = [0i64; 2];
    out.push(Sent { dir: A, flags: 0x10, at: 0, ack: 0, bytes: vec![] });
    let mut cuts = cuts.iter().cycle();
    for &(from_a, len) in messages {
        let dir = if from_a { A } else { B };
        let mut left = usize::from(len);
        while left > 0 {
            let n = left.min(usize::from(*cuts.next().unwrap()).max(1));
            let start = at[dir.index()];
            let bytes = (start..start + n as i64).map(|o| (o * 7 + dir.index() as i64 * 100) as u8).collect();
            out.push(Sent { dir, flags: 0x18, at: start, ack: at[dir.flip().index()], bytes });
            at[dir.index()] += n as i64;
            left -= n;
            if acks {
                let d = dir.flip();
                out.push(Sent {
                    dir: d,
                    flags: 0x10,
                    at: at[d.index()],
                    ack: at[dir.index()],
                    bytes: vec![],
                });
            }
        }
    }
    for dir in [A, B] {
        let fin = i64::from(dir == B);
        out.push(Sent {
            dir,
            flags: 0x11,
            at: at[dir.index()],
            ack: at[dir.flip().index()] + fin,
            bytes: vec![],
        });
    }
    out
}

/// Lengths of both streams, and of each byte how many of the other direction its sender had.
fn needs(sent: &[Sent]) -> [Vec<i64>; 2] {
    let mut needs = [vec![], vec![]];
    for s in sent {
        for _ in &s.bytes {
            needs[s.dir.index()].push(s.ack);
        }
    }
    needs
}

/// Runs segments through, one a `step`, and returns the streams (holes as `None`) after checking causal order.
fn run(
    rig: &mut Rig,
    sent: &[Sent],
    isn: [u32; 2],
    step: i64,
    needs: &[Vec<i64>; 2],
) -> [Vec<Option<u8>>; 2] {
    for s in sent {
        let d = s.dir.index();
        let seq = isn[d].wrapping_add(1).wrapping_add(s.at as u32);
        let ack = isn[1 - d].wrapping_add(1).wrapping_add(s.ack as u32);
        rig.at(rig.clock + step, s.dir, s.flags, seq, ack, &s.bytes, s.bytes.len() as u32);
        assert!(rig.out.budget.used() <= rig.out.budget.limit());
    }
    rig.finish();
    let mut streams: [Vec<Option<u8>>; 2] = Default::default();
    let mut ended = [false; 2];
    for e in &rig.out.events {
        match e {
            Ev::Data(d, bytes, _) => {
                assert!(!ended[d.index()]);
                let have = streams[d.flip().index()].len() as i64;
                let from = streams[d.index()].len();
                for need in &needs[d.index()][from.min(needs[d.index()].len())..][..bytes.len()] {
                    assert!(
                        *need <= have,
                        "told before what it answers: {need} > {have}: {:?}",
                        rig.out.events
                    );
                }
                streams[d.index()].extend(bytes.iter().copied().map(Some));
            }
            Ev::Gap(d, n) => streams[d.index()].extend((0..*n).map(|_| None)),
            Ev::End(d) => ended[d.index()] = true,
            Ev::Reset(_) => unreachable!("nobody resets"),
        }
    }
    streams
}

fn isns() -> impl Strategy<Value = [u32; 2]> {
    let isn = prop_oneof![Just(0u32), Just(u32::MAX), (0u32..300).prop_map(|n| u32::MAX - n), any::<u32>()];
    [isn.clone(), isn]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn comes_out_as_it_was_said(
        messages in prop::collection::vec((any::<bool>(), 1u8..60), 1..12),
        cuts in prop::collection::vec(1u8..40, 1..6),
        acks in any::<bool>(),
        isn in isns(),
        again in prop::collection::vec((any::<prop::sample::Index>(), 1usize..8, any::<bool>()), 0..4),
        swaps in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        start in 0usize..5,
    ) {
        let said = speak(&messages, &cuts, acks);
        let needs = needs(&said);
        let mut sent = said.clone();
        // Retransmissions, some with other bytes and reaching further back.
        for (which, later, garble) in again {
            let i = which.index(sent.len());
            let mut copy = sent[i].clone();
            if copy.bytes.is_empty() {
                continue;
            }
            if garble {
                let back = copy.at.min(5);
                copy.at -= back;
                copy.bytes = vec![b'#'; copy.bytes.len() + back as usize];
            }
            sent.insert((i + later).min(sent.len()), copy);
        }
        // Neighbours swapped, each at most once; not the handshake with itself.
        let mut swapped = vec![false; sent.len()];
        for s in swaps {
            let i = 3 + s.index(sent.len() - 3);
            if i + 1 < sent.len() && !swapped[i] && !swapped[i + 1] {
                sent.swap(i, i + 1);
                (swapped[i], swapped[i + 1]) = (true, true);
            }
        }
        // Beginning not seen.
        let sent: Vec<Sent> = match start {
            0 => sent,
            1 => sent[1..].to_vec(),
            2 => sent[2..].to_vec(),
            3 => sent[3..].to_vec(),
            _ => [&sent[..1], &sent[3..]].concat(),
        };
        // Who comes first wins.
        let mut expected: [Vec<Option<u8>>; 2] = [vec![None; needs[0].len()], vec![None; needs[1].len()]];
        for s in &sent {
            for (i, b) in s.bytes.iter().enumerate() {
                expected[s.dir.index()][s.at as usize + i].get_or_insert(*b);
            }
        }
        let mut rig = Rig::new(1 << 20);
        let streams = run(&mut rig, &sent, isn, MS, &needs);
        prop_assert_eq!(&streams, &expected, "{:?}", rig.out.events);
        prop_assert_eq!(rig.out.counters.gaps, 0);
        prop_assert!(rig.out.events.ends_with(&[Ev::End(A), Ev::End(B)]), "{:?}", rig.out.events);
    }

    #[test]
    fn loss_is_told_and_what_follows_delivered(
        messages in prop::collection::vec((any::<bool>(), 1u8..60), 1..12),
        cuts in prop::collection::vec(1u8..40, 1..6),
        acks in any::<bool>(),
        isn in isns(),
        lost in prop::collection::vec(any::<prop::sample::Index>(), 1..5),
        step in prop_oneof![Just(MS / 10), Just(30 * MS)],
    ) {
        let said = speak(&messages, &cuts, acks);
        let needs = needs(&said);
        let mut sent = said;
        for l in lost {
            if sent.len() > 5 {
                // Not the handshake, and not the ends: what nobody follows up is not known to be lost.
                let i = 3 + l.index(sent.len() - 5);
                if sent[i].flags & 1 == 0 {
                    sent.remove(i);
                }
            }
        }
        let mut expected: [Vec<Option<u8>>; 2] = [vec![None; needs[0].len()], vec![None; needs[1].len()]];
        for s in &sent {
            for (i, b) in s.bytes.iter().enumerate() {
                expected[s.dir.index()][s.at as usize + i].get_or_insert(*b);
            }
        }
        let missing = expected.iter().flatten().filter(|b| b.is_none()).count() as u64;
        let mut rig = Rig::new(1 << 20);
        let streams = run(&mut rig, &sent, isn, step, &needs);
        prop_assert_eq!(&streams, &expected, "{:?}", rig.out.events);
        prop_assert_eq!(rig.out.counters.gap_bytes, missing);
    }

    #[test]
    fn nothing_adversarial_breaks_bounds(
        segments in prop::collection::vec(
            (any::<bool>(), any::<u8>(), prop_oneof![0u32..2000, any::<u32>()], prop_oneof![0u32..2000, any::<u32>()],
             0usize..3000, 0i64..10),
            1..400),
        budget in 0usize..40_000,
    ) {
        let mut rig = Rig::new(budget);
        let zeros = vec![0; 3000];
        for (from_a, flags, seq, ack, len, wait) in segments {
            let dir = if from_a { A } else { B };
            rig.at(rig.clock + wait * MS, dir, flags, seq, ack, &zeros[..len], (len * (1 + len % 2)) as u32);
            rig.out.events.clear();
        }
        rig.finish();
        prop_assert!(rig.tcp.deadline().is_none());
    }
}
