//! BSD loopback: four bytes of address family, in the host's or network byte order.

use wirebeat_model::Frame;

use super::{Fault, Link, be32};

/// AF_INET everywhere; AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, Darwin.
const FAMILIES: [u32; 6] = [2, 10, 23, 24, 28, 30];

/// The link layer of a loopback frame. Files of both kinds come in both byte orders, so both are tried.
pub(super) fn link<'a>(frame: &Frame<'a>) -> Result<Option<Link<'a>>, Fault> {
    let (head, bytes) = frame.data.split_first_chunk::<4>().ok_or(Fault::Short)?;
    let family = be32(head, 0);
    let known = FAMILIES.contains(&family) || FAMILIES.contains(&family.swap_bytes());
    Ok(known.then_some(Link { bytes, vlan: super::tag(frame.vlan), mac: None, device: frame.device }))
}
