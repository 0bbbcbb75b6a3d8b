//! Many values in little room: how many different ones (HyperLogLog), and how they are spread (a histogram of
//! logarithms). Both are exact as long as there are few.

use std::hash::{DefaultHasher, Hash, Hasher};

use hashbrown::{HashMap, HashSet};

/// A value's hash: the same in every process, so that the same rows give the same answer.
pub(super) fn hash_of(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Registers of a HyperLogLog: 2^14, a standard error of 0.81 %.
const BITS: u32 = 14;

/// Different values, exact up to this many at least.
const EXACT: usize = 4096;

/// How many different values.
#[derive(Clone, Debug)]
pub(super) enum Distinct {
    Few(HashSet<u64, foldhash::fast::RandomState>),
    /// The most leading zeros seen in each register.
    Many(Box<[u8]>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Few(HashSet::default())
    }
}

impl Distinct {
    /// Adds a value by its hash. `threshold`: up to so many it stays exact, if that is more than [`EXACT`].
    #[inline]
    pub(super) fn add(&mut self, hash: u64, threshold: usize) {
        match self {
            Self::Few(set) => {
                set.insert(hash);
                if set.len() > threshold.max(EXACT) {
                    let mut registers = vec![0; 1 << BITS].into_boxed_slice();
                    set.iter().for_each(|h| register(&mut registers, *h));
                    *self = Self::Many(registers);
                }
            }
            Self::Many(registers) => register(registers, hash),
        }
    }

    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Few(set) => set.len() as u64,
            Self::Many(registers) => estimate(registers),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Few(set) => set.capacity() * 9 + 32,
            Self::Many(registers) => registers.len() + 32,
        }
    }
}

#[inline]
fn register(registers: &mut [u8], hash: u64) {
    let at = (hash >> (64 - BITS)) as usize;
    let rank = ((hash << BITS) | 1 << (BITS - 1)).leading_zeros() as u8 + 1;
    registers[at] = registers[at].max(rank);
}

/// The estimate of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), section 4: without
/// bias over the whole range, without tables.
fn estimate(registers: &[u8]) -> u64 {
    let most = 64 - BITS as usize + 1;
    let mut counts = vec![0_u32; most + 1];
    registers.iter().for_each(|r| counts[usize::from(*r).min(most)] += 1);
    let m = registers.len() as f64;
    let mut z = m * tau(1.0 - f64::from(counts[most]) / m);
    for count in counts[1..most].iter().rev() {
        z = 0.5 * (z + f64::from(*count));
    }
    z += m * sigma(f64::from(counts[0]) / m);
    (m / (2.0 * std::f64::consts::LN_2) * m / z).round() as u64
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

/// Different values kept as they are, at most; then they fall into bins.
const KEPT: usize = 2000;

/// How values are spread. Exact up to [`KEPT`] different values; beyond, a percentile is off by at most 0.8 % of
/// itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread {
    /// The values by their bits, with how many there are of each.
    kept: HashMap<u64, u64, foldhash::fast::RandomState>,
    /// How many values a bin has, and their sum.
    bins: HashMap<i32, (u64, f64), foldhash::fast::RandomState>,
    count: u64,
    min: f64,
    max: f64,
}

/// The bin of a value: its sign, exponent and first seven binary digits.
#[inline]
fn bin(value: f64) -> i32 {
    let size = (value.abs().to_bits() >> 45) as i32;
    if value < 0.0 { -size } else { size }
}

impl Spread {
    #[inline]
    pub(super) fn add(&mut self, value: f64) {
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.count += 1;
        if self.bins.is_empty() {
            // Minus zero is zero.
            *self.kept.entry((value + 0.0).to_bits()).or_insert(0) += 1;
            if self.kept.len() > KEPT {
                for (bits, n) in std::mem::take(&mut self.kept) {
                    self.put(f64::from_bits(bits), n);
                }
            }
        } else {
            self.put(value, 1);
        }
    }

    fn put(&mut self, value: f64, n: u64) {
        let (count, sum) = self.bins.entry(bin(value)).or_insert((0, 0.0));
        *count += n;
        *sum += value * n as f64;
    }

    /// What percentiles are read from.
    pub(super) fn sorted(&self) -> Sorted {
        let kept = self.kept.iter().map(|(bits, n)| (f64::from_bits(*bits), *n));
        let bins = self.bins.values().map(|(n, sum)| (sum / *n as f64, *n));
        let mut steps: Vec<(f64, u64)> = kept.chain(bins).collect();
        steps.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let exact = self.bins.is_empty();
        Sorted { steps, exact, count: self.count, min: self.min, max: self.max }
    }

    pub(super) fn bytes(&self) -> usize {
        self.kept.capacity() * 17 + self.bins.capacity() * 25 + 64
    }
}

/// Values in order.
pub(super) struct Sorted {
    /// Values, or means of bins, with how many there are.
    steps: Vec<(f64, u64)>,
    exact: bool,
    count: u64,
    min: f64,
    max: f64,
}

impl Sorted {
    fn at(&self, place: u64) -> f64 {
        if place == 0 {
            return self.min;
        }
        if place + 1 == self.count {
            return self.max;
        }
        let mut before = 0;
        for (value, n) in &self.steps {
            before += n;
            if place < before {
                return value.clamp(self.min, self.max);
            }
        }
        self.max
    }

    /// The value below which a share (0 to 1) of all are: between the two next to it, by how near they are, as
    /// Elasticsearch does while it keeps all values.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let place = share * (self.count - 1) as f64;
        let (low, high) = (place.floor(), place.ceil());
        let (a, b) = (self.at(low as u64), self.at(high as u64));
        Some(a + (b - a) * (place - low))
    }

    /// The share of all that are below a value; equal ones count half.
    pub(super) fn share_below(&self, value: f64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let (mut below, mut equal) = (0, 0);
        if value > self.max {
            below = self.count;
        } else if value >= self.min {
            for (step, n) in &self.steps {
                if *step == value || !self.exact && bin(*step) == bin(value) {
                    equal += n;
                } else if *step < value {
                    below += n;
                } else {
                    break;
                }
            }
        }
        Some((below as f64 + equal as f64 / 2.0) / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_many_is_within_its_error() {
        for n in [1_000_u64, 10_000, 100_000, 1_000_000] {
            let mut distinct = Distinct::default();
            for i in 0..n {
                distinct.add(hash_of(&i), 3000);
                distinct.add(hash_of(&i), 3000);
            }
            let off = (distinct.count() as f64 / n as f64 - 1.0).abs();
            // Three standard errors of 1.04 / sqrt(2^14).
            assert!(off <= if n <= 4096 { 0.0 } else { 3.0 * 0.0081 }, "{n}: {off}");
        }
    }

    #[test]
    fn a_percentile_of_many_is_within_its_error() {
        let mut spread = Spread::default();
        let values: Vec<f64> = (1..=100_000).map(|i| f64::from(i) * f64::from(i) / 7.0).collect();
        values.iter().for_each(|v| spread.add(*v));
        let sorted = spread.sorted();
        for percent in [0.0, 1.0, 25.0, 50.0, 95.0, 99.9, 100.0] {
            let place = percent / 100.0 * 99_999.0;
            let exact = values[place as usize];
            let got = sorted.quantile(percent / 100.0).unwrap();
            assert!((got / exact - 1.0).abs() < 0.008, "{percent}: {got} for {exact}");
        }
    }

    /// However many there are of them, few different values are told as they are.
    #[test]
    fn a_percentile_of_few_values_is_one_of_them() {
        let mut spread = Spread::default();
        for i in 0..100_000 {
            spread.add(f64::from(200 + i % 3 * 102));
        }
        let sorted = spread.sorted();
        assert_eq!(sorted.quantile(0.1), Some(200.0));
        assert_eq!(sorted.quantile(0.5), Some(302.0));
        assert_eq!(sorted.quantile(0.99), Some(404.0));
        assert_eq!(sorted.share_below(199.0), Some(0.0));
        assert_eq!(sorted.share_below(500.0), Some(1.0));
    }
}
