//! Which part of all values a value falls into (`include: {partition, num_partitions}`), as Elasticsearch has it: a
//! client may ask it for one part and us for another.

use wirebeat_model::Kind;

/// The part of a text or of an address.
pub(super) fn of_bytes(bytes: &[u8], parts: u32) -> u32 {
    modulo(murmur3(bytes, 31).cast_signed().into(), parts)
}

/// The part of a whole number, boolean or instant; of a number by its bits, in the order of numbers.
pub(super) fn of_key(kind: Kind, key: u64, parts: u32) -> u32 {
    let n = match kind {
        Kind::Double => key ^ ((key.cast_signed() >> 63).cast_unsigned() >> 1),
        _ => key,
    };
    modulo(mix(n).cast_signed(), parts)
}

fn modulo(hash: i64, parts: u32) -> u32 {
    hash.rem_euclid(i64::from(parts.max(1))) as u32
}

/// Stafford's mix of 64 bits, variant 9.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 32)).wrapping_mul(0x4cd6_944c_5cc2_0b6d);
    z = (z ^ (z >> 29)).wrapping_mul(0xfc12_c5b1_9d32_59e9);
    z ^ (z >> 32)
}

/// `MurmurHash3_x86_32`.
fn murmur3(bytes: &[u8], seed: u32) -> u32 {
    let scramble = |k: u32| k.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut hash = seed;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let k = word.iter().rev().fold(0, |k, b| k << 8 | u32::from(*b));
        hash = (hash ^ scramble(k)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash ^= scramble(rest.iter().rev().fold(0, |k, b| k << 8 | u32::from(*b)));
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::murmur3;

    /// The test vectors that implementations of MurmurHash3 share.
    #[test]
    fn hashes_are_those_of_others() {
        assert_eq!(murmur3(b"", 0), 0);
        assert_eq!(murmur3(b"", 1), 0x514e_28b7);
        assert_eq!(murmur3(&[0x21, 0x43, 0x65, 0x87], 0), 0xf55b_516b);
        assert_eq!(murmur3(&[0x21, 0x43, 0x65], 0), 0x7e4a_8634);
        assert_eq!(murmur3(b"Hello, world!", 0x9747_b28c), 0x2488_4cba);
    }
}
