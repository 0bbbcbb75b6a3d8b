//! A conversation for tests: says bytes, looks at the events.

use std::sync::Arc;
use std::time::Duration;

use wirebeat_model::config::{Item, Node, Pos, Report, Section};
use wirebeat_model::{
    Budget, Counters, Dir, Endpoint, FlowInfo, FlowKey, JsonWriter, Pool, Precision, Time, Transport,
    community_id,
};

use crate::{Cx, Expectation, Factory, Sink, Stream, Verdict, by_name, schema};

/// Two parties: the client (198.51.100.1, port 40000) and the server (198.51.100.2).
pub(crate) struct Talk {
    factory: Arc<dyn Factory>,
    stream: Stream,
    transport: Transport,
    client: Dir,
    flow: FlowInfo,
    budget: Budget,
    pub(crate) counters: Counters,
    sink: Sink,
    pub(crate) expected: Vec<Expectation>,
    now: Time,
    wake: Option<Time>,
    pub(crate) verdict: Verdict,
}

impl Talk {
    /// A fresh flow of this protocol over `transport` to its first port, with these options.
    pub(crate) fn new(protocol: &str, transport: Transport, options: &[(&str, Node)]) -> Self {
        Self::with(protocol, transport, options, false)
    }

    /// The same, with redaction on or off.
    pub(crate) fn with(protocol: &str, transport: Transport, options: &[(&str, Node)], redact: bool) -> Self {
        schema();
        let pos = Pos::default();
        let map =
            options.iter().map(|(k, n)| ((*k).to_owned(), pos, Item { node: n.clone(), pos })).collect();
        let item = Item { node: Node::Map(map), pos };
        let mut report = Report::default();
        let mut section = Section::new(protocol, Some(&item), &mut report);
        let factory = by_name(protocol).unwrap().configure(&mut section, redact);
        section.finish();
        assert!(report.errors.is_empty() && report.warnings.is_empty(), "{report:?}");
        let port = factory.spec().ports.first().copied().unwrap_or(0);
        let has_ports = transport.has_ports();
        let c = Endpoint::v4([198, 51, 100, 1], if has_ports { 40_000 } else { 0 });
        let s = Endpoint::v4([198, 51, 100, 2], if has_ports { port } else { 0 });
        let (key, client) = FlowKey::new(c, s, transport, 0);
        let start = Time::from_parts(1_000_000_000, 0);
        let flow = FlowInfo {
            key,
            source: client,
            source_known: true,
            start,
            events: 0,
            community_id: community_id(c, s, transport, None),
            device: 0,
            mac: [None; 2],
            vlan: [0; 2],
            nat: None,
            network_direction: ["unknown"; 2],
        };
        Self {
            stream: Stream::new(factory.make()),
            factory,
            transport,
            client,
            flow,
            budget: Budget::new(16 << 20),
            counters: Counters::default(),
            sink: Sink {
                events: Vec::new(),
                pool: Pool::default(),
                source: 1,
                device_names: Vec::new(),
                ignore_outgoing: false,
            },
            expected: Vec::new(),
            now: start,
            wake: None,
            verdict: Verdict::Go,
        }
    }

    /// Between these two instead; nothing was said yet.
    pub(crate) fn between(mut self, client: Endpoint, server: Endpoint) -> Self {
        (self.flow.key, self.client) = FlowKey::new(client, server, self.transport, 0);
        self.flow.source = self.client;
        self.flow.community_id = community_id(client, server, self.transport, None);
        self
    }

    fn run<T>(&mut self, f: impl FnOnce(&mut Stream, &mut Cx<'_>) -> T) -> T {
        let mut cx = Cx {
            now: self.now,
            clock: self.now,
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

    fn say(&mut self, dir: Dir, bytes: &[u8]) -> &mut Self {
        let tcp = self.transport == Transport::TCP;
        self.verdict =
            self.run(|s, cx| if tcp { s.data(dir, bytes, cx) } else { s.datagram(dir, bytes, cx) });
        self
    }

    /// The client says something (on UDP: one datagram).
    pub(crate) fn client(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.say(self.client, bytes.as_ref())
    }

    /// The server says something.
    pub(crate) fn server(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.say(self.client.flip(), bytes.as_ref())
    }

    /// `n` bytes of the client (`true`) or server were lost.
    pub(crate) fn gap(&mut self, client: bool, n: u64) -> &mut Self {
        let dir = if client { self.client } else { self.client.flip() };
        self.verdict = self.run(|s, cx| s.gap(dir, n, cx));
        self
    }

    /// The client (`true`) or server closes its side.
    pub(crate) fn end(&mut self, client: bool) -> &mut Self {
        let dir = if client { self.client } else { self.client.flip() };
        self.run(|s, cx| s.end(dir, cx));
        self
    }

    /// The flow ends.
    pub(crate) fn close(&mut self) -> &mut Self {
        self.run(|s, cx| s.close(cx));
        assert_eq!(self.budget.used(), 0, "all memory comes back");
        self
    }

    /// Time passes; what waited too long is woken.
    pub(crate) fn wait(&mut self, d: Duration) -> &mut Self {
        self.now = self.now + d;
        if self.wake.is_some_and(|t| t <= self.now) {
            self.wake = None;
            self.run(|s, cx| s.expire(cx));
        }
        self
    }

    /// The events so far, as JSON; forgets them.
    pub(crate) fn events(&mut self) -> Vec<serde_json::Value> {
        let mut writer = JsonWriter::new(schema(), Precision::Nano);
        let events = std::mem::take(&mut self.sink.events);
        let json = events.iter().map(|e| {
            let mut out = Vec::new();
            writer.write(&e.fields, &mut out);
            serde_json::from_slice(&out).unwrap()
        });
        json.collect()
    }
}
