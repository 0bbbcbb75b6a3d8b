//! Containers: `docker.cpu`, `docker.memory`, `docker.diskio`, from control groups of version 1 and 2, whatever runs them.

mod events;
mod read;

pub(crate) use events::FIELDS;
pub(crate) use events::events;
pub(crate) use read::Reader;

use std::sync::Arc;

use wirebeat_model::{Entries, ecs};

use crate::scan::lines;

/// Which container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// 64 hexadecimal digits.
    pub id: String,
    /// What runs it; empty when its name does not say.
    pub runtime: &'static str,
    /// Its control group.
    pub path: String,
}

impl Identity {
    /// Puts `container.id` and `container.runtime`.
    pub(crate) fn put(&self, fields: &mut Entries) {
        fields.put(&ecs::CONTAINER_ID, self.id.as_str());
        if !self.runtime.is_empty() {
            fields.put(&ecs::CONTAINER_RUNTIME, self.runtime);
        }
    }
}

/// What a container has used since it began, and its limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Which.
    pub identity: Arc<Identity>,
    /// CPU time.
    pub cpu: Option<CpuUse>,
    /// Memory.
    pub memory: Option<MemoryUse>,
    /// Reads and writes of disks: bytes and operations.
    pub io: Option<[Transfer; 2]>,
    /// Processes and threads, and how many there may be.
    pub pids: Option<(u64, Option<u64>)>,
}

/// CPU time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuUse {
    /// In all.
    pub total: u64,
    /// In user space.
    pub user: u64,
    /// In the kernel.
    pub system: u64,
    /// Periods in which a limit held.
    pub periods: u64,
    /// Those in which it was reached.
    pub throttled_periods: u64,
    /// How long it was kept waiting.
    pub throttled: u64,
    /// The limit in thousandths of a core.
    pub limit: Option<u64>,
}

/// Memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// All that is charged to it, page cache included.
    pub usage: u64,
    /// The most that ever was.
    pub peak: Option<u64>,
    /// The limit.
    pub limit: Option<u64>,
    /// Without files.
    pub rss: u64,
    /// Page cache that nothing used lately, which goes first.
    pub inactive_file: u64,
    /// Times the limit was reached.
    pub failures: u64,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Bytes.
    pub bytes: u64,
    /// Operations.
    pub count: u64,
}

/// The container that a process is in, by the lines of `/proc/PID/cgroup`: the innermost one.
pub(crate) fn identify(text: &[u8]) -> Option<Identity> {
    lines(text).find_map(|line| {
        // ID:CONTROLLERS:PATH; the path may hold colons.
        let path = line.splitn(3, |b| *b == b':').nth(2)?;
        let (id, runtime) = path.rsplit(|b| *b == b'/').find_map(component)?;
        let runtime = if !runtime.is_empty() {
            runtime
        } else if memchr::memmem::find(path, b"/docker/").is_some() {
            "docker"
        } else {
            ""
        };
        // What lies below the container's own group is the container's.
        let end = memchr::memmem::rfind(path, id.as_bytes())? + id.len();
        let end = path[end..].iter().position(|b| *b == b'/').map_or(path.len(), |more| end + more);
        Some(Identity { id, runtime, path: String::from_utf8_lossy(&path[..end]).into_owned() })
    })
}

/// The id in one part of a path, and what the part's form says of the runtime.
pub(crate) fn component(part: &[u8]) -> Option<(String, &'static str)> {
    let part = part.strip_suffix(b".scope").unwrap_or(part);
    let runtimes: [(&[u8], &str); 6] = [
        (b"docker-", "docker"),
        (b"cri-containerd-", "containerd"),
        (b"crio-", "cri-o"),
        (b"libpod-", "podman"),
        (b"nerdctl-", "containerd"),
        (b"", ""),
    ];
    runtimes.into_iter().find_map(|(prefix, runtime)| {
        let id = part.strip_prefix(prefix)?;
        let hex = id.len() == 64 && id.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        hex.then(|| (String::from_utf8_lossy(id).into_owned(), runtime))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_every_runtime() {
        let id = "a".repeat(63) + "1";
        let outer = "b".repeat(64);
        for (path, runtime, own) in [
            (format!("/docker/{id}"), "docker", format!("/docker/{id}")),
            (
                format!("/system.slice/docker-{id}.scope"),
                "docker",
                format!("/system.slice/docker-{id}.scope"),
            ),
            (
                format!("/system.slice/docker-{id}.scope/init.scope"),
                "docker",
                format!("/system.slice/docker-{id}.scope"),
            ),
            (format!("/docker/{outer}/docker/{id}"), "docker", format!("/docker/{outer}/docker/{id}")),
            (format!("/kubepods/besteffort/pod1-2/{id}"), "", format!("/kubepods/besteffort/pod1-2/{id}")),
            (
                format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope"),
                "containerd",
                format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope"),
            ),
            (
                format!("/machine.slice/libpod-{id}.scope/container"),
                "podman",
                format!("/machine.slice/libpod-{id}.scope"),
            ),
            (format!("/../{id}"), "", format!("/../{id}")),
        ] {
            let text = format!("12:pids:/\n4:memory:{path}\n0::/\n");
            let found = identify(text.as_bytes()).unwrap();
            assert_eq!((found.id.as_str(), found.runtime, &found.path), (&*id, runtime, &own), "{path}");
        }
        for none in ["", "0::/", "0::/user.slice/session-1.scope", "x", "1:a:/docker/abc", "0::/docker/"] {
            assert_eq!(identify(none.as_bytes()), None, "{none}");
        }
        assert_eq!(component("A".repeat(64).as_bytes()), None);
    }
}
