//! The bytes of HTTP/1.x: start lines, header lines, chunk sizes (RFC 9112), read leniently and without allocating.

use memchr::{memchr, memmem};

use crate::{Guess, Spec};

/// A head longer than this is used as far as it goes; of the rest only what frames the body is looked at.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// Header lines kept of one head. More are counted and not kept.
pub(super) const MAX_LINES: usize = 256;
/// The longest chunk-size or trailer line.
pub(super) const MAX_LINE: usize = 8 * 1024;

/// Headers that matter whatever the options say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Host,
    Expect,
    Referer,
    Upgrade,
    UserAgent,
    ContentType,
    Authorization,
    ContentLength,
    ContentEncoding,
    TransferEncoding,
    /// Any other.
    Other,
}

impl Name {
    /// Which one a header's name is, whatever its case.
    #[inline]
    pub(super) fn of(name: &[u8]) -> Self {
        let (word, kind): (&[u8], _) = match name.len() {
            4 => (b"host", Self::Host),
            6 => (b"expect", Self::Expect),
            7 if matches!(name[0], b'r' | b'R') => (b"referer", Self::Referer),
            7 => (b"upgrade", Self::Upgrade),
            10 => (b"user-agent", Self::UserAgent),
            12 => (b"content-type", Self::ContentType),
            13 => (b"authorization", Self::Authorization),
            14 => (b"content-length", Self::ContentLength),
            16 => (b"content-encoding", Self::ContentEncoding),
            17 => (b"transfer-encoding", Self::TransferEncoding),
            _ => return Self::Other,
        };
        // Letters and `-` only: one bit makes them lower case, without a branch for each.
        let differs = name.iter().zip(word).fold(0, |d, (a, b)| d | ((a | 0x20) ^ b));
        if differs == 0 { kind } else { Self::Other }
    }

    /// Whether a line may begin with one of these names: spares most lines a closer look.
    #[inline]
    fn may_begin(line: &[u8]) -> bool {
        let second = line.get(1).map_or(0, u8::to_ascii_lowercase);
        match line.first().map_or(0, u8::to_ascii_lowercase) {
            b'h' => second == b'o',
            b'c' => second == b'o' && matches!(line.get(2), Some(b'n' | b'N')) && matches!(line.get(3), Some(b't' | b'T')),
            b'u' => true,
            b'r' => second == b'e',
            b't' => second == b'r',
            b'a' => second == b'u',
            b'e' => second == b'x',
            _ => false,
        }
    }
}

/// Where a header line stands in its head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) kind: Name,
    start: u32,
    name_end: u32,
    value: u32,
    end: u32,
}

impl Line {
    /// Reads one line without its end; `at` is where it begins in the head. `None` when it has no colon.
    fn read(line: &[u8], at: usize) -> Option<Self> {
        let colon = memchr(b':', line)?;
        let name = line[..colon].trim_ascii_end();
        let value = colon + 1;
        Some(Self {
            kind: Name::of(name),
            start: at as u32,
            name_end: (at + name.len()) as u32,
            value: (at + value) as u32,
            end: (at + line.len()) as u32,
        })
    }

    /// Its name as sent.
    pub(super) fn name<'a>(&self, head: &'a [u8]) -> &'a [u8] {
        &head[self.start as usize..self.name_end as usize]
    }

    /// Its value, without blanks around it; folded lines (RFC 9112 5.2) still hold their line ends.
    pub(super) fn value<'a>(&self, head: &'a [u8]) -> &'a [u8] {
        head[self.value as usize..self.end as usize].trim_ascii()
    }
}

/// What a message begins with (RFC 9112 2.1), as places in its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// A request line (3).
    Request { method: usize, target: (usize, usize), minor: u8 },
    /// A status line (4).
    Status { code: u16, phrase: (usize, usize) },
}

/// The version's second digit when this is the whole of an HTTP/1.x version.
fn version(text: &[u8]) -> Option<u8> {
    match text.strip_prefix(b"HTTP/1.")? {
        [d @ b'0'..=b'9'] => Some(d - b'0'),
        _ => None,
    }
}

fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

impl First {
    /// The longest method taken for one.
    const MAX_METHOD: usize = 32;

    /// Whether a first line may begin so: some end makes it one that [`First::read`] reads.
    fn may_begin(start: &[u8]) -> bool {
        /// `d`: a digit.
        const STATUS: &[u8] = b"HTTP/1.d ddd";
        if start.len() >= 5 && start.starts_with(b"HTTP/") {
            let fits = |(b, s): (&u8, &u8)| if *s == b'd' { b.is_ascii_digit() } else { b == s };
            return start.iter().zip(STATUS).all(fits);
        }
        let method = start.iter().position(|b| *b == b' ').unwrap_or(start.len());
        start.is_empty() || (1..=Self::MAX_METHOD).contains(&method) && start[..method].iter().all(|b| is_token(*b))
    }

    /// Reads a first line, without its end.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        if line.starts_with(b"HTTP/") {
            version(line.get(..8)?)?;
            let rest = line.get(8..)?;
            let digits = match rest {
                [b' ', a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] => [*a, *b, *c],
                _ => return None,
            };
            if rest.len() > 4 && rest[4] != b' ' {
                return None;
            }
            let code = digits.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0'));
            return Some(Self::Status { code, phrase: (13.min(line.len()), line.len()) });
        }
        let method = memchr(b' ', line.get(..line.len().min(Self::MAX_METHOD + 1))?)?;
        if method == 0 || !line[..method].iter().all(|b| is_token(*b)) {
            return None;
        }
        let line = line.trim_ascii_end();
        let last = line.len().checked_sub(9)?;
        if line[last] != b' ' || last <= method {
            return None;
        }
        let minor = version(&line[last + 1..])?;
        Some(Self::Request { method, target: (method + 1, last), minor })
    }
}

/// How far a head was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scanned {
    /// Its end was not seen yet.
    More,
    /// It ends before this place.
    Done(usize),
    /// It is longer than [`MAX_HEAD`]; what comes before this place was read.
    Long(usize),
    /// It does not begin as HTTP does.
    Bad,
}

/// Reads a head line by line as it comes, each byte once.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// The header lines kept.
    pub(super) lines: Vec<Line>,
    first: Option<First>,
    /// Where the current line begins, and how far its end was searched.
    at: usize,
    searched: usize,
    /// Whether the line before was kept: a folded line belongs to it.
    kept: bool,
    /// Lines not kept because there were too many.
    pub(super) dropped: u32,
}

impl Head {
    /// Forgets all but memory.
    pub(super) fn reset(&mut self) {
        self.lines.clear();
        (self.first, self.at, self.searched, self.kept, self.dropped) = (None, 0, 0, false, 0);
    }

    /// The first line; `None` until [`Scanned::Done`].
    pub(super) fn first(&self) -> Option<First> {
        self.first
    }

    /// Reads on. `bytes` is the head from its first byte, longer each time. `all`: keep every header, not only those
    /// with a [`Name`].
    pub(super) fn scan(&mut self, bytes: &[u8], all: bool) -> Scanned {
        loop {
            let Some(n) = memchr(b'\n', bytes.get(self.searched..).unwrap_or_default()) else {
                self.searched = bytes.len();
                // Only what no end can mend: how a line is cut must not matter.
                if self.first.is_none() && !First::may_begin(bytes) {
                    return Scanned::Bad;
                }
                return if bytes.len() > MAX_HEAD { Scanned::Long(self.at) } else { Scanned::More };
            };
            let end = self.searched + n;
            let start = self.at;
            let line = &bytes[start..end];
            let line = trim_end(line);
            (self.at, self.searched) = (end + 1, end + 1);
            if self.first.is_none() {
                self.first = First::read(line);
                if self.first.is_none() {
                    return Scanned::Bad;
                }
                continue;
            }
            if line.is_empty() {
                return Scanned::Done(end + 1);
            }
            if matches!(line[0], b' ' | b'\t') {
                if let Some(last) = self.lines.last_mut().filter(|_| self.kept) {
                    last.end = (start + line.len()) as u32;
                }
            } else {
                self.kept = false;
                let line = if all || Name::may_begin(line) { Line::read(line, start) } else { None };
                if let Some(line) = line.filter(|l| all || l.kind != Name::Other) {
                    // What frames the body must not get lost behind a crowd of others.
                    let framing = matches!(line.kind, Name::ContentLength | Name::TransferEncoding);
                    if self.lines.len() < MAX_LINES || (framing && self.lines.len() < 2 * MAX_LINES) {
                        self.lines.push(line);
                        self.kept = true;
                    } else {
                        self.dropped += 1;
                    }
                }
            }
            if end >= MAX_HEAD {
                return Scanned::Long(end + 1);
            }
        }
    }

    /// The value of the last header of this kind.
    pub(super) fn get<'a>(&self, kind: Name, head: &'a [u8]) -> Option<&'a [u8]> {
        self.lines.iter().rfind(|l| l.kind == kind).map(|l| l.value(head))
    }
}

/// A coding of a body (RFC 9110 8.4.1, RFC 9112 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
    Unknown,
}

/// Where a message ends (RFC 9112 6.3).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Framing {
    /// `Content-Length`, the first of several.
    pub(super) length: Option<u64>,
    /// The body comes in chunks.
    pub(super) chunked: bool,
    /// A transfer coding is there, chunked or not.
    pub(super) transfer: bool,
    /// Lengths contradict each other or one is no number, or a length stands beside a transfer coding.
    pub(super) conflict: bool,
    /// Codings in the order in which they were applied, content codings first.
    pub(super) codings: [Option<Coding>; 4],
}

impl Framing {
    /// From the headers of a head.
    pub(super) fn of(lines: &[Line], head: &[u8]) -> Self {
        let mut out = Self::default();
        for line in lines {
            out.add(line.kind, line.value(head));
        }
        out.conflict |= out.transfer && out.length.is_some();
        out
    }

    /// From one more header, of those past [`MAX_HEAD`].
    pub(super) fn add_line(&mut self, line: &[u8]) {
        if let Some(l) = Line::read(line, 0) {
            self.add(l.kind, l.value(line));
        }
    }

    fn add(&mut self, kind: Name, value: &[u8]) {
        match kind {
            Name::ContentLength => {
                // Several values, in one header or many, are fine as long as they agree.
                for word in value.split(|b| *b == b',') {
                    match (decimal(word.trim_ascii()), self.length) {
                        (Some(n), None) => self.length = Some(n),
                        (Some(n), Some(m)) if n == m => {}
                        _ => self.conflict = true,
                    }
                }
            }
            Name::TransferEncoding => {
                self.transfer = true;
                for word in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
                    // Chunked counts as the last coding only.
                    self.chunked = word.eq_ignore_ascii_case(b"chunked");
                    if !self.chunked {
                        self.coding(word);
                    }
                }
            }
            Name::ContentEncoding => {
                value.split(|b| *b == b',').for_each(|word| self.coding(word.trim_ascii()));
            }
            _ => {}
        }
    }

    fn coding(&mut self, word: &[u8]) {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        let coding = if is("gzip") || is("x-gzip") {
            Coding::Gzip
        } else if is("deflate") {
            Coding::Deflate
        } else if is("br") {
            Coding::Brotli
        } else if is("zstd") {
            Coding::Zstd
        } else if word.is_empty() || is("identity") {
            return;
        } else {
            Coding::Unknown
        };
        match self.codings.iter_mut().find(|c| c.is_none()) {
            Some(free) => *free = Some(coding),
            // Nobody codes five times; whoever does is not decoded.
            None => self.codings[0] = Some(Coding::Unknown),
        }
    }
}

/// A number of at most 18 digits, nothing else.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0')))
}

/// The size in a chunk's first line, extensions ignored (RFC 9112 7.1).
pub(super) fn chunk_size(line: &[u8]) -> Option<u64> {
    let line = line.trim_ascii();
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let rest = line[digits..].trim_ascii_start();
    if digits == 0 || !(rest.is_empty() || rest[0] == b';') {
        return None;
    }
    let value = line[..digits].iter().skip_while(|b| **b == b'0');
    let mut size = 0u64;
    for (i, b) in value.enumerate() {
        if i >= 12 {
            return None;
        }
        size = size * 16 + u64::from(char::from(*b).to_digit(16)?);
    }
    Some(size)
}

const METHODS: &[&str] = &[
    "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", // RFC 9110, 5789
    "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", // WebDAV, RFC 4918
    "VERSION-CONTROL", "REPORT", "CHECKOUT", "CHECKIN", "UNCHECKOUT", "MKWORKSPACE", "UPDATE", "LABEL", "MERGE",
    "BASELINE-CONTROL", "MKACTIVITY", // RFC 3253
    "ORDERPATCH", "ACL", "SEARCH", "BIND", "UNBIND", "REBIND", "MKCALENDAR", "LINK", "UNLINK", "QUERY", "PURGE",
];

/// The longest known method that `text` ends with.
fn known_suffix(text: &[u8]) -> Option<usize> {
    METHODS.iter().filter(|m| text.ends_with(m.as_bytes())).map(|m| m.len()).max()
}

/// Whether first bytes of one side are HTTP/1.x. RTSP, SIP, ICAP and inline Redis begin alike and end their line
/// differently, so a request counts once its version, or enough of a long target, is there.
pub(super) fn guess(bytes: &[u8]) -> Guess {
    let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    let bytes = &bytes[blank..];
    let status = b"HTTP/1.";
    if bytes.len() < status.len() && status.starts_with(bytes) {
        return if blank > 16 { Guess::No } else { Guess::More };
    }
    if let Some(rest) = bytes.strip_prefix(status) {
        return match rest {
            [] => Guess::More,
            [b'0'..=b'9'] => Guess::More,
            [b'0'..=b'9', b' ', ..] => Guess::Server,
            _ => Guess::No,
        };
    }
    let Some(method) = bytes.iter().take(First::MAX_METHOD + 1).position(|b| *b == b' ') else {
        let fits = bytes.len() <= First::MAX_METHOD && bytes.iter().all(|b| is_token(*b));
        return if fits { Guess::More } else { Guess::No };
    };
    if method == 0 || !bytes[..method].iter().all(|b| is_token(*b)) {
        return Guess::No;
    }
    let line_end = memchr(b'\n', bytes);
    let line = &bytes[..line_end.unwrap_or(bytes.len())];
    if let Some(at) = memmem::find(line, b" HTTP/1.").filter(|at| *at > method) {
        let rest = &line[at + 8..];
        return if rest.first().is_none_or(u8::is_ascii_digit) { Guess::Client } else { Guess::No };
    }
    if line_end.is_some() || line.iter().any(|b| *b < b' ' && *b != b'\r' && *b != b'\t') {
        return Guess::No;
    }
    if bytes.len() < Spec::GUESS_BYTES - blank.min(Spec::GUESS_BYTES - 1) {
        return Guess::More;
    }
    let target = &bytes[method + 1..];
    let web = target.starts_with(b"/") || target.starts_with(b"http://") || target.starts_with(b"https://");
    let known = METHODS.iter().any(|m| m.as_bytes() == &bytes[..method]);
    if web && known { Guess::Client } else { Guess::No }
}

/// What looks like the start of a message inside bytes that make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Here one may begin.
    At(usize),
    /// Nothing; forget everything before this place.
    Drop(usize),
}

/// Looks for a plausible start of a message: a status line anywhere, or a request line after a line end, after bytes
/// that are no method, or at the very start. `want`: requests (`true`), answers (`false`), either.
pub(super) fn resync(bytes: &[u8], want: Option<bool>) -> Found {
    let mut from = 0;
    // The end of the line that the last candidate stood in: searched once a line, however many stand in it.
    let mut line_end = Some(0);
    while let Some(n) = memmem::find(&bytes[from..], b"HTTP/1.") {
        let at = from + n;
        from = at + 7;
        let after = &bytes[from..];
        if line_end.is_some_and(|end| end < from) {
            line_end = memchr(b'\n', after).map(|n| from + n);
        }
        // A whole line must read as one; of a line still to come it is enough to look like one.
        let reads = |start: usize| line_end.is_none_or(|end| First::read(trim_end(&bytes[start..end])).is_some());
        if want != Some(true) {
            match after {
                [b'0'..=b'9', b' ', b'1'..=b'9', b'0'..=b'9', b'0'..=b'9', ..] if reads(at) => return Found::At(at),
                _ if after.len() < 5 && after.iter().all(|b| b.is_ascii_digit() || *b == b' ') => {
                    // Too little to tell: keep it until more comes.
                    let line = if want.is_none() { MAX_LINE } else { 0 };
                    return Found::Drop(at.saturating_sub(line));
                }
                _ => {}
            }
        }
        let behind_target = at > 0 && bytes[at - 1] == b' ' && after.first().is_none_or(u8::is_ascii_digit);
        if want != Some(false)
            && behind_target
            && let Some(start) = request_start(&bytes[..at - 1]).filter(|start| reads(*start))
        {
            return Found::At(start);
        }
    }
    // The last line may be the beginning of a request line, the last bytes that of a status line.
    let line = memchr::memrchr(b'\n', bytes).map_or(0, |n| n + 1);
    let tail = bytes.len().saturating_sub(6);
    let keep = if want == Some(false) { tail } else { line.min(tail) };
    Found::Drop(keep.max(bytes.len().saturating_sub(MAX_LINE)))
}

/// A line without the carriage return before its end.
pub(super) fn trim_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Where the request line begins whose version follows `bytes`.
fn request_start(bytes: &[u8]) -> Option<usize> {
    let line = memchr::memrchr(b'\n', bytes).map_or(0, |n| n + 1).max(bytes.len().saturating_sub(MAX_LINE));
    let target = line + memchr::memrchr(b' ', &bytes[line..])?;
    let before = &bytes[line..target];
    if let Some(n) = known_suffix(before) {
        return Some(target - n);
    }
    // Any other method, when it has the line for itself.
    (!before.is_empty() && before.len() <= First::MAX_METHOD && before.iter().all(|b| is_token(*b))).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines() {
        let request = |m, t, minor| Some(First::Request { method: m, target: t, minor });
        assert_eq!(First::read(b"GET / HTTP/1.1"), request(3, (4, 5), 1));
        assert_eq!(First::read(b"M-SEARCH * HTTP/1.0"), request(8, (9, 10), 0));
        assert_eq!(First::read(b"GET /a b c HTTP/1.1 "), request(3, (4, 10), 1));
        for bad in ["GET /", "GET HTTP/1.1", " / HTTP/1.1", "GET / HTTP/2.0", "INVITE sip:a SIP/2.0", "GET / RTSP/1.0", ""] {
            assert_eq!(First::read(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(First::read(b"HTTP/1.1 404 Not Found"), Some(First::Status { code: 404, phrase: (13, 22) }));
        assert_eq!(First::read(b"HTTP/1.0 200"), Some(First::Status { code: 200, phrase: (12, 12) }));
        for bad in ["HTTP/1.1 20", "HTTP/1.1 2000 OK", "HTTP/2.0 200 OK", "HTTP/1.1  200 OK"] {
            assert_eq!(First::read(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn chunk_sizes() {
        assert_eq!(chunk_size(b"1a"), Some(26));
        assert_eq!(chunk_size(b"000000000000000000000001A ; name=\"x\"\r"), Some(26));
        assert_eq!(chunk_size(b"0"), Some(0));
        for bad in ["", "x", "-1", "1z", "ffffffffffffffff"] {
            assert_eq!(chunk_size(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn framing() {
        let of = |head: &str| {
            let mut h = Head::default();
            let text = format!("GET / HTTP/1.1\r\n{head}\r\n");
            assert_eq!(h.scan(text.as_bytes(), false), Scanned::Done(text.len()));
            Framing::of(&h.lines, text.as_bytes())
        };
        let f = of("Content-Length: 5\r\ncontent-length: 5, 5\r\n");
        assert_eq!((f.length, f.conflict), (Some(5), false));
        let f = of("Content-Length: 5\r\nContent-Length: 6\r\n");
        assert_eq!((f.length, f.conflict), (Some(5), true));
        let f = of("Content-Length: +5\r\n");
        assert_eq!((f.length, f.conflict), (None, true));
        let f = of("Content-Length: 5\r\nTransfer-Encoding: gzip,\r\n chunked\r\n");
        assert_eq!((f.chunked, f.conflict, f.codings[0]), (true, true, Some(Coding::Gzip)));
        let f = of("Transfer-Encoding: chunked, gzip\r\n");
        assert_eq!((f.chunked, f.transfer), (false, true));
        let f = of("Content-Encoding: br, identity, zstd\r\n");
        assert_eq!(f.codings, [Some(Coding::Brotli), Some(Coding::Zstd), None, None]);
    }

    #[test]
    fn heads_come_in_pieces_and_bare_line_feeds() {
        let text = b"POST /x HTTP/1.1\nHost:  a \nX-Fold: one\r\n\ttwo\nnonsense\nReferer : r\n\nrest";
        for all in [false, true] {
            let mut h = Head::default();
            let mut end = None;
            for n in 1..=text.len() {
                match h.scan(&text[..n], all) {
                    Scanned::More => {}
                    other => {
                        end = Some(other);
                        break;
                    }
                }
            }
            assert_eq!(end, Some(Scanned::Done(text.len() - 4)));
            assert_eq!(h.get(Name::Host, text), Some(&b"a"[..]));
            assert_eq!(h.get(Name::Referer, text), Some(&b"r"[..]));
            assert_eq!(h.get(Name::Other, text), all.then_some(&b"one\r\n\ttwo"[..]), "folded");
        }
    }

    #[test]
    fn guesses() {
        let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(100));
        let yes = ["GET / HTTP/1.1\r\n", "PROPFIND /x HTTP/1.0\r\n", "FOO * HTTP/1.1\r\n", "\r\nGET / HTTP/1.1\r\n", &long];
        for y in yes {
            for cut in 0..y.len() {
                assert_ne!(guess(&y.as_bytes()[..cut]), Guess::No, "{:?}", &y[..cut]);
            }
            assert_eq!(guess(y.as_bytes()), Guess::Client);
        }
        assert_eq!(guess(b"HTTP/1.1 200 OK\r\n"), Guess::Server);
        assert_eq!(guess(b"HTTP/1."), Guess::More);
        let no = [
            "INVITE sip:bob@x SIP/2.0\r\n", "OPTIONS rtsp://a/b RTSP/1.0\r\n", "GET /key\r\n", "SET a 1\r\n", "GET k\r\n",
            "HTTP/2.0 200 OK\r\n", "*1\r\n$4\r\nPING\r\n", "\x16\x03\x01", "PRI * HTTP/2.0\r\n\r\n", "EHLO x\r\n", " GET / HTTP/1.1\r\n",
        ];
        for n in no {
            assert_eq!(guess(n.as_bytes()), Guess::No, "{n}");
        }
    }

    #[test]
    fn finds_the_next_message() {
        assert_eq!(resync(b"</html>HTTP/1.1 200 OK\r\n", Some(false)), Found::At(7));
        assert_eq!(resync(b"\"x\":1}POST /a HTTP/1.1\r\n", Some(true)), Found::At(6));
        assert_eq!(resync(b"abc\nFOO /a HTTP/1.1\r\n", None), Found::At(4));
        assert_eq!(resync(b"abc\nabcdefHTTP/1", Some(false)), Found::Drop(10));
        assert_eq!(resync(b"abc\nGET /abc", Some(true)), Found::Drop(4));
        assert_eq!(resync(b"xxHTTP/1.1 20", Some(false)), Found::Drop(2));
    }
}
