//! From the bytes of a frame to who talks to whom, and about what.
//!
//! One file per header: where its fields are, one check of its length, then accessors that cannot fail.

mod ether;
mod icmp;
mod ip;
mod ipv4;
mod ipv6;
mod null;
mod sll;
pub mod tcp;
mod udp;

use wirebeat_model::{Counters, Dir, FlowKey, Frame, LinkType};

pub use tcp::{TcpFlags, TcpHeader, TcpOptions};

/// IP in IP is followed this deep; what is deeper is not a packet of anyone's.
const MAX_NESTING: u8 = 4;

/// Why a frame is not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAPacket {
    /// Something other than IP: ARP, LLC, LLDP and so on.
    NotIp,
    /// A link type that is not decoded.
    UnknownLink,
    /// Its headers contradict themselves.
    Malformed,
    /// It was captured too short to hold its headers.
    Truncated,
}

impl NotAPacket {
    /// Counts it under its name.
    pub fn count(self, counters: &mut Counters) {
        match self {
            Self::NotIp => counters.not_ip += 1,
            Self::UnknownLink => counters.unknown_link += 1,
            Self::Malformed => counters.malformed += 1,
            Self::Truncated => counters.truncated += 1,
        }
    }
}

/// What a header check answers: its bytes are not all there, or they contradict themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The bytes end before the header does.
    Short,
    /// The header contradicts itself.
    Bad,
}

/// What is inside IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum L4<'a> {
    /// A TCP segment; its data is [`Packet::payload`].
    Tcp(TcpHeader<'a>),
    /// A UDP datagram; its data is [`Packet::payload`].
    Udp,
    /// An ICMP or ICMPv6 message ([`FlowKey::transport`] tells); [`Packet::payload`] is the whole message.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
    },
    /// Anything else, SCTP and fragments too; [`Packet::payload`] is all that IP carries.
    Other,
}

/// That a packet is one fragment of a datagram (RFC 791 section 3.2, RFC 8200 section 4.5).
///
/// Its key has no ports, its payload is the fragment's data. IPv6 fragments that are whole (RFC 6946) are not fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The datagram's identification: 16 bits in IPv4, 32 in IPv6.
    pub id: u32,
    /// Where its data belongs, in bytes.
    pub offset: u32,
    /// Whether more fragments follow.
    pub more: bool,
}

/// One packet: a frame understood down to its transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The flow, innermost addresses.
    pub key: FlowKey,
    /// Which way it goes.
    pub dir: Dir,
    /// Its transport header.
    pub l4: L4<'a>,
    /// What the transport carries, as far as it was captured.
    pub payload: &'a [u8],
    /// How long that is by the headers; more than `payload.len()` when the frame was cut.
    pub payload_len: u32,
    /// VLAN ids, outermost first, 0 where there is none.
    pub vlan: [u16; 2],
    /// Hardware addresses of sender and receiver, where the link layer has both.
    pub mac: Option<([u8; 6], [u8; 6])>,
    /// Identification of the (innermost) IPv4 header.
    pub ip_id: Option<u16>,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Set when it is one fragment of a datagram.
    pub fragment: Option<Fragment>,
    /// The frame's length on the wire.
    pub wire_len: u32,
    /// The device: the frame's, or the one that a cooked header (v2) names.
    pub device: u32,
}

impl Packet<'_> {
    /// Whether the end of it was not captured.
    pub fn is_cut(&self) -> bool {
        (self.payload.len() as u64) < u64::from(self.payload_len)
    }
}

/// What the link layer said.
#[derive(Clone, Copy)]
struct Link<'a> {
    vlan: [u16; 2],
    /// An Ethernet header's receiver and sender. Twelve loose bytes would be copied slowly.
    macs: Option<&'a [u8; 12]>,
    device: u32,
    wire_len: u32,
    /// Whether the frame was captured shorter than it was.
    cut: bool,
}

impl<'a> Link<'a> {
    fn new(frame: &Frame<'a>) -> Self {
        Self {
            vlan: [frame.vlan.unwrap_or(0) & 0xfff, 0],
            macs: None,
            device: frame.device,
            wire_len: frame.wire_len,
            cut: frame.data.len() < frame.wire_len as usize,
        }
    }

    /// A header that ends outside a whole frame is the sender's fault, outside a cut one it is the capture's.
    #[cold]
    fn judge(&self, fault: Fault) -> NotAPacket {
        match fault {
            Fault::Short if self.cut => NotAPacket::Truncated,
            _ => NotAPacket::Malformed,
        }
    }
}

/// Decodes a frame.
///
/// ```
/// use wirebeat_model::{Frame, LinkType, Time, Transport};
/// use wirebeat_net::{L4, decode};
/// let data = [
///     0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, // IPv4
///     0x30, 0x39, 0, 53, 0, 12, 0, 0, // UDP 12345 -> 53
///     1, 2, 3, 4,
/// ];
/// let frame = Frame { time: Time(0), link: LinkType::Raw, device: 0, wire_len: 32, vlan: None, data: &data };
/// let packet = decode(&frame).unwrap();
/// assert_eq!((packet.key.transport(), packet.key.receiver(packet.dir).port), (Transport::UDP, 53));
/// assert_eq!((packet.l4, packet.payload), (L4::Udp, &[1, 2, 3, 4][..]));
/// ```
#[inline]
pub fn decode<'a>(frame: &Frame<'a>) -> Result<Packet<'a>, NotAPacket> {
    // A packet is some 170 bytes: it is made once, at the innermost place, and never copied. Hence no `?` on the way.
    match frame.link {
        LinkType::Ethernet => ether::decode(frame),
        LinkType::Raw => above(frame, frame.data, Link::new(frame)),
        LinkType::Null | LinkType::Loop => null::decode(frame),
        LinkType::LinuxSll => sll::decode(frame),
        LinkType::LinuxSll2 => sll::decode2(frame),
        LinkType::Other(_) => Err(NotAPacket::UnknownLink),
    }
}

/// Decodes what is above the link layer.
#[inline]
fn above<'a>(frame: &Frame<'a>, bytes: &'a [u8], link: Link<'a>) -> Result<Packet<'a>, NotAPacket> {
    // What was on the wire after the link header: offload can leave lengths of 0, then this is the packet's length.
    let on_wire = (frame.wire_len as usize).max(frame.data.len()) - (frame.data.len() - bytes.len());
    ip::packet(bytes, on_wire, &link, 0)
}

/// Two bytes in network order. `at` is a constant within `N`: no check remains in the code.
#[inline(always)]
fn be16<const N: usize>(head: &[u8; N], at: usize) -> u16 {
    u16::from_be_bytes([head[at], head[at + 1]])
}

/// Four bytes in network order, as [`be16`].
#[inline(always)]
fn be32<const N: usize>(head: &[u8; N], at: usize) -> u32 {
    u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
}
