//! IPv6 and its extension headers (RFC 8200 sections 3 and 4, RFC 4302, RFC 2675).
//!
//! ```text
//! 0 version, class, flow label (4) | 4 payload length (2) | 6 next header | 7 hop limit | 8 source (16) | 24 destination (16)
//! ```

use super::{Fault, Fragment, be16, be32};

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT: u8 = 59;
const DESTINATION: u8 = 60;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// Extension headers followed at most. Each is at least 8 bytes, so the walk is short anyway; more are an attack.
const MAX_EXTENSIONS: usize = 16;
/// An Ethernet frame is padded to 60 bytes: so many can follow a bare IPv6 header.
const PADDING: usize = 6;

/// A checked header.
pub(super) struct Ipv6<'a> {
    head: &'a [u8; 40],
    /// What follows the fixed header, padding removed, as far as captured.
    pub(super) payload: &'a [u8],
    /// How long that is by the header.
    pub(super) payload_len: u32,
}

impl<'a> Ipv6<'a> {
    /// Checks `bytes`, of which `on_wire` were on the wire.
    #[inline]
    pub(super) fn check(bytes: &'a [u8], on_wire: usize) -> Result<Self, Fault> {
        let (head, payload) = bytes.split_first_chunk::<40>().ok_or(Fault::Short)?;
        if head[0] >> 4 != 6 {
            return Err(Fault::Bad);
        }
        let payload_len = match u32::from(be16(head, 4)) {
            // A jumbogram, big TCP or segmentation offload: the frame's length counts.
            0 if head[6] != NO_NEXT && on_wire > 40 + PADDING => (on_wire - 40) as u32,
            n => n,
        };
        Ok(Self { head, payload: &payload[..payload.len().min(payload_len as usize)], payload_len })
    }

    pub(super) fn next_header(&self) -> u8 {
        self.head[6]
    }

    pub(super) fn hop_limit(&self) -> u8 {
        self.head[7]
    }

    pub(super) fn source(&self) -> [u8; 16] {
        *self.head[8..].first_chunk().unwrap_or(&[0; 16])
    }

    pub(super) fn destination(&self) -> [u8; 16] {
        *self.head[24..].first_chunk().unwrap_or(&[0; 16])
    }
}

/// What comes after the extension headers.
pub(super) struct Inside<'a> {
    pub(super) next: u8,
    pub(super) payload: &'a [u8],
    pub(super) payload_len: u32,
    pub(super) fragment: Option<Fragment>,
}

/// Steps over extension headers, up to a fragment: what follows that header makes sense only when reassembled.
///
/// The authentication header is stepped over in IPv4 too.
#[inline]
pub(super) fn extensions(next: u8, payload: &[u8], payload_len: u32, v6: bool) -> Result<Inside<'_>, Fault> {
    let mut at = Inside { next, payload, payload_len, fragment: None };
    for _ in 0..MAX_EXTENSIONS {
        let known = match at.next {
            HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION | HIP | SHIM6 => v6,
            AUTHENTICATION => true,
            _ => false,
        };
        if !known {
            return Ok(at);
        }
        let (head, _) = at.payload.split_first_chunk::<8>().ok_or(Fault::Short)?;
        let len = match at.next {
            FRAGMENT => 8,
            AUTHENTICATION => (u32::from(head[1]) + 2) * 4,
            _ => (u32::from(head[1]) + 1) * 8,
        };
        if len > at.payload_len || len < 8 {
            return Err(Fault::Bad);
        }
        if at.next == FRAGMENT {
            let offset_flags = be16(head, 2);
            let fragment = Fragment {
                id: be32(head, 4),
                offset: u32::from(offset_flags & 0xfff8),
                more: offset_flags & 1 != 0,
            };
            // RFC 6946: alone, it is as if the header were not there.
            at.fragment = (fragment.offset != 0 || fragment.more).then_some(fragment);
        }
        at.next = head[0];
        at.payload = at.payload.get(len as usize..).ok_or(Fault::Short)?;
        at.payload_len -= len;
        if at.fragment.is_some() {
            return Ok(at);
        }
    }
    Err(Fault::Bad)
}
