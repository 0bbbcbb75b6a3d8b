//! BSD loopback: four bytes of address family, in the host's or network byte order.

use wirebeat_model::Frame;

use super::{Fault, Link, NotAPacket, Packet, above, be32};

/// AF_INET everywhere; AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, Darwin.
const FAMILIES: [u32; 6] = [2, 10, 23, 24, 28, 30];

/// Decodes a loopback frame. Files of both kinds come in both byte orders, so both are tried.
pub(super) fn decode<'a>(frame: &Frame<'a>) -> Result<Packet<'a>, NotAPacket> {
    let link = Link::new(frame);
    let (head, bytes) = frame.data.split_first_chunk::<4>().ok_or(link.judge(Fault::Short))?;
    let family = be32(head, 0);
    if FAMILIES.contains(&family) || FAMILIES.contains(&family.swap_bytes()) {
        above(frame, bytes, link)
    } else {
        Err(NotAPacket::NotIp)
    }
}
