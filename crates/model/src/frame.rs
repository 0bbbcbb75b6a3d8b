//! What a capture source hands on: one frame, borrowed.

use crate::Time;

/// How the first byte of a frame is to be read (`LINKTYPE_` values of the pcap format, tcpdump.org/linktypes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkType {
    /// IEEE 802.3 Ethernet (1).
    Ethernet,
    /// BSD loopback (0): address family in the capturing host's byte order, then the packet.
    Null,
    /// OpenBSD loopback (108): address family in network byte order.
    Loop,
    /// Raw IPv4 or IPv6, told apart by the version nibble (101, and 12/14 in old files; 228 and 229).
    Raw,
    /// Linux "cooked" v1, from the `any` device (113).
    LinuxSll,
    /// Linux "cooked" v2 (276).
    LinuxSll2,
    /// Anything else, by its number: frames are counted and not decoded.
    Other(u32),
}

impl LinkType {
    /// From the number in a capture file.
    pub fn from_number(n: u32) -> Self {
        match n {
            0 => Self::Null,
            1 => Self::Ethernet,
            12 | 14 | 101 | 228 | 229 => Self::Raw,
            108 => Self::Loop,
            113 => Self::LinuxSll,
            276 => Self::LinuxSll2,
            other => Self::Other(other),
        }
    }
}

/// One captured frame. The bytes belong to the ring block or file buffer and are valid until it goes back.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When the capture point saw it.
    pub time: Time,
    /// How to read [`Frame::data`].
    pub link: LinkType,
    /// Which device: the interface index live, the interface number of a pcapng section plus one, 0 if unknown.
    pub device: u32,
    /// Length on the wire in bytes, at least `data.len()` unless the file lies.
    pub wire_len: u32,
    /// 802.1Q tag control information that the kernel took out of the frame, with its TPID's meaning lost.
    pub vlan: Option<u16>,
    /// Captured bytes, possibly fewer than were on the wire.
    pub data: &'a [u8],
}
