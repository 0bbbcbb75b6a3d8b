//! What a run has seen and lost, for the end of it.

use std::fmt;

use wirebeat_model::Counters;
use wirebeat_system::Losses;

/// What was done.
#[derive(Debug, Default)]
pub struct Summary {
    /// Everything counted.
    pub counters: Counters,
    /// The most memory lent by one shard at a time, in bytes.
    pub peak: usize,
    /// What was measured of the host, if it was.
    pub measured: Option<Losses>,
}

/// Measurements of the host in words: how many, and what could not be measured.
pub struct Measured<'a>(pub &'a Losses);

impl fmt::Display for Measured<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value, doc) in self.0.iter().filter(|(name, value, _)| *value > 0 || *name == "periods") {
            writeln!(f, "host_{name}: {value}  ({doc})")?;
        }
        Ok(())
    }
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
        writeln!(f, "memory_lent: {}  (The most bytes one shard has lent to what waits.)", self.peak)?;
        self.measured.as_ref().map_or(Ok(()), |losses| Measured(losses).fmt(f))
    }
}
