//! Events of processes.

use wirebeat_model::{Class, Entries, Field, Kind, Time, Unit, ecs, fields};

use super::stat::{state_name, state_name_1x};
use super::{Details, Process, Since};
use crate::cpu::Cpu;
use crate::emit::{Metricset, Writer, put_count, put_share, put_some, share};

fields! {
    pub FIELDS:
    ARGS = Field::new("process.args", Kind::Keyword, "Its arguments one by one, secrets masked.").class(Class::Secret);
    STATE_ECS = Field::new("process.state", Kind::Keyword, "What it does: running, sleeping, disk_sleep, idle, stopped, zombie …");
    CPU_PCT_ECS = Field::new("process.cpu.pct", Kind::Double, "Share of the time of all cores that it used.").unit(Unit::Percent);
    START_TIME_ECS = Field::new("process.cpu.start_time", Kind::Date, "When it began.");
    MEMORY_PCT_ECS = Field::new("process.memory.pct", Kind::Double, "Share of the host's memory that it has.").unit(Unit::Percent);
    STATE = Field::new("system.process.state", Kind::Keyword, "What it does: running, sleeping, disk_sleep, idle, stopped, zombie …");
    NUM_THREADS = Field::new("system.process.num_threads", Kind::Long, "Its threads.");
    CPU_PCT = Field::new("system.process.cpu.total.pct", Kind::Double, "Share of one core that it used, up to the number of cores.").unit(Unit::Percent).aliases(&["proc.cpu.total_p"]);
    CPU_NORM = Field::new("system.process.cpu.total.norm.pct", Kind::Double, "Share of the time of all cores that it used.").unit(Unit::Percent);
    CPU_VALUE = Field::new("system.process.cpu.total.value", Kind::Long, "Milliseconds of CPU time since it began.").aliases(&["proc.cpu.total", "system.process.cpu.total.ticks"]);
    CPU_USER = Field::new("system.process.cpu.user.ticks", Kind::Long, "Milliseconds in user space since it began.").aliases(&["proc.cpu.user"]);
    CPU_SYSTEM = Field::new("system.process.cpu.system.ticks", Kind::Long, "Milliseconds in the kernel since it began.").aliases(&["proc.cpu.system"]);
    START_TIME = Field::new("system.process.cpu.start_time", Kind::Date, "When it began.");
    SIZE = Field::new("system.process.memory.size", Kind::Long, "Its address space.").unit(Unit::Bytes).aliases(&["proc.mem.size"]);
    RSS = Field::new("system.process.memory.rss.bytes", Kind::Long, "Its memory, what it shares included.").unit(Unit::Bytes).aliases(&["proc.mem.rss"]);
    RSS_PCT = Field::new("system.process.memory.rss.pct", Kind::Double, "Share of the host's memory that it has.").unit(Unit::Percent).aliases(&["proc.mem.rss_p"]);
    SHARE = Field::new("system.process.memory.share", Kind::Long, "What of its memory is shared.").unit(Unit::Bytes).aliases(&["proc.mem.share"]);
    SWAP = Field::new("system.process.memory.swap", Kind::Long, "What of it is in swap.").unit(Unit::Bytes);
    READ_CHAR = Field::new("system.process.io.read_char", Kind::Long, "Bytes that it read, from wherever.").unit(Unit::Bytes);
    WRITE_CHAR = Field::new("system.process.io.write_char", Kind::Long, "Bytes that it wrote, to wherever.").unit(Unit::Bytes);
    READ_OPS = Field::new("system.process.io.read_ops", Kind::Long, "Calls that read.");
    WRITE_OPS = Field::new("system.process.io.write_ops", Kind::Long, "Calls that write.");
    READ_BYTES = Field::new("system.process.io.read_bytes", Kind::Long, "Bytes that it had fetched from disks.").unit(Unit::Bytes);
    WRITE_BYTES = Field::new("system.process.io.write_bytes", Kind::Long, "Bytes that it had sent to disks.").unit(Unit::Bytes);
    CANCELLED_BYTES = Field::new("system.process.io.cancelled_write_bytes", Kind::Long, "Bytes not sent to disks after all.").unit(Unit::Bytes);
    FD_OPEN = Field::new("system.process.fd.open", Kind::Long, "Its open files.");
    FD_SOFT = Field::new("system.process.fd.limit.soft", Kind::Long, "How many it may have open.");
    FD_HARD = Field::new("system.process.fd.limit.hard", Kind::Long, "How far it may raise that.");
    CGROUP_ID = Field::new("system.process.cgroup.id", Kind::Keyword, "The last part of its control group's path.");
    CGROUP_PATH = Field::new("system.process.cgroup.path", Kind::Keyword, "Its control group.");
    OLD_STATE = Field::new("proc.state", Kind::Keyword, "Its state in the words of Topbeat 1.x, where disk sleep is idle (`wirebeat.fields_1x`).");
    OLD_START_TIME = Field::new("proc.cpu.start_time", Kind::Keyword, "When it began, hour and minute in UTC (`wirebeat.fields_1x`).");
    TOTAL = Field::new("system.process.summary.total", Kind::Long, "Processes.");
    RUNNING = Field::new("system.process.summary.running", Kind::Long, "Those that run or could.");
    SLEEPING = Field::new("system.process.summary.sleeping", Kind::Long, "Those that wait.");
    DISK_SLEEP = Field::new("system.process.summary.disk_sleep", Kind::Long, "Those that wait and cannot be woken, for a disk most of the time.");
    IDLE = Field::new("system.process.summary.idle", Kind::Long, "Threads of the kernel without work.");
    STOPPED = Field::new("system.process.summary.stopped", Kind::Long, "Those that were stopped.");
    ZOMBIE = Field::new("system.process.summary.zombie", Kind::Long, "Those that ended and were not waited for.");
    DEAD = Field::new("system.process.summary.dead", Kind::Long, "Those that are about to be gone.");
    PARKED = Field::new("system.process.summary.parked", Kind::Long, "Threads of the kernel put aside.");
    WAKEKILL = Field::new("system.process.summary.wakekill", Kind::Long, "A state of old kernels.");
    WAKING = Field::new("system.process.summary.waking", Kind::Long, "A state of old kernels.");
    UNKNOWN = Field::new("system.process.summary.unknown", Kind::Long, "Those in a state without a name.");
    THREADS_RUNNING = Field::new("system.process.summary.threads.running", Kind::Long, "Threads that run or could.");
    THREADS_BLOCKED = Field::new("system.process.summary.threads.blocked", Kind::Long, "Threads that wait for I/O.");
}

static PROCESS: Metricset =
    Metricset { module: "system", name: "process", dataset: "system.process", kind: "process" };
static SUMMARY: Metricset = Metricset {
    module: "system",
    name: "process_summary",
    dataset: "system.process.summary",
    kind: "process_summary",
};

/// What the host gives to calculate with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Ticks a second.
    pub hertz: u64,
    /// Bytes a page.
    pub page: u64,
    /// Cores.
    pub cores: usize,
    /// Bytes of memory; 0 when it could not be read.
    pub memory: u64,
    /// Start of the host in seconds since 1970; 0 when it could not be read.
    pub boot: u64,
}

impl Scale {
    /// Ticks in milliseconds.
    pub(crate) fn milliseconds(&self, ticks: u64) -> u64 {
        u64::try_from(u128::from(ticks) * 1000 / u128::from(self.hertz.max(1))).unwrap_or(u64::MAX)
    }

    /// The share of one core.
    pub(crate) fn cpu(&self, since: Since) -> Option<f64> {
        share(since.cpu as f64, since.wall)
    }
}

/// Writes `system.process` of one process.
pub(crate) fn events(process: &Process, since: Option<Since>, scale: &Scale, out: &mut Writer<'_>) {
    let Some(details) = &process.details else { return };
    let stat = &process.stat;
    let fields_1x = out.fields_1x();
    out.event(&PROCESS, |fields| {
        fields.put_text(&ecs::PROCESS_NAME, stat.name.as_bytes());
        fields.put(&ecs::PROCESS_PID, stat.pid);
        fields.put(&ecs::PROCESS_PARENT_PID, stat.parent);
        fields.put(&ecs::PROCESS_PGID, stat.group);
        fields.put(&STATE, state_name(stat.state));
        fields.put(&STATE_ECS, state_name(stat.state));
        fields.put(&NUM_THREADS, stat.threads);
        lasting(fields, details);
        if let Some(user) = &details.user {
            fields.put(&ecs::USER_NAME, &**user);
        }
        cpu(fields, stat, since, scale);
        fields.put(&SIZE, stat.size);
        let resident = stat.resident.saturating_mul(scale.page);
        fields.put(&RSS, resident);
        put_share(fields, &RSS_PCT, resident, scale.memory);
        put_share(fields, &MEMORY_PCT_ECS, resident, scale.memory);
        put_count(fields, &SHARE, details.shared);
        put_count(fields, &SWAP, details.swap);
        io(fields, details);
        if let Some(container) = &process.container {
            container.put(fields);
            fields.put_text(&CGROUP_ID, container.path.rsplit('/').next().unwrap_or_default().as_bytes());
            fields.put(&CGROUP_PATH, container.path.as_str());
        }
        if fields_1x {
            fields.put(&OLD_STATE, state_name_1x(stat.state));
            if let Some(start) = start_time(stat.start, scale) {
                let minutes = start.0.div_euclid(60_000_000_000).rem_euclid(24 * 60);
                fields.put(&OLD_START_TIME, format!("{:02}:{:02}", minutes / 60, minutes % 60).as_str());
            }
        }
    });
}

fn lasting(fields: &mut Entries, details: &Details) {
    let lasting = &*details.lasting;
    if !lasting.command_line.is_empty() {
        fields.put_text(&ecs::PROCESS_COMMAND_LINE, &lasting.command_line);
        fields.put_array(&ARGS, |args| {
            for (from, to) in &lasting.arguments {
                args.push_text(lasting.command_line.get(*from..*to).unwrap_or_default());
            }
        });
    }
    if let Some(executable) = &lasting.executable {
        fields.put_text(&ecs::PROCESS_EXECUTABLE, executable);
    }
}

fn start_time(ticks: u64, scale: &Scale) -> Option<Time> {
    let boot = i64::try_from(scale.boot).ok().filter(|b| *b > 0)?;
    let since = i64::try_from(scale.milliseconds(ticks)).ok()?;
    Some(Time(boot.saturating_mul(1000).saturating_add(since).saturating_mul(1_000_000)))
}

fn cpu(fields: &mut Entries, stat: &super::Stat, since: Option<Since>, scale: &Scale) {
    fields.put(&CPU_VALUE, scale.milliseconds(stat.ticks()));
    fields.put(&CPU_USER, scale.milliseconds(stat.user));
    fields.put(&CPU_SYSTEM, scale.milliseconds(stat.system));
    if let Some(since) = since {
        let norm = share(since.cpu as f64, since.wall * scale.cores as f64);
        put_some(fields, &CPU_PCT, scale.cpu(since));
        put_some(fields, &CPU_NORM, norm);
        put_some(fields, &CPU_PCT_ECS, norm);
    }
    if let Some(start) = start_time(stat.start, scale) {
        fields.put(&START_TIME, start);
        fields.put(&START_TIME_ECS, start);
    }
}

fn io(fields: &mut Entries, details: &Details) {
    if let Some(io) = &details.io {
        for (field, value) in [
            (&READ_CHAR, io.read_chars),
            (&WRITE_CHAR, io.written_chars),
            (&READ_OPS, io.read_calls),
            (&WRITE_OPS, io.write_calls),
            (&READ_BYTES, io.read_bytes),
            (&WRITE_BYTES, io.written_bytes),
            (&CANCELLED_BYTES, io.cancelled_bytes),
        ] {
            fields.put(field, value);
        }
    }
    put_count(fields, &FD_OPEN, details.open_files);
    // No limit is no number.
    let limit = |n: u64| (n < u64::MAX).then_some(n);
    put_count(fields, &FD_SOFT, details.file_limits.and_then(|l| limit(l.0)));
    put_count(fields, &FD_HARD, details.file_limits.and_then(|l| limit(l.1)));
}

/// Writes `system.process.summary`.
pub(crate) fn summary(processes: &[Process], cpu: Option<&Cpu>, out: &mut Writer<'_>) {
    let counted = [
        (&RUNNING, "running"),
        (&SLEEPING, "sleeping"),
        (&DISK_SLEEP, "disk_sleep"),
        (&IDLE, "idle"),
        (&STOPPED, "stopped"),
        (&ZOMBIE, "zombie"),
        (&DEAD, "dead"),
        (&PARKED, "parked"),
        (&WAKEKILL, "wakekill"),
        (&WAKING, "waking"),
        (&UNKNOWN, "unknown"),
    ];
    let mut counts = [0u64; 11];
    for process in processes {
        let name = state_name(process.stat.state);
        if let Some(at) = counted.iter().position(|(_, state)| *state == name) {
            counts[at] += 1;
        }
    }
    out.event(&SUMMARY, |fields| {
        fields.put(&TOTAL, processes.len() as u64);
        for ((field, _), count) in counted.iter().zip(counts) {
            fields.put(field, count);
        }
        if let Some(cpu) = cpu {
            fields.put(&THREADS_RUNNING, cpu.running);
            fields.put(&THREADS_BLOCKED, cpu.blocked);
        }
    });
}
