//! What the store makes of traffic of different shapes, in real events: files, bytes an event, and that the newest are found.
//!
//! `cargo bench --bench shapes`. The clock is the events' own, so that a day takes seconds. What a user sees two minutes after
//! the last event counts; beside it stands how many files there were at most until then. It prints, and fails beyond the
//! project's bounds.

#![allow(clippy::expect_used, clippy::panic, reason = "a bench that cannot run says why")]
#![allow(dead_code, reason = "what it shares with tests is used in part")]

mod captures;
mod events;
#[path = "../tests/elastic/http.rs"]
mod http;

use std::path::Path;
use std::sync::Arc;

use events::Source;
use http::Client;
use serde_json::{Value, json};
use wirebeat::{api, engine};
use wirebeat_model::Time;
use wirebeat_store::{Incoming, Options, Retention, Store};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 2026-11-25, the start of a day.
const START: i64 = 1_795_564_800 * SECOND;
/// Files are counted so long after the last event: while more are coming, the store leaves small ones for later.
const LATER: i64 = 120 * SECOND;
/// So many of the newest are asked for.
const NEWEST: usize = 500;

fn main() {
    let captures = captures::chosen();
    if captures.is_empty() {
        println!("{}", captures::NONE);
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let all = events::joined(&events::flats(&captures, dir.path()), dir.path());
    println!("{:44} {:>9} {:>6} {:>7} {:>8}", "", "events", "files", "at most", "B/event");
    shape(&all, "1 a second for a day", SECOND, 86_400, 25, Some(200));
    shape(&all, "50,000 a second for a minute", SECOND / 50_000, 3_000_000, 3, None);
}

/// Events at this distance, each hundredth of them two hours late, with what becomes of them.
fn shape(all: &Path, name: &str, step: i64, count: u64, most_files: usize, most_bytes: Option<u64>) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let (once, _) = events::count(all);
    let passes = count.div_ceil(once);
    let mut source = Source::between(all, passes as usize, START, START + step * (passes * once) as i64);
    let (mut fields, mut times, mut most, mut ticked) = (Vec::new(), Vec::new(), 0, START);
    for seq in 0..count {
        let (now, id) = source.next(&mut fields).expect("enough events");
        let mut stamp = now;
        if seq % 100 == 99 {
            stamp = Time(now.0 - 2 * 3600 * SECOND);
            // The first entry is `@timestamp`: id, tag, instant.
            fields[3..11].copy_from_slice(&stamp.0.to_le_bytes());
        }
        times.push(stamp.0);
        store.ingest(now, [Incoming { seq, stamp, id, fields: &fields }]).expect("room");
        // Upkeep comes every five seconds.
        if now.0 - ticked >= 5 * SECOND {
            ticked = now.0;
            store.tick(now).expect("a disk");
            most = most.max(files(&store, now));
        }
    }
    // The late ones of the day's first hours belong to the day before.
    let end = Time(START + step * count as i64);
    store.seal(end).expect("a disk");
    let mut now = end;
    while now.0 - end.0 < LATER {
        now = Time(now.0 + 5 * SECOND);
        store.tick(now).expect("a disk");
        most = most.max(files(&store, now));
    }
    let stats = store.stats(now);
    let documents: u64 = stats.indices.iter().map(|i| i.documents).sum();
    assert_eq!(documents, count, "every event is there");
    let (left, bytes) = (files(&store, now), stats.bytes / count);
    println!("{name:44} {count:>9} {left:>6} {most:>7} {bytes:>8}");
    assert!(left <= most_files, "{left} files of {most_files}");
    assert!(most_bytes.is_none_or(|most| bytes <= most), "{bytes} bytes an event");
    times.sort_unstable_by_key(|t| std::cmp::Reverse(*t));
    assert_eq!(newest(store), times[..NEWEST].iter().map(|t| t / 1_000_000).collect::<Vec<_>>(), "{name}");
}

/// A live store: what is too far from today is filed under today.
fn open(dir: &Path) -> Arc<Store> {
    let mut options = Options::new(Box::new(|_| "packetbeat"));
    options.retention = Retention { age: None, bytes: None, free_percent: None };
    Store::open(&dir.join("store"), options, engine::schema()).expect("a store").0
}

/// Files of the largest day.
fn files(store: &Store, now: Time) -> usize {
    store.stats(now).indices.iter().map(|i| i.files).max().unwrap_or(0)
}

/// The times of the newest, in milliseconds, as the API tells them.
fn newest(store: Arc<Store>) -> Vec<i64> {
    let backend = Arc::new(api::StoreBackend::new(store, engine::schema(), 7));
    let listen = vec!["127.0.0.1:0".parse().expect("an address")];
    let options = wirebeat_web::Options::new(listen, "unused".to_owned(), api::identity(7));
    let server = wirebeat_web::serve(options, backend).expect("a server");
    let mut client = Client::new(&format!("http://{}", server.addresses()[0]));
    let body = json!({"size": NEWEST, "sort": [{"@timestamp": "desc"}], "_source": false});
    let answer = client.send("POST", "/packetbeat-*/_search", Some(&body.to_string())).expect("an answer");
    assert_eq!(answer.status, 200);
    let answer: Value = answer.json();
    let hits = answer["hits"]["hits"].as_array().expect("hits");
    hits.iter().map(|hit| hit["sort"][0].as_i64().expect("a time")).collect()
}
