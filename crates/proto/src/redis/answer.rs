//! What the server answers, and to which command.

use std::ops::Range;

use wirebeat_model::{Dir, Entries, Field, ecs};

use super::codec::{Place, Token, only_answers};
use super::command::Asked;
use super::detect::{Found, find_answer};
use super::message::Small;
use super::secrets::{Guard, Secret};
use super::verbs::{Verb, confirmation, is_message, monitor_line};
use super::{ATTRIBUTES, ERROR, Next, RETURN_VALUE, Redis, TRANSACTION, note};
use crate::{Cx, Step, Then, Transaction};

/// The answer that the server is saying.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Its type byte.
    pub(super) kind: u8,
    pub(super) secret: Secret,
    /// Its first element, if it is a list.
    pub(super) word: Small,
    /// The last number in it.
    pub(super) number: u64,
    /// In an attribute inside it, which is not shown: how deep.
    pub(super) muted: Option<usize>,
    /// The first error in it.
    pub(super) error: Option<Range<usize>>,
    pub(super) attributes: Vec<u8>,
    /// CONFIG GET: the next value is a secret.
    pub(super) hide: bool,
    /// SLOWLOG GET: the command that is listed.
    pub(super) guard: Guard,
}

impl Redis {
    pub(super) fn answers(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> Step {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let next = if self.answer.kind != 0 {
                self.piece(rest, cx)
            } else if self.tell.lost {
                // Without a command that waits since then, no answer could be told from another.
                match if self.pending.is_empty() { Found::Drop(rest.len()) } else { find_answer(rest) }
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

    pub(super) fn begin_answer(&mut self, kind: u8) {
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
    pub(super) fn piece(&mut self, rest: &[u8], cx: &mut Cx<'_>) -> Next {
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
    pub(super) fn element(&mut self, kind: u8, place: Place, shown: bool, cx: &mut Cx<'_>) {
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

    /// A message of the server is complete, or cut short by lost bytes.
    pub(super) fn told(&mut self, cx: &mut Cx<'_>) -> Option<Then> {
        let front = self.pending.front().filter(|_| self.owed == 0).map(|w| w.more);
        let (kind, word) = (self.answer.kind, self.answer.word);
        if matches!(kind, b'*' | b'>') {
            if let Some(verb) = confirmation(word.get()) {
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
            if kind == b'>' || (is_message(word.get()) && (subscribed || !waits)) {
                return self.push(cx);
            }
        }
        if kind == b'+' && (self.monitor || front.is_none()) {
            let line = &self.tell.kept.text[self.tell.kept.base..];
            if let Some(at) = monitor_line(line) {
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

    pub(super) fn put_value(f: &mut Entries, field: &Field, value: &[u8], send: bool) {
        f.put_text(field, value);
        if send {
            f.put_text(&ecs::RESPONSE, value);
        }
    }

    /// The server's message is told.
    pub(super) fn finish_answer(&mut self) {
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
    pub(super) fn publish_answer(&mut self, more: &[&'static str], cx: &mut Cx<'_>) {
        self.confirmed = [0; 2];
        let waiting = if self.owed > 0 { None } else { self.pending.pop() };
        self.owed = self.owed.saturating_sub(1);
        let asked = waiting.as_ref().map(|w| w.more).unwrap_or_default();
        let failed = matches!(self.answer.kind, b'-' | b'!');
        let partial = self.tell.loss || !more.is_empty();
        self.conceal(&asked, failed, partial, cx);
        self.tell.kept.mark(cx);
        self.sure |= waiting.is_some() && only_answers(self.answer.kind);

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

    /// What an answer changes for what follows; answers the number of the transaction it belongs to, if any.
    pub(super) fn follow(&mut self, asked: &Asked, failed: bool) -> u64 {
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
}
