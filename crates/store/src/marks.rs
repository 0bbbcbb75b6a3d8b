//! When events came in, remembered by their numbers.
//!
//! The day of ingest decides where an event with an odd `@timestamp` is filed, and an event that is replayed after a
//! crash must be filed where it was filed before. So the store notes, whenever a new day begins, with which number.

use std::io;
use std::path::{Path, PathBuf};

use wirebeat_model::Time;

use crate::dir::write_small;

const DAY: i64 = 86_400_000_000_000;

/// The UTC day of an instant, counted from 1970-01-01.
pub(crate) fn day(time: Time) -> i64 {
    time.0.div_euclid(DAY)
}

/// From which number on which ingest time holds.
pub(crate) struct Marks {
    path: PathBuf,
    /// Ascending by number.
    list: Vec<(u64, Time)>,
}

impl Marks {
    pub(crate) fn open(dir: &Path) -> Self {
        let path = dir.join("CLOCK");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let parse = |line: &str| {
            let (seq, time) = line.split_once(' ')?;
            Some((seq.parse().ok()?, Time(time.parse().ok()?)))
        };
        let mut list: Vec<(u64, Time)> = text.lines().filter_map(parse).collect();
        list.sort_by_key(|m| m.0);
        Self { path, list }
    }

    /// The ingest time of an event that comes again.
    pub(crate) fn of(&self, seq: u64) -> Option<Time> {
        let after = self.list.partition_point(|m| m.0 <= seq);
        after.checked_sub(1).map(|i| self.list[i].1)
    }

    /// Notes the ingest time of a new event when another day has begun. Numbers below `sealed` never come again.
    pub(crate) fn note(&mut self, seq: u64, now: Time, sealed: impl FnOnce() -> u64) -> io::Result<()> {
        if self.of(seq).is_some_and(|last| day(last) == day(now)) {
            return Ok(());
        }
        let sealed = sealed();
        self.list.retain(|m| m.0 < seq);
        let after = self.list.partition_point(|m| m.0 <= sealed);
        self.list.drain(..after.saturating_sub(1));
        self.list.push((seq, now));
        let text: String = self.list.iter().map(|(seq, time)| format!("{seq} {}\n", time.0)).collect();
        write_small(&self.path, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_an_event_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut marks = Marks::open(dir.path());
        assert_eq!(marks.of(5), None);
        for (seq, days) in [(1, 10), (50, 10), (100, 11), (200, 9), (300, 12)] {
            marks.note(seq, Time(days * DAY + 5), || 60).unwrap();
        }
        let again = Marks::open(dir.path());
        let days: Vec<i64> =
            [61, 99, 100, 199, 250, 300, 999].iter().map(|s| day(again.of(*s).unwrap())).collect();
        assert_eq!(days, [10, 10, 11, 11, 9, 12, 12]);
    }
}
