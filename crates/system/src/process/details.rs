//! What is read of a process beyond its first line: of those that are told only.

use std::collections::HashMap;
use std::sync::Arc;

use rustix::fs::{AtFlags, readlinkat, statat};

use super::mask::command_line;
use super::table::{Buffers, count, count_some, path};
use super::users::Users;
use super::{Process, Stat};
use crate::container::{Identity, identify};
use crate::hostfs::{Hostfs, read_once};
use crate::losses::Losses;
use crate::name::Name;
use crate::scan::{lines, numbers, value, words};

/// Bytes of a command line that are kept.
const MAX_COMMAND_LINE: usize = 4096;
/// Periods after which what seldom changes is read again.
const KEEP: u32 = 30;

/// What is read of a process that is told.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// Its user's name, or number.
    pub user: Option<Arc<str>>,
    /// Bytes shared with files and other processes.
    pub shared: Option<u64>,
    /// Bytes in swap.
    pub swap: Option<u64>,
    /// What it read and wrote.
    pub io: Option<Io>,
    /// Open files.
    pub open_files: Option<u64>,
    /// How many files it may open: soft and hard limit; the largest number is no limit.
    pub file_limits: Option<(u64, u64)>,
    /// Command line and what else seldom changes.
    pub lasting: Arc<Lasting>,
}

/// `/proc/PID/io` (proc_pid_io(5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Io {
    /// Bytes asked for by read(2) and the like.
    pub read_chars: u64,
    /// Bytes given to write(2) and the like.
    pub written_chars: u64,
    /// Calls that read.
    pub read_calls: u64,
    /// Calls that write.
    pub write_calls: u64,
    /// Bytes fetched from disks.
    pub read_bytes: u64,
    /// Bytes sent to disks.
    pub written_bytes: u64,
    /// Bytes not sent to disks after all.
    pub cancelled_bytes: u64,
}

/// What seldom changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lasting {
    /// Arguments separated by blanks, secrets masked; empty for threads of the kernel.
    pub command_line: Vec<u8>,
    /// Where each argument lies in it.
    pub arguments: Vec<(usize, usize)>,
    /// The file that runs.
    pub executable: Option<Vec<u8>>,
}

/// What is remembered of processes from period to period.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    known: HashMap<u32, Known>,
    users: Users,
    period: u32,
}

#[derive(Debug)]
struct Known {
    start: u64,
    name: Name,
    /// The period in which it was last seen.
    seen: u32,
    /// Periods since it was read; what has just begun may still become another program in another container.
    age: u32,
    container: Option<Arc<Identity>>,
    lasting: Option<Arc<Lasting>>,
    file_limits: Option<(u64, u64)>,
}

impl Cache {
    /// A period begins.
    pub(crate) fn begin(&mut self, host: &Hostfs) {
        self.period = self.period.wrapping_add(1);
        self.users.refresh(host);
    }

    /// Forgets who is gone.
    pub(crate) fn end(&mut self) {
        let period = self.period;
        self.known.retain(|_, known| known.seen == period);
    }

    /// Which container each process is in: read once it is there for the second time, then seldom.
    pub(crate) fn containers(
        &mut self,
        host: &Hostfs,
        b: &mut Buffers,
        now: &mut [Process],
        losses: &mut Losses,
    ) {
        for process in now {
            let known = self.known(&process.stat);
            if known.age < 2 {
                path(&mut b.path, process.stat.pid, "cgroup");
                match read_once(host.proc(), &b.path, &mut b.text) {
                    Ok(()) => known.container = identify(&b.text).map(|id| keep(known.container.take(), id)),
                    Err(e) => count_some(e, losses),
                }
            }
            process.container.clone_from(&known.container);
        }
    }

    fn known(&mut self, stat: &Stat) -> &mut Known {
        let period = self.period;
        let known = self.known.entry(stat.pid).or_insert_with(|| Known::new(stat));
        if known.start != stat.start || known.name != stat.name || known.age >= KEEP {
            *known = Known::new(stat);
        } else if known.seen != period {
            known.age += 1;
        }
        known.seen = period;
        known
    }

    /// Reads the rest of one process.
    pub(crate) fn details(
        &mut self,
        host: &Hostfs,
        b: &mut Buffers,
        process: &mut Process,
        losses: &mut Losses,
    ) {
        let pid = process.stat.pid;
        let mut details = Details::default();
        path(&mut b.path, pid, "status");
        match read_once(host.proc(), &b.path, &mut b.text) {
            Ok(()) => {
                let [uid] = status_line(&b.text, b"Uid:").map_or([u64::MAX], numbers::<1>);
                details.user = u32::try_from(uid).ok().map(|uid| self.users.name(uid));
                let kib = |key| value(&b.text, key).map(|n: u64| n.saturating_mul(1024));
                details.swap = kib(b"VmSwap");
                details.shared = kib(b"RssFile").zip(kib(b"RssShmem")).map(|(f, s)| f.saturating_add(s));
            }
            Err(e) => return count(e, losses),
        }
        path(&mut b.path, pid, "io");
        match read_once(host.proc(), &b.path, &mut b.text) {
            Ok(()) => details.io = Some(Io::parse(&b.text)),
            Err(e) => count_some(e, losses),
        }
        path(&mut b.path, pid, "fd");
        details.open_files = open_files(host, &b.path, losses);
        let known = self.known(&process.stat);
        if known.age < 2 || known.lasting.is_none() {
            known.file_limits = file_limits(host, b, pid);
            let lasting = lasting(host, b, pid, losses);
            if known.lasting.as_deref() != Some(&lasting) {
                known.lasting = Some(Arc::new(lasting));
            }
        }
        details.file_limits = known.file_limits;
        details.lasting = known.lasting.clone().unwrap_or_default();
        process.details = Some(details);
    }
}

impl Known {
    fn new(stat: &Stat) -> Self {
        let (start, name) = (stat.start, stat.name);
        Self { start, name, seen: 0, age: 0, container: None, lasting: None, file_limits: None }
    }
}

/// The same identity is kept once.
fn keep(old: Option<Arc<Identity>>, new: Identity) -> Arc<Identity> {
    old.filter(|old| **old == new).unwrap_or_else(|| Arc::new(new))
}

fn status_line<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    lines(text).find_map(|line| line.strip_prefix(key))
}

impl Io {
    fn parse(text: &[u8]) -> Self {
        let mut io = Self::default();
        for line in lines(text) {
            let mut words = words(line);
            let (Some(name), Some(n)) = (words.next(), words.next().and_then(crate::scan::number)) else {
                continue;
            };
            match name {
                b"rchar:" => io.read_chars = n,
                b"wchar:" => io.written_chars = n,
                b"syscr:" => io.read_calls = n,
                b"syscw:" => io.write_calls = n,
                b"read_bytes:" => io.read_bytes = n,
                b"write_bytes:" => io.written_bytes = n,
                b"cancelled_write_bytes:" => io.cancelled_bytes = n,
                _ => {}
            }
        }
        io
    }
}

/// The number of open files: since Linux 6.2 the size of the directory, before that its entries are counted.
fn open_files(host: &Hostfs, name: &str, losses: &mut Losses) -> Option<u64> {
    match statat(host.proc(), name, AtFlags::empty()) {
        Ok(stat) if stat.st_size > 0 => return u64::try_from(stat.st_size).ok(),
        Ok(_) => {}
        Err(e) => {
            count_some(e, losses);
            return None;
        }
    }
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
    match rustix::fs::openat(host.proc(), name, flags, rustix::fs::Mode::empty()) {
        Ok(dir) => {
            let mut room = Vec::with_capacity(8 << 10);
            let mut entries = rustix::fs::RawDir::new(dir, room.spare_capacity_mut());
            let mut open = 0;
            while let Some(Ok(entry)) = entries.next() {
                open += u64::from(entry.file_name().to_bytes().first().is_some_and(u8::is_ascii_digit));
            }
            Some(open)
        }
        Err(e) => {
            count_some(e, losses);
            None
        }
    }
}

fn file_limits(host: &Hostfs, b: &mut Buffers, pid: u32) -> Option<(u64, u64)> {
    path(&mut b.path, pid, "limits");
    read_once(host.proc(), &b.path, &mut b.text).ok()?;
    let line = status_line(&b.text, b"Max open files")?;
    let mut limits = words(line).map(|w| crate::scan::number(w).unwrap_or(u64::MAX));
    Some((limits.next()?, limits.next()?))
}

fn lasting(host: &Hostfs, b: &mut Buffers, pid: u32, losses: &mut Losses) -> Lasting {
    let mut lasting = Lasting::default();
    path(&mut b.path, pid, "exe");
    // A thread of the kernel has none; others' may be hidden.
    lasting.executable =
        readlinkat(host.proc(), &*b.path, Vec::new()).ok().map(std::ffi::CString::into_bytes);
    path(&mut b.path, pid, "cmdline");
    if let Err(e) = read_once(host.proc(), &b.path, &mut b.text) {
        count_some(e, losses);
        return lasting;
    }
    if b.text.len() > MAX_COMMAND_LINE {
        b.text.truncate(MAX_COMMAND_LINE);
        losses.command_lines_cut += 1;
    }
    if !b.text.is_empty() {
        let Lasting { command_line: line, arguments, .. } = &mut lasting;
        losses.redacted += command_line(&b.text, line, |from, to| arguments.push((from, to)));
    }
    lasting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_pid_io() {
        let text = b"rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\ncancelled_write_bytes: 7\nnew: 8\n";
        let io = Io::parse(text);
        assert_eq!((io.read_chars, io.written_chars, io.read_calls, io.write_calls), (1, 2, 3, 4));
        assert_eq!((io.read_bytes, io.written_bytes, io.cancelled_bytes), (5, 6, 7));
    }
}
