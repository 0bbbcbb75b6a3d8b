//! From one snapshot and the one before to events.

use std::io;
use std::time::Duration;

use wirebeat_model::{Event, Pool, Time};

use crate::emit::{Envelope, Writer};
use crate::losses::Losses;
use crate::options::{Options, Sets};
use crate::process::{self, Scale, Since};
use crate::sampler::Sampler;
use crate::snapshot::Snapshot;
use crate::{container, cpu, diskio, filesystem, load, memory, network, sockets};

/// The host, period after period.
pub struct Metrics {
    sampler: Sampler,
    envelope: Envelope,
    sets: Sets,
    before: Option<Snapshot>,
    now: Snapshot,
    events: Vec<Event>,
    pool: Pool,
    number: u32,
}

impl Metrics {
    /// For these options.
    ///
    /// # Errors
    /// When the host has no `proc`.
    pub fn new(options: &Options) -> io::Result<Self> {
        let mut sampler = Sampler::new(options)?;
        let envelope = Envelope {
            host: sampler.host_name(),
            period: options.period,
            tags: options.tags.clone(),
            fields_1x: options.fields_1x,
            source: options.source,
        };
        Ok(Self {
            sampler,
            envelope,
            sets: options.sets,
            before: None,
            now: Snapshot::default(),
            events: Vec::new(),
            pool: Pool::default(),
            number: 0,
        })
    }

    /// Measures, and answers the events; take them out. `now` is their time. The first have no shares and no rates.
    pub fn period(&mut self, now: Time) -> &mut Vec<Event> {
        for event in self.events.drain(..) {
            self.pool.give(event);
        }
        self.sampler.sample(now, self.before.as_ref(), &mut self.now);
        let scale = (self.sampler.hertz, self.sampler.page);
        let mut writer = Writer {
            envelope: &self.envelope,
            pool: &mut self.pool,
            events: &mut self.events,
            at: now,
            number: &mut self.number,
        };
        events(&self.now, self.before.as_ref(), &self.sets, scale, &mut writer);
        let next = self.before.take().unwrap_or_default();
        self.before = Some(std::mem::replace(&mut self.now, next));
        &mut self.events
    }

    /// Gives events back to be used again.
    pub fn give(&mut self, events: impl IntoIterator<Item = Event>) {
        events.into_iter().for_each(|event| self.pool.give(event));
    }

    /// What was measured last.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.before.as_ref()
    }

    /// What could not be measured.
    pub fn losses(&self) -> &Losses {
        self.sampler.losses()
    }

    /// Where filesystems hang.
    pub fn hung(&self) -> impl Iterator<Item = &str> {
        self.sampler.hung()
    }

    /// The host's name.
    pub fn host_name(&self) -> &str {
        &self.envelope.host
    }

    /// Measures once, then every period, until `wait` (which sleeps so long) or `take` (which gets the events) answers
    /// false. A measurement that takes longer than a period leaves periods out, counted; none is made up for.
    pub fn every(
        &mut self,
        mut wait: impl FnMut(Duration) -> bool,
        mut take: impl FnMut(&mut Vec<Event>, &Losses) -> bool,
    ) {
        let period = self.envelope.period.max(Duration::from_millis(1));
        let begun = std::time::Instant::now();
        let mut due = Duration::ZERO;
        loop {
            self.period(Time::now());
            if !take(&mut self.events, self.sampler.losses()) {
                return;
            }
            due += period;
            let passed = begun.elapsed();
            if let Some(late) = passed.checked_sub(due) {
                let skipped = u32::try_from(late.as_nanos() / period.as_nanos()).unwrap_or(u32::MAX - 1) + 1;
                self.sampler.losses.periods_skipped += u64::from(skipped);
                due = due.saturating_add(period.saturating_mul(skipped));
            }
            if !wait(due.saturating_sub(passed)) {
                return;
            }
        }
    }
}

/// The events of `now`, with the changes since `before`. `scale`: ticks a second and bytes a page.
pub(crate) fn events(
    now: &Snapshot,
    before: Option<&Snapshot>,
    sets: &Sets,
    scale: (u64, u64),
    out: &mut Writer<'_>,
) {
    let cores = now.cpu.as_ref().map_or(1, cpu::Cpu::count);
    let since = before.map(|b| seconds(b.at, now.at));
    if let Some(cpu) = now.cpu.as_ref().filter(|_| sets.cpu) {
        cpu::events(cpu, before.and_then(|b| b.cpu.as_ref()), sets.core, out);
    }
    if let Some(load) = now.load {
        load::load(load, cores, out);
    }
    if let Some(memory) = now.memory.as_ref().filter(|_| sets.memory) {
        memory::event(memory, out);
    }
    if let Some(uptime) = now.uptime {
        load::uptime(uptime, out);
    }
    if let Some(network) = &now.network {
        network::events(network, before.and_then(|b| b.network.as_deref()), out);
    }
    if let Some((sockets, listed)) = &now.sockets {
        sockets::event(sockets, *listed, out);
    }
    if let Some(disks) = &now.disks {
        let earlier = before.and_then(|b| b.disks.as_deref()).zip(since);
        diskio::events(disks, earlier, &now.whole_disks, out);
    }
    if let Some(filesystems) = &now.filesystems {
        filesystem::events(filesystems, sets, out);
    }
    processes(now, before, sets, scale, cores, out);
    let memory = now.memory.map_or(0, |m| m.total);
    for container in &now.containers {
        let earlier = before.and_then(|b| {
            let at = b.containers.binary_search_by(|c| c.identity.id.cmp(&container.identity.id)).ok()?;
            Some((b.containers.get(at)?, seconds(b.containers_at, now.containers_at)))
        });
        container::events(container, earlier, cores, memory, out);
    }
}

fn processes(
    now: &Snapshot,
    before: Option<&Snapshot>,
    sets: &Sets,
    (hertz, page): (u64, u64),
    cores: usize,
    out: &mut Writer<'_>,
) {
    if sets.process_summary {
        process::summary(&now.processes, now.cpu.as_ref(), out);
    }
    let scale = Scale {
        hertz,
        page,
        cores,
        memory: now.memory.map_or(0, |m| m.total),
        boot: now.cpu.as_ref().map_or(0, |c| c.boot),
    };
    let newest = before.and_then(|b| b.processes.iter().map(|p| p.stat.start).max());
    for told in now.told.iter().filter_map(|at| now.processes.get(*at)) {
        let since = before.and_then(|b| {
            let spent = match process::earlier(&b.processes, &told.stat) {
                Some(earlier) => earlier.stat.ticks(),
                // It began after all that were there before: whatever it used it used since.
                None if newest.is_some_and(|newest| told.stat.start >= newest) => 0,
                // It was there and was not read.
                None => return None,
            };
            let ticks = told.stat.ticks().saturating_sub(spent);
            let wall = seconds(b.processes_at, now.processes_at) * 1000.0;
            Some(Since { cpu: scale.milliseconds(ticks), wall })
        });
        process::events(told, since, &scale, out);
    }
}

fn seconds(from: Duration, to: Duration) -> f64 {
    to.saturating_sub(from).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::{Cpu, Ticks};
    use crate::memory::Memory;
    use crate::name::Name;
    use crate::process::{Details, Process, Stat};
    use wirebeat_model::{JsonWriter, Precision, Schema};

    fn schema() -> &'static Schema {
        let mut fields = crate::fields();
        fields.push(wirebeat_model::ecs::FIELDS);
        Schema::install(&fields)
    }

    /// The events as JSON, by dataset.
    fn told(now: &Snapshot, before: Option<&Snapshot>, fields_1x: bool) -> Vec<serde_json::Value> {
        let envelope =
            Envelope { host: "h".into(), period: Duration::from_secs(10), fields_1x, ..Envelope::default() };
        let mut json = JsonWriter::new(schema(), Precision::Milli);
        let (mut pool, mut out, mut number) = (Pool::default(), Vec::new(), 0);
        let mut writer = Writer {
            envelope: &envelope,
            pool: &mut pool,
            events: &mut out,
            at: now.wall,
            number: &mut number,
        };
        let sets = Sets { core: true, ..Sets::default() };
        events(now, before, &sets, (100, 4096), &mut writer);
        let mut ids: Vec<_> = out.iter().map(|e| e.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), out.len(), "every event has an id of its own");
        out.iter()
            .map(|event| {
                let mut text = Vec::new();
                json.write(&event.fields, &mut text);
                serde_json::from_slice(&text).unwrap()
            })
            .collect()
    }

    fn of<'a>(events: &'a [serde_json::Value], dataset: &str) -> &'a serde_json::Value {
        events.iter().find(|e| e["event"]["dataset"] == dataset).unwrap_or_else(|| panic!("no {dataset}"))
    }

    fn at(seconds: u64, ticks: [u64; 8], process: u64) -> Snapshot {
        let half = Ticks(ticks.map(|n| n / 2));
        let stat = Stat {
            pid: 7,
            name: Name::new(b"work\x1b[2J"),
            state: b'D',
            user: process,
            start: 600,
            resident: 256,
            ..Stat::default()
        };
        Snapshot {
            wall: Time(1_700_000_000_000_000_000),
            at: Duration::from_secs(seconds),
            processes_at: Duration::from_secs(seconds),
            cpu: Some(Cpu {
                all: Ticks(ticks),
                cores: vec![(0, half), (1, half)],
                boot: 1_600_000_000,
                ..Cpu::default()
            }),
            memory: Some(Memory {
                total: 1 << 22,
                free: 1 << 20,
                available: Some(1 << 21),
                ..Memory::default()
            }),
            processes: vec![Process { stat, details: Some(Details::default()), ..Process::default() }],
            told: vec![0],
            ..Snapshot::default()
        }
    }

    #[test]
    fn the_first_period_has_no_shares() {
        let now = at(10, [100; 8], 50);
        let events = told(&now, None, false);
        let cpu = of(&events, "system.cpu");
        assert_eq!(cpu["system"]["cpu"]["user"], serde_json::json!({"ticks": 100}));
        assert_eq!(cpu["system"]["cpu"].get("total"), None);
        assert_eq!(cpu.get("count"), None);
        let process = of(&events, "system.process");
        let cpu = &process["system"]["process"]["cpu"];
        assert_eq!(cpu["total"], serde_json::json!({"value": 500}));
        // 600 ticks after boot: 1,600,000,006.
        assert_eq!(cpu["start_time"], "2020-09-13T12:26:46.000Z");
        assert_eq!(
            process["system"]["process"]["memory"]["rss"],
            serde_json::json!({"bytes": 1 << 20, "pct": 0.25})
        );
        assert_eq!(process["process"]["name"], "work\u{1b}[2J");
    }

    #[test]
    fn shares_are_metricbeat_s() {
        let before = at(10, [0; 8], 50);
        // 1000 ticks on two cores: user 200, nice 10, system 100, idle 500, iowait 150, irq 10, softirq 10, steal 20.
        let now = at(15, [200, 10, 100, 500, 150, 10, 10, 20], 300);
        let events = told(&now, Some(&before), true);
        let cpu = of(&events, "system.cpu");
        let field = |name: &str, kind: &str| cpu["system"]["cpu"][name].pointer(kind).cloned().unwrap();
        for (mode, norm) in
            [("user", 0.2), ("nice", 0.01), ("system", 0.1), ("idle", 0.5), ("iowait", 0.15), ("steal", 0.02)]
        {
            assert_eq!(field(mode, "/norm/pct"), norm, "{mode}");
            assert_eq!(field(mode, "/pct"), norm * 2.0, "{mode}");
        }
        assert_eq!((field("total", "/norm/pct"), field("total", "/pct")), (0.35.into(), 0.7.into()));
        assert_eq!(cpu["host"]["cpu"]["usage"], 0.35);
        assert_eq!(cpu["count"], 1);
        assert_eq!(cpu["cpus"]["cpu1.user_p"], 0.2);
        let core = of(&events, "system.core");
        assert_eq!((&core["type"], &core["system"]["core"]["user"]["pct"]), (&"core".into(), &0.2.into()));
        // 250 ticks are 2500 ms of 5000.
        let process = of(&events, "system.process");
        assert_eq!(process["system"]["process"]["cpu"]["total"]["pct"], 0.5);
        assert_eq!(process["system"]["process"]["cpu"]["total"]["norm"]["pct"], 0.25);
        assert_eq!(
            (&process["system"]["process"]["state"], &process["proc"]["state"]),
            (&"disk_sleep".into(), &"idle".into())
        );
        assert_eq!(process["proc"]["cpu"]["start_time"], "12:26");
        let memory = of(&events, "system.memory");
        assert_eq!(memory["system"]["memory"]["used"]["pct"], 0.75);
        assert_eq!(memory["system"]["memory"]["actual"]["used"]["pct"], 0.5);
        assert_eq!(memory["mem"]["actual_used_p"], 0.75, "as Topbeat counted: free, buffers and cache");
        let summary = of(&events, "system.process.summary");
        assert_eq!(summary["system"]["process"]["summary"]["disk_sleep"], 1);
    }

    #[test]
    fn a_process_that_began_since_used_all_its_time_since() {
        let before = at(10, [0; 8], 50);
        let mut now = at(15, [100; 8], 300);
        let pct = |now: &Snapshot| {
            let events = told(now, Some(&before), false);
            of(&events, "system.process")["system"]["process"]["cpu"]["total"].get("pct").cloned()
        };
        // The number of another, and a start after its own: 300 ticks are 3000 ms of 5000.
        now.processes[0].stat.start = 601;
        assert_eq!(pct(&now), Some(0.6.into()));
        // Older than what was seen before: it had not been read, and nobody knows what it used since.
        now.processes[0].stat.start = 599;
        assert_eq!(pct(&now), None);
    }

    #[test]
    fn nothing_is_divided_by_nothing() {
        // The same moment twice, a process with the number of another, and counters that went back.
        let mut now = at(10, [5; 8], 10);
        let before = at(10, [50; 8], 500);
        now.processes[0].stat.start = 601;
        let events = told(&now, Some(&before), true);
        let text = serde_json::to_string(&events).unwrap();
        assert!(!text.contains("null"), "{text}");
        assert_eq!(of(&events, "system.process")["system"]["process"]["cpu"]["total"].get("pct"), None);
        assert_eq!(of(&events, "system.cpu")["system"]["cpu"].get("total"), None);
    }

    #[test]
    fn every_name_of_topbeat_leads_to_a_field() {
        let schema = schema();
        let names = "load.load1 load.load5 load.load15 cpu.user cpu.nice cpu.system cpu.idle cpu.iowait cpu.irq cpu.softirq \
            cpu.steal cpu.user_p cpu.system_p mem.total mem.used mem.free mem.used_p mem.actual_used mem.actual_free \
            mem.actual_used_p swap.total swap.used swap.free swap.used_p proc.name proc.state proc.pid proc.ppid \
            proc.cmdline proc.username proc.cpu.user proc.cpu.total_p proc.cpu.system proc.cpu.total proc.cpu.start_time \
            proc.mem.size proc.mem.rss proc.mem.rss_p proc.mem.share fs.avail fs.device_name fs.mount_point fs.files \
            fs.free_files fs.total fs.used fs.used_p fs.free beat.name beat.hostname count type cpus";
        for name in names.split_whitespace() {
            assert!(schema.resolve(name).is_some(), "{name}");
        }
    }

    #[test]
    fn periods_that_took_too_long_are_left_out_and_counted() {
        let options = Options {
            period: Duration::from_millis(20),
            sets: Sets { load: true, ..Sets::NONE },
            ..Options::default()
        };
        let mut metrics = Metrics::new(&options).unwrap();
        let (mut taken, mut waits) = (0, Vec::new());
        schema();
        metrics.every(
            |time| {
                waits.push(time);
                std::thread::sleep(time);
                true
            },
            |events, _| {
                assert_eq!(events.len(), 1);
                taken += 1;
                if taken == 2 {
                    std::thread::sleep(Duration::from_millis(70));
                }
                taken < 4
            },
        );
        assert!(waits.iter().all(|w| *w <= Duration::from_millis(20)), "{waits:?}");
        assert!(metrics.losses().periods_skipped >= 3, "{:?}", metrics.losses());
        assert_eq!(metrics.losses().periods, 4);
    }
}
