//! Linux cooked captures (`LINKTYPE_LINUX_SLL`, `LINKTYPE_LINUX_SLL2`; tcpdump.org/linktypes).
//!
//! ```text
//! v1: 0 packet type (2) | 2 ARPHRD (2) | 4 address length (2) | 6 address (8) | 14 protocol (2)
//! v2: 0 protocol (2) | 2 zero (2) | 4 interface (4) | 8 ARPHRD (2) | 10 packet type (1) | 11 address length (1) | 12 address (8)
//! ```
//!
//! Only the sender's hardware address is there, so neither is told.

use wirebeat_model::Frame;

use super::{Fault, Link, NotAPacket, Packet, be16, be32, ether};

/// Decodes a cooked frame, version 1.
pub(super) fn decode<'a>(frame: &Frame<'a>) -> Result<Packet<'a>, NotAPacket> {
    let link = Link::new(frame);
    let (head, rest) = frame.data.split_first_chunk::<16>().ok_or(link.judge(Fault::Short))?;
    ether::after_tags(frame, be16(head, 14), rest, link)
}

/// Decodes a cooked frame, version 2, which says on which interface it was.
pub(super) fn decode2<'a>(frame: &Frame<'a>) -> Result<Packet<'a>, NotAPacket> {
    let link = Link::new(frame);
    let (head, rest) = frame.data.split_first_chunk::<20>().ok_or(link.judge(Fault::Short))?;
    ether::after_tags(frame, be16(head, 0), rest, Link { device: be32(head, 4), ..link })
}
