//! The files of the host, at `/` or wherever they are mounted: the only place that opens any.

use std::path::{Path, PathBuf};

use rustix::buffer::spare_capacity;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

/// The most that is read of one file.
const MAX: usize = 64 << 20;

/// The host's root.
#[derive(Debug)]
pub(crate) struct Hostfs {
    root: PathBuf,
    proc: OwnedFd,
}

impl Hostfs {
    /// The host whose root directory is `root`.
    ///
    /// # Errors
    /// When there is no `proc` in it.
    pub(crate) fn open(root: &Path) -> std::io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let proc = openat(CWD, root.join("proc"), flags, Mode::empty())?;
        Ok(Self { root: root.into(), proc })
    }

    /// Whether it is mounted somewhere, so that `self` is not who we think.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.root != Path::new("/")
    }

    /// The root directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path of the host (with or without `/` at the beginning) as we reach it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The directory `proc`.
    pub(crate) fn proc(&self) -> BorrowedFd<'_> {
        self.proc.as_fd()
    }

    /// Reads the whole of a file below `proc` into `out`.
    pub(crate) fn read(&self, name: &str, out: &mut Vec<u8>) -> Result<(), Errno> {
        read_at(self.proc(), name, out)
    }
}

/// Reads the whole of a file into `out`, whatever was in it before.
pub(crate) fn read_at(dir: BorrowedFd<'_>, name: &str, out: &mut Vec<u8>) -> Result<(), Errno> {
    read(dir, name, out, |got, _| got == 0)
}

/// [`read_at`] for a file that the kernel gives in one piece when there is room for it: one call less.
pub(crate) fn read_once(dir: BorrowedFd<'_>, name: &str, out: &mut Vec<u8>) -> Result<(), Errno> {
    read(dir, name, out, |got, room| got < room)
}

fn read(
    dir: BorrowedFd<'_>,
    name: &str,
    out: &mut Vec<u8>,
    done: impl Fn(usize, usize) -> bool,
) -> Result<(), Errno> {
    out.clear();
    // A pipe or a device in a file's place never makes us wait.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = openat(dir, name, flags, Mode::empty())?;
    while out.len() < MAX {
        if out.capacity() - out.len() < 2048 {
            out.reserve(4096.max(out.len()));
        }
        let room = out.capacity() - out.len();
        let got = rustix::io::read(&file, spare_capacity(out))?;
        if done(got, room) {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_any_size() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("proc")).unwrap();
        let host = Hostfs::open(dir.path()).unwrap();
        assert!(host.is_elsewhere());
        let mut buffer = b"old".to_vec();
        for size in [0, 1, 2047, 4096, 70_000] {
            let content: Vec<u8> = (0..size).map(|n| n as u8).collect();
            std::fs::write(dir.path().join("proc/x"), &content).unwrap();
            for read in [read_at, read_once] {
                read(host.proc(), "x", &mut buffer).unwrap();
                assert_eq!(buffer, content);
            }
        }
        assert_eq!(host.read("nothing", &mut buffer), Err(Errno::NOENT));
        assert!(buffer.is_empty());
        assert!(Hostfs::open(&dir.path().join("proc")).is_err());
        assert_eq!(host.path("/sys/x"), dir.path().join("sys/x"));
    }
}
