//! What live capture gives up when it cannot keep up, in this order: bodies, then decoding of the noisiest flows, then
//! decoding of all but a sample of the new flows. Packets and flows are counted all the while.

use wirebeat_net::flow::Slot;

/// How much is given up; each step includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// Nothing.
    #[default]
    None,
    /// Bodies are not kept.
    Bodies,
    /// Now and then the noisiest flow is no longer decoded.
    Noisiest,
    /// Of new flows, one of [`SAMPLE`] is decoded.
    Sampled,
}

/// One new flow of so many is decoded under the highest pressure.
pub const SAMPLE: u32 = 8;

/// From which fill of the fullest queue on, in eighths, there is how much pressure.
const STEPS: [(u8, Pressure); 3] = [(7, Pressure::Sampled), (6, Pressure::Noisiest), (4, Pressure::Bodies)];

impl Pressure {
    /// What follows from how full the fullest queue is, in eighths. It goes up at once, and down a step at a time, when
    /// the queue is two eighths below where the step began: what was given up does not come and go with every block.
    #[must_use]
    pub fn next(self, eighths: u8) -> Self {
        let step = |eighths| STEPS.iter().find(|(from, _)| eighths >= *from).map_or(Self::None, |(_, p)| *p);
        let up = step(eighths);
        if up >= self {
            return up;
        }
        if step(eighths.saturating_add(2)) >= self {
            return self;
        }
        match self {
            Self::Sampled => Self::Noisiest,
            Self::Noisiest => Self::Bodies,
            Self::Bodies | Self::None => Self::None,
        }
    }
}

/// Finds the flow with the most bytes among any number of them, with eight counters (Misra and Gries, 1982): one that
/// has more than a ninth of all bytes is never missed.
#[derive(Debug, Default)]
pub struct Loudest {
    counters: [Option<(Slot, u64)>; 8],
}

impl Loudest {
    /// So many bytes of a flow.
    pub fn add(&mut self, slot: Slot, bytes: u64) {
        if let Some((_, n)) = self.counters.iter_mut().flatten().find(|(s, _)| *s == slot) {
            *n += bytes;
        } else if let Some(free) = self.counters.iter_mut().find(|c| c.is_none()) {
            *free = Some((slot, bytes));
        } else {
            for counter in &mut self.counters {
                *counter = counter.filter(|(_, n)| *n > bytes).map(|(s, n)| (s, n - bytes));
            }
        }
    }

    /// The loudest since the last call.
    pub fn take(&mut self) -> Option<Slot> {
        std::mem::take(&mut self.counters).iter().flatten().max_by_key(|(_, n)| *n).map(|(slot, _)| *slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wirebeat_model::{Endpoint, FlowKey, Time, Transport};
    use wirebeat_net::flow::Table;

    #[test]
    fn up_at_once_and_down_by_steps() {
        let walk = |eighths: &[u8]| -> Vec<Pressure> {
            let mut now = Pressure::None;
            eighths
                .iter()
                .map(|e| {
                    now = now.next(*e);
                    now
                })
                .collect()
        };
        use Pressure::*;
        assert_eq!(walk(&[0, 3, 4, 6, 7, 8]), [None, None, Bodies, Noisiest, Sampled, Sampled]);
        assert_eq!(walk(&[8, 5, 4, 4, 3, 1, 0]), [Sampled, Sampled, Noisiest, Noisiest, Bodies, None, None]);
        assert_eq!(walk(&[8, 0, 0, 0]), [Sampled, Noisiest, Bodies, None]);
    }

    #[test]
    fn the_loudest_is_found_among_many() {
        let mut table = Table::new(200, 1);
        let slots: Vec<Slot> = (0..100u16)
            .map(|n| {
                let (a, b) = (Endpoint::v4([10, 0, 0, 1], 1000 + n), Endpoint::v4([10, 0, 0, 2], 80));
                let (key, _) = FlowKey::new(a, b, Transport::TCP, 0);
                table.insert(key, Time(0), ()).ok().unwrap()
            })
            .collect();
        let mut loudest = Loudest::default();
        for round in 0..50 {
            for (n, slot) in slots.iter().enumerate() {
                loudest.add(*slot, if n == 42 { 3_000 } else { 60 + round });
            }
        }
        assert_eq!(loudest.take(), Some(slots[42]));
        assert_eq!(loudest.take(), None);
    }
}
