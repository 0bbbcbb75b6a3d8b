//! Redis: RESP2, RESP3 and inline commands ("Redis serialization protocol specification" and the pages on pipelining,
//! transactions and Pub/Sub, redis.io). [`codec`] reads the bytes, [`command`] and [`answer`] follow the two sides,
//! [`push`] what is said unasked; [`secrets`] says what is masked, [`verbs`] which words mean what.
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

mod answer;
mod codec;
mod command;
mod detect;
mod inline;
mod message;
mod options;
mod push;
mod secrets;
#[cfg(test)]
mod tests;
mod verbs;

use std::sync::Arc;

use wirebeat_model::{Class, Dir, Field, Kind, Time, Transport, fields};

use self::answer::Answer;
use self::codec::only_answers;
use self::command::{Asked, Command, Replies};
use self::inline::MAX_INLINE;
use self::message::Message;
pub use self::options::RedisOptions;
use crate::pending::Waiting;
use crate::{Cx, Parser, Pending, Protocol, Setup, Spec, Step, Then, Transaction};

/// What is known of Redis before any traffic.
pub static SPEC: Spec = Spec {
    name: "redis",
    transports: &[Transport::TCP],
    ports: &[6379],
    fields: FIELDS,
    guess: detect::guess,
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

mod note {
    pub(super) const UNMATCHED_REQUEST: &str = "Unmatched request";
    pub(super) const UNMATCHED_RESPONSE: &str = "Unmatched response";
    pub(super) const REQUEST_LOSS: &str = "Packet loss while capturing the request";
    pub(super) const RESPONSE_LOSS: &str = "Packet loss while capturing the response";
    pub(super) const REQUEST_CUT: &str = "Connection closed before the request was complete";
    pub(super) const RESPONSE_CUT: &str = "Connection closed before the response was complete";
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

    fn torn(&mut self, dir: Dir, _: &[u8], _: bool, _: &mut Cx<'_>) {
        if self.client == Some(dir) {
            self.command.searched = 0;
        }
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
        let answers = bytes.first().is_some_and(|b| only_answers(*b));
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

    /// Publishes a command without its answer.
    fn unanswered(&mut self, w: Waiting<(), Asked>, notes: &[&'static str], cx: &mut Cx<'_>) {
        cx.counters.unmatched_requests += 1;
        let mut t = Transaction::new(self.client.unwrap_or(Dir::AtoB));
        (t.start, t.bytes[0], t.ok, t.notes) = (Some(w.start), Some(w.bytes), false, notes);
        cx.emit(&t, |f| f.append(&w.fields));
        self.pending.done(w, cx);
    }
}
