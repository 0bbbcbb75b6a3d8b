//! What the host and its containers do: load, CPU, memory, disks, network, filesystems, sockets, processes.
//!
//! [`Sampler`] reads counters into a [`Snapshot`] (all input happens there); pure functions make events of a snapshot and
//! the one before; [`Metrics`] does both period after period:
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! use wirebeat_model::{Schema, Time};
//! use wirebeat_system::{Metrics, Options};
//!
//! let mut fields = wirebeat_system::fields();
//! fields.push(wirebeat_model::ecs::FIELDS);
//! Schema::install(&fields);
//! let mut metrics = Metrics::new(&Options::default())?;
//! let events = metrics.period(Time::now());
//! # let _ = events;
//! # Ok(())
//! # }
//! ```
//!
//! Names and formulas are those of Metricbeat's modules system and docker; names of Topbeat 1.x are aliases of the fields
//! where value and unit agree.

#![forbid(unsafe_code)]

mod container;
mod cpu;
mod diskio;
mod emit;
mod filesystem;
mod hostfs;
mod load;
mod losses;
mod memory;
mod metrics;
mod name;
mod network;
mod options;
mod process;
mod sampler;
mod scan;
mod snapshot;
mod sockets;

pub use container::{Container, CpuUse, Identity, MemoryUse, Transfer};
pub use cpu::{Cpu, MODES, Ticks};
pub use diskio::{Disk, Work};
pub use filesystem::{Filesystem, Mount, Room};
pub use losses::Losses;
pub use memory::Memory;
pub use metrics::Metrics;
pub use name::Name;
pub use network::{Interface, Traffic};
pub use options::{Options, Sets, patterns};
pub use process::{Details, Io, Lasting, Process, Stat, state_name};
pub use sampler::Sampler;
pub use snapshot::Snapshot;
pub use sockets::Sockets;

use wirebeat_model::Field;

/// The fields of every measurement, for [`wirebeat_model::Schema::install`].
pub fn fields() -> Vec<&'static [&'static Field]> {
    vec![
        emit::FIELDS,
        cpu::FIELDS,
        load::FIELDS,
        memory::FIELDS,
        network::FIELDS,
        diskio::FIELDS,
        filesystem::FIELDS,
        sockets::FIELDS,
        process::FIELDS,
        container::FIELDS,
    ]
}
