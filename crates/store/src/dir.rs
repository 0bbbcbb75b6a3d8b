//! The store's directory: one process at a time, a version, small files written safely.
//!
//! ```text
//! store/
//!   VERSION                     the format, a number
//!   LOCK                        held by the process that runs here
//!   CLOCK                       from which event on which ingest time holds (see `marks`)
//!   packetbeat-2026.11.25/      a partition: an index and a UTC day
//!     00000000000000000001-00000000000000065536.parquet
//!   packetbeat-2026.11.24.deleted   an index that was deleted: the last number it may have had
//! ```

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::write::{FORMAT, TEMPORARY, sync_dir};

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk says no.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// Another process runs here.
    #[error("{0}: in use by another process")]
    InUse(PathBuf),
    /// Written by a later version.
    #[error(
        "{0}: format {1} is of a later version; this one reads up to {FORMAT}. Use that version, or another directory"
    )]
    Later(PathBuf, u32),
    /// The version file holds no number.
    #[error("{0}: not a format number: restore it, or move the directory away to start anew")]
    NoVersion(PathBuf),
}

/// The directory, locked.
pub(crate) struct Directory {
    pub(crate) path: PathBuf,
    /// Held while open.
    _lock: File,
}

impl Directory {
    /// Opens or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        make_dir(path, false).map_err(|e| OpenError::Io(path.into(), e))?;
        let lock_path = path.join("LOCK");
        let failed = |e| OpenError::Io(lock_path.clone(), e);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(failed)?;
        lock.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => OpenError::InUse(path.into()),
            TryLockError::Error(e) => failed(e),
        })?;
        let version = path.join("VERSION");
        match std::fs::read_to_string(&version) {
            Ok(text) => match text.trim().parse::<u32>() {
                Ok(FORMAT) => {}
                // From now on it has files that an earlier version cannot read.
                Ok(v) if v < FORMAT => {
                    write_small(&version, &format!("{FORMAT}\n"))
                        .map_err(|e| OpenError::Io(version.clone(), e))?;
                }
                Ok(v) => return Err(OpenError::Later(version, v)),
                Err(_) => return Err(OpenError::NoVersion(version)),
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                write_small(&version, &format!("{FORMAT}\n")).map_err(|e| OpenError::Io(version, e))?;
            }
            Err(e) => return Err(OpenError::Io(version, e)),
        }
        Ok(Self { path: path.into(), _lock: lock })
    }

    pub(crate) fn partition(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Makes a directory that only its owner may enter, with those above it; `sync`: forced to the disk.
pub(crate) fn make_dir(path: &Path, sync: bool) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    match path.parent() {
        Some(parent) if sync => sync_dir(parent),
        _ => Ok(()),
    }
}

/// Replaces a small file; old or new stands there whatever happens.
pub(crate) fn write_small(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_added_extension(TEMPORARY);
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    path.parent().map_or(Ok(()), sync_dir)
}
