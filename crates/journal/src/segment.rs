//! A segment's file: how it begins, and how batches are found in it.
//!
//! | bytes | |
//! |---|---|
//! | 8 | `WBJOURN1` |
//! | 8 | salt: random, begins every batch |
//! | 8 | sequence number of its first event, which is also its name |
//! | 8 | the number after the last event of the segment before: those between were never given |
//! | 4 + 4 + 4 | the dictionary's bytes, before compression and stored, and its CRC32C |
//! | 4 | CRC32C of all above |
//! | | dictionary, zstd; then batches |

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::bytes;
use crate::directory;
use crate::record::{HEAD, Head, LAST};

const MAGIC: [u8; 8] = *b"WBJOURN1";
const HEADER: usize = 48;
/// The dictionary before compression at most: 65,535 names of 60 bytes.
const MAX_DICTIONARY: usize = 4 << 20;
/// A segment holds fewer events. A writer that was not closed is followed by one that leaves so many numbers out:
/// whatever a power cut took, no number is given to two events.
pub(crate) const SPAN: u64 = 1 << 24;

/// What a file begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) salt: u64,
    pub(crate) first: u64,
    pub(crate) previous_end: u64,
}

/// A segment ready to be read.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: File,
    pub(crate) header: Header,
    pub(crate) dictionary: Vec<u8>,
    /// Where batches begin.
    pub(crate) body: u64,
}

/// The name of the segment that begins with this number.
pub(crate) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.seg"))
}

/// The first numbers of all segments in a directory, in order.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<u64>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|n| n.strip_suffix(".seg")).filter(|n| n.len() == 20);
        let number = number.filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
        all.extend(number.and_then(|n| n.parse().ok()).filter(|n: &u64| *n < LAST / 2));
    }
    all.sort_unstable();
    Ok(all)
}

/// Begins a segment, on the disk with its name when `sync`. Nothing is left behind when it fails.
pub(crate) fn create(
    dir: &Path,
    first: u64,
    previous_end: u64,
    dictionary: &[u8],
    sync: bool,
) -> io::Result<(File, Header, u64)> {
    let stored = zstd::bulk::compress(dictionary, 3)?;
    let header = Header { salt: RandomState::new().build_hasher().finish(), first, previous_end };
    let mut out = MAGIC.to_vec();
    for word in [header.salt, first, previous_end] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    for half in [dictionary.len() as u32, stored.len() as u32, crc32c::crc32c(&stored)] {
        out.extend_from_slice(&half.to_le_bytes());
    }
    out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
    out.extend_from_slice(&stored);
    let path = path(dir, first);
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    let written = file.write_all_at(&out, 0).and_then(|()| {
        if sync {
            file.sync_data()?;
            directory::sync(dir)?;
        }
        Ok(())
    });
    if let Err(error) = written {
        // The first error says more than what becomes of the rest.
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok((file, header, out.len() as u64))
}

/// Opens a segment that has to begin with the event `first`.
pub(crate) fn open(path: &Path, first: u64) -> io::Result<Opened> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    let damaged = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut start = [0; HEADER];
    file.read_exact_at(&mut start, 0)?;
    let (header, raw, stored, crc) =
        parse(&start).ok_or_else(|| damaged("the segment's header is damaged"))?;
    if header.first != first || header.previous_end > first {
        return Err(damaged("the segment's header is not of this file"));
    }
    let body = HEADER as u64 + u64::from(stored);
    if raw as usize > MAX_DICTIONARY || body > len {
        return Err(damaged("the segment's dictionary is cut off"));
    }
    let mut compressed = vec![0; stored as usize];
    file.read_exact_at(&mut compressed, HEADER as u64)?;
    if crc32c::crc32c(&compressed) != crc {
        return Err(damaged("the segment's dictionary is damaged"));
    }
    let dictionary = zstd::bulk::decompress(&compressed, raw as usize)?;
    Ok(Opened { file, header, dictionary, body })
}

fn parse(start: &[u8; HEADER]) -> Option<(Header, u32, u32, u32)> {
    let (checked, mut crc) = start.split_at(HEADER - 4);
    let mut rest = checked;
    if bytes::take(&mut rest)? != MAGIC || bytes::u32(&mut crc)? != crc32c::crc32c(checked) {
        return None;
    }
    let mut word = || bytes::u64(&mut rest);
    let header = Header { salt: word()?, first: word()?, previous_end: word()? };
    Some((header, bytes::u32(&mut rest)?, bytes::u32(&mut rest)?, bytes::u32(&mut rest)?))
}

/// The head of the batch at `at`; it and its content end before `end`, and its events before `next`.
pub(crate) fn head_at(file: &File, salt: u64, at: u64, end: u64, next: u64) -> Option<Head> {
    let mut bytes = [0; HEAD];
    if at.saturating_add(HEAD as u64) > end {
        return None;
    }
    file.read_exact_at(&mut bytes, at).ok()?;
    Head::decode(&bytes, salt).filter(|h| at + h.size() <= end && h.end() <= next)
}

/// The first batch that begins at `from` or later: what follows damage.
pub(crate) fn find(file: &File, salt: u64, from: u64, end: u64, next: u64) -> Option<(u64, Head)> {
    const CHUNK: usize = 256 << 10;
    let marker = salt.to_le_bytes();
    let mut chunk = vec![0; CHUNK];
    let mut at = from;
    while at.saturating_add(HEAD as u64) <= end {
        let len = usize::try_from(end - at).map_or(CHUNK, |n| n.min(CHUNK));
        // What cannot be read holds no batch.
        let read = file.read_at(&mut chunk[..len], at).ok().filter(|n| *n >= HEAD)?;
        for place in memmem::find_iter(&chunk[..read], &marker) {
            let place = at + place as u64;
            if let Some(head) = head_at(file, salt, place, end, next) {
                return Some((place, head));
            }
        }
        // The marker may lie across the edge.
        at += (read - (marker.len() - 1)) as u64;
    }
    None
}
