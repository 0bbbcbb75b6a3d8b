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
    for told in now.told.iter().filter_map(|at| now.processes.get(*at)) {
        let since = before.and_then(|b| {
            let earlier = process::earlier(&b.processes, &told.stat)?;
            let ticks = told.stat.ticks().saturating_sub(earlier.stat.ticks());
            let wall = seconds(b.processes_at, now.processes_at) * 1000.0;
            Some(Since { cpu: scale.milliseconds(ticks), wall })
        });
        process::events(told, since, &scale, out);
    }
}

fn seconds(from: Duration, to: Duration) -> f64 {
    to.saturating_sub(from).as_secs_f64()
}
