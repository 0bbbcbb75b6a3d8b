//! Which rows of a block are chosen.

/// Which rows of a block are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// None.
    None,
    /// All.
    All,
    /// Those whose bit is set.
    Some(Bits),
}

/// A bit for each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    rows: usize,
}

impl Bits {
    /// No row.
    pub(crate) fn empty(rows: usize) -> Self {
        Self { words: vec![0; rows.div_ceil(64)], rows }
    }

    /// The rows for which a test holds.
    pub(crate) fn from_fn(rows: usize, mut test: impl FnMut(usize) -> bool) -> Self {
        let mut words = Vec::with_capacity(rows.div_ceil(64));
        let mut at = 0;
        while at < rows {
            let end = rows.min(at + 64);
            let mut word = 0_u64;
            for (bit, row) in (at..end).enumerate() {
                word |= u64::from(test(row)) << bit;
            }
            words.push(word);
            at = end;
        }
        Self { words, rows }
    }

    /// Chooses a row.
    pub(crate) fn set(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            *word |= 1 << (row % 64);
        }
    }

    /// Whether a row is chosen.
    pub(crate) fn has(&self, row: u32) -> bool {
        self.words.get(row as usize / 64).is_some_and(|w| w >> (row % 64) & 1 == 1)
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// The rows, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(i, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros();
                    left &= left - 1;
                    i as u32 * 64 + bit
                })
            })
        })
    }

    /// `None` and `All` by their names.
    pub(crate) fn done(self) -> Selection {
        match self.count() {
            0 => Selection::None,
            n if n == self.rows => Selection::All,
            _ => Selection::Some(self),
        }
    }
}

impl Selection {
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::All, x) | (x, Self::All) => x,
            (Self::Some(mut a), Self::Some(b)) => {
                for (x, y) in a.words.iter_mut().zip(&b.words) {
                    *x &= y;
                }
                a.done()
            }
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::None, x) | (x, Self::None) => x,
            (Self::Some(mut a), Self::Some(b)) => {
                for (x, y) in a.words.iter_mut().zip(&b.words) {
                    *x |= y;
                }
                a.done()
            }
        }
    }

    pub(crate) fn not(self) -> Self {
        match self {
            Self::None => Self::All,
            Self::All => Self::None,
            Self::Some(mut a) => {
                let rows = a.rows;
                for (i, word) in a.words.iter_mut().enumerate() {
                    let left = rows - i * 64;
                    let mask = if left >= 64 { u64::MAX } else { (1 << left) - 1 };
                    *word = !*word & mask;
                }
                a.done()
            }
        }
    }

    pub(crate) fn count(&self, rows: usize) -> usize {
        match self {
            Self::None => 0,
            Self::All => rows,
            Self::Some(bits) => bits.count(),
        }
    }

    pub(crate) fn has(&self, row: u32) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Some(bits) => bits.has(row),
        }
    }

    /// How many of these rows.
    pub(crate) fn among(&self, rows: &[u32]) -> usize {
        match self {
            Self::None => 0,
            Self::All => rows.len(),
            Self::Some(bits) if rows.len() == bits.rows => bits.count(),
            Self::Some(bits) => rows.iter().map(|row| usize::from(bits.has(*row))).sum(),
        }
    }

    /// The rows, ascending.
    pub(crate) fn rows(&self, rows: usize) -> Vec<u32> {
        match self {
            Self::None => Vec::new(),
            Self::All => (0..u32::try_from(rows).unwrap_or(u32::MAX)).collect(),
            Self::Some(bits) => bits.iter().collect(),
        }
    }

    /// The first `n` of them.
    pub(crate) fn first(self, n: usize, rows: usize) -> Self {
        if self.count(rows) <= n {
            return self;
        }
        let mut bits = Bits::empty(rows);
        for row in self.rows(rows).into_iter().take(n) {
            bits.set(row);
        }
        bits.done()
    }
}
