//! Short texts: each is written into the room at `at` < 64 and answers where it ends.

use std::io::Write;

use super::line::Room;
use crate::{Time, ip_addr};

/// Bytes of a string looked at together.
pub(super) const CHUNK: usize = 16;

#[inline]
fn put<const N: usize>(room: &mut Room, at: usize, bytes: &[u8; N]) {
    room[at..at + N].copy_from_slice(bytes);
}

#[inline]
pub(super) fn fixed<const N: usize>(room: &mut Room, at: usize, text: &[u8; N]) -> usize {
    put(room, at, text);
    at + N
}

/// The string that is the first `len` bytes, if it can stand as it is.
#[inline]
pub(super) fn short(room: &mut Room, at: usize, chunk: &[u8; CHUNK], len: usize) -> Option<usize> {
    put(room, at, b"\"");
    put(room, at + 1, chunk);
    put(room, at + 1 + len, b"\"");
    is_plain(chunk, len).then_some(at + len + 2)
}

#[inline]
pub(super) fn number(room: &mut Room, at: usize, n: u64) -> usize {
    if n < 10_000 {
        leading(room, at, n)
    } else if n < 100_000_000 {
        let at = leading(room, at, n / 10_000);
        put(room, at, &four_digits(n % 10_000));
        at + 4
    } else {
        long_number(room, at, n)
    }
}

#[inline(never)]
fn long_number(room: &mut Room, at: usize, n: u64) -> usize {
    let at = number(room, at, n / 100_000_000);
    put(room, at, &four_digits(n / 10_000 % 10_000));
    put(room, at + 4, &four_digits(n % 10_000));
    at + 8
}

/// A number below 10,000.
#[inline]
fn leading(room: &mut Room, at: usize, n: u64) -> usize {
    let zeros = usize::from(n < 10) + usize::from(n < 100) + usize::from(n < 1000);
    let text = u32::from_le_bytes(four_digits(n)) >> (8 * zeros);
    put(room, at, &text.to_le_bytes());
    at + 4 - zeros
}

#[inline]
pub(super) fn ip(room: &mut Room, at: usize, ip: u128) -> usize {
    let v4 = match ip_addr(ip) {
        std::net::IpAddr::V4(v4) => v4,
        std::net::IpAddr::V6(v6) => return ip6(room, at, v6),
    };
    put(room, at, b"\"");
    let mut end = at + 1;
    for octet in v4.octets() {
        put(room, end, &OCTETS[usize::from(octet)]);
        end += 2 + usize::from(octet > 9) + usize::from(octet > 99);
    }
    put(room, end - 1, b"\"");
    end
}

#[inline(never)]
fn ip6(room: &mut Room, at: usize, ip: std::net::Ipv6Addr) -> usize {
    let mut rest = &mut room[at..];
    // No address is longer than the room.
    let _ = write!(rest, "\"{ip}\"");
    let left = rest.len();
    room.len() - left
}

/// `"2015-08-27T08:00:55.`
#[cold]
pub(super) fn second(time: Time) -> [u8; 21] {
    let mut text = [b'"'; 21];
    text[1..].copy_from_slice(&time.rfc3339()[..20]);
    text
}

#[inline]
pub(super) fn time(room: &mut Room, at: usize, second: &[u8; 21], nanos: u32, digits: usize) -> usize {
    let nanos = u64::from(nanos);
    put(room, at, second);
    put(room, at + 21, &[b'0' + (nanos / 100_000_000) as u8]);
    put(room, at + 22, &four_digits(nanos / 10_000 % 10_000));
    put(room, at + 26, &four_digits(nanos % 10_000));
    put(room, at + 21 + digits, b"Z\"");
    at + 23 + digits
}

/// Whether the first `n` bytes stand for themselves in JSON.
#[inline]
pub(super) fn is_plain(chunk: &[u8; CHUNK], n: usize) -> bool {
    let all = u128::from_le_bytes(*chunk);
    let [low, high] = COUNTS[n];
    (special(all as u64) & low) | (special((all >> 64) as u64) & high) == 0
}

/// The upper bit of each byte that is special; what is above the first of them may be wrong.
#[inline]
fn special(eight: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let is_zero = |x: u64| x.wrapping_sub(EACH);
    let is_control = eight.wrapping_sub(EACH * 0x20);
    let is_quote = is_zero(eight ^ (EACH * b'"' as u64));
    let is_backslash = is_zero(eight ^ (EACH * b'\\' as u64));
    let is_del = is_zero(eight ^ (EACH * 0x7f));
    // A borrow sets the upper bit; bytes that had it before are no ASCII.
    (is_control | is_quote | is_backslash | is_del) & !eight & (EACH * 0x80)
}

/// For each number of bytes: ones where they are, in the two halves of a chunk.
static COUNTS: [[u64; 2]; CHUNK + 1] = {
    let mut t = [[u64::MAX; 2]; CHUNK + 1];
    let mut n = 0;
    while n < CHUNK {
        let ones = (1u128 << (8 * n)) - 1;
        t[n] = [ones as u64, (ones >> 64) as u64];
        n += 1;
    }
    t
};

/// Four digits of a number below 10,000.
#[inline]
fn four_digits(n: u64) -> [u8; 4] {
    let [a, b] = PAIRS[(n / 100 % 100) as usize];
    let [c, d] = PAIRS[(n % 100) as usize];
    [a, b, c, d]
}

/// `00` to `99`.
static PAIRS: [[u8; 2]; 100] = {
    let mut t = [[0; 2]; 100];
    let mut i = 0;
    while i < 100 {
        t[i] = [b'0' + i as u8 / 10, b'0' + i as u8 % 10];
        i += 1;
    }
    t
};

/// `0.` to `255.`, zeros behind.
static OCTETS: [[u8; 4]; 256] = {
    let mut t = [[0; 4]; 256];
    let mut i = 0;
    while i < 256 {
        let (a, b, c) = (b'0' + (i / 100) as u8, b'0' + (i / 10 % 10) as u8, b'0' + (i % 10) as u8);
        t[i] = match i {
            0..=9 => [c, b'.', 0, 0],
            10..=99 => [b, c, b'.', 0],
            _ => [a, b, c, b'.'],
        };
        i += 1;
    }
    t
};

/// How each byte stands in a string (RFC 8259 section 7), and as its last byte how long that is. DEL is escaped too, so
/// that a terminal is never controlled by it; C1 controls are left to the reader: they are valid text.
pub(super) static ESCAPES: [[u8; 8]; 256] = {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut t = [[0; 8]; 256];
    let mut i = 0;
    while i < 256 {
        let b = i as u8;
        t[i] = match b {
            b'"' | b'\\' => [b'\\', b, 0, 0, 0, 0, 0, 2],
            b'\n' => [b'\\', b'n', 0, 0, 0, 0, 0, 2],
            b'\r' => [b'\\', b'r', 0, 0, 0, 0, 0, 2],
            b'\t' => [b'\\', b't', 0, 0, 0, 0, 0, 2],
            0x08 => [b'\\', b'b', 0, 0, 0, 0, 0, 2],
            0x0c => [b'\\', b'f', 0, 0, 0, 0, 0, 2],
            0..0x20 | 0x7f => [b'\\', b'u', b'0', b'0', HEX[i >> 4], HEX[i & 15], 0, 6],
            _ => [b, 0, 0, 0, 0, 0, 0, 1],
        };
        i += 1;
    }
    t
};

/// Appends a JSON string.
pub fn write_str(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for b in text.bytes() {
        let escape = &ESCAPES[usize::from(b)];
        out.extend_from_slice(&escape[..usize::from(escape[7])]);
    }
    out.push(b'"');
}
