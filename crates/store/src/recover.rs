//! What is found at the start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::block::BlockError;
use crate::dir::OpenError;
use crate::file::{SealedFile, Shared};
use crate::partition::Partition;
use crate::tombstones::Tombstones;
use crate::write::TEMPORARY;

/// What was found when the store was opened.
#[derive(Debug, Default)]
pub struct Opened {
    /// Events in files.
    pub documents: u64,
    /// Files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files that cannot be used, and why. They are left where they are.
    pub damaged: Vec<BlockError>,
    /// Files left over by a crash and removed: incomplete ones, merged ones, those of deleted indices.
    pub removed: usize,
}

/// Reads the descriptions of all files; removes what a crash left over.
pub(crate) fn partitions(
    dir: &Path,
    tombstones: &Tombstones,
    shared: &Arc<Shared>,
) -> Result<(BTreeMap<Arc<str>, Partition>, Opened), OpenError> {
    let mut opened = Opened::default();
    let mut partitions = BTreeMap::new();
    for path in list(dir)? {
        if path.is_dir() {
            let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
            let files = files(&path, tombstones.end(name), shared, &mut opened)?;
            if files.is_empty() {
                // Fails when something is in it.
                let _ = std::fs::remove_dir(&path);
                continue;
            }
            let mut partition = Partition::default();
            partition.set_sealed(files);
            opened.documents += partition.rows();
            opened.bytes += partition.bytes();
            opened.files += partition.sealed.len();
            partitions.insert(Arc::from(name), partition);
        } else if path.extension().is_some_and(|e| e == TEMPORARY) {
            remove(&path, &mut opened);
        }
    }
    Ok((partitions, opened))
}

fn files(
    dir: &Path,
    deleted_below: u64,
    shared: &Arc<Shared>,
    opened: &mut Opened,
) -> Result<Vec<Arc<SealedFile>>, OpenError> {
    let mut files = Vec::new();
    for path in list(dir)? {
        match path.extension().and_then(|e| e.to_str()) {
            Some(TEMPORARY) => remove(&path, opened),
            Some("parquet") => match SealedFile::open(&path, shared) {
                Ok(file) if file.about.seq.1 < deleted_below => {
                    file.doom();
                    opened.removed += 1;
                }
                Ok(file) => files.push(file),
                Err(e) => opened.damaged.push(e),
            },
            _ => {}
        }
    }
    // A merged file comes before those it was made of.
    files.sort_by_key(|f| (f.about.seq.0, std::cmp::Reverse(f.about.seq.1)));
    let mut end = 0;
    files.retain(|file| {
        let within = file.about.seq.1 < end;
        if within {
            file.doom();
            opened.removed += 1;
        }
        end = end.max(file.about.seq.1 + 1);
        !within
    });
    Ok(files)
}

fn list(dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let failed = |e| OpenError::Io(dir.into(), e);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn remove(path: &Path, opened: &mut Opened) {
    if std::fs::remove_file(path).is_ok() {
        opened.removed += 1;
    }
}
