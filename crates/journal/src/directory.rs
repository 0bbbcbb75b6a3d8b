//! The journal's directory: its version, its lock, who may read it.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::cursor;
use crate::error::JournalError;

/// What the version file says.
pub(crate) const VERSION: &str = "wirebeat journal 1\n";

/// Makes the directory if need be, for its owner only, locks it and checks its version. The lock goes with the file.
pub(crate) fn enter(dir: &Path) -> Result<File, JournalError> {
    for folder in [dir.to_owned(), cursor::folder(dir)] {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(JournalError::io(&folder, "making the directory"))?;
        fs::set_permissions(&folder, Permissions::from_mode(0o700))
            .map_err(JournalError::io(&folder, "closing it to others"))?;
    }
    let path = dir.join("LOCK");
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(JournalError::io(&path, "opening"))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(e)) => return Err(JournalError::io(&path, "locking")(e)),
    }
    version(dir)?;
    Ok(lock)
}

fn version(dir: &Path) -> Result<(), JournalError> {
    let path = dir.join("VERSION");
    match fs::read(&path) {
        Ok(found) if found == VERSION.as_bytes() => Ok(()),
        Ok(found) => {
            let found = String::from_utf8_lossy(&found[..found.len().min(64)]).trim_end().to_owned();
            Err(JournalError::Version { path, found })
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            write_version(dir, &path).map_err(JournalError::io(&path, "writing"))
        }
        Err(e) => Err(JournalError::io(&path, "reading")(e)),
    }
}

fn write_version(dir: &Path, path: &Path) -> io::Result<()> {
    let temporary = dir.join("VERSION.new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(VERSION.as_bytes())?;
    file.sync_data()?;
    fs::rename(&temporary, path)?;
    sync(dir)
}

/// Makes the names in a directory last.
pub(crate) fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
