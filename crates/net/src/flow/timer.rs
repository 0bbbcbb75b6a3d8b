//! Deadlines in packet time: a hierarchical timing wheel (Varghese and Lauck 1987, scheme 7).

use wirebeat_model::Time;

use super::Slot;

/// A tick is 2^27 ns, 134 ms: fine enough for time-outs of seconds, a shift instead of a division.
const TICK_BITS: u32 = 27;
const LEVEL_BITS: u32 = 8;
const SLOTS: usize = 1 << LEVEL_BITS;
/// Five levels of 256 reach over all of time (2^37 ticks): the lowest turns once in 34 s.
const LEVELS: usize = 5;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Node {
    slot: Slot,
    tick: u64,
    next: u32,
}

#[derive(Clone, Copy)]
struct List {
    head: u32,
    tail: u32,
}

/// Deadlines by flow, fired at absolute tick boundaries.
///
/// A deadline fires at the first multiple of the tick (since 1970) that is not before it, no matter when or how often the
/// wheel is turned: so the same in one shard as in four. Deadlines cannot be withdrawn; whoever is called looks whether it
/// was meant ([`Slot`]s of flows that are gone find nothing).
pub struct Wheel {
    lists: Box<[[List; SLOTS]; LEVELS]>,
    /// Which lists hold something.
    busy: [[u64; SLOTS / 64]; LEVELS],
    nodes: Vec<Node>,
    free: u32,
    len: usize,
    /// The last tick that fired. Nothing in the wheel is earlier.
    now: u64,
}

/// The tick of the first boundary at or after `at`.
fn tick_of(at: Time) -> u64 {
    // Rounded up; moved so that the earliest time is tick 0.
    let up = (i128::from(at.0) + (1 << TICK_BITS) - 1) >> TICK_BITS;
    (up + (1 << (63 - TICK_BITS))) as u64
}

/// The last tick boundary that `at` has reached.
fn ticks_before(at: Time) -> u64 {
    ((at.0 >> TICK_BITS) + (1 << (63 - TICK_BITS))) as u64
}

fn time_of(tick: u64) -> Time {
    let tick = tick as i64 - (1 << (63 - TICK_BITS));
    Time(tick.checked_mul(1 << TICK_BITS).unwrap_or(i64::MAX))
}

/// The tick boundary at which a deadline `at` fires.
pub fn boundary(at: Time) -> Time {
    time_of(tick_of(at))
}

impl Default for Wheel {
    fn default() -> Self {
        Self::new()
    }
}

impl Wheel {
    /// An empty wheel, before all time.
    pub fn new() -> Self {
        Self {
            lists: Box::new([[List { head: NONE, tail: NONE }; SLOTS]; LEVELS]),
            busy: [[0; SLOTS / 64]; LEVELS],
            nodes: Vec::new(),
            free: NONE,
            len: 0,
            now: 0,
        }
    }

    /// Deadlines in it.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a deadline. One that has passed fires at the next boundary.
    pub fn schedule(&mut self, slot: Slot, at: Time) {
        let tick = tick_of(at).max(self.now + 1);
        let node = Node { slot, tick, next: NONE };
        let index = self.free;
        let index = match self.nodes.get_mut(index as usize) {
            Some(free) => {
                self.free = free.next;
                *free = node;
                index
            }
            None => {
                self.nodes.push(node);
                (self.nodes.len() - 1) as u32
            }
        };
        self.len += 1;
        self.link(index, tick);
    }

    /// The next deadline at or before `to`, with the boundary it fires at; `None` when the wheel has reached `to`.
    ///
    /// Deadlines come in order of their boundaries, within one in order of their scheduling. Time that goes back is
    /// ignored.
    pub fn pop(&mut self, to: Time) -> Option<(Slot, Time)> {
        let to = ticks_before(to);
        if to < self.now {
            return None;
        }
        while let Some((level, at)) = self.next_list() {
            let shift = LEVEL_BITS * level as u32;
            // Where the list's span begins: the present with this level's digit replaced and those below cleared.
            let start = (self.now >> shift & !(SLOTS as u64 - 1) | at as u64) << shift;
            if start > to {
                break;
            }
            self.now = self.now.max(start);
            if level == 0 {
                return self.unlink_first(at).map(|slot| (slot, time_of(start)));
            }
            self.cascade(level, at);
        }
        self.now = self.now.max(to);
        None
    }

    /// A time before which [`Wheel::pop`] has nothing to do; `None` when it is empty.
    pub fn next(&self) -> Option<Time> {
        let (level, at) = self.next_list()?;
        let shift = LEVEL_BITS * level as u32;
        Some(time_of((self.now >> shift & !(SLOTS as u64 - 1) | at as u64) << shift))
    }

    /// The level is that of the highest digit in which the tick differs from now, so a level's lists are all ahead of
    /// now and within one turn of it.
    fn link(&mut self, index: u32, tick: u64) {
        let differ = (tick ^ self.now) | 1;
        let level = ((63 - differ.leading_zeros()) / LEVEL_BITS) as usize;
        let at = (tick >> (LEVEL_BITS * level as u32)) as usize & (SLOTS - 1);
        let Some(list) = self.lists.get_mut(level).map(|l| &mut l[at]) else { return };
        let last = std::mem::replace(&mut list.tail, index);
        if list.head == NONE {
            list.head = index;
        }
        if let Some(last) = self.nodes.get_mut(last as usize) {
            last.next = index;
        }
        self.busy[level][at / 64] |= 1 << (at % 64);
    }

    /// The earliest list that holds something.
    fn next_list(&self) -> Option<(usize, usize)> {
        if self.len == 0 {
            return None;
        }
        for (level, busy) in self.busy.iter().enumerate() {
            for (word, bits) in busy.iter().enumerate() {
                if *bits != 0 {
                    return Some((level, word * 64 + bits.trailing_zeros() as usize));
                }
            }
        }
        None
    }

    fn unlink_first(&mut self, at: usize) -> Option<Slot> {
        let list = &mut self.lists[0][at];
        let index = list.head;
        let node = self.nodes.get_mut(index as usize)?;
        list.head = node.next;
        if list.head == NONE {
            list.tail = NONE;
            self.busy[0][at / 64] &= !(1 << (at % 64));
        }
        node.next = self.free;
        self.free = index;
        self.len -= 1;
        Some(node.slot)
    }

    /// Spreads a list over the levels below.
    fn cascade(&mut self, level: usize, at: usize) {
        let list = std::mem::replace(&mut self.lists[level][at], List { head: NONE, tail: NONE });
        self.busy[level][at / 64] &= !(1 << (at % 64));
        let mut index = list.head;
        while let Some(node) = self.nodes.get_mut(index as usize) {
            let (tick, next) = (node.tick, std::mem::replace(&mut node.next, NONE));
            self.link(index, tick);
            index = next;
        }
    }
}
