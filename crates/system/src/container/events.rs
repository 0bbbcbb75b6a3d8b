//! Events of containers, in the words of Metricbeat's docker module.

use wirebeat_model::{Entries, Field, Kind, Unit, fields};

use super::{Container, CpuUse, MemoryUse, Transfer};
use crate::emit::{Metricset, Writer, put_count, put_share, put_some, round, share};

fields! {
    pub FIELDS:
    CPU_TOTAL = Field::new("docker.cpu.total.pct", Kind::Double, "Share of one core that the container used, up to the number of cores.").unit(Unit::Percent);
    CPU_TOTAL_NORM = Field::new("docker.cpu.total.norm.pct", Kind::Double, "Share of the time of all cores that the container used.").unit(Unit::Percent);
    CPU_USER = Field::new("docker.cpu.user.pct", Kind::Double, "Share of one core used in user space.").unit(Unit::Percent);
    CPU_KERNEL = Field::new("docker.cpu.kernel.pct", Kind::Double, "Share of one core used in the kernel.").unit(Unit::Percent);
    CPU_TICKS = Field::new("docker.cpu.total.ticks", Kind::Long, "CPU time since the container began.").unit(Unit::Nanos);
    CPU_LIMIT = Field::new("docker.cpu.limit", Kind::Double, "Cores that it may use.");
    CPU_LIMIT_PCT = Field::new("docker.cpu.limit_pct", Kind::Double, "Share of that limit that it used.").unit(Unit::Percent);
    PERIODS = Field::new("docker.cpu.throttling.periods", Kind::Long, "Periods in which the limit held, since it began.");
    THROTTLED_PERIODS = Field::new("docker.cpu.throttling.throttled_periods", Kind::Long, "Those in which it was reached.");
    THROTTLED_TIME = Field::new("docker.cpu.throttling.time", Kind::Long, "How long it was kept waiting.").unit(Unit::Nanos);
    THROTTLED_PCT = Field::new("docker.cpu.throttling.pct", Kind::Double, "Share of the periods since the last measurement in which the limit was reached.").unit(Unit::Percent);
    PIDS = Field::new("docker.pids.current", Kind::Long, "Processes and threads in the container.");
    PIDS_LIMIT = Field::new("docker.pids.limit", Kind::Long, "How many there may be.");
    CPU_ECS = Field::new("container.cpu.usage", Kind::Double, "Share of the time of all cores that the container used.").unit(Unit::Percent);
    USAGE = Field::new("docker.memory.usage.total", Kind::Long, "Memory charged to the container, page cache included.").unit(Unit::Bytes);
    USAGE_PCT = Field::new("docker.memory.usage.pct", Kind::Double, "Share of the limit, or of the host's memory.").unit(Unit::Percent);
    USAGE_MAX = Field::new("docker.memory.usage.max", Kind::Long, "The most that ever was.").unit(Unit::Bytes);
    WORKING = Field::new("docker.memory.working_set.total", Kind::Long, "Memory without page cache that nothing used lately: what docker stats shows.").unit(Unit::Bytes);
    WORKING_PCT = Field::new("docker.memory.working_set.pct", Kind::Double, "Share of the limit, or of the host's memory.").unit(Unit::Percent);
    RSS = Field::new("docker.memory.rss.total", Kind::Long, "Memory that is no file's.").unit(Unit::Bytes);
    RSS_PCT = Field::new("docker.memory.rss.pct", Kind::Double, "Share of the limit, or of the host's memory.").unit(Unit::Percent);
    LIMIT = Field::new("docker.memory.limit", Kind::Long, "What it may use: its limit, or the host's memory.").unit(Unit::Bytes);
    FAIL_COUNT = Field::new("docker.memory.fail.count", Kind::Long, "Times the limit was reached.");
    MEMORY_ECS = Field::new("container.memory.usage", Kind::Double, "Share of the limit, or of the host's memory, without page cache that nothing used lately.").unit(Unit::Percent);
    READ_BYTES = Field::new("docker.diskio.read.bytes", Kind::Long, "Bytes read since the container began.").unit(Unit::Bytes);
    READ_OPS = Field::new("docker.diskio.read.ops", Kind::Long, "Reads since the container began.");
    READ_RATE = Field::new("docker.diskio.read.rate", Kind::Double, "Reads a second.");
    WRITE_BYTES = Field::new("docker.diskio.write.bytes", Kind::Long, "Bytes written since the container began.").unit(Unit::Bytes);
    WRITE_OPS = Field::new("docker.diskio.write.ops", Kind::Long, "Writes since the container began.");
    WRITE_RATE = Field::new("docker.diskio.write.rate", Kind::Double, "Writes a second.");
    SUMMARY_BYTES = Field::new("docker.diskio.summary.bytes", Kind::Long, "Bytes read and written.").unit(Unit::Bytes);
    SUMMARY_OPS = Field::new("docker.diskio.summary.ops", Kind::Long, "Reads and writes.");
    SUMMARY_RATE = Field::new("docker.diskio.summary.rate", Kind::Double, "Reads and writes a second.");
    READ_ECS = Field::new("container.disk.read.bytes", Kind::Long, "Bytes read since the last measurement.").unit(Unit::Bytes);
    WRITE_ECS = Field::new("container.disk.write.bytes", Kind::Long, "Bytes written since the last measurement.").unit(Unit::Bytes);
}

static CPU: Metricset = Metricset { module: "docker", name: "cpu", dataset: "docker.cpu", kind: "container" };
static MEMORY: Metricset =
    Metricset { module: "docker", name: "memory", dataset: "docker.memory", kind: "container" };
static DISKIO: Metricset =
    Metricset { module: "docker", name: "diskio", dataset: "docker.diskio", kind: "container" };

/// Writes the events of one container. `before`: the measurement before, and the seconds since.
pub(crate) fn events(
    now: &Container,
    before: Option<(&Container, f64)>,
    cores: usize,
    host_memory: u64,
    out: &mut Writer<'_>,
) {
    if let Some(used) = &now.cpu {
        let before = before.and_then(|(b, seconds)| Some((b.cpu.as_ref()?, seconds)));
        out.event(&CPU, |fields| {
            now.identity.put(fields);
            cpu(fields, used, before, cores);
            if let Some((pids, limit)) = now.pids {
                fields.put(&PIDS, pids);
                put_count(fields, &PIDS_LIMIT, limit);
            }
        });
    }
    if let Some(used) = &now.memory {
        out.event(&MEMORY, |fields| {
            now.identity.put(fields);
            memory(fields, used, host_memory);
        });
    }
    if let Some(used) = &now.io {
        let before = before.and_then(|(b, seconds)| Some((b.io.as_ref()?, seconds)));
        out.event(&DISKIO, |fields| {
            now.identity.put(fields);
            disk(fields, used, before);
        });
    }
}

fn cpu(fields: &mut Entries, now: &CpuUse, before: Option<(&CpuUse, f64)>, cores: usize) {
    fields.put(&CPU_TICKS, now.total);
    let limit = now.limit.map(|l| l as f64 / 1000.0);
    put_some(fields, &CPU_LIMIT, limit);
    fields.put(&PERIODS, now.periods);
    fields.put(&THROTTLED_PERIODS, now.throttled_periods);
    fields.put(&THROTTLED_TIME, now.throttled);
    let Some((before, seconds)) = before else { return };
    let cores = cores as f64;
    let part = |now: u64, before: u64| now.saturating_sub(before) as f64 / 1e9;
    let total = part(now.total, before.total);
    put_some(fields, &CPU_TOTAL, share(total, seconds));
    put_some(fields, &CPU_TOTAL_NORM, share(total, seconds * cores));
    put_some(fields, &CPU_ECS, share(total, seconds * cores));
    put_some(fields, &CPU_USER, share(part(now.user, before.user), seconds));
    put_some(fields, &CPU_KERNEL, share(part(now.system, before.system), seconds));
    put_some(fields, &CPU_LIMIT_PCT, limit.and_then(|limit| share(total, seconds * limit)));
    let throttled = now.throttled_periods.saturating_sub(before.throttled_periods);
    put_share(fields, &THROTTLED_PCT, throttled, now.periods.saturating_sub(before.periods));
}

fn memory(fields: &mut Entries, now: &MemoryUse, host: u64) {
    // A limit above what there is is none.
    let limit = now.limit.filter(|l| *l < host || host == 0).unwrap_or(host);
    let working = now.usage.saturating_sub(now.inactive_file);
    fields.put(&LIMIT, limit);
    fields.put(&USAGE, now.usage);
    put_share(fields, &USAGE_PCT, now.usage, limit);
    put_count(fields, &USAGE_MAX, now.peak);
    fields.put(&WORKING, working);
    put_share(fields, &WORKING_PCT, working, limit);
    put_share(fields, &MEMORY_ECS, working, limit);
    fields.put(&RSS, now.rss);
    put_share(fields, &RSS_PCT, now.rss, limit);
    fields.put(&FAIL_COUNT, now.failures);
}

fn disk(fields: &mut Entries, now: &[Transfer; 2], before: Option<(&[Transfer; 2], f64)>) {
    let [read, write] = now;
    let all = |f: fn(&Transfer) -> u64| f(read).saturating_add(f(write));
    for (field, value) in [
        (&READ_BYTES, read.bytes),
        (&READ_OPS, read.count),
        (&WRITE_BYTES, write.bytes),
        (&WRITE_OPS, write.count),
        (&SUMMARY_BYTES, all(|t| t.bytes)),
        (&SUMMARY_OPS, all(|t| t.count)),
    ] {
        fields.put(field, value);
    }
    let Some((before, seconds)) = before else { return };
    let change = |i: usize, f: fn(&Transfer) -> u64| f(&now[i]).saturating_sub(f(&before[i]));
    fields.put(&READ_ECS, change(0, |t| t.bytes));
    fields.put(&WRITE_ECS, change(1, |t| t.bytes));
    let (reads, writes) = (change(0, |t| t.count) as f64, change(1, |t| t.count) as f64);
    for (field, count) in [(&READ_RATE, reads), (&WRITE_RATE, writes), (&SUMMARY_RATE, reads + writes)] {
        put_some(fields, field, share(count, seconds).map(round));
    }
}
