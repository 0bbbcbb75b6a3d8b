//! Reads the control groups of containers: version 2 where the unified hierarchy is mounted at `sys/fs/cgroup`, else 1.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::CWD;

use super::{Container, CpuUse, Identity, MemoryUse, Transfer, component};
use crate::hostfs::{Hostfs, read_at};
use crate::losses::Losses;
use crate::process::Process;
use crate::scan::{lines, number, value, words};

/// How deep containers are looked for, and in how many directories.
const DEPTH: usize = 8;
const DIRECTORIES: usize = 20_000;
/// Periods until a container that was not found is looked for again.
const AGAIN: u32 = 6;
/// Containers measured at most.
const MAX: usize = 10_000;

/// Finds and reads control groups.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// Where each container's group lies below a hierarchy.
    places: HashMap<String, Place>,
    period: u32,
    text: Vec<u8>,
}

#[derive(Debug)]
struct Place {
    path: Option<PathBuf>,
    seen: u32,
    looked: u32,
}

impl Reader {
    /// Reads every container that one of `processes` is in, by id.
    pub(crate) fn read(
        &mut self,
        host: &Hostfs,
        processes: &[Process],
        hertz: u64,
        out: &mut Vec<Container>,
        losses: &mut Losses,
    ) {
        out.clear();
        self.period = self.period.wrapping_add(1);
        let mut seen = HashSet::new();
        let mut all: Vec<&Arc<Identity>> = Vec::new();
        for container in processes.iter().filter_map(|p| p.container.as_ref()) {
            if all.len() < MAX && seen.insert(container.id.as_str()) {
                all.push(container);
            }
        }
        all.sort_unstable_by(|x, y| x.id.cmp(&y.id));
        let root = host.path("sys/fs/cgroup");
        let unified = root.join("cgroup.controllers").exists();
        for identity in all {
            let Some(place) = self.place(&root, unified, identity) else {
                losses.containers_refused += 1;
                continue;
            };
            let container = if unified {
                self.version_2(&root.join(place), identity)
            } else {
                self.version_1(&root, &place, identity, hertz)
            };
            match container {
                Some(container) => out.push(container),
                // Gone, or moved: looked for again.
                None => {
                    losses.containers_refused += 1;
                    self.places.remove(&identity.id);
                }
            }
        }
        let period = self.period;
        self.places.retain(|_, place| place.seen == period);
    }

    /// Where the container's group lies below the hierarchies' roots.
    fn place(&mut self, root: &Path, unified: bool, identity: &Identity) -> Option<PathBuf> {
        let period = self.period;
        if let Some(place) = self.places.get_mut(&identity.id) {
            place.seen = period;
            if place.path.is_some() || period.wrapping_sub(place.looked) < AGAIN {
                return place.path.clone();
            }
        }
        let tree = if unified { root.to_owned() } else { controller(root, "memory", "memory") };
        let told = PathBuf::from(identity.path.trim_start_matches('/'));
        // In a namespace of our own, paths of others lead upwards; they are never followed.
        let plain = told.components().all(|c| matches!(c, std::path::Component::Normal(_)));
        let path = if plain && tree.join(&told).is_dir() { Some(told) } else { find(&tree, &identity.id) };
        let place = Place { path: path.clone(), seen: period, looked: period };
        self.places.insert(identity.id.clone(), place);
        path
    }

    fn file(&mut self, path: &Path) -> Option<&[u8]> {
        read_at(CWD, path.to_str()?, &mut self.text).ok()?;
        Some(&self.text)
    }

    fn number(&mut self, path: &Path) -> Option<u64> {
        self.file(path).and_then(number)
    }

    /// A limit: `max` is none.
    fn limit(&mut self, path: &Path) -> Option<u64> {
        // Version 1 writes "no limit" as the largest multiple of a page.
        self.number(path).filter(|n| *n < 1 << 62)
    }

    fn version_2(&mut self, dir: &Path, identity: &Arc<Identity>) -> Option<Container> {
        let micros = |text: &[u8], key: &[u8]| value(text, key).unwrap_or(0).saturating_mul(1000);
        let stat = self.file(&dir.join("cpu.stat"))?;
        let mut cpu = CpuUse {
            total: micros(stat, b"usage_usec"),
            user: micros(stat, b"user_usec"),
            system: micros(stat, b"system_usec"),
            periods: value(stat, b"nr_periods").unwrap_or(0),
            throttled_periods: value(stat, b"nr_throttled").unwrap_or(0),
            throttled: micros(stat, b"throttled_usec"),
            limit: None,
        };
        if let Some(max) = self.file(&dir.join("cpu.max")) {
            let mut words = words(max).map(number);
            cpu.limit = quota(words.next().flatten(), words.next().flatten());
        }
        let memory = self.number(&dir.join("memory.current")).map(|usage| {
            let stat = self.file(&dir.join("memory.stat")).unwrap_or_default();
            let rss = value(stat, b"anon").unwrap_or(0);
            let inactive_file = value(stat, b"inactive_file").unwrap_or(0);
            let failures = self.file(&dir.join("memory.events")).and_then(|t| value(t, b"max")).unwrap_or(0);
            let peak = self.number(&dir.join("memory.peak"));
            let limit = self.limit(&dir.join("memory.max"));
            MemoryUse { usage, peak, limit, rss, inactive_file, failures }
        });
        let io = self.file(&dir.join("io.stat")).map(io_stat);
        let pids = self.number(&dir.join("pids.current"));
        let pids = pids.map(|n| (n, self.limit(&dir.join("pids.max"))));
        Some(Container { identity: Arc::clone(identity), cpu: Some(cpu), memory, io, pids })
    }

    fn version_1(
        &mut self,
        root: &Path,
        place: &Path,
        identity: &Arc<Identity>,
        hertz: u64,
    ) -> Option<Container> {
        let cpu = self.cpu_1(root, place, hertz);
        let memory = self.memory_1(&controller(root, "memory", "memory").join(place));
        let blkio = controller(root, "blkio", "blkio").join(place);
        let io = self.file(&blkio.join("blkio.throttle.io_service_bytes_recursive")).map(by_operation);
        let io = io.map(|bytes| {
            let counts = self.file(&blkio.join("blkio.throttle.io_serviced_recursive")).map(by_operation);
            let counts = counts.unwrap_or_default();
            [0, 1].map(|i| Transfer { bytes: bytes[i], count: counts[i] })
        });
        let dir = controller(root, "pids", "pids").join(place);
        let pids = self.number(&dir.join("pids.current")).map(|n| (n, self.limit(&dir.join("pids.max"))));
        if cpu.is_none() && memory.is_none() {
            return None;
        }
        Some(Container { identity: Arc::clone(identity), cpu, memory, io, pids })
    }

    fn cpu_1(&mut self, root: &Path, place: &Path, hertz: u64) -> Option<CpuUse> {
        let dir = controller(root, "cpuacct", "cpu,cpuacct").join(place);
        let mut cpu = CpuUse { total: self.number(&dir.join("cpuacct.usage"))?, ..CpuUse::default() };
        if let Some(stat) = self.file(&dir.join("cpuacct.stat")) {
            let nanos = |key| value(stat, key).unwrap_or(0).saturating_mul(1_000_000_000 / hertz.max(1));
            (cpu.user, cpu.system) = (nanos(b"user"), nanos(b"system"));
        }
        let dir = controller(root, "cpu", "cpu,cpuacct").join(place);
        if let Some(stat) = self.file(&dir.join("cpu.stat")) {
            cpu.periods = value(stat, b"nr_periods").unwrap_or(0);
            cpu.throttled_periods = value(stat, b"nr_throttled").unwrap_or(0);
            cpu.throttled = value(stat, b"throttled_time").unwrap_or(0);
        }
        // -1 is no limit, and no number.
        let quota_us = self.number(&dir.join("cpu.cfs_quota_us"));
        cpu.limit = quota(quota_us, self.number(&dir.join("cpu.cfs_period_us")));
        Some(cpu)
    }

    fn memory_1(&mut self, dir: &Path) -> Option<MemoryUse> {
        let usage = self.number(&dir.join("memory.usage_in_bytes"))?;
        let stat = self.file(&dir.join("memory.stat")).unwrap_or_default();
        let rss = value(stat, b"total_rss").unwrap_or(0);
        let inactive_file = value(stat, b"total_inactive_file").unwrap_or(0);
        let peak = self.number(&dir.join("memory.max_usage_in_bytes"));
        let limit = self.limit(&dir.join("memory.limit_in_bytes"));
        let failures = self.number(&dir.join("memory.failcnt")).unwrap_or(0);
        Some(MemoryUse { usage, peak, limit, rss, inactive_file, failures })
    }
}

/// The directory of a controller of version 1, which may be mounted together with another.
fn controller(root: &Path, name: &str, together: &str) -> PathBuf {
    let own = root.join(name);
    if own.is_dir() { own } else { root.join(together) }
}

fn quota(quota: Option<u64>, period: Option<u64>) -> Option<u64> {
    let (quota, period) = (quota?, period.filter(|p| *p > 0)?);
    Some(quota.saturating_mul(1000) / period)
}

/// Looks for a directory with this id in its name, breadth first. Links are not followed.
fn find(tree: &Path, id: &str) -> Option<PathBuf> {
    let mut level = vec![PathBuf::new()];
    let mut looked = 0;
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for dir in level {
            for entry in fs::read_dir(tree.join(&dir)).into_iter().flatten().flatten() {
                if !entry.file_type().is_ok_and(|t| t.is_dir()) {
                    continue;
                }
                looked += 1;
                let name = entry.file_name();
                let path = dir.join(&name);
                if component(name.as_encoded_bytes()).is_some_and(|(found, _)| found == id) {
                    return Some(path);
                }
                if looked > DIRECTORIES {
                    return None;
                }
                next.push(path);
            }
        }
        level = next;
    }
    None
}

/// `io.stat` of version 2: `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`, one device a line.
fn io_stat(text: &[u8]) -> [Transfer; 2] {
    let mut io = [Transfer::default(); 2];
    for word in lines(text).flat_map(|line| words(line).skip(1)) {
        let Some(equals) = memchr::memchr(b'=', word) else { continue };
        let n = number(&word[equals + 1..]).unwrap_or(0);
        let slot = match &word[..equals] {
            b"rbytes" => &mut io[0].bytes,
            b"wbytes" => &mut io[1].bytes,
            b"rios" => &mut io[0].count,
            b"wios" => &mut io[1].count,
            _ => continue,
        };
        *slot = slot.saturating_add(n);
    }
    io
}

/// Tables of blkio: `8:0 Read 1`; reads and writes of all devices.
fn by_operation(text: &[u8]) -> [u64; 2] {
    let mut sums = [0u64; 2];
    for line in lines(text) {
        let mut words = words(line).skip(1);
        let slot = match words.next() {
            Some(b"Read") => &mut sums[0],
            Some(b"Write") => &mut sums[1],
            _ => continue,
        };
        *slot = slot.saturating_add(words.next().and_then(number).unwrap_or(0));
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::identify;

    const ID: &str = "4f2d0c6e8b1a3957c0d4e6f8a1b3c5d7e9f0a2b4c6d8eafc1e3f507192b3d4e5";

    fn fixture(version: &str) -> (Hostfs, Vec<Process>) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(version);
        let text = fs::read(root.join("proc/cgroup.txt")).unwrap();
        let identity = identify(&text).unwrap();
        assert_eq!(identity.id, ID);
        let process = Process { container: Some(Arc::new(identity)), ..Process::default() };
        (Hostfs::open(&root).unwrap(), vec![process.clone(), process])
    }

    fn read(host: &Hostfs, processes: &[Process], losses: &mut Losses) -> Vec<Container> {
        let mut out = Vec::new();
        Reader::default().read(host, processes, 100, &mut out, losses);
        out
    }

    #[test]
    fn version_1() {
        let (host, processes) = fixture("v1");
        let mut losses = Losses::default();
        let found = read(&host, &processes, &mut losses);
        assert_eq!(found.len(), 1, "two processes, one container");
        let expected = CpuUse {
            total: 1_559_152_513,
            user: 1_510_000_000,
            system: 40_000_000,
            periods: 38,
            throttled_periods: 30,
            throttled: 713_488_217,
            limit: Some(500),
        };
        assert_eq!(found[0].cpu, Some(expected));
        let memory = found[0].memory.unwrap();
        assert_eq!((memory.usage, memory.peak, memory.limit), (11_124_736, Some(32_571_392), Some(64 << 20)));
        assert_eq!((memory.rss, memory.inactive_file, memory.failures), (86_016, 10_489_856, 0));
        // 30 MiB each way, as dd was told.
        let transfer = |count| Transfer { bytes: 30 << 20, count };
        assert_eq!(found[0].io, Some([transfer(60), transfer(30)]));
        assert_eq!(found[0].pids, Some((3, Some(50))));
        assert_eq!(losses, Losses::default());
    }

    #[test]
    fn version_2() {
        let (host, processes) = fixture("v2");
        let found = read(&host, &processes, &mut Losses::default());
        let cpu = found[0].cpu.unwrap();
        assert_eq!((cpu.total, cpu.user, cpu.system), (1_559_152_000, 1_510_000_000, 49_152_000));
        assert_eq!((cpu.periods, cpu.throttled_periods, cpu.throttled), (38, 30, 713_488_000));
        assert_eq!(cpu.limit, Some(500));
        let memory = found[0].memory.unwrap();
        assert_eq!((memory.usage, memory.peak, memory.limit), (11_124_736, Some(32_571_392), Some(64 << 20)));
        assert_eq!((memory.rss, memory.inactive_file, memory.failures), (86_016, 10_489_856, 7));
        let both =
            [Transfer { bytes: (30 << 20) + 4096, count: 61 }, Transfer { bytes: 30 << 20, count: 30 }];
        assert_eq!(found[0].io, Some(both));
        assert_eq!(found[0].pids, Some((3, None)), "max is no limit");
        assert_eq!(found[0].identity.runtime, "docker");
    }

    #[test]
    fn a_path_of_another_namespace_is_found_by_its_id() {
        for version in ["v1", "v2"] {
            let (host, _) = fixture(version);
            let path = format!("/../{ID}");
            let identity = Arc::new(Identity { id: ID.into(), path, ..Identity::default() });
            let process = Process { container: Some(identity), ..Process::default() };
            let found = read(&host, &[process], &mut Losses::default());
            assert_eq!(found[0].memory.unwrap().usage, 11_124_736, "{version}");
        }
    }

    #[test]
    fn a_container_without_a_group_is_counted() {
        let (host, _) = fixture("v2");
        let identity =
            Arc::new(Identity { id: "0".repeat(64), path: "/nowhere".into(), ..Identity::default() });
        let process = Process { container: Some(identity), ..Process::default() };
        let mut losses = Losses::default();
        assert!(read(&host, &[process], &mut losses).is_empty());
        assert_eq!(losses.containers_refused, 1);
    }
}
