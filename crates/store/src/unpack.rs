//! Numbers of some bits each, one behind the other, the lowest bits first. Searches spend much of their time here: there is
//! code for every width.

/// So many numbers are unpacked at once.
pub(crate) const STEP: usize = 32;
/// Bytes that are looked at behind the numbers.
const BEHIND: usize = 8;

/// The next numbers of `width` bits (at most 64). What `packed` has too few bytes for is 0.
#[inline]
pub(crate) fn unpack(packed: &[u8], width: u8, out: &mut [u64; STEP]) {
    let size = STEP / 8 * usize::from(width) + BEHIND;
    if packed.len() >= size {
        return by_width(packed, width, out);
    }
    let mut copy = [0; STEP * 8 + BEHIND];
    copy[..packed.len()].copy_from_slice(packed);
    by_width(&copy, width, out);
}

fn step<const WIDTH: usize>(packed: &[u8], out: &mut [u64; STEP]) {
    let mask = u64::MAX.checked_shr(64 - WIDTH as u32).unwrap_or(0);
    let packed = &packed[..STEP / 8 * WIDTH + BEHIND];
    for (i, out) in out.iter_mut().enumerate() {
        let (at, skip) = (i * WIDTH / 8, i * WIDTH % 8);
        let mut word = u64::from_le_bytes(packed[at..].first_chunk().copied().unwrap_or_default()) >> skip;
        if WIDTH + skip > 64 {
            word |= u64::from(packed[at + 8]) << (64 - skip);
        }
        *out = word & mask;
    }
}

fn by_width(packed: &[u8], width: u8, out: &mut [u64; STEP]) {
    macro_rules! widths {
        ($($width:literal)*) => {
            match width {
                $($width => step::<$width>(packed, out),)*
                _ => step::<64>(packed, out),
            }
        };
    }
    widths!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39
        40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit by bit, with as many bytes as there are, with fewer and with more.
    #[test]
    fn every_width() {
        let bytes: Vec<u8> = (0..400u32).map(|i| (i * i * 31 + i * 7) as u8).collect();
        for width in 0..=64 {
            for len in [STEP / 8 * width, STEP / 8 * width / 2, 400] {
                let bit = |at: usize| at / 8 < len && bytes[at / 8] >> (at % 8) & 1 == 1;
                let mut out = [1; STEP];
                unpack(&bytes[..len], width as u8, &mut out);
                for (i, value) in out.iter().enumerate() {
                    let expected: u64 = (0..width).map(|b| u64::from(bit(i * width + b)) << b).sum();
                    assert_eq!(*value, expected, "{width} bits, {len} bytes, number {i}");
                }
            }
        }
    }
}
