//! What can be wrong with a capture file.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a capture file cannot be read (on). Offsets count bytes of the decompressed stream from 0.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be opened.
    #[error("cannot open {}: {source}", path.display())]
    Open {
        /// The path as given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no capture file, or of a kind that is not read.
    #[error("not a capture file: {0}")]
    Format(String),
    /// It ends inside a record.
    #[error("cut short at byte {offset}{}: {what} takes {need} bytes, {got} are left", of_stream(*.compressed))]
    Truncated {
        /// Where the unfinished record starts.
        offset: u64,
        /// Whether the offset counts decompressed bytes.
        compressed: bool,
        /// What was being read.
        what: &'static str,
        /// Bytes it takes in all.
        need: u64,
        /// Bytes that were there.
        got: u64,
    },
    /// A record contradicts itself or the format.
    #[error("damaged at byte {offset}{}: {what}", of_stream(*.compressed))]
    Damaged {
        /// Where the record starts.
        offset: u64,
        /// Whether the offset counts decompressed bytes.
        compressed: bool,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// The input failed: the disk, the pipe, or the compressed stream is damaged.
    #[error("reading failed after byte {offset}{}: {source}", of_stream(*.compressed))]
    Read {
        /// How many bytes had come.
        offset: u64,
        /// Whether the offset counts decompressed bytes.
        compressed: bool,
        /// What the system or the decompressor said.
        source: io::Error,
    },
}

fn of_stream(compressed: bool) -> &'static str {
    if compressed { " of the decompressed stream" } else { "" }
}
