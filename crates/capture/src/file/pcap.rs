//! The pcap format (draft-ietf-opsawg-pcap): a 24-byte header, then records of 16 bytes and a packet each.

use wirebeat_model::{LinkType, Time};

use super::source::Source;
use super::{FileError, MAX_CAPTURED, Record};

const MICROS: u32 = 0xa1b2_c3d4;
const NANOS: u32 = 0xa1b2_3c4d;
/// Alexey Kuznetsov's patched libpcap of 1999: eight more bytes in each record header.
const MODIFIED: u32 = 0xa1b2_cd34;
/// Largest file or record header.
const HEADER: usize = 24;

/// How a file's records are laid out.
pub(super) struct Pcap {
    big_endian: bool,
    /// Nanoseconds of one unit of the time's second word.
    unit: u64,
    /// Bytes of a record's header.
    head: usize,
    lengths: Lengths,
    link: LinkType,
}

/// Before version 2.4 the two lengths changed places, in 2.3 depending on who wrote it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lengths {
    InOrder,
    MaybeSwapped,
    Swapped,
}

impl Pcap {
    /// Reads the file header, whose first four bytes were seen already but not consumed.
    pub(super) fn read_header(source: &mut Source, magic: [u8; 4]) -> Result<Self, FileError> {
        let kind = |m| match m {
            MICROS => Some((1_000, 16)),
            NANOS => Some((1, 16)),
            MODIFIED => Some((1_000, 24)),
            _ => None,
        };
        let (big, little) = (kind(u32::from_be_bytes(magic)), kind(u32::from_le_bytes(magic)));
        let Some((unit, head)) = big.or(little) else {
            let [a, b, c, d] = magic;
            return Err(FileError::Format(format!(
                "it starts with {a:02x} {b:02x} {c:02x} {d:02x}; expected pcap or pcapng, plain, gzip or zstd"
            )));
        };
        let big_endian = big.is_some();
        if !source.fill(HEADER) {
            return Err(source.short("the pcap file header", HEADER as u64));
        }
        let header = source.available();
        let version = (half(header, 4, big_endian), half(header, 6, big_endian));
        // The upper bits say how long the frame check sequence is; it is behind what IP's length covers.
        let link = word(header, 20, big_endian) & 0xffff;
        let lengths = match version {
            (2, 3) => Lengths::MaybeSwapped,
            (2, 0..=2) | (0 | 1 | 543, _) => Lengths::Swapped,
            (2, _) => Lengths::InOrder,
            (major, minor) => {
                return Err(FileError::Format(format!(
                    "pcap version {major}.{minor}; versions up to 2.4 are read"
                )));
            }
        };
        source.consume(HEADER);
        Ok(Self { big_endian, unit, head, lengths, link: LinkType::from_number(link) })
    }

    #[inline]
    pub(super) fn next(&mut self, source: &mut Source) -> Result<Option<Record>, FileError> {
        if !source.fill(self.head) {
            return if source.at_end() {
                Ok(None)
            } else {
                Err(source.short("a packet's header", self.head as u64))
            };
        }
        let header = source.available();
        let big = self.big_endian;
        let secs = word(header, 0, big);
        let units = word(header, 4, big);
        let mut cap_len = word(header, 8, big);
        let mut wire_len = word(header, 12, big);
        if self.lengths == Lengths::Swapped || self.lengths == Lengths::MaybeSwapped && cap_len > wire_len {
            (cap_len, wire_len) = (wire_len, cap_len);
        }
        if cap_len > MAX_CAPTURED {
            let what = format!("a packet of {cap_len} bytes; expected at most {MAX_CAPTURED}");
            return Err(source.damaged(source.offset(), what));
        }
        let whole = self.head + cap_len as usize;
        if !source.fill(whole) {
            return Err(source.short("a packet with its header", whole as u64));
        }
        let start = source.consume(whole) + self.head;
        let nanos = i64::from(secs) * 1_000_000_000 + (u64::from(units) * self.unit) as i64;
        Ok(Some(Record {
            time: Time(nanos),
            link: self.link,
            device: 0,
            wire_len: wire_len.max(cap_len),
            start,
            cap_len: cap_len as usize,
        }))
    }
}

/// The 32-bit number at `at`; 0 when it is not there, which callers have ruled out.
#[inline]
pub(super) fn word(bytes: &[u8], at: usize, big_endian: bool) -> u32 {
    let b = bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).unwrap_or([0; 4]);
    if big_endian { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) }
}

/// The 16-bit number at `at`.
#[inline]
pub(super) fn half(bytes: &[u8], at: usize, big_endian: bool) -> u16 {
    let b = bytes.get(at..at + 2).and_then(|b| b.try_into().ok()).unwrap_or([0; 2]);
    if big_endian { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) }
}
