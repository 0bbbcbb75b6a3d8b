//! Where the events of all shards become one ordered stream.
//!
//! A shard's events come with non-decreasing stamps. Its watermark says: what comes later has at least this stamp. All
//! events below the lowest watermark can be put in order, by (stamp, id), and written; the order does not depend on how
//! many shards there are.

use std::collections::VecDeque;
use std::time::Duration;

use wirebeat_model::{Event, Time};

/// Merges the shards' events.
pub struct Collector {
    shards: Vec<Waiting>,
    /// Of sources without a watermark.
    others: Vec<Event>,
    ready: Vec<Event>,
    patience: Option<Duration>,
}

struct Waiting {
    events: VecDeque<Event>,
    watermark: Time,
}

impl Collector {
    /// For this many shards.
    pub fn new(shards: usize) -> Self {
        let waiting = || Waiting { events: VecDeque::new(), watermark: Time::MIN };
        Self {
            shards: (0..shards).map(|_| waiting()).collect(),
            others: Vec::new(),
            ready: Vec::new(),
            patience: None,
        }
    }

    /// Does not wait longer than this for a shard that has fallen behind the foremost: its events then come late.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Takes a shard's events and its new watermark.
    pub fn accept(&mut self, shard: usize, events: &mut Vec<Event>, watermark: Time) {
        let waiting = &mut self.shards[shard];
        waiting.events.extend(events.drain(..));
        waiting.watermark = waiting.watermark.max(watermark);
    }

    /// Takes events of a source that has no watermark and holds nobody up: they find their places among what still waits.
    pub fn add(&mut self, events: &mut Vec<Event>) {
        self.others.append(events);
    }

    /// The events that are in their final order now, first to last. Drain them.
    pub fn ready(&mut self) -> &mut Vec<Event> {
        let mut low = self.shards.iter().map(|s| s.watermark).min().unwrap_or(Time::MAX);
        let high = self.shards.iter().map(|s| s.watermark).filter(|w| *w < Time::MAX).max();
        if let (Some(patience), Some(high)) = (self.patience, high) {
            low = low.max(high - patience);
        }
        for shard in &mut self.shards {
            while let Some(event) = shard.events.pop_front_if(|e| e.stamp < low || low == Time::MAX) {
                self.ready.push(event);
            }
        }
        self.ready.extend(self.others.extract_if(.., |e| e.stamp < low || low == Time::MAX));
        self.ready.sort_unstable_by_key(|e| (e.stamp, e.id));
        &mut self.ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wirebeat_model::EventId;

    fn event(stamp: i64, id: u8) -> Event {
        Event { stamp: Time(stamp), id: EventId([id; 16]), ..Event::default() }
    }

    fn ids(c: &mut Collector) -> Vec<u8> {
        c.ready().drain(..).map(|e| e.id.0[0]).collect()
    }

    #[test]
    fn order_is_by_stamp_then_id_and_waits_for_the_slowest() {
        let mut c = Collector::new(2);
        c.accept(0, &mut vec![event(1, 9), event(3, 8)], Time(3));
        assert!(ids(&mut c).is_empty());
        c.accept(1, &mut vec![event(1, 2), event(2, 5)], Time(3));
        assert_eq!(ids(&mut c), [2, 9, 5], "3 may still come again");
        c.accept(1, &mut vec![event(3, 1)], Time::MAX);
        c.accept(0, &mut vec![], Time::MAX);
        assert_eq!(ids(&mut c), [1, 8]);
    }

    #[test]
    fn a_source_without_a_watermark_holds_nobody_up() {
        let mut c = Collector::new(1);
        c.add(&mut vec![event(2, 7), event(9, 8)]);
        assert!(ids(&mut c).is_empty(), "the shard may still have earlier ones");
        c.accept(0, &mut vec![event(1, 1), event(3, 3)], Time(4));
        assert_eq!(ids(&mut c), [1, 7, 3]);
        c.accept(0, &mut vec![], Time::MAX);
        assert_eq!(ids(&mut c), [8]);
    }

    #[test]
    fn patience_ends() {
        let mut c = Collector::new(2).with_patience(Duration::from_nanos(10));
        c.accept(0, &mut vec![event(1, 1), event(15, 2)], Time(20));
        assert_eq!(ids(&mut c), [1], "the other shard has said nothing, 10 ns are over");
        c.accept(1, &mut vec![event(3, 3)], Time(16));
        assert_eq!(ids(&mut c), [3, 2]);
    }
}
