//! Room on each filesystem, and their sum: `system.filesystem`, `system.fsstat`.

mod ask;

pub(crate) use ask::Asker;

use std::collections::HashMap;

use wirebeat_model::{Field, Kind, Unit, fields};

use crate::emit::{Metricset, Writer, put_share};
use crate::options::Sets;
use crate::scan::{lines, words};

/// A filesystem that is mounted somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mount {
    /// What is mounted: `/dev/sda1`, `server:/export`.
    pub device: String,
    /// Where, as the host sees it.
    pub point: String,
    /// ext4, nfs4 …
    pub kind: String,
    /// Mount options.
    pub options: String,
}

/// A mount and how much room there is: bytes and files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filesystem {
    /// Which.
    pub mount: Mount,
    /// How much.
    pub room: Room,
}

/// What statfs(2) says, in bytes and files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Bytes in all.
    pub total: u64,
    /// Bytes not in use.
    pub free: u64,
    /// Bytes not in use that anybody may have.
    pub available: u64,
    /// Files in all.
    pub files: u64,
    /// Files that can still be made.
    pub free_files: u64,
}

/// Filesystems looked at, at most: a host with more has mounts of containers among them.
const MAX: usize = 1024;

/// Reads `/proc/PID/mounts`. Left out as Metricbeat does: types in `ignored`, mount points that are no absolute path, and a
/// device's further mounts, of which the shortest path stays. With `below`, only mounts under that directory count, and
/// lose it.
pub(crate) fn parse_mounts(text: &[u8], ignored: &dyn Fn(&str) -> bool, below: Option<&str>) -> Vec<Mount> {
    let mut out: Vec<Mount> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for line in lines(text) {
        let mut parts = words(line).map(unescape);
        let (Some(device), Some(point), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let point = match below {
            None => point,
            Some(root) => match point.strip_prefix(root) {
                Some("") => "/".to_owned(),
                Some(rest) if rest.starts_with('/') => rest.to_owned(),
                _ => continue,
            },
        };
        if !point.starts_with('/') || ignored(&kind) {
            continue;
        }
        let mount = Mount { device, point, kind, options: parts.next().unwrap_or_default() };
        if mount.device.starts_with('/') {
            if let Some(known) = seen.get(&mount.device).and_then(|i| out.get_mut(*i)) {
                if mount.point.len() < known.point.len() {
                    *known = mount;
                }
                continue;
            }
            seen.insert(mount.device.clone(), out.len());
        }
        if out.len() == MAX {
            break;
        }
        out.push(mount);
    }
    out
}

/// `\040` and the like: blanks, tabs, line ends and backslashes in octal.
fn unescape(word: &[u8]) -> String {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&b, tail)) = rest.split_first() {
        let octal = tail.get(..3).filter(|d| b == b'\\' && d.iter().all(|c| (b'0'..b'8').contains(c)));
        match octal.map(|d| d.iter().fold(0u32, |n, c| n * 8 + u32::from(c - b'0'))) {
            Some(n) if n < 256 => {
                out.push(n as u8);
                rest = &tail[3..];
            }
            _ => {
                out.push(b);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Types in `/proc/filesystems` that need no device: pseudo filesystems, and those of other hosts.
pub(crate) fn parse_nodev(text: &[u8]) -> Vec<String> {
    lines(text)
        .filter_map(|line| {
            let mut words = words(line);
            (words.next()? == b"nodev").then(|| words.next())?
        })
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

fields! {
    pub FIELDS:
    DEVICE_NAME = Field::new("system.filesystem.device_name", Kind::Keyword, "What is mounted.").aliases(&["fs.device_name"]);
    MOUNT_POINT = Field::new("system.filesystem.mount_point", Kind::Keyword, "Where it is mounted.").aliases(&["fs.mount_point"]);
    TYPE = Field::new("system.filesystem.type", Kind::Keyword, "Its type: ext4, xfs …");
    OPTIONS = Field::new("system.filesystem.options", Kind::Keyword, "Mount options.");
    TOTAL = Field::new("system.filesystem.total", Kind::Long, "Room in all.").unit(Unit::Bytes).aliases(&["fs.total"]);
    FREE = Field::new("system.filesystem.free", Kind::Long, "Room not in use.").unit(Unit::Bytes).aliases(&["fs.free"]);
    AVAILABLE = Field::new("system.filesystem.available", Kind::Long, "Room not in use that anybody may have.").unit(Unit::Bytes).aliases(&["fs.avail"]);
    USED = Field::new("system.filesystem.used.bytes", Kind::Long, "Room in use.").unit(Unit::Bytes).aliases(&["fs.used"]);
    USED_PCT = Field::new("system.filesystem.used.pct", Kind::Double, "Share in use of what anybody may have, as df shows it.").unit(Unit::Percent);
    FILES = Field::new("system.filesystem.files", Kind::Long, "Files that it can hold.").aliases(&["fs.files"]);
    FREE_FILES = Field::new("system.filesystem.free_files", Kind::Long, "Files that can still be made.").aliases(&["fs.free_files"]);
    OLD_USED_PCT = Field::new("fs.used_p", Kind::Double, "Share in use of all room, what is reserved included, as Topbeat 1.x counted (`wirebeat.fields_1x`).").unit(Unit::Percent);
    COUNT = Field::new("system.fsstat.count", Kind::Long, "Filesystems.");
    TOTAL_FILES = Field::new("system.fsstat.total_files", Kind::Long, "Files that all can hold.");
    SIZE_TOTAL = Field::new("system.fsstat.total_size.total", Kind::Long, "Room on all.").unit(Unit::Bytes);
    SIZE_USED = Field::new("system.fsstat.total_size.used", Kind::Long, "Room in use on all.").unit(Unit::Bytes);
    SIZE_FREE = Field::new("system.fsstat.total_size.free", Kind::Long, "Room not in use on all.").unit(Unit::Bytes);
}

static FILESYSTEM: Metricset =
    Metricset { module: "system", name: "filesystem", dataset: "system.filesystem", kind: "filesystem" };
static FSSTAT: Metricset =
    Metricset { module: "system", name: "fsstat", dataset: "system.fsstat", kind: "fsstat" };

/// Writes one event for each filesystem, and their sum.
pub(crate) fn events(filesystems: &[Filesystem], sets: &Sets, out: &mut Writer<'_>) {
    let fields_1x = out.fields_1x();
    for Filesystem { mount, room } in filesystems.iter().filter(|_| sets.filesystem) {
        out.event(&FILESYSTEM, |fields| {
            let used = room.total.saturating_sub(room.free);
            fields.put(&DEVICE_NAME, mount.device.as_str());
            fields.put(&MOUNT_POINT, mount.point.as_str());
            fields.put(&TYPE, mount.kind.as_str());
            fields.put(&OPTIONS, mount.options.as_str());
            fields.put(&TOTAL, room.total);
            fields.put(&FREE, room.free);
            fields.put(&AVAILABLE, room.available);
            fields.put(&USED, used);
            put_share(fields, &USED_PCT, used, used.saturating_add(room.available));
            fields.put(&FILES, room.files);
            fields.put(&FREE_FILES, room.free_files);
            if fields_1x {
                put_share(fields, &OLD_USED_PCT, used, room.total);
            }
        });
    }
    if !sets.fsstat {
        return;
    }
    let sum = |part: fn(&Room) -> u64| filesystems.iter().fold(0u64, |n, f| n.saturating_add(part(&f.room)));
    let (total, free) = (sum(|r| r.total), sum(|r| r.free));
    out.event(&FSSTAT, |fields| {
        fields.put(&COUNT, filesystems.len() as u64);
        fields.put(&TOTAL_FILES, sum(|r| r.files));
        fields.put(&SIZE_TOTAL, total);
        fields.put(&SIZE_USED, total.saturating_sub(free));
        fields.put(&SIZE_FREE, free);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"/dev/vda /data ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n/dev/vda / ext4 rw 0 0\n\
        /dev/vdb /mnt/my\\040disk\\134 xfs ro 0 0\nserver:/export /nfs nfs4 rw 0 0\n/dev/vda /run/netns ext4 rw 0 0\nshort\n\
        tmpfs relative tmpfs rw 0 0\n";

    fn points(mounts: &[Mount]) -> Vec<&str> {
        mounts.iter().map(|m| m.point.as_str()).collect()
    }

    #[test]
    fn mounts_as_metricbeat_chooses_them() {
        let nodev = parse_nodev(b"nodev\tproc\nnodev\ttmpfs\n\text4\nnodev\tnfs4\n\txfs\n");
        assert_eq!(nodev, ["proc", "tmpfs", "nfs4"]);
        let mounts = parse_mounts(MOUNTS, &|kind| nodev.iter().any(|n| n == kind), None);
        assert_eq!(points(&mounts), ["/", "/mnt/my disk\\"], "the shortest path of a device stays");
        let mounts = parse_mounts(MOUNTS, &|_| false, None);
        assert_eq!(points(&mounts), ["/", "/proc", "/mnt/my disk\\", "/nfs"]);
    }

    #[test]
    fn mounts_below_the_host_s_root() {
        let text =
            b"overlay / overlay rw 0 0\n/dev/vda /hostfs ext4 ro 0 0\n/dev/vdb /hostfs/home ext4 ro 0 0\n\
            /dev/vdc /hostfsx ext4 ro 0 0\n/dev/vda /etc/hosts ext4 rw 0 0\n";
        let mounts = parse_mounts(text, &|_| false, Some("/hostfs"));
        assert_eq!(points(&mounts), ["/", "/home"]);
    }

    #[test]
    fn octal() {
        assert_eq!(unescape(b"a\\040b\\011\\777\\8\\"), "a b\t\\777\\8\\");
    }
}
