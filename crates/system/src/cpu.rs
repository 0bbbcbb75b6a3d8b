//! CPU time by mode: `system.cpu`, and `system.core` on request.
//!
//! Shares are Metricbeat's: the change of one mode through the change of all of them. `pct` of the whole host goes up to
//! the number of cores, `norm.pct` up to 1.

use wirebeat_model::{Entries, Field, Kind, Unit, fields};

use crate::emit::{Metricset, Writer, put_some, round, share};
use crate::scan::{lines, number, numbers, value};

/// Ticks since boot, in the order of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal (proc(5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticks(pub [u64; 8]);

const IDLE: usize = 3;
const IOWAIT: usize = 4;

impl Ticks {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// What was added since `earlier`; a counter that went back (idle and iowait may) counts as unchanged.
    pub fn since(&self, earlier: &Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].saturating_sub(earlier.0[i])))
    }
}

/// `/proc/stat`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// Of all cores.
    pub all: Ticks,
    /// Of each core that is online, with its number.
    pub cores: Vec<(u32, Ticks)>,
    /// When the host was started, in seconds since 1970.
    pub boot: u64,
    /// Threads that run or could.
    pub running: u64,
    /// Threads that wait for I/O.
    pub blocked: u64,
}

impl Cpu {
    /// Reads `/proc/stat`.
    pub fn parse(&mut self, text: &[u8]) {
        self.cores.clear();
        for line in lines(text) {
            let Some(rest) = line.strip_prefix(b"cpu") else { break };
            match rest.first() {
                Some(b' ') => self.all = Ticks(numbers(rest)),
                Some(_) => {
                    let end = rest.iter().position(|b| *b == b' ').unwrap_or(rest.len());
                    let id = number(rest).and_then(|n| u32::try_from(n).ok());
                    if let Some(id) = id {
                        self.cores.push((id, Ticks(numbers(&rest[end..]))));
                    }
                }
                None => {}
            }
        }
        // Behind the line of interrupts, which is long.
        let tail = memchr::memmem::rfind(text, b"\nbtime ").map_or(text, |at| &text[at..]);
        self.boot = value(tail, b"btime").unwrap_or(0);
        self.running = value(tail, b"procs_running").unwrap_or(0);
        self.blocked = value(tail, b"procs_blocked").unwrap_or(0);
    }

    /// Cores online, at least 1.
    pub fn count(&self) -> usize {
        self.cores.len().max(1)
    }
}

fields! {
    pub FIELDS:
    CORES = Field::new("system.cpu.cores", Kind::Long, "Cores online.");
    USER_PCT = Field::new("system.cpu.user.pct", Kind::Double, "Share of the time in user space, up to the number of cores.").unit(Unit::Percent);
    USER_NORM = Field::new("system.cpu.user.norm.pct", Kind::Double, "Share of the time of all cores in user space.").unit(Unit::Percent).aliases(&["cpu.user_p"]);
    USER_TICKS = Field::new("system.cpu.user.ticks", Kind::Long, "Hundredths of a second in user space, since boot.").aliases(&["cpu.user"]);
    NICE_PCT = Field::new("system.cpu.nice.pct", Kind::Double, "Share of the time in user space at low priority, up to the number of cores.").unit(Unit::Percent);
    NICE_NORM = Field::new("system.cpu.nice.norm.pct", Kind::Double, "Share of the time of all cores in user space at low priority.").unit(Unit::Percent).aliases(&["cpu.nice_p"]);
    NICE_TICKS = Field::new("system.cpu.nice.ticks", Kind::Long, "Hundredths of a second in user space at low priority, since boot.").aliases(&["cpu.nice"]);
    SYSTEM_PCT = Field::new("system.cpu.system.pct", Kind::Double, "Share of the time in the kernel, up to the number of cores.").unit(Unit::Percent);
    SYSTEM_NORM = Field::new("system.cpu.system.norm.pct", Kind::Double, "Share of the time of all cores in the kernel.").unit(Unit::Percent).aliases(&["cpu.system_p"]);
    SYSTEM_TICKS = Field::new("system.cpu.system.ticks", Kind::Long, "Hundredths of a second in the kernel, since boot.").aliases(&["cpu.system"]);
    IDLE_PCT = Field::new("system.cpu.idle.pct", Kind::Double, "Share of the time doing nothing, up to the number of cores.").unit(Unit::Percent);
    IDLE_NORM = Field::new("system.cpu.idle.norm.pct", Kind::Double, "Share of the time of all cores doing nothing.").unit(Unit::Percent).aliases(&["cpu.idle_p"]);
    IDLE_TICKS = Field::new("system.cpu.idle.ticks", Kind::Long, "Hundredths of a second doing nothing, since boot.").aliases(&["cpu.idle"]);
    IOWAIT_PCT = Field::new("system.cpu.iowait.pct", Kind::Double, "Share of the time idle while I/O was under way, up to the number of cores.").unit(Unit::Percent);
    IOWAIT_NORM = Field::new("system.cpu.iowait.norm.pct", Kind::Double, "Share of the time of all cores idle while I/O was under way.").unit(Unit::Percent).aliases(&["cpu.iowait_p"]);
    IOWAIT_TICKS = Field::new("system.cpu.iowait.ticks", Kind::Long, "Hundredths of a second idle while I/O was under way, since boot.").aliases(&["cpu.iowait"]);
    IRQ_PCT = Field::new("system.cpu.irq.pct", Kind::Double, "Share of the time serving interrupts, up to the number of cores.").unit(Unit::Percent);
    IRQ_NORM = Field::new("system.cpu.irq.norm.pct", Kind::Double, "Share of the time of all cores serving interrupts.").unit(Unit::Percent).aliases(&["cpu.irq_p"]);
    IRQ_TICKS = Field::new("system.cpu.irq.ticks", Kind::Long, "Hundredths of a second serving interrupts, since boot.").aliases(&["cpu.irq"]);
    SOFTIRQ_PCT = Field::new("system.cpu.softirq.pct", Kind::Double, "Share of the time serving soft interrupts, up to the number of cores.").unit(Unit::Percent);
    SOFTIRQ_NORM = Field::new("system.cpu.softirq.norm.pct", Kind::Double, "Share of the time of all cores serving soft interrupts.").unit(Unit::Percent).aliases(&["cpu.softirq_p"]);
    SOFTIRQ_TICKS = Field::new("system.cpu.softirq.ticks", Kind::Long, "Hundredths of a second serving soft interrupts, since boot.").aliases(&["cpu.softirq"]);
    STEAL_PCT = Field::new("system.cpu.steal.pct", Kind::Double, "Share of the time kept waiting by the hypervisor, up to the number of cores.").unit(Unit::Percent);
    STEAL_NORM = Field::new("system.cpu.steal.norm.pct", Kind::Double, "Share of the time of all cores kept waiting by the hypervisor.").unit(Unit::Percent).aliases(&["cpu.steal_p"]);
    STEAL_TICKS = Field::new("system.cpu.steal.ticks", Kind::Long, "Hundredths of a second kept waiting by the hypervisor, since boot.").aliases(&["cpu.steal"]);
    TOTAL_PCT = Field::new("system.cpu.total.pct", Kind::Double, "Share of the time neither idle nor waiting for I/O, up to the number of cores.").unit(Unit::Percent);
    TOTAL_NORM = Field::new("system.cpu.total.norm.pct", Kind::Double, "Share of the time of all cores neither idle nor waiting for I/O.").unit(Unit::Percent);
    USAGE = Field::new("host.cpu.usage", Kind::Double, "Share of the time of all cores neither idle nor waiting for I/O.").unit(Unit::Percent);
    CORE_ID = Field::new("system.core.id", Kind::Long, "The core's number.").aliases(&["core.id"]);
    CORE_USER_PCT = Field::new("system.core.user.pct", Kind::Double, "Share of the core's time in user space.").unit(Unit::Percent).aliases(&["core.user_p"]);
    CORE_USER_TICKS = Field::new("system.core.user.ticks", Kind::Long, "Hundredths of a second of the core in user space, since boot.").aliases(&["core.user"]);
    CORE_NICE_PCT = Field::new("system.core.nice.pct", Kind::Double, "Share of the core's time in user space at low priority.").unit(Unit::Percent).aliases(&["core.nice_p"]);
    CORE_NICE_TICKS = Field::new("system.core.nice.ticks", Kind::Long, "Hundredths of a second of the core in user space at low priority, since boot.").aliases(&["core.nice"]);
    CORE_SYSTEM_PCT = Field::new("system.core.system.pct", Kind::Double, "Share of the core's time in the kernel.").unit(Unit::Percent).aliases(&["core.system_p"]);
    CORE_SYSTEM_TICKS = Field::new("system.core.system.ticks", Kind::Long, "Hundredths of a second of the core in the kernel, since boot.").aliases(&["core.system"]);
    CORE_IDLE_PCT = Field::new("system.core.idle.pct", Kind::Double, "Share of the core's time doing nothing.").unit(Unit::Percent).aliases(&["core.idle_p"]);
    CORE_IDLE_TICKS = Field::new("system.core.idle.ticks", Kind::Long, "Hundredths of a second of the core doing nothing, since boot.").aliases(&["core.idle"]);
    CORE_IOWAIT_PCT = Field::new("system.core.iowait.pct", Kind::Double, "Share of the core's time idle while I/O was under way.").unit(Unit::Percent).aliases(&["core.iowait_p"]);
    CORE_IOWAIT_TICKS = Field::new("system.core.iowait.ticks", Kind::Long, "Hundredths of a second of the core idle while I/O was under way, since boot.").aliases(&["core.iowait"]);
    CORE_IRQ_PCT = Field::new("system.core.irq.pct", Kind::Double, "Share of the core's time serving interrupts.").unit(Unit::Percent).aliases(&["core.irq_p"]);
    CORE_IRQ_TICKS = Field::new("system.core.irq.ticks", Kind::Long, "Hundredths of a second of the core serving interrupts, since boot.").aliases(&["core.irq"]);
    CORE_SOFTIRQ_PCT = Field::new("system.core.softirq.pct", Kind::Double, "Share of the core's time serving soft interrupts.").unit(Unit::Percent).aliases(&["core.softirq_p"]);
    CORE_SOFTIRQ_TICKS = Field::new("system.core.softirq.ticks", Kind::Long, "Hundredths of a second of the core serving soft interrupts, since boot.").aliases(&["core.softirq"]);
    CORE_STEAL_PCT = Field::new("system.core.steal.pct", Kind::Double, "Share of the core's time kept waiting by the hypervisor.").unit(Unit::Percent).aliases(&["core.steal_p"]);
    CORE_STEAL_TICKS = Field::new("system.core.steal.ticks", Kind::Long, "Hundredths of a second of the core kept waiting by the hypervisor, since boot.").aliases(&["core.steal"]);
    CORE_TOTAL_PCT = Field::new("system.core.total.pct", Kind::Double, "Share of the core's time neither idle nor waiting for I/O.").unit(Unit::Percent);
    CPUS = Field::new("cpus", Kind::Map, "Per core as Topbeat 1.x wrote it: cpu0.user_p, cpu0.user … (`wirebeat.fields_1x` and `cpu_per_core`).");
}

static CPU: Metricset = Metricset { module: "system", name: "cpu", dataset: "system.cpu", kind: "system" };
static CORE: Metricset = Metricset { module: "system", name: "core", dataset: "system.core", kind: "core" };

/// The names of the modes, in the order of [`Ticks`].
pub const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

static PCT: [&Field; 8] =
    [&USER_PCT, &NICE_PCT, &SYSTEM_PCT, &IDLE_PCT, &IOWAIT_PCT, &IRQ_PCT, &SOFTIRQ_PCT, &STEAL_PCT];
static NORM: [&Field; 8] =
    [&USER_NORM, &NICE_NORM, &SYSTEM_NORM, &IDLE_NORM, &IOWAIT_NORM, &IRQ_NORM, &SOFTIRQ_NORM, &STEAL_NORM];
static TICKS: [&Field; 8] = [
    &USER_TICKS,
    &NICE_TICKS,
    &SYSTEM_TICKS,
    &IDLE_TICKS,
    &IOWAIT_TICKS,
    &IRQ_TICKS,
    &SOFTIRQ_TICKS,
    &STEAL_TICKS,
];
static CORE_PCT: [&Field; 8] = [
    &CORE_USER_PCT,
    &CORE_NICE_PCT,
    &CORE_SYSTEM_PCT,
    &CORE_IDLE_PCT,
    &CORE_IOWAIT_PCT,
    &CORE_IRQ_PCT,
    &CORE_SOFTIRQ_PCT,
    &CORE_STEAL_PCT,
];
static CORE_TICKS: [&Field; 8] = [
    &CORE_USER_TICKS,
    &CORE_NICE_TICKS,
    &CORE_SYSTEM_TICKS,
    &CORE_IDLE_TICKS,
    &CORE_IOWAIT_TICKS,
    &CORE_IRQ_TICKS,
    &CORE_SOFTIRQ_TICKS,
    &CORE_STEAL_TICKS,
];

/// Writes `system.cpu`, and `system.core` when asked to.
pub(crate) fn events(now: &Cpu, earlier: Option<&Cpu>, per_core: bool, out: &mut Writer<'_>) {
    let cores = now.count() as f64;
    let spent = earlier.map(|e| now.all.since(&e.all));
    let fields_1x = out.fields_1x();
    out.event(&CPU, |fields| {
        fields.put(&CORES, now.count() as u64);
        modes(fields, &now.all, spent.as_ref(), &TICKS, &NORM, 1.0);
        if let Some(spent) = &spent {
            shares(fields, spent, &PCT, cores);
            put_some(fields, &TOTAL_PCT, busy(spent, cores));
            put_some(fields, &TOTAL_NORM, busy(spent, 1.0));
            put_some(fields, &USAGE, busy(spent, 1.0));
        }
        if fields_1x && per_core {
            cpus(fields, now, earlier);
        }
    });
    if !per_core {
        return;
    }
    for (id, ticks) in &now.cores {
        let spent = earlier.and_then(|e| core(e, *id)).map(|e| ticks.since(&e));
        out.event(&CORE, |fields| {
            fields.put(&CORE_ID, *id);
            modes(fields, ticks, spent.as_ref(), &CORE_TICKS, &CORE_PCT, 1.0);
            put_some(fields, &CORE_TOTAL_PCT, spent.and_then(|s| busy(&s, 1.0)));
        });
    }
}

fn core(cpu: &Cpu, id: u32) -> Option<Ticks> {
    cpu.cores.iter().find(|(other, _)| *other == id).map(|(_, ticks)| *ticks)
}

fn modes(
    fields: &mut Entries,
    now: &Ticks,
    spent: Option<&Ticks>,
    ticks: &[&Field; 8],
    pct: &[&Field; 8],
    scale: f64,
) {
    for (field, value) in ticks.iter().zip(now.0) {
        fields.put(field, value);
    }
    if let Some(spent) = spent {
        shares(fields, spent, pct, scale);
    }
}

fn shares(fields: &mut Entries, spent: &Ticks, pct: &[&Field; 8], scale: f64) {
    let total = spent.total() as f64;
    for (field, value) in pct.iter().zip(spent.0) {
        put_some(fields, field, share(value as f64 * scale, total));
    }
}

/// What is left when idle and waiting for I/O are taken away, each rounded first, as Metricbeat does.
pub(crate) fn busy(spent: &Ticks, scale: f64) -> Option<f64> {
    let total = spent.total() as f64;
    let part = |mode: usize| share(spent.0[mode] as f64 * scale, total);
    Some(round(scale - part(IDLE)? - part(IOWAIT)?).max(0.0))
}

fn cpus(fields: &mut Entries, now: &Cpu, earlier: Option<&Cpu>) {
    fields.put_map(&CPUS, |map| {
        for (id, ticks) in &now.cores {
            let spent = earlier.and_then(|e| core(e, *id)).map(|e| ticks.since(&e));
            for (i, mode) in MODES.iter().enumerate() {
                map.put(format!("cpu{id}.{mode}").as_bytes(), ticks.0[i]);
                let pct = spent.and_then(|s| share(s.0[i] as f64, s.total() as f64));
                if let (Some(pct), true) = (pct, ["user", "system"].contains(mode)) {
                    map.put(format!("cpu{id}.{mode}_p").as_bytes(), pct);
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &[u8] = b"cpu  100 20 50 800 10 5 15 0 0 0\ncpu0 60 10 25 400 5 2 8 0 0 0\n\
        cpu2 40 10 25 400 5 3 7 0 0 0\nintr 123 0 4 btime 9\nctxt 1\nbtime 1700000000\nprocesses 9\n\
        procs_running 3\nprocs_blocked 1\nsoftirq 5 1 2\n";

    #[test]
    fn proc_stat() {
        let mut cpu = Cpu::default();
        cpu.parse(STAT);
        assert_eq!(cpu.all, Ticks([100, 20, 50, 800, 10, 5, 15, 0]));
        assert_eq!(cpu.cores.iter().map(|c| c.0).collect::<Vec<_>>(), [0, 2]);
        assert_eq!((cpu.boot, cpu.running, cpu.blocked), (1_700_000_000, 3, 1));
        cpu.parse(b"cpu\ncpuX 1\n\xff");
        assert_eq!((cpu.cores.len(), cpu.boot, cpu.count()), (0, 0, 1));
    }

    #[test]
    fn busy_is_what_is_neither_idle_nor_waiting() {
        // 30 of 100 ticks busy on two cores.
        let spent = Ticks([20, 0, 10, 60, 10, 0, 0, 0]);
        assert_eq!(busy(&spent, 1.0), Some(0.3));
        assert_eq!(busy(&spent, 2.0), Some(0.6));
        assert_eq!(busy(&Ticks::default(), 1.0), None, "no time has passed");
        // Counters that go back count as unchanged.
        let back = Ticks([0; 8]).since(&Ticks([5; 8]));
        assert_eq!(back, Ticks::default());
    }
}
