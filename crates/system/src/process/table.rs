//! The list of processes, and which of them are told.

use regex::RegexSet;
use rustix::fs::{Mode, OFlags, RawDir, openat};
use rustix::io::Errno;

use super::{Process, Stat, earlier};
use crate::hostfs::{Hostfs, read_once};
use crate::losses::Losses;
use crate::scan::number;

/// Processes read at most. Linux gives out 4 million numbers at most, and seldom more than 32,768 by default.
const MAX: usize = 200_000;

/// Which processes are told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// Patterns of which the name must match one; none means every name.
    pub names: Option<RegexSet>,
    /// How many of those that use most CPU and how many of those that use most memory; `None`: all.
    pub top: Option<(usize, usize)>,
}

/// Reads the numbers and the first line of every process into `out`, by number. `buffers` keep their memory.
pub(crate) fn list(host: &Hostfs, buffers: &mut Buffers, out: &mut Vec<Process>, losses: &mut Losses) {
    out.clear();
    if numbers(host, buffers).is_err() {
        losses.unreadable += 1;
        return;
    }
    for pid in &buffers.pids {
        if out.len() == MAX {
            losses.processes_cut += 1;
            continue;
        }
        path(&mut buffers.path, *pid, "stat");
        match read_once(host.proc(), &buffers.path, &mut buffers.text) {
            Ok(()) => match Stat::parse(&buffers.text) {
                Some(stat) => out.push(Process { stat, ..Process::default() }),
                // Read while it ended.
                None if buffers.text.is_empty() => losses.processes_ended += 1,
                None => losses.unreadable += 1,
            },
            Err(e) => count(e, losses),
        }
    }
}

/// Counts why a file of a process could not be read.
pub(crate) fn count(error: Errno, losses: &mut Losses) {
    match error {
        Errno::NOENT | Errno::SRCH => losses.processes_ended += 1,
        Errno::ACCESS | Errno::PERM => losses.processes_refused += 1,
        _ => losses.unreadable += 1,
    }
}

/// [`count`] for a file that not every process or kernel has: its absence is no loss.
pub(crate) fn count_some(error: Errno, losses: &mut Losses) {
    if !matches!(error, Errno::NOENT | Errno::SRCH) {
        count(error, losses);
    }
}

/// Memory that is used again in each period.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) text: Vec<u8>,
    pub(crate) path: String,
    pids: Vec<u32>,
    entries: Vec<u8>,
}

/// `PID/FILE`.
pub(crate) fn path(out: &mut String, pid: u32, file: &str) {
    out.clear();
    out.push_str(itoa::Buffer::new().format(pid));
    out.push('/');
    out.push_str(file);
}

fn numbers(host: &Hostfs, buffers: &mut Buffers) -> Result<(), Errno> {
    buffers.pids.clear();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = openat(host.proc(), ".", flags, Mode::empty())?;
    buffers.entries.reserve(32 << 10);
    let mut entries = RawDir::new(dir, buffers.entries.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name.first().is_some_and(u8::is_ascii_digit)
            && let Some(pid) = number(name).and_then(|n| u32::try_from(n).ok())
        {
            buffers.pids.push(pid);
        }
    }
    buffers.pids.sort_unstable();
    buffers.pids.dedup();
    Ok(())
}

impl Choice {
    /// The places in `now` of the processes that are told, in order. Without an earlier measurement the time since the
    /// process began stands for the time since then.
    pub(crate) fn of(&self, now: &[Process], before: &[Process], out: &mut Vec<usize>) {
        out.clear();
        out.extend((0..now.len()).filter(|i| {
            let Some(names) = &self.names else { return true };
            names.is_match(&String::from_utf8_lossy(now[*i].stat.name.as_bytes()))
        }));
        let Some((by_cpu, by_memory)) = self.top else { return };
        if out.len() <= by_cpu.max(by_memory) {
            return;
        }
        let cpu = |i: usize| {
            let stat = &now[i].stat;
            let before = earlier(before, stat).map_or(0, |p| p.stat.ticks());
            stat.ticks().saturating_sub(before)
        };
        let mut chosen = top(out, by_cpu, cpu);
        chosen.extend(top(out, by_memory, |i| now[i].stat.resident));
        chosen.sort_unstable();
        chosen.dedup();
        std::mem::swap(out, &mut chosen);
    }
}

/// The `n` of `places` with the greatest `value`; of equals those that come first.
fn top(places: &[usize], n: usize, value: impl Fn(usize) -> u64) -> Vec<usize> {
    let mut keyed: Vec<(std::cmp::Reverse<u64>, usize)> =
        places.iter().map(|i| (std::cmp::Reverse(value(*i)), *i)).collect();
    if n < keyed.len() && n > 0 {
        keyed.select_nth_unstable(n - 1);
    }
    keyed.truncate(n);
    keyed.into_iter().map(|(_, i)| i).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn process(pid: u32, name: &str, ticks: u64, resident: u64) -> Process {
        let stat = Stat {
            pid,
            name: Name::new(name.as_bytes()),
            user: ticks,
            resident,
            start: 1,
            ..Stat::default()
        };
        Process { stat, ..Process::default() }
    }

    #[test]
    fn top_of_cpu_and_of_memory() {
        let before = [process(1, "a", 100, 0), process(2, "b", 900, 0)];
        let now = [
            process(1, "a", 200, 5),
            process(2, "b", 901, 6),
            process(3, "c", 50, 7),
            process(4, "d", 1, 900),
        ];
        let mut out = Vec::new();
        let mut choice = Choice { names: None, top: Some((2, 1)) };
        choice.of(&now, &before, &mut out);
        assert_eq!(out, [0, 2, 3], "a used 100, c 50, d most memory");
        choice.top = None;
        choice.of(&now, &before, &mut out);
        assert_eq!(out, [0, 1, 2, 3]);
        choice.names = Some(RegexSet::new(["^a$", "d"]).unwrap());
        choice.of(&now, &before, &mut out);
        assert_eq!(out, [0, 3]);
        choice.top = Some((0, 1));
        choice.of(&now, &before, &mut out);
        assert_eq!(out, [3]);
    }

    #[test]
    fn a_reused_number_is_another_process() {
        let mut again = process(1, "a", 5, 0);
        again.stat.start = 2;
        assert!(earlier(&[process(1, "a", 3, 0)], &again.stat).is_none());
        assert!(earlier(&[process(1, "a", 3, 0)], &process(1, "x", 4, 0).stat).is_some());
    }
}
