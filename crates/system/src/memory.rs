//! Memory and swap: `system.memory`.

use wirebeat_model::{Field, Kind, Unit, fields};

use crate::emit::{Metricset, Writer, put_share};
use crate::scan::{lines, number, words};

/// `/proc/meminfo`, in bytes (proc(5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// MemTotal.
    pub total: u64,
    /// MemFree.
    pub free: u64,
    /// MemAvailable; kernels before 3.14 do not say it.
    pub available: Option<u64>,
    /// Buffers.
    pub buffers: u64,
    /// Cached.
    pub cached: u64,
    /// SwapTotal.
    pub swap_total: u64,
    /// SwapFree.
    pub swap_free: u64,
}

impl Memory {
    /// Reads `/proc/meminfo`; `None` when it does not say how much memory there is.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut memory = Self::default();
        for line in lines(text) {
            let mut words = words(line);
            let (Some(name), Some(kib)) = (words.next(), words.next().and_then(number)) else { continue };
            let bytes = kib.saturating_mul(1024);
            match name {
                b"MemTotal:" => memory.total = bytes,
                b"MemFree:" => memory.free = bytes,
                b"MemAvailable:" => memory.available = Some(bytes),
                b"Buffers:" => memory.buffers = bytes,
                b"Cached:" => memory.cached = bytes,
                b"SwapTotal:" => memory.swap_total = bytes,
                b"SwapFree:" => memory.swap_free = bytes,
                _ => {}
            }
        }
        (memory.total > 0).then_some(memory)
    }

    /// What programs can still get: MemAvailable, or what is free and easily made so.
    pub fn actual_free(&self) -> u64 {
        self.available.unwrap_or_else(|| self.free_1x())
    }

    /// What Topbeat 1.x counted as free: free, buffers and cache.
    fn free_1x(&self) -> u64 {
        self.free.saturating_add(self.buffers).saturating_add(self.cached)
    }
}

fields! {
    pub FIELDS:
    TOTAL = Field::new("system.memory.total", Kind::Long, "Memory of the host.").unit(Unit::Bytes).aliases(&["mem.total"]);
    USED = Field::new("system.memory.used.bytes", Kind::Long, "Total less free: caches count as used.").unit(Unit::Bytes).aliases(&["mem.used"]);
    USED_PCT = Field::new("system.memory.used.pct", Kind::Double, "Share of it, from 0 to 1.").unit(Unit::Percent).aliases(&["mem.used_p"]);
    FREE = Field::new("system.memory.free", Kind::Long, "Memory that nothing uses.").unit(Unit::Bytes).aliases(&["mem.free"]);
    CACHED = Field::new("system.memory.cached", Kind::Long, "Page cache.").unit(Unit::Bytes);
    ACTUAL_FREE = Field::new("system.memory.actual.free", Kind::Long, "What programs can still get (MemAvailable).").unit(Unit::Bytes);
    ACTUAL_USED = Field::new("system.memory.actual.used.bytes", Kind::Long, "Total less what programs can still get.").unit(Unit::Bytes);
    ACTUAL_PCT = Field::new("system.memory.actual.used.pct", Kind::Double, "Share of it, from 0 to 1.").unit(Unit::Percent);
    SWAP_TOTAL = Field::new("system.memory.swap.total", Kind::Long, "Swap space.").unit(Unit::Bytes).aliases(&["swap.total"]);
    SWAP_USED = Field::new("system.memory.swap.used.bytes", Kind::Long, "Swap space in use.").unit(Unit::Bytes).aliases(&["swap.used"]);
    SWAP_PCT = Field::new("system.memory.swap.used.pct", Kind::Double, "Share of it, from 0 to 1; 0 without swap.").unit(Unit::Percent).aliases(&["swap.used_p"]);
    SWAP_FREE = Field::new("system.memory.swap.free", Kind::Long, "Swap space not in use.").unit(Unit::Bytes).aliases(&["swap.free"]);
    OLD_FREE = Field::new("mem.actual_free", Kind::Long, "Free, buffers and cache, as Topbeat 1.x counted (`wirebeat.fields_1x`).").unit(Unit::Bytes);
    OLD_USED = Field::new("mem.actual_used", Kind::Long, "Total less `mem.actual_free` (`wirebeat.fields_1x`).").unit(Unit::Bytes);
    OLD_PCT = Field::new("mem.actual_used_p", Kind::Double, "Share of it, from 0 to 1 (`wirebeat.fields_1x`).").unit(Unit::Percent);
}

static MEMORY: Metricset =
    Metricset { module: "system", name: "memory", dataset: "system.memory", kind: "system" };

/// Writes `system.memory`.
pub(crate) fn event(memory: &Memory, out: &mut Writer<'_>) {
    let fields_1x = out.fields_1x();
    out.event(&MEMORY, |fields| {
        let used = memory.total.saturating_sub(memory.free);
        fields.put(&TOTAL, memory.total);
        fields.put(&FREE, memory.free);
        fields.put(&CACHED, memory.cached);
        fields.put(&USED, used);
        put_share(fields, &USED_PCT, used, memory.total);
        let actual = memory.total.saturating_sub(memory.actual_free());
        fields.put(&ACTUAL_FREE, memory.actual_free());
        fields.put(&ACTUAL_USED, actual);
        put_share(fields, &ACTUAL_PCT, actual, memory.total);
        let swap = memory.swap_total.saturating_sub(memory.swap_free);
        fields.put(&SWAP_TOTAL, memory.swap_total);
        fields.put(&SWAP_FREE, memory.swap_free);
        fields.put(&SWAP_USED, swap);
        put_share(fields, &SWAP_PCT, swap, memory.swap_total.max(1));
        if fields_1x {
            let old = memory.total.saturating_sub(memory.free_1x());
            fields.put(&OLD_FREE, memory.free_1x());
            fields.put(&OLD_USED, old);
            put_share(fields, &OLD_PCT, old, memory.total);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_meminfo() {
        let text = b"MemTotal:       24684092 kB\nMemFree:        22760448 kB\nMemAvailable:   24180736 kB\n\
            Buffers:           62016 kB\nCached:          1622016 kB\nSwapCached:            0 kB\nSwapTotal:   1024 kB\n\
            SwapFree:     512 kB\nHugePages_Total:       0\n";
        let memory = Memory::parse(text).unwrap();
        assert_eq!(memory.total, 24_684_092 * 1024);
        assert_eq!(memory.actual_free(), 24_180_736 * 1024);
        assert_eq!((memory.swap_total, memory.swap_free), (1 << 20, 1 << 19));
        let old =
            Memory::parse(b"MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 20 kB\nCached: 30 kB\n").unwrap();
        assert_eq!(old.actual_free(), 60 * 1024);
        assert_eq!(Memory::parse(b"nothing"), None);
    }
}
