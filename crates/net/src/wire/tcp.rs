//! TCP (RFC 9293 section 3.1).
//!
//! ```text
//! 0 source port (2) | 2 destination port (2) | 4 sequence (4) | 8 acknowledgement (4)
//! 12 data offset (4 bits), reserved | 13 flags | 14 window (2) | 16 checksum (2) | 18 urgent (2) | 20 options
//! ```

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use super::{Fault, be16, be32};

/// The flags of a segment, or those seen so far.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement number counts.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer counts.
    pub const URG: Self = Self(0x20);
    /// Congestion echo (RFC 3168).
    pub const ECE: Self = Self(0x40);
    /// Congestion window reduced (RFC 3168).
    pub const CWR: Self = Self(0x80);

    /// Whether any of `flags` is set.
    pub fn any(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// Whether all of `flags` are set.
    pub fn all(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl BitOr for TcpFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for TcpFlags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LETTERS: &[u8; 8] = b"FSRPAUEC";
        for (bit, letter) in LETTERS.iter().enumerate() {
            if self.0 >> bit & 1 != 0 {
                write!(f, "{}", char::from(*letter))?;
            }
        }
        Ok(())
    }
}

/// A checked header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpHeader<'a> {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number; counts when the flag is set.
    pub ack: u32,
    /// Flags.
    pub flags: TcpFlags,
    /// Window, not scaled.
    pub window: u16,
    /// The header with its options, as far as captured, at least 20 bytes.
    pub header: &'a [u8],
}

/// The options that tell something about a connection; `None` where they were not sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpOptions {
    /// Largest segment (RFC 9293 section 3.7.1).
    pub mss: Option<u16>,
    /// Window scale (RFC 7323 section 2).
    pub window_scale: Option<u8>,
    /// SACK permitted (RFC 2018 section 2).
    pub sack_permitted: bool,
    /// Timestamp value and echo (RFC 7323 section 3).
    pub timestamps: Option<(u32, u32)>,
}

impl<'a> TcpHeader<'a> {
    /// Checks what IP carries, `len` bytes by IP's header.
    #[inline]
    pub(super) fn check(bytes: &'a [u8], len: u32) -> Result<Self, Fault> {
        let head = bytes.first_chunk::<20>().ok_or(Fault::Short)?;
        let header_len = u32::from(head[12] >> 4) * 4;
        if header_len < 20 || header_len > len {
            return Err(Fault::Bad);
        }
        Ok(Self {
            seq: be32(head, 4),
            ack: be32(head, 8),
            flags: TcpFlags(head[13]),
            window: be16(head, 14),
            header: &bytes[..bytes.len().min(header_len as usize)],
        })
    }

    /// Source and destination port.
    #[inline]
    pub(super) fn ports(&self) -> (u16, u16) {
        let head = self.header.first_chunk::<4>().unwrap_or(&[0; 4]);
        (be16(head, 0), be16(head, 2))
    }

    /// By the data offset: at least 20, at most 60.
    #[inline]
    pub(super) fn header_len(&self) -> u32 {
        self.header.get(12).map_or(20, |b| u32::from(b >> 4) * 4)
    }

    /// Reads the options. What follows a malformed one is not read.
    pub fn options(&self) -> TcpOptions {
        let mut out = TcpOptions::default();
        let mut rest = self.header.get(20..).unwrap_or_default();
        loop {
            let (kind, body) = match rest {
                [] | [0, ..] => return out,
                [1, after @ ..] => {
                    rest = after;
                    continue;
                }
                [kind, len, after @ ..] => match after.split_at_checked(usize::from(*len).wrapping_sub(2)) {
                    Some((body, after)) => {
                        rest = after;
                        (*kind, body)
                    }
                    None => return out,
                },
                [_] => return out,
            };
            match (kind, body) {
                (2, &[a, b]) => out.mss = Some(u16::from_be_bytes([a, b])),
                (3, &[shift]) => out.window_scale = Some(shift.min(14)),
                (4, []) => out.sack_permitted = true,
                (8, &[a, b, c, d, e, f, g, h]) => {
                    out.timestamps =
                        Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])));
                }
                _ => {}
            }
        }
    }
}
