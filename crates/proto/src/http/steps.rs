//! From state to state: how bytes of one side become messages.

use wirebeat_model::Dir;

use super::Http;
use super::codec::{First, Found, Framing, MAX_LINE, Scanned, chunk_size, guess, resync, trim_end};
use super::half::{Notes, Verb};
use super::side::State;
use crate::{Cx, Guess, Then, by_name};

/// Bytes without sense that are looked through before the flow is given up: once it was HTTP, and before.
const MAX_LOST: [u64; 2] = [16 << 20, 256 << 10];

/// What a step came to.
pub(super) enum Next {
    /// So many bytes are used; on with what follows.
    Go(usize),
    /// So many are used; this is the answer.
    Stop(usize, Then),
}

/// A line in what comes next.
enum Sought<'a> {
    /// It, and the bytes it takes up with its end.
    Line(&'a [u8], usize),
    /// Its end was not seen yet.
    More,
    /// It is longer than any such line.
    Long,
}

impl Http {
    /// Looks for a line end in `bytes`, from where it last stopped.
    fn line<'a>(&mut self, d: usize, bytes: &'a [u8]) -> Sought<'a> {
        let searched = &mut self.sides[d].searched;
        match memchr::memchr(b'\n', bytes.get(*searched..).unwrap_or_default()) {
            Some(n) => {
                let end = *searched + n;
                *searched = 0;
                Sought::Line(trim_end(&bytes[..end]), end + 1)
            }
            None if bytes.len() > MAX_LINE => {
                *searched = 0;
                Sought::Long
            }
            None => {
                *searched = bytes.len();
                Sought::More
            }
        }
    }

    /// What comes makes no sense.
    fn lose(&mut self, d: usize, open: bool, stuck: bool, cx: &mut Cx<'_>) -> Next {
        cx.counters.unparsed += 1;
        let side = &mut self.sides[d];
        side.searched = 0;
        side.state = State::Lost { open, stuck };
        Next::Go(0)
    }

    /// One step in the bytes of one side.
    pub(super) fn step(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> Next {
        let d = dir.index();
        let wait = Next::Stop(0, Then::Need(bytes.len() + 1));
        let side = &mut self.sides[d];
        match side.state {
            State::Start => {
                // Empty lines before a message do no harm (RFC 9112 2.2).
                let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
                if bytes.len() == blank {
                    return Next::Stop(blank, Then::Need(1));
                }
                side.begin(cx.now);
                Next::Go(blank)
            }
            State::Head => self.head(dir, bytes, cx),
            State::LongHead => match self.line(d, bytes) {
                Sought::More => wait,
                Sought::Long => {
                    // An endless line frames nothing; what follows it is another line.
                    self.sides[d].message.wire += bytes.len() as u64;
                    Next::Stop(bytes.len(), Then::Need(1))
                }
                Sought::Line(line, used) => {
                    let message = &mut self.sides[d].message;
                    message.wire += used as u64;
                    if line.is_empty() {
                        return self.after_head(dir, used, cx);
                    }
                    message.framing.add_line(line);
                    Next::Go(used)
                }
            },
            State::Expecting { .. } if bytes.is_empty() => wait,
            State::Expecting { answered } => {
                match guess(bytes) {
                    Guess::More if answered => return wait,
                    // The body never came; the next request did.
                    Guess::Client if answered => self.finish(dir, cx),
                    _ => self.begin_body(dir, cx),
                }
                Next::Go(0)
            }
            State::Skip(n) => {
                side.message.count(n);
                if n <= bytes.len() as u64 {
                    self.finish(dir, cx);
                    return Next::Go(n as usize);
                }
                side.state = State::Skipping;
                Next::Stop(0, Then::Skip(n))
            }
            State::Skipping => {
                self.finish(dir, cx);
                Next::Go(0)
            }
            State::Body(left) => {
                let n = left.min(bytes.len() as u64) as usize;
                self.take_body(d, &bytes[..n], cx);
                let left = left - n as u64;
                if left == 0 {
                    self.finish(dir, cx);
                    return Next::Go(n);
                }
                // What cannot be kept need not be seen.
                let keeps = self.sides[d].message.keeps();
                self.sides[d].state = if keeps { State::Body(left) } else { State::Skip(left) };
                if keeps { Next::Stop(n, Then::Need(1)) } else { Next::Go(n) }
            }
            State::ChunkSize => match self.line(d, bytes) {
                Sought::More => wait,
                Sought::Long => self.lose(d, true, false, cx),
                Sought::Line(line, used) => {
                    let Some(size) = chunk_size(line) else { return self.lose(d, true, false, cx) };
                    let side = &mut self.sides[d];
                    side.message.wire += used as u64;
                    side.state = if size == 0 { State::Trailer } else { State::Chunk(size) };
                    Next::Go(used)
                }
            },
            State::Chunk(left) => {
                if left > bytes.len() as u64 && !side.message.keeps() {
                    side.message.count(left);
                    side.state = State::SkippingChunk;
                    return Next::Stop(0, Then::Skip(left));
                }
                let n = left.min(bytes.len() as u64) as usize;
                let left = left - n as u64;
                side.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                self.take_body(d, &bytes[..n], cx);
                if left == 0 { Next::Go(n) } else { Next::Stop(n, Then::Need(1)) }
            }
            State::SkippingChunk => {
                side.state = State::ChunkEnd;
                Next::Go(0)
            }
            State::ChunkEnd => {
                let used = match bytes {
                    [b'\r', b'\n', ..] => 2,
                    [b'\n', ..] => 1,
                    [] | [b'\r'] => return wait,
                    _ => return self.lose(d, true, false, cx),
                };
                side.message.wire += used as u64;
                side.state = State::ChunkSize;
                Next::Go(used)
            }
            State::Trailer => match self.line(d, bytes) {
                Sought::More => wait,
                Sought::Long => self.lose(d, true, false, cx),
                Sought::Line(line, used) => {
                    self.sides[d].message.wire += used as u64;
                    if line.is_empty() {
                        self.finish(dir, cx);
                    }
                    Next::Go(used)
                }
            },
            State::UntilClose { asked: true } => match guess(bytes) {
                Guess::More => wait,
                Guess::Server => {
                    self.finish(dir, cx);
                    Next::Go(0)
                }
                _ => {
                    side.state = State::UntilClose { asked: false };
                    Next::Go(0)
                }
            },
            State::UntilClose { asked: false } => {
                self.take_body(d, bytes, cx);
                Next::Stop(bytes.len(), Then::Need(1))
            }
            State::Held => match guess(bytes) {
                Guess::Client => {
                    side.state = State::Start;
                    Next::Go(0)
                }
                _ => wait,
            },
            State::Lost { open, stuck } => self.find(dir, bytes, open, stuck, cx),
        }
    }

    /// Looks for the next message in bytes that make no sense.
    fn find(&mut self, dir: Dir, bytes: &[u8], open: bool, stuck: bool, cx: &mut Cx<'_>) -> Next {
        /// How a body in chunks ends, wherever that is.
        const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";
        let d = dir.index();
        let found = resync(bytes, self.client.map(|client| client == dir));
        let (Found::At(n) | Found::Drop(n)) = found;
        let message = matches!(found, Found::At(_)) && !(stuck && n == 0);
        let shown = if message { &bytes[..n] } else { bytes };
        let end = if open { memchr::memmem::find(shown, LAST_CHUNK) } else { None };
        let used = match end {
            Some(at) => at + LAST_CHUNK.len(),
            None if message => n,
            // It was tried and is none: on behind its first byte.
            None if matches!(found, Found::At(_)) => 1,
            None if open => n.min(bytes.len().saturating_sub(LAST_CHUNK.len() - 1)),
            None => n,
        };
        let side = &mut self.sides[d];
        side.lost += used as u64;
        if open {
            side.message.count(used as u64);
        }
        if end.is_some() || message {
            side.state = State::Start;
            if open {
                self.finish(dir, cx);
            }
            return Next::Go(used);
        }
        side.state = State::Lost { open, stuck: stuck && used == 0 };
        if side.lost > MAX_LOST[usize::from(self.client.is_none())] {
            return Next::Stop(used, Then::Lost);
        }
        if matches!(found, Found::At(_)) {
            return Next::Go(used);
        }
        Next::Stop(used, Then::Need(bytes.len() - used + 1))
    }

    fn head(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> Next {
        let d = dir.index();
        let side = &mut self.sides[d];
        let (used, whole) = match side.head.scan(bytes, self.setup.own.all_lines) {
            Scanned::More => return Next::Stop(0, Then::Need(bytes.len() + 1)),
            Scanned::Done(n) => (n, true),
            Scanned::Long(n) if side.head.first().is_some() => (n, false),
            Scanned::Long(_) => {
                self.lose(d, false, false, cx);
                return Next::Go(bytes.len());
            }
            Scanned::Bad if bytes.starts_with(b"PRI * HTTP/2.0") => {
                // The preface of HTTP/2 (RFC 9113 3.4), known beforehand.
                return Next::Stop(0, Then::Become(by_name("http2").map(|p| p.spec.name)));
            }
            Scanned::Bad => return self.lose(d, false, true, cx),
        };
        if side.head.dropped > 0 || !whole {
            cx.counters.unparsed += 1;
        }
        if !self.use_head(dir, &bytes[..used], cx) {
            return self.lose(d, false, true, cx);
        }
        if whole {
            return self.after_head(dir, used, cx);
        }
        self.sides[d].state = State::LongHead;
        Next::Go(used)
    }

    /// Writes the half that a head tells, as far as it was read. `false`: it goes the wrong way.
    fn use_head(&mut self, dir: Dir, head: &[u8], cx: &mut Cx<'_>) -> bool {
        let side = &mut self.sides[dir.index()];
        let request = matches!(side.head.first(), Some(First::Request { .. }));
        let client = if request { dir } else { dir.flip() };
        if *self.client.get_or_insert(client) != client {
            // Nobody asks and answers on one connection.
            return false;
        }
        side.lost = 0;
        side.message.wire = head.len() as u64;
        side.message.framing = Framing::of(&side.head.lines, head);
        if request {
            self.request(dir, head, cx);
        } else {
            self.response(dir, head, cx);
        }
        true
    }

    /// The rest of a head was lost or never sent: what came of it is told, its body is not looked for.
    pub(super) fn torn_head(&mut self, dir: Dir, held: &[u8], lost: bool, cx: &mut Cx<'_>) {
        let side = &mut self.sides[dir.index()];
        side.searched = 0;
        if side.state != State::Head {
            return;
        }
        if side.head.first().is_none() || !self.use_head(dir, held, cx) {
            // What was read of it does not belong to what may come.
            cx.counters.unparsed += 1;
            self.sides[dir.index()].state = State::Start;
            return;
        }
        let m = &mut self.sides[dir.index()].message;
        m.notes.add(match (m.code == 0, lost) {
            (true, true) => Notes::REQUEST_LOSS,
            (true, false) => Notes::REQUEST_CUT,
            (false, true) => Notes::RESPONSE_LOSS,
            (false, false) => Notes::RESPONSE_CUT,
        });
        if m.open {
            self.finish(dir, cx);
        } else {
            self.sides[dir.index()].state = State::Start;
        }
    }

    /// The head is over: what follows is a body, or nothing.
    fn after_head(&mut self, dir: Dir, used: usize, cx: &mut Cx<'_>) -> Next {
        let d = dir.index();
        let message = &self.sides[d].message;
        let (code, becomes) = (message.code, message.becomes);
        if !message.open {
            // An interim answer (RFC 9110 15.2): the final one follows.
            self.sides[d].state = State::Start;
            return Next::Go(used);
        }
        if code == 0 {
            if message.asked.expects && (message.framing.chunked || message.framing.length.is_some_and(|n| n > 0)) {
                self.sides[d].state = State::Expecting { answered: false };
            } else {
                self.begin_body(dir, cx);
            }
            return Next::Go(used);
        }
        let tunnel = self.asked(d).verb == Verb::Connect && (200..300).contains(&code);
        if self.sides[1 - d].state == State::Held {
            // Without effect if the other protocol was granted.
            self.sides[1 - d].state = State::Start;
        }
        self.begin_body(dir, cx);
        if code == 101 || tunnel {
            return Next::Stop(used, Then::Become(becomes));
        }
        Next::Go(used)
    }

    /// Decides how the body ends (RFC 9112 6.3).
    pub(super) fn begin_body(&mut self, dir: Dir, cx: &mut Cx<'_>) {
        let d = dir.index();
        let bodiless = self.bodiless(d);
        let side = &mut self.sides[d];
        let m = &mut side.message;
        let framing = m.framing;
        side.state = match framing.length {
            _ if bodiless => State::Start,
            _ if framing.chunked => State::ChunkSize,
            Some(0) if !framing.transfer => State::Start,
            Some(n) if !framing.transfer && m.keeps() => State::Body(n),
            Some(n) if !framing.transfer => State::Skip(n),
            // Without a length an answer ends with the connection, a request at once.
            _ if m.code == 0 => State::Start,
            _ => State::UntilClose { asked: false },
        };
        if side.state == State::Start {
            self.finish(dir, cx);
        }
    }

    /// Bytes of a body that was not skipped.
    fn take_body(&mut self, d: usize, bytes: &[u8], cx: &mut Cx<'_>) {
        let m = &mut self.sides[d].message;
        m.count(bytes.len() as u64);
        if m.keeps() {
            m.body.push(bytes, self.setup.own.max_message_size, cx.budget, cx.counters);
        }
    }

    /// Bytes were lost outside of a skip, or beyond its end.
    pub(super) fn lost(&mut self, dir: Dir, lost: u64, cx: &mut Cx<'_>) -> Then {
        let d = dir.index();
        let request = self.client == Some(dir);
        let note = if request { Notes::REQUEST_LOSS } else { Notes::RESPONSE_LOSS };
        let side = &mut self.sides[d];
        side.searched = 0;
        if lost == 0 {
            return Then::Need(1);
        }
        let m = &mut side.message;
        // Where a body goes on behind the hole, it is clear what else was lost: nothing.
        let left = match side.state {
            State::Body(n) | State::Chunk(n) => n,
            State::Expecting { .. } => m.framing.length.filter(|_| !m.framing.chunked).unwrap_or(0),
            State::UntilClose { .. } => u64::MAX,
            _ => 0,
        };
        if lost <= left {
            m.notes.add(note);
            m.body.cut = true;
            m.count(lost);
            let rest = left - lost;
            match side.state {
                State::UntilClose { .. } => {}
                State::Chunk(_) => side.state = if rest == 0 { State::ChunkEnd } else { State::Chunk(rest) },
                _ if rest == 0 => self.finish(dir, cx),
                _ => {
                    m.count(rest);
                    side.state = State::Skipping;
                    return Then::Skip(rest);
                }
            }
            return Then::Need(1);
        }
        let open = match side.state {
            State::ChunkSize | State::Chunk(_) | State::SkippingChunk | State::ChunkEnd | State::Trailer => {
                m.notes.add(note);
                m.body.cut = true;
                m.count(lost);
                true
            }
            State::Lost { open, .. } => open,
            State::Start | State::Held | State::Head => false,
            _ => {
                // The rest of the body, and more, is in the hole.
                m.notes.add(note);
                m.body.cut = true;
                m.count(left);
                self.finish(dir, cx);
                false
            }
        };
        self.gap |= !request;
        self.sides[d].state = State::Lost { open, stuck: false };
        Then::Need(1)
    }

    /// One side has ended: what it was in is complete, or stays as it is.
    pub(super) fn ended(&mut self, dir: Dir, cx: &mut Cx<'_>) {
        let d = dir.index();
        let side = &mut self.sides[d];
        let cut = match side.state {
            State::Start | State::Held | State::Head | State::Lost { open: false, .. } => return,
            State::UntilClose { .. } | State::Expecting { answered: true } | State::Lost { open: true, .. } => false,
            _ => true,
        };
        if cut {
            let request = side.message.code == 0;
            side.message.notes.add(if request { Notes::REQUEST_CUT } else { Notes::RESPONSE_CUT });
            side.message.body.cut = true;
        }
        if side.message.open {
            self.finish(dir, cx);
        }
        self.sides[d].state = State::Start;
    }

    /// The protocol that an `Upgrade` header names (RFC 9110 7.8), where it is one of ours.
    pub(super) fn upgrade(value: &[u8]) -> Option<&'static str> {
        let is = |name: &str| value.split(|b| *b == b',').any(|w| w.trim_ascii().eq_ignore_ascii_case(name.as_bytes()));
        let name = if is("h2c") { "http2" } else if is("websocket") { "websocket" } else { return None };
        by_name(name).map(|p| p.spec.name)
    }
}
