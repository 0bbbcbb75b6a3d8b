//! Load averages and uptime: `system.load`, `system.uptime`.

use wirebeat_model::{Field, Kind, fields};

use crate::emit::{Metricset, Writer, round};
use crate::scan::{fraction, words};

fields! {
    pub FIELDS:
    ONE = Field::new("system.load.1", Kind::Double, "Tasks that ran or waited for CPU or disk, average of 1 minute.").aliases(&["load.load1"]);
    FIVE = Field::new("system.load.5", Kind::Double, "The same of 5 minutes.").aliases(&["load.load5"]);
    FIFTEEN = Field::new("system.load.15", Kind::Double, "The same of 15 minutes.").aliases(&["load.load15"]);
    NORM_ONE = Field::new("system.load.norm.1", Kind::Double, "`system.load.1` for each core.");
    NORM_FIVE = Field::new("system.load.norm.5", Kind::Double, "`system.load.5` for each core.");
    NORM_FIFTEEN = Field::new("system.load.norm.15", Kind::Double, "`system.load.15` for each core.");
    CORES = Field::new("system.load.cores", Kind::Long, "Cores online.");
    UPTIME = Field::new("system.uptime.duration.ms", Kind::Long, "Milliseconds since boot.");
}

static LOAD: Metricset = Metricset { module: "system", name: "load", dataset: "system.load", kind: "system" };
static UP: Metricset =
    Metricset { module: "system", name: "uptime", dataset: "system.uptime", kind: "uptime" };

/// `/proc/loadavg`: averages of 1, 5 and 15 minutes.
pub(crate) fn parse_load(text: &[u8]) -> Option<[f64; 3]> {
    let mut words = words(text).map(fraction);
    Some([words.next()??, words.next()??, words.next()??])
}

/// `/proc/uptime`, in milliseconds.
pub(crate) fn parse_uptime(text: &[u8]) -> Option<u64> {
    let seconds = fraction(words(text).next()?)?;
    (seconds >= 0.0).then(|| (seconds * 1000.0).round() as u64)
}

/// Writes `system.load`.
pub(crate) fn load(load: [f64; 3], cores: usize, out: &mut Writer<'_>) {
    out.event(&LOAD, |fields| {
        for (field, value) in [&ONE, &FIVE, &FIFTEEN].into_iter().zip(load) {
            fields.put(field, value);
        }
        for (field, value) in [&NORM_ONE, &NORM_FIVE, &NORM_FIFTEEN].into_iter().zip(load) {
            fields.put(field, round(value / cores as f64));
        }
        fields.put(&CORES, cores as u64);
    });
}

/// Writes `system.uptime`.
pub(crate) fn uptime(milliseconds: u64, out: &mut Writer<'_>) {
    out.event(&UP, |fields| fields.put(&UPTIME, milliseconds));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_kernel_writes_them() {
        assert_eq!(parse_load(b"0.52 1.00 12.25 2/345 6789\n"), Some([0.52, 1.0, 12.25]));
        assert_eq!(parse_load(b"0.52 x"), None);
        assert_eq!(parse_uptime(b"350735.47 234388.90\n"), Some(350_735_470));
        assert_eq!(parse_uptime(b"-1 2"), None);
        assert_eq!(parse_uptime(b""), None);
    }
}
