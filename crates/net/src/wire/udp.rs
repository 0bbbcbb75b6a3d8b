//! UDP (RFC 768).
//!
//! ```text
//! 0 source port (2) | 2 destination port (2) | 4 length with this header (2) | 6 checksum (2)
//! ```

use super::{Fault, be16};

/// A checked header.
pub(super) struct Udp<'a> {
    head: &'a [u8; 8],
    /// Its data as far as captured.
    pub(super) payload: &'a [u8],
    /// How long that is by the headers.
    pub(super) payload_len: u32,
}

impl<'a> Udp<'a> {
    /// Checks what IP carries, `len` bytes by IP's header.
    ///
    /// Length 0 means a jumbogram (RFC 2675 section 4) or offload: all that IP carries. A length beyond that of IP is
    /// held to IP's.
    #[inline]
    pub(super) fn check(bytes: &'a [u8], len: u32) -> Result<Self, Fault> {
        let (head, payload) = bytes.split_first_chunk::<8>().ok_or(Fault::Short)?;
        let room = len.checked_sub(8).ok_or(Fault::Bad)?;
        let payload_len = match u32::from(be16(head, 4)) {
            0 => room,
            n => n.checked_sub(8).ok_or(Fault::Bad)?.min(room),
        };
        Ok(Self { head, payload: &payload[..payload.len().min(payload_len as usize)], payload_len })
    }

    /// Source and destination port.
    pub(super) fn ports(&self) -> (u16, u16) {
        (be16(self.head, 0), be16(self.head, 2))
    }
}
