//! From frames to whole packets: the filter, the headers, fragments put together, the clock.

use wirebeat_capture::filter::Filter;
use wirebeat_model::{Budget, Counters, Frame, Time};
use wirebeat_net::{Defrag, Packet, decode};

use crate::shard::Arrival;

/// Turns frames into packets. One per reader of frames.
pub struct Ingress {
    defrag: Defrag,
    clock: Time,
    filter: Option<Filter>,
    snaplen: usize,
}

impl Ingress {
    /// `filter` and `snaplen` are for files; on the wire the kernel applies them.
    pub fn new(filter: Option<Filter>, snaplen: usize, seed: u64) -> Self {
        Self { defrag: Defrag::new(seed), clock: Time::MIN, filter, snaplen }
    }

    /// The latest time of any frame so far.
    pub fn clock(&self) -> Time {
        self.clock
    }

    /// Time has come this far, though no frame said so.
    pub fn tick(&mut self, clock: Time) {
        self.clock = self.clock.max(clock);
    }

    /// Takes a frame; `then` gets the packet it makes or completes, if it does.
    #[inline]
    pub fn frame(
        &mut self,
        frame: &Frame<'_>,
        budget: &mut Budget,
        counters: &mut Counters,
        then: impl FnOnce(&Packet<'_>, Arrival),
    ) {
        if self.filter.as_ref().is_some_and(|f| !f.matches(frame)) {
            return;
        }
        counters.packets += 1;
        counters.bytes += u64::from(frame.wire_len);
        self.clock = self.clock.max(frame.time);
        let cut;
        let frame = if frame.data.len() > self.snaplen {
            cut = Frame { data: &frame.data[..self.snaplen], ..*frame };
            &cut
        } else {
            frame
        };
        match decode(frame) {
            Err(reason) => reason.count(counters),
            Ok(packet) if packet.fragment.is_none() => {
                if packet.is_cut() {
                    counters.truncated += 1;
                }
                then(&packet, Arrival { time: frame.time, clock: self.clock, frames: 1 });
            }
            Ok(fragment) => {
                counters.fragments += 1;
                if let Some(whole) = self.defrag.push(&fragment, frame.time, self.clock, budget, counters) {
                    let at = Arrival { time: frame.time, clock: self.clock, frames: whole.frames };
                    then(&whole.packet, at);
                }
            }
        }
    }

    /// Gives up the fragments that still wait.
    pub fn finish(&mut self, budget: &mut Budget, counters: &mut Counters) {
        self.defrag.finish(budget, counters);
    }
}
