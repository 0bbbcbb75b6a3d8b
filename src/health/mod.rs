//! How capture, journal and store are: looked at once a second, remembered for an hour.

mod capture;
pub mod devices;
pub mod losses;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wirebeat_journal::Journal;
use wirebeat_model::Time;
use wirebeat_store::{Counts, Store};
use wirebeat_system::Losses;

pub use capture::{Capture, Published, ShardNow};
use devices::Traffic;
use losses::{Loss, Rooms};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);
/// Rates are over so many looks.
const WINDOW: usize = 5;
/// Losses are remembered in steps of so many looks, for so many steps: an hour.
const LOOKS_PER_STEP: u32 = 10;
const STEPS: usize = 360;

/// Everything that can be asked how it is.
pub struct Health {
    /// When the program started.
    pub started: Time,
    journal: Journal,
    store: Arc<Store>,
    capture: OnceLock<Capture>,
    refused: OnceLock<String>,
    host: OnceLock<Arc<Mutex<Losses>>>,
    servers: Mutex<Vec<Arc<wirebeat_web::Counters>>>,
    series: Mutex<Series>,
}

/// What was seen in time.
#[derive(Default)]
struct Series {
    looks: VecDeque<Look>,
    /// Devices when they were first seen.
    first: HashMap<String, Traffic>,
    /// Losses at the begin of the step under way.
    before: HashMap<String, u64>,
    in_step: u32,
    steps: VecDeque<Step>,
}

struct Look {
    at: Instant,
    totals: Totals,
    devices: HashMap<String, Traffic>,
}

/// Ten seconds: what was lost in them.
struct Step {
    /// Their end.
    at: Time,
    lost: Vec<(String, u64)>,
}

/// Counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Frames decoded.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Events made.
    pub events: u64,
}

/// So many a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Packets.
    pub packets: f64,
    /// Bytes.
    pub bytes: f64,
    /// Events.
    pub events: f64,
}

/// Traffic of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DeviceNow {
    /// Since capture began.
    pub since_start: Traffic,
    /// Packets a second.
    pub packets_per_s: f64,
    /// Bytes a second.
    pub bytes_per_s: f64,
}

impl Health {
    /// Of a journal and its store.
    pub fn new(journal: Journal, store: Arc<Store>) -> Self {
        Self {
            started: Time::now(),
            journal,
            store,
            capture: OnceLock::new(),
            refused: OnceLock::new(),
            host: OnceLock::new(),
            servers: Mutex::default(),
            series: Mutex::default(),
        }
    }

    /// Live capture has begun.
    pub fn set_capture(&self, capture: Capture) {
        // There is one in a run.
        let _ = self.capture.set(capture);
    }

    /// Live capture, if it runs.
    pub fn capture(&self) -> Option<&Capture> {
        self.capture.get()
    }

    /// Live capture was wanted and cannot be: why.
    pub fn set_refused(&self, why: String) {
        let _ = self.refused.set(why);
    }

    /// Why there is no live capture, when one was wanted.
    pub fn refused(&self) -> Option<&str> {
        self.refused.get().map(String::as_str)
    }

    /// The host is measured; here is told how that goes.
    pub fn set_host(&self, losses: Arc<Mutex<Losses>>) {
        // It is measured once in a run.
        let _ = self.host.set(losses);
    }

    /// What was measured of the host and what could not be, if it is measured.
    pub fn host(&self) -> Option<Losses> {
        self.host.get().map(|losses| losses.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// A server whose refusals count.
    pub fn add_server(&self, counters: Arc<wirebeat_web::Counters>) {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).push(counters);
    }

    /// The journal.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    fn series(&self) -> MutexGuard<'_, Series> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything lost since the start, the store's as it just told.
    pub fn losses(&self, store: &Counts) -> Vec<Loss> {
        let counters = self.capture().map(Capture::counters);
        let host = self.host();
        let journal = self.journal.stats();
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let rooms = Rooms {
            capture: counters.as_ref(),
            host: host.as_ref(),
            journal: Some(&journal),
            store: Some(store),
            web: servers.iter().map(|s| &**s).collect(),
        };
        rooms.losses()
    }

    /// Looks once.
    pub fn look(&self) {
        let totals = self.capture().map_or_else(Totals::default, |capture| {
            let counters = capture.counters();
            Totals { packets: counters.packets, bytes: counters.bytes, events: counters.events }
        });
        let devices = devices::read();
        let mut series = self.series();
        series.in_step += 1;
        let step = series.in_step >= LOOKS_PER_STEP || series.looks.is_empty();
        for (name, traffic) in &devices {
            if !series.first.contains_key(name) {
                series.first.insert(name.clone(), *traffic);
            }
        }
        series.first.retain(|name, _| devices.contains_key(name));
        series.looks.push_back(Look { at: Instant::now(), totals, devices });
        if series.looks.len() > WINDOW + 1 {
            series.looks.pop_front();
        }
        drop(series);
        if step {
            let losses = self.losses(&self.store.stats(Time::now()).counts);
            self.series().step(Time::now(), losses);
        }
    }

    /// How fast it goes, over the last seconds; `None` before it was looked twice.
    pub fn rates(&self) -> Option<Rates> {
        let series = self.series();
        let (first, last, seconds) = series.window()?;
        let rate =
            |of: fn(&Totals) -> u64| of(&last.totals).saturating_sub(of(&first.totals)) as f64 / seconds;
        Some(Rates { packets: rate(|t| t.packets), bytes: rate(|t| t.bytes), events: rate(|t| t.events) })
    }

    /// Traffic of a device, if the kernel tells.
    pub fn device(&self, name: &str) -> Option<DeviceNow> {
        let series = self.series();
        let now = series.looks.back()?.devices.get(name)?;
        let since_start = now.since(series.first.get(name).copied().unwrap_or_default());
        let recent = series.window().and_then(|(first, _, seconds)| {
            let recent = now.since(*first.devices.get(name)?);
            Some((recent.packets as f64 / seconds, recent.bytes as f64 / seconds))
        });
        let (packets_per_s, bytes_per_s) = recent.unwrap_or_default();
        Some(DeviceNow { since_start, packets_per_s, bytes_per_s })
    }

    /// What was lost under this name in the last hour: ends of steps of ten seconds, and how much in each that lost
    /// something.
    pub fn recent(&self, name: &str) -> Vec<(Time, u64)> {
        let series = self.series();
        let of = |step: &Step| Some((step.at, step.lost.iter().find(|(n, _)| n == name)?.1));
        series.steps.iter().filter_map(of).collect()
    }
}

impl Series {
    fn window(&self) -> Option<(&Look, &Look, f64)> {
        let (first, last) = (self.looks.front()?, self.looks.back()?);
        let seconds = last.at.duration_since(first.at).as_secs_f64();
        (seconds > 0.0).then_some((first, last, seconds))
    }

    /// A step ends. The first only begins the next: what was lost before is no loss of its ten seconds.
    fn step(&mut self, at: Time, losses: Vec<Loss>) {
        self.in_step = 0;
        let begun = !self.before.is_empty();
        let mut lost = Vec::new();
        for loss in losses {
            let before = self.before.insert(loss.name.clone(), loss.value).unwrap_or(0);
            if begun && loss.value > before {
                lost.push((loss.name, loss.value - before));
            }
        }
        if !lost.is_empty() {
            self.steps.push_back(Step { at, lost });
        }
        let oldest = at - EVERY * LOOKS_PER_STEP * STEPS as u32;
        while self.steps.front().is_some_and(|step| step.at < oldest) {
            self.steps.pop_front();
        }
    }
}

/// A thread that looks, until it is dropped.
pub struct Looking {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Looking {
    /// Starts it.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn start(health: Arc<Health>) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new().name("health".into()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                health.look();
                thread::park_timeout(EVERY);
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It does not panic; if it did, there is nothing to put in order.
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(value: u64) -> Vec<Loss> {
        vec![Loss { name: "gaps".into(), value, meaning: "Holes." }]
    }

    #[test]
    fn losses_are_remembered_for_an_hour() {
        let mut series = Series::default();
        let at = |n: i64| Time(n * 10_000_000_000);
        series.step(at(0), loss(7));
        assert!(series.steps.is_empty());
        for n in 1..=1000 {
            // Every second step loses three.
            series.step(at(n), loss(7 + n as u64 / 2 * 3));
        }
        assert_eq!(series.steps.len(), 181);
        let step = series.steps.front().unwrap();
        assert_eq!((step.at, step.lost.clone()), (at(640), vec![("gaps".to_owned(), 3)]));
        // A counter that is new counts from 0.
        series.step(at(1001), vec![Loss { name: "new".into(), value: 2, meaning: "New." }]);
        assert_eq!(series.steps.back().unwrap().lost, [("new".to_owned(), 2)]);
    }
}
