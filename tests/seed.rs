//! A web server in a Docker container, watched from the host: each visit is one event, however many devices its
//! packets cross and whatever is translated on the way.
//!
//! A real Docker Engine and real containers; tcpdump counts beside wirebeat. What the wire looks like here (it is
//! what any Linux host with Docker looks like):
//!
//! - A visit to a published port is on the wire of the host twice: on `eth0` to the host's address and port, and
//!   some microseconds later on `docker0` to the container's, with the same IP id, TCP sequence and
//!   acknowledgement, and a time to live one smaller. Answers come on `docker0` first.
//! - From container to container `docker0` shows nothing unless it is promiscuous, then each packet once; the two
//!   veths show each packet once more.
//! - The host's visit to `127.0.0.1:8080`, and a container's visit to the host's published port, are answered by
//!   docker-proxy, which opens a connection of its own to the container: two connections, two requests, two events.
//!   The host's visit to its own outer address is translated before it leaves: one connection, on `docker0` only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod lab;
#[path = "lab/wirebeat.rs"]
mod wirebeat;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use lab::docker::{Engine, HOST, LARGE, NEEDS, PAGE, VISITOR};
use lab::sniffer::Sniffer;
use serde_json::Value;
use wirebeat::{Events, Wirebeat, field};

const REQUEST: &str = "tcp.payload contains \"GET /\"";
const DEFAULT: &[&str] = &[];
const DOCKER0: &[&str] = &["-i", "docker0"];

/// The engine, its server published at 8080, and the server's address; one for all tests, one test at a time.
/// It ends with the process.
struct Stage {
    engine: Engine,
    web: String,
}

fn stage(test: &str) -> Option<MutexGuard<'static, Stage>> {
    static STAGE: OnceLock<Result<Mutex<Stage>, String>> = OnceLock::new();
    if !lab::ready(test, NEEDS) {
        return None;
    }
    let stage = STAGE.get_or_init(|| {
        let engine = Engine::start()?;
        let web = engine.serve("web", &["-p", "8080:80"]);
        Ok(Mutex::new(Stage { engine, web }))
    });
    match stage {
        Ok(stage) => Some(stage.lock().unwrap_or_else(PoisonError::into_inner)),
        Err(why) => {
            lab::skip(test, why);
            None
        }
    }
}

fn published(path: &str) -> String {
    format!("http://{HOST}:8080{path}")
}

/// The HTTP events, checked to be as many as expected.
fn http(events: &Events, expected: usize) -> Vec<&Value> {
    let list = events.of("http");
    let lines: Vec<String> = list.iter().map(ToString::to_string).collect();
    assert_eq!(list.len(), expected, "HTTP events:\n{}\nwirebeat said:\n{}", lines.join("\n"), events.log);
    list
}

#[track_caller]
fn holds(event: &Value, expected: &[(&str, Value)]) {
    for (name, value) in expected {
        assert_eq!(field(event, name), value, "{name} in {event}");
    }
}

fn a_page_was_got(event: &Value) {
    holds(
        event,
        &[
            ("http.request.method", "GET".into()),
            ("url.path", "/".into()),
            ("http.response.status_code", 200.into()),
            ("http.response.body.bytes", PAGE.into()),
        ],
    );
}

fn port(event: &Value, name: &str) -> u64 {
    field(event, name).as_u64().unwrap_or_else(|| panic!("no {name} in {event}"))
}

/// What tcpdump says about the wire: the ground under every other test here.
#[test]
fn the_wire() {
    let Some(stage) = stage("the_wire") else { return };
    let Stage { engine, web } = &*stage;
    let client = |filter: &str| format!("({filter}) && ip.src == {VISITOR}");

    // One visit from outside, seen on both devices.
    let outer = Sniffer::start(&engine.host, "eth0", &["tcp"]);
    let inner = Sniffer::start(&engine.host, "docker0", &["tcp"]);
    assert_eq!(engine.visit(&published("/")), format!("200 {PAGE}"));
    let (outer, inner) = (outer.stop(), inner.stop());
    let twin = ["ip.id", "tcp.srcport", "tcp.seq_raw", "tcp.ack_raw", "tcp.len"];
    let there = outer.fields(&client("tcp"), &twin);
    assert_eq!(there, inner.fields(&client("tcp"), &twin), "both sides of the translation, packet by packet");
    assert!(there.len() >= 5, "{there:?}");
    let changed = ["ip.dst", "tcp.dstport", "ip.ttl"];
    assert_eq!(outer.fields(&client(REQUEST), &changed), [[HOST, "8080", "64"]]);
    assert_eq!(inner.fields(&client(REQUEST), &changed), [[web.as_str(), "80", "63"]]);
    let time = |catch: &lab::sniffer::Catch, filter: &str| -> f64 {
        catch.fields(filter, &["frame.time_epoch"])[0][0].parse().unwrap()
    };
    let request = time(&inner, REQUEST) - time(&outer, REQUEST);
    let answer = "tcp.payload contains \"HTTP/1.1 200\"";
    let answer = time(&outer, answer) - time(&inner, answer);
    assert!((0.0..0.05).contains(&request) && (0.0..0.05).contains(&answer), "{request} s, {answer} s");

    // From container to container, docker0 shows it to the promiscuous only.
    for (options, expected) in [(&["-p"][..], 0), (&[], 1)] {
        let sniffer = Sniffer::start(&engine.host, "docker0", options);
        assert_eq!(engine.docker(&Engine::curl(&format!("http://{web}/"))), format!("200 {PAGE}"));
        assert_eq!(sniffer.stop().count(REQUEST), expected, "docker0, tcpdump {options:?}");
    }
}

/// Ten visits from outside to the published port: ten events, on docker0 alone and on the default interfaces.
#[test]
fn ten_visits_to_a_published_port() {
    let Some(stage) = stage("ten_visits_to_a_published_port") else { return };
    let Stage { engine, web } = &*stage;
    for interfaces in [DOCKER0, DEFAULT] {
        let wirebeat = Wirebeat::start(Some(&engine.host), interfaces);
        let sniffer = Sniffer::start(&engine.host, "eth0", &["tcp"]);
        for _ in 0..10 {
            assert_eq!(engine.visit(&published("/")), format!("200 {PAGE}"));
        }
        let wire = sniffer.stop();
        let events = wirebeat.stop();
        assert_eq!(wire.count(REQUEST), 10);
        let visits = http(&events, 10);
        let ports: BTreeSet<u64> = visits.iter().map(|event| port(event, "source.port")).collect();
        assert_eq!(ports.len(), 10, "ten connections: {ports:?}");
        for event in visits {
            a_page_was_got(event);
            holds(event, &[("source.ip", VISITOR.into())]);
            if interfaces == DOCKER0 {
                holds(event, &[("destination.ip", web.as_str().into()), ("destination.port", 80.into())]);
            } else {
                // One flow; where the visitor went, and where that led to.
                holds(event, &[("destination.ip", HOST.into()), ("destination.port", 8080.into())]);
                holds(
                    event,
                    &[("destination.nat.ip", web.as_str().into()), ("destination.nat.port", 80.into())],
                );
            }
        }
        // The flows count each packet once, on however many devices it was seen.
        let flows: Vec<_> =
            events.of("flow").into_iter().filter(|flow| field(flow, "source.ip") == VISITOR).collect();
        let ports: BTreeSet<u64> = flows.iter().map(|flow| port(flow, "source.port")).collect();
        assert_eq!(ports.len(), 10, "flows with {interfaces:?}: {flows:?}");
        let packets: u64 = flows.iter().map(|flow| port(flow, "network.packets")).sum();
        assert_eq!(packets, wire.count("tcp") as u64, "packets of the flows with {interfaces:?}");
    }
}

/// One visit from container to container: one event.
#[test]
fn from_container_to_container() {
    let Some(stage) = stage("from_container_to_container") else { return };
    let Stage { engine, web } = &*stage;
    for interfaces in [DOCKER0, DEFAULT] {
        let wirebeat = Wirebeat::start(Some(&engine.host), interfaces);
        let answer = engine.docker(&Engine::curl(&format!("http://{web}/")));
        let events = wirebeat.stop();
        assert_eq!(answer, format!("200 {PAGE}"));
        for event in http(&events, 1) {
            a_page_was_got(event);
            holds(event, &[("destination.ip", web.as_str().into()), ("destination.port", 80.into())]);
            let source = field(event, "source.ip").as_str().unwrap_or_default();
            assert!(source.starts_with("172.17.0.") && source != web, "source.ip {source}");
        }
    }
}

/// The host's own visits, and a container's to the published port: docker-proxy's connection is a real one.
#[test]
fn through_docker_proxy() {
    let Some(stage) = stage("through_docker_proxy") else { return };
    let Stage { engine, web } = &*stage;
    let wirebeat = Wirebeat::start(Some(&engine.host), DEFAULT);
    let from_host = |url: &str| {
        let visit = ["-s", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", url];
        assert_eq!(lab::run(engine.host.command("curl").args(visit)), format!("200 {PAGE}"));
    };
    from_host("http://127.0.0.1:8080/"); // docker-proxy: two connections
    from_host(&published("/")); // translated on the way out: one
    from_host(&format!("http://{web}/")); // plainly routed: one
    assert_eq!(engine.docker(&Engine::curl(&published("/"))), format!("200 {PAGE}")); // docker-proxy: two
    let events = wirebeat.stop();
    let mut to: Vec<_> = http(&events, 6)
        .iter()
        .map(|event| {
            a_page_was_got(event);
            format!(
                "{}:{}",
                field(event, "destination.ip").as_str().unwrap(),
                port(event, "destination.port")
            )
        })
        .collect();
    to.sort();
    let inner = format!("{web}:80");
    let mut expected = [
        "127.0.0.1:8080".to_owned(),
        format!("{HOST}:8080"),
        inner.clone(),
        inner.clone(),
        inner.clone(),
        inner,
    ];
    expected.sort();
    assert_eq!(to, expected);
}

/// Fifty containers that live for one request each, five a second: fifty events.
#[test]
fn fifty_short_lives() {
    let Some(stage) = stage("fifty_short_lives") else { return };
    let Stage { engine, web } = &*stage;
    let wirebeat = Wirebeat::start(Some(&engine.host), DEFAULT);
    let sniffer = Sniffer::start(&engine.host, "docker0", &["-p", "tcp"]);
    let url = format!("http://{web}/");
    let started = Instant::now();
    let lives: Vec<_> = (1..=50)
        .map(|n| {
            let life = engine.docker_spawn(&Engine::curl(&url));
            let next = Duration::from_millis(200 * n);
            std::thread::sleep(next.saturating_sub(started.elapsed()));
            life
        })
        .collect();
    for life in lives {
        let output = life.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(told, format!("200 {PAGE}"), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let wire = sniffer.stop();
    let events = wirebeat.stop();
    assert_eq!(wire.count(REQUEST), 50, "on docker0, promiscuous because wirebeat asked for it");
    for event in http(&events, 50) {
        a_page_was_got(event);
    }
}

/// A large download with offloads on: frames far larger than the MTU, and the body's size to the byte.
#[test]
fn a_large_download() {
    let Some(stage) = stage("a_large_download") else { return };
    let Stage { engine, .. } = &*stage;
    for interfaces in [DOCKER0, DEFAULT] {
        let wirebeat = Wirebeat::start(Some(&engine.host), interfaces);
        let sniffer = Sniffer::start(&engine.host, "docker0", &["tcp"]);
        assert_eq!(engine.visit(&published("/large")), format!("200 {LARGE}"));
        let wire = sniffer.stop();
        let events = wirebeat.stop();
        assert!(wire.count("frame.len > 1514") > 0, "offloads are on, so some frame is larger than the MTU");
        for event in http(&events, 1) {
            holds(
                event,
                &[
                    ("url.path", "/large".into()),
                    ("http.response.status_code", 200.into()),
                    ("http.response.body.bytes", LARGE.into()),
                ],
            );
        }
    }
}

/// A network that is made while wirebeat runs, as compose makes them: its bridge is watched from its first packet on
/// that matters.
#[test]
fn a_network_made_later() {
    let Some(stage) = stage("a_network_made_later") else { return };
    let engine = &stage.engine;
    let wirebeat = Wirebeat::start(Some(&engine.host), DEFAULT);
    engine.docker(&["network", "create", "later"]);
    let address = engine.serve("web-later", &["--network", "later"]);
    std::thread::sleep(Duration::from_millis(500)); // a new device is noticed, then made promiscuous
    let answer = engine.docker(&Engine::curl_in("later", &format!("http://{address}/")));
    engine.docker(&["rm", "-f", "web-later"]);
    engine.docker(&["network", "rm", "later"]);
    let events = wirebeat.stop();
    assert_eq!(answer, format!("200 {PAGE}"));
    for event in http(&events, 1) {
        a_page_was_got(event);
        holds(event, &[("destination.ip", address.as_str().into()), ("destination.port", 80.into())]);
    }
}
