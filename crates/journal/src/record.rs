//! A batch in a file.
//!
//! | bytes | |
//! |---|---|
//! | 8 | the segment's salt: where a batch may begin |
//! | 8 | sequence number of the first event |
//! | 8 + 8 | earliest and latest stamp |
//! | 4 | events; 0: the segment ends here in good order |
//! | 4 | bytes of the content before compression |
//! | 4 | bytes of the content |
//! | 4 | CRC32C of the content |
//! | 4 | CRC32C of all above |
//! | | content, zstd: a row for each event (stamp 8, id 16, length of its fields 4), then the fields of each |
//!
//! The salt is random, so that nobody can send traffic that looks like a batch once the one it was stored in is damaged.

use std::io;

use wirebeat_model::{Event, Time};
use zstd::bulk::{Compressor, Decompressor};

use crate::bytes;

/// Bytes before the content.
pub(crate) const HEAD: usize = 52;
/// Bytes of a row.
pub(crate) const ROW: usize = 28;
/// The content before compression at most.
pub(crate) const MAX: usize = 64 << 20;
/// A batch is closed when its content reached so many bytes: what a reader holds stays small.
const ENOUGH: usize = 1 << 20;
/// Working memory that is kept.
pub(crate) const KEEP: usize = 4 << 20;
/// No sequence number reaches this.
pub(crate) const LAST: u64 = 1 << 62;

/// What stands before the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) first: u64,
    pub(crate) earliest: Time,
    pub(crate) latest: Time,
    pub(crate) count: u32,
    pub(crate) raw: u32,
    pub(crate) stored: u32,
    pub(crate) crc: u32,
}

impl Head {
    /// What ends a segment whose next event would have had the number `seq`.
    pub(crate) fn end_of_segment(seq: u64) -> Self {
        Self { first: seq, earliest: Time(0), latest: Time(0), count: 0, raw: 0, stored: 0, crc: 0 }
    }

    /// The number after its last event.
    pub(crate) fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// Bytes with the content.
    pub(crate) fn size(&self) -> u64 {
        HEAD as u64 + u64::from(self.stored)
    }

    pub(crate) fn encode(&self, salt: u64) -> [u8; HEAD] {
        let mut out = [0; HEAD];
        let words = [
            salt.to_le_bytes(),
            self.first.to_le_bytes(),
            self.earliest.0.to_le_bytes(),
            self.latest.0.to_le_bytes(),
        ];
        let halves = [
            self.count.to_le_bytes(),
            self.raw.to_le_bytes(),
            self.stored.to_le_bytes(),
            self.crc.to_le_bytes(),
        ];
        let all = words.as_flattened().iter().chain(halves.as_flattened());
        out.iter_mut().zip(all).for_each(|(o, b)| *o = *b);
        let crc = crc32c::crc32c(&out[..HEAD - 4]);
        out[HEAD - 4..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Checked: the checksum, the salt and every bound.
    pub(crate) fn decode(bytes: &[u8; HEAD], salt: u64) -> Option<Self> {
        let (checked, mut crc) = bytes.split_at(HEAD - 4);
        let mut rest = checked;
        if bytes::u64(&mut rest)? != salt || bytes::u32(&mut crc)? != crc32c::crc32c(checked) {
            return None;
        }
        let head = Self {
            first: bytes::u64(&mut rest)?,
            earliest: Time(bytes::i64(&mut rest)?),
            latest: Time(bytes::i64(&mut rest)?),
            count: bytes::u32(&mut rest)?,
            raw: bytes::u32(&mut rest)?,
            stored: bytes::u32(&mut rest)?,
            crc: bytes::u32(&mut rest)?,
        };
        let sound = head.first < LAST
            && head.raw as usize <= MAX
            && head.stored as usize <= zstd::zstd_safe::compress_bound(MAX)
            && head.count as usize <= head.raw as usize / ROW
            && (head.count == 0) == (head.stored == 0);
        sound.then_some(head)
    }
}

/// Makes batches.
pub(crate) struct Encoder {
    zstd: Compressor<'static>,
    raw: Vec<u8>,
    stored: Vec<u8>,
}

impl Encoder {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { zstd: Compressor::new(1)?, raw: Vec::new(), stored: Vec::new() })
    }

    /// Whether an event can be in a batch at all.
    pub(crate) fn fits(event: &Event) -> bool {
        event.fields.byte_len() <= MAX - ROW
    }

    /// Appends as many batches as `events`, all of which fit, take.
    pub(crate) fn encode(
        &mut self,
        mut events: &[Event],
        mut first: u64,
        salt: u64,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        while !events.is_empty() {
            let (mut size, mut n) = (0, 0);
            for event in events {
                let more = ROW + event.fields.byte_len();
                if n > 0 && size + more > ENOUGH {
                    break;
                }
                (size, n) = (size + more, n + 1);
            }
            let (now, later) = events.split_at(n);
            self.batch(now, first, salt, out)?;
            (events, first) = (later, first + n as u64);
        }
        Ok(())
    }

    fn batch(&mut self, events: &[Event], first: u64, salt: u64, out: &mut Vec<u8>) -> io::Result<()> {
        let (mut earliest, mut latest) = (Time::MAX, Time::MIN);
        self.raw.clear();
        for event in events {
            (earliest, latest) = (earliest.min(event.stamp), latest.max(event.stamp));
            self.raw.extend_from_slice(&row(event.stamp, event.id.0, event.fields.byte_len()));
        }
        for event in events {
            self.raw.extend_from_slice(event.fields.as_bytes());
        }
        self.stored.clear();
        self.stored.reserve(zstd::zstd_safe::compress_bound(self.raw.len()));
        self.zstd.compress_to_buffer(&self.raw, &mut self.stored)?;
        let head = Head {
            first,
            earliest,
            latest,
            count: events.len() as u32,
            raw: self.raw.len() as u32,
            stored: self.stored.len() as u32,
            crc: crc32c::crc32c(&self.stored),
        };
        out.extend_from_slice(&head.encode(salt));
        out.extend_from_slice(&self.stored);
        shrink(&mut self.raw);
        shrink(&mut self.stored);
        Ok(())
    }
}

/// One huge event must not cost its memory for ever.
pub(crate) fn shrink(buffer: &mut Vec<u8>) {
    if buffer.capacity() > KEEP {
        *buffer = Vec::new();
    }
}

pub(crate) fn row(stamp: Time, id: [u8; 16], len: usize) -> [u8; ROW] {
    let mut row = [0; ROW];
    row[..8].copy_from_slice(&stamp.0.to_le_bytes());
    row[8..24].copy_from_slice(&id);
    row[24..].copy_from_slice(&(len as u32).to_le_bytes());
    row
}

/// A row again.
pub(crate) fn read_row(bytes: &[u8; ROW]) -> (Time, [u8; 16], usize) {
    let mut rest = &bytes[..];
    let stamp = Time(bytes::i64(&mut rest).unwrap_or_default());
    let id = bytes::take(&mut rest).unwrap_or_default();
    (stamp, id, bytes::u32(&mut rest).unwrap_or_default() as usize)
}

/// Reads batches.
pub(crate) struct Decoder {
    zstd: Decompressor<'static>,
}

impl Decoder {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { zstd: Decompressor::new()? })
    }

    /// The content, decompressed and checked to consist of `head.count` rows and the fields they tell.
    pub(crate) fn decode(&mut self, head: &Head, stored: &[u8], raw: &mut Vec<u8>) -> Option<()> {
        if crc32c::crc32c(stored) != head.crc {
            return None;
        }
        let size = head.raw as usize;
        raw.clear();
        raw.reserve_exact(size);
        let got = self.zstd.decompress_to_buffer(stored, raw).ok()?;
        let (rows, fields) = raw.split_at_checked(head.count as usize * ROW)?;
        let told: usize = rows.as_chunks::<ROW>().0.iter().map(|r| read_row(r).2).sum();
        (got == size && told == fields.len()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_with_one_bit_flipped_is_refused() {
        let head =
            Head { first: 7, earliest: Time(-1), latest: Time(9), count: 2, raw: 99, stored: 40, crc: 5 };
        let good = head.encode(0x0123_4567_89ab_cdef);
        assert_eq!(Head::decode(&good, 0x0123_4567_89ab_cdef), Some(head));
        assert_eq!(Head::decode(&good, 1), None);
        for bit in 0..HEAD * 8 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::decode(&bad, 0x0123_4567_89ab_cdef), None, "bit {bit}");
        }
    }

    #[test]
    fn bounds_are_checked_before_anything_is_reserved() {
        let sound =
            Head { first: 0, earliest: Time(0), latest: Time(0), count: 1, raw: 28, stored: 9, crc: 0 };
        for bad in [
            Head { raw: MAX as u32 + 1, ..sound },
            Head { stored: u32::MAX, ..sound },
            Head { count: 2, ..sound },
            Head { count: 0, ..sound },
            Head { first: LAST, ..sound },
            Head { stored: 0, ..sound },
        ] {
            assert_eq!(Head::decode(&bad.encode(3), 3), None, "{bad:?}");
        }
        assert!(Head::decode(&sound.encode(3), 3).is_some());
    }
}
