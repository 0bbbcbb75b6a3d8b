//! Measurements of the host: beside a capture on their way to its collector, or alone.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wirebeat_model::Event;
use wirebeat_system::{Losses, Metrics, Options};

use crate::destination::Destination;

/// How often a signal is looked for.
const PATIENCE: Duration = Duration::from_millis(50);

/// A thread that measures.
pub struct Measuring {
    stop: Arc<AtomicBool>,
    losses: Arc<Mutex<Losses>>,
    thread: JoinHandle<Losses>,
}

impl Measuring {
    /// Starts it; each period's events go to `send`, which takes them out, or answers false to end it.
    ///
    /// # Errors
    /// When the host cannot be measured.
    pub fn start(
        options: &Options,
        mut send: impl FnMut(&mut Vec<Event>) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let mut metrics = Metrics::new(options)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let losses = Arc::new(Mutex::new(Losses::default()));
        let told = Arc::clone(&losses);
        let thread = thread::Builder::new().name("measure".into()).spawn(move || {
            let send = |events: &mut Vec<Event>, losses: &Losses| {
                told.lock().unwrap_or_else(PoisonError::into_inner).clone_from(losses);
                send(events)
            };
            metrics.every(|time| sleep(time, &stopped), send);
            metrics.losses().clone()
        })?;
        Ok(Self { stop, losses, thread })
    }

    /// What was measured and what could not be, as of the last period.
    pub fn losses(&self) -> Arc<Mutex<Losses>> {
        Arc::clone(&self.losses)
    }

    /// Ends it; what was measured and what could not be.
    pub fn stop(self) -> Losses {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

/// Until when [`alone`] measures; whichever comes first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Until {
    /// So many measurements.
    pub count: Option<u64>,
    /// So long.
    pub duration: Option<Duration>,
}

/// Measures for `destination` until then or until the program is told to stop.
///
/// # Errors
/// When the host cannot be measured or the destination not be written.
pub fn alone(options: &Options, until: Until, mut destination: Destination) -> io::Result<Losses> {
    let stop = on_signals()?;
    let mut metrics = Metrics::new(options)?;
    let (mut measured, mut result) = (0, Ok(()));
    let told = Arc::new(Mutex::new(Losses::default()));
    if let Some(serving) = &destination.serving {
        serving.health.set_host(Arc::clone(&told));
    }
    let begun = Instant::now();
    metrics.every(
        |time| {
            let left = until.duration.map_or(time, |d| d.saturating_sub(begun.elapsed()));
            sleep(time.min(left), &stop) && left >= time
        },
        |events, losses| {
            told.lock().unwrap_or_else(PoisonError::into_inner).clone_from(losses);
            result = destination.write(events).and_then(|()| destination.flush());
            measured += 1;
            result.is_ok() && until.count.is_none_or(|n| measured < n) && !stop.load(Ordering::Relaxed)
        },
    );
    if let Some(keeper) = destination.keeper {
        keeper.close();
    }
    result.map(|()| metrics.losses().clone())
}

/// Waits until then or until the program is told to stop; nothing is measured, and `until.count` says nothing.
///
/// # Errors
/// When signals cannot be listened to.
pub fn wait(until: Until, destination: Destination) -> io::Result<()> {
    let stop = on_signals()?;
    sleep(until.duration.unwrap_or(Duration::MAX), &stop);
    let Destination { keeper, serving, .. } = destination;
    drop(serving);
    if let Some(keeper) = keeper {
        keeper.close();
    }
    Ok(())
}

/// Set by the signals that end a program.
pub(crate) fn on_signals() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// Sleeps for `time`; false as soon as it is to stop.
fn sleep(time: Duration, stop: &AtomicBool) -> bool {
    let begun = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let left = time.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(PATIENCE));
    }
    false
}
