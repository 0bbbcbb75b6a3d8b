//! What a run has seen and lost, for the end of it.

use std::fmt;

use wirebeat_model::Counters;

/// What was done.
#[derive(Debug, Default)]
pub struct Summary {
    /// Everything counted.
    pub counters: Counters,
    /// The most memory lent by one shard at a time, in bytes.
    pub peak: usize,
}

impl fmt::Display for Summary {
    /// Packets, bytes, flows and events always, every other counter when it is not 0, each loss with its meaning.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ALWAYS: [&str; 4] = ["packets", "bytes", "flows", "events"];
        for (name, value, _) in self.counters.iter().filter(|(n, ..)| ALWAYS.contains(n)) {
            writeln!(f, "{name}: {value}")?;
        }
        for (name, value, doc) in self.counters.iter().filter(|(n, v, _)| *v > 0 && !ALWAYS.contains(n)) {
            writeln!(f, "{name}: {value}  ({doc})")?;
        }
        writeln!(f, "memory_lent: {}  (The most bytes one shard has lent to what waits.)", self.peak)
    }
}
