//! Work of each disk: `system.diskio`.

use wirebeat_model::{Field, Kind, Unit, fields};

use crate::emit::{Metricset, Writer, put_some, round, share};
use crate::name::Name;
use crate::scan::{lines, number, words};

/// The kernel counts sectors of 512 bytes, whatever the disk's are.
const SECTOR: u64 = 512;

/// One line of `/proc/diskstats` (Documentation/admin-guide/iostats.rst); counts since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// The device's name.
    pub name: Name,
    /// Reads, or what was read.
    pub read: Work,
    /// Writes, or what was written.
    pub write: Work,
    /// Operations under way.
    pub under_way: u64,
    /// Milliseconds with any operation under way.
    pub busy: u64,
    /// Milliseconds times operations under way.
    pub weighted: u64,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Operations completed.
    pub count: u64,
    /// Operations merged into others.
    pub merged: u64,
    /// Bytes.
    pub bytes: u64,
    /// Milliseconds that operations took.
    pub time: u64,
}

/// Reads `/proc/diskstats`. Disks that never did anything are left out.
pub(crate) fn parse(text: &[u8], out: &mut Vec<Disk>) {
    out.clear();
    for line in lines(text) {
        let mut words = words(line).skip(2);
        let Some(name) = words.next() else { continue };
        let mut next = || words.next().and_then(number).unwrap_or(0);
        let mut work =
            || Work { count: next(), merged: next(), bytes: next().saturating_mul(SECTOR), time: next() };
        let (read, write) = (work(), work());
        let disk =
            Disk { name: Name::new(name), read, write, under_way: next(), busy: next(), weighted: next() };
        if disk.read.count + disk.write.count > 0 {
            out.push(disk);
        }
    }
}

fields! {
    pub FIELDS:
    NAME = Field::new("system.diskio.name", Kind::Keyword, "The disk or partition.");
    READ_COUNT = Field::new("system.diskio.read.count", Kind::Long, "Reads completed since boot.");
    READ_BYTES = Field::new("system.diskio.read.bytes", Kind::Long, "Bytes read since boot.").unit(Unit::Bytes);
    READ_TIME = Field::new("system.diskio.read.time", Kind::Long, "Milliseconds that reads took.");
    WRITE_COUNT = Field::new("system.diskio.write.count", Kind::Long, "Writes completed since boot.");
    WRITE_BYTES = Field::new("system.diskio.write.bytes", Kind::Long, "Bytes written since boot.").unit(Unit::Bytes);
    WRITE_TIME = Field::new("system.diskio.write.time", Kind::Long, "Milliseconds that writes took.");
    IO_TIME = Field::new("system.diskio.io.time", Kind::Long, "Milliseconds with any operation under way, since boot.");
    IO_OPS = Field::new("system.diskio.io.ops", Kind::Long, "Operations under way.");
    READ_REQUESTS = Field::new("system.diskio.iostat.read.request.per_sec", Kind::Double, "Reads a second.");
    READ_MERGES = Field::new("system.diskio.iostat.read.request.merges_per_sec", Kind::Double, "Reads merged into others a second.");
    READ_RATE = Field::new("system.diskio.iostat.read.per_sec.bytes", Kind::Double, "Bytes read a second.").unit(Unit::Bytes);
    READ_AWAIT = Field::new("system.diskio.iostat.read.await", Kind::Double, "Milliseconds that a read took on average.");
    WRITE_REQUESTS = Field::new("system.diskio.iostat.write.request.per_sec", Kind::Double, "Writes a second.");
    WRITE_MERGES = Field::new("system.diskio.iostat.write.request.merges_per_sec", Kind::Double, "Writes merged into others a second.");
    WRITE_RATE = Field::new("system.diskio.iostat.write.per_sec.bytes", Kind::Double, "Bytes written a second.").unit(Unit::Bytes);
    WRITE_AWAIT = Field::new("system.diskio.iostat.write.await", Kind::Double, "Milliseconds that a write took on average.");
    REQUEST_SIZE = Field::new("system.diskio.iostat.request.avg_size", Kind::Double, "Bytes of an operation on average.").unit(Unit::Bytes);
    QUEUE_SIZE = Field::new("system.diskio.iostat.queue.avg_size", Kind::Double, "Operations under way on average.");
    AWAIT = Field::new("system.diskio.iostat.await", Kind::Double, "Milliseconds that an operation took on average.");
    SERVICE_TIME = Field::new("system.diskio.iostat.service_time", Kind::Double, "Busy milliseconds for each operation.");
    BUSY = Field::new("system.diskio.iostat.busy", Kind::Double, "Share of the time with any operation under way, from 0 to 100.");
    HOST_READ = Field::new("host.disk.read.bytes", Kind::Long, "Bytes read from all disks since the last measurement.").unit(Unit::Bytes);
    HOST_WRITE = Field::new("host.disk.write.bytes", Kind::Long, "Bytes written to all disks since the last measurement.").unit(Unit::Bytes);
}

static DISKIO: Metricset =
    Metricset { module: "system", name: "diskio", dataset: "system.diskio", kind: "diskio" };

/// Writes one event for each disk, and one of the host. `seconds`: since the last measurement.
pub(crate) fn events(now: &[Disk], earlier: Option<(&[Disk], f64)>, whole: &[Name], out: &mut Writer<'_>) {
    let before = |name: &Name| earlier?.0.iter().find(|e| e.name == *name).copied();
    for disk in now {
        out.event(&DISKIO, |fields| {
            fields.put_text(&NAME, disk.name.as_bytes());
            for (field, value) in [
                (&READ_COUNT, disk.read.count),
                (&READ_BYTES, disk.read.bytes),
                (&READ_TIME, disk.read.time),
                (&WRITE_COUNT, disk.write.count),
                (&WRITE_BYTES, disk.write.bytes),
                (&WRITE_TIME, disk.write.time),
                (&IO_TIME, disk.busy),
                (&IO_OPS, disk.under_way),
            ] {
                fields.put(field, value);
            }
            if let (Some(before), Some((_, seconds))) = (before(&disk.name), earlier) {
                iostat(fields, disk, &before, seconds);
            }
        });
    }
    let Some((earlier, _)) = earlier else { return };
    let (mut read, mut written) = (0u64, 0u64);
    // A partition's work is its disk's too: only whole disks count.
    for disk in now.iter().filter(|d| whole.contains(&d.name)) {
        let before = earlier.iter().find(|e| e.name == disk.name).copied().unwrap_or_default();
        read = read.saturating_add(disk.read.bytes.saturating_sub(before.read.bytes));
        written = written.saturating_add(disk.write.bytes.saturating_sub(before.write.bytes));
    }
    out.event(&DISKIO, |fields| {
        fields.put(&HOST_READ, read);
        fields.put(&HOST_WRITE, written);
    });
}

/// What iostat(1) shows, as Metricbeat calculates it.
fn iostat(fields: &mut wirebeat_model::Entries, now: &Disk, before: &Disk, seconds: f64) {
    let change = |now: u64, before: u64| now.saturating_sub(before) as f64;
    let reads = change(now.read.count, before.read.count);
    let writes = change(now.write.count, before.write.count);
    let read_bytes = change(now.read.bytes, before.read.bytes);
    let write_bytes = change(now.write.bytes, before.write.bytes);
    let read_time = milliseconds(now.read.time, before.read.time);
    let write_time = milliseconds(now.write.time, before.write.time);
    let busy = milliseconds(now.busy, before.busy);
    let all = reads + writes;
    for (field, value) in [
        (&READ_REQUESTS, reads),
        (&WRITE_REQUESTS, writes),
        (&READ_MERGES, change(now.read.merged, before.read.merged)),
        (&WRITE_MERGES, change(now.write.merged, before.write.merged)),
        (&READ_RATE, read_bytes),
        (&WRITE_RATE, write_bytes),
    ] {
        put_some(fields, field, share(value, seconds));
    }
    for (field, part, whole) in [
        (&READ_AWAIT, read_time, reads),
        (&WRITE_AWAIT, write_time, writes),
        (&AWAIT, read_time + write_time, all),
        (&SERVICE_TIME, busy, all),
        (&REQUEST_SIZE, read_bytes + write_bytes, all),
    ] {
        fields.put(field, share(part, whole).unwrap_or(0.0));
    }
    let wall = seconds * 1000.0;
    put_some(fields, &QUEUE_SIZE, share(milliseconds(now.weighted, before.weighted), wall));
    put_some(fields, &BUSY, share(busy, wall).map(|s| round(s * 100.0).min(100.0)));
}

/// Times are 32 bits wide in the kernel and begin anew.
fn milliseconds(now: u64, before: u64) -> f64 {
    match now.checked_sub(before) {
        Some(change) => change as f64,
        None if before <= u64::from(u32::MAX) => (now + (1 << 32) - before) as f64,
        None => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_diskstats() {
        let text = b"   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n \
            254       0 vda 100 10 2000 50 200 20 4000 150 3 120 200 0 0 0 0 0 0\n 8 1\n";
        let mut disks = Vec::new();
        parse(text, &mut disks);
        assert_eq!(disks.len(), 1, "a disk without any work is left out");
        assert_eq!(disks[0].read, Work { count: 100, merged: 10, bytes: 2000 * 512, time: 50 });
        assert_eq!(disks[0].write, Work { count: 200, merged: 20, bytes: 4000 * 512, time: 150 });
        assert_eq!((disks[0].under_way, disks[0].busy, disks[0].weighted), (3, 120, 200));
    }

    #[test]
    fn times_begin_anew_after_32_bits() {
        assert_eq!(milliseconds(30, 10), 20.0);
        assert_eq!(milliseconds(4, u64::from(u32::MAX)), 5.0);
        assert_eq!(milliseconds(4, u64::MAX), 0.0);
    }
}
