//! Redis: RESP2, RESP3 and inline commands ("Redis serialization protocol specification" and the pages on pipelining,
//! transactions and Pub/Sub, redis.io). [`codec`] reads the bytes.
//!
//! Every array of strings from the client is a command, known or not; answers come in the order of the commands.
//! What breaks that order is followed:
//!
//! * `SUBSCRIBE` and its kin are answered once for each channel: one event, with all answers one after the other.
//! * Published messages, invalidations and the lines of `MONITOR` answer nothing. Each is an event of its own with
//!   `redis.push`, its kind as `method` (`MESSAGE`, `INVALIDATE`, `MONITOR` …), the channel as `resource` and no start.
//! * After `CLIENT REPLY OFF` or `SKIP` commands have no answer: they are told at once, with status OK.
//! * Blocking commands wait as long as they like; nothing behind one of them is late before it is answered.
//! * A command whose wait was given up still has an answer to come, which is not taken for the next one's.
//! * `MULTI`, the commands queued behind it (answered `QUEUED`) and `EXEC` or `DISCARD` are events of their own with the
//!   same `redis.transaction`. The answer to `EXEC` holds all results; if an error is among them, it is an error.
//! * `PSYNC` and `SYNC` end it: what follows is a replica's snapshot and its master's commands, which are not decoded.
//!
//! After lost bytes each side looks for its next message. Whose answer is whose is not sure then before nothing waits
//! any more; events until then say so.
//!
//! `event.end` is the last byte of the answer.

mod codec;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr, memmem};
use wirebeat_model::config::Section;
use wirebeat_model::{Class, Dir, Entries, Field, Kind, Time, Transport, ecs, fields};

use self::codec::{Found, Guard, MAX_INLINE, Place, Reader, Shown, Space, Token, Verb};
use crate::pending::Waiting;
use crate::{Cx, Options, Parser, Pending, Protocol, Setup, Spec, Step, Then, Transaction};

/// What is known of Redis before any traffic.
pub static SPEC: Spec = Spec {
    name: "redis",
    transports: &[Transport::TCP],
    ports: &[6379],
    fields: FIELDS,
    guess: codec::guess,
    event_type: Spec::PROTOCOL,
    // Only inline commands are held back, with what comes in one go behind them.
    max_held: MAX_INLINE + 192 * 1024,
    expects: false,
};

fields! {
    FIELDS:
    RETURN_VALUE = Field::new("redis.return_value", Kind::Keyword, "What was answered, lists as [a, b], maps as {k: v}, null as nil; of a push, what it says.").class(Class::Payload);
    ERROR = Field::new("redis.error", Kind::Keyword, "The error that was answered; of EXEC, the first one among its results.");
    ATTRIBUTES = Field::new("redis.attributes", Kind::Keyword, "RESP3 attributes said before the answer.").class(Class::Payload);
    TRANSACTION = Field::new("redis.transaction", Kind::Long, "MULTI, what was queued behind it, and EXEC or DISCARD: the number of their transaction within the connection.");
    PUSH = Field::new("redis.push", Kind::Boolean, "True of what the server says unasked: a published message, an invalidation, a line of MONITOR.");
}

/// Options of Redis.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    queue_bytes: usize,
    queue_messages: usize,
    value_size: usize,
}

impl Options for RedisOptions {
    fn read(section: &mut Section<'_>) -> Self {
        // Packetbeat's 0: no limit but the shard's memory.
        let unlimited = |n: usize| if n == 0 { usize::MAX } else { n };
        let bytes = section.bytes(
            "queue_max_bytes",
            1 << 20,
            "The most that commands of one connection may take up while they wait for their answers; 0: no limit.",
        );
        let messages = section.int(
            "queue_max_messages",
            20_000,
            0..=i64::from(i32::MAX),
            "How many commands of one connection may wait for their answers; 0: no limit.",
        );
        let value = section.bytes(
            "max_value_size",
            4096,
            "The most of a command or an answer that goes into an event; what is longer is cut (at most 1MB).",
        );
        Self {
            queue_bytes: unlimited(bytes),
            queue_messages: unlimited(usize::try_from(messages).unwrap_or(0)),
            value_size: value.clamp(16, 1 << 20),
        }
    }
}

const MASK: &[u8] = b"xxxxx";

mod note {
    pub(super) const UNMATCHED_REQUEST: &str = "Unmatched request";
    pub(super) const UNMATCHED_RESPONSE: &str = "Unmatched response";
    pub(super) const REQUEST_LOSS: &str = "Packet loss while capturing the request";
    pub(super) const RESPONSE_LOSS: &str = "Packet loss while capturing the response";
    pub(super) const REQUEST_CUT: &str = "Connection closed before the request was complete";
    pub(super) const RESPONSE_CUT: &str = "Connection closed before the response was complete";
}

/// Text of a message, up to a limit.
#[derive(Debug, Default)]
struct Kept {
    text: Vec<u8>,
    /// Where the current message begins; before it stand earlier answers to the same command.
    base: usize,
    /// Bytes that were not kept.
    cut: u64,
}

impl Kept {
    fn full(&self) -> bool {
        self.cut > 0
    }

    #[inline]
    fn push(&mut self, bytes: &[u8], limit: usize) {
        let room = if self.cut > 0 { 0 } else { limit.saturating_sub(self.text.len() - self.base) };
        if bytes.len() <= room {
            self.text.extend_from_slice(bytes);
        } else {
            self.text.extend_from_slice(&bytes[..room]);
            self.cut += (bytes.len() - room) as u64;
        }
    }

    /// Puts the mask in place of what stands from `at` on.
    fn mask(&mut self, at: usize) {
        self.text.truncate(at);
        self.text.extend_from_slice(MASK);
    }

    /// Marks that something is missing.
    fn mark(&mut self, cx: &mut Cx<'_>) {
        if self.cut > 0 {
            // Not in the middle of a character.
            let tail =
                self.text[self.base..].iter().rev().take(3).take_while(|b| **b & 0xc0 == 0x80).count() + 1;
            let lead = self.text.len().saturating_sub(tail).max(self.base);
            if self.text.get(lead).is_some_and(|b| *b >= 0xc0 && b.leading_ones() as usize > tail) {
                self.cut += (self.text.len() - lead) as u64;
                self.text.truncate(lead);
            }
            let _ = write!(self.text, "… (+{} bytes)", self.cut);
            cx.counters.bodies_cut += 1;
            self.cut = 0;
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        (self.base, self.cut) = (0, 0);
    }
}

/// The message that one side is saying.
#[derive(Debug, Default)]
struct Message {
    reader: Reader,
    /// Whether its first byte was seen.
    begun: bool,
    start: Time,
    wire: u64,
    kept: Kept,
    /// Where the current element begins in the text, and its first bytes whether kept or not.
    element: usize,
    small: Small,
    /// Elements 0, 1 and 2 of the outermost list.
    spans: [Range<usize>; 3],
    /// Bytes of it were lost.
    loss: bool,
    /// Bytes before it were lost, or made no sense: its beginning is looked for.
    lost: bool,
    /// Bytes that made no sense.
    garbage: u64,
}

impl Message {
    fn begin(&mut self, now: Time) {
        if !self.begun {
            (self.begun, self.start, self.wire) = (true, now, 0);
        }
    }

    /// It is told, or given up.
    fn over(&mut self) {
        self.reader.reset();
        (self.begun, self.loss) = (false, false);
        self.spans = Default::default();
        self.small = Small::default();
    }

    fn span(&self, n: usize) -> &[u8] {
        self.kept.text.get(self.spans[n].clone()).unwrap_or_default()
    }

    fn reset(&mut self) {
        self.over();
        self.kept.clear();
        self.kept.text.shrink_to(16 * 1024);
        (self.lost, self.garbage) = (false, 0);
    }
}

/// The first bytes of an element.
#[derive(Clone, Copy, Debug, Default)]
struct Small {
    bytes: [u8; 24],
    len: u8,
}

impl Small {
    fn push(&mut self, piece: &[u8]) {
        let at = usize::from(self.len);
        let n = piece.len().min(self.bytes.len() - at);
        self.bytes[at..at + n].copy_from_slice(&piece[..n]);
        self.len += n as u8;
    }

    fn get(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    fn number(&self) -> Option<u64> {
        std::str::from_utf8(self.get()).ok()?.parse().ok()
    }
}

/// What of an answer may not be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Secret {
    #[default]
    Nothing,
    /// All of it: ACL GENPASS.
    All,
    /// Values of settings that are secrets: CONFIG GET.
    Settings,
    /// Hashes of passwords: ACL GETUSER, ACL LIST.
    Hashes,
    /// Words of other commands: SLOWLOG GET.
    Commands,
}

/// What a command that waits is remembered by.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    verb: Verb,
    secret: Secret,
    /// Answers to come (SUBSCRIBE); 0: as many as there are subscriptions.
    answers: u64,
    /// It waits for something to happen.
    blocks: bool,
    /// A word of it was masked.
    masked: bool,
    /// What was lost of it or before it.
    loss: Option<&'static str>,
}

/// Which commands are answered (CLIENT REPLY).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Replies {
    #[default]
    On,
    Off,
    SkipNext,
}

/// The command that the client is saying.
#[derive(Debug, Default)]
struct Command {
    verb: Verb,
    guard: Guard,
    words: u64,
    user: Range<usize>,
    masked: bool,
    /// XREAD … BLOCK.
    blocks: bool,
    /// The word that is not all there yet.
    unfinished: Option<u64>,
    /// How far the end of an inline command was searched.
    searched: usize,
}

/// The answer that the server is saying.
#[derive(Debug, Default)]
struct Answer {
    /// Its type byte.
    kind: u8,
    secret: Secret,
    /// Its first element, if it is a list.
    word: Small,
    /// The last number in it.
    number: u64,
    /// In an attribute inside it, which is not shown: how deep.
    muted: Option<usize>,
    /// The first error in it.
    error: Option<Range<usize>>,
    attributes: Vec<u8>,
    /// CONFIG GET: the next value is a secret.
    hide: bool,
    /// SLOWLOG GET: the command that is listed.
    guard: Guard,
}

/// The parser of one connection.
pub struct Redis {
    setup: Arc<Setup<RedisOptions>>,
    /// The direction in which commands go, once one message was seen.
    client: Option<Dir>,
    /// Whether an answer found its command, so that the direction is right.
    sure: bool,
    ask: Message,
    command: Command,
    tell: Message,
    answer: Answer,
    pending: Pending<(), Asked>,
    /// Commands that were given up and still have an answer to come, before those of `pending`.
    owed: u64,
    /// When the last blocking command was answered: those behind it did not wait for the server until then.
    free: Time,
    replies: Replies,
    /// SUBSCRIBE and its kin: answers had, and to have.
    confirmed: [u64; 2],
    /// Subscriptions to channels, patterns and shard channels.
    subscriptions: [u64; 3],
    monitor: bool,
    /// Transactions begun; whether one is open, and whether its results hold secrets.
    transactions: u64,
    open: bool,
    secret: bool,
    /// What happened so that it is not sure whose answer is whose.
    unsure: Option<&'static str>,
    /// Bytes borrowed for what is kept of unfinished messages.
    borrowed: usize,
    scratch: Vec<u8>,
}

impl Protocol for Redis {
    type Options = RedisOptions;

    fn new(setup: Arc<Setup<RedisOptions>>) -> Self {
        let pending = Pending::with_limits(setup.own.queue_messages, setup.own.queue_bytes);
        Self {
            setup,
            client: None,
            sure: false,
            ask: Message::default(),
            command: Command::default(),
            tell: Message::default(),
            answer: Answer::default(),
            pending,
            owed: 0,
            free: Time::default(),
            replies: Replies::On,
            confirmed: [0; 2],
            subscriptions: [0; 3],
            monitor: false,
            transactions: 0,
            open: false,
            secret: false,
            unsure: None,
            borrowed: 0,
            scratch: Vec::new(),
        }
    }
}

impl Parser for Redis {
    fn data(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> Step {
        let step =
            if self.is_client(dir, bytes, cx) { self.commands(bytes, cx) } else { self.answers(bytes, cx) };
        self.settle(cx);
        step
    }

    fn gap(&mut self, dir: Dir, _: u64, skipped: bool, cx: &mut Cx<'_>) -> Then {
        let asks = match self.client {
            Some(client) => client == dir,
            None => return Then::Need(1),
        };
        if skipped {
            if asks {
                self.ask.loss = true
            } else {
                self.tell.loss = true
            }
            return Then::Need(1);
        }
        self.unsure = Some(if asks { note::REQUEST_LOSS } else { note::RESPONSE_LOSS });
        if asks {
            // What was half said is lost, its answer will come alone.
            cx.counters.unparsed += u64::from(self.ask.begun);
            self.ask.over();
            self.ask.kept.clear();
            self.command = Command::default();
            self.ask.lost = true;
        } else {
            self.tell.loss = true;
            match self.answer.kind {
                0 => {}
                b'>' => _ = self.push(cx),
                b'+' if self.monitor => cx.counters.unparsed += 1,
                _ => self.publish_answer(&[], cx),
            }
            while let Some(w) = self.pending.pop() {
                self.unanswered(w, &[note::UNMATCHED_REQUEST, note::RESPONSE_LOSS], cx);
            }
            (self.owed, self.confirmed) = (0, [0; 2]);
            self.tell.over();
            self.tell.kept.clear();
            self.tell.lost = true;
        }
        self.settle(cx);
        Then::Need(1)
    }

    fn cut(&mut self, dir: Dir, missing: u64) {
        let message = if self.client == Some(dir) { &mut self.ask } else { &mut self.tell };
        message.wire = message.wire.saturating_sub(missing);
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        match self.answer.kind {
            0 => {}
            b'>' => cx.counters.unparsed += 1,
            b'+' if self.monitor => cx.counters.unparsed += 1,
            _ => self.publish_answer(&[note::RESPONSE_CUT], cx),
        }
        if let Some(index) = self.command.unfinished {
            // It may be a secret.
            self.word(index, b"", false, true, cx);
        }
        if self.ask.begun && !self.ask.spans[0].is_empty() {
            self.asked(Some(note::REQUEST_CUT), cx);
        } else {
            cx.counters.unparsed += u64::from(self.ask.begun);
        }
        while let Some(w) = self.pending.pop() {
            self.unanswered(w, &[note::UNMATCHED_REQUEST], cx);
        }
        self.ask.kept.clear();
        self.tell.kept.clear();
        self.answer.attributes.clear();
        self.settle(cx);
    }

    fn expire(&mut self, cx: &mut Cx<'_>) {
        while let Some(front) = self.pending.front() {
            // Behind a command that blocks nothing is late; its answer wakes us again.
            if front.more.blocks {
                return;
            }
            let deadline = front.start.max(self.free) + cx.common.transaction_timeout;
            if deadline > cx.clock {
                cx.wake_at(deadline);
                return;
            }
            if let Some(w) = self.pending.pop() {
                self.owed += 1;
                self.unanswered(w, &[note::UNMATCHED_REQUEST], cx);
            }
        }
    }

    fn reset(&mut self) {
        self.pending.reset();
        self.ask.reset();
        self.tell.reset();
        self.command = Command::default();
        let mut attributes = std::mem::take(&mut self.answer.attributes);
        attributes.clear();
        attributes.shrink_to(16 * 1024);
        self.answer = Answer { attributes, ..Answer::default() };
        self.scratch.clear();
        self.scratch.shrink_to(16 * 1024);
        (self.client, self.sure, self.owed, self.free) = (None, false, 0, Time::default());
        (self.replies, self.confirmed, self.subscriptions) = (Replies::On, [0; 2], [0; 3]);
        (self.monitor, self.transactions, self.open, self.secret, self.unsure) =
            (false, 0, false, false, None);
    }
}

/// Goes on or stops.
enum Next {
    Go(usize),
    Stop(usize, Then),
}

impl Redis {
    /// Whether this side is the client: who began, unless what is said contradicts it.
    fn is_client(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> bool {
        let answers = bytes.first().is_some_and(|b| codec::only_answers(*b));
        match self.client {
            // What looked like a command was an answer, a list of strings.
            Some(client) if client == dir && answers && !self.sure && !self.ask.begun && !self.ask.lost => {
                while let Some(w) = self.pending.pop() {
                    self.unanswered(w, &[note::UNMATCHED_REQUEST], cx);
                }
                self.client = Some(dir.flip());
            }
            Some(_) => {}
            None if bytes.is_empty() => return true,
            None if answers => self.client = Some(dir.flip()),
            None if cx.flow.source_known => self.client = Some(cx.flow.source),
            None => self.client = Some(dir),
        }
        self.client == Some(dir)
    }

    /// Borrows what unfinished messages keep; without memory for it, less is kept.
    fn settle(&mut self, cx: &mut Cx<'_>) {
        let held = self.ask.kept.text.len() + self.tell.kept.text.len() + self.answer.attributes.len();
        if held <= self.borrowed {
            cx.budget.give(self.borrowed - held);
        } else if !cx.budget.take(held - self.borrowed) {
            for kept in [&mut self.ask.kept, &mut self.tell.kept] {
                kept.cut += kept.text.len() as u64;
                kept.text.clear();
                kept.base = 0;
            }
            self.answer.attributes.clear();
            cx.budget.give(self.borrowed);
            self.borrowed = 0;
            return;
        }
        self.borrowed = held;
    }

    fn commands(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> Step {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let next = if self.ask.reader.inside() {
                self.array(rest, cx)
            } else if self.ask.lost {
                match codec::find_command(rest) {
                    Found::At(n) => {
                        self.ask.lost = false;
                        Next::Go(n)
                    }
                    Found::Drop(n) => self.drop_garbage(true, n, rest.len()),
                }
            } else {
                match rest.first() {
                    None => Next::Stop(0, Then::Need(1)),
                    Some(b'*') => {
                        self.ask.begin(cx.now);
                        self.array(rest, cx)
                    }
                    Some(_) => {
                        self.ask.begin(cx.now);
                        self.inline(rest, cx)
                    }
                }
            };
            match next {
                Next::Go(n) => at += n,
                Next::Stop(n, then) => return Step { used: at + n, then },
            }
        }
    }

    /// Forgets `n` bytes in which no message begins. A flow in which nothing ever made sense is given up.
    fn drop_garbage(&mut self, asks: bool, n: usize, of: usize) -> Next {
        const ENOUGH: u64 = 256 * 1024;
        let message = if asks { &mut self.ask } else { &mut self.tell };
        message.garbage += n as u64;
        if message.garbage > ENOUGH && !self.sure {
            return Next::Stop(n, Then::Lost);
        }
        Next::Stop(n, Then::Need(of - n + 1))
    }

    /// What a side says makes no sense: its next message is looked for.
    fn nonsense(&mut self, asks: bool, shown: usize, cx: &mut Cx<'_>) -> Next {
        cx.counters.unparsed += 1;
        self.unsure = Some(if asks { note::REQUEST_LOSS } else { note::RESPONSE_LOSS });
        let message = if asks { &mut self.ask } else { &mut self.tell };
        message.over();
        message.kept.clear();
        message.lost = true;
        if asks {
            self.command = Command::default();
        } else {
            (self.confirmed, self.answer.kind) = ([0; 2], 0);
            self.answer.attributes.clear();
        }
        // One byte further, or the same would be found again.
        if shown > 0 { Next::Go(1) } else { Next::Stop(0, Then::Need(1)) }
    }

    /// A command as an array of strings (RESP: sending commands to a Redis server).
    fn array(&mut self, rest: &[u8], cx: &mut Cx<'_>) -> Next {
        let (used, token) = self.ask.reader.next(rest);
        self.ask.wire += used as u64;
        match token {
            Token::Short(n) => return Next::Stop(used, Then::Need(n)),
            Token::Open { kind: b'*', count: Some(words), place: Place { depth: 0, .. } } => {
                self.command = Command { words, ..Command::default() };
            }
            Token::Text { kind: b'$', piece, first, last, place: Place { depth: 1, index, .. } } => {
                self.word(index, piece, first, last, cx);
                if !last
                    && self.ask.kept.full()
                    && let Some(n) = self.ask.reader.skip()
                {
                    self.ask.wire += n;
                    self.ask.kept.cut += n - 2;
                    return Next::Stop(used, Then::Skip(n));
                }
            }
            // Nothing is asked by it, and nothing answered.
            Token::Nil(Place { depth: 0, .. }) => {}
            Token::Close { .. } => self.asked(None, cx),
            _ => return self.nonsense(true, rest.len(), cx),
        }
        if self.ask.reader.complete() {
            self.ask.over();
            self.ask.kept.clear();
            self.command = Command::default();
        }
        Next::Go(used)
    }

    /// A command as people type it (RESP: inline commands).
    fn inline(&mut self, rest: &[u8], cx: &mut Cx<'_>) -> Next {
        let from = self.command.searched.min(rest.len());
        let Some(end) = memchr(b'\n', &rest[from..]) else {
            if rest.len() > MAX_INLINE {
                return self.nonsense(true, rest.len(), cx);
            }
            self.command.searched = rest.len();
            return Next::Stop(0, Then::Need(rest.len() + 1));
        };
        let end = from + end;
        self.command.searched = 0;
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        if line.iter().all(|b| matches!(b, b' ' | b'\t')) {
            self.ask.over();
            return Next::Go(end + 1);
        }
        if !codec::plausible_inline(line) {
            return self.nonsense(true, rest.len(), cx);
        }
        self.ask.wire += end as u64 + 1;
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut words = 0;
        codec::split(line, &mut scratch, |_| words += 1);
        self.command = Command { words, ..Command::default() };
        let mut index = 0;
        codec::split(line, &mut scratch, |word| {
            self.word(index, word, true, true, cx);
            index += 1;
        });
        scratch.clear();
        self.scratch = scratch;
        self.asked(None, cx);
        self.ask.over();
        self.ask.kept.clear();
        self.command = Command::default();
        Next::Go(end + 1)
    }

    /// A piece of a word of the command.
    #[inline]
    fn word(&mut self, index: u64, piece: &[u8], first: bool, last: bool, cx: &mut Cx<'_>) {
        let limit = self.setup.own.value_size;
        let m = &mut self.ask;
        if first {
            if index > 0 {
                m.kept.push(b" ", limit);
            }
            m.element = m.kept.text.len();
        }
        m.kept.push(piece, limit);
        let c = &mut self.command;
        c.unfinished = (!last).then_some(index);
        if !last {
            return;
        }
        let element = m.element.min(m.kept.text.len());
        let said = &m.kept.text[element..];
        if index == 0 {
            c.verb = Verb::of(said);
            c.guard = Guard::new(c.verb, c.words);
            c.blocks = c.verb == Verb::Blocks;
        } else if c.verb == Verb::Read {
            c.blocks |= said.eq_ignore_ascii_case(b"BLOCK");
        } else if c.guard.active() {
            match c.guard.word(index, said) {
                Shown::All => {}
                Shown::User => c.user = element..m.kept.text.len(),
                Shown::First(n) => {
                    if !said.is_empty() {
                        m.kept.mask((element + n).min(m.kept.text.len()));
                    }
                    c.masked = true;
                    cx.counters.redacted += 1;
                }
            }
        }
        if let Some(span) = usize::try_from(index).ok().and_then(|i| m.spans.get_mut(i)) {
            *span = element..m.kept.text.len();
        }
    }

    /// A command is complete, or cut short by the end.
    fn asked(&mut self, cut: Option<&'static str>, cx: &mut Cx<'_>) {
        let (m, c) = (&mut self.ask, &self.command);
        if c.words == 0 {
            return;
        }
        m.kept.mark(cx);
        let m = &self.ask;
        let text = &m.kept.text[..];
        let (verb, second) = (m.span(0), m.span(1));
        let named = second.len() <= 20 && second.iter().all(|b| b.is_ascii_alphabetic() || *b == b'-');
        let double = !second.is_empty() && named && codec::has_subcommands(verb);
        let name = if double { text.get(m.spans[0].start..m.spans[1].end).unwrap_or(verb) } else { verb };
        let name = &name[..name.len().min(64)];
        let mut f = self.pending.entries();
        f.put_with(&ecs::METHOD, |out| out.extend(name.iter().map(u8::to_ascii_uppercase)));
        f.put_with(&ecs::EVENT_ACTION, |out| {
            out.extend_from_slice(b"redis.");
            out.extend(name.iter().map(u8::to_ascii_lowercase));
        });
        let resource = m.span(if double { 2 } else { 1 });
        if !resource.is_empty() {
            f.put_text(&ecs::RESOURCE, resource);
        }
        f.put_text(&ecs::QUERY, text);
        if cx.common.send_request {
            f.put_text(&ecs::REQUEST, text);
        }
        if let Some(user) = text.get(c.user.clone()).filter(|u| !u.is_empty()) {
            f.put_text(&ecs::USER_NAME, user);
            f.put_array(&ecs::RELATED_USER, |a| a.push_text(user));
        }
        let is = |word: &str| second.eq_ignore_ascii_case(word.as_bytes());
        let asked = Asked {
            verb: c.verb,
            secret: match c.verb {
                Verb::Acl if is("GENPASS") => Secret::All,
                Verb::Acl if is("GETUSER") || is("LIST") => Secret::Hashes,
                Verb::Config if is("GET") => Secret::Settings,
                Verb::Sentinel => Secret::Settings,
                Verb::Slowlog if is("GET") => Secret::Commands,
                _ => Secret::Nothing,
            },
            answers: c.words - 1,
            blocks: c.blocks,
            masked: c.masked,
            loss: if m.loss { Some(note::REQUEST_LOSS) } else { self.unsure },
        };
        let silent = self.is_silent();
        let (start, wire, loss) = (self.ask.start, self.ask.wire, self.ask.loss);
        if silent && cut.is_none() {
            let mut t = Transaction::new(self.client.unwrap_or(Dir::AtoB));
            (t.start, t.bytes[0]) = (Some(start), Some(wire));
            t.notes = if loss { &[note::REQUEST_LOSS] } else { &[] };
            cx.emit(&t, |e| e.append(&f));
            return self.pending.unused(f);
        }
        while let Some(w) = self.pending.crowded(&f, cx) {
            self.owed += 1;
            self.unanswered(w, &[note::UNMATCHED_REQUEST], cx);
        }
        if let Some(w) = self.pending.push((), start, wire, f, asked, cx) {
            self.owed += 1;
            self.unanswered(w, &[note::UNMATCHED_REQUEST], cx);
        }
        if let Some(note) = cut {
            // Nothing can come behind it: it is told after those before it.
            while let Some(w) = self.pending.pop() {
                let notes = [note::UNMATCHED_REQUEST, note];
                let n = if self.pending.is_empty() { 2 } else { 1 };
                self.unanswered(w, &notes[..n], cx);
            }
        }
    }

    /// Follows CLIENT REPLY; answers whether this command has no answer.
    fn is_silent(&mut self) -> bool {
        let (m, verb) = (&self.ask, self.command.verb);
        if verb == Verb::Reset {
            self.replies = Replies::On;
        } else if verb == Verb::Client && m.span(1).eq_ignore_ascii_case(b"REPLY") && self.command.words == 3
        {
            let what = m.span(2);
            if what.eq_ignore_ascii_case(b"ON") {
                self.replies = Replies::On;
            } else if what.eq_ignore_ascii_case(b"OFF") {
                self.replies = Replies::Off;
                return true;
            } else if what.eq_ignore_ascii_case(b"SKIP") {
                if self.replies != Replies::Off {
                    self.replies = Replies::SkipNext;
                }
                return true;
            }
        }
        match self.replies {
            Replies::On => false,
            Replies::Off => true,
            Replies::SkipNext => {
                self.replies = Replies::On;
                true
            }
        }
    }

    fn answers(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> Step {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let next = if self.answer.kind != 0 {
                self.piece(rest, cx)
            } else if self.tell.lost {
                // Without a command that waits since then, no answer could be told from another.
                match if self.pending.is_empty() { Found::Drop(rest.len()) } else { codec::find_answer(rest) }
                {
                    Found::At(n) => {
                        self.tell.lost = false;
                        Next::Go(n)
                    }
                    Found::Drop(n) => self.drop_garbage(false, n, rest.len()),
                }
            } else {
                match rest.first() {
                    None => Next::Stop(0, Then::Need(1)),
                    // While a master makes its snapshot it sends empty lines to keep the connection.
                    Some(b'\n') => Next::Go(1),
                    Some(first) => {
                        self.tell.begin(cx.now);
                        if let (b'$', Some(Verb::Sync)) = (first, self.pending.front().map(|w| w.more.verb)) {
                            self.answer.kind = b'$';
                            self.told(cx);
                            return Step { used: bytes.len(), then: Then::Enough };
                        }
                        self.begin_answer(*first);
                        self.piece(rest, cx)
                    }
                }
            };
            match next {
                Next::Go(n) => at += n,
                Next::Stop(n, then) => return Step { used: at + n, then },
            }
        }
    }

    fn begin_answer(&mut self, kind: u8) {
        let secret = match self.pending.front() {
            _ if self.owed > 0 => Secret::Nothing,
            Some(w) => w.more.secret,
            None => Secret::Nothing,
        };
        let a = &mut self.answer;
        (a.kind, a.secret, a.number, a.muted, a.error, a.hide) = (kind, secret, 0, None, None, false);
        a.word = Small::default();
        let kept = &mut self.tell.kept;
        if !kept.text.is_empty() && kept.cut == 0 {
            kept.text.extend_from_slice(b", ");
        }
        kept.base = kept.text.len();
    }

    /// A piece of an answer.
    fn piece(&mut self, rest: &[u8], cx: &mut Cx<'_>) -> Next {
        let limit = self.setup.own.value_size;
        let (m, a) = (&mut self.tell, &mut self.answer);
        let (used, token) = m.reader.next(rest);
        m.wire += used as u64;
        let shown = a.muted.is_none();
        match token {
            Token::Short(n) => return Next::Stop(used, Then::Need(n)),
            Token::Wrong => return self.nonsense(false, rest.len(), cx),
            Token::Open { kind, count, place } => {
                if place.depth == 0 {
                    a.kind = kind;
                }
                if kind == b'|' && place.depth > 0 && shown {
                    a.muted = Some(place.depth);
                } else if shown {
                    m.kept.push(place.separator(), limit);
                    m.kept.push(if matches!(kind, b'%' | b'|') { b"{" } else { b"[" }, limit);
                }
                if a.secret == Secret::Commands && place.depth == 2 {
                    a.guard = Guard::new(Verb::Plain, count.unwrap_or(u64::MAX));
                }
            }
            Token::Close { kind, depth } => {
                if shown {
                    m.kept.push(if matches!(kind, b'%' | b'|') { b"}" } else { b"]" }, limit);
                }
                if kind == b'|' && a.muted == Some(depth) {
                    a.muted = None;
                } else if kind == b'|' && depth == 0 {
                    // What follows is the answer itself.
                    m.kept.mark(cx);
                    let base = m.kept.base.min(m.kept.text.len());
                    a.attributes.clear();
                    a.attributes.extend_from_slice(&m.kept.text[base..]);
                    m.kept.text.truncate(base);
                }
            }
            Token::Nil(place) => {
                if place.depth == 0 {
                    a.kind = b'$';
                }
                if shown {
                    m.kept.push(place.separator(), limit);
                    m.kept.push(b"nil", limit);
                }
            }
            Token::Text { kind, piece, first, last, place } => {
                if first && place.depth == 0 {
                    a.kind = kind;
                }
                if first {
                    m.small = Small::default();
                    if shown {
                        m.kept.push(place.separator(), limit);
                        m.element = m.kept.text.len();
                    }
                }
                m.small.push(piece);
                if shown && !matches!(kind, b'_' | b'#') {
                    m.kept.push(piece, limit);
                }
                if last {
                    self.element(kind, place, shown, cx);
                } else if (m.kept.full() || !shown)
                    && let Some(n) = m.reader.skip()
                {
                    m.wire += n;
                    if shown {
                        m.kept.cut += n - 2;
                    }
                    return Next::Stop(used, Then::Skip(n));
                }
            }
        }
        if self.tell.reader.complete()
            && let Some(then) = self.told(cx)
        {
            return Next::Stop(used, then);
        }
        Next::Go(used)
    }

    /// An element of an answer that is no list is complete.
    fn element(&mut self, kind: u8, place: Place, shown: bool, cx: &mut Cx<'_>) {
        let limit = self.setup.own.value_size;
        let (m, a) = (&mut self.tell, &mut self.answer);
        if shown {
            match kind {
                b'_' => m.kept.push(b"nil", limit),
                b'#' => m.kept.push(if m.small.get() == b"t" { b"true" } else { b"false" }, limit),
                _ => {}
            }
        }
        let element = m.element.min(m.kept.text.len());
        if a.secret != Secret::Nothing && shown && place.depth > 0 {
            Self::censor(m, a, element, place, cx);
        }
        if matches!(kind, b'-' | b'!') && a.error.is_none() && shown {
            a.error = Some(element..m.kept.text.len());
        }
        if kind == b':' {
            a.number = m.small.number().unwrap_or(a.number);
        }
        if place.depth == 1 && place.within != b'|' {
            if place.index == 0 {
                a.word = m.small;
            }
            if let Some(span) = usize::try_from(place.index).ok().and_then(|i| m.spans.get_mut(i)) {
                *span = element..m.kept.text.len();
            }
        }
    }

    /// Masks an element of an answer that holds a secret.
    fn censor(m: &mut Message, a: &mut Answer, element: usize, place: Place, cx: &mut Cx<'_>) {
        let text = &m.kept.text[element..];
        match a.secret {
            Secret::Settings if place.index % 2 == 1 => {
                if std::mem::take(&mut a.hide) && !text.is_empty() {
                    m.kept.mask(element);
                    cx.counters.redacted += 1;
                }
            }
            Secret::Settings => a.hide = codec::names_secret(text),
            Secret::Hashes => {
                while let Some(hash) = codec::password_hash(&m.kept.text[element..]) {
                    m.kept.text.splice(element + hash.start..element + hash.end, MASK.iter().copied());
                    cx.counters.redacted += 1;
                }
            }
            Secret::Commands if place.depth == 3 => {
                if place.index == 0 {
                    a.guard = a.guard.with(Verb::of(text));
                } else if let Shown::First(n) = a.guard.word(place.index, text) {
                    m.kept.mask((element + n).min(m.kept.text.len()));
                    cx.counters.redacted += 1;
                }
            }
            Secret::Commands | Secret::All | Secret::Nothing => {}
        }
    }

    /// A message of the server is complete, or cut short by lost bytes.
    fn told(&mut self, cx: &mut Cx<'_>) -> Option<Then> {
        let front = self.pending.front().filter(|_| self.owed == 0).map(|w| w.more);
        let (kind, word) = (self.answer.kind, self.answer.word);
        if matches!(kind, b'*' | b'>') {
            if let Some(verb) = codec::confirmation(word.get()) {
                if front.is_some_and(|f| f.verb == verb) {
                    return self.confirm(verb, front.map_or(1, |f| f.answers), cx);
                }
                if kind == b'>' || front.is_none() {
                    self.count(verb);
                    return self.push(cx);
                }
            }
            let waits = front.is_some_and(|f| !matches!(f.verb, Verb::Subscribe(_)));
            let subscribed = self.subscriptions.iter().any(|n| *n > 0);
            if kind == b'>' || (codec::is_message(word.get()) && (subscribed || !waits)) {
                return self.push(cx);
            }
        }
        if kind == b'+' && (self.monitor || front.is_none()) {
            let line = &self.tell.kept.text[self.tell.kept.base..];
            if let Some(at) = codec::monitor_line(line) {
                self.censor_line(self.tell.kept.base + at, cx);
                return self.push(cx);
            }
        }
        let line = &self.tell.kept.text[self.tell.kept.base..];
        let replica = kind == b'+'
            && front.is_some_and(|f| f.verb == Verb::Psync)
            && (line.starts_with(b"FULLRESYNC") || line.starts_with(b"CONTINUE"));
        self.publish_answer(&[], cx);
        replica.then_some(Then::Enough)
    }

    /// One of the answers to SUBSCRIBE and its kin.
    fn confirm(&mut self, verb: Verb, answers: u64, cx: &mut Cx<'_>) -> Option<Then> {
        let [had, wanted] = &mut self.confirmed;
        if *had == 0 {
            *wanted = match verb {
                // Without words: all there are; one answer if there are none.
                Verb::Unsubscribe(space) if answers == 0 => self.subscriptions[space as usize].max(1),
                _ => answers,
            };
        }
        *had += 1;
        let last = *had >= *wanted;
        self.count(verb);
        let kept = &mut self.tell.kept;
        kept.base = 0;
        if last {
            self.publish_answer(&[], cx);
        } else {
            // The next one is written behind it.
            let over = kept.text.len().saturating_sub(self.setup.own.value_size);
            kept.text.truncate(kept.text.len() - over);
            kept.cut += over as u64;
            let wire = self.tell.wire;
            let start = self.tell.start;
            self.tell.over();
            self.answer.kind = 0;
            (self.tell.begun, self.tell.start, self.tell.wire) = (true, start, wire);
        }
        None
    }

    /// Follows how many subscriptions there are: each confirmation tells the number that is left.
    fn count(&mut self, verb: Verb) {
        let now = self.answer.number;
        let (Verb::Subscribe(space) | Verb::Unsubscribe(space)) = verb else { return };
        let [channels, patterns, shards] = self.subscriptions;
        let before = if space == Space::Shards { shards } else { channels + patterns };
        let place = &mut self.subscriptions[space as usize];
        if now > before {
            *place += 1;
        } else if now < before {
            *place = place.saturating_sub(1);
        }
        if now == 0 {
            *place = 0;
        }
    }
}

impl Redis {
    /// Masks the secrets in a line of MONITOR, whose command begins at `at` (servers before 6.2 show them).
    fn censor_line(&mut self, at: usize, cx: &mut Cx<'_>) {
        let mut line = std::mem::take(&mut self.scratch);
        line.clear();
        line.extend_from_slice(self.tell.kept.text.get(at..).unwrap_or_default());
        let (mut word, mut verb, mut words) = (Vec::new(), Verb::Plain, 0);
        codec::split(&line, &mut word, |w| {
            verb = if words == 0 { Verb::of(w) } else { verb };
            words += 1;
        });
        let mut guard = Guard::new(verb, words);
        if guard.active() {
            let text = &mut self.tell.kept.text;
            text.truncate(at);
            let mut index = 0;
            codec::split(&line, &mut word, |w| {
                text.extend_from_slice(if index > 0 { b" \"" } else { b"\"" });
                if let Shown::First(n) = guard.word(index, w) {
                    text.extend_from_slice(&w[..n.min(w.len())]);
                    text.extend_from_slice(MASK);
                    cx.counters.redacted += 1;
                } else {
                    text.extend_from_slice(w);
                }
                text.push(b'"');
                index += 1;
            });
        }
        self.scratch = line;
    }

    /// What the server says unasked is told alone.
    fn push(&mut self, cx: &mut Cx<'_>) -> Option<Then> {
        self.tell.kept.mark(cx);
        let (m, a) = (&self.tell, &self.answer);
        let value = m.kept.text.get(m.kept.base..).unwrap_or_default();
        let method = if a.kind == b'+' { b"MONITOR" } else { a.word.get() };
        // PMESSAGE names the pattern first, then the channel.
        let channel = m.span(if method == b"pmessage" { 2 } else { 1 });
        let send = cx.common.send_response;
        let mut t = Transaction::new(self.client.unwrap_or(Dir::AtoB));
        (t.end, t.bytes[1]) = (Some(cx.now), Some(m.wire));
        t.notes = if m.loss { &[note::RESPONSE_LOSS] } else { &[] };
        cx.emit(&t, |f| {
            f.put_with(&ecs::METHOD, |out| out.extend(method.iter().map(u8::to_ascii_uppercase)));
            f.put_with(&ecs::EVENT_ACTION, |out| {
                out.extend_from_slice(b"redis.");
                out.extend(method.iter().map(u8::to_ascii_lowercase));
            });
            if !channel.is_empty() {
                f.put_text(&ecs::RESOURCE, channel);
            }
            f.put(&PUSH, true);
            Self::put_value(f, &RETURN_VALUE, value, send);
            if !a.attributes.is_empty() {
                f.put_text(&ATTRIBUTES, &a.attributes);
            }
        });
        self.finish_answer();
        None
    }

    fn put_value(f: &mut Entries, field: &Field, value: &[u8], send: bool) {
        f.put_text(field, value);
        if send {
            f.put_text(&ecs::RESPONSE, value);
        }
    }

    /// The server's message is told.
    fn finish_answer(&mut self) {
        self.tell.over();
        self.answer.kind = 0;
        self.answer.attributes.clear();
        let kept = &mut self.tell.kept;
        if self.confirmed[0] > 0 {
            // Answers to a SUBSCRIBE that are already there stay.
            kept.text.truncate(kept.base);
            let len = kept.text.strip_suffix(b", ").map_or(kept.text.len(), <[u8]>::len);
            kept.text.truncate(len);
        } else {
            kept.clear();
        }
    }

    /// An answer goes to its command.
    fn publish_answer(&mut self, more: &[&'static str], cx: &mut Cx<'_>) {
        self.confirmed = [0; 2];
        let waiting = if self.owed > 0 { None } else { self.pending.pop() };
        self.owed = self.owed.saturating_sub(1);
        let asked = waiting.as_ref().map(|w| w.more).unwrap_or_default();
        let failed = matches!(self.answer.kind, b'-' | b'!');
        let partial = self.tell.loss || !more.is_empty();
        self.conceal(&asked, failed, partial, cx);
        self.tell.kept.mark(cx);
        self.sure |= waiting.is_some() && codec::only_answers(self.answer.kind);

        let number = self.follow(&asked, failed);
        let (m, a) = (&self.tell, &self.answer);
        let value = m.kept.text.get(m.kept.base..).unwrap_or_default();
        let error = match a.error.clone().filter(|_| asked.verb == Verb::Exec) {
            Some(span) => m.kept.text.get(span),
            None => failed.then_some(value),
        };
        let mut notes = [""; 4];
        let mut n = 0;
        let unmatched = waiting.is_none().then_some(note::UNMATCHED_RESPONSE);
        let loss = m.loss.then_some(note::RESPONSE_LOSS).filter(|l| asked.loss != Some(*l));
        for note in unmatched.into_iter().chain(asked.loss).chain(loss).chain(more.iter().copied()).take(4) {
            notes[n] = note;
            n += 1;
        }
        let mut t = Transaction::new(self.client.unwrap_or(Dir::AtoB));
        t.start = waiting.as_ref().map(|w| w.start);
        t.end = Some(cx.now);
        t.bytes = [waiting.as_ref().map(|w| w.bytes), Some(m.wire)];
        t.ok = error.is_none() && waiting.is_some() && !partial;
        t.notes = &notes[..n];
        cx.counters.unmatched_responses += u64::from(waiting.is_none());
        let send = cx.common.send_response;
        cx.emit(&t, |f| {
            if let Some(w) = &waiting {
                f.append(&w.fields);
            }
            if let Some(error) = error {
                f.put_text(&ERROR, error);
                f.put(&ecs::EVENT_OUTCOME, "failure");
            }
            if !failed {
                Self::put_value(f, &RETURN_VALUE, value, send);
            } else if send {
                f.put_text(&ecs::RESPONSE, value);
            }
            if !a.attributes.is_empty() {
                f.put_text(&ATTRIBUTES, &a.attributes);
            }
            if number > 0 {
                f.put(&TRANSACTION, number);
            }
        });
        if let Some(w) = waiting {
            if w.more.blocks && !self.pending.is_empty() {
                self.free = cx.now;
                cx.wake_at(cx.now + cx.common.transaction_timeout);
            }
            self.pending.done(w, cx);
        }
        if self.pending.is_empty() && self.owed == 0 {
            self.unsure = None;
        }
        self.finish_answer();
    }

    /// Takes out of an answer what may not be seen at all.
    fn conceal(&mut self, asked: &Asked, failed: bool, partial: bool, cx: &mut Cx<'_>) {
        let kept = &mut self.tell.kept;
        let base = kept.base.min(kept.text.len());
        if failed {
            // "unknown command 'AUTH', with args beginning with: 'the password'"
            if let (true, Some(at)) = (asked.masked, memmem::find(&kept.text[base..], b"beginning with: ")) {
                kept.mask(base + at + b"beginning with: ".len());
                cx.counters.redacted += 1;
            }
            return;
        }
        let queued = kept.text[base..] == *b"QUEUED";
        let results = asked.verb == Verb::Exec && self.secret;
        // Of half an answer it cannot be said what is what.
        let all = asked.secret == Secret::All || (partial && asked.secret != Secret::Nothing);
        if (all && !queued) || results {
            kept.mask(base);
            self.answer.error = None;
            cx.counters.redacted += 1;
        }
        self.secret = (self.secret || (queued && asked.secret != Secret::Nothing)) && !results;
    }

    /// What an answer changes for what follows; answers the number of the transaction it belongs to, if any.
    fn follow(&mut self, asked: &Asked, failed: bool) -> u64 {
        let value = self.tell.kept.text.get(self.tell.kept.base..).unwrap_or_default();
        let ok = value == b"OK";
        let mut number = if self.open { self.transactions } else { 0 };
        match asked.verb {
            Verb::Multi if ok && !self.open => {
                self.transactions += 1;
                number = self.transactions;
                self.open = true;
            }
            // With words too many nothing happens, and the transaction goes on.
            Verb::Exec | Verb::Discard if failed && value.starts_with(b"ERR wrong number") => {}
            Verb::Exec | Verb::Discard => (self.open, self.secret) = (false, false),
            Verb::Monitor if ok => self.monitor = true,
            Verb::Reset if value == b"RESET" => {
                (self.open, self.secret, self.monitor, self.subscriptions) = (false, false, false, [0; 3]);
            }
            _ => {}
        }
        number
    }

    /// Publishes a command without its answer.
    fn unanswered(&mut self, w: Waiting<(), Asked>, notes: &[&'static str], cx: &mut Cx<'_>) {
        cx.counters.unmatched_requests += 1;
        let mut t = Transaction::new(self.client.unwrap_or(Dir::AtoB));
        (t.start, t.bytes[0], t.ok, t.notes) = (Some(w.start), Some(w.bytes), false, notes);
        cx.emit(&t, |f| f.append(&w.fields));
        self.pending.done(w, cx);
    }
}
