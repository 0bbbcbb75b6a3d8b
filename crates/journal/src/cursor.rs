//! How far a reader is, in a file of its own: magic, cursor, events lost to quota, events lost to damage, CRC32C.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::bytes;
use crate::record::LAST;

const MAGIC: [u8; 8] = *b"WBCURSR1";
const SIZE: usize = 36;

/// What is kept of a reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The first number it is not done with.
    pub(crate) next: u64,
    pub(crate) lost_to_quota: u64,
    pub(crate) lost_to_damage: u64,
}

/// A reader's name becomes a file's.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() <= 64
        && name.bytes().next().is_some_and(plain)
        && name.bytes().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'))
}

pub(crate) fn folder(dir: &Path) -> PathBuf {
    dir.join("readers")
}

/// `None` when the file is damaged.
pub(crate) fn load(path: &Path) -> io::Result<Option<Cursor>> {
    Ok(decode(&fs::read(path)?))
}

fn decode(file: &[u8]) -> Option<Cursor> {
    let file: &[u8; SIZE] = file.try_into().ok()?;
    let (checked, mut crc) = file.split_at(SIZE - 4);
    let mut rest = checked;
    if bytes::take(&mut rest)? != MAGIC || bytes::u32(&mut crc)? != crc32c::crc32c(checked) {
        return None;
    }
    let mut word = || bytes::u64(&mut rest);
    let cursor = Cursor { next: word()?, lost_to_quota: word()?, lost_to_damage: word()? };
    (cursor.next < LAST / 2).then_some(cursor)
}

/// Replaces the file as a whole.
pub(crate) fn save(dir: &Path, name: &str, cursor: Cursor, sync: bool) -> io::Result<()> {
    let words = [
        MAGIC,
        cursor.next.to_le_bytes(),
        cursor.lost_to_quota.to_le_bytes(),
        cursor.lost_to_damage.to_le_bytes(),
    ];
    let folder = folder(dir);
    // No reader's name begins with a dot.
    let temporary = folder.join(format!(".{name}"));
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    let mut all = words.as_flattened().to_vec();
    all.extend_from_slice(&crc32c::crc32c(&all).to_le_bytes());
    file.write_all(&all)?;
    if sync {
        file.sync_data()?;
    }
    fs::rename(&temporary, folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["store", "output-1", "a", "kafka.main_2"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", ".store", "a/b", "..", "Store", "a b", "-a", &"a".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_damaged_cursor_is_none() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(folder(dir.path())).unwrap();
        let cursor = Cursor { next: 1 << 40, lost_to_quota: 3, lost_to_damage: 4 };
        save(dir.path(), "store", cursor, true).unwrap();
        let path = folder(dir.path()).join("store");
        assert_eq!(load(&path).unwrap(), Some(cursor));
        let good = fs::read(&path).unwrap();
        assert_eq!(good.len(), SIZE);
        for bit in 0..SIZE * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&bad), None, "bit {bit}");
        }
        for cut in 0..SIZE {
            assert_eq!(decode(&good[..cut]), None, "{cut} bytes");
        }
    }
}
