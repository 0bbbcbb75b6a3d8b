//! TCP: segments to two ordered streams of bytes (RFC 9293).
//!
//! Seen from beside the path, not from its end: segments come late, twice, or never, and the two directions may have
//! been captured by different queues, so an acknowledgement can come before what it acknowledges. The rules:
//!
//! - Bytes in order go on without a copy. Out of order they wait in borrowed buffers, bounded per connection and in all.
//! - Who comes first wins: bytes once seen are never replaced by a later segment's.
//! - **Causal order**: data that acknowledges bytes of the other direction waits until those were delivered.
//! - **A gap is final** when the peer acknowledges bytes never seen and 20 ms of packet time or three more segments of the
//!   connection have passed since, or since the hole last shrank from its front. What its sender sent before the missing
//!   bytes does not count: they are still to come. A hole that nobody acknowledges is final when what waits behind it outgrows its bounds, and
//!   at the end.
//! - **Beginning not seen**: a direction begins where the peer's first acknowledgement says; else what comes first waits
//!   (as long as for a gap) and the smallest sequence number begins.

mod gaps;
mod held;
mod order;

use wirebeat_model::{Budget, Counters, Dir, Time};

use super::Buffers;
use crate::wire::TcpFlags;
use crate::{L4, Packet};

pub(super) use held::Held;

/// One segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Which way it goes.
    pub dir: Dir,
    /// When it was captured.
    pub time: Time,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number; counts when the flag is set.
    pub ack: u32,
    /// Flags.
    pub flags: TcpFlags,
    /// Its data as far as captured.
    pub payload: &'a [u8],
    /// How long that is by the headers.
    pub payload_len: u32,
}

impl<'a> Segment<'a> {
    /// From a packet, if it is TCP. `dir` is the packet's direction in the flow's key.
    #[inline]
    pub fn new(packet: &Packet<'a>, dir: Dir, time: Time) -> Option<Self> {
        let L4::Tcp(tcp) = packet.l4 else { return None };
        Some(Self {
            dir,
            time,
            seq: tcp.seq,
            ack: tcp.ack,
            flags: tcp.flags,
            payload: packet.payload,
            payload_len: packet.payload_len,
        })
    }
}

/// Where ordered bytes go. It brings the shard's budget and counters, so that a parser behind it can use them too.
pub trait Sink {
    /// The next bytes of a direction. `time` is that of the segment that brought them.
    fn data(&mut self, dir: Dir, bytes: &[u8], time: Time);
    /// `lost` bytes of a direction will never come; 0 when it is not known how many.
    fn gap(&mut self, dir: Dir, lost: u64, time: Time);
    /// A direction has ended: its FIN was reached in order.
    fn end(&mut self, dir: Dir, time: Time);
    /// `dir` reset the connection. Bytes in flight may still come.
    fn reset(&mut self, dir: Dir, time: Time);
    /// What waiting bytes are borrowed from.
    fn budget(&mut self) -> &mut Budget;
    /// Where retransmissions, gaps and so on are counted.
    fn counters(&mut self) -> &mut Counters;
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpState {
    /// A SYN, no answer.
    SynSent,
    /// A SYN and its SYN-ACK.
    SynReceived,
    /// Data may flow; connections whose beginning was not seen too.
    Established,
    /// One side has ended.
    Closing,
    /// Both sides have ended.
    Closed,
    /// One side has reset it.
    Reset,
}

impl TcpState {
    /// As flow records say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SynSent => "syn_sent",
            Self::SynReceived => "syn_received",
            Self::Established => "established",
            Self::Closing => "closing",
            Self::Closed => "closed",
            Self::Reset => "reset",
        }
    }
}

/// `half.bits`: where the direction begins is settled, `next` is the next byte.
const FIRM: u8 = 1;
/// Not settled, but the peer's acknowledgement suggests `next`.
const TOLD: u8 = 1 << 1;
/// `acked` holds.
const ACKED: u8 = 1 << 2;
/// Its FIN was reached.
const ENDED: u8 = 1 << 3;
/// Bytes were delivered.
const STARTED: u8 = 1 << 4;
/// A segment was seen.
const SEEN: u8 = 1 << 5;
/// The peer's acknowledgements were waited for once, and nothing ever came: only one side is captured.
const ABSENT: u8 = 1 << 6;
/// `stray` holds.
const STRAY: u8 = 1 << 7;

/// `tcp.bits`: the first SYN went from b to a.
const OPENER_B: u8 = 1;
/// Who sent the first SYN is known.
const OPENER: u8 = 1 << 1;
/// The SYN-ACK was seen, the ACK to it was not.
const HALF_OPEN: u8 = 1 << 2;
/// Reset.
const RESET: u8 = 1 << 3;
/// Who sent the first SYN had acknowledged something before it was known: that may have been the handshake's last ACK.
const JOINED: u8 = 1 << 4;

/// Windows are at most 2^30 (RFC 7323 section 2.3): what is further away does not belong to this connection's present.
const FAR: u32 = 1 << 30;
/// A reset must be this near to be believed. Windows are not tracked, most are smaller.
const RESET_AHEAD: i32 = 1 << 20;
/// Resets may answer a segment that was sent a while ago.
const RESET_BEHIND: i32 = -(1 << 16);

const DIRS: [Dir; 2] = [Dir::AtoB, Dir::BtoA];

/// One direction.
#[derive(Clone, Copy, Debug, Default)]
struct Half {
    /// The next byte to deliver.
    next: u32,
    /// Initial sequence number, when `flags` has SYN.
    isn: u32,
    /// What the peer acknowledged.
    acked: u32,
    /// Where a segment far from here ended.
    stray: u32,
    retransmits: u32,
    late: u32,
    gaps: u32,
    flags: TcpFlags,
    bits: u8,
    lost: u64,
}

impl Half {
    fn is(&self, bits: u8) -> bool {
        self.bits & bits == bits
    }
}

/// The order of one connection, both directions.
///
/// [`Tcp::finish`] must be called at the end: what waits is borrowed from the budget.
pub struct Tcp {
    half: [Half; 2],
    held: Option<Box<Held>>,
    /// First SYN, first SYN-ACK, the opener's first ACK; `Time::MIN` where not seen.
    syn: Time,
    syn_ack: Time,
    first_ack: Time,
    /// What that acknowledged.
    first_acked: u32,
    bits: u8,
}

impl Default for Tcp {
    fn default() -> Self {
        let unseen = Time::MIN;
        Self {
            half: [Half::default(); 2],
            held: None,
            syn: unseen,
            syn_ack: unseen,
            first_ack: unseen,
            first_acked: 0,
            bits: 0,
        }
    }
}

/// Whether `a` comes after `b` (RFC 9293 section 3.4: numbers wrap).
#[inline]
fn after(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) as i32 > 0
}

/// Whether `a` has reached `b`.
#[inline]
fn reached(a: u32, b: u32) -> bool {
    !after(b, a)
}

impl Tcp {
    /// Takes a segment. `clock` is the latest time of any packet so far; it never goes back.
    #[inline]
    pub fn segment(&mut self, seg: &Segment<'_>, clock: Time, buffers: &mut Buffers, out: &mut impl Sink) {
        const PLAIN: TcpFlags =
            TcpFlags(TcpFlags::FIN.0 | TcpFlags::SYN.0 | TcpFlags::RST.0 | TcpFlags::ACK.0);
        let [a, b] = &mut self.half;
        let (half, other) = match seg.dir {
            Dir::AtoB => (a, b),
            Dir::BtoA => (b, a),
        };
        // In order, nothing waits, nothing to decide: almost every segment.
        if self.held.is_none()
            && seg.flags.0 & PLAIN.0 == TcpFlags::ACK.0
            && self.bits & HALF_OPEN == 0
            && half.bits & (FIRM | SEEN | ENDED) == FIRM | SEEN
            && other.bits & (FIRM | ACKED) == FIRM | ACKED
            && seg.seq == half.next
            && reached(other.next, seg.ack)
            && seg.payload.len() == seg.payload_len as usize
        {
            half.flags |= seg.flags;
            if after(seg.ack, other.acked) {
                other.acked = seg.ack;
            }
            if !seg.payload.is_empty() {
                half.next = half.next.wrapping_add(seg.payload_len);
                half.bits |= STARTED;
                out.data(seg.dir, seg.payload, seg.time);
            } else if half.bits & STARTED == 0 {
                self.complete(seg);
            }
            return;
        }
        self.slow(seg, clock, buffers, out);
    }

    /// Whether this segment begins another connection between the same endpoints: close this one and start anew.
    ///
    /// A SYN with another initial sequence number does; the same number is a retransmission or an old duplicate. Where
    /// this direction's SYN was not seen, one that fits what came after it does not.
    pub fn is_new_connection(&self, dir: Dir, seq: u32, flags: TcpFlags) -> bool {
        let half = &self.half[dir.index()];
        if !flags.any(TcpFlags::SYN) {
            return false;
        }
        if half.flags.any(TcpFlags::SYN) {
            return half.isn != seq;
        }
        if self.is_over() && half.is(SEEN) {
            return true;
        }
        let first = seq.wrapping_add(1);
        let low = self.held.as_ref().and_then(|h| h.head(dir)).map(|h| h.seq);
        if low == Some(first) {
            return false;
        }
        match half.bits & (FIRM | TOLD) {
            0 => low.is_some(),
            // Late, after data that followed it: near below what was delivered.
            _ => half.next.wrapping_sub(first) > 0xffff,
        }
    }

    /// When [`Tcp::poll`] wants to be called, if no segment comes before.
    pub fn deadline(&self) -> Option<Time> {
        let held = self.held.as_ref()?;
        held.gaps.iter().chain([&held.start]).flatten().map(held::Wait::deadline).min()
    }

    /// How far it has come.
    pub fn state(&self) -> TcpState {
        let [a, b] = &self.half;
        let seen = a.flags | b.flags;
        if self.bits & RESET != 0 {
            TcpState::Reset
        } else if a.is(ENDED) && b.is(ENDED) {
            TcpState::Closed
        } else if seen.any(TcpFlags::FIN) {
            TcpState::Closing
        } else if seen.any(TcpFlags::SYN) && !seen.any(TcpFlags::ACK) {
            TcpState::SynSent
        } else if self.bits & HALF_OPEN != 0 {
            TcpState::SynReceived
        } else {
            TcpState::Established
        }
    }

    /// Whether both sides have ended and know of it, or one has reset it: keep it some seconds for late segments, then
    /// drop it. (A FIN that is not acknowledged is sent again for minutes.)
    pub fn is_over(&self) -> bool {
        let ended = |h: &Half| h.is(ENDED) && h.is(ACKED) && !after(h.next, h.acked);
        self.bits & RESET != 0 || self.half.iter().all(ended)
    }

    /// Flags seen in a direction.
    pub fn flags(&self, dir: Dir) -> TcpFlags {
        self.half[dir.index()].flags
    }

    /// Segments of a direction whose data had all been seen.
    pub fn retransmits(&self, dir: Dir) -> u32 {
        self.half[dir.index()].retransmits
    }

    /// Segments of a direction that came late, after one that follows them.
    pub fn out_of_order(&self, dir: Dir) -> u32 {
        self.half[dir.index()].late
    }

    /// Holes in a direction, and bytes in them.
    pub fn gaps(&self, dir: Dir) -> (u32, u64) {
        let half = &self.half[dir.index()];
        (half.gaps, half.lost)
    }

    /// Nanoseconds from the first SYN to the SYN-ACK (path and server), and to the ACK of it (the whole handshake),
    /// however the three were swapped on their way here. Nothing where one was not seen or the times are in another
    /// order.
    pub fn handshake(&self) -> (Option<u64>, Option<u64>) {
        if self.syn == Time::MIN || self.syn_ack < self.syn {
            return (None, None);
        }
        let isn = self.opener().map(|opener| self.half[opener.flip().index()].isn);
        let whole = self.bits & JOINED == 0
            && self.first_ack >= self.syn_ack
            && isn.is_some_and(|isn| self.first_acked == isn.wrapping_add(1));
        (Some(self.syn_ack.since(self.syn)), whole.then(|| self.first_ack.since(self.syn)))
    }

    /// The direction that sent the first SYN, where that is known.
    pub fn opener(&self) -> Option<Dir> {
        match self.bits & (OPENER | OPENER_B) {
            OPENER => Some(Dir::AtoB),
            0 | OPENER_B => None,
            _ => Some(Dir::BtoA),
        }
    }
}
