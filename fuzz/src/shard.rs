//! A whole story of frames through ingress, one shard and the collector.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use wirebeat::collector::Collector;
use wirebeat::ingress::Ingress;
use wirebeat::parcel::{Batch, Content};
use wirebeat::shard::{Arrival, Settings, Shard};
use wirebeat::{config, engine};
use wirebeat_model::{Budget, Counters, Event, Frame, JsonWriter, LinkType, Precision, Time};
use wirebeat_net::Packet;

use super::frames::LINKS;
use super::script::{START, Script, put_len};

thread_local! {
    /// By options: they are made once.
    static SETTINGS: RefCell<HashMap<u8, Arc<Settings>>> = RefCell::default();
}

fn settings(options: u8) -> Arc<Settings> {
    let make = || {
        let mut config =
            config::parse(None, "", &[], Some(options & 1 != 0), &|_| None).expect("no configuration is one");
        config.detect = options & 2 == 0;
        config.flows.delta = options & 4 == 0;
        config.memory = if options & 8 != 0 { 16 << 10 } else { 16 << 20 };
        let mut settings = engine::settings(&config, 1, Vec::new(), 1, options & 0x10 != 0);
        Arc::get_mut(&mut settings).expect("not shared yet").max_flows =
            if options & 0x20 != 0 { 3 } else { 1000 };
        settings
    };
    SETTINGS.with_borrow_mut(|all| Arc::clone(all.entry(options & 0x3f).or_insert_with(make)))
}

const TCP: u8 = 6;
const UDP: u8 = 17;
/// Flows that are spoken of by number: IPv6 or not, transport, ports of a and b.
const FLOWS: [(bool, u8, u16, u16); 8] = [
    (false, TCP, 40_000, 80),
    (true, TCP, 40_001, 6379),
    (false, TCP, 40_002, 9999),
    (false, TCP, 40_003, 53),
    (false, UDP, 40_000, 53),
    (true, UDP, 53, 5353),
    (false, 1, 0, 0),
    (true, 58, 0, 0),
];

/// A packet of a flow, its headers written so that the content is what mutates.
fn compose(flow: usize, dir: usize, tcp: (u32, u32, u8), content: &[u8], out: &mut Vec<u8>) {
    let (v6, transport, a, b) = FLOWS[flow];
    let (from, to) = if dir == 0 { (a, b) } else { (b, a) };
    let head = match transport {
        TCP => 20,
        UDP => 8,
        _ => 0,
    };
    let len = (head + content.len()) as u16;
    let host = |n: usize| [198, 51, 100, 1 + n as u8];
    let (x, y) = (host(dir), host(1 - dir));
    if v6 {
        out.extend_from_slice(&[0x60, 0, 0, 0]);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(&[transport, 64]);
        for end in [x, y] {
            out.extend_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0]);
            out.extend_from_slice(&end);
        }
    } else {
        out.extend_from_slice(&[0x45, 0]);
        out.extend_from_slice(&(len + 20).to_be_bytes());
        out.extend_from_slice(&[0, 1, 0, 0, 64, transport, 0, 0]);
        out.extend_from_slice(&x);
        out.extend_from_slice(&y);
    }
    if head > 0 {
        out.extend_from_slice(&from.to_be_bytes());
        out.extend_from_slice(&to.to_be_bytes());
    }
    if transport == TCP {
        out.extend_from_slice(&tcp.0.to_be_bytes());
        out.extend_from_slice(&tcp.1.to_be_bytes());
        out.extend_from_slice(&[0x50, tcp.2, 0xff, 0xff, 0, 0, 0, 0]);
    } else if transport == UDP {
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
    }
    out.extend_from_slice(content);
}

/// Everything between a frame and a line.
struct Rig {
    ingress: Ingress,
    budget: Budget,
    counters: Counters,
    shard: Shard,
    batch: Option<Batch>,
    collector: Collector,
    json: JsonWriter,
    last: Option<(Time, wirebeat_model::EventId)>,
    told: u64,
    line: Vec<u8>,
}

impl Rig {
    fn frame(&mut self, frame: &Frame<'_>) {
        let (shard, batch) = (&mut self.shard, &mut self.batch);
        self.ingress.frame(frame, &mut self.budget, &mut self.counters, |packet, at| match batch {
            None => shard.packet(packet, at),
            Some(batch) => travel(packet, at, batch, shard),
        });
        self.collect(shard_clock(self.shard.clock()));
    }

    fn collect(&mut self, watermark: Time) {
        self.collector.accept(0, self.shard.events(), watermark);
        let ready: Vec<Event> = self.collector.ready().drain(..).collect();
        for event in ready {
            let order = (event.stamp, event.id);
            assert!(
                self.last.is_none_or(|last| last <= order),
                "events in order: {:?}, {order:?}",
                self.last
            );
            self.last = Some(order);
            self.line.clear();
            self.json.write(&event.fields, &mut self.line);
            if super::is_checked(self.told) {
                super::check_json(&self.line);
            }
            self.told += 1;
            self.shard.pool().give(event);
        }
    }
}

/// As the reader has it: the end of time says that a shard has ended.
fn shard_clock(clock: Time) -> Time {
    clock.min(Time(Time::MAX.0 - 1))
}

/// On its way to another thread a packet stays what it is.
fn travel(packet: &Packet<'_>, at: Arrival, batch: &mut Batch, shard: &mut Shard) {
    batch.push(packet, at);
    batch.drain(|content| match content {
        Content::Packet(other, at) => {
            let same = |p: &Packet<'_>| {
                (p.key, p.dir, p.payload_len, p.vlan, p.mac, p.ip_id, p.ttl, p.wire_len, p.device)
            };
            assert_eq!(same(packet), same(&other));
            assert_eq!(packet.payload, other.payload);
            shard.packet(&other, at);
        }
        Content::Note(note) => shard.note(note),
    });
}

pub fn run(data: &[u8]) {
    let mut s = Script::new(data);
    let options = s.u8();
    let mut rig = Rig {
        ingress: Ingress::new(None, 65_535, 1),
        budget: Budget::new(1 << 20),
        counters: Counters::default(),
        shard: Shard::new(settings(options), 0, 1, 1),
        batch: (options & 0x40 != 0).then(Batch::default),
        collector: Collector::new(1),
        json: JsonWriter::new(engine::schema(), Precision::Nano),
        last: None,
        told: 0,
        line: Vec::new(),
    };
    rig.shard.name_device(1, "eth0");
    let mut time = START;
    let mut next = [[1000u32, 2000]; FLOWS.len()];
    let mut bytes = Vec::new();
    while s.more() {
        let head = s.u8();
        time = s.time(time);
        let mut frame = Frame { time, link: LinkType::Raw, device: 0, wire_len: 0, vlan: None, data: &[] };
        if head & 3 == 3 {
            frame.link = LinkType::from_number(LINKS[usize::from(head >> 2 & 7) % LINKS.len()]);
            frame.device = u32::from(head >> 5 & 3);
            let len = s.len();
            frame.data = s.bytes(len);
            frame.wire_len = frame.data.len() as u32;
            rig.frame(&frame);
            continue;
        }
        let (flow, dir) = (usize::from(head >> 2 & 7), usize::from(head >> 5 & 1));
        let (mut flags, mut skip) = (0x18, 0);
        if head & 0x40 != 0 {
            flags = s.u8();
            skip = i32::from(s.u8() as i8);
        }
        let len = s.len();
        let content = s.bytes(len);
        let seq = next[flow][dir].wrapping_add(skip as u32);
        let ack = next[flow][1 - dir];
        next[flow][dir] =
            seq.wrapping_add(content.len() as u32 + u32::from(flags & 1) + u32::from(flags >> 1 & 1));
        bytes.clear();
        compose(flow, dir, (seq, ack, flags), content, &mut bytes);
        frame.wire_len = bytes.len() as u32;
        // Seen on one interface, on two, or cut.
        match head & 3 {
            1 => {
                frame.data = &bytes;
                frame.device = 1;
                rig.frame(&frame);
                frame.device = 2;
            }
            2 if bytes.len() > 60 => frame.data = &bytes[..bytes.len() - usize::from(head >> 7) * 10],
            _ => frame.data = &bytes,
        }
        rig.frame(&frame);
    }
    rig.ingress.finish(&mut rig.budget, &mut rig.counters);
    assert_eq!(rig.budget.used(), 0, "fragments give all memory back");
    let clock = rig.ingress.clock();
    rig.shard.finish(clock);
    assert_eq!(rig.shard.open_flows(), 0);
    assert_eq!(rig.shard.budget().used(), 0, "all memory comes back");
    rig.collect(Time::MAX);
    assert_eq!(rig.told, rig.shard.counters().events, "every event is told");
}

/// A seed: frames as they were captured.
pub fn seed_frame(link: LinkType, data: &[u8], out: &mut Vec<u8>) {
    let at = LINKS.iter().position(|n| LinkType::from_number(*n) == link).unwrap_or(6) as u8;
    out.extend_from_slice(&[3 | at << 2, 2]);
    put_len(out, data.len());
    out.extend_from_slice(data);
}

/// A seed: what one side says in a flow of this transport and server's port, if there is one.
pub fn seed_say(transport: u8, port: u16, dir: usize, bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(flow) = FLOWS.iter().position(|f| f.1 == transport && (f.3 == port || port == 0)) else {
        return false;
    };
    out.extend_from_slice(&[(flow as u8) << 2 | (dir as u8) << 5, 2]);
    put_len(out, bytes.len());
    out.extend_from_slice(bytes);
    true
}
