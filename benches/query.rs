//! How long searches take over events of 6 hours: ours, DuckDB's on the very same files, and a real Elasticsearch's on the same
//! documents, in one run; and that all three say the same.
//!
//! `cargo bench --bench query [-- EVENTS] [CAPTURE…]`, five million unless told otherwise; Elasticsearch takes ten minutes to
//! take them in. `cargo xtask elastic` installs it and DuckDB; without them theirs are left out. Each engine has one
//! thread for a search. Not a test: it prints, and fails when the answers differ.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that cannot run says why"
)]
#![allow(dead_code, reason = "what it shares with tests is used in part")]

mod captures;
mod events;
#[path = "../tests/elastic/http.rs"]
mod http;
#[path = "../tests/lab/mod.rs"]
mod lab;
#[path = "query/searches.rs"]
mod searches;
#[path = "../tests/elastic/server.rs"]
mod server;
#[path = "../tests/elastic/servers.rs"]
mod servers;
#[path = "../tests/elastic/template.rs"]
mod template;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use http::Client;
use searches::Search;
use serde_json::{Value, json};
use servers::{ENGINES, Kind};
use wirebeat::{api, engine};
use wirebeat_model::{Entries, JsonWriter, Precision, Time};
use wirebeat_store::Store;

/// A search is put so often; the middle counts.
const TIMES: usize = 7;

fn main() {
    let captures = captures::chosen();
    if captures.is_empty() {
        println!("{}", captures::NONE);
        return;
    }
    let wanted: u64 = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(5_000_000);
    let dir = tempfile::tempdir().expect("a directory");
    let all = events::joined(&events::flats(&captures, dir.path()), dir.path());
    let (once, _) = events::count(&all);
    let source = || events::Source::spread(&all, wanted.div_ceil(once) as usize);

    let store = events::open(engine::schema(), dir.path());
    let count = events::fill(&store, &mut source());
    store.seal(Time::now()).expect("a disk");
    while store.tick(Time::now()).is_ok_and(|more| more) {}
    let searches = searches::all(source());
    let mut told: Vec<Vec<String>> =
        searches.iter().map(|s| vec![s.name.to_owned(), s.limit.to_owned()]).collect();

    let ours = ours(store, &searches);
    let duck = duckdb(dir.path(), &searches);
    let elastic = elasticsearch(source(), count, &searches);
    for (n, search) in searches.iter().enumerate() {
        for engine in [Some(&ours), duck.as_ref(), elastic.as_ref()] {
            let Some(found) = engine.and_then(|e| e[n].as_ref()) else {
                told[n].push("-".to_owned());
                continue;
            };
            told[n].push(format!("{:.1}", found.middle));
            let (expected, first) = (&ours[n].as_ref().expect("ours").said, found.first);
            assert_eq!(&found.said, expected, "{}: they differ", search.name);
            told[n].push(format!("{first:.1}"));
        }
    }
    println!("{count} events of 6 h; milliseconds, the middle of {TIMES} and the first");
    println!("{:44} {:>6} {:>16} {:>16} {:>16}", "", "floor", "wirebeat", "DuckDB", "Elasticsearch");
    for line in told {
        print!("{:44} {:>6}", line[0], line[1]);
        let mut cells = line[2..].iter();
        while let Some(cell) = cells.next() {
            let first = if cell == "-" { "" } else { cells.next().map_or("", String::as_str) };
            print!(" {cell:>8} {first:>7}");
        }
        println!();
    }
}

/// What an engine said to a search and how long it took, in milliseconds.
struct Found {
    said: Value,
    first: f64,
    middle: f64,
}

fn ask(url: &str, searches: &[Search]) -> Vec<Option<Found>> {
    let mut client = Client::new(url);
    let ask = |search: &Search| {
        let body = search.body.to_string();
        let mut took = Vec::new();
        let mut said = Value::Null;
        for _ in 0..=TIMES {
            let started = Instant::now();
            let path = "/packetbeat-*/_search?request_cache=false";
            let answer = client.send("POST", path, Some(&body)).expect("an answer");
            took.push(started.elapsed().as_secs_f64() * 1e3);
            assert_eq!(answer.status, 200, "{}: {}", search.name, answer.json());
            said = (search.said)(&answer.json());
        }
        Some(Found { said, first: took[0], middle: middle(&mut took[1..]) })
    };
    searches.iter().map(ask).collect()
}

fn middle(took: &mut [f64]) -> f64 {
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}

fn ours(store: Arc<Store>, searches: &[Search]) -> Vec<Option<Found>> {
    let backend = Arc::new(api::StoreBackend::new(store, engine::schema(), 7));
    let listen = vec!["127.0.0.1:0".parse().expect("an address")];
    let options = wirebeat_web::Options::new(listen, "unused".to_owned(), api::identity(7));
    let server = wirebeat_web::serve(options, backend).expect("a server");
    ask(&format!("http://{}", server.addresses()[0]), searches)
}

/// DuckDB's answers, by its Python package; `None` when it is not installed.
fn duckdb(dir: &Path, searches: &[Search]) -> Option<Vec<Option<Found>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !ENGINES.installed(root) {
        return None;
    }
    let sql: Vec<_> = searches.iter().map(|s| &s.sql).collect();
    let output = Command::new("python3")
        .arg(root.join("benches/query/duck.py"))
        .arg(dir.join("store/**/*.parquet"))
        .args([json!(sql).to_string(), TIMES.to_string()])
        .env("PYTHONPATH", ENGINES.home(root))
        .stderr(Stdio::inherit())
        .output()
        .expect("python3");
    assert!(output.status.success(), "DuckDB: {}", output.status);
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).expect("its answers");
    let found = |answer: Value| {
        let mut took: Vec<f64> = serde_json::from_value(answer["took"].clone()).ok()?;
        Some(Found { said: answer["said"].clone(), first: took[0], middle: middle(&mut took[1..]) })
    };
    Some(answers.into_iter().map(found).collect())
}

/// A real Elasticsearch's answers; `None` when it is not installed. It may compile and keep as much as it likes.
fn elasticsearch(mut source: events::Source, count: u64, searches: &[Search]) -> Option<Vec<Option<Found>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !Kind::Elasticsearch.installed(root) {
        return None;
    }
    let server = server::Server::with(
        Kind::Elasticsearch,
        root,
        "-Xms4g -Xmx4g -XX:+UseG1GC -XX:G1ReservePercent=25 -XX:InitiatingHeapOccupancyPercent=30",
    );
    let mut client = Client::new(&server.url);
    template::template(&mut client, Kind::Elasticsearch);
    let schema = engine::schema();
    let mut writer = JsonWriter::new(schema, Precision::Nano);
    let (mut fields, mut body, mut line, mut waiting) = (Vec::new(), String::new(), Vec::new(), 0);
    loop {
        let next = source.next(&mut fields);
        if let Some((time, id)) = next {
            line.clear();
            writer.write(&Entries::from_encoded(fields.clone()), &mut line);
            let (id, day) = (u128::from_be_bytes(id.0), &time.to_string()[..10]);
            let index = format!("packetbeat-{}", day.replace('-', "."));
            let _ = writeln!(body, r#"{{"create":{{"_index":"{index}","_id":"{id:032x}"}}}}"#);
            let _ = writeln!(body, "{}", String::from_utf8_lossy(&line).trim_end());
            waiting += 1;
        }
        if waiting == 5_000 || next.is_none() && waiting > 0 {
            let answer = client.send("POST", "/_bulk?filter_path=errors,items.*.error", Some(&body));
            assert_eq!(answer.expect("an answer").json(), json!({"errors": false}));
            (body, waiting) = (String::new(), 0);
        }
        if next.is_none() {
            break;
        }
    }
    client.send("POST", "/packetbeat-*/_refresh", None).expect("an answer");
    let answer = client.send("GET", "/packetbeat-*/_count", None).expect("an answer").json();
    assert_eq!(answer["count"], count, "{answer}");
    Some(ask(&server.url, searches))
}
