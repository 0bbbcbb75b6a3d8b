//! What the store holds and what it has counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the store holds.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Each index, sorted by name.
    pub indices: Vec<IndexStats>,
    /// Bytes of all files.
    pub bytes: u64,
    /// What open rows take in memory, about, in bytes.
    pub open_bytes: usize,
    /// What is kept of files that were read, and the numbers that were made for their texts, in bytes.
    pub cache_bytes: usize,
    /// About how many days of events the store will hold at the rate of the last 24 hours; `None` while less than a
    /// minute of events was written, or when nothing limits it.
    pub days: Option<f64>,
    /// Why the last attempt to write failed, if it did.
    pub failing: Option<String>,
    /// What was counted since the start.
    pub counts: Counts,
}

/// What an index holds.
#[derive(Clone, Debug)]
pub struct IndexStats {
    /// E.g. `packetbeat-2026.11.25`.
    pub name: String,
    /// Events, open ones included.
    pub documents: u64,
    /// Of these, in memory alone.
    pub open: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Its files.
    pub files: usize,
    /// Earliest and latest `@timestamp`, in nanoseconds since 1970.
    pub time: (i64, i64),
}

macro_rules! counts {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// What was counted since the start.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counts {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Counts {
            /// Name, value and meaning of each.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64, &'static str)> {
                [$((stringify!($name), self.$name, concat!($($doc),+).trim_ascii_start())),+].into_iter()
            }
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)+
        }

        impl Counters {
            pub(crate) fn counts(&self) -> Counts {
                Counts { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }
        }
    };
}

counts! {
    /// Events taken in.
    events,
    /// Events offered again, as after a crash, and skipped.
    again,
    /// Events filed under the day they came in, because their own time is more than a day away from it.
    misdated,
    /// Fields that no schema knows, left out.
    unknown_fields,
    /// Files written.
    files_written,
    /// Files made of smaller ones.
    files_merged,
    /// Attempts to write a file that failed; what was to be written stays in memory and in the journal.
    write_failures,
    /// Times events were refused because memory was full; they stay in the journal.
    refused,
    /// Times rows of a file could not be read.
    unreadable,
    /// Damaged files found at the start.
    damaged_files,
    /// Events deleted because they were older than allowed.
    expired_by_age,
    /// Events deleted because the store was larger than allowed.
    expired_by_bytes,
    /// Events deleted because the disk was nearly full.
    expired_by_disk,
    /// Events deleted because someone asked for it.
    deleted,
}

pub(crate) fn count(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}
