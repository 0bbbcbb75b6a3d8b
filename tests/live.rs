//! Real servers and clients, watched live: as many events as the server counted itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod lab;
#[path = "lab/wirebeat.rs"]
mod wirebeat;

use lab::netns::Namespace;
use lab::servers;
use wirebeat::{Events, Wirebeat, field};

const SERVER: &str = "198.51.100.1";
const CLIENT: &str = "198.51.100.2";

/// Two namespaces with a wire between them; wirebeat stands at the server's end.
fn pair() -> (Namespace, Namespace) {
    let (server, client) = (Namespace::new("server"), Namespace::new("client"));
    server.link(
        "eth0",
        &["198.51.100.1/24", "2001:db8::1/64"],
        &client,
        "eth0",
        &["198.51.100.2/24", "2001:db8::2/64"],
    );
    (server, client)
}

#[track_caller]
fn counted(events: &Events, kind: &str, expected: usize) {
    let seen = events.of(kind).len();
    assert_eq!(seen, expected, "{kind} events; wirebeat said:\n{}", events.log);
}

#[test]
fn http_from_nginx_to_ab() {
    if !lab::ready("http_from_nginx_to_ab", &["ip", "nginx", "ab"]) {
        return;
    }
    let (here, there) = pair();
    let page = vec![b'x'; 10_554];
    let nginx = servers::nginx(Some(&here), SERVER, 80, "", &[("index.html", &page)]);
    let wirebeat = Wirebeat::start(Some(&here), &["-i", "eth0"]);
    let told =
        lab::run(there.command("ab").args(["-q", "-k", "-n", "1000", "-c", "4", "http://198.51.100.1/"]));
    assert!(
        told.contains("Complete requests:      1000") && told.contains("Failed requests:        0"),
        "{told}"
    );
    let events = wirebeat.stop();
    let log = std::fs::read_to_string(nginx.dir().join("access.log")).unwrap();
    assert_eq!(log.lines().count(), 1000, "nginx's own count");
    counted(&events, "http", 1000);
    for event in events.of("http") {
        assert_eq!(field(event, "source.ip"), CLIENT, "{event}");
        assert_eq!(field(event, "http.response.status_code"), 200, "{event}");
        assert_eq!(field(event, "http.response.body.bytes"), 10_554, "{event}");
    }
}

#[test]
fn redis_to_its_benchmark() {
    if !lab::ready("redis_to_its_benchmark", &["ip", "redis-server", "redis-benchmark"]) {
        return;
    }
    let (here, there) = pair();
    let _redis = servers::redis(Some(&here), SERVER, 6379, &[]);
    let wirebeat = Wirebeat::start(Some(&here), &["-i", "eth0"]);
    let mut load = there.command("redis-benchmark");
    load.args(["-h", SERVER, "-n", "1000", "-c", "5", "-P", "16", "-t", "set,get", "-q"]);
    lab::run(&mut load);
    let events = wirebeat.stop();
    // The benchmark asks for two settings, and it sends whole pipelines: 1008 for 1000. The server knows.
    let stats = lab::run(here.command("redis-cli").args(["-h", SERVER, "info", "commandstats"]));
    let calls: usize = stats
        .lines()
        .filter(|line| !line.starts_with("cmdstat_info") && !line.starts_with("cmdstat_command"))
        .filter_map(|line| line.split_once("calls=")?.1.split(',').next()?.parse::<usize>().ok())
        .sum();
    assert!(calls >= 2002, "{stats}");
    counted(&events, "redis", calls);
}

#[test]
fn dns_from_named_to_dig() {
    if !lab::ready("dns_from_named_to_dig", &["ip", "named", "dig"]) {
        return;
    }
    let (here, there) = pair();
    let mut zone =
        "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n NS ns\nns A 198.51.100.1\n".to_owned();
    (0..50).for_each(|n| zone.push_str(&format!("h{n} A 192.0.2.{n}\n")));
    let _named = servers::named(Some(&here), SERVER, 53, &[("z.test", &zone)]);
    let dir = lab::Dir::new("dig");
    let list = dir.write("list", (0..50).map(|n| format!("h{n}.z.test A\n")).collect::<String>());
    let wirebeat = Wirebeat::start(Some(&here), &["-i", "eth0"]);
    for options in [&["+notcp"][..], &["+tcp"], &["+tcp", "+keepopen"]] {
        let told = lab::run(
            there.command("dig").args(["@198.51.100.1", "+short"]).args(options).arg("-f").arg(&list),
        );
        assert_eq!(told.lines().count(), 50, "{told}");
    }
    let events = wirebeat.stop();
    counted(&events, "dns", 150);
    for event in events.of("dns") {
        assert_eq!(field(event, "dns.response_code"), "NOERROR", "{event}");
    }
}

#[test]
fn ping() {
    if !lab::ready("ping", &["ip", "ping"]) {
        return;
    }
    let (here, there) = pair();
    let wirebeat = Wirebeat::start(Some(&here), &["-i", "eth0"]);
    for address in [SERVER, "2001:db8::1"] {
        lab::run(there.command("ping").args(["-n", "-c", "5", "-i", "0.2", address]));
    }
    let events = wirebeat.stop();
    // Beside the echoes there may be neighbour discovery.
    let echoes: Vec<_> = events
        .of("icmp")
        .into_iter()
        .filter(|event| field(event, "icmp.request.message") == "EchoRequest")
        .collect();
    assert_eq!(echoes.len(), 10, "{echoes:?}");
    for event in echoes {
        assert_eq!(field(event, "icmp.response.message"), "EchoReply", "{event}");
    }
}
