//! A conversation of any protocol with any options, through the shared stream.

use wirebeat_model::config::{Item, Node, OptionDoc, Pos, Report, Section};
use wirebeat_model::{
    Budget, Counters, Dir, Endpoint, FlowInfo, FlowKey, JsonWriter, Pool, Precision, Time, Transport,
    community_id,
};
use wirebeat_net::flow::boundary;
use wirebeat_proto::{Cx, Entry, Expectation, Factory, PROTOCOLS, Sink, Stream, Verdict};

use super::script::{START, Script, put_len};

/// The first byte chooses the protocol.
pub fn any(data: &[u8]) {
    if let Some((first, rest)) = data.split_first() {
        talk(&PROTOCOLS[usize::from(*first) % PROTOCOLS.len()], rest);
    }
}

/// The protocol of this name; `false` when there is none.
pub fn one(name: &str, data: &[u8]) -> bool {
    let entry = wirebeat_proto::by_name(name);
    if let Some(entry) = entry {
        talk(entry, data);
    }
    entry.is_some()
}

/// An option's value by two bits; 0 leaves it out.
fn value(doc: &OptionDoc, bits: u64) -> Option<Node> {
    let text = |s: &str| Node::Str(s.into());
    let list = |words: &[&str]| {
        let pos = Pos::default();
        Node::List(words.iter().map(|w| Item { node: Node::Str((*w).into()), pos }).collect())
    };
    Some(match (doc.takes, bits) {
        (_, 0) => return None,
        ("true or false", n) => Node::Bool(n != 3),
        ("a list of texts", 1) => list(&["text", "json", "x-www-form"]),
        ("a list of texts", 2) => list(&["password", "Cookie", "user"]),
        ("a list of texts", _) => list(&["", "a"]),
        ("a text", 1) => text("X-Forwarded-For"),
        ("a text", _) => text("a"),
        ("bytes, e.g. 10MB", n) => Node::Int([64, 0, 2000][n as usize - 1]),
        ("a whole number", n) => Node::Int([1, 10, 100][n as usize - 1]),
        ("a duration, e.g. 10s", n) => text(["1ms", "0s", "1s"][n as usize - 1]),
        _ => return None,
    })
}

/// The protocol with options that eight bytes choose.
fn configure(entry: &Entry, bits: u64, redact: bool) -> std::sync::Arc<dyn Factory> {
    let docs = Section::describe(|s| {
        entry.configure(s, redact);
    });
    let pos = Pos::default();
    let map = docs.iter().enumerate().filter_map(|(i, doc)| {
        let node = value(doc, bits >> (i * 2 % 64) & 3)?;
        Some((doc.name.to_owned(), pos, Item { node, pos }))
    });
    let item = Item { node: Node::Map(map.collect()), pos };
    // A value that an option refuses is no matter: its default holds.
    let mut report = Report::default();
    entry.configure(&mut Section::new("", Some(&item), &mut report), redact)
}

struct Talk {
    factory: std::sync::Arc<dyn Factory>,
    stream: Stream,
    transport: Transport,
    flow: FlowInfo,
    budget: Budget,
    counters: Counters,
    sink: Sink,
    expected: Vec<Expectation>,
    now: Time,
    clock: Time,
    wake: Option<Time>,
    json: JsonWriter,
    line: Vec<u8>,
    told: u64,
}

impl Talk {
    fn with<T>(&mut self, f: impl FnOnce(&mut Stream, &mut Cx<'_>) -> T) -> T {
        let mut cx = Cx {
            now: self.now,
            clock: self.clock,
            flow: &mut self.flow,
            budget: &mut self.budget,
            counters: &mut self.counters,
            spec: self.factory.spec(),
            common: self.factory.common(),
            sink: &mut self.sink,
            expected: &mut self.expected,
            wake: self.wake,
        };
        let out = f(&mut self.stream, &mut cx);
        self.wake = cx.wake;
        out
    }

    /// As a shard does: what is due is fired before a packet is looked at.
    fn pass(&mut self, to: Time) {
        let clock = self.clock.max(to);
        while let Some(wake) = self.wake.filter(|w| boundary(*w) <= clock) {
            let due = boundary(wake).max(self.clock);
            (self.now, self.clock, self.wake) = (due, due, None);
            self.with(|s, cx| s.expire(cx));
            let again = self.wake.is_some_and(|w| w <= due);
            assert!(!again || due == Time::MAX, "woken for nothing");
            if again {
                break;
            }
        }
        (self.now, self.clock) = (to, clock);
    }

    fn after(&mut self, verdict: Verdict) {
        if verdict == Verdict::Go {
            return;
        }
        if let Verdict::Become(_) = verdict {
            self.with(|s, cx| {
                s.take_rest(Dir::AtoB, cx);
                s.take_rest(Dir::BtoA, cx);
            });
        }
        self.close();
    }

    /// The flow ends; the next one is served by the same parser.
    fn close(&mut self) {
        self.with(|s, cx| s.close(cx));
        assert_eq!(self.budget.used(), 0, "all memory comes back");
        self.wake = None;
        self.tell();
    }

    fn tell(&mut self) {
        for event in self.sink.events.drain(..) {
            assert!(event.stamp <= self.clock);
            self.line.clear();
            self.json.write(&event.fields, &mut self.line);
            if super::is_checked(self.told) {
                super::check_json(&self.line);
            }
            self.told += 1;
            self.sink.pool.give(event);
        }
        self.expected.clear();
    }

    fn say(&mut self, dir: Dir, bytes: &[u8]) {
        let verdict = if self.transport == Transport::TCP {
            self.with(|s, cx| s.data(dir, bytes, cx))
        } else if bytes.is_empty() {
            Verdict::Go
        } else {
            self.with(|s, cx| s.datagram(dir, bytes, cx))
        };
        self.after(verdict);
    }
}

impl Talk {
    /// A flow whose protocol's options `bits` choose, and the rest `flags`.
    fn new(entry: &Entry, flags: u8, bits: u64) -> Self {
        let factory = configure(entry, bits, flags & 1 != 0);
        let transports = entry.spec.transports;
        let transport = transports[usize::from(flags >> 1 & 3) % transports.len()];
        let port = entry.spec.ports.first().copied().unwrap_or(0);
        let (from, to) = if transport.has_ports() { (40_000, port) } else { (0, 0) };
        let (a, b) = if transport == Transport::ICMP6 || flags & 8 != 0 {
            let v6 = |last| Endpoint::v6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last], 0).ip;
            (v6(1), v6(2))
        } else {
            (Endpoint::v4([198, 51, 100, 1], 0).ip, Endpoint::v4([198, 51, 100, 2], 0).ip)
        };
        let (a, b) = (Endpoint { ip: a, port: from }, Endpoint { ip: b, port: to });
        let (key, source) = FlowKey::new(a, b, transport, 0);
        Self {
            stream: Stream::new(factory.make()),
            factory,
            transport,
            flow: FlowInfo {
                key,
                source,
                source_known: flags & 0x10 != 0,
                start: START,
                events: 0,
                community_id: community_id(a, b, transport, None),
                device: 0,
                mac: [None; 2],
                vlan: [0; 2],
                nat: None,
                network_direction: ["unknown"; 2],
            },
            budget: Budget::new(if flags & 0x20 != 0 { 4096 } else { 16 << 20 }),
            counters: Counters::default(),
            sink: Sink {
                events: Vec::new(),
                pool: Pool::default(),
                source: 1,
                device_names: Vec::new(),
                ignore_outgoing: false,
            },
            expected: Vec::new(),
            now: START,
            clock: START,
            wake: None,
            json: JsonWriter::new(wirebeat::engine::schema(), Precision::Nano),
            line: Vec::new(),
            told: 0,
        }
    }
}

fn talk(entry: &Entry, data: &[u8]) {
    let mut s = Script::new(data);
    let flags = s.u8();
    let mut talk = Talk::new(entry, flags, s.u64());
    while s.more() {
        let head = s.u8();
        let dir = if head & 1 == 0 { Dir::AtoB } else { Dir::BtoA };
        if head & 2 != 0 {
            let to = s.time(talk.now);
            talk.pass(to);
        }
        let tcp = talk.transport == Transport::TCP;
        match head >> 4 {
            0..=9 => {
                let len = s.len();
                talk.say(dir, s.bytes(len));
            }
            10 | 11 => {
                let len = s.len();
                s.bytes(len).chunks(1 + usize::from(head >> 2 & 3)).for_each(|c| talk.say(dir, c));
            }
            12 if tcp => {
                let lost = if head & 4 == 0 { u64::from(s.u8()) } else { u64::from(s.u32()) };
                let verdict = talk.with(|stream, cx| stream.gap(dir, lost, cx));
                talk.after(verdict);
            }
            13 if tcp => talk.with(|stream, cx| stream.end(dir, cx)),
            14 => talk.close(),
            // The same bytes many times, for what grows.
            15 => {
                let (times, len) = (s.u8(), s.len());
                let bytes = s.bytes(len.min(256));
                (0..times).for_each(|_| talk.say(dir, bytes));
            }
            _ => {}
        }
        talk.tell();
    }
    talk.close();
}

/// What a conversation gives, its pieces cut into smaller ones of `size` bytes, how it ended, and whether all of it was
/// understood.
fn cut(entry: &Entry, data: &[u8], size: usize) -> (Vec<String>, Verdict, bool) {
    let mut s = Script::new(data);
    // Over TCP, with memory enough.
    let flags = s.u8() & !0x26;
    let bits = s.u64();
    let mut talk = Talk::new(entry, flags | (tcp(entry) as u8) << 1, bits);
    let mut verdict = Verdict::Go;
    let mut left = entry.spec.max_held / 2;
    while s.more() && verdict == Verdict::Go {
        let head = s.u8();
        let dir = if head & 1 == 0 { Dir::AtoB } else { Dir::BtoA };
        if head & 2 != 0 {
            // A time, which stands still here.
            s.u8();
        }
        match head >> 4 {
            0..=14 => {
                let len = s.len();
                let bytes = s.bytes(len.min(left));
                left -= bytes.len();
                for piece in bytes.chunks(size) {
                    verdict = talk.with(|s, cx| s.data(dir, piece, cx));
                    if verdict != Verdict::Go {
                        break;
                    }
                }
            }
            _ => talk.with(|stream, cx| stream.end(dir, cx)),
        }
    }
    talk.with(|s, cx| s.close(cx));
    let mut lines = Vec::new();
    for event in talk.sink.events.drain(..) {
        talk.line.clear();
        talk.json.write(&event.fields, &mut talk.line);
        lines.push(String::from_utf8_lossy(&talk.line).into_owned());
    }
    (lines, verdict, talk.counters.unparsed == 0)
}

fn tcp(entry: &Entry) -> usize {
    entry.spec.transports.iter().position(|t| *t == Transport::TCP).unwrap_or(usize::MAX)
}

/// However a stream is cut into segments, it says the same, as long as it makes sense: where the next message is among
/// bytes that make none is a guess.
pub fn cuts(data: &[u8]) {
    let mut s = Script::new(data);
    let streams: Vec<_> = PROTOCOLS.iter().filter(|p| p.spec.transports.contains(&Transport::TCP)).collect();
    let entry = streams[usize::from(s.u8()) % streams.len()];
    let size = 1 + usize::from(s.u8() & 31);
    let rest = s.rest();
    let (whole, end, sense) = cut(entry, rest, usize::MAX);
    let (pieces, other_end, other_sense) = cut(entry, rest, size);
    if !sense || !other_sense {
        return;
    }
    for (n, (one, other)) in whole.iter().zip(&pieces).enumerate() {
        assert_eq!(one, other, "event {n}, in pieces of {size}");
    }
    assert_eq!((whole.len(), end), (pieces.len(), other_end), "in pieces of {size}");
}

/// The head of a seed: plain options.
pub fn seed_head(entry: &Entry, transport: Transport, options: u64, out: &mut Vec<u8>) {
    let at = entry.spec.transports.iter().position(|t| *t == transport).unwrap_or(0);
    out.push(1 | (at as u8) << 1);
    out.extend_from_slice(&options.to_le_bytes());
}

/// The seed of what one side says, a millisecond after the last.
pub fn seed_say(dir: Dir, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[2 | dir.index() as u8, 2]);
    put_len(out, bytes.len());
    out.extend_from_slice(&bytes[..bytes.len().min(65_535)]);
}
