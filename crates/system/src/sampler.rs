//! Reads snapshots. All input of this room happens below [`Sampler::sample`], and through [`Hostfs`].

use std::io;
use std::time::Instant;

use wirebeat_model::Time;

use crate::container::Reader;
use crate::cpu::Cpu;
use crate::filesystem::{Asker, parse_mounts, parse_nodev};
use crate::hostfs::{Hostfs, read_at};
use crate::losses::Losses;
use crate::memory::Memory;
use crate::name::Name;
use crate::options::Options;
use crate::process::{Buffers, Cache, Choice, list};
use crate::snapshot::Snapshot;
use crate::sockets::{Sockets, in_use};
use crate::{diskio, load, network};

/// TCP sockets of which the states are looked at, as text (a microsecond each) and by netlink.
const MAX_AS_TEXT: u64 = 10_000;
const MAX_SOCKETS: u64 = 100_000;

/// Reads the host.
pub struct Sampler {
    host: Hostfs,
    options: Options,
    choice: Choice,
    begun: Instant,
    text: Vec<u8>,
    buffers: Buffers,
    cache: Cache,
    asker: Asker,
    containers: Reader,
    nodev: Vec<String>,
    /// Ticks a second.
    pub(crate) hertz: u64,
    /// Bytes a page.
    pub(crate) page: u64,
    pub(crate) losses: Losses,
}

impl Sampler {
    /// For these options.
    ///
    /// # Errors
    /// When the host has no `proc`.
    pub fn new(options: &Options) -> io::Result<Self> {
        let host = Hostfs::open(&options.hostfs)?;
        let mut text = Vec::new();
        let nodev = host.read("filesystems", &mut text).map(|()| parse_nodev(&text)).unwrap_or_default();
        Ok(Self {
            host,
            choice: Choice { names: options.names.clone(), top: options.top },
            options: options.clone(),
            begun: Instant::now(),
            text,
            buffers: Buffers::default(),
            cache: Cache::default(),
            asker: Asker::default(),
            containers: Reader::default(),
            nodev,
            hertz: rustix::param::clock_ticks_per_second(),
            page: rustix::param::page_size() as u64,
            losses: Losses::default(),
        })
    }

    /// What was not read.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Where filesystems hang.
    pub fn hung(&self) -> impl Iterator<Item = &str> {
        self.asker.hung()
    }

    /// The host's name.
    pub fn host_name(&mut self) -> String {
        let read = if self.host.is_elsewhere() {
            // The kernel would say our container's name.
            read_at(self.host.proc(), "../etc/hostname", &mut self.text)
        } else {
            self.host.read("sys/kernel/hostname", &mut self.text)
        };
        match read {
            Ok(()) => String::from_utf8_lossy(self.text.trim_ascii()).chars().take(255).collect(),
            Err(_) => String::new(),
        }
    }

    /// Reads the host into `now`. `before` says which processes were busy since.
    pub fn sample(&mut self, wall: Time, before: Option<&Snapshot>, now: &mut Snapshot) {
        self.losses.periods += 1;
        let sets = self.options.sets;
        now.wall = wall;
        now.at = self.begun.elapsed();
        now.cpu = self.file("stat", &mut now.cpu.take().unwrap_or_default(), |text, cpu: &mut Cpu| {
            cpu.parse(text);
            Some(std::mem::take(cpu))
        });
        now.memory = self.file("meminfo", &mut (), |text, ()| Memory::parse(text));
        now.load =
            sets.load.then(|| self.file("loadavg", &mut (), |text, ()| load::parse_load(text))).flatten();
        now.uptime =
            sets.uptime.then(|| self.file("uptime", &mut (), |text, ()| load::parse_uptime(text))).flatten();
        now.network = sets.network.then(|| self.network(now.network.take())).flatten();
        now.sockets = sets.socket_summary.then(|| self.sockets()).flatten();
        let disks = now.disks.take();
        now.disks = sets
            .diskio
            .then(|| {
                self.file("diskstats", &mut disks.unwrap_or_default(), |text, disks| {
                    diskio::parse(text, disks);
                    Some(std::mem::take(disks))
                })
            })
            .flatten();
        self.whole_disks(&mut now.whole_disks);
        self.processes(before, now);
        now.containers_at = self.begun.elapsed();
        if sets.container {
            let Self { containers, host, losses, hertz, .. } = self;
            containers.read(host, &now.processes, *hertz, &mut now.containers, losses);
        }
        if sets.filesystem || sets.fsstat {
            let mut filesystems = now.filesystems.take().unwrap_or_default();
            let mounts = self.mounts();
            self.asker.ask(self.host.root(), mounts, &mut filesystems, &mut self.losses);
            now.filesystems = Some(filesystems);
        }
    }

    /// Reads a file of `proc` and what it means.
    fn file<T, R>(
        &mut self,
        name: &str,
        reuse: &mut R,
        parse: impl FnOnce(&[u8], &mut R) -> Option<T>,
    ) -> Option<T> {
        let read = self.host.read(name, &mut self.text).ok();
        let parsed = read.and_then(|()| parse(&self.text, reuse));
        if parsed.is_none() {
            self.losses.unreadable += 1;
        }
        parsed
    }

    /// A file of the host's network namespace: that of process 1 when the host is elsewhere.
    fn net<T, R>(
        &mut self,
        name: &str,
        reuse: &mut R,
        parse: impl Fn(&[u8], &mut R) -> Option<T>,
    ) -> Option<T> {
        let of_host = format!("1/net/{name}");
        if self.host.is_elsewhere() && self.host.read(&of_host, &mut self.text).is_ok() {
            return parse(&self.text, reuse);
        }
        self.file(&format!("net/{name}"), reuse, parse)
    }

    fn network(&mut self, reuse: Option<Vec<network::Interface>>) -> Option<Vec<network::Interface>> {
        self.net("dev", &mut reuse.unwrap_or_default(), |text, out| {
            network::parse(text, out);
            Some(std::mem::take(out))
        })
    }

    fn sockets(&mut self) -> Option<(Sockets, bool)> {
        let mut sockets = Sockets::default();
        let page = self.page;
        let many = self.net("sockstat", &mut sockets, |text, sockets| {
            sockets.add_sockstat(text, page);
            Some(in_use(text))
        })?;
        // There is no IPv6 on some hosts.
        let many = many + self.quiet("sockstat6", &mut sockets, |text, _| in_use(text)).unwrap_or(0);
        let elsewhere = self.host.is_elsewhere();
        if many > if elsewhere { MAX_AS_TEXT } else { MAX_SOCKETS } {
            self.losses.sockets_not_listed += 1;
            sockets.tcp[0] = many;
            return Some((sockets, false));
        }
        let tcp = |text: &[u8], sockets: &mut Sockets| sockets.add_tcp(text);
        let udp = |text: &[u8], sockets: &mut Sockets| sockets.add_udp(text);
        let mut listed = !elsewhere && crate::sockets::count(&mut sockets).is_ok();
        if !listed && many <= MAX_AS_TEXT {
            listed = self.quiet("tcp", &mut sockets, tcp).is_some();
            self.quiet("tcp6", &mut sockets, tcp);
        }
        self.quiet("udp", &mut sockets, udp);
        self.quiet("udp6", &mut sockets, udp);
        self.losses.unreadable += u64::from(!listed);
        Some((sockets, listed))
    }

    /// [`Sampler::net`] for a file that need not be there.
    fn quiet<T, R>(&mut self, name: &str, reuse: &mut R, parse: impl Fn(&[u8], &mut R) -> T) -> Option<T> {
        let unreadable = self.losses.unreadable;
        let result = self.net(name, reuse, |text, reuse| Some(parse(text, reuse)));
        self.losses.unreadable = unreadable;
        result
    }

    fn whole_disks(&self, out: &mut Vec<Name>) {
        out.clear();
        if !self.options.sets.diskio {
            return;
        }
        let made_of_others = ["dm-", "md", "loop", "ram", "zram", "nbd", "sr"];
        for entry in std::fs::read_dir(self.host.path("sys/block")).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.as_encoded_bytes();
            if !made_of_others.iter().any(|m| name.starts_with(m.as_bytes())) {
                out.push(Name::new(name));
            }
        }
    }

    fn processes(&mut self, before: Option<&Snapshot>, now: &mut Snapshot) {
        let sets = self.options.sets;
        now.processes_at = self.begun.elapsed();
        now.told.clear();
        if !(sets.process || sets.process_summary || sets.container) {
            now.processes.clear();
            return;
        }
        let Self { host, buffers, cache, losses, .. } = self;
        list(host, buffers, &mut now.processes, losses);
        cache.begin(host);
        if sets.process || sets.container {
            cache.containers(host, buffers, &mut now.processes, losses);
        }
        if sets.process {
            let before = before.map_or(&[][..], |b| &b.processes);
            self.choice.of(&now.processes, before, &mut now.told);
            for told in &now.told {
                if let Some(process) = now.processes.get_mut(*told) {
                    cache.details(host, buffers, process, losses);
                }
            }
        }
        cache.end();
    }

    fn mounts(&mut self) -> Vec<crate::filesystem::Mount> {
        let Self { host, text, options, nodev, losses, .. } = self;
        let ignored = |kind: &str| options.ignore_types.as_ref().unwrap_or(nodev).iter().any(|i| i == kind);
        // What is mounted below the host's root as we see it is what we can ask.
        let root = host.root().to_string_lossy();
        let below = host.is_elsewhere().then(|| root.trim_end_matches('/'));
        let read = if below.is_some() {
            read_at(rustix::fs::CWD, "/proc/self/mounts", text)
        } else {
            host.read("self/mounts", text)
        };
        match read {
            Ok(()) => parse_mounts(text, &ignored, below),
            Err(_) => {
                losses.unreadable += 1;
                Vec::new()
            }
        }
    }
}
