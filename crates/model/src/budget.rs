//! The byte budget that everything which holds traffic borrows from.

/// How much memory one shard may lend to reassembly, leftovers, pending requests and bodies.
///
/// A plain pair of integers: a shard owns its own. Who is refused gives something up and counts it.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: usize,
    peak: usize,
    scarce: bool,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, used: 0, peak: 0, scarce: false }
    }

    /// Borrows `n` bytes; `false` and nothing borrowed when they are not there.
    #[must_use]
    pub fn take(&mut self, n: usize) -> bool {
        let fits = n <= self.limit - self.used;
        if fits {
            self.used += n;
            self.peak = self.peak.max(self.used);
        }
        fits
    }

    /// Borrows `n` bytes for a body: never while the shard cannot keep up.
    #[must_use]
    pub fn take_for_body(&mut self, n: usize) -> bool {
        !self.scarce && self.take(n)
    }

    /// Says whether the shard cannot keep up.
    pub fn set_scarce(&mut self, scarce: bool) {
        self.scarce = scarce;
    }

    /// Gives `n` bytes back.
    pub fn give(&mut self, n: usize) {
        debug_assert!(n <= self.used, "gave back {n} of {}", self.used);
        self.used = self.used.saturating_sub(n);
    }

    /// Bytes lent now.
    pub fn used(&self) -> usize {
        self.used
    }

    /// The most that was ever lent.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// The limit.
    pub fn limit(&self) -> usize {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn lends_up_to_its_limit() {
        let mut b = Budget::new(10);
        assert!(b.take(7));
        assert!(!b.take(4));
        assert!(b.take(3));
        b.give(8);
        assert_eq!((b.used(), b.peak()), (2, 10));
        b.set_scarce(true);
        assert!(!b.take_for_body(1) && b.take(1));
        b.set_scarce(false);
        assert!(b.take_for_body(1));
    }
}
