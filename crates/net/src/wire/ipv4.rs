//! IPv4 (RFC 791 section 3.1).
//!
//! ```text
//! 0 version, header length | 1 TOS | 2 total length (2) | 4 id (2) | 6 flags, fragment offset (2)
//! 8 TTL | 9 protocol | 10 checksum (2) | 12 source (4) | 16 destination (4) | 20 options
//! ```
//!
//! Checksums are not looked at: offload leaves them unset on everything a host sends.

use super::{Fault, be16};

/// A checked header.
pub(super) struct Ipv4<'a> {
    head: &'a [u8; 20],
    /// What follows the header and its options, padding removed, as far as captured.
    pub(super) payload: &'a [u8],
    /// How long that is by the header.
    pub(super) payload_len: u32,
}

impl<'a> Ipv4<'a> {
    /// Checks `bytes`, of which `on_wire` were on the wire.
    #[inline]
    pub(super) fn check(bytes: &'a [u8], on_wire: usize) -> Result<Self, Fault> {
        let (head, _) = bytes.split_first_chunk::<20>().ok_or(Fault::Short)?;
        let header_len = usize::from(head[0] & 0x0f) * 4;
        let total = match usize::from(be16(head, 2)) {
            // Segmentation offload, and big TCP beyond 64 KiB, leave it 0: the frame's length counts then.
            0 => on_wire,
            n => n,
        };
        if head[0] >> 4 != 4 || header_len < 20 || total < header_len {
            return Err(Fault::Bad);
        }
        let payload = bytes.get(header_len..).ok_or(Fault::Short)?;
        let payload_len = total - header_len;
        Ok(Self {
            head,
            payload: &payload[..payload.len().min(payload_len)],
            payload_len: payload_len as u32,
        })
    }

    pub(super) fn id(&self) -> u16 {
        be16(self.head, 4)
    }

    pub(super) fn more_fragments(&self) -> bool {
        self.head[6] & 0x20 != 0
    }

    /// In bytes.
    pub(super) fn fragment_offset(&self) -> u32 {
        u32::from(be16(self.head, 6) & 0x1fff) * 8
    }

    pub(super) fn ttl(&self) -> u8 {
        self.head[8]
    }

    pub(super) fn protocol(&self) -> u8 {
        self.head[9]
    }

    pub(super) fn source(&self) -> [u8; 4] {
        [self.head[12], self.head[13], self.head[14], self.head[15]]
    }

    pub(super) fn destination(&self) -> [u8; 4] {
        [self.head[16], self.head[17], self.head[18], self.head[19]]
    }
}
