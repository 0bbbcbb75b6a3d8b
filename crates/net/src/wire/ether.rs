//! Ethernet II with IEEE 802.1Q and 802.1ad tags.
//!
//! ```text
//! 0 destination (6) | 6 source (6) | 12 ethertype (2), or 12 TPID (2) 14 TCI (2) 16 ethertype (2) ...
//! ```

use wirebeat_model::Frame;

use super::{Fault, Link, NotAPacket, Packet, above, be16};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// 802.1Q, 802.1ad, and the number that was used for double tags before 802.1ad.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// More tags than this are no VLAN that anyone runs.
const MAX_TAGS: usize = 4;

/// Decodes an Ethernet frame.
#[inline]
pub(super) fn decode<'a>(frame: &Frame<'a>) -> Result<Packet<'a>, NotAPacket> {
    let mut link = Link::new(frame);
    let Some((head, rest)) = frame.data.split_first_chunk::<14>() else {
        return Err(link.judge(Fault::Short));
    };
    link.macs = head.first_chunk();
    let ethertype = be16(head, 12);
    if is_ip(ethertype) { above(frame, rest, link) } else { after_tags(frame, ethertype, rest, link) }
}

fn is_ip(ethertype: u16) -> bool {
    ethertype == IPV4 || ethertype == IPV6
}

/// Decodes what follows an ethertype: VLAN tags, whose ids are noted, then IP.
///
/// A length instead of a type (IEEE 802.3 with LLC, SNAP) is something else than IP.
#[inline(never)]
pub(super) fn after_tags<'a>(
    frame: &Frame<'a>,
    mut ethertype: u16,
    mut rest: &'a [u8],
    mut link: Link<'a>,
) -> Result<Packet<'a>, NotAPacket> {
    for _ in 0..=MAX_TAGS {
        if is_ip(ethertype) {
            return above(frame, rest, link);
        }
        if !TAGS.contains(&ethertype) {
            return Err(NotAPacket::NotIp);
        }
        let Some((tag, after)) = rest.split_first_chunk::<4>() else { return Err(link.judge(Fault::Short)) };
        let id = be16(tag, 0) & 0xfff;
        // Id 0 only carries a priority.
        if let Some(free) = link.vlan.iter_mut().find(|v| **v == 0).filter(|_| id != 0) {
            *free = id;
        }
        ethertype = be16(tag, 2);
        rest = after;
    }
    Err(NotAPacket::NotIp)
}
