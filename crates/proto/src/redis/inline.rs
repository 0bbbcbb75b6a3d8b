//! Commands as people type them (RESP: inline commands).

/// The longest inline command (the server's `PROTO_INLINE_MAX_SIZE`).
pub(super) const MAX_INLINE: usize = 64 * 1024;

/// Whether a line may be an inline command: a word, and nothing that no person types.
pub(super) fn plausible_inline(line: &[u8]) -> bool {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let text = &line[line.iter().take_while(|b| blank(b)).count()..];
    let word = text.iter().position(blank).map_or(text, |end| &text[..end]);
    word.first().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'"' | b'\''))
        && word.len() <= 64
        && line.iter().all(|b| *b >= b' ' || *b == b'\t')
}

/// Splits an inline command as the server does (`sdssplitargs`): blanks separate; in double quotes `\n \r \t \b \a`,
/// `\xHH` and `\` before anything; in single quotes `\'`. `false`: quotes are not closed; what was said is told.
pub(super) fn split(line: &[u8], word: &mut Vec<u8>, mut each: impl FnMut(&[u8])) -> bool {
    let blank = |b: u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c | 0);
    let mut at = 0;
    loop {
        while line.get(at).is_some_and(|b| blank(*b)) {
            at += 1;
        }
        if at == line.len() {
            return true;
        }
        word.clear();
        let mut quote = None;
        loop {
            let Some(&b) = line.get(at) else {
                each(word);
                return quote.is_none();
            };
            at += 1;
            match (quote, b) {
                (None, b) if blank(b) => break,
                (None, b'"' | b'\'') => quote = Some(b),
                (Some(q), b) if q == b => {
                    if line.get(at).is_some_and(|b| !blank(*b)) {
                        each(word);
                        return false;
                    }
                    break;
                }
                (Some(b'"'), b'\\') => {
                    let (byte, used) = escaped(&line[at..]);
                    word.push(byte);
                    at += used;
                }
                (Some(b'\''), b'\\') if line.get(at) == Some(&b'\'') => {
                    word.push(b'\'');
                    at += 1;
                }
                (_, b) => word.push(b),
            }
        }
        each(word);
    }
}

/// The byte that a backslash and what follows it stand for, and how many bytes follow.
fn escaped(rest: &[u8]) -> (u8, usize) {
    let hex = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    match *rest {
        [b'x', a, b, ..] => match (hex(a), hex(b)) {
            (Some(a), Some(b)) => (16 * a + b, 3),
            _ => (b'x', 1),
        },
        [b'n', ..] => (b'\n', 1),
        [b'r', ..] => (b'\r', 1),
        [b't', ..] => (b'\t', 1),
        [b'b', ..] => (8, 1),
        [b'a', ..] => (7, 1),
        [b, ..] => (b, 1),
        [] => (b'\\', 0),
    }
}
