//! Keeps events: each goes into the journal first, and from there into the store.
//!
//! ```text
//! collector ─► Appender::append ─► journal ─► a thread of its own ─► store ─► searches
//! ```

mod directory;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wirebeat_journal::{Batch, Durability, Journal, JournalError, Next, Reader, Start, Writer};
use wirebeat_model::{Event, Schema, Time};
use wirebeat_store::{Incoming, IngestError, OpenError, Retention, Store, WriteError};

use crate::config::{self, Keeping};
pub use directory::{Directory, default_directory};

/// Why events cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// There is nowhere to keep them.
    #[error("no directory to keep events in: set --data, wirebeat.data or HOME")]
    Nowhere,
    /// The directory cannot be used.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The journal.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The store.
    #[error("{0}")]
    Store(#[from] OpenError),
    /// The store could not write.
    #[error("{0}")]
    Write(#[from] WriteError),
}

/// What events are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// They happen now: what is dated far from today is filed under today.
    Live,
    /// They come from captures: each is filed under its own day.
    Import,
}

/// Journal and store of one directory.
pub struct Keeper {
    directory: Directory,
    appender: Appender,
    journal: Journal,
    store: Arc<Store>,
    stop: Arc<AtomicBool>,
    worker: Option<JoinHandle<()>>,
}

/// Appends to the journal of a [`Keeper`]; what comes after its end is not kept.
#[derive(Clone)]
pub struct Appender {
    inner: Arc<Mutex<Appending>>,
    journal: Journal,
}

struct Appending {
    /// `None` after the end.
    writer: Option<Writer>,
    /// Events the journal did not take, as last told.
    told: u64,
}

/// The store's name among the journal's readers.
const READER: &str = "store";
/// How long the store's thread waits for events before it looks after its files.
const WAIT: Duration = Duration::from_millis(200);
/// How often it looks after its files, and how long it waits when the store takes nothing.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

impl Keeper {
    /// Opens or makes what is in `dir`, takes it for this process, and brings the store up to the journal. Says on
    /// standard error what had to be put in order.
    ///
    /// # Errors
    /// [`KeepError`]: nothing is changed then.
    pub fn open(
        dir: &Path,
        keeping: &Keeping,
        purpose: Purpose,
        schema: &'static Schema,
    ) -> Result<Self, KeepError> {
        let directory = Directory::open(dir)?;
        let options = wirebeat_journal::Options {
            quota_bytes: keeping.journal_quota,
            durability: match keeping.durability {
                config::Durability::Interval => Durability::Interval(Duration::from_secs(1)),
                config::Durability::Batch => Durability::Batch,
                config::Durability::None => Durability::None,
            },
            ..wirebeat_journal::Options::default()
        };
        let (writer, journal, recovery) = wirebeat_journal::open(&dir.join("journal"), options, schema)?;
        if !recovery.clean || recovery.torn.is_some() || !recovery.damaged.is_empty() {
            eprintln!("{recovery}");
        }
        let (store, opened) =
            Store::open(&dir.join("store"), store_options(keeping, purpose, recovery.next_seq), schema)?;
        opened
            .damaged
            .iter()
            .for_each(|d| eprintln!("warning: {d}: left where it is, its events cannot be searched"));
        let reader = journal.reader(READER, Start::Oldest)?;
        let stop = Arc::new(AtomicBool::new(false));
        let worker = Worker { reader, store: Arc::clone(&store), stop: Arc::clone(&stop), told: None };
        let worker = Some(thread::spawn(move || worker.run()));
        let inner = Arc::new(Mutex::new(Appending { writer: Some(writer), told: 0 }));
        let appender = Appender { inner, journal: journal.clone() };
        Ok(Self { directory, appender, journal, store, stop, worker })
    }

    /// The directory.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The store, for searches.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The journal, for its numbers and further readers.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// A way in for events.
    pub fn appender(&self) -> Appender {
        self.appender.clone()
    }

    /// Waits until the store has everything that was appended.
    pub fn settle(&self) {
        let end = self.journal.stats().next_seq;
        while self.behind(end) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn behind(&self, end: u64) -> bool {
        let stats = self.journal.stats();
        stats.readers.iter().any(|r| r.name == READER && r.position < end)
            && self.worker.as_ref().is_some_and(|w| !w.is_finished())
    }

    /// Writes all rows of the store to files.
    ///
    /// # Errors
    /// When that fails.
    pub fn seal(&self) -> Result<(), KeepError> {
        self.settle();
        Ok(self.store.seal(Time::now())?)
    }

    /// Ends an import: everything is in files then. Answers how many events the journal refused.
    ///
    /// # Errors
    /// When files cannot be written; the events are in the journal then.
    pub fn finish_import(self) -> Result<u64, KeepError> {
        self.seal()?;
        Ok(self.close())
    }

    /// Ends in good order: everything is in the journal, and what the store has only in memory comes back from there.
    /// Answers how many events the journal refused.
    pub fn close(mut self) -> u64 {
        let refused = self.journal.stats().events_refused;
        // Whoever else may append finds it closed.
        drop(self.appender.lock().writer.take());
        self.stop.store(true, Ordering::Relaxed);
        if let Some(worker) = self.worker.take() {
            // It does not panic; if it did, the journal has everything.
            drop(worker.join());
        }
        refused
    }
}

impl Appender {
    fn lock(&self) -> MutexGuard<'_, Appending> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes events. What the journal refuses is counted there (`events_refused`) and said once for a while.
    pub fn append(&self, events: &[Event]) {
        let mut inner = self.lock();
        let Some(writer) = &mut inner.writer else { return };
        if let Err(e) = writer.append(events) {
            if inner.told == 0 {
                eprintln!("warning: events are not kept: {e}");
            }
            inner.told = self.journal.stats().events_refused;
        } else if inner.told > 0 {
            eprintln!("events are kept again; {} were refused so far", inner.told);
            inner.told = 0;
        }
    }
}

fn store_options(keeping: &Keeping, purpose: Purpose, replay_below: u64) -> wirebeat_store::Options {
    let retention = Retention {
        age: Some(keeping.max_age),
        bytes: Some(keeping.max_bytes),
        free_percent: Some(keeping.min_free),
    };
    wirebeat_store::Options {
        retention,
        replay_below,
        import: purpose == Purpose::Import,
        ..wirebeat_store::Options::new(Box::new(crate::engine::index_of))
    }
}

/// The thread between journal and store.
struct Worker {
    reader: Reader,
    store: Arc<Store>,
    stop: Arc<AtomicBool>,
    /// What failed last, so that it is said once.
    told: Option<String>,
}

impl Worker {
    fn run(mut self) {
        let (mut batch, mut looked) = (Batch::new(), Instant::now());
        loop {
            match self.reader.next(&mut batch, WAIT) {
                Ok(Next::Batch) => {
                    if !self.ingest(&batch) {
                        break;
                    }
                }
                Ok(Next::Timeout) => {}
                Ok(Next::Lost(lost)) => eprintln!(
                    "warning: the store missed events {} to {}: the journal's quota was spent (lost_to_quota)",
                    lost.from,
                    lost.to.saturating_sub(1)
                ),
                Ok(Next::Damaged(damage)) => eprintln!("warning: {damage}"),
                Ok(Next::Closed) => break,
                Err(e) => {
                    self.tell(Some(e.to_string()));
                    thread::sleep(HOUSEKEEPING);
                }
            }
            if looked.elapsed() >= HOUSEKEEPING {
                looked = Instant::now();
                self.look_after();
            }
        }
        self.look_after();
    }

    /// Puts a batch into the store, however long that takes; `false` when the program ends meanwhile.
    fn ingest(&mut self, batch: &Batch) -> bool {
        loop {
            let events =
                batch.iter().map(|(seq, e)| Incoming { seq, stamp: e.stamp, id: e.id, fields: e.fields });
            match self.store.ingest(Time::now(), events) {
                Ok(()) => return true,
                Err(e @ (IngestError::Full(_) | IngestError::Io(..))) => self.tell(Some(e.to_string())),
            }
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            thread::sleep(HOUSEKEEPING);
        }
    }

    fn look_after(&mut self) {
        let result = self.store.tick(Time::now());
        self.tell(result.err().map(|e| e.to_string()));
        if let Err(e) = self.reader.commit(self.store.sealed_upto()) {
            self.tell(Some(e.to_string()));
        }
    }

    /// Says what fails, when it begins to.
    fn tell(&mut self, failure: Option<String>) {
        if let Some(text) = &failure
            && self.told != failure
        {
            eprintln!("warning: {text}");
        }
        self.told = failure;
    }
}
