//! The append-only event log on disk, between the collector and everything that uses events.
//!
//! One [`Writer`] appends batches of events; each event gets a sequence number that is never given to another one. Any
//! number of [`Reader`]s, each on its own thread, see a batch as soon as it was written (so what a reader was given
//! survives SIGKILL) and say with [`Reader::commit`] how far they are done. What every reader is done with is deleted;
//! what is older than the quota allows is deleted too, and counted for each reader that missed it.
//!
//! ```text
//! DIRECTORY/
//!   VERSION                    the format of the files
//!   LOCK                       held by the process that runs here
//!   00000000000000000000.seg   a segment: the fields of the program that wrote it, then batches
//!   readers/NAME               how far a reader is
//! ```
//!
//! See `segment` and `record` for the formats. Numbers are little endian.

#![forbid(unsafe_code)]

mod batch;
mod bytes;
mod cursor;
mod dictionary;
mod directory;
mod error;
mod housekeeper;
mod open;
mod reader;
mod record;
mod segment;
mod state;
mod writer;

use std::time::Duration;

pub use batch::{Batch, EventRef, Events};
pub use dictionary::{FIELDS, OTHER};
pub use error::JournalError;
pub use open::{Recovery, Torn, open};
pub use reader::{Next, Reader, Start};
pub use state::{Damage, Journal, Lost, ReaderStats, Stats};
pub use writer::{Appended, Writer};

/// What a journal may take and how safe it is.
#[derive(Clone, Debug)]
pub struct Options {
    /// A segment is closed when it reached so many bytes; at most a quarter of the quota counts.
    pub segment_bytes: u64,
    /// All segments together, in bytes. One append may exceed it.
    pub quota_bytes: u64,
    /// When data is forced to the disk.
    pub durability: Durability,
}

impl Default for Options {
    /// 64 MiB, 1 GiB, every second.
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            quota_bytes: 1 << 30,
            durability: Durability::Interval(Duration::from_secs(1)),
        }
    }
}

/// When data is forced to the disk. A killed process loses nothing with any of them; this is about power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// In the background, so often: a power cut loses at most what came since.
    Interval(Duration),
    /// Before an append returns and before a reader sees it.
    Batch,
    /// When the kernel likes.
    None,
}
