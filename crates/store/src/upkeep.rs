//! What is done every few seconds: old rows are written, files merged, files deleted; and what there is to tell.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use wirebeat_model::Time;

use crate::compact::{self, Size};
use crate::file::SealedFile;
use crate::retain::{Disk, Why, expired};
use crate::stats::{IndexStats, Stats, count};
use crate::store::{State, Store};
use crate::write::WriteError;

/// What upkeep remembers.
#[derive(Default)]
pub(crate) struct Upkeep {
    /// Partitions whose files cannot be merged, because one is damaged.
    given_up: HashSet<Arc<str>>,
}

const DAY: f64 = 86_400e9;
/// The rate of a shorter time says nothing.
const SHORTEST: f64 = 60e9;

impl Store {
    /// To be called every few seconds, on any thread: writes rows that have waited long enough, deletes what has to go,
    /// merges small files (once a call; `true` when it did and there may be more to merge). `now` is the wall clock.
    ///
    /// # Errors
    /// The first [`WriteError`]. Everything is tried again with the next call.
    pub fn tick(&self, now: Time) -> Result<bool, WriteError> {
        let sealed = self.seal_old(now);
        let mut upkeep = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        self.expire(now);
        let merged = self.merge_some(&mut upkeep, now);
        sealed.and(merged)
    }

    /// Deletes what [`crate::Retention`] no longer allows.
    fn expire(&self, now: Time) {
        let disk = rustix::fs::statvfs(&self.dir.path)
            .map(|s| Disk { free: s.f_bavail * s.f_frsize, total: s.f_blocks * s.f_frsize })
            .ok();
        let mut state = self.state();
        let files: Vec<Arc<SealedFile>> =
            state.partitions.values().flat_map(|p| p.sealed.iter().cloned()).collect();
        let gone = expired(files, &self.options.retention, disk, now);
        if gone.is_empty() {
            return;
        }
        for (file, why) in &gone {
            file.doom();
            let counter = match why {
                Why::Age => &self.counters.expired_by_age,
                Why::Bytes => &self.counters.expired_by_bytes,
                Why::Disk => &self.counters.expired_by_disk,
            };
            count(counter, file.about.rows());
        }
        for partition in state.partitions.values_mut() {
            let keep = |f: &Arc<SealedFile>| !gone.iter().any(|(g, _)| Arc::ptr_eq(f, g));
            if !partition.sealed.iter().all(keep) {
                let files = partition.sealed.iter().filter(|f| keep(f)).cloned().collect();
                partition.set_sealed(files);
            }
        }
        let State { partitions, open, .. } = &mut *state;
        partitions.retain(|name, p| !p.sealed.is_empty() || open.contains_key(name));
        state.view = None;
    }

    /// Merges the files of one partition, where there is something to merge.
    fn merge_some(&self, upkeep: &mut Upkeep, now: Time) -> Result<bool, WriteError> {
        let names: Vec<Arc<str>> = self.state().partitions.keys().cloned().collect();
        for name in names {
            if upkeep.given_up.contains(&name) {
                continue;
            }
            let files = self.state().partitions.get(&name).map(|p| p.sealed.clone()).unwrap_or_default();
            let Some(run) = compact::choose(&files, self.options.group_rows, now) else { continue };
            let old = &files[run];
            let (dir, options) = (self.dir.partition(&name), &self.options);
            let limit = Size { rows: options.group_rows as u64, bytes: options.group_bytes as u64 / 2 };
            match compact::merge(&dir, old, limit, options.sync, &self.shared) {
                Ok(new) => {
                    self.replace(&name, old, new);
                    return Ok(true);
                }
                Err(e) => {
                    count(&self.counters.write_failures, 1);
                    if matches!(e, WriteError::Read(_) | WriteError::Format(..)) {
                        upkeep.given_up.insert(name);
                    }
                    return Err(e);
                }
            }
        }
        Ok(false)
    }

    fn replace(&self, name: &str, old: &[Arc<SealedFile>], new: Arc<SealedFile>) {
        count(&self.counters.files_merged, 1);
        let mut state = self.state();
        let Some(partition) = state.partitions.get_mut(name) else { return };
        let keep = |f: &&Arc<SealedFile>| !old.iter().any(|o| Arc::ptr_eq(f, o));
        let files = partition.sealed.iter().filter(keep).cloned().chain([new]).collect();
        partition.set_sealed(files);
        state.view = None;
        old.iter().for_each(|file| file.doom());
    }

    /// What the store holds and has counted. `now` is the wall clock.
    pub fn stats(&self, now: Time) -> Stats {
        let view = self.view();
        let failing = self.writer().failed.as_ref().map(|f| f.0.clone());
        let state = self.state();
        let indices = view.indices.iter().map(|index| {
            let partition = state.partitions.get(index.name.as_str());
            IndexStats {
                name: index.name.clone(),
                documents: index.documents,
                open: state.open.get(index.name.as_str()).map_or(0, |o| o.rows as u64),
                bytes: index.bytes,
                files: partition.map_or(0, |p| p.sealed.len()),
                time: index.time,
            }
        });
        let mut counts = self.counters.counts();
        counts.unreadable = self.shared.unreadable.load(std::sync::atomic::Ordering::Relaxed);
        Stats {
            indices: indices.collect(),
            bytes: state.partitions.values().map(|p| p.bytes()).sum(),
            open_bytes: state.open_bytes(),
            cache_bytes: self.shared.cache.bytes()
                + self.shared.numberings.bytes()
                + self.shared.documents.bytes(),
            days: self.days(&state, now),
            failing,
            counts,
        }
    }

    /// About how many days of events there is room for.
    fn days(&self, state: &State, now: Time) -> Option<f64> {
        let files = || state.partitions.values().flat_map(|p| &p.sealed);
        let first = files().map(|f| f.about.ingested).min()?;
        let since = (now.0 as f64 - first as f64).min(DAY);
        if since < SHORTEST {
            return None;
        }
        let recent = files().filter(|f| (now.0 as f64 - f.about.ingested as f64) <= since);
        let a_day = recent.map(|f| f.bytes as f64).sum::<f64>() / since * DAY;
        let retention = &self.options.retention;
        let by_bytes = retention.bytes.filter(|_| a_day > 0.0).map(|bytes| bytes as f64 / a_day);
        let by_age = retention.age.map(|age| age.as_nanos() as f64 / DAY);
        by_bytes.into_iter().chain(by_age).reduce(f64::min)
    }
}
