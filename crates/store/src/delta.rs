//! Parquet's packed differences of neighbours (format specification, "Delta Encoding", encoding 5).

use crate::rle::read_varint;
use crate::unpack::{STEP, unpack};

/// Appends the `count` numbers of a page; `None` when it makes no sense. Smaller numbers than of 64 bits are right in their
/// lower bits.
pub(crate) fn delta(mut bytes: &[u8], count: usize, out: &mut Vec<i64>) -> Option<()> {
    let mut number = || usize::try_from(read_varint(&mut bytes)?).ok();
    let (block, minis, total) = (number()?, number()?, number()?);
    let mini = block.checked_div(minis)?;
    // What is unpacked at once is also what a miniblock has a multiple of.
    let sound = mini > 0 && mini.is_multiple_of(STEP) && block.is_multiple_of(minis) && total == count;
    let mut last = zigzag(&mut bytes).filter(|_| sound)?;
    let mut left = count.checked_sub(1)?;
    out.reserve(count);
    out.push(last);
    while left > 0 {
        let least = zigzag(&mut bytes)?;
        let (widths, rest) = bytes.split_at_checked(minis)?;
        bytes = rest;
        for &width in widths {
            let n = mini.min(left);
            // The widths of miniblocks without numbers may be anything.
            if n > 0 {
                last = miniblock(&mut bytes, width, mini, n, (last, least), out)?;
                left -= n;
            }
        }
    }
    Some(())
}

/// The first `n` numbers of a miniblock of `size`, from the number before it and the least difference. Answers the last.
fn miniblock(
    bytes: &mut &[u8],
    width: u8,
    size: usize,
    n: usize,
    (mut last, least): (i64, i64),
    out: &mut Vec<i64>,
) -> Option<i64> {
    // Nothing is asked for behind the last number: some writers leave that out.
    if width > 64 || bytes.len() < n.checked_mul(usize::from(width))?.div_ceil(8) {
        return None;
    }
    let mut step = [0; STEP];
    for first in (0..n).step_by(STEP) {
        unpack(bytes.get(first / 8 * usize::from(width)..).unwrap_or_default(), width, &mut step);
        out.extend(step.iter().take(n - first).map(|difference| {
            last = last.wrapping_add(least.wrapping_add(*difference as i64));
            last
        }));
    }
    let size = (size / 8).saturating_mul(usize::from(width));
    *bytes = bytes.get(size..).unwrap_or_default();
    Some(last)
}

/// A signed number: small ones are short, whatever their sign.
fn zigzag(bytes: &mut &[u8]) -> Option<i64> {
    let v = read_varint(bytes)?;
    Some((v >> 1) as i64 ^ -((v & 1) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specification_s_example() {
        // Encodings.md, "Example 2": 7, 5, 3, 1, 2, 3, 4, 5 with the least difference -2 and 0, 0, 0, 3, 3, 3, 3 above it in
        // two bits each; here in a block of 128 with four miniblocks, of which the others have no numbers.
        let page = [0x80, 1, 4, 8, 14, 3, 2, 9, 255, 77, 0b1100_0000, 0b0011_1111, 0, 0, 0, 0, 0, 0];
        let mut out = vec![1];
        delta(&page, 8, &mut out).unwrap();
        assert_eq!(out, [1, 7, 5, 3, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_makes_no_sense() {
        let none = |page: &[u8], count| assert_eq!(delta(page, count, &mut Vec::new()), None, "{page:?}");
        // Blocks of nothing, no miniblocks, miniblocks of 33, of parts, other numbers than told, 65 bits.
        none(&[0, 4, 8, 14, 3, 2, 0, 0, 0, 0, 0], 8);
        none(&[0x80, 1, 0, 8, 14, 3, 2, 0, 0, 0, 0], 8);
        none(&[33, 1, 8, 14, 3, 2, 0, 0, 0, 0], 8);
        none(&[0x80, 1, 3, 8, 14, 3, 2, 0, 0, 0, 0], 8);
        none(&[0x80, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0, 0], 7);
        none(&[0x80, 1, 4, 0, 14], 0);
        none(&[&[0x80, 1, 4, 2, 14, 3, 65, 0, 0, 0][..], &[0; 300]].concat(), 2);
        // Blocks of 2^62.
        none(&[128, 128, 128, 128, 128, 128, 128, 128, 64, 1, 9, 14, 3, 64, 1], 9);
    }
}
