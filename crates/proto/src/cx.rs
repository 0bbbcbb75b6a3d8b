//! What a parser is given beside bytes: time, flow, memory, counters, and the way out for events.

use wirebeat_model::{
    Budget, CommunityId, Counters, Dir, Endpoint, Entries, Event, EventId, FlowInfo, Pool, Scalar, Time,
    Transport, ecs,
};

use crate::{Common, Spec};

/// Where events go: the shard's, one for all its flows.
#[derive(Debug, Default)]
pub struct Sink {
    /// Events made since the shard last took them.
    pub events: Vec<Event>,
    /// Where events come from.
    pub pool: Pool,
    /// The sensor's uuid or the file's digest, for ids.
    pub source: u64,
    /// Names of devices, by [`wirebeat_model::Frame::device`].
    pub device_names: Vec<(u32, String)>,
    /// Whether events whose direction is `egress` are not made (`ignore_outgoing`).
    pub ignore_outgoing: bool,
}

impl Sink {
    /// Whether events of this flow that this side began are not wanted.
    pub fn ignores(&self, flow: &FlowInfo, from: Dir) -> bool {
        self.ignore_outgoing && flow.network_direction[from.index()] == "egress"
    }
}

/// A flow that a protocol knows will come: FTP data, SIP media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The protocol that shall decode it.
    pub protocol: &'static str,
    /// Its transport.
    pub transport: Transport,
    /// The endpoint that will be addressed.
    pub server: Endpoint,
    /// Until when it may begin.
    pub until: Time,
}

/// A request, its answer, or both, ready to be told.
pub struct Transaction<'a> {
    /// The direction in which the client sends.
    pub client: Dir,
    /// First byte of the request; `None` when it was not seen.
    pub start: Option<Time>,
    /// Last byte of the answer; `None` when it was not seen.
    pub end: Option<Time>,
    /// Bytes of the request and of the answer, where seen.
    pub bytes: [Option<u64>; 2],
    /// Whether `status` is OK.
    pub ok: bool,
    /// `error.message`.
    pub notes: &'a [&'a str],
    /// The name the server was asked by: `server.domain` and `destination.domain`.
    pub domain: Option<&'a [u8]>,
    /// More names for `related.hosts`, after the domain.
    pub hosts: &'a [&'a [u8]],
    /// More addresses for `related.ip`.
    pub ips: &'a [u128],
    /// `network.protocol`, where it is not the protocol's own name; empty for none.
    pub protocol: Option<&'static str>,
    /// Community id, where it is not the flow's (ICMP: it depends on the message).
    pub community_id: Option<CommunityId>,
}

impl Transaction<'_> {
    /// A transaction of which nothing is known yet but who asked.
    pub fn new(client: Dir) -> Self {
        Self {
            client,
            start: None,
            end: None,
            bytes: [None; 2],
            ok: true,
            notes: &[],
            domain: None,
            hosts: &[],
            ips: &[],
            protocol: None,
            community_id: None,
        }
    }
}

/// What a parser is given beside bytes.
pub struct Cx<'a> {
    /// When the packet that brought the bytes was captured; in `expire`, the deadline.
    pub now: Time,
    /// The stream's clock: the latest time of any packet so far, or the deadline. Never goes back.
    pub clock: Time,
    /// The flow.
    pub flow: &'a mut FlowInfo,
    /// Memory to borrow from.
    pub budget: &'a mut Budget,
    /// The shard's counters.
    pub counters: &'a mut Counters,
    /// The protocol.
    pub spec: &'static Spec,
    /// Its common options.
    pub common: &'a Common,
    /// Where events go.
    pub sink: &'a mut Sink,
    /// Flows to come.
    pub expected: &'a mut Vec<Expectation>,
    /// When the parser wants [`crate::Parser::expire`] called; the earliest wish counts.
    pub wake: Option<Time>,
}

impl Cx<'_> {
    /// Asks for [`crate::Parser::expire`] at `time`.
    pub fn wake_at(&mut self, time: Time) {
        self.wake = Some(self.wake.map_or(time, |t| t.min(time)));
    }

    /// Tells of a flow that will come.
    pub fn expect(&mut self, expectation: Expectation) {
        self.expected.push(expectation);
    }

    /// Makes an event of a transaction; `fill` adds the protocol's own fields.
    pub fn emit(&mut self, t: &Transaction<'_>, fill: impl FnOnce(&mut Entries)) {
        if !self.flow.source_known {
            self.flow.source = t.client;
            self.flow.source_known = true;
        }
        if self.sink.ignores(self.flow, t.client) {
            return;
        }
        let mut event = self.sink.pool.take();
        let time = t.start.or(t.end).unwrap_or(self.now);
        event.stamp = self.clock;
        event.id = EventId::new(self.sink.source, time, &self.flow.key, self.flow.start, self.flow.events);
        self.flow.events = self.flow.events.wrapping_add(1);
        self.counters.events += 1;
        let f = &mut event.fields;
        fill(f);
        f.put(&ecs::TIMESTAMP, time);
        f.put(&ecs::TYPE, self.spec.name);
        f.put(&ecs::STATUS, if t.ok { "OK" } else { "Error" });
        f.put_with(&ecs::EVENT_ID, |out| event.id.write(out));
        f.put(&ecs::EVENT_KIND, "event");
        f.put_array(&ecs::EVENT_CATEGORY, |a| a.push("network"));
        f.put_array(&ecs::EVENT_TYPE, |a| self.spec.event_type.iter().for_each(|t| a.push(*t)));
        f.put(&ecs::EVENT_DATASET, self.spec.name);
        if let Some(start) = t.start {
            f.put(&ecs::EVENT_START, start);
        }
        if let Some(end) = t.end {
            f.put(&ecs::EVENT_END, end);
        }
        if let (Some(start), Some(end)) = (t.start, t.end) {
            f.put(&ecs::EVENT_DURATION, end.since(start));
        }
        match t.notes {
            [] => {}
            [one] => f.put(&ecs::ERROR_MESSAGE, *one),
            many => f.put_array(&ecs::ERROR_MESSAGE, |a| many.iter().for_each(|n| a.push(*n))),
        }
        if !self.common.tags.is_empty() {
            f.put_array(&ecs::TAGS, |a| self.common.tags.iter().for_each(|t| a.push(t.as_str())));
        }
        self.put_network(t, f);
        self.sink.events.push(event);
    }

    fn put_network(&self, t: &Transaction<'_>, f: &mut Entries) {
        let key = &self.flow.key;
        let (client, server) = (key.sender(t.client), key.receiver(t.client));
        f.put(&ecs::SOURCE_IP, Scalar::Ip(client.ip));
        f.put(&ecs::CLIENT_IP, Scalar::Ip(client.ip));
        f.put(&ecs::DESTINATION_IP, Scalar::Ip(server.ip));
        f.put(&ecs::SERVER_IP, Scalar::Ip(server.ip));
        if key.transport().has_ports() {
            f.put(&ecs::SOURCE_PORT, client.port);
            f.put(&ecs::CLIENT_PORT, client.port);
            f.put(&ecs::DESTINATION_PORT, server.port);
            f.put(&ecs::SERVER_PORT, server.port);
        }
        if let Some(n) = t.bytes[0] {
            f.put(&ecs::SOURCE_BYTES, n);
            f.put(&ecs::CLIENT_BYTES, n);
        }
        if let Some(n) = t.bytes[1] {
            f.put(&ecs::DESTINATION_BYTES, n);
            f.put(&ecs::SERVER_BYTES, n);
        }
        if t.bytes != [None; 2] {
            f.put(&ecs::NETWORK_BYTES, t.bytes[0].unwrap_or(0) + t.bytes[1].unwrap_or(0));
        }
        if let Some(domain) = t.domain {
            f.put_text(&ecs::DESTINATION_DOMAIN, domain);
            f.put_text(&ecs::SERVER_DOMAIN, domain);
        }
        if let Some((dir, other)) = self.flow.nat {
            put_nat(f, dir == t.client, other);
        }
        f.put(&ecs::NETWORK_TYPE, if key.is_v4() { "ipv4" } else { "ipv6" });
        if let Some(name) = key.transport().name() {
            f.put(&ecs::NETWORK_TRANSPORT, name);
        }
        let protocol = t.protocol.unwrap_or(self.spec.name);
        if !protocol.is_empty() {
            f.put(&ecs::NETWORK_PROTOCOL, protocol);
        }
        let community = t.community_id.as_ref().unwrap_or(&self.flow.community_id);
        f.put_text(&ecs::NETWORK_COMMUNITY_ID, community);
        f.put(&ecs::NETWORK_DIRECTION, self.flow.network_direction[t.client.index()]);
        f.put_array(&ecs::RELATED_IP, |a| {
            a.push(Scalar::Ip(client.ip));
            if server.ip != client.ip {
                a.push(Scalar::Ip(server.ip));
            }
            for (i, ip) in t.ips.iter().enumerate() {
                if *ip != client.ip && *ip != server.ip && !t.ips[..i].contains(ip) {
                    a.push(Scalar::Ip(*ip));
                }
            }
        });
        f.put_array(&ecs::RELATED_HOSTS, |a| {
            for name in t.domain.iter().chain(t.hosts) {
                a.push_text(name);
            }
        });
        if let Some((_, name)) = self.sink.device_names.iter().find(|(id, _)| *id == self.flow.device) {
            f.put(&ecs::OBSERVER_INTERFACE, name.as_str());
        }
    }
}

/// The other name of one side of a flow, under ECS `nat`.
pub fn put_nat(f: &mut Entries, is_source: bool, other: Endpoint) {
    let (ip, port) = if is_source {
        (&ecs::SOURCE_NAT_IP, &ecs::SOURCE_NAT_PORT)
    } else {
        (&ecs::DESTINATION_NAT_IP, &ecs::DESTINATION_NAT_PORT)
    };
    f.put(ip, other.addr());
    f.put(port, other.port);
}
