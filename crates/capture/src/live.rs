//! Live capture: one ring per shard, the devices followed as they come and go.
//!
//! One packet socket per shard, bound to no device, all in one fan-out group: the kernel computes
//! [`wirebeat_model::FlowKey::shard_hash`] of each frame. Which devices count is part of the socket filter, so a new
//! device costs a swap of filters; its frames are seen from some milliseconds after the kernel's news of it on (50 ms
//! when news are frequent). Needs Linux 4.12 or later, `CAP_NET_RAW` to open, and nothing afterwards.
//!
//! What a shard gets besides its own flows, because classic BPF cannot know better: fragments (of both IP versions; all
//! of a datagram go to the shard of its addresses), tunnels and IPv6 extension headers by the outer addresses,
//! everything that is not IP on shard 0. On loopback each frame comes once.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use wirebeat_capture::live::{Live, Options, Wait};
//!
//! let (live, mut rings) = Live::open(Options { shards: 2, ..Options::default() })?;
//! let threads: Vec<_> = rings.drain(..).map(|mut ring| std::thread::spawn(move || -> std::io::Result<u64> {
//!     let mut frames = 0;
//!     loop {
//!         match ring.wait(Duration::from_millis(100))? {
//!             Wait::Block(block) => frames += block.frames().count() as u64,
//!             Wait::Timeout => {} // run timers
//!             Wait::Stopped => return Ok(frames),
//!         }
//!     }
//! })).collect();
//! std::thread::sleep(Duration::from_secs(1));
//! live.stop();
//! # Ok(()) }
//! ```

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;

use crate::device::{self, Choice, Device, Kind, Selection};
use crate::filter::Filter;
use crate::netlink::Netlink;
use crate::ring::program::{Wanted, shard_program, socket_program};
use crate::ring::socket::{Geometry, PacketSocket};
use crate::sys::{self, Signal};

pub use crate::ring::{Block, Exclusion, Frames, RingReader, RingStats, Wait};

/// Most shards (the kernel's `PACKET_FANOUT_MAX` of old).
const MAX_SHARDS: usize = 256;
/// Names remembered; the oldest devices of a host that makes more are forgotten.
const MAX_NAMES: usize = 65_536;
/// News of devices are acted upon at most this often, for route daemons can be very talkative.
const CALM: Duration = Duration::from_millis(50);
/// The devices are looked at this often even without news.
const RELOOK: Duration = Duration::from_secs(30);

/// How to capture.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which devices.
    pub selection: Selection,
    /// How many rings, 1 to 256: one for each shard.
    pub shards: usize,
    /// Memory of all rings together, in bytes. A ring takes 1 MiB at least.
    pub buffer: usize,
    /// Bytes kept of each frame. Above what a block holds (256 KiB to 1 MiB) the kernel cuts.
    pub snaplen: u32,
    /// After how long a ring hands over a block that is not full: 1 ms to 1 s.
    pub block_timeout: Duration,
    /// Whether the devices (but for loopback) are asked for frames that are not for this host. Without, a bridge shows
    /// nothing of what its ports say to each other.
    pub promiscuous: bool,
    /// What the user or the enabled protocols want; `None` for everything.
    pub filter: Option<Filter>,
    /// Our own sockets.
    pub exclude: Vec<Exclusion>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            selection: Selection::default(),
            shards: 1,
            buffer: 64 << 20,
            snaplen: 262_144,
            block_timeout: Duration::from_millis(20),
            promiscuous: true,
            filter: None,
            exclude: Vec::new(),
        }
    }
}

/// Why live capture does not work.
#[derive(Debug, Error)]
pub enum LiveError {
    /// The process lacks a capability.
    #[error(
        "capturing needs {capability}: run as root, or once: setcap cap_net_raw,cap_net_admin=eip {program}"
    )]
    Rights {
        /// The capability.
        capability: &'static str,
        /// Path of this program.
        program: String,
    },
    /// An option makes no sense.
    #[error("{0}")]
    Option(String),
    /// The system refused.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl LiveError {
    fn system(what: &'static str, capability: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            if matches!(source.raw_os_error(), Some(libc::EPERM | libc::EACCES)) {
                let program = std::env::current_exe()
                    .map_or_else(|_| "PROGRAM".to_owned(), |p| p.display().to_string());
                return Self::Rights { capability, program };
            }
            Self::System { what, source }
        }
    }
}

/// Live capture on this host: the handle that stays with the main thread. Dropping it stops capture.
pub struct Live {
    shared: Arc<Shared>,
    follower: Option<JoinHandle<()>>,
}

struct Shared {
    sockets: Vec<Arc<PacketSocket>>,
    state: Mutex<State>,
    names: DeviceNames,
    stop: Signal,
    changes: AtomicU64,
}

struct State {
    wants: Wants,
    choices: Arc<Vec<Choice>>,
    promiscuous: BTreeSet<u32>,
    problem: Option<String>,
}

#[derive(Clone)]
struct Wants {
    selection: Selection,
    snaplen: u32,
    promiscuous: bool,
    filter: Option<Filter>,
    exclude: Vec<Exclusion>,
}

impl Live {
    /// Opens the rings, which go to the shard threads, and starts following devices.
    ///
    /// It is the calling thread's network namespace that is captured.
    ///
    /// # Errors
    ///
    /// [`LiveError::Rights`] without `CAP_NET_RAW`; [`LiveError::Option`] for numbers out of range or a filter too
    /// long together with everything else; [`LiveError::System`] for the rest, e.g. too little memory.
    pub fn open(options: Options) -> Result<(Self, Vec<RingReader>), LiveError> {
        if !(1..=MAX_SHARDS).contains(&options.shards) {
            return Err(LiveError::Option(format!("{} shards; expected 1 to {MAX_SHARDS}", options.shards)));
        }
        let block_timeout = options.block_timeout.clamp(Duration::from_millis(1), Duration::from_secs(1));
        let geometry = Geometry::for_bytes(options.buffer / options.shards);
        let stop = Signal::new().map_err(LiveError::system("eventfd", "no capability"))?;
        let mut sockets = Vec::new();
        let mut rings = Vec::new();
        for shard in 0..options.shards {
            let socket = PacketSocket::open().map_err(LiveError::system("packet socket", "CAP_NET_RAW"))?;
            let memory = socket.ring(geometry, block_timeout.as_millis() as u32);
            let memory = memory.map_err(LiveError::system("memory of the packet ring", "CAP_NET_RAW"))?;
            let socket = Arc::new(socket);
            rings.push(RingReader::new(memory, Arc::clone(&socket), stop.clone(), shard, block_timeout));
            sockets.push(socket);
        }
        join_fanout(&sockets)?;
        let wants = Wants {
            selection: options.selection,
            snaplen: options.snaplen.max(1),
            promiscuous: options.promiscuous,
            filter: options.filter,
            exclude: options.exclude,
        };
        let state = State { wants, choices: Arc::default(), promiscuous: BTreeSet::new(), problem: None };
        let shared = Arc::new(Shared {
            sockets,
            state: Mutex::new(state),
            names: DeviceNames::default(),
            stop,
            changes: AtomicU64::new(0),
        });
        // Listen before looking, so that nothing happens unseen in between.
        let news = Netlink::watch().map_err(LiveError::system("netlink socket", "no capability"))?;
        shared
            .look()
            .map_err(LiveError::system("list of devices", "no capability"))?
            .map_err(LiveError::Option)?;
        let following = Arc::clone(&shared);
        let follower = std::thread::Builder::new()
            .name("devices".to_owned())
            .spawn(move || following.follow(news))
            .map_err(LiveError::system("thread", "no capability"))?;
        Ok((Self { shared, follower: Some(follower) }, rings))
    }

    /// What each ring has seen, in shard order. Cheap enough to call each second.
    pub fn stats(&self) -> Vec<RingStats> {
        self.shared.sockets.iter().map(|s| s.stats()).collect()
    }

    /// Each device of the host, whether it is captured, and why.
    pub fn choices(&self) -> Arc<Vec<Choice>> {
        Arc::clone(&self.shared.state().choices)
    }

    /// Grows by one each time [`Live::choices`] becomes another.
    pub fn changes(&self) -> u64 {
        self.shared.changes.load(Ordering::Acquire)
    }

    /// What went wrong last while devices were followed, if it still is: a filter that became too long, a device
    /// that refuses promiscuous mode. Capture goes on as it was.
    pub fn problem(&self) -> Option<String> {
        self.shared.state().problem.clone()
    }

    /// Names of devices, to share with threads.
    pub fn names(&self) -> DeviceNames {
        self.shared.names.clone()
    }

    /// Replaces the choice of devices, at once and without a new socket.
    ///
    /// # Errors
    ///
    /// [`LiveError::Option`] when the program would be too long; the old choice stays.
    pub fn set_selection(&self, selection: Selection) -> Result<(), LiveError> {
        self.change(|wants| wants.selection = selection)
    }

    /// Replaces what the user wants, at once and without a new socket.
    ///
    /// # Errors
    ///
    /// [`LiveError::Option`] when the program would be too long; the old filter stays.
    pub fn set_filter(&self, filter: Option<Filter>) -> Result<(), LiveError> {
        self.change(|wants| wants.filter = filter)
    }

    /// Replaces the list of our own sockets.
    ///
    /// # Errors
    ///
    /// [`LiveError::Option`] when the program would be too long; the old list stays.
    pub fn set_exclusions(&self, exclude: Vec<Exclusion>) -> Result<(), LiveError> {
        self.change(|wants| wants.exclude = exclude)
    }

    fn change(&self, edit: impl FnOnce(&mut Wants)) -> Result<(), LiveError> {
        let mut state = self.shared.state();
        let before = state.wants.clone();
        edit(&mut state.wants);
        let devices: Vec<Device> = state.choices.iter().map(|c| c.device.clone()).collect();
        self.shared.apply(&mut state, &devices).map_err(|message| {
            state.wants = before;
            LiveError::Option(message)
        })
    }

    /// Lets nothing more in. Each [`RingReader::wait`] hands out what its ring still holds, then [`Wait::Stopped`].
    pub fn stop(&self) {
        // Under the lock, so that the follower does not open the filter again.
        let _state = self.shared.state();
        for socket in &self.shared.sockets {
            // Fails for lack of memory only; then the readers end as soon as no frame comes for a while.
            let _ = socket.set_nothing();
        }
        self.shared.stop.raise();
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop();
        if let Some(follower) = self.follower.take() {
            let _ = follower.join();
        }
    }
}

fn join_fanout(sockets: &[Arc<PacketSocket>]) -> Result<(), LiveError> {
    let failed = |what| LiveError::system(what, "CAP_NET_RAW");
    let program = shard_program().ok_or_else(|| LiveError::Option("fan-out program too long".to_owned()))?;
    let mut group = None;
    for socket in sockets {
        socket.bind_all().map_err(failed("binding the packet socket"))?;
        match group {
            None => group = Some(socket.found_group(&program).map_err(failed("founding the fan-out group"))?),
            Some(id) => socket.join_group(id).map_err(failed("joining the fan-out group"))?,
        }
    }
    Ok(())
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists the devices and applies what follows from them.
    fn look(&self) -> io::Result<Result<(), String>> {
        let devices = device::list()?;
        self.names.learn(&devices);
        let mut state = self.state();
        let applied = self.apply(&mut state, &devices);
        if let Err(problem) = &applied {
            state.problem = Some(problem.clone());
        }
        Ok(applied)
    }

    /// Swaps the filters and the promiscuous memberships.
    fn apply(&self, state: &mut State, devices: &[Device]) -> Result<(), String> {
        if self.stop.is_raised() {
            return Ok(());
        }
        let wants = &state.wants;
        let choices = wants.selection.choose(devices);
        let captured = || choices.iter().filter(|c| c.captured).map(|c| &c.device);
        let indexes: Vec<u32> = captured().map(|d| d.index).collect();
        let loopback: Vec<u32> = captured().filter(|d| d.kind == Kind::Loopback).map(|d| d.index).collect();
        let program = socket_program(&Wanted {
            devices: &indexes,
            loopback: &loopback,
            exclude: &wants.exclude,
            filter: wants.filter.as_ref(),
            snaplen: wants.snaplen,
        });
        let Some(program) = program else {
            return Err(format!(
                "the filter with {} devices and {} own sockets is too long for the kernel",
                indexes.len(),
                wants.exclude.len()
            ));
        };
        for socket in &self.sockets {
            socket.set_filter(&program).map_err(|e| format!("setting the filter: {e}"))?;
        }
        state.problem = None;
        let promiscuous: BTreeSet<u32> = if wants.promiscuous {
            captured().filter(|d| d.kind != Kind::Loopback).map(|d| d.index).collect()
        } else {
            BTreeSet::new()
        };
        // One socket asks for all; the device counts who asks, and forgets it when it goes itself.
        if let Some(socket) = self.sockets.first() {
            for gone in state.promiscuous.difference(&promiscuous) {
                let _ = socket.set_promiscuous(*gone, false);
            }
            let mut now = BTreeSet::new();
            for index in &promiscuous {
                if state.promiscuous.contains(index) {
                    now.insert(*index);
                    continue;
                }
                match socket.set_promiscuous(*index, true) {
                    Ok(()) => drop(now.insert(*index)),
                    // It has gone since the list was made; news of it are under way.
                    Err(e) if matches!(e.raw_os_error(), Some(libc::ENODEV | libc::ENXIO)) => {}
                    Err(e) => state.problem = Some(format!("promiscuous mode of device {index}: {e}")),
                }
            }
            state.promiscuous = now;
        }
        if *state.choices != choices {
            state.choices = Arc::new(choices);
            self.changes.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }

    /// The follower thread: waits for news of devices until capture stops.
    fn follow(&self, mut news: Netlink) {
        while !self.stop.is_raised() {
            if sys::poll2(news.fd(), self.stop.fd(), Some(RELOOK)).is_err() || self.stop.is_raised() {
                // poll(2) fails for lack of memory only; do not spin.
                std::thread::sleep(CALM);
                continue;
            }
            if let Err(e) = news.drain() {
                self.state().problem = Some(format!("news of devices: {e}"));
            }
            if let Err(e) = self.look() {
                self.state().problem = Some(format!("list of devices: {e}"));
            }
            // Waiting for the stop signal alone keeps a storm of news from keeping us busy.
            let _ = sys::poll2(self.stop.fd(), self.stop.fd(), Some(CALM));
        }
    }
}

/// Device names by interface index, kept up to date. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct DeviceNames(Arc<RwLock<HashMap<u32, Arc<str>>>>);

impl DeviceNames {
    /// The name of a device that exists or has existed.
    pub fn get(&self, index: u32) -> Option<Arc<str>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&index).cloned()
    }

    fn learn(&self, devices: &[Device]) {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for device in devices {
            if names.get(&device.index).is_none_or(|n| **n != *device.name) {
                names.insert(device.index, device.name.as_str().into());
            }
        }
        if names.len() > MAX_NAMES {
            names.retain(|index, _| devices.iter().any(|d| d.index == *index));
        }
    }
}
