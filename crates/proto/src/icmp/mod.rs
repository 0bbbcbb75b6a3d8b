//! ICMP (RFC 792) and ICMPv6 (RFC 4443): questions with their answers, errors with the flow they are about.
//!
//! One flow is all that two addresses say over ICMP. Bytes are those after the 8-byte header, as the peer counts.

mod codec;
mod names;
mod quoted;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use wirebeat_model::{Class, Dir, Endpoint, Entries, Field, Kind, Time, Transport, Unit, community_id, ecs, fields};

use self::codec::{Header, Role, Version, role};
use self::quoted::Quoted;
use crate::pending::Waiting;
use crate::{Cx, Guess, NoOptions, Parser, Pending, Protocol, Setup, Spec, Step, Transaction};

pub use self::quoted::quoted_flow;

/// A message's type and code in words, e.g. `DestinationUnreachable(PortUnreachable)`.
pub fn message_name(transport: Transport, kind: u8, code: u8) -> String {
    let mut out = Vec::new();
    names::write(Version::of(transport), kind, code, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// ICMP and ICMPv6.
pub static SPEC: Spec = Spec {
    name: "icmp",
    transports: &[Transport::ICMP, Transport::ICMP6],
    ports: &[],
    fields: FIELDS,
    // Nothing else runs on these transports. Answers of either version: none of these types is a request in the other.
    guess: |bytes| match bytes.first() {
        None => Guess::More,
        Some(0 | 14 | 16 | 18 | 43 | 129 | 161) => Guess::Server,
        Some(_) => Guess::Client,
    },
    event_type: &["connection"],
    max_held: 0,
    expects: false,
};

fields! {
    FIELDS:
    VERSION = Field::new("icmp.version", Kind::Long, "4 or 6.");
    REQUEST_MESSAGE = Field::new("icmp.request.message", Kind::Keyword, "What the request is, in words.");
    REQUEST_TYPE = Field::new("icmp.request.type", Kind::Long, "Its type.");
    REQUEST_CODE = Field::new("icmp.request.code", Kind::Long, "Its code.");
    RESPONSE_MESSAGE = Field::new("icmp.response.message", Kind::Keyword, "What the answer is, in words.");
    RESPONSE_TYPE = Field::new("icmp.response.type", Kind::Long, "Its type.");
    RESPONSE_CODE = Field::new("icmp.response.code", Kind::Long, "Its code.");
    ID = Field::new("icmp.id", Kind::Long, "Echo and its like: who asks, mostly one ping program.");
    SEQUENCE = Field::new("icmp.sequence", Kind::Long, "Echo and its like: the number of the question.");
    MTU = Field::new("icmp.mtu", Kind::Long, "The largest packet that would have passed (RFC 1191, RFC 4443 §3.2).").unit(Unit::Bytes);
    GATEWAY = Field::new("icmp.gateway", Kind::Ip, "Redirect: the better first hop.");
    POINTER = Field::new("icmp.pointer", Kind::Long, "Parameter problem: where in the packet.");
    TARGET = Field::new("icmp.target", Kind::Ip, "Neighbour discovery: the address in question (RFC 4861 §4.3, §4.4).");
    QUOTED_TRANSPORT = Field::new("icmp.quoted.transport", Kind::Keyword, "The transport of the packet that an error quotes.");
    QUOTED_SOURCE_IP = Field::new("icmp.quoted.source.ip", Kind::Ip, "Who had sent that packet.");
    QUOTED_SOURCE_PORT = Field::new("icmp.quoted.source.port", Kind::Long, "Its port.");
    QUOTED_DESTINATION_IP = Field::new("icmp.quoted.destination.ip", Kind::Ip, "Where it was to go.");
    QUOTED_DESTINATION_PORT = Field::new("icmp.quoted.destination.port", Kind::Long, "Its port.");
    QUOTED_COMMUNITY_ID = Field::new("icmp.quoted.community_id", Kind::Keyword, "Community ID of the flow that the error is about: equal to its `network.community_id`.").class(Class::Plain);
}

/// The peer's notes.
mod note {
    pub(super) const DUPLICATE: &str = "Another request with the same Id and Seq was received so this request was closed without receiving a response.";
    pub(super) const NO_RESPONSE: &str = "Request was received without an associated response.";
    pub(super) const ORPHAN: &str = "Response was received without an associated request.";
}

/// What an answer finds its request by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    client: Dir,
    kind: u8,
    id: u16,
    sequence: u16,
}

/// A message as it was seen.
#[derive(Clone, Copy, Debug)]
struct Seen {
    header: Header,
    time: Time,
    bytes: u64,
}

/// All that two addresses say over ICMP.
pub struct Icmp {
    pending: Pending<Key, Header>,
}

impl Protocol for Icmp {
    type Options = NoOptions;

    fn new(_: Arc<Setup<NoOptions>>) -> Self {
        Self { pending: Pending::default() }
    }
}

impl Parser for Icmp {
    fn data(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> Step {
        let Some(header) = Header::read(bytes) else {
            cx.counters.unparsed += 1;
            return Step::need(bytes.len(), 1);
        };
        let version = Version::of(cx.flow.key.transport());
        let seen = Seen { header, time: cx.now, bytes: (bytes.len() - Header::LEN) as u64 };
        let key = |client, kind| Key { client, kind, id: header.id(), sequence: header.sequence(version) };
        match role(version, header.kind) {
            Role::Request => {
                let key = key(dir, header.kind);
                if let Some(w) = self.pending.take(&key) {
                    self.unanswered(w, note::DUPLICATE, cx);
                }
                if let Some(w) = self.pending.push(key, seen.time, seen.bytes, Entries::new(), header, cx) {
                    self.unanswered(w, note::NO_RESPONSE, cx);
                }
            }
            Role::Reply(asked) => {
                let client = dir.flip();
                match self.pending.take(&key(client, asked)) {
                    Some(w) => {
                        let request = Seen { header: w.more, time: w.start, bytes: w.bytes };
                        publish(client, Some(request), Some(seen), None, None, cx);
                        self.pending.done(w, cx);
                    }
                    None => {
                        cx.counters.unmatched_responses += 1;
                        publish(client, None, Some(seen), Some(note::ORPHAN), None, cx);
                    }
                }
            }
            Role::Error | Role::Alone => publish(dir, Some(seen), None, None, Some(bytes), cx),
        }
        Step::need(bytes.len(), 1)
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        while let Some(w) = self.pending.pop() {
            self.unanswered(w, note::NO_RESPONSE, cx);
        }
    }

    fn expire(&mut self, cx: &mut Cx<'_>) {
        while let Some(w) = self.pending.expired(cx) {
            self.unanswered(w, note::NO_RESPONSE, cx);
        }
    }

    fn reset(&mut self) {
        self.pending.reset();
    }
}

impl Icmp {
    fn unanswered(&mut self, w: Waiting<Key, Header>, note: &'static str, cx: &mut Cx<'_>) {
        cx.counters.unmatched_requests += 1;
        let request = Seen { header: w.more, time: w.start, bytes: w.bytes };
        publish(w.key.client, Some(request), None, Some(note), None, cx);
        self.pending.done(w, cx);
    }
}

/// Makes the event of a request, an answer, or both. `alone` is the whole message, when it wants no answer.
fn publish(
    client: Dir,
    request: Option<Seen>,
    response: Option<Seen>,
    note: Option<&'static str>,
    alone: Option<&[u8]>,
    cx: &mut Cx<'_>,
) {
    let Some(first) = request.or(response) else { return };
    let key = cx.flow.key;
    let (transport, from, to) = (key.transport(), key.sender(client), key.receiver(client));
    let version = Version::of(transport);
    let role = role(version, first.header.kind);
    let quoted = alone.and_then(|message| quoted::read(message, version));
    // The id depends on type and code: those of the request; of a lone answer, as its receiver would have asked.
    let (sender, receiver) = if request.is_some() { (from, to) } else { (to, from) };

    let mut t = Transaction::new(client);
    t.start = request.map(|r| r.time);
    t.end = response.map(|r| r.time);
    t.bytes = [request.map(|r| r.bytes), response.map(|r| r.bytes)];
    t.ok = note.is_none() && role != Role::Error;
    t.notes = note.as_slice();
    t.protocol = Some("");
    t.community_id = Some(community_id(sender, receiver, transport, Some((first.header.kind, first.header.code))));

    let common = cx.common;
    cx.emit(&t, |e| {
        e.put(&ecs::PATH, to.addr());
        e.put(&VERSION, version.number());
        let halves = [
            (request, [&REQUEST_MESSAGE, &REQUEST_TYPE, &REQUEST_CODE], common.send_request.then_some(&ecs::REQUEST)),
            (response, [&RESPONSE_MESSAGE, &RESPONSE_TYPE, &RESPONSE_CODE], common.send_response.then_some(&ecs::RESPONSE)),
        ];
        for (half, [message, kind, code], text) in halves {
            let Some(Seen { header, bytes, .. }) = half else { continue };
            e.put_with(message, |out| names::write(version, header.kind, header.code, out));
            e.put(kind, header.kind);
            e.put(code, header.code);
            if let Some(field) = text {
                e.put_with(field, |out| {
                    names::write(version, header.kind, header.code, out);
                    if role != Role::Error && role != Role::Alone {
                        let _ = write!(out, "; ID {}; SEQ {}", header.id(), header.sequence(version));
                    }
                    let _ = write!(out, "; {bytes} bytes");
                });
            }
        }
        match alone {
            Some(message) => put_content(e, version, &first.header, message),
            None => {
                e.put(&ID, first.header.id());
                e.put(&SEQUENCE, first.header.sequence(version));
            }
        }
        if let Some(quoted) = &quoted {
            put_quoted(e, quoted);
        }
    });
}

/// What messages without an answer say beside type and code.
fn put_content(e: &mut Entries, version: Version, header: &Header, message: &[u8]) {
    let [a, b, c, d] = header.rest;
    let address = || Some(Endpoint::v6(*message.get(Header::LEN..)?.first_chunk()?, 0).addr());
    match (version, header.kind, header.code) {
        // Zero: a router that does not know RFC 1191.
        (Version::V4, 3, 4) if [c, d] != [0, 0] => e.put(&MTU, u16::from_be_bytes([c, d])),
        (Version::V4, 5, _) => e.put(&GATEWAY, IpAddr::from(header.rest)),
        (Version::V4, 12, 0) => e.put(&POINTER, a),
        (Version::V6, 2, _) => e.put(&MTU, u32::from_be_bytes([a, b, c, d])),
        (Version::V6, 4, _) => e.put(&POINTER, u32::from_be_bytes([a, b, c, d])),
        (Version::V6, 135 | 136, _) => {
            if let Some(ip) = address() {
                e.put(&TARGET, ip);
            }
        }
        (Version::V6, 137, _) => {
            if let Some(ip) = address() {
                e.put(&GATEWAY, ip);
            }
        }
        _ => {}
    }
}

fn put_quoted(e: &mut Entries, quoted: &Quoted) {
    if let Some(name) = quoted.transport.name() {
        e.put(&QUOTED_TRANSPORT, name);
    }
    e.put(&QUOTED_SOURCE_IP, quoted.from.addr());
    e.put(&QUOTED_DESTINATION_IP, quoted.to.addr());
    if quoted.whole && quoted.transport.has_ports() {
        e.put(&QUOTED_SOURCE_PORT, quoted.from.port);
        e.put(&QUOTED_DESTINATION_PORT, quoted.to.port);
    }
    if let Some(id) = quoted.community_id() {
        e.put_text(&QUOTED_COMMUNITY_ID, &id);
    }
}
