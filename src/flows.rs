//! Flow records: what a flow was, whether or not anything decoded it.

use wirebeat_model::{
    Counters, Dir, Entries, EventId, Field, FlowInfo, Kind, Time, Transport, Unit, ecs, fields,
};
use wirebeat_proto::{Sink, icmp, put_nat};

fields! {
    pub FIELDS:
    FLOW_ID = Field::new("flow.id", Kind::Keyword, "The flow, unique over sensors: the same in each of its records.");
    FLOW_FINAL = Field::new("flow.final", Kind::Boolean, "Whether this is its last record.");
    FLOW_VLAN = Field::new("flow.vlan", Kind::Long, "VLAN ids of its first packet, outermost first.");
    FLOW_END_REASON = Field::new("flow.end_reason", Kind::Keyword, "Why it ended: fin, rst, timeout, evicted, new_connection (the ports were used again) or shutdown (the capture ended).");
    FLOW_ICMP = Field::new("flow.icmp_error", Kind::Keyword, "ICMP errors that quoted one of its packets, each kind once.");
    TOTAL_BYTES = Field::new("flow.total.bytes", Kind::Long, "Bytes of both sides since it began.").unit(Unit::Bytes);
    TOTAL_PACKETS = Field::new("flow.total.packets", Kind::Long, "Packets of both sides since it began.").unit(Unit::Packets);
    TOTAL_SOURCE_BYTES = Field::new("flow.total.source.bytes", Kind::Long, "Bytes its source sent since it began.").unit(Unit::Bytes);
    TOTAL_SOURCE_PACKETS = Field::new("flow.total.source.packets", Kind::Long, "Packets its source sent since it began.").unit(Unit::Packets);
    TOTAL_DESTINATION_BYTES = Field::new("flow.total.destination.bytes", Kind::Long, "Bytes its destination sent since it began.").unit(Unit::Bytes);
    TOTAL_DESTINATION_PACKETS = Field::new("flow.total.destination.packets", Kind::Long, "Packets its destination sent since it began.").unit(Unit::Packets);
    TCP_STATE = Field::new("flow.tcp.state", Kind::Keyword, "Where the connection stands.");
    TCP_FLAGS_SOURCE = Field::new("flow.tcp.flags.source", Kind::Keyword, "Flags its source has set.");
    TCP_FLAGS_DESTINATION = Field::new("flow.tcp.flags.destination", Kind::Keyword, "Flags its destination has set.");
    TCP_RETRANSMITS = Field::new("flow.tcp.retransmits", Kind::Long, "Segments seen again since it began.");
    TCP_OUT_OF_ORDER = Field::new("flow.tcp.out_of_order", Kind::Long, "Segments that came before an earlier one since it began.");
    TCP_LOST_BYTES = Field::new("flow.tcp.lost_bytes", Kind::Long, "Bytes of its streams that the capture never saw.").unit(Unit::Bytes);
    TCP_RTT = Field::new("flow.tcp.handshake_rtt", Kind::Long, "From SYN to the ACK that completes the handshake: one round trip as seen from here.").unit(Unit::Nanos);
}

/// What a flow has counted, by direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames.
    pub packets: [u64; 2],
    /// Their bytes on the wire.
    pub bytes: [u64; 2],
}

impl Tally {
    fn minus(self, other: Self) -> Self {
        let sub = |a: [u64; 2], b: [u64; 2]| [a[0] - b[0], a[1] - b[1]];
        Self { packets: sub(self.packets, other.packets), bytes: sub(self.bytes, other.bytes) }
    }
}

/// What a TCP connection has to say in a record.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpRecord {
    /// Where it stands.
    pub state: &'static str,
    /// Flags seen, by direction.
    pub flags: [u8; 2],
    /// Segments seen again.
    pub retransmits: u32,
    /// Segments that came before an earlier one.
    pub out_of_order: u32,
    /// Bytes never seen.
    pub lost: u64,
    /// SYN to the handshake's last ACK, nanoseconds.
    pub rtt: Option<u64>,
}

/// A kind of ICMP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpKind {
    /// ICMP or ICMPv6.
    pub transport: Transport,
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
}

/// A record about to be written.
pub struct Record<'a> {
    /// All it has counted.
    pub total: Tally,
    /// What its earlier records have told.
    pub told: Tally,
    /// Whether byte and packet numbers are the change since the last record.
    pub delta: bool,
    /// Its last packet.
    pub last: Time,
    /// Why it ended, `None` in an interim record.
    pub end: Option<&'static str>,
    /// The application protocol, decoded or guessed.
    pub protocol: Option<&'static str>,
    /// Its TCP part.
    pub tcp: Option<TcpRecord>,
    /// Kinds of ICMP error that quoted it.
    pub icmp: &'a [IcmpKind],
    /// Labels from the configuration.
    pub tags: &'a [String],
}

/// Makes the event of a record, stamped `clock`.
pub fn emit(flow: &mut FlowInfo, r: &Record<'_>, clock: Time, sink: &mut Sink, counters: &mut Counters) {
    if sink.ignores(flow, flow.source) {
        return;
    }
    let mut event = sink.pool.take();
    event.stamp = clock;
    event.id = EventId::new(sink.source, flow.start, &flow.key, flow.start, flow.events);
    flow.events = flow.events.wrapping_add(1);
    counters.events += 1;
    let f = &mut event.fields;
    f.put(&ecs::TIMESTAMP, r.last);
    f.put(&ecs::TYPE, "flow");
    f.put_with(&ecs::EVENT_ID, |out| event.id.write(out));
    f.put(&ecs::EVENT_KIND, "event");
    f.put_array(&ecs::EVENT_CATEGORY, |a| a.push("network"));
    f.put(&ecs::EVENT_ACTION, "network_flow");
    f.put(&ecs::EVENT_DATASET, "flow");
    f.put_array(&ecs::EVENT_TYPE, |a| {
        a.push("connection");
        if r.end.is_some() {
            a.push("end");
        }
    });
    f.put(&ecs::EVENT_START, flow.start);
    f.put(&ecs::EVENT_END, r.last);
    f.put(&ecs::EVENT_DURATION, r.last.since(flow.start));
    f.put_with(&FLOW_ID, |out| {
        EventId::new(sink.source, flow.start, &flow.key, flow.start, u32::MAX).write(out)
    });
    f.put(&FLOW_FINAL, r.end.is_some());
    if let Some(reason) = r.end {
        f.put(&FLOW_END_REASON, reason);
    }
    match flow.vlan {
        [0, _] => {}
        [one, 0] => f.put(&FLOW_VLAN, one),
        both => f.put_array(&FLOW_VLAN, |a| both.iter().for_each(|v| a.push(*v))),
    }
    f.put_array(&FLOW_ICMP, |a| {
        for i in r.icmp {
            a.push_text(icmp::message_name(i.transport, i.kind, i.code).as_bytes());
        }
    });
    if !r.tags.is_empty() {
        f.put_array(&ecs::TAGS, |a| r.tags.iter().for_each(|t| a.push(t.as_str())));
    }
    put_sides(flow, r, f);
    if let Some(protocol) = r.protocol {
        f.put(&ecs::NETWORK_PROTOCOL, protocol);
    }
    if let Some(tcp) = &r.tcp {
        put_tcp(tcp, flow.source, f);
    }
    if let Some((_, name)) = sink.device_names.iter().find(|(id, _)| *id == flow.device) {
        f.put(&ecs::OBSERVER_INTERFACE, name.as_str());
    }
    sink.events.push(event);
}

fn put_sides(flow: &FlowInfo, r: &Record<'_>, f: &mut Entries) {
    let key = &flow.key;
    let shown = if r.delta { r.total.minus(r.told) } else { r.total };
    let (s, d) = (flow.source.index(), flow.source.flip().index());
    let (source, destination) = (key.sender(flow.source), key.receiver(flow.source));
    f.put(&ecs::SOURCE_IP, source.addr());
    f.put(&ecs::DESTINATION_IP, destination.addr());
    if key.transport().has_ports() {
        f.put(&ecs::SOURCE_PORT, source.port);
        f.put(&ecs::DESTINATION_PORT, destination.port);
    }
    for (mac, field) in [(flow.mac[s], &ecs::SOURCE_MAC), (flow.mac[d], &ecs::DESTINATION_MAC)] {
        if let Some(mac) = mac {
            f.put_with(field, |out| write_mac(mac, out));
        }
    }
    // A side that never sent anything has no numbers, as the peer has it.
    if r.total.packets[s] > 0 {
        f.put(&ecs::SOURCE_BYTES, shown.bytes[s]);
        f.put(&ecs::SOURCE_PACKETS, shown.packets[s]);
    }
    if r.total.packets[d] > 0 {
        f.put(&ecs::DESTINATION_BYTES, shown.bytes[d]);
        f.put(&ecs::DESTINATION_PACKETS, shown.packets[d]);
    }
    f.put(&ecs::NETWORK_BYTES, shown.bytes[0] + shown.bytes[1]);
    f.put(&ecs::NETWORK_PACKETS, shown.packets[0] + shown.packets[1]);
    f.put(&TOTAL_BYTES, r.total.bytes[0] + r.total.bytes[1]);
    f.put(&TOTAL_PACKETS, r.total.packets[0] + r.total.packets[1]);
    f.put(&TOTAL_SOURCE_BYTES, r.total.bytes[s]);
    f.put(&TOTAL_SOURCE_PACKETS, r.total.packets[s]);
    f.put(&TOTAL_DESTINATION_BYTES, r.total.bytes[d]);
    f.put(&TOTAL_DESTINATION_PACKETS, r.total.packets[d]);
    if let Some((dir, other)) = flow.nat {
        put_nat(f, dir == flow.source, other);
    }
    f.put(&ecs::NETWORK_TYPE, if key.is_v4() { "ipv4" } else { "ipv6" });
    match key.transport().name() {
        Some(name) => f.put(&ecs::NETWORK_TRANSPORT, name),
        None => f.put_with(&ecs::NETWORK_IANA_NUMBER, |out| {
            out.extend_from_slice(key.transport().0.to_string().as_bytes());
        }),
    }
    f.put_text(&ecs::NETWORK_COMMUNITY_ID, &flow.community_id);
    f.put(&ecs::NETWORK_DIRECTION, flow.network_direction[flow.source.index()]);
    f.put_array(&ecs::RELATED_IP, |a| {
        a.push(source.addr());
        if destination.ip != source.ip {
            a.push(destination.addr());
        }
    });
}

fn put_tcp(tcp: &TcpRecord, source: Dir, f: &mut Entries) {
    f.put(&TCP_STATE, tcp.state);
    for (dir, field) in [(source, &TCP_FLAGS_SOURCE), (source.flip(), &TCP_FLAGS_DESTINATION)] {
        let flags = tcp.flags[dir.index()];
        f.put_array(field, |a| {
            for (bit, name) in
                ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"].into_iter().enumerate()
            {
                if flags & (1 << bit) != 0 {
                    a.push(name);
                }
            }
        });
    }
    f.put(&TCP_RETRANSMITS, tcp.retransmits);
    f.put(&TCP_OUT_OF_ORDER, tcp.out_of_order);
    f.put(&TCP_LOST_BYTES, tcp.lost);
    if let Some(rtt) = tcp.rtt {
        f.put(&TCP_RTT, rtt);
    }
}

/// `24-65-11-E4-AE-6F`: ECS writes hardware addresses in upper case with dashes (RFC 7042).
fn write_mac(mac: [u8; 6], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for (i, b) in mac.into_iter().enumerate() {
        if i > 0 {
            out.push(b'-');
        }
        out.extend_from_slice(&[HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
    }
}
