//! DNS over UDP and TCP (RFC 1034, RFC 1035), with EDNS (RFC 6891), DNSSEC (RFC 4034), zone transfers (RFC 5936),
//! multicast DNS (RFC 6762) and LLMNR (RFC 4795).
//!
//! Bytes of a message are counted as the peer does: the datagram's payload, and on TCP the two bytes of length too.

mod codec;
mod detect;
mod fields;
mod names;
mod opt;
mod rdata;
mod service;
mod suffix;
#[cfg(test)]
mod tests;
mod text;
mod transfer;
mod write;

use std::sync::Arc;

use wirebeat_model::config::Section;
use wirebeat_model::{Dir, Entries, Time, Transport, ecs};

use self::codec::{Header, Message, Style, same_question, write_name};
use self::transfer::{AXFR, IXFR, Transfer};
use self::write::How;
use crate::pending::Waiting;
use crate::{Cx, Guess, Parser, Pending, Protocol, Setup, Spec, Step, Then, Transaction};

/// DNS.
pub static SPEC: Spec = Spec {
    name: "dns",
    transports: &[Transport::UDP, Transport::TCP],
    ports: &[53],
    fields: fields::FIELDS,
    guess: detect::guess,
    event_type: Spec::PROTOCOL,
    // Two whole messages: the rest of one and a segment.
    max_held: 192 * 1024,
    expects: false,
};

/// Ports of its multicast relatives, which are not waited for answers.
const MDNS: u16 = 5353;
const LLMNR: u16 = 5355;

/// Records of one section that an event shows; more are counted in [`wirebeat_model::Counters::records_cut`].
const MAX_RECORDS: usize = 256;
/// Addresses that go into `related.ip`.
const MAX_RELATED: usize = 64;
/// Transfers one connection may have under way.
const MAX_TRANSFERS: usize = 8;
/// A datagram without EDNS is no longer (RFC 1035 §2.3.4).
const MAX_PLAIN: usize = 512;
/// What is kept of a query, when the budget is spent: header and question fit.
const MIN_KEPT: usize = 512;

/// The peer's notes.
mod note {
    pub(super) const DUPLICATE: &str = "Another query with the same DNS ID from this client was received so this query was closed without receiving a response";
    pub(super) const NO_RESPONSE: &str = "No response to this query was received";
    pub(super) const ORPHAN: &str = "Response: received without an associated Query";
    pub(super) const NOT_DNS: &str = "Response: Message's data could not be decoded as DNS";
    pub(super) const QUERY_CUT: &str = "Message's data is incomplete";
    pub(super) const RESPONSE_CUT: &str = "Response: Message's data is incomplete";
    pub(super) const QUERY_LARGE: &str = "Non-EDNS packet has size greater than 512";
    pub(super) const RESPONSE_LARGE: &str = "Response: Non-EDNS packet has size greater than 512";
    pub(super) const NO_EDNS: &str = "Responder does not support EDNS";
    pub(super) const EDNS: &str = "Unexpected EDNS answer";
    // Ours.
    pub(super) const TRANSFER_CUT: &str = "Response: zone transfer ended before its closing SOA record";
    pub(super) const LOSS: &str = "Packet loss while capturing the response";
}

/// Options of DNS alone.
#[derive(Debug)]
pub struct Options {
    include_authorities: bool,
    include_additionals: bool,
}

impl crate::Options for Options {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            include_authorities: section.bool(
                "include_authorities",
                false,
                "Put the records of the authority section into the event.",
            ),
            include_additionals: section.bool(
                "include_additionals",
                false,
                "Put the records of the additional section into the event.",
            ),
        }
    }
}

/// What a query is known by: its id and who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    id: u16,
    client: Dir,
}

/// A query as it was sent.
#[derive(Debug)]
struct Query {
    raw: Vec<u8>,
    borrowed: usize,
}

/// A whole message and how it came.
#[derive(Clone, Copy)]
struct Seen<'a> {
    message: Message<'a>,
    /// Query: first byte. Answer: last byte.
    time: Time,
    bytes: u64,
}

/// One conversation.
pub struct Dns {
    setup: Arc<Setup<Options>>,
    pending: Pending<Key, Query>,
    transfers: Vec<Transfer>,
    /// On TCP, when the message whose rest is awaited began.
    began: [Option<Time>; 2],
    /// On TCP, whether a message begins here is to be seen: something was lost before.
    unsure: [bool; 2],
    /// Whether anything was understood yet.
    understood: bool,
    /// `mdns` or `llmnr`, where it is not DNS itself.
    relative: Option<&'static str>,
    /// Memory used again.
    name: Vec<u8>,
    ips: Vec<u128>,
    spare: Vec<Vec<u8>>,
}

impl Protocol for Dns {
    type Options = Options;

    fn new(setup: Arc<Setup<Options>>) -> Self {
        Self {
            setup,
            pending: Pending::default(),
            transfers: Vec::new(),
            began: [None; 2],
            unsure: [false; 2],
            understood: false,
            relative: None,
            name: Vec::new(),
            ips: Vec::new(),
            spare: Vec::new(),
        }
    }
}

impl Parser for Dns {
    fn data(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> Step {
        if cx.flow.key.transport() != Transport::TCP {
            self.message(dir, bytes, bytes.len() as u64, cx.now, cx);
            return Step::need(bytes.len(), 1);
        }
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            if self.unsure[dir.index()] && !rest.is_empty() {
                match detect::framed(rest) {
                    Guess::Client | Guess::Server => self.unsure[dir.index()] = false,
                    Guess::More => return Step::need(at, rest.len() + 1),
                    Guess::No => return Step::lost(),
                }
            }
            let began = &mut self.began[dir.index()];
            let Some((len, body)) = rest.split_first_chunk() else {
                if !rest.is_empty() {
                    began.get_or_insert(cx.now);
                }
                return Step::need(at, 2);
            };
            let len = usize::from(u16::from_be_bytes(*len));
            if len < Header::LEN {
                cx.counters.unparsed += 1;
                return Step::lost();
            }
            let Some(raw) = body.get(..len) else {
                began.get_or_insert(cx.now);
                return Step::need(at, 2 + len);
            };
            let start = began.take().unwrap_or(cx.now);
            if !self.message(dir, raw, len as u64 + 2, start, cx) && !self.understood {
                return Step::lost();
            }
            at += 2 + len;
        }
    }

    fn name(&self) -> Option<&'static str> {
        self.relative
    }

    fn gap(&mut self, dir: Dir, _lost: u64, _skipped: bool, _cx: &mut Cx<'_>) -> Then {
        self.began[dir.index()] = None;
        self.unsure[dir.index()] = true;
        for t in self.transfers.iter_mut().filter(|t| t.key.client != dir) {
            t.lossy = true;
        }
        Then::Need(1)
    }

    fn end(&mut self, dir: Dir, cx: &mut Cx<'_>) {
        while let Some(i) = self.transfers.iter().position(|t| t.key.client != dir) {
            self.finish(i, false, cx);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        while !self.transfers.is_empty() {
            self.finish(0, false, cx);
        }
        while let Some(w) = self.pending.pop() {
            self.unanswered(w, note::NO_RESPONSE, cx);
        }
    }

    fn expire(&mut self, cx: &mut Cx<'_>) {
        while let Some(w) = self.pending.expired(cx) {
            self.unanswered(w, note::NO_RESPONSE, cx);
        }
        let timeout = cx.common.transaction_timeout;
        while let Some(i) = self.transfers.iter().position(|t| t.last + timeout <= cx.clock) {
            self.finish(i, false, cx);
        }
        for t in &self.transfers {
            cx.wake_at(t.last + timeout);
        }
    }

    fn reset(&mut self) {
        self.pending.reset();
        self.transfers.clear();
        self.began = [None; 2];
        self.unsure = [false; 2];
        self.understood = false;
        self.relative = None;
        self.name.shrink_to(1024);
        self.ips.shrink_to(64);
    }
}

impl Dns {
    /// One message; answers whether it was one.
    fn message(&mut self, dir: Dir, raw: &[u8], bytes: u64, start: Time, cx: &mut Cx<'_>) -> bool {
        let Some(message) = Message::read(raw) else {
            self.broken(dir, raw, cx);
            return false;
        };
        self.understood = true;
        let [a, b] = [cx.flow.key.a().port, cx.flow.key.b().port];
        if a == MDNS || b == MDNS {
            self.alone(dir, Seen { message, time: cx.now, bytes }, "mdns", cx);
        } else if a == LLMNR || b == LLMNR {
            self.alone(dir, Seen { message, time: cx.now, bytes }, "llmnr", cx);
        } else if message.header.is_response() {
            self.answer(dir.flip(), Seen { message, time: cx.now, bytes }, cx);
        } else {
            self.query(dir, Seen { message, time: start, bytes }, cx);
        }
        true
    }

    /// What is not DNS; if it came as an answer, the query that waits for it is told with a note.
    fn broken(&mut self, dir: Dir, raw: &[u8], cx: &mut Cx<'_>) {
        cx.counters.unparsed += 1;
        let Some(header) = Header::read(raw).filter(Header::is_response) else { return };
        if let Some(w) = self.pending.take(&Key { id: header.id, client: dir.flip() }) {
            self.unanswered(w, note::NOT_DNS, cx);
        }
    }

    fn query(&mut self, client: Dir, seen: Seen<'_>, cx: &mut Cx<'_>) {
        let key = Key { id: seen.message.header.id, client };
        while let Some(i) = self.transfers.iter().position(|t| t.key == key) {
            self.finish(i, false, cx);
        }
        if let Some(w) = self.pending.take(&key) {
            self.unanswered(w, note::DUPLICATE, cx);
        }
        let mut query = Query { raw: self.spare.pop().unwrap_or_else(|| Vec::with_capacity(256)), borrowed: 0 };
        let whole = seen.message.bytes;
        let kept = if cx.budget.take(whole.len()) {
            query.borrowed = whole.len();
            whole
        } else {
            &whole[..whole.len().min(MIN_KEPT)]
        };
        query.raw.extend_from_slice(kept);
        // The fields are made when it is known what becomes of it: most are those of the answer.
        if let Some(w) = self.pending.push(key, seen.time, seen.bytes, Entries::new(), query, cx) {
            self.unanswered(w, note::NO_RESPONSE, cx);
        }
    }

    fn answer(&mut self, client: Dir, seen: Seen<'_>, cx: &mut Cx<'_>) {
        let m = &seen.message;
        let key = Key { id: m.header.id, client };
        if let Some(i) = self.transfers.iter().position(|t| t.key == key) {
            return self.transferred(i, seen, cx);
        }
        let found = self.pending.take_where(|w| {
            w.key == key && Message::read(&w.more.raw).is_some_and(|q| same_question(&q, m))
        });
        let Some(w) = found else {
            cx.counters.unmatched_responses += 1;
            self.publish(client, None, Some(seen), Some(note::ORPHAN), None, cx);
            return;
        };
        let is_tcp = cx.flow.key.transport() == Transport::TCP;
        let kind = Message::read(&w.more.raw).and_then(|q| q.question()).map_or(0, |q| q.kind);
        if is_tcp && matches!(kind, AXFR | IXFR) && self.transfers.len() < MAX_TRANSFERS {
            let (start, bytes) = (w.start, w.bytes);
            let query = self.pending.release(w, cx);
            self.transfers.push(Transfer::new(key, query, start, bytes, kind));
            return self.transferred(self.transfers.len() - 1, seen, cx);
        }
        if let Some(message) = Message::read(&w.more.raw) {
            let query = Seen { message, time: w.start, bytes: w.bytes };
            self.publish(client, Some(query), Some(seen), None, None, cx);
        }
        self.give_back(w, cx);
    }

    /// One more message of a transfer.
    fn transferred(&mut self, i: usize, seen: Seen<'_>, cx: &mut Cx<'_>) {
        let last = self.transfers[i].add(&seen.message, seen.time, seen.bytes, cx.budget);
        if last {
            self.finish(i, true, cx);
        } else {
            cx.wake_at(seen.time + cx.common.transaction_timeout);
        }
    }

    /// A transfer has ended, as it should or because nothing more will come.
    fn finish(&mut self, i: usize, whole: bool, cx: &mut Cx<'_>) {
        let mut t = self.transfers.swap_remove(i);
        let query = Message::read(&t.query.raw);
        let query = query.map(|message| Seen { message, time: t.start, bytes: t.query_bytes });
        let answer = t.messages_kept().next();
        let answer = answer.map(|message| Seen { message, time: t.last, bytes: t.bytes });
        let note = if t.lossy { Some(note::LOSS) } else { (!whole).then_some(note::TRANSFER_CUT) };
        self.publish(t.key.client, query, answer, note, Some(&t), cx);
        t.release(cx.budget);
        self.give_query_back(t.query, cx);
    }

    fn unanswered(&mut self, w: Waiting<Key, Query>, note: &'static str, cx: &mut Cx<'_>) {
        cx.counters.unmatched_requests += 1;
        if let Some(message) = Message::read(&w.more.raw) {
            let query = Seen { message, time: w.start, bytes: w.bytes };
            self.publish(w.key.client, Some(query), None, Some(note), None, cx);
        }
        self.give_back(w, cx);
    }

    fn give_back(&mut self, w: Waiting<Key, Query>, cx: &mut Cx<'_>) {
        let query = self.pending.release(w, cx);
        self.give_query_back(query, cx);
    }

    fn give_query_back(&mut self, query: Query, cx: &mut Cx<'_>) {
        cx.budget.give(query.borrowed);
        let mut raw = query.raw;
        if self.spare.len() < 4 && raw.capacity() <= 1024 {
            raw.clear();
            self.spare.push(raw);
        }
    }

    /// Multicast DNS and LLMNR: whoever listens may answer, from another address, or not at all. Each message is told
    /// for itself, and nothing is missed.
    fn alone(&mut self, dir: Dir, seen: Seen<'_>, protocol: &'static str, cx: &mut Cx<'_>) {
        let m = &seen.message;
        let style = if protocol == "mdns" { Style::Utf8 } else { Style::Zone };
        let how = How { options: &self.setup.own, style };
        let response = m.header.is_response();
        // Who answers a group is the source of what it says; who answers one asker is the server.
        let to_asker = response && !is_multicast(cx.flow.key.receiver(dir).ip);
        let mut t = Transaction::new(if to_asker { dir.flip() } else { dir });
        t.bytes[usize::from(to_asker)] = Some(seen.bytes);
        *(if to_asker { &mut t.end } else { &mut t.start }) = Some(seen.time);
        let cut = [if response { note::RESPONSE_CUT } else { note::QUERY_CUT }];
        t.notes = if m.whole { &[] } else { &cut };
        t.ok = m.whole && m.rcode() == 0;
        t.protocol = Some(protocol);
        self.relative = Some(protocol);
        self.name.clear();
        // An answer to all has no question: what it is about is its first record.
        let about = m.question().map(|q| q.name).or_else(|| m.records(0).next().map(|r| r.name));
        if let Some(at) = about {
            write_name(m.bytes, at, style, &mut self.name);
        }
        let name = self.name.as_slice();
        self.ips.clear();
        write::collect_ips(m, &mut self.ips);
        count_cut(m, &self.setup.own, m.count(0).into(), cx);
        let hosts = [name];
        t.hosts = if name.is_empty() { &[] } else { &hosts };
        t.ips = &self.ips[..self.ips.len().min(MAX_RELATED)];
        let common = &self.setup.common;
        cx.emit(&t, |e| {
            write::put_request(e, m, name, how);
            if m.question().is_none() && !name.is_empty() {
                e.put_text(&ecs::RESOURCE, name);
            }
            write::put_message(e, m, m, name, how);
            e.put(&fields::TYPE, if response { "answer" } else { "query" });
            write::put_answers(e, std::iter::once(*m), &self.ips, style);
            if response && common.send_response {
                e.put_with(&ecs::RESPONSE, |out| text::write_message(m, style, out));
            } else if !response && common.send_request {
                e.put_with(&ecs::REQUEST, |out| text::write_message(m, style, out));
            }
        });
    }

    /// Makes the event of a query, an answer, or both; of a transfer, `answer` is its first message.
    fn publish(
        &mut self,
        client: Dir,
        query: Option<Seen<'_>>,
        answer: Option<Seen<'_>>,
        note: Option<&'static str>,
        transfer: Option<&Transfer>,
        cx: &mut Cx<'_>,
    ) {
        let Some(main) = answer.or(query) else { return };
        let (asked, m) = (query.unwrap_or(main).message, main.message);
        let how = How { options: &self.setup.own, style: Style::Zone };

        let mut notes = [""; 4];
        let mut count = 0;
        let mut add = |n: &'static str| {
            if let Some(slot) = notes.get_mut(count) {
                *slot = n;
                count += 1;
            }
        };
        note.into_iter().for_each(&mut add);
        let udp = cx.flow.key.transport() == Transport::UDP;
        let large = |s: &Seen<'_>| udp && s.message.opt.is_none() && s.message.bytes.len() > MAX_PLAIN;
        if query.is_some_and(|q| !q.message.whole) {
            add(note::QUERY_CUT);
        } else if query.is_some_and(|q| large(&q)) {
            add(note::QUERY_LARGE);
        }
        if let Some(a) = &answer {
            // A truncated answer may stop anywhere (RFC 2181 §9): that is no fault.
            if !a.message.whole && !a.message.header.has(Header::TC) {
                add(note::RESPONSE_CUT);
            } else if large(a) {
                add(note::RESPONSE_LARGE);
            }
            match query.map(|q| (q.message.opt.is_some(), a.message.opt.is_some())) {
                Some((true, false)) if udp => add(note::NO_EDNS),
                Some((false, true)) if udp => add(note::EDNS),
                _ => {}
            }
        }

        let mut t = Transaction::new(client);
        t.start = query.map(|q| q.time);
        t.end = answer.map(|a| a.time);
        t.bytes = [query.map(|q| q.bytes), answer.map(|a| a.bytes)];
        t.notes = &notes[..count];
        let whole = m.whole || m.header.has(Header::TC);
        t.ok = query.is_some() && answer.is_some() && m.rcode() == 0 && whole && (transfer.is_none() || note.is_none());

        self.name.clear();
        let question = if m.question().is_some() { m } else { asked };
        if let Some(q) = question.question() {
            write_name(question.bytes, q.name, how.style, &mut self.name);
        }
        let name = self.name.as_slice();
        // An answer may spell the name otherwise: `query` and `resource` keep what was asked.
        let mut other = Vec::new();
        let asked_name = match asked.question() {
            Some(q) if asked.question_bytes() != question.question_bytes() => {
                write_name(asked.bytes, q.name, how.style, &mut other);
                &other[..]
            }
            _ => name,
        };
        self.ips.clear();
        let mut answers = u64::from(m.count(0));
        match transfer {
            Some(transfer) => {
                answers = transfer.answers;
                transfer.messages_kept().for_each(|m| write::collect_ips(&m, &mut self.ips));
            }
            None => write::collect_ips(&m, &mut self.ips),
        }
        count_cut(&m, how.options, answers, cx);
        let hosts = [name];
        t.hosts = if name.is_empty() { &[] } else { &hosts };
        t.ips = &self.ips[..self.ips.len().min(MAX_RELATED)];
        let common = &self.setup.common;
        cx.emit(&t, |e| {
            write::put_request(e, &asked, asked_name, how);
            write::put_message(e, &m, &question, name, how);
            e.put(&fields::TYPE, if answer.is_some() { "answer" } else { "query" });
            match transfer {
                Some(transfer) => {
                    e.put(&fields::ANSWERS_COUNT, transfer.answers);
                    e.put(&fields::MESSAGES, transfer.messages);
                    write::put_answers(e, transfer.messages_kept(), &self.ips, how.style);
                }
                None => write::put_answers(e, std::iter::once(m), &self.ips, how.style),
            }
            if let Some(q) = query.filter(|_| common.send_request) {
                e.put_with(&ecs::REQUEST, |out| text::write_message(&q.message, how.style, out));
            }
            if let Some(a) = answer.filter(|_| common.send_response) {
                e.put_with(&ecs::RESPONSE, |out| text::write_message(&a.message, how.style, out));
            }
        });
    }
}

fn count_cut(m: &Message<'_>, options: &Options, answers: u64, cx: &mut Cx<'_>) {
    let cut = |n: u64| n.saturating_sub(MAX_RECORDS as u64);
    let mut all = cut(answers);
    if options.include_authorities {
        all += cut(m.count(1).into());
    }
    if options.include_additionals {
        all += cut(m.count(2).into());
    }
    cx.counters.records_cut += all;
}

/// IPv4 (as v4-mapped) or IPv6 multicast.
fn is_multicast(ip: u128) -> bool {
    match wirebeat_model::ip_addr(ip) {
        std::net::IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast(),
        std::net::IpAddr::V6(v6) => v6.is_multicast(),
    }
}
