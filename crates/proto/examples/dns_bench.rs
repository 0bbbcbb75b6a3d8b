//! How long one DNS transaction takes: `cargo run --release -p wirebeat-proto --example dns_bench`.
//!
//! A query and an answer with four records, each pair in a flow of its own port as resolvers do, events given back to
//! the pool. Prints nanoseconds per transaction and the size of the event.

use std::time::Duration;

use wirebeat_model::config::{Report, Section};
use wirebeat_model::{
    Budget, Counters, Endpoint, FlowInfo, FlowKey, JsonWriter, Pool, Precision, Time, Transport, community_id,
};
use wirebeat_proto::{Cx, Factory, Sink, Stream};

/// `www.example.com`, type A; with `answers` a CNAME and three addresses.
fn message(answers: bool) -> Vec<u8> {
    let mut m = vec![0x12, 0x34, if answers { 0x81 } else { 1 }, if answers { 0x80 } else { 0 }, 0, 1];
    m.extend_from_slice(&[0, if answers { 4 } else { 0 }, 0, 0, 0, 0]);
    m.extend_from_slice(b"\x03www\x07example\x03com\x00\x00\x01\x00\x01");
    if answers {
        m.extend_from_slice(b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x01\x2c\x00\x08\x05cdn-1\xc0\x10");
        for last in 1..=3 {
            m.extend_from_slice(b"\xc0\x2d\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02");
            m.push(last);
        }
    }
    m
}

/// Time this thread ran (first number of schedstat), so that a busy machine does not count.
fn ran() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0))
}

struct Bench {
    factory: std::sync::Arc<dyn Factory>,
    sink: Sink,
    budget: Budget,
    counters: Counters,
    flow: FlowInfo,
    now: Time,
}

impl Bench {
    fn cx<T>(&mut self, f: impl FnOnce(&mut Cx<'_>) -> T) -> T {
        let mut expected = Vec::new();
        f(&mut Cx {
            now: self.now,
            clock: self.now,
            flow: &mut self.flow,
            budget: &mut self.budget,
            counters: &mut self.counters,
            spec: self.factory.spec(),
            common: self.factory.common(),
            sink: &mut self.sink,
            expected: &mut expected,
            wake: None,
        })
    }
}

fn main() {
    let schema = wirebeat_proto::schema();
    let mut report = Report::default();
    let mut section = Section::new("dns", None, &mut report);
    let Some(entry) = wirebeat_proto::by_name("dns") else { return };
    let (client, server) = (Endpoint::v4([192, 0, 2, 1], 40_000), Endpoint::v4([192, 0, 2, 53], 53));
    let (key, dir) = FlowKey::new(client, server, Transport::UDP, 0);
    let start = Time::from_parts(1_000_000_000, 0);
    let mut bench = Bench {
        factory: entry.configure(&mut section, false),
        sink: Sink {
            events: Vec::new(),
            pool: Pool::default(),
            source: 1,
            device_names: Vec::new(),
            ignore_outgoing: false,
        },
        budget: Budget::new(1 << 20),
        counters: Counters::default(),
        flow: FlowInfo {
            key,
            source: dir,
            source_known: true,
            start,
            events: 0,
            community_id: community_id(client, server, Transport::UDP, None),
            device: 0,
            mac: [None; 2],
            vlan: [0; 2],
            nat: None,
            network_direction: ["unknown"; 2],
        },
        now: start,
    };
    let mut stream = Stream::new(bench.factory.make());
    let (query, answer) = (message(false), message(true));
    let (mut size, mut json) = (0, Vec::new());
    let mut writer = JsonWriter::new(schema, Precision::Micro);
    let mut round = |n: u32, bench: &mut Bench, json: Option<&mut Vec<u8>>| {
        let begin = ran();
        for _ in 0..n {
            bench.cx(|cx| stream.datagram(dir, &query, cx));
            bench.cx(|cx| stream.datagram(dir.flip(), &answer, cx));
            bench.cx(|cx| stream.close(cx));
            if let Some(event) = bench.sink.events.pop() {
                size = event.fields.byte_len();
                bench.sink.pool.give(event);
            }
        }
        let spent = ran() - begin;
        if let Some(out) = json {
            bench.cx(|cx| stream.datagram(dir, &query, cx));
            bench.cx(|cx| stream.datagram(dir.flip(), &answer, cx));
            if let Some(event) = bench.sink.events.pop() {
                writer.write(&event.fields, out);
            }
        }
        spent
    };
    round(10_000, &mut bench, Some(&mut json));
    for _ in 0..7 {
        let n = 300_000;
        let spent = round(n, &mut bench, None);
        println!("{:.0} ns a transaction", spent.as_secs_f64() * 1e9 / f64::from(n));
    }
    println!("{size} bytes an event, {} as JSON:\n{}", json.len(), String::from_utf8_lossy(&json));
}
