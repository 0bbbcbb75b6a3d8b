//! What has to go: what is too old, what is too much, what the disk needs.

use std::sync::Arc;
use std::time::Duration;

use wirebeat_model::Time;

use crate::file::SealedFile;

/// How long events are kept. Age counts from when an event came in, so that an old capture that was just read stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Files whose last event came in longer ago are deleted.
    pub age: Option<Duration>,
    /// All files together, in bytes.
    pub bytes: Option<u64>,
    /// So much of the disk stays free, in percent.
    pub free_percent: Option<u8>,
}

impl Default for Retention {
    /// Seven days, 10 GiB, 5 percent.
    fn default() -> Self {
        Self { age: Some(Duration::from_secs(7 * 86_400)), bytes: Some(10 << 30), free_percent: Some(5) }
    }
}

/// Why a file went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Age,
    Bytes,
    Disk,
}

/// The disk's bytes: free to us, and all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disk {
    pub(crate) free: u64,
    pub(crate) total: u64,
}

/// When the disk runs full because of others, this much stays: deleting would not help for long.
const UNTOUCHED: Duration = Duration::from_secs(3600);

/// Which files have to go, by when they came in.
pub(crate) fn expired(
    mut files: Vec<Arc<SealedFile>>,
    retention: &Retention,
    disk: Option<Disk>,
    now: Time,
) -> Vec<(Arc<SealedFile>, Why)> {
    files.sort_by_key(|f| (f.about.ingested, f.about.seq));
    let mut left: u64 = files.iter().map(|f| f.bytes).sum();
    let mut free = disk.map_or(u64::MAX, |d| d.free);
    let wanted = match (disk, retention.free_percent) {
        (Some(disk), Some(percent)) => disk.total / 100 * u64::from(percent),
        _ => 0,
    };
    let mut gone = Vec::new();
    for file in files {
        let age = Duration::from_nanos(now.since(Time(file.about.ingested)));
        let why = if retention.age.is_some_and(|limit| age > limit) {
            Why::Age
        } else if retention.bytes.is_some_and(|limit| left > limit) {
            Why::Bytes
        } else if free < wanted && age > UNTOUCHED {
            Why::Disk
        } else {
            // The others came in later.
            break;
        };
        left -= file.bytes;
        free = free.saturating_add(file.bytes);
        gone.push((file, why));
    }
    gone
}
