//! The host at one moment, as counters say it, before anything is calculated.

use std::time::Duration;

use wirebeat_model::Time;

use crate::container::Container;
use crate::cpu::Cpu;
use crate::diskio::Disk;
use crate::filesystem::Filesystem;
use crate::memory::Memory;
use crate::name::Name;
use crate::network::Interface;
use crate::process::Process;
use crate::sockets::Sockets;

/// What was read in one period. What could not be read is absent.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The wall clock, which may jump.
    pub wall: Time,
    /// A clock that does not: since the sampler began.
    pub at: Duration,
    /// `at` of the processes.
    pub processes_at: Duration,
    /// `at` of the containers.
    pub containers_at: Duration,
    /// `/proc/stat`.
    pub cpu: Option<Cpu>,
    /// Averages of 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Milliseconds since boot.
    pub uptime: Option<u64>,
    /// `/proc/meminfo`.
    pub memory: Option<Memory>,
    /// Interfaces.
    pub network: Option<Vec<Interface>>,
    /// Disks and partitions.
    pub disks: Option<Vec<Disk>>,
    /// Those of them that are disks, and of real hardware: no part of others and not made of others.
    pub whole_disks: Vec<Name>,
    /// Filesystems that answered.
    pub filesystems: Option<Vec<Filesystem>>,
    /// Sockets, and whether their states were looked at.
    pub sockets: Option<(Sockets, bool)>,
    /// All processes by number; details are of those in `told`.
    pub processes: Vec<Process>,
    /// Places in `processes`.
    pub told: Vec<usize>,
    /// Containers by id.
    pub containers: Vec<Container>,
}
