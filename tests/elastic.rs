//! The Elasticsearch API, judged by the real Elasticsearch and the real OpenSearch.
//!
//! Both servers and ours hold the same documents (`elastic/data.rs`) and are asked the same questions
//! (`elastic/requests/*.ndjson`). The real answers are recorded, so that no Java is needed to judge ours; the servers
//! themselves are started to make sure that the recording is what they say.
//!
//! - `WIREBEAT_FULL=1` asks both real servers everything, not only Elasticsearch a part.
//! - `WIREBEAT_BLESS=1` records the real answers anew; `WIREBEAT_BLESS=events` makes the documents anew before that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "elastic/clients.rs"]
mod clients;
#[path = "elastic/compare.rs"]
mod compare;
#[path = "elastic/data.rs"]
mod data;
#[path = "elastic/flows.rs"]
mod flows;
#[path = "elastic/http.rs"]
mod http;
mod lab;
#[path = "elastic/load.rs"]
mod load;
#[path = "elastic/ours.rs"]
mod ours;
mod reading;
#[path = "elastic/requests.rs"]
mod requests;
#[path = "elastic/server.rs"]
mod server;
#[path = "elastic/servers.rs"]
mod servers;
#[path = "elastic/template.rs"]
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::Instant;

use compare::Summary;
use http::Client;
use reading::here;
use requests::{Recorded, Request};
use server::Server;
use servers::Kind;

/// A line for whoever runs the tests, past the runner's capture.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn blessing() -> Option<String> {
    std::env::var("WIREBEAT_BLESS").ok()
}

fn full() -> bool {
    std::env::var_os("WIREBEAT_FULL").is_some()
}

/// Starts a real server with all documents; `None`, and a line that says why, when it is not there.
fn real(test: &str, kind: Kind) -> Option<(Server, Client)> {
    if lab::which("java").is_none() {
        lab::skip(test, "no java here (cargo xtask setup)");
        return None;
    }
    if !kind.installed(&here(".")) {
        lab::skip(test, &format!("no {} (cargo xtask elastic)", kind.home(&here(".")).display()));
        return None;
    }
    let started = Instant::now();
    let server = Server::start(kind, &here("."));
    let up = started.elapsed();
    let mut client = Client::new(&server.url);
    template::template(&mut client, kind);
    load::load(&mut client, &data::documents());
    let loaded = started.elapsed() - up;
    say(&format!(
        "{}: up in {:.1} s, documents in {:.1} s",
        kind.name(),
        up.as_secs_f32(),
        loaded.as_secs_f32()
    ));
    Some((server, client))
}

/// The requests are many, none is there twice, each has a recorded answer, the wrong ones are refused and no other.
#[test]
fn the_requests_are_whole() {
    let all = requests::all();
    let names: BTreeSet<&str> = all.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names.len(), all.len(), "a name is there twice");
    let wrong = all.iter().filter(|r| r.wrong()).count();
    assert!(all.len() - wrong >= 150 && wrong >= 40, "{} requests, {wrong} of them wrong", all.len());
    if blessing().is_some() {
        return;
    }
    let recorded = requests::recorded();
    assert_eq!(recorded.keys().map(String::as_str).collect::<BTreeSet<_>>(), names);
    for request in &all {
        let record = &recorded[&request.name];
        assert_eq!(record.request, request.line, "{}: recorded for another request", request.name);
        // What is not there is no mistake of the one who asks.
        let refused = record.status >= 400 && (record.status != 404 || request.wrong());
        assert_eq!(refused, request.wrong(), "{}: {} {}", request.name, record.status, record.answer);
    }
}

/// The recording is what the real servers say.
#[test]
fn elasticsearch_says_what_is_recorded() {
    if blessing().as_deref() == Some("events") {
        data::make();
    }
    let test = "elasticsearch_says_what_is_recorded";
    let Some((server, mut client)) = real(test, Kind::Elasticsearch) else { return };
    let all = requests::all();
    if blessing().is_some() {
        let mut answers = BTreeMap::new();
        record(&all, server.kind, &mut client, &mut answers);
        drop(server);
        let Some((server, mut client)) = real(test, Kind::OpenSearch) else { return };
        record(&all, server.kind, &mut client, &mut answers);
        requests::record(&answers);
        return;
    }
    let recorded = requests::recorded();
    let mut summary = Summary::of(server.kind.name());
    let mine = all.iter().filter(|r| r.judge() == server.kind);
    // A third, another one each day: Java is slow while it is cold.
    let day = if full() { None } else { Some(today() % 3) };
    for (n, request) in mine.enumerate() {
        if day.is_none_or(|day| n % 3 == day) {
            let said = request.send_real(&mut client);
            compare(request, &recorded, &said, &mut summary);
        }
    }
    summary.end(full());
    used(test, &server.url, &mut client, Some(server.kind));
}

/// What takes more than one request, and what real clients do.
fn used(test: &str, url: &str, client: &mut Client, real: Option<Kind>) {
    let mut wrong = flows::check(client, &data::documents());
    if clients_ready(test) {
        wrong.extend(clients::check(url, real));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether real clients can be run.
fn clients_ready(test: &str) -> bool {
    let there = clients::installed();
    if !there {
        lab::skip(test, "not all real clients are in target/clients (cargo xtask elastic)");
    }
    there
}

/// OpenSearch answers alike, except where the table says why not.
#[test]
fn opensearch_answers_alike() {
    if !full() || blessing().is_some() {
        return;
    }
    let Some((server, mut client)) = real("opensearch_answers_alike", Kind::OpenSearch) else { return };
    compared(server.kind.name(), &mut client);
    if clients_ready("opensearch_answers_alike") {
        let wrong = clients::check(&server.url, Some(server.kind));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// Our own API answers alike, except where the table says why not.
#[test]
fn wirebeat_answers_alike() {
    if blessing().is_some() {
        return;
    }
    let ours = ours::start(&data::documents());
    let mut client = Client::new(&ours.url);
    compared("wirebeat", &mut client);
    used("wirebeat_answers_alike", &ours.url, &mut client, None);
}

fn compared(name: &str, client: &mut Client) {
    let recorded = requests::recorded();
    let mut summary = Summary::of(name);
    for request in &requests::all() {
        let said = request.send(client);
        compare(request, &recorded, &said, &mut summary);
    }
    summary.end(true);
}

fn compare(
    request: &Request,
    recorded: &BTreeMap<String, Recorded>,
    said: &(u16, serde_json::Value),
    summary: &mut Summary,
) {
    let record = &recorded[&request.name];
    summary.compare(&request.name, (record.status, &record.answer), (said.0, &said.1));
}

fn record(all: &[Request], judge: Kind, client: &mut Client, answers: &mut BTreeMap<String, Recorded>) {
    for request in all.iter().filter(|r| r.judge() == judge) {
        let (status, answer) = request.send_real(client);
        answers.insert(request.name.clone(), Recorded { request: request.line.clone(), status, answer });
    }
}

/// Days since 1970.
fn today() -> usize {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    usize::try_from(now.as_secs() / 86_400).unwrap()
}
