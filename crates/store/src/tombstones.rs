//! Indices that were deleted while the journal still has events of theirs.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::dir::write_small;
use crate::write::sync_dir;

const EXTENSION: &str = "deleted";

/// Up to which number the events of deleted indices must not come back.
pub(crate) struct Tombstones {
    dir: PathBuf,
    /// The end, and whether it was found at the start.
    ends: HashMap<String, (u64, bool)>,
}

impl Tombstones {
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let mut ends = HashMap::new();
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == EXTENSION)
                && let Some(name) = path.file_stem().and_then(|n| n.to_str())
            {
                // One that cannot be read holds back nothing: better an index that comes back than one that is lost.
                let end = std::fs::read_to_string(&path).ok().and_then(|t| t.trim().parse().ok());
                ends.insert(name.to_owned(), (end.unwrap_or(0), true));
            }
        }
        Ok(Self { dir: dir.into(), ends })
    }

    /// Events of this index below this number were deleted.
    pub(crate) fn end(&self, name: &str) -> u64 {
        if self.ends.is_empty() { 0 } else { self.ends.get(name).map_or(0, |e| e.0) }
    }

    pub(crate) fn add(&mut self, name: &str, end: u64) -> io::Result<()> {
        write_small(&self.path(name), &format!("{end}\n"))?;
        self.ends.insert(name.to_owned(), (end, false));
        Ok(())
    }

    /// The journal begins at this number: what was deleted in an earlier run and ended before cannot come back.
    pub(crate) fn forget_below(&mut self, seq: u64) {
        let past: Vec<String> =
            self.ends.iter().filter(|(_, (end, old))| *old && *end <= seq).map(|(n, _)| n.clone()).collect();
        for name in past {
            // One that stays is harmless.
            let _ = std::fs::remove_file(self.path(&name));
            let _ = sync_dir(&self.dir);
            self.ends.remove(&name);
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.{EXTENSION}"))
    }
}
