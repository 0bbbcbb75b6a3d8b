//! RESP, the bytes of Redis: RESP2 and RESP3 ("Redis serialization protocol specification", redis.io; below: RESP).
//!
//! A message may be endless, so it is not looked at as a whole: [`Reader`] goes through it piece by piece, keeps where
//! it is, and never needs more than one short line at a time.

use memchr::memchr;

/// How deep answers may be nested. Real ones reach 7 (`COMMAND DOCS`).
pub(super) const DEPTH: usize = 32;
/// Elements that one aggregate may announce (the server's own limit).
const MAX_COUNT: u64 = i32::MAX as u64;
/// Bytes that one string may announce: far above the server's default of 512 MiB (`proto-max-bulk-len`).
const MAX_BULK: u64 = 1 << 40;
/// Where an element stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// How many aggregates are around it.
    pub(super) depth: usize,
    /// Which element of the innermost one; keys and values of a map count singly.
    pub(super) index: u64,
    /// The type of the innermost one; 0 outside.
    pub(super) within: u8,
}

impl Place {
    /// What stands between it and the element before it, as Packetbeat writes lists.
    pub(super) fn separator(self) -> &'static [u8] {
        match (self.within, self.index) {
            (_, 0) => b"",
            (b'%' | b'|', n) if n % 2 == 1 => b": ",
            _ => b", ",
        }
    }
}

/// A piece of a message. Types are RESP's first bytes; a string that comes in chunks has pieces of type `$`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// At least so many bytes must be there to go on.
    Short(usize),
    /// Not RESP.
    Wrong,
    /// An array, set, map, push or attribute begins; `None`: its end will be told.
    Open { kind: u8, count: Option<u64>, place: Place },
    /// It ends.
    Close { kind: u8, depth: usize },
    /// RESP2's null string or null array.
    Nil(Place),
    /// A piece of a string, number or line.
    Text { kind: u8, piece: &'a [u8], first: bool, last: bool, place: Place },
}

#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    kind: u8,
    left: u64,
    index: u64,
}

/// `left` of an aggregate whose end is told (RESP: streamed aggregated data types).
const STREAMED: u64 = u64::MAX;

#[derive(Clone, Copy, Debug, Default)]
enum Body {
    /// A type byte comes next.
    #[default]
    Head,
    /// In a line.
    Line(u8),
    /// In a string; so many bytes are left before its CRLF.
    Bulk { kind: u8, left: u64, first: bool },
    /// The rest of a string was skipped.
    Over(u8),
}

/// Goes through one message after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    frames: [Frame; DEPTH],
    depth: usize,
    body: Body,
    complete: bool,
}

impl Reader {
    /// Forgets where it was.
    pub(super) fn reset(&mut self) {
        (self.depth, self.body, self.complete) = (0, Body::Head, false);
    }

    /// Whether it is inside a message.
    pub(super) fn inside(&self) -> bool {
        self.depth > 0 || !matches!(self.body, Body::Head)
    }

    /// Whether a message is complete; asked once.
    pub(super) fn complete(&mut self) -> bool {
        std::mem::take(&mut self.complete)
    }

    /// Inside a string whose rest does not matter: how many bytes to let pass until after its CRLF.
    pub(super) fn skip(&mut self) -> Option<u64> {
        let Body::Bulk { kind, left, first: false } = self.body else { return None };
        self.body = Body::Over(kind);
        Some(left + 2)
    }

    fn place(&self) -> Place {
        match self.depth.checked_sub(1).map(|top| self.frames[top]) {
            Some(f) => Place { depth: self.depth, index: f.index, within: f.kind },
            None => Place { depth: 0, index: 0, within: 0 },
        }
    }

    /// An element is complete.
    fn done(&mut self) {
        self.body = Body::Head;
        match self.depth.checked_sub(1) {
            None => self.complete = true,
            Some(top) => {
                let f = &mut self.frames[top];
                f.index += 1;
                if f.left != STREAMED {
                    f.left -= 1;
                }
            }
        }
    }

    /// The next piece, and how many bytes it used.
    pub(super) fn next<'a>(&mut self, bytes: &'a [u8]) -> (usize, Token<'a>) {
        match self.body {
            Body::Head => self.head(bytes),
            Body::Line(kind) => self.line(kind, 0, bytes),
            Body::Bulk { kind, left, first } => self.bulk(kind, left, first, bytes),
            Body::Over(kind) => (0, self.end_of_bulk(kind, b"", false)),
        }
    }

    fn head<'a>(&mut self, bytes: &'a [u8]) -> (usize, Token<'a>) {
        let top = self.depth.checked_sub(1).map(|top| self.frames[top]);
        if let Some(Frame { kind, left: 0, .. }) = top {
            return (0, self.close(kind));
        }
        let Some(&kind) = bytes.first() else { return (0, Token::Short(1)) };
        let in_chunks = top.is_some_and(|f| f.kind == b'$');
        if in_chunks != (kind == b';') {
            return (0, Token::Wrong);
        }
        match kind {
            b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => self.line(kind, 1, bytes),
            b'$' | b'!' | b'=' | b';' => match count(bytes) {
                Count::Number(n, used) if n <= MAX_BULK => {
                    if kind == b';' && n == 0 {
                        // The last chunk (RESP: streamed strings).
                        self.depth -= 1;
                        let place = self.place();
                        self.done();
                        return (
                            used,
                            Token::Text { kind: b'$', piece: b"", first: false, last: true, place },
                        );
                    }
                    let (more, token) = self.bulk(kind, n, kind != b';', &bytes[used..]);
                    (used + more, token)
                }
                Count::Null(used) if kind == b'$' => self.nil(used),
                Count::Streamed(used) if kind == b'$' => {
                    let place = self.place();
                    let token = Token::Text { kind, piece: b"", first: true, last: false, place };
                    self.open(kind, STREAMED, used, token)
                }
                Count::Short => (0, Token::Short(bytes.len() + 1)),
                _ => (0, Token::Wrong),
            },
            b'*' | b'%' | b'~' | b'>' | b'|' => match count(bytes) {
                Count::Number(n, used) if n <= MAX_COUNT => {
                    let left = if matches!(kind, b'%' | b'|') { 2 * n } else { n };
                    let token = Token::Open { kind, count: Some(n), place: self.place() };
                    self.open(kind, left, used, token)
                }
                Count::Null(used) if kind == b'*' => self.nil(used),
                Count::Streamed(used) if matches!(kind, b'*' | b'%' | b'~') => {
                    let token = Token::Open { kind, count: None, place: self.place() };
                    self.open(kind, STREAMED, used, token)
                }
                Count::Short => (0, Token::Short(bytes.len() + 1)),
                _ => (0, Token::Wrong),
            },
            b'.' if top.is_some_and(|f| f.left == STREAMED) => match bytes {
                [_, b'\r', b'\n', ..] => (3, self.close(top.map_or(0, |f| f.kind))),
                [_] | [_, b'\r'] => (0, Token::Short(3)),
                _ => (0, Token::Wrong),
            },
            _ => (0, Token::Wrong),
        }
    }

    fn open<'a>(&mut self, kind: u8, left: u64, used: usize, token: Token<'a>) -> (usize, Token<'a>) {
        let Some(frame) = self.frames.get_mut(self.depth) else { return (0, Token::Wrong) };
        *frame = Frame { kind, left, index: 0 };
        self.depth += 1;
        (used, token)
    }

    fn close(&mut self, kind: u8) -> Token<'static> {
        self.depth -= 1;
        let depth = self.depth;
        // An attribute is said before the element it belongs to and is none itself (RESP: attribute type).
        if kind != b'|' {
            self.done();
        }
        Token::Close { kind, depth }
    }

    fn nil(&mut self, used: usize) -> (usize, Token<'static>) {
        let place = self.place();
        self.done();
        (used, Token::Nil(place))
    }

    /// A line is used up as it comes, so that a long one (MONITOR writes whole commands) is not held back.
    fn line<'a>(&mut self, kind: u8, from: usize, bytes: &'a [u8]) -> (usize, Token<'a>) {
        let (rest, place, first) = (&bytes[from..], self.place(), from > 0);
        if let Some(end) = memchr(b'\n', rest) {
            let piece = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
            self.done();
            return (from + end + 1, Token::Text { kind, piece, first, last: true, place });
        }
        // A CR may belong to the end.
        let piece = rest.strip_suffix(b"\r").unwrap_or(rest);
        if from + piece.len() == 0 {
            return (0, Token::Short(bytes.len() + 1));
        }
        self.body = Body::Line(kind);
        (from + piece.len(), Token::Text { kind, piece, first, last: false, place })
    }

    fn bulk<'a>(&mut self, kind: u8, left: u64, first: bool, bytes: &'a [u8]) -> (usize, Token<'a>) {
        self.body = Body::Bulk { kind, left, first };
        // A verbatim string begins with three letters and a colon that are not part of it.
        let prefix = if first && kind == b'=' && left >= 4 { 4 } else { 0 };
        if bytes.len() < prefix || (bytes.is_empty() && left > 0) {
            return (0, Token::Short(prefix.max(1)));
        }
        let have = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let piece = &bytes[prefix..have];
        let left = left - have as u64;
        if left == 0 {
            match &bytes[have..] {
                [b'\r', b'\n', ..] => return (have + 2, self.end_of_bulk(kind, piece, first)),
                [] | [b'\r'] if have == 0 && !first => return (0, Token::Short(2)),
                [] | [b'\r'] => {}
                _ => return (0, Token::Wrong),
            }
        }
        self.body = Body::Bulk { kind, left, first: false };
        let kind = if kind == b';' { b'$' } else { kind };
        (have, Token::Text { kind, piece, first, last: false, place: self.place() })
    }

    fn end_of_bulk<'a>(&mut self, kind: u8, piece: &'a [u8], first: bool) -> Token<'a> {
        let place = self.place();
        if kind == b';' {
            self.body = Body::Head;
            return Token::Text { kind: b'$', piece, first: false, last: false, place };
        }
        self.done();
        Token::Text { kind, piece, first, last: true, place }
    }
}

/// The number behind a type byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// Not all there.
    Short,
    /// Not a number.
    Wrong,
    /// The number, and the bytes of the line.
    Number(u64, usize),
    /// -1.
    Null(usize),
    /// `?`.
    Streamed(usize),
}

/// Reads type byte, number, CR LF.
#[inline]
pub(super) fn count(bytes: &[u8]) -> Count {
    const DIGITS: usize = 18;
    let mut n: u64 = 0;
    let mut at = 1;
    while let Some(digit) = bytes.get(at).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
        if at > DIGITS {
            return Count::Wrong;
        }
        n = 10 * n + u64::from(digit);
        at += 1;
    }
    match (at, &bytes[at.min(bytes.len())..]) {
        (_, []) => Count::Short,
        (2.., [b'\r']) => Count::Short,
        (2.., [b'\r', b'\n', ..]) => Count::Number(n, at + 2),
        (1, [b'-', rest @ ..]) => ending(rest, b"1\r\n", Count::Null(5)),
        (1, [b'?', rest @ ..]) => ending(rest, b"\r\n", Count::Streamed(4)),
        _ => Count::Wrong,
    }
}

fn ending(rest: &[u8], wanted: &[u8], then: Count) -> Count {
    let n = rest.len().min(wanted.len());
    match (rest[..n] == wanted[..n], n == wanted.len()) {
        (true, true) => then,
        (true, false) => Count::Short,
        _ => Count::Wrong,
    }
}

/// Whether a message that begins so can only be a server's.
pub(super) fn only_answers(first: u8) -> bool {
    matches!(
        first,
        b'+' | b'-' | b':' | b'$' | b'_' | b'#' | b',' | b'(' | b'!' | b'=' | b'%' | b'~' | b'|' | b'>'
    )
}
