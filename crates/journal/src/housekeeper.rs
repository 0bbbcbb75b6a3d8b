//! A thread that forces data to the disk, writes cursors and deletes what every reader is done with.

use std::io;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::state::Core;
use crate::{Durability, cursor, directory};

/// How often cursors are written.
const CURSORS: Duration = Duration::from_secs(1);

/// Starts it; it ends when the state is closed.
pub(crate) fn start(core: Arc<Core>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("journal".into()).spawn(move || work(&core))
}

fn work(core: &Core) {
    let sync = match core.options.durability {
        Durability::Interval(interval) => Some(interval.max(Duration::from_millis(1))),
        Durability::Batch | Durability::None => None,
    };
    let (mut synced, mut saved) = (Instant::now(), Instant::now());
    loop {
        let mut wait = CURSORS.saturating_sub(saved.elapsed());
        if let Some(interval) = sync {
            wait = wait.min(interval.saturating_sub(synced.elapsed()));
        }
        let state = core.state();
        if state.closed {
            return;
        }
        if !wait.is_zero() {
            drop(core.closing.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner));
            continue;
        }
        drop(state);
        // Events first: no cursor on the disk is then ahead of them.
        if sync.is_some_and(|i| synced.elapsed() >= i) {
            synced = Instant::now();
            core.sync();
        }
        if saved.elapsed() >= CURSORS {
            saved = Instant::now();
            core.save_cursors(None);
            core.clean();
        }
    }
}

impl Core {
    /// Forces what was written to the disk.
    pub(crate) fn sync(&self) {
        let mut state = self.state();
        let mut files = std::mem::take(&mut state.unsynced);
        if std::mem::take(&mut state.dirty) {
            files.extend(state.active.clone());
        }
        drop(state);
        let failed = files.iter().filter(|f| f.sync_data().is_err()).count();
        // Trying again would not help: the kernel has forgotten that the data is not on the disk.
        self.state().counts.write_errors += failed as u64;
    }

    /// Deletes what no reader needs.
    pub(crate) fn clean(&self) {
        let gone = self.state().drop_passed();
        if gone.is_empty() {
            return;
        }
        // The cursors have to last before the events go.
        if self.syncs() && directory::sync(&cursor::folder(&self.dir)).is_err() {
            self.state().counts.write_errors += 1;
        }
        self.delete(&gone);
    }
}
