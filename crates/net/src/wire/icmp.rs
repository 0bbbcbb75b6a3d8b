//! ICMP and ICMPv6 (RFC 792, RFC 4443 section 2.1): type, code, checksum (2), then what the type says.

use super::Fault;

/// Type and code. Messages are at least 4 bytes; the most have 8.
#[inline]
pub(super) fn check(bytes: &[u8]) -> Result<(u8, u8), Fault> {
    let head = bytes.first_chunk::<4>().ok_or(Fault::Short)?;
    Ok((head[0], head[1]))
}
