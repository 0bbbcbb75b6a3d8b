//! Where lines of JSON go: standard output or a file that is rotated by size.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// When a file is closed and how many closed ones are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes after which the file is rotated; 0 for never.
    pub size: u64,
    /// Rotated files kept beside the current one.
    pub keep: u32,
    /// Unix permissions of new files.
    pub mode: u32,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { size: 0, keep: 7, mode: 0o600 }
    }
}

/// Takes whole lines, in blocks of about 256 KiB.
pub struct Output {
    target: Target,
    buffer: Vec<u8>,
}

enum Target {
    Stdout(io::Stdout),
    File { path: PathBuf, file: File, written: u64, rotation: Rotation },
}

const BLOCK: usize = 256 * 1024;

impl Output {
    /// Standard output.
    pub fn stdout() -> Self {
        Self { target: Target::Stdout(io::stdout()), buffer: Vec::with_capacity(BLOCK * 2) }
    }

    /// A file: emptied when it is not rotated, continued when it is.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn file(path: &Path, rotation: Rotation) -> io::Result<Self> {
        let (file, written) = open(path, rotation)?;
        let target = Target::File { path: path.into(), file, written, rotation };
        Ok(Self { target, buffer: Vec::with_capacity(BLOCK * 2) })
    }

    /// Where to append lines; call [`Output::flush_if_full`] after each.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes when a block is full.
    ///
    /// # Errors
    /// When writing fails.
    pub fn flush_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// When writing fails; the lines are then lost and the caller stops.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let result = match &mut self.target {
            Target::Stdout(out) => out.write_all(&self.buffer).and_then(|()| out.flush()),
            Target::File { path, file, written, rotation } => {
                if rotation.size > 0 && *written > 0 && *written + self.buffer.len() as u64 > rotation.size {
                    rotate(path, rotation.keep)?;
                    (*file, *written) = open(path, *rotation)?;
                }
                *written += self.buffer.len() as u64;
                file.write_all(&self.buffer)
            }
        };
        self.buffer.clear();
        result
    }
}

fn open(path: &Path, rotation: Rotation) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.create(true).write(true);
    if rotation.size > 0 {
        options.append(true)
    } else {
        options.truncate(true)
    };
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, rotation.mode);
    let file = options.open(path)?;
    let written = if rotation.size > 0 { file.metadata()?.len() } else { 0 };
    Ok((file, written))
}

/// `x` becomes `x.1`, `x.1` becomes `x.2` …; what would be beyond `keep` is removed.
fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    let numbered = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{n}"));
        PathBuf::from(name)
    };
    let ignore_missing = |r: io::Result<()>| match r {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    if keep == 0 {
        return ignore_missing(std::fs::remove_file(path));
    }
    ignore_missing(std::fs::remove_file(numbered(keep)))?;
    for n in (1..keep).rev() {
        ignore_missing(std::fs::rename(numbered(n), numbered(n + 1)))?;
    }
    ignore_missing(std::fs::rename(path, numbered(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotates_by_size_and_count_without_losing_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events");
        let mut out = Output::file(&path, Rotation { size: 40, keep: 2, mode: 0o600 }).unwrap();
        for n in 0..12 {
            writeln!(out.buffer(), "line {n:04}").unwrap();
            out.flush().unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(read("events"), "line 0008\nline 0009\nline 0010\nline 0011\n");
        assert_eq!(read("events.1"), "line 0004\nline 0005\nline 0006\nline 0007\n");
        assert_eq!(read("events.2"), "line 0000\nline 0001\nline 0002\nline 0003\n");
        assert!(!dir.path().join("events.3").exists());
    }
}
