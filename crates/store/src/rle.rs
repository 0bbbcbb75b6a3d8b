//! Parquet's hybrid of runs and bit-packed groups (format specification, "RLE/Bit-Packing Hybrid", encoding 3).

use crate::unpack::{self, STEP};

/// Bits that numbers up to `max` need.
pub(crate) fn bits(max: u32) -> u8 {
    (32 - max.leading_zeros()) as u8
}

/// Encodes numbers of `width` bits.
pub(crate) struct Encoder<'o> {
    out: &'o mut Vec<u8>,
    width: u8,
    /// The number that is repeated, and how often.
    run: (u32, usize),
    /// Before it: what is not written yet, to be packed.
    packed: Vec<u32>,
}

impl<'o> Encoder<'o> {
    pub(crate) fn new(width: u8, out: &'o mut Vec<u8>) -> Self {
        Self { out, width, run: (0, 0), packed: Vec::new() }
    }

    /// Appends a number so many times.
    #[inline]
    pub(crate) fn push(&mut self, value: u32, times: usize) {
        if value == self.run.0 {
            self.run.1 += times;
        } else if times > 0 {
            self.end_run();
            self.run = (value, times);
        }
    }

    #[inline]
    fn end_run(&mut self) {
        let (value, times) = self.run;
        // A group has eight numbers: the run gives what is missing.
        let missing = (8 - self.packed.len() % 8) % 8;
        if times < 8 + missing {
            for _ in 0..times {
                self.packed.push(value);
            }
            return;
        }
        self.packed.extend(std::iter::repeat_n(value, missing));
        pack(&self.packed, self.width, self.out);
        self.packed.clear();
        varint(((times - missing) as u64) << 1, self.out);
        self.out.extend_from_slice(&value.to_le_bytes()[..usize::from(self.width).div_ceil(8)]);
    }

    /// Writes the rest.
    pub(crate) fn finish(mut self) {
        self.end_run();
        pack(&self.packed, self.width, self.out);
    }
}

/// Encodes numbers of `width` bits.
pub(crate) fn encode(values: &[u32], width: u8, out: &mut Vec<u8>) {
    let mut encoder = Encoder::new(width, out);
    values.iter().for_each(|&value| encoder.push(value, 1));
    encoder.finish();
}

/// Bit-packed groups of eight; the last one is filled up with zeros.
fn pack(values: &[u32], width: u8, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(8);
    varint((groups as u64) << 1 | 1, out);
    let (mut word, mut filled) = (0u64, 0u32);
    let padding = groups * 8 - values.len();
    for &value in values.iter().chain(std::iter::repeat_n(&0, padding)) {
        word |= u64::from(value) << filled;
        filled += u32::from(width);
        while filled >= 8 {
            out.push(word as u8);
            word >>= 8;
            filled -= 8;
        }
    }
}

fn varint(mut v: u64, out: &mut Vec<u8>) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// A number in groups of seven bits, the lowest first.
pub(crate) fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut v = 0u64;
    for shift in (0..64).step_by(7) {
        let (&b, rest) = bytes.split_first()?;
        *bytes = rest;
        v |= u64::from(b & 0x7f) << shift;
        if b < 0x80 {
            return Some(v);
        }
    }
    None
}

/// A piece of what is encoded.
pub(crate) enum Run<'a> {
    /// The same number so many times.
    Same(u32, usize),
    /// So many numbers, packed.
    Packed(&'a [u8], usize),
}

/// Goes through `count` numbers of `width` bits in runs; `None` at the first that makes no sense.
pub(crate) fn runs(mut bytes: &[u8], width: u8, count: usize, mut each: impl FnMut(Run<'_>)) -> Option<()> {
    let mut left = count;
    if width > 32 {
        return None;
    }
    while left > 0 {
        if width == 0 && bytes.is_empty() {
            each(Run::Same(0, left));
            return Some(());
        }
        let head = read_varint(&mut bytes)?;
        if head & 1 == 0 {
            let n = usize::try_from(head >> 1).ok()?.min(left);
            let (value, rest) = bytes.split_at_checked(usize::from(width).div_ceil(8))?;
            bytes = rest;
            let mut word = [0; 4];
            word[..value.len()].copy_from_slice(value);
            each(Run::Same(u32::from_le_bytes(word), n));
            if n == 0 {
                return None;
            }
            left -= n;
        } else {
            let groups = usize::try_from(head >> 1).ok()?;
            let size = groups.checked_mul(usize::from(width))?;
            // The last group may be cut short by some writers.
            let (packed, rest) = bytes.split_at(size.min(bytes.len()));
            bytes = rest;
            let n = (groups.checked_mul(8)?).min(left);
            if n == 0 || packed.len() * 8 < n * usize::from(width) {
                return None;
            }
            each(Run::Packed(packed, n));
            left -= n;
        }
    }
    Some(())
}

/// Appends packed numbers.
pub(crate) fn unpack(packed: &[u8], width: u8, count: usize, out: &mut Vec<u32>) {
    out.reserve(count);
    let mut step = [0; STEP];
    for first in (0..count).step_by(STEP) {
        let here = packed.get(first / 8 * usize::from(width)..).unwrap_or_default();
        unpack::unpack(here, width, &mut step);
        out.extend(step.iter().take(count - first).map(|number| *number as u32));
    }
}

/// All numbers.
pub(crate) fn decode(bytes: &[u8], width: u8, count: usize, out: &mut Vec<u32>) -> Option<()> {
    runs(bytes, width, count, |run| match run {
        Run::Same(value, n) => out.resize(out.len() + n, value),
        Run::Packed(packed, n) => unpack(packed, width, n, out),
    })
}

/// The largest number, or 0. `Iterator::max` takes several times as long.
pub(crate) fn largest(numbers: &[u32]) -> u32 {
    numbers.iter().fold(0, |largest, number| largest.max(*number))
}

/// The numbers at these places, ascending, of `count` numbers.
pub(crate) fn pick(bytes: &[u8], width: u8, count: usize, places: &[u32], out: &mut Vec<u32>) -> Option<()> {
    let mut next = places.iter().map(|place| *place as usize).peekable();
    let mut at = 0;
    runs(bytes, width, count, |run| match run {
        Run::Same(value, n) => {
            while next.next_if(|place| *place < at + n).is_some() {
                out.push(value);
            }
            at += n;
        }
        Run::Packed(packed, n) => {
            while let Some(place) = next.next_if(|place| *place < at + n) {
                out.push(unpack_one(packed, width, place - at));
            }
            at += n;
        }
    })?;
    next.peek().is_none().then_some(())
}

fn unpack_one(packed: &[u8], width: u8, place: usize) -> u32 {
    let bit = place * usize::from(width);
    let mut word = [0; 8];
    for (to, from) in word.iter_mut().zip(packed.get(bit / 8..).unwrap_or_default()) {
        *to = *from;
    }
    (u64::from_le_bytes(word) >> (bit % 8) & ((1u64 << width) - 1)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_specification_s_examples() {
        // Encodings.md: 0 to 7 in three bits is 10001000 11000110 11111010.
        let mut out = Vec::new();
        encode(&[0, 1, 2, 3, 4, 5, 6, 7], 3, &mut out);
        assert_eq!(out, [3, 0b1000_1000, 0b1100_0110, 0b1111_1010]);
        // A run of 100 ones of one bit: length 100 << 1 as varint, then the value in one byte.
        out.clear();
        encode(&[1; 100], 1, &mut out);
        assert_eq!(out, [0xc8, 1, 1]);
    }

    proptest! {
        #[test]
        fn and_back(runs in proptest::collection::vec((0u32..70_000, 1usize..40), 0..60), width in 17u8..=20) {
            let values: Vec<u32> = runs.iter().flat_map(|&(v, n)| std::iter::repeat_n(v, n)).collect();
            let mut out = Vec::new();
            encode(&values, width, &mut out);
            let mut back = Vec::new();
            decode(&out, width, values.len(), &mut back).unwrap();
            prop_assert_eq!(&values, &back);
            let places: Vec<u32> = (0..values.len() as u32).filter(|i| i % 3 == 1).collect();
            let picked: Vec<u32> = places.iter().map(|i| values[*i as usize]).collect();
            back.clear();
            pick(&out, width, values.len(), &places, &mut back).unwrap();
            prop_assert_eq!(picked, back);
        }

        #[test]
        fn damaged_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..60), width in 0u8..40, n in 0usize..5000) {
            let mut back = Vec::new();
            if decode(&bytes, width, n, &mut back).is_some() {
                prop_assert_eq!(back.len(), n);
            }
        }
    }
}
