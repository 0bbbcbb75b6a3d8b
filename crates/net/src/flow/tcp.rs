//! TCP: segments to two ordered streams of bytes.

use wirebeat_model::{Budget, Counters, Dir, Time};

use super::Buffers;
use crate::Packet;
use crate::wire::TcpFlags;

/// One segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Which way it goes.
    pub dir: Dir,
    /// When it was captured.
    pub time: Time,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flags.
    pub flags: TcpFlags,
    /// Its data as far as captured.
    pub payload: &'a [u8],
    /// How long that is by the headers.
    pub payload_len: u32,
}

/// Where ordered bytes go. It brings the shard's budget and counters, so that a parser behind it can use them too.
pub trait Sink {
    /// The next bytes of a direction. `time` is that of the segment that brought them.
    fn data(&mut self, dir: Dir, bytes: &[u8], time: Time);
    /// `lost` bytes of a direction will never come.
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

/// Segments that wait.
#[derive(Default)]
pub(super) struct Held {}

/// The order of one connection, both directions.
#[derive(Default)]
pub struct Tcp {}

impl<'a> Segment<'a> {
    /// From a packet, if it is TCP. `dir` is the packet's in the flow's key.
    pub fn new(packet: &Packet<'a>, dir: Dir, time: Time) -> Option<Self> {
        let crate::L4::Tcp(tcp) = packet.l4 else { return None };
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

impl Tcp {
    /// Whether this segment begins another connection between the same endpoints: close this one and start anew.
    pub fn is_new_connection(&self, _dir: Dir, _seq: u32, _flags: TcpFlags) -> bool {
        false
    }

    /// Takes a segment. `clock` is the latest time of any packet so far.
    pub fn segment(&mut self, _seg: &Segment<'_>, _clock: Time, _buffers: &mut Buffers, _out: &mut impl Sink) {}

    /// When [`Tcp::poll`] wants to be called, if no segment comes before.
    pub fn deadline(&self) -> Option<Time> {
        None
    }

    /// Decides what waits for time.
    pub fn poll(&mut self, _clock: Time, _buffers: &mut Buffers, _out: &mut impl Sink) {}

    /// The flow ends: everything that waits is delivered, with its holes. Must be called, or the budget leaks.
    pub fn finish(&mut self, _clock: Time, _buffers: &mut Buffers, _out: &mut impl Sink) {}

    /// How far it has come.
    pub fn state(&self) -> TcpState {
        TcpState::Established
    }

    /// Whether both sides have ended or one has reset it: keep it some seconds for late segments, then drop it.
    pub fn is_over(&self) -> bool {
        false
    }

    /// Flags seen in a direction.
    pub fn flags(&self, _dir: Dir) -> TcpFlags {
        TcpFlags(0)
    }

    /// Segments of a direction whose data had all been seen.
    pub fn retransmits(&self, _dir: Dir) -> u32 {
        0
    }

    /// Segments of a direction that came late.
    pub fn out_of_order(&self, _dir: Dir) -> u32 {
        0
    }

    /// Holes in a direction, and bytes in them.
    pub fn gaps(&self, _dir: Dir) -> (u32, u64) {
        (0, 0)
    }

    /// From SYN to SYN-ACK (server and path), and to the ACK after it (the whole handshake), in nanoseconds.
    pub fn handshake(&self) -> (Option<u64>, Option<u64>) {
        (None, None)
    }

    /// The direction that sent the first SYN, where one was seen.
    pub fn opener(&self) -> Option<Dir> {
        None
    }
}
