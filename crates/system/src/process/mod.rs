//! Processes: `system.process`, `system.process_summary`.

mod details;
mod events;
mod mask;
mod stat;
mod table;
mod users;

pub(crate) use details::Cache;
pub use details::{Details, Io, Lasting};
pub(crate) use events::FIELDS;
pub(crate) use events::{Scale, events, summary};
pub use stat::{Stat, state_name};
pub(crate) use table::{Buffers, Choice, list};

use std::sync::Arc;

/// A process at one moment.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// What `/proc/PID/stat` says.
    pub stat: Stat,
    /// The container it is in.
    pub container: Option<Arc<crate::container::Identity>>,
    /// The rest, of those that are told.
    pub details: Option<Details>,
}

/// What happened between two measurements of one process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since {
    /// Milliseconds of CPU time.
    pub cpu: u64,
    /// Milliseconds that have passed.
    pub wall: f64,
}

/// A process of the measurement before: the same number and the same start.
pub(crate) fn earlier<'a>(earlier: &'a [Process], now: &Stat) -> Option<&'a Process> {
    let at = earlier.binary_search_by_key(&now.pid, |p| p.stat.pid).ok()?;
    earlier.get(at).filter(|p| p.stat.start == now.start)
}
