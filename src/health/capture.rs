//! What live capture tells about itself while it runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wirebeat_capture::device::Choice;
use wirebeat_capture::live::Live;
use wirebeat_model::Counters;

use crate::pressure::Pressure;
use crate::tally::{Parsed, Undecoded};

/// What a shard tells the world about itself, once in a while.
#[derive(Default)]
pub struct Published {
    /// Everything counted.
    pub counters: Counters,
    /// Bytes lent to what waits, and the most there ever were.
    pub used: usize,
    /// The most there ever were.
    pub peak: usize,
    /// Open flows.
    pub open_flows: usize,
    /// What each protocol's parsers did.
    pub parsed: Vec<Parsed>,
    /// Flows that were not decoded.
    pub undecoded: Undecoded,
    /// How much is given up.
    pub pressure: Pressure,
}

/// Where to look at live capture.
pub struct Capture {
    /// Its sockets and devices.
    pub live: Arc<Live>,
    /// Its shards.
    pub shards: Vec<Arc<Mutex<Published>>>,
    /// Names of the protocols that run, in the order of [`Published::parsed`].
    pub protocols: Vec<&'static str>,
    /// What the measurements of the host have sent and lost on their way.
    pub measured: Arc<Mutex<Counters>>,
    /// The most bytes that may be lent to what waits.
    pub budget: usize,
}

/// One shard at a moment.
pub struct ShardNow {
    /// Its number.
    pub id: usize,
    /// Everything counted, the kernel's drops on its ring included.
    pub counters: Counters,
    /// Bytes lent to what waits.
    pub used: usize,
    /// Open flows.
    pub open_flows: usize,
    /// How much is given up.
    pub pressure: Pressure,
}

impl Capture {
    /// Each shard as it last told.
    pub fn shards_now(&self) -> Vec<ShardNow> {
        let rings = self.live.stats();
        let shard = |(id, shard): (usize, &Arc<Mutex<Published>>)| {
            let shard = lock(shard);
            let mut counters = shard.counters.clone();
            counters.kernel_drops += rings.get(id).map_or(0, |ring| ring.drops);
            let (used, open_flows, pressure) = (shard.used, shard.open_flows, shard.pressure);
            ShardNow { id, counters, used, open_flows, pressure }
        };
        self.shards.iter().enumerate().map(shard).collect()
    }

    /// What all shards and the measurements counted.
    pub fn counters(&self) -> Counters {
        let mut sum = lock(&self.measured).clone();
        self.shards_now().iter().for_each(|shard| sum.add(&shard.counters));
        sum
    }

    /// Each protocol that runs, and what its parsers did.
    pub fn parsed(&self) -> Vec<(&'static str, Parsed)> {
        let mut sums: Vec<_> = self.protocols.iter().map(|name| (*name, Parsed::default())).collect();
        for shard in &self.shards {
            lock(shard).parsed.iter().zip(&mut sums).for_each(|(part, (_, sum))| sum.add(part));
        }
        sums
    }

    /// Flows that were not decoded.
    pub fn undecoded(&self) -> Undecoded {
        let mut sum = Undecoded::default();
        self.shards.iter().for_each(|shard| sum.merge(&lock(shard).undecoded));
        sum
    }

    /// Each device of the host, whether it is captured, and why.
    pub fn devices(&self) -> Arc<Vec<Choice>> {
        self.live.choices()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
