//! Memory for bytes that must wait, used again and again.

/// Buffers in sizes of powers of two, kept for reuse.
///
/// What is lent is counted by size against the budget of whoever asks; what lies here unused is bounded.
pub struct Buffers {
    free: [Vec<Vec<u8>>; CLASSES],
    idle: usize,
    #[expect(clippy::vec_box, reason = "they are lent as boxes")]
    held: Vec<Box<super::tcp::Held>>,
}

const SMALLEST_BITS: u32 = 6;
const CLASSES: usize = 14;
/// Unused bytes kept at most.
const IDLE_MAX: usize = 4 << 20;
const HELD_MAX: usize = 1024;

impl Default for Buffers {
    fn default() -> Self {
        Self::new()
    }
}

impl Buffers {
    /// No buffers yet.
    pub fn new() -> Self {
        Self { free: Default::default(), idle: 0, held: Vec::new() }
    }

    /// What a buffer for `len` bytes takes from the budget.
    pub(super) fn cost(len: usize) -> usize {
        len.next_power_of_two().max(1 << SMALLEST_BITS)
    }

    /// A copy of `bytes`.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Vec<u8> {
        let cost = Self::cost(bytes.len());
        let class = (cost.trailing_zeros() - SMALLEST_BITS) as usize;
        let mut buffer = match self.free.get_mut(class).and_then(Vec::pop) {
            Some(buffer) => {
                self.idle -= cost;
                buffer
            }
            None => Vec::with_capacity(cost),
        };
        buffer.extend_from_slice(bytes);
        buffer
    }

    /// Takes a buffer back.
    pub(super) fn give(&mut self, mut buffer: Vec<u8>) {
        let size = buffer.capacity();
        if size.is_power_of_two() && self.idle + size <= IDLE_MAX {
            let class = size.trailing_zeros().wrapping_sub(SMALLEST_BITS) as usize;
            if let Some(free) = self.free.get_mut(class) {
                buffer.clear();
                self.idle += size;
                free.push(buffer);
            }
        }
    }

    pub(super) fn take_held(&mut self) -> Box<super::tcp::Held> {
        self.held.pop().unwrap_or_default()
    }

    pub(super) fn give_held(&mut self, mut held: Box<super::tcp::Held>) {
        if self.held.len() < HELD_MAX {
            held.reset();
            self.held.push(held);
        }
    }
}
