//! Numbers and words in the kernel's text files.

/// The whole number that `text` begins with; clamps at the largest. `None` without a digit.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    let mut value = 0u64;
    let mut any = false;
    for digit in text.iter().take_while(|b| b.is_ascii_digit()) {
        value = value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
        any = true;
    }
    any.then_some(value)
}

/// A number with a fraction, such as `0.25`.
pub(crate) fn fraction(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok().filter(|v: &f64| v.is_finite())
}

/// Words between blanks.
pub(crate) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| b.is_ascii_whitespace()).filter(|w| !w.is_empty())
}

/// Lines without their ends.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| *b == b'\n').filter(|l| !l.is_empty())
}

/// The numbers of a line; what is none counts as 0.
pub(crate) fn numbers<const N: usize>(text: &[u8]) -> [u64; N] {
    let mut out = [0; N];
    for (slot, word) in out.iter_mut().zip(words(text)) {
        *slot = number(word).unwrap_or(0);
    }
    out
}

/// The number behind `key` in lines of the form `key value` or `key: value`.
pub(crate) fn value(text: &[u8], key: &[u8]) -> Option<u64> {
    lines(text).find_map(|line| {
        let mut words = words(line);
        let name = words.next()?;
        (name.strip_suffix(b":").unwrap_or(name) == key).then(|| words.next().and_then(number))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_words_and_values() {
        assert_eq!(number(b"42 kB"), Some(42));
        assert_eq!(number(b"99999999999999999999999"), Some(u64::MAX));
        assert_eq!((number(b""), number(b"-1")), (None, None));
        assert_eq!(fraction(b"0.25"), Some(0.25));
        assert_eq!((fraction(b"nan"), fraction(b"x")), (None, None));
        assert_eq!(numbers::<4>(b" 1 x  3"), [1, 0, 3, 0]);
        let text = b"MemTotal:  24684092 kB\nanon 7\nanonymous 8\n";
        assert_eq!(value(text, b"MemTotal"), Some(24_684_092));
        assert_eq!(value(text, b"anon"), Some(7));
        assert_eq!(value(text, b"Mem"), None);
    }
}
