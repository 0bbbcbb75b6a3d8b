//! RESP, the bytes of Redis: RESP2 and RESP3 ("Redis serialization protocol specification", redis.io; below: RESP),
//! inline commands as the server splits them, and what commands and answers may hold that nobody shall see.
//!
//! A message may be endless, so it is not looked at as a whole: [`Reader`] goes through it piece by piece, keeps where
//! it is, and never needs more than one short line at a time.

use memchr::{memchr, memchr_iter};

use crate::Guess;

/// How deep answers may be nested. Real ones reach 7 (`COMMAND DOCS`).
pub(super) const DEPTH: usize = 32;
/// Elements that one aggregate may announce (the server's own limit).
const MAX_COUNT: u64 = i32::MAX as u64;
/// Bytes that one string may announce: far above the server's default of 512 MiB (`proto-max-bulk-len`).
const MAX_BULK: u64 = 1 << 40;
/// The longest inline command (the server's `PROTO_INLINE_MAX_SIZE`).
pub(super) const MAX_INLINE: usize = 64 * 1024;

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
enum Count {
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
fn count(bytes: &[u8]) -> Count {
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

/// What subscriptions are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Channels,
    Patterns,
    Shards,
}

/// Commands that mean something for what follows, or whose words or answers hold secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Verb {
    #[default]
    Plain,
    Acl,
    Auth,
    /// Waits until there is something to answer, or its own time is over.
    Blocks,
    Client,
    Config,
    Discard,
    Exec,
    Hello,
    Migrate,
    Module,
    Monitor,
    Multi,
    Psync,
    /// Waits if it says `BLOCK`.
    Read,
    Reset,
    Sentinel,
    Slowlog,
    Subscribe(Space),
    Sync,
    Unsubscribe(Space),
}

impl Verb {
    /// Of a command's first word.
    pub(super) fn of(word: &[u8]) -> Self {
        let mut upper = [0; 16];
        let Some(upper) = upper.get_mut(..word.len()) else { return Self::Plain };
        upper.copy_from_slice(word);
        upper.make_ascii_uppercase();
        match &*upper {
            b"ACL" => Self::Acl,
            b"AUTH" => Self::Auth,
            b"BLPOP" | b"BRPOP" | b"BRPOPLPUSH" | b"BLMOVE" | b"BLMPOP" | b"BZPOPMIN" | b"BZPOPMAX"
            | b"BZMPOP" => Self::Blocks,
            b"WAIT" | b"WAITAOF" => Self::Blocks,
            b"CLIENT" => Self::Client,
            b"CONFIG" => Self::Config,
            b"DISCARD" => Self::Discard,
            b"EXEC" => Self::Exec,
            b"HELLO" => Self::Hello,
            b"MIGRATE" => Self::Migrate,
            b"MODULE" => Self::Module,
            b"MONITOR" => Self::Monitor,
            b"MULTI" => Self::Multi,
            b"PSYNC" => Self::Psync,
            b"XREAD" | b"XREADGROUP" => Self::Read,
            b"RESET" => Self::Reset,
            b"SENTINEL" => Self::Sentinel,
            b"SLOWLOG" => Self::Slowlog,
            b"SUBSCRIBE" => Self::Subscribe(Space::Channels),
            b"PSUBSCRIBE" => Self::Subscribe(Space::Patterns),
            b"SSUBSCRIBE" => Self::Subscribe(Space::Shards),
            b"SYNC" => Self::Sync,
            b"UNSUBSCRIBE" => Self::Unsubscribe(Space::Channels),
            b"PUNSUBSCRIBE" => Self::Unsubscribe(Space::Patterns),
            b"SUNSUBSCRIBE" => Self::Unsubscribe(Space::Shards),
            _ => Self::Plain,
        }
    }

    /// Whether its words may hold secrets.
    fn guarded(self) -> bool {
        matches!(
            self,
            Self::Acl
                | Self::Auth
                | Self::Config
                | Self::Hello
                | Self::Migrate
                | Self::Module
                | Self::Sentinel
        )
    }
}

/// Whether a command's second word is part of its name: Packetbeat's four and those that came after it.
pub(super) fn has_subcommands(word: &[u8]) -> bool {
    let names: [&[u8]; 13] = [
        b"CLIENT",
        b"CONFIG",
        b"DEBUG",
        b"SCRIPT",
        b"ACL",
        b"CLUSTER",
        b"COMMAND",
        b"FUNCTION",
        b"LATENCY",
        b"MEMORY",
        b"MODULE",
        b"XGROUP",
        b"XINFO",
    ];
    names.iter().any(|n| n.eq_ignore_ascii_case(word))
}

/// Of the first element of a confirmation (RESP2: array, RESP3: push): what it is about, and whether it adds.
pub(super) fn confirmation(word: &[u8]) -> Option<Verb> {
    let verb = Verb::of(word);
    matches!(verb, Verb::Subscribe(_) | Verb::Unsubscribe(_)).then_some(verb)
}

/// Whether an array that begins so is a published message (RESP2 has no type of its own for them).
pub(super) fn is_message(word: &[u8]) -> bool {
    matches!(word, b"message" | b"pmessage" | b"smessage")
}

/// Whether a line is one of MONITOR's, e.g. `1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`: where the command begins.
pub(super) fn monitor_line(line: &[u8]) -> Option<usize> {
    let digits = |from: usize| line[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let seconds = digits(0);
    if seconds == 0 || line.get(seconds) != Some(&b'.') {
        return None;
    }
    let micros = digits(seconds + 1);
    let at = seconds + 1 + micros;
    let rest = line.get(at..)?.strip_prefix(b" [")?;
    let end = memchr(b']', rest)?;
    Some((at + 2 + end + 2).min(line.len()))
}

/// What of a word may not be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// All of it may.
    All,
    /// It names the user who logs in.
    User,
    /// Only its first so many bytes may.
    First(usize),
}

/// Goes through the words of a command and says which are secrets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Guard {
    verb: Verb,
    words: u64,
    /// What the next words are.
    next: Next,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Anything,
    /// A name or a value that only looks like a keyword.
    Plain,
    User,
    Secret,
}

impl Guard {
    /// For a command of so many words, the verb among them.
    pub(super) fn new(verb: Verb, words: u64) -> Self {
        Self { verb, words, next: Next::Anything }
    }

    /// The same for another verb.
    pub(super) fn with(self, verb: Verb) -> Self {
        Self::new(verb, self.words)
    }

    /// Whether any word may be a secret.
    pub(super) fn active(&self) -> bool {
        self.verb.guarded()
    }

    /// Looks at word `index` (the verb is 0).
    pub(super) fn word(&mut self, index: u64, word: &[u8]) -> Shown {
        if index == 0 {
            return Shown::All;
        }
        match std::mem::take(&mut self.next) {
            Next::Secret => return Shown::First(0),
            Next::User => {
                self.next = Next::Secret;
                return Shown::User;
            }
            Next::Plain => return Shown::All,
            Next::Anything => {}
        }
        match self.verb {
            // AUTH password, AUTH user password; with more words none is known to be a name.
            Verb::Auth if self.words == 3 && index == 1 => return Shown::User,
            Verb::Auth => return Shown::First(0),
            Verb::Hello if word.eq_ignore_ascii_case(b"SETNAME") => self.next = Next::Plain,
            Verb::Hello if index >= 2 && word.eq_ignore_ascii_case(b"AUTH") => self.next = Next::User,
            Verb::Migrate if index >= 6 && word.eq_ignore_ascii_case(b"AUTH") => self.next = Next::Secret,
            Verb::Migrate if index >= 6 && word.eq_ignore_ascii_case(b"AUTH2") => self.next = Next::User,
            // ACL SETUSER: passwords to add and to remove, plain and hashed.
            Verb::Acl if index >= 3 && matches!(word.first(), Some(b'>' | b'<' | b'#' | b'!')) => {
                return Shown::First(1);
            }
            // CONFIG SET name value …, SENTINEL SET master name value …, SENTINEL CONFIG SET name value …
            Verb::Config if index >= 2 && index.is_multiple_of(2) && names_secret(word) => {
                self.next = Next::Secret
            }
            Verb::Sentinel if index >= 3 && index % 2 == 1 && names_secret(word) => self.next = Next::Secret,
            // MODULE LOADEX path CONFIG name value … ARGS …
            Verb::Module if index >= 3 && names_secret(word) => self.next = Next::Secret,
            _ => {}
        }
        Shown::All
    }
}

/// Whether a setting of this name is a secret: requirepass, masterauth, tls-key-file-pass, auth-pass …
pub(super) fn names_secret(name: &[u8]) -> bool {
    let holds = |word: &[u8]| name.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word));
    let ends =
        |word: &[u8]| name.len() >= word.len() && name[name.len() - word.len()..].eq_ignore_ascii_case(word);
    (holds(b"pass") || holds(b"secret") || ends(b"auth")) && !ends(b"user")
}

/// The first hash of a password (64 hexadecimal digits) in a text.
pub(super) fn password_hash(text: &[u8]) -> Option<std::ops::Range<usize>> {
    let mut run = 0;
    for (i, b) in text.iter().enumerate() {
        run = if b.is_ascii_hexdigit() { run + 1 } else { 0 };
        if run == 64 {
            return Some(i + 1 - 64..i + 1);
        }
    }
    None
}

/// What looks like the start of a message inside bytes that make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Here one begins.
    At(usize),
    /// Nothing; forget everything before this place.
    Drop(usize),
}

/// Where the next command begins: an array of strings at the start of a line.
pub(super) fn find_command(bytes: &[u8]) -> Found {
    for at in memchr_iter(b'*', bytes) {
        if at > 0 && bytes[at - 1] != b'\n' {
            continue;
        }
        match count(&bytes[at..]) {
            Count::Short => return Found::Drop(at),
            Count::Number(1.., used) => match (bytes.get(at + used), bytes.get(at + used..).map(count)) {
                (None, _) | (Some(b'$'), None | Some(Count::Short)) => return Found::Drop(at),
                (Some(b'$'), Some(Count::Number(..))) => return Found::At(at),
                _ => {}
            },
            _ => {}
        }
    }
    Found::Drop(bytes.len())
}

/// Where the next answer may begin: at the start of these bytes or of a line.
pub(super) fn find_answer(bytes: &[u8]) -> Found {
    const LINE: usize = 64;
    for at in std::iter::once(0).chain(memchr_iter(b'\n', bytes).map(|n| n + 1)) {
        let rest = &bytes[at..];
        let Some(first) = rest.first() else { return Found::Drop(at) };
        match first {
            b'+' | b'-' => {
                let line = memchr(b'\n', rest).map_or(rest, |end| &rest[..end]);
                let word = line.get(1).is_none_or(u8::is_ascii_uppercase);
                if word && line.iter().all(|b| *b >= b' ' || *b == b'\r') {
                    if line.len() < rest.len() {
                        return Found::At(at);
                    }
                    if line.len() < LINE {
                        return Found::Drop(at);
                    }
                }
            }
            b':' | b'$' | b'*' | b'%' | b'~' | b'>' => match count(rest) {
                Count::Short => return Found::Drop(at),
                Count::Number(..) | Count::Null(_) => return Found::At(at),
                _ => {}
            },
            _ => {}
        }
    }
    Found::Drop(bytes.len())
}

/// Whether first bytes of one side are RESP, or an inline command that nothing else could be.
pub(super) fn guess(bytes: &[u8]) -> Guess {
    match bytes.first() {
        None => Guess::More,
        Some(b'*') => guess_array(bytes),
        Some(b'a'..=b'z' | b'A'..=b'Z') => guess_inline(bytes),
        Some(_) => guess_answer(bytes),
    }
}

fn guess_array(bytes: &[u8]) -> Guess {
    let rest = match count(bytes) {
        Count::Short => return Guess::More,
        Count::Number(1.., used) => &bytes[used..],
        _ => return Guess::No,
    };
    match (rest.first(), count(rest)) {
        (None, _) | (Some(b'$' | b':' | b'*'), Count::Short) => Guess::More,
        // Only answers hold numbers and arrays.
        (Some(b':' | b'*'), Count::Number(..)) => Guess::Server,
        (Some(b'$'), Count::Number(n @ 1..=64, used)) => {
            let word = &rest[used..];
            let n = n as usize;
            let (word, end) = word.split_at(n.min(word.len()));
            let fits = word.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
            if !fits
                || !word.first().is_none_or(u8::is_ascii_alphabetic)
                || !b"\r\n".starts_with(&end[..end.len().min(2)])
            {
                return Guess::No;
            }
            match word.len() == n {
                true if is_message(word) => Guess::Server,
                true => Guess::Client,
                false => Guess::More,
            }
        }
        _ => Guess::No,
    }
}

fn guess_answer(bytes: &[u8]) -> Guess {
    const LINES: [&str; 28] = [
        "+PONG\r\n",
        "+QUEUED\r\n",
        "+FULLRESYNC ",
        "+CONTINUE",
        "-ERR unknown command '",
        "-ERR unknown command `",
        "-ERR wrong number of arguments for '",
        "-NOAUTH ",
        "-WRONGPASS ",
        "-WRONGTYPE ",
        "-MOVED ",
        "-ASK ",
        "-LOADING ",
        "-READONLY ",
        "-NOSCRIPT ",
        "-MASTERDOWN ",
        "-DENIED ",
        "-NOPERM ",
        "-CLUSTERDOWN ",
        "-CROSSSLOT ",
        "-BUSY ",
        "-EXECABORT ",
        "-MISCONF ",
        "-OOM ",
        "-BUSYKEY ",
        "-NOPROTO ",
        "-NOGROUP ",
        "-BUSYGROUP ",
    ];
    match bytes {
        [b'+' | b'-', ..] => {
            if LINES.iter().any(|l| bytes.starts_with(l.as_bytes())) {
                Guess::Server
            } else if LINES.iter().any(|l| l.as_bytes().starts_with(bytes)) {
                Guess::More
            } else {
                Guess::No
            }
        }
        [kind @ (b'$' | b':' | b'%' | b'~' | b'>'), ..] => match count(bytes) {
            Count::Short => Guess::More,
            Count::Null(_) if *kind == b'$' => Guess::Server,
            Count::Number(n, used) => {
                let rest = &bytes[used..];
                let fits = match kind {
                    b'$' => usize::try_from(n)
                        .ok()
                        .and_then(|n| rest.get(n..))
                        .is_none_or(|end| b"\r\n".starts_with(&end[..end.len().min(2)])),
                    _ => rest.first().is_none_or(|b| *b == b'*' || only_answers(*b)),
                };
                // An empty map or set is too little to go by.
                if fits && (n > 0 || *kind == b':' || *kind == b'$') { Guess::Server } else { Guess::No }
            }
            _ => Guess::No,
        },
        _ => Guess::No,
    }
}

/// Inline commands that no other protocol's first line is. Some words are memcached's too, which knows them in lower
/// case only, or HTTP's, whose targets are paths.
fn guess_inline(bytes: &[u8]) -> Guess {
    const ALONE: [&str; 9] =
        ["PING", "INFO", "MONITOR", "MULTI", "DBSIZE", "COMMAND", "FLUSHALL", "FLUSHDB", "RANDOMKEY"];
    const WITH: [(&str, &[&str]); 4] = [
        (
            "CLIENT",
            &["REPLY", "LIST", "SETNAME", "GETNAME", "ID", "KILL", "INFO", "SETINFO", "TRACKING", "NO-EVICT"],
        ),
        ("CONFIG", &["GET", "SET", "RESETSTAT", "REWRITE"]),
        ("HELLO", &["2", "3"]),
        ("DEBUG", &["PROTOCOL", "SLEEP", "OBJECT"]),
    ];
    const ANY_CASE: [(&str, usize, usize); 16] = [
        ("SUBSCRIBE", 1, 64),
        ("PSUBSCRIBE", 1, 64),
        ("KEYS", 1, 1),
        ("LPUSH", 2, 64),
        ("RPUSH", 2, 64),
        ("LRANGE", 3, 3),
        ("HSET", 3, 64),
        ("HGET", 2, 2),
        ("HGETALL", 1, 1),
        ("SADD", 2, 64),
        ("ZADD", 3, 64),
        ("EXISTS", 1, 64),
        ("TTL", 1, 1),
        ("EVAL", 2, 64),
        ("REPLICAOF", 2, 2),
        ("SLAVEOF", 2, 2),
    ];
    const UPPER: [(&str, usize, usize); 6] =
        [("SET", 2, 3), ("GET", 1, 1), ("DEL", 1, 64), ("INCR", 1, 1), ("DECR", 1, 1), ("MSET", 2, 64)];
    let line = match memchr(b'\n', bytes) {
        Some(end) => &bytes[..end],
        None if bytes.iter().all(|b| *b >= b' ' || *b == b'\r') => return Guess::More,
        None => return Guess::No,
    };
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.iter().any(|b| !(b' '..=b'~').contains(b)) {
        return Guess::No;
    }
    let mut words = line.split(|b| *b == b' ').filter(|w| !w.is_empty());
    let Some(verb) = words.next() else { return Guess::No };
    let second = words.next();
    let more = usize::from(second.is_some()) + words.count();
    let is = |w: &str| verb.eq_ignore_ascii_case(w.as_bytes());
    let select = is("SELECT") && more == 1 && second.is_some_and(|n| n.iter().all(u8::is_ascii_digit));
    let yes = select
        || more == 0 && ALONE.iter().any(|w| is(w))
        || WITH.iter().any(|(w, subs)| {
            is(w) && second.is_some_and(|s| subs.iter().any(|x| s.eq_ignore_ascii_case(x.as_bytes())))
        })
        || ANY_CASE.iter().any(|(w, least, most)| is(w) && (*least..=*most).contains(&more))
        || UPPER.iter().any(|(w, least, most)| {
            verb == w.as_bytes()
                && (*least..=*most).contains(&more)
                && second.is_some_and(|s| !s.starts_with(b"/") && !s.starts_with(b"http"))
        });
    if yes { Guess::Client } else { Guess::No }
}
