//! HTTP/1.0 and 1.1 (RFC 9110, RFC 9112).
//!
//! Each side of a connection is a sequence of messages. [`steps`] goes from state to state ([`side`]); a head is read
//! as it comes ([`codec`]) and its half of the event is written at once ([`half`]); a body passes unseen unless
//! somebody asked for it ([`body`]); [`redact`] masks secrets before anything is written. Requests wait in order for
//! their answers. After lost bytes each side looks for the next plausible message by itself.
//!
//! Times are Packetbeat's: `event.start` is the first packet of the request, `event.end` the first packet of the
//! answer; how long the answer then took to arrive is `http.response.duration`.

mod body;
mod codec;
mod half;
mod options;
mod owed;
mod redact;
mod side;
mod steps;
#[cfg(test)]
mod tests;
mod url;

use std::sync::Arc;

use wirebeat_model::{Dir, Transport, ecs};

use self::codec::{Coding, First, MAX_HEAD, Name};
use self::half::{Asked, Fill, Notes, Verb};
pub use self::options::{Headers, HttpOptions};
use self::owed::Owed;
use self::redact::Mask;
use self::side::{Message, Side, State};
use self::steps::Next;
use crate::pending::Waiting;
use crate::{Cx, Parser, Pending, Protocol, Setup, Spec, Step, Then, Transaction};

/// What is known of HTTP/1.x before any traffic.
pub static SPEC: Spec = Spec {
    name: "http",
    transports: &[Transport::TCP],
    ports: &[80, 8080, 8000, 5000, 8002],
    fields: half::FIELDS,
    guess: codec::guess,
    event_type: Spec::PROTOCOL,
    // A head, and what comes in one go behind it.
    max_held: MAX_HEAD + 192 * 1024,
    expects: false,
};

/// An answer that is there while its request still goes on.
struct Early {
    message: Message,
    borrowed: usize,
}

/// The parser of one connection.
pub struct Http {
    setup: Arc<Setup<HttpOptions>>,
    /// The direction in which requests go, once one message was seen.
    client: Option<Dir>,
    sides: [Side; 2],
    pending: Pending<(), Asked>,
    /// Answers to requests that do not wait any more.
    owed: Owed,
    /// The request whose answer is on its way.
    answering: Option<Waiting<(), Asked>>,
    early: Option<Early>,
    /// Answers may have been lost: the next request tells that those before it have had theirs.
    gap: bool,
    scratch: [Vec<u8>; 2],
}

impl Protocol for Http {
    type Options = HttpOptions;

    fn new(setup: Arc<Setup<HttpOptions>>) -> Self {
        Self {
            setup,
            client: None,
            sides: Default::default(),
            pending: Pending::default(),
            owed: Owed::default(),
            answering: None,
            early: None,
            gap: false,
            scratch: Default::default(),
        }
    }
}

impl Parser for Http {
    fn data(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> Step {
        self.sides[dir.index()].message.last = cx.now;
        let mut at = 0;
        loop {
            match self.step(dir, &bytes[at..], cx) {
                Next::Go(n) => at += n,
                Next::Stop(n, then) => return Step { used: at + n, then },
            }
        }
    }

    fn gap(&mut self, dir: Dir, lost: u64, skipped: bool, cx: &mut Cx<'_>) -> Then {
        if skipped {
            let m = &mut self.sides[dir.index()].message;
            m.notes.add(if m.code == 0 { Notes::REQUEST_LOSS } else { Notes::RESPONSE_LOSS });
            return Then::Need(1);
        }
        self.lost(dir, lost, cx)
    }

    fn torn(&mut self, dir: Dir, held: &[u8], lost: bool, cx: &mut Cx<'_>) {
        self.torn_head(dir, held, lost, cx);
    }

    fn cut(&mut self, dir: Dir, missing: u64) {
        let m = &mut self.sides[dir.index()].message;
        m.wire = m.wire.saturating_sub(missing);
        m.length = m.length.saturating_sub(missing);
    }

    fn end(&mut self, dir: Dir, cx: &mut Cx<'_>) {
        self.ended(dir, cx);
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        // Requests first: an answer that is cut short belongs to one of them.
        let client = self.client.unwrap_or(Dir::AtoB);
        for dir in [client, client.flip()] {
            self.ended(dir, cx);
        }
        while let Some(waiting) = self.answering.take().or_else(|| self.pending.pop()) {
            self.unanswered(waiting, Notes::default(), cx);
        }
        if let Some(early) = self.early.take() {
            self.publish_early(early, None, cx);
        }
    }

    fn expire(&mut self, cx: &mut Cx<'_>) {
        while let Some(waiting) = self.pending.expired(cx) {
            self.give_up(waiting, cx);
        }
    }

    fn reset(&mut self) {
        (self.client, self.gap, self.owed) = (None, false, Owed::default());
        self.sides.iter_mut().for_each(Side::reset);
        self.pending.reset();
    }
}

impl Http {
    /// Takes from a head what later steps need, before its half is written.
    fn prepare(&mut self, d: usize, head: &[u8], request: bool, cx: &mut Cx<'_>) {
        let (own, common) = (&self.setup.own, &self.setup.common);
        let Side { head: lines, message: m, .. } = &mut self.sides[d];
        let (types, raw) = if request {
            (&own.request_bodies, common.send_request)
        } else {
            (&own.response_bodies, common.send_response)
        };
        if request || !types.is_empty() {
            let kind = lines.get(Name::ContentType, head).unwrap_or_default();
            let holds = |word: &[u8]| word.is_empty() || kind.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word));
            m.wanted = types.iter().any(|word| holds(word.as_bytes()));
            m.form = request && !kind.is_empty() && holds(b"urlencoded");
        } else {
            (m.wanted, m.form) = (false, false);
        }
        if raw {
            let mask = Mask::new(&own.rules, self.setup.redact);
            m.raw.clear();
            cx.counters.redacted += mask.head(head, &mut m.raw);
        }
        m.fields.clear();
        m.open = true;
    }

    /// The head of a request is there.
    fn request(&mut self, dir: Dir, head: &[u8], cx: &mut Cx<'_>) {
        let d = dir.index();
        if std::mem::take(&mut self.gap) {
            // The client asks on: what it asked before was answered, and the answers were lost.
            self.owed = Owed::default();
            while let Some(waiting) = self.pending.pop() {
                self.unanswered(waiting, Notes::RESPONSE_LOSS, cx);
            }
        }
        if let State::UntilClose { asked } = &mut self.sides[1 - d].state {
            *asked = true;
        }
        self.prepare(d, head, true, cx);
        let Side { head: lines, message: m, .. } = &mut self.sides[d];
        let mut fill = fill(&self.setup, &mut self.scratch, cx.flow.key.receiver(dir).port);
        m.slot = fill.request(&mut m.fields, head, lines, &mut m.asked);
        cx.counters.redacted += fill.redacted;
        if m.framing.conflict {
            m.notes.add(Notes::REQUEST_LENGTHS);
        }
    }

    /// The head of an answer is there.
    fn response(&mut self, dir: Dir, head: &[u8], cx: &mut Cx<'_>) {
        let d = dir.index();
        let Some(First::Status { code, .. }) = self.sides[d].head.first() else { return };
        self.sides[d].message.code = code;
        if code < 200 && code != 101 {
            return;
        }
        let late = self.owed.take();
        if let State::Expecting { answered } = &mut self.sides[1 - d].state
            && late.is_none()
        {
            *answered = true;
        }
        if let Some(unused) = self.answering.take() {
            self.unanswered(unused, Notes::default(), cx);
        }
        if let Some(verb) = late {
            let m = &mut self.sides[d].message;
            (m.orphan, m.asked) = (true, Asked { verb, ..Asked::default() });
        } else {
            self.answering = self.pending.pop();
            let other = &self.sides[1 - d];
            let asks = other.message.open || other.state == State::Head;
            self.sides[d].message.orphan = self.answering.is_none() && !asks;
        }
        self.prepare(d, head, false, cx);
        let Side { head: lines, message: m, .. } = &mut self.sides[d];
        let mut fill = fill(&self.setup, &mut self.scratch, 0);
        m.slot = fill.response(&mut m.fields, head, lines);
        cx.counters.redacted += fill.redacted;
        if m.framing.conflict {
            m.notes.add(Notes::RESPONSE_LENGTHS);
        }
        if code == 101 {
            m.becomes = lines.get(Name::Upgrade, head).and_then(Self::upgrade);
        }
    }

    /// What the request asked that side `d` is answering.
    fn asked(&self, d: usize) -> Asked {
        let (own, other) = (&self.sides[d].message, &self.sides[1 - d].message);
        match &self.answering {
            Some(waiting) => waiting.more,
            None if other.open && !own.orphan => other.asked,
            None => own.asked,
        }
    }

    /// Whether the message of side `d` is an answer without a body, whatever its headers say (RFC 9112 6.3).
    fn bodiless(&self, d: usize) -> bool {
        let code = self.sides[d].message.code;
        let verb = self.asked(d).verb;
        code != 0
            && (code < 200
                || matches!(code, 204 | 304)
                || verb == Verb::Head
                || (verb == Verb::Connect && code < 300))
    }

    /// The message of one side is complete.
    fn finish(&mut self, dir: Dir, cx: &mut Cx<'_>) {
        let d = dir.index();
        self.complete(d, cx);
        let side = &mut self.sides[d];
        side.state = State::Start;
        let m = &mut side.message;
        m.open = false;
        if m.code != 0 {
            return self.answered(d, cx);
        }
        if self.early.is_none() && (m.asked.verb == Verb::Connect || m.asked.upgrade) {
            side.state = State::Held;
        }
        m.asked.notes.add(m.notes);
        let (start, wire, asked) = (m.start, m.wire, m.asked);
        let fields = std::mem::replace(&mut m.fields, self.pending.entries());
        m.shrink();
        if let Some(evicted) = self.pending.push((), start, wire, fields, asked, cx) {
            self.give_up(evicted, cx);
        }
        if let Some(early) = self.early.take() {
            let waiting = self.pending.pop();
            self.publish_early(early, waiting, cx);
        }
    }

    /// An answer is complete: it goes to its request.
    fn answered(&mut self, d: usize, cx: &mut Cx<'_>) {
        let orphan = self.sides[d].message.orphan;
        let waiting = match self.answering.take() {
            None if !orphan => self.pending.pop(),
            other => other,
        };
        let other = &self.sides[1 - d];
        let going_on = other.message.open || other.state == State::Head;
        if waiting.is_none() && !orphan && going_on && self.early.is_none() {
            let size = self.sides[d].message.fields.byte_len();
            if cx.budget.take(size) {
                let message = std::mem::take(&mut self.sides[d].message);
                self.early = Some(Early { message, borrowed: size });
                return;
            }
        }
        let client = self.client.unwrap_or(Dir::AtoB);
        let message = &mut self.sides[d].message;
        publish(client, waiting.as_ref(), Some(message), cx);
        message.shrink();
        if let Some(waiting) = waiting {
            self.pending.done(waiting, cx);
        }
    }

    /// Adds to a half what only its end tells: lengths, body, raw text.
    fn complete(&mut self, d: usize, cx: &mut Cx<'_>) {
        let own = &self.setup.own;
        let m = &mut self.sides[d].message;
        let request = m.code == 0;
        if let Some(slot) = m.slot.take() {
            m.fields.set(&slot, m.length);
        }
        let (bytes, body_bytes) = if request {
            (&half::REQUEST_BYTES, &half::REQUEST_BODY_BYTES)
        } else {
            (&half::RESPONSE_BYTES, &half::RESPONSE_BODY_BYTES)
        };
        m.fields.put(bytes, m.wire);
        if m.length > 0 {
            m.fields.put(body_bytes, m.length);
        }
        if !m.body.bytes().is_empty() {
            Self::put_body(own, self.setup.redact, m, request, cx);
        }
        m.body.clear(cx.budget);
        if !m.raw.is_empty() {
            m.fields.put_text(if request { &ecs::REQUEST } else { &ecs::RESPONSE }, &m.raw);
        }
    }

    /// Decodes and masks a body that was kept, and puts it where the options want it.
    fn put_body(own: &HttpOptions, redact: bool, m: &mut Message, request: bool, cx: &mut Cx<'_>) {
        let coded = own.decode_body && m.framing.codings[0].is_some();
        let decoded = coded.then(|| body::decode(m.body.bytes(), &m.framing.codings, own.max_message_size, cx.budget));
        if let Some(decoded) = &decoded {
            cx.counters.bodies_cut += u64::from(decoded.cut);
            match decoded.failed.filter(|_| !m.body.cut) {
                Some(Coding::Gzip) => m.notes.add(Notes::GZIP),
                Some(Coding::Deflate) => m.notes.add(Notes::DEFLATE),
                Some(Coding::Brotli) => m.notes.add(Notes::BROTLI),
                Some(Coding::Zstd) => m.notes.add(Notes::ZSTD),
                Some(Coding::Unknown) => m.notes.add(Notes::CODING),
                None => {}
            }
        }
        let content = decoded.as_ref().map_or(m.body.bytes(), |d| &d.bytes);
        let mask = Mask::new(&own.rules, redact);
        let mut masked = Vec::new();
        let content = if mask.params_wanted() && !content.is_empty() {
            cx.counters.redacted += mask.body(content, m.form, &mut masked);
            &masked[..]
        } else {
            content
        };
        if m.wanted && !content.is_empty() {
            let (field, mime) = if request {
                (&half::REQUEST_BODY_CONTENT, &half::REQUEST_MIME_TYPE)
            } else {
                (&half::RESPONSE_BODY_CONTENT, &half::RESPONSE_MIME_TYPE)
            };
            m.fields.put_text(field, content);
            if let Some(name) = body::mime_type(content) {
                m.fields.put(mime, name);
            }
            if !m.raw.is_empty() {
                m.raw.extend_from_slice(content);
            }
        }
        if m.form && !content.is_empty() {
            let query = m.fields.get_str(&half::URL_QUERY).map(|q| q.as_bytes().to_vec());
            m.fields.put_with(&ecs::PARAMS, |out| {
                if let Some(query) = query {
                    out.extend_from_slice(&query);
                    out.push(b'&');
                }
                out.extend_from_slice(content);
            });
        }
        if let Some(decoded) = decoded {
            decoded.release(cx.budget);
        }
    }

    /// Publishes a request that waits no more, though its answer may still come.
    fn give_up(&mut self, waiting: Waiting<(), Asked>, cx: &mut Cx<'_>) {
        self.owed.add(waiting.more.verb);
        self.unanswered(waiting, Notes::default(), cx);
    }

    /// Publishes a request without an answer.
    fn unanswered(&mut self, mut waiting: Waiting<(), Asked>, note: Notes, cx: &mut Cx<'_>) {
        waiting.more.notes.add(note);
        publish(self.client.unwrap_or(Dir::AtoB), Some(&waiting), None, cx);
        self.pending.done(waiting, cx);
    }

    /// Publishes the answer that came before its request was complete.
    fn publish_early(&mut self, early: Early, waiting: Option<Waiting<(), Asked>>, cx: &mut Cx<'_>) {
        cx.budget.give(early.borrowed);
        publish(self.client.unwrap_or(Dir::AtoB), waiting.as_ref(), Some(&early.message), cx);
        if let Some(waiting) = waiting {
            self.pending.done(waiting, cx);
        }
    }
}

/// What fills a half; `port`: the one that was addressed.
fn fill<'a>(setup: &'a Setup<HttpOptions>, scratch: &'a mut [Vec<u8>; 2], port: u16) -> Fill<'a> {
    let [scratch, target] = scratch;
    Fill { own: &setup.own, mask: Mask::new(&setup.own.rules, setup.redact), scratch, target, redacted: 0, port }
}

/// Makes an event of a request, its answer, or both.
fn publish(client: Dir, request: Option<&Waiting<(), Asked>>, answer: Option<&Message>, cx: &mut Cx<'_>) {
    let mut notes = Notes::default();
    let mut t = Transaction::new(client);
    let mut ips = [0; 2];
    let mut n = 0;
    if let Some(w) = request {
        notes.add(w.more.notes);
        t.start = Some(w.start);
        t.bytes[0] = Some(w.bytes);
        for ip in w.more.ips.into_iter().filter(|ip| *ip != 0) {
            ips[n] = ip;
            n += 1;
        }
    } else {
        notes.add(Notes::UNMATCHED_RESPONSE);
        cx.counters.unmatched_responses += 1;
    }
    if let Some(a) = answer {
        notes.add(a.notes);
        // Packetbeat's end: the answer's first packet.
        t.end = Some(a.start);
        t.bytes[1] = Some(a.wire);
    } else {
        notes.add(Notes::UNMATCHED_REQUEST);
        cx.counters.unmatched_requests += 1;
    }
    t.ok = request.is_some() && answer.is_some_and(|a| a.code < 400);
    t.ips = &ips[..n];
    let mut texts = Notes::none();
    t.notes = notes.texts(&mut texts);
    cx.emit(&t, |f| {
        if let Some(w) = request {
            f.append(&w.fields);
        }
        if let Some(a) = answer {
            f.append(&a.fields);
            if a.last > a.start {
                f.put(&half::RESPONSE_DURATION, a.last.since(a.start));
            }
        }
    });
}
