//! A protocol announces a flow, which is then decoded whatever its ports and first bytes: by one shard or by another,
//! and the same from a file with any number of shards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod reading;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use reading::made::{capture, udp};
use reading::pipeline::Kept;
use wirebeat::config::{self, Config};
use wirebeat::destination::Destination;
use wirebeat::engine;
use wirebeat::lines::Lines;
use wirebeat::output::{Output, Rotation};
use wirebeat::read;
use wirebeat::shard::{Arrival, Note, Shard};
use wirebeat::summary::Summary;
use wirebeat_model::config::{Report, Section};
use wirebeat_model::{Dir, Endpoint, FlowKey, Time, Transport, ecs};
use wirebeat_net::decode;
use wirebeat_proto::{
    Cx, Entry, Expectation, Guess, NoOptions, Parser, Protocol, Setup, Spec, Step, Transaction,
};

/// Says where a [`Told`] will listen, and for how many milliseconds that holds: `at PORT MS`.
struct Teller;
static TELLER: Spec = Spec {
    name: "teller",
    transports: &[Transport::UDP],
    ports: &[2100],
    fields: &[],
    guess: |bytes| if bytes.starts_with(b"at ") { Guess::Client } else { Guess::No },
    event_type: Spec::PROTOCOL,
    max_held: 0,
    expects: true,
};

/// Whatever is said is a transaction; nothing looks like it.
struct Told;
static TOLD: Spec = Spec { name: "told", ports: &[], guess: |_| Guess::No, expects: false, ..TELLER };

impl Parser for Teller {
    fn data(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> Step {
        let text = std::str::from_utf8(bytes).unwrap();
        let mut words = text.split(' ').skip(1).map(|w| w.parse::<u16>().unwrap());
        let [port, ms] = [words.next().unwrap(), words.next().unwrap()];
        cx.expect(Expectation {
            protocol: "told",
            transport: Transport::UDP,
            server: Endpoint { port, ..cx.flow.key.sender(dir) },
            until: cx.now + Duration::from_millis(ms.into()),
        });
        Step::need(bytes.len(), 1)
    }
    fn close(&mut self, _: &mut Cx<'_>) {}
    fn reset(&mut self) {}
}

impl Parser for Told {
    fn data(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> Step {
        let transaction = Transaction { start: Some(cx.now), ..Transaction::new(dir) };
        cx.emit(&transaction, |f| f.put_text(&ecs::QUERY, bytes));
        Step::need(bytes.len(), 1)
    }
    fn close(&mut self, _: &mut Cx<'_>) {}
    fn reset(&mut self) {}
}

macro_rules! protocol {
    ($kind:ident) => {
        impl Protocol for $kind {
            type Options = NoOptions;
            fn new(_: Arc<Setup<NoOptions>>) -> Self {
                Self
            }
        }
    };
}
protocol!(Teller);
protocol!(Told);

fn both() -> Config {
    engine::schema();
    let mut config = config::load(None, &["flows.enabled=false".into()], None).unwrap();
    let mut report = Report::default();
    config.protocols = [Entry::of::<Teller>(&TELLER), Entry::of::<Told>(&TOLD)]
        .map(|entry| entry.configure(&mut Section::new(entry.spec.name, None, &mut report), false))
        .into();
    config
}

const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 3);

/// The server announces, at the beginning.
fn announce(text: &str) -> Kept {
    udp(0, (SERVER, 2100), (CLIENT, 40_000), text.as_bytes())
}

/// Somebody says something to a port of the server.
fn say(ms: u32, from: (Ipv4Addr, u16), port: u16, text: &str) -> Kept {
    udp(ms, from, (SERVER, port), text.as_bytes())
}

/// Announced flows among others, and what is heard of them.
fn conversation() -> (Vec<Kept>, [&'static str; 3]) {
    let packets = vec![
        say(0, (CLIENT, 50_000), 7001, "before it was announced"),
        announce("at 7001 500"),
        announce("at 7002 500"),
        announce("at 7003 500"),
        say(1, (CLIENT, 50_000), 7001, "a flow that was there"),
        say(2, (CLIENT, 50_001), 7001, "first"),
        say(3, (CLIENT, 50_002), 7001, "a second flow: one was announced"),
        say(4, (CLIENT, 50_001), 7001, "and more of it"),
        say(5, (CLIENT, 50_003), 7004, "another port"),
        udp(6, (CLIENT, 50_003), (OTHER, 7002), b"another host"),
        // Whoever comes: a client at a data connection is often not the one that was told of it.
        say(499, (OTHER, 60_000), 7002, "in time"),
        say(501, (OTHER, 60_000), 7003, "too late"),
    ];
    (packets, ["first", "and more of it", "in time"])
}

#[test]
fn announced_flows_are_decoded_from_a_file_with_any_number_of_shards() {
    let (packets, expected) = conversation();
    let file = capture("expectations.pcap", &packets);
    let config = both();
    for shards in [1, 2, 4] {
        let out = file.with_extension(format!("{shards}.ndjson"));
        let output = Destination::lines(Lines::new(
            Output::file(&out, Rotation::default()).unwrap(),
            config.precision,
        ));
        let mut summary = Summary::default();
        read::read(&config, std::slice::from_ref(&file), shards, output, &mut summary).unwrap();
        let events = reading::events(&std::fs::read(&out).unwrap());
        let heard: Vec<_> = events.iter().map(|e| e["query"].as_str().unwrap()).collect();
        assert_eq!(heard, expected, "{shards} shards");
        assert!(events.iter().all(|e| e["type"] == "told"));
    }
}

/// A shard's number for a flow between two endpoints.
fn owner(client: (Ipv4Addr, u16), server: (Ipv4Addr, u16)) -> usize {
    let end = |(ip, port)| Endpoint::new(IpAddr::V4(ip), port);
    FlowKey::new(end(client), end(server), Transport::UDP, 0).0.shard_hash() as usize % 2
}

#[test]
fn a_shard_tells_the_others() {
    let config = both();
    let settings = engine::settings(&config, 2, Vec::new(), 1, false);
    let mut shards = [0, 1].map(|id| Shard::new(Arc::clone(&settings), id, 2, 1));
    let teller = owner((CLIENT, 40_000), (SERVER, 2100));
    // The flow that is announced is the other shard's.
    let from = (40_000..60_000).find(|port| owner((CLIENT, *port), (SERVER, 7001)) != teller).unwrap();
    let packets = [
        announce("at 7001 500"),
        say(1, (CLIENT, from), 7001, "hello"),
        // Each shard has been told, and each takes one flow for the announced one: shards share nothing.
        say(2, (CLIENT, from + 1), 7001, "hello again"),
    ];
    let mut notes = 0;
    for kept in &packets {
        let frame = kept.frame();
        let packet = decode(&frame).unwrap();
        let id = packet.key.shard_hash() as usize % 2;
        shards[id].packet(&packet, Arrival { time: kept.time, clock: kept.time, frames: 1 });
        let told: Vec<(Option<usize>, Note)> = shards[id].outbox().drain(..).collect();
        for (to, note) in told {
            assert!(to.is_none() && id == teller && matches!(note, Note::Expect(_)), "{note:?}");
            shards[1 - id].note(note);
            notes += 1;
        }
    }
    assert_eq!(notes, 1);
    let heard = shards.each_mut().map(|shard| {
        shard.finish(Time::MAX);
        shard.events().iter().map(|e| e.fields.get_str(&ecs::QUERY).unwrap().to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(heard[1 - teller], ["hello"]);
    let again = usize::from(owner((CLIENT, from + 1), (SERVER, 7001)) == teller);
    assert_eq!(heard[teller].len(), again, "{heard:?}");
}
