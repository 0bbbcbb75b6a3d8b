//! An event, the flow it belongs to, and the pool events come from.

use crate::{CommunityId, Dir, Endpoint, Entries, FlowKey, Time};

/// The name of an event: unique over sensors, the same when a capture is read again.
///
/// Six bytes of the event's time in milliseconds (so ids sort by time and name the partition), six of a hash of source,
/// flow key and flow start, four of the event's number within the flow (so what one packet completes stays in order).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub [u8; 16]);

impl EventId {
    /// Makes the id of the `number`-th event of a flow. `source` is the sensor's uuid or the file's digest.
    pub fn new(source: u64, time: Time, key: &FlowKey, flow_start: Time, number: u32) -> Self {
        use std::hash::{BuildHasher, Hasher};
        // A fixed seed: an id must not change from run to run.
        let mut h = foldhash::quality::FixedState::with_seed(source).build_hasher();
        h.write(&key.to_bytes());
        h.write_i64(flow_start.0);
        Self::of(time, h.finish(), number)
    }

    /// Makes the id of a measurement of `dataset` (`system.cpu`), the `number`-th event since the sensor began.
    pub fn of_measurement(source: u64, time: Time, dataset: &str, number: u32) -> Self {
        use std::hash::{BuildHasher, Hasher};
        let mut h = foldhash::quality::FixedState::with_seed(source).build_hasher();
        h.write(dataset.as_bytes());
        Self::of(time, h.finish(), number)
    }

    fn of(time: Time, hash: u64, number: u32) -> Self {
        let mut out = [0; 16];
        out[..6].copy_from_slice(&(time.0.div_euclid(1_000_000) as u64).to_be_bytes()[2..]);
        out[6..12].copy_from_slice(&hash.to_be_bytes()[2..]);
        out[12..].copy_from_slice(&number.to_be_bytes());
        Self(out)
    }

    /// As text: 32 hexadecimal digits, which sort as the bytes do.
    pub fn write(&self, out: &mut Vec<u8>) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (pair, b) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
        }
        out.extend_from_slice(&text);
    }
}

/// One thing that happened.
#[derive(Debug, Default)]
pub struct Event {
    /// When it was complete: the time of the packet that completed it, or the deadline that ended the wait.
    /// Events leave the collector in order of (`stamp`, `id`).
    pub stamp: Time,
    /// Its name.
    pub id: EventId,
    /// Its fields.
    pub fields: Entries,
}

/// What every event of a flow has in common.
#[derive(Clone, Debug)]
pub struct FlowInfo {
    /// Which flow.
    pub key: FlowKey,
    /// The direction in which its source (who began) sends.
    pub source: Dir,
    /// Whether that is known (a SYN, a port, a decoded request) or only who was heard first.
    pub source_known: bool,
    /// First packet.
    pub start: Time,
    /// Events made so far: the next one's number.
    pub events: u32,
    /// The community id of its first packet.
    pub community_id: CommunityId,
    /// The device of its first packet ([`crate::Frame::device`]).
    pub device: u32,
    /// Hardware addresses of the senders in direction AtoB and BtoA, when the link layer has them.
    pub mac: [Option<[u8; 6]>; 2],
    /// VLAN ids of its first packet, outermost first; 0 where there is none.
    pub vlan: [u16; 2],
    /// What one endpoint is called on the other side of an address translation: the direction in which that endpoint
    /// sends, and its other name.
    pub nat: Option<(Dir, Endpoint)>,
    /// `network.direction` of what direction AtoB and BtoA began, decided once for the flow.
    pub network_direction: [&'static str; 2],
}

/// Events to write into, and back again when they were written out: no allocation once warm.
#[derive(Debug, Default)]
pub struct Pool {
    free: Vec<Event>,
}

impl Pool {
    /// Events kept for reuse at most, and the size above which an event's memory is not kept.
    const KEEP: usize = 2048;
    const KEEP_BYTES: usize = 4 * 1024;

    /// An empty event.
    pub fn take(&mut self) -> Event {
        self.free.pop().unwrap_or_else(|| Event { fields: Entries::with_capacity(2048), ..Event::default() })
    }

    /// Gives an event back.
    pub fn give(&mut self, mut event: Event) {
        if self.free.len() < Self::KEEP && event.fields.capacity() <= Self::KEEP_BYTES {
            event.fields.clear();
            self.free.push(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transport;

    #[test]
    fn ids_sort_by_time_and_differ_by_number() {
        let (key, _) =
            FlowKey::new(Endpoint::v4([1, 2, 3, 4], 5), Endpoint::v4([5, 6, 7, 8], 9), Transport::TCP, 0);
        let id = |t: i64, n| EventId::new(1, Time(t), &key, Time(0), n);
        assert!(id(1_000_000, 9) < id(2_000_000, 0));
        assert_ne!(id(0, 0), id(0, 1));
        assert_eq!(id(5, 1), id(5, 1));
        let mut text = Vec::new();
        id(0x0102_0304_0506 * 1_000_000, 0).write(&mut text);
        assert!(text.starts_with(b"010203040506") && text.len() == 32);
    }
}
