//! What can go wrong, named.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the journal did not do what it was asked.
#[derive(Debug, Error)]
pub enum JournalError {
    /// A file or directory could not be used.
    #[error("{}: {action}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Another process writes here.
    #[error("{}: another wirebeat runs here", dir.display())]
    InUse {
        /// The journal's directory.
        dir: PathBuf,
    },
    /// The files are not of this program's format.
    #[error(
        "{}: format {found:?} is not known here (this program writes {:?}): run the version that wrote it until \
         its outputs are done, or move the directory away", path.display(), crate::directory::VERSION.trim_end()
    )]
    Version {
        /// The version file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// The schema lacks the field for what other versions wrote ([`crate::FIELDS`]).
    #[error("the schema has no field {0}")]
    Schema(&'static str),
    /// A reader's name is its file's name: 1 to 64 of `a-z 0-9 . _ -`, the first a letter or digit.
    #[error("{0:?} is no name for a reader")]
    Name(String),
    /// A reader of this name is at work.
    #[error("the reader {0} is open")]
    ReaderOpen(String),
    /// No reader of this name is known.
    #[error("there is no reader {0}")]
    NoReader(String),
    /// A reader said it was done with what it was not given.
    #[error("the reader {name} cannot be done up to {seq}: it was given events up to {given}")]
    NotGiven {
        /// Which reader.
        name: String,
        /// What it said.
        seq: u64,
        /// The first number it was not given.
        given: u64,
    },
}

impl JournalError {
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }
}
