//! Ethernet II with IEEE 802.1Q and 802.1ad tags.
//!
//! ```text
//! 0 destination (6) | 6 source (6) | 12 ethertype (2), or 12 TPID (2) 14 TCI (2) 16 ethertype (2) ...
//! ```

use wirebeat_model::Frame;

use super::{Fault, Link, be16};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// 802.1Q, 802.1ad, and the number that was used for double tags before 802.1ad.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// More tags than this are no VLAN that anyone runs.
const MAX_TAGS: usize = 4;

/// The link layer of an Ethernet frame; `None` when it carries something other than IP.
#[inline]
pub(super) fn link<'a>(frame: &Frame<'a>) -> Result<Option<Link<'a>>, Fault> {
    let (head, rest) = frame.data.split_first_chunk::<14>().ok_or(Fault::Short)?;
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, ..] = *head;
    let mac = Some(([s0, s1, s2, s3, s4, s5], [d0, d1, d2, d3, d4, d5]));
    let mut vlan = super::tag(frame.vlan);
    let ethertype = be16(head, 12);
    let bytes = if is_ip(ethertype) { Some(rest) } else { after_tags(ethertype, rest, &mut vlan)? };
    Ok(bytes.map(|bytes| Link { bytes, vlan, mac, device: frame.device }))
}

fn is_ip(ethertype: u16) -> bool {
    ethertype == IPV4 || ethertype == IPV6
}

/// Steps over VLAN tags, noting their ids; the bytes of IP, or `None` when something else follows.
///
/// A length instead of a type (IEEE 802.3 with LLC, SNAP) is something else.
pub(super) fn after_tags<'a>(
    mut ethertype: u16,
    mut rest: &'a [u8],
    vlan: &mut [u16; 2],
) -> Result<Option<&'a [u8]>, Fault> {
    for _ in 0..=MAX_TAGS {
        if is_ip(ethertype) {
            return Ok(Some(rest));
        }
        if !TAGS.contains(&ethertype) {
            return Ok(None);
        }
        let (tag, after) = rest.split_first_chunk::<4>().ok_or(Fault::Short)?;
        let id = be16(tag, 0) & 0xfff;
        // Id 0 only carries a priority.
        if let Some(free) = vlan.iter_mut().find(|v| **v == 0).filter(|_| id != 0) {
            *free = id;
        }
        ethertype = be16(tag, 2);
        rest = after;
    }
    Ok(None)
}
