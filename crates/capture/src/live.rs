//! Live capture: one ring per shard, the devices followed as they come and go.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use wirebeat_model::Frame;

use crate::device::{Choice, Selection};
use crate::filter::Filter;

/// How to capture.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which devices.
    pub selection: Selection,
    /// How many rings, 1 to 256: one for each shard.
    pub shards: usize,
    /// Memory of all rings together, in bytes.
    pub buffer: usize,
    /// Bytes kept of each frame.
    pub snaplen: u32,
    /// After how long a ring hands over a block that is not full.
    pub block_timeout: Duration,
    /// Whether the devices (but for loopback) are asked for frames that are not for this host.
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
            snaplen: 65_535,
            block_timeout: Duration::from_millis(20),
            promiscuous: true,
            filter: None,
            exclude: Vec::new(),
        }
    }
}

/// Traffic that is never captured because it is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Exclusion {
    /// The address of our end; `None` for any address, but on loopback devices only.
    pub address: Option<IpAddr>,
    /// TCP or UDP port of our end.
    pub port: u16,
}

/// Why live capture does not work.
#[derive(Debug, Error)]
pub enum LiveError {
    /// The process lacks a capability.
    #[error(
        "capturing needs {capability}: run as root, or once: sudo setcap cap_net_raw,cap_net_admin=eip {program}"
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

/// What one ring has seen since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingStats {
    /// Frames that passed the filter, dropped ones included.
    pub packets: u64,
    /// Frames dropped because the ring was full.
    pub drops: u64,
    /// How often the ring became full.
    pub freezes: u64,
}

/// Live capture on this host: the handle that stays with the main thread.
pub struct Live {
    _private: (),
}

impl Live {
    /// Opens the rings, which go to the shard threads, and starts following devices.
    ///
    /// # Errors
    ///
    /// [`LiveError`].
    pub fn open(_options: Options) -> Result<(Self, Vec<RingReader>), LiveError> {
        Err(LiveError::System { what: "not here yet", source: io::ErrorKind::Unsupported.into() })
    }

    /// What each ring has seen, in shard order. Cheap enough to call each second.
    pub fn stats(&self) -> Vec<RingStats> {
        Vec::new()
    }

    /// Each device of the host, whether it is captured, and why.
    pub fn choices(&self) -> Arc<Vec<Choice>> {
        Arc::default()
    }

    /// Names of devices, to share with threads.
    pub fn names(&self) -> DeviceNames {
        DeviceNames {}
    }

    /// Replaces what the user wants, at once and without a new socket.
    ///
    /// # Errors
    ///
    /// [`LiveError`]; the old filter stays.
    pub fn set_filter(&self, _filter: Option<Filter>) -> Result<(), LiveError> {
        Ok(())
    }

    /// Replaces the list of our own sockets.
    ///
    /// # Errors
    ///
    /// [`LiveError`]; the old list stays.
    pub fn set_exclusions(&self, _exclude: Vec<Exclusion>) -> Result<(), LiveError> {
        Ok(())
    }

    /// Makes every [`RingReader::wait`] answer [`Wait::Stopped`] from now on.
    pub fn stop(&self) {}
}

/// Device names by interface index, kept up to date. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DeviceNames {}

impl DeviceNames {
    /// The name of a device that exists or has existed.
    pub fn get(&self, _index: u32) -> Option<Arc<str>> {
        None
    }
}

/// One shard's ring. Belongs to one thread.
pub struct RingReader {
    _private: (),
}

/// What waiting for frames came to.
pub enum Wait<'r> {
    /// Frames.
    Block(Block<'r>),
    /// Nothing came in time.
    Timeout,
    /// [`Live::stop`] was called.
    Stopped,
}

/// A block of frames, which goes back to the kernel when dropped.
pub struct Block<'r> {
    _ring: &'r mut RingReader,
}

impl RingReader {
    /// Waits for frames, at most `timeout`.
    ///
    /// # Errors
    ///
    /// Those of `poll(2)`.
    pub fn wait(&mut self, _timeout: Duration) -> io::Result<Wait<'_>> {
        Ok(Wait::Stopped)
    }
}

impl Block<'_> {
    /// How many frames it holds.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        true
    }

    /// Its frames, oldest first.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        std::iter::empty()
    }
}
