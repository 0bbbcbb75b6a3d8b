//! Bodies of searches, KQL and Lucene's syntax as anybody sends them, over a store with a few events: some in a file, some
//! in memory.

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use wirebeat::engine;
use wirebeat_model::{EventId, Kind, Time, read_event};
use wirebeat_store::exec::{self, Context, IndexBlocks, Limits, Mapping};
use wirebeat_store::lang::request::{SearchRequest, only_query};
use wirebeat_store::lang::{EsError, Query, kql};
use wirebeat_store::{Incoming, Options, Store};

/// Texts longer than this are not sent by anybody, and take long.
const LONG: usize = 4096;

struct World {
    store: Arc<Store>,
    mapping: Mapping,
    _dir: tempfile::TempDir,
}

const EVENTS: [&str; 4] = [
    r#"{"@timestamp":"2024-02-29T00:00:00.000000001Z","type":"http","status":"OK","client":{"ip":"10.0.0.1","port":80},"request":"GET /a quick fox","http":{"request":{"headers":{"host":"a","x-list":["a","b"]}},"response":{"status_code":200}}}"#,
    r#"{"@timestamp":"2024-02-29T01:00:00.000000000Z","type":"dns","client":{"ip":["::1","10.0.0.2"]},"dns":{"answers":[{"name":"example.org","data":"192.0.2.1","ttl":"60"}]},"event":{"duration":5}}"#,
    r#"{"@timestamp":"2024-03-01T00:00:00.000000000Z","type":"http","status":"Error","url":{"path":"/a/b"},"response":"nothing found","event":{"duration":-7}}"#,
    r#"{"@timestamp":"1969-12-31T23:59:59.999999999Z","tags":["a",""],"event":{"duration":9223372036854775807}}"#,
];

/// Puts events into a store so many times, and all but the last into files.
pub(super) fn fill(store: &Store, times: usize) {
    let schema = engine::schema();
    let all = EVENTS.iter().cycle().take(EVENTS.len() * times);
    let last = all.clone().count() as u64;
    for (seq, text) in (1..).zip(all) {
        let document: Value = serde_json::from_str(text).expect("JSON");
        let entries = read_event(schema, text).expect("an event");
        let stamp = Time::parse_rfc3339(document["@timestamp"].as_str().expect("a time")).expect("a time");
        let id = EventId(u128::from(seq).to_be_bytes());
        let event = Incoming { seq, stamp, id, fields: entries.as_bytes() };
        store.ingest(Time(0), [event]).expect("room");
        if seq + 1 == last {
            store.seal(Time(0)).expect("a file");
        }
    }
}

pub(super) fn options() -> Options {
    Options { import: true, ..Options::new(Box::new(|_| "packetbeat")) }
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let schema = engine::schema();
        let dir = tempfile::tempdir().expect("a directory");
        let (store, _) = Store::open(dir.path(), options(), schema).expect("a store");
        fill(&store, 1);
        let mut mapping = Mapping::from_schema(schema);
        mapping.add("client.bytes", Kind::Long);
        mapping.add_geo_point("client.geo.location");
        mapping.add_alias("also", "type");
        World { store, mapping, _dir: dir }
    })
}

fn over<T>(
    run: impl FnOnce(&[IndexBlocks<'_>], &Mapping, &Context) -> Result<T, EsError>,
) -> Result<T, EsError> {
    let world = world();
    let view = world.store.view();
    let indices: Vec<IndexBlocks<'_>> =
        view.indices.iter().map(|i| IndexBlocks { name: &i.name, blocks: &i.blocks }).collect();
    let limits = Limits { max_buckets: 1000, memory: 16 << 20 };
    let context = Context { limits, ..Context::at(1_709_251_200_000) };
    run(&indices, &world.mapping, &context)
}

/// An error is told as JSON and is the fault of who asked.
fn check<T>(result: Result<T, EsError>) {
    if let Err(e) = result {
        assert!((400..500).contains(&e.status), "{e}");
        assert!(!e.kind.is_empty() && e.to_json()["error"]["root_cause"].is_array(), "{e}");
    }
}

fn count(query: &Query) {
    check(over(|indices, mapping, context| exec::count(indices, mapping, query, context)));
}

/// A body of a search.
pub fn body(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(body) = serde_json::from_str::<Value>(text) else { return };
    match SearchRequest::parse(&body) {
        Ok(request) => {
            check(over(|indices, mapping, context| exec::search(indices, mapping, &request, context)))
        }
        error => check(error),
    }
    match only_query(&body) {
        Ok(query) => count(&query),
        error => check(error),
    }
}

/// A text in KQL.
pub fn kql(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match kql::parse(text, &kql::Options::default()) {
        Ok(query) => count(&query),
        error => check(error),
    }
}

/// A text in Lucene's syntax, and in the one in which nothing is an error.
pub fn lucene(data: &[u8]) {
    let Some(text) = text(data) else { return };
    for query in [
        json!({"query_string": {"query": text}}),
        json!({"query_string": {"query": text, "fields": ["request", "client.*"], "default_operator": "AND", "fuzziness": 1}}),
        json!({"simple_query_string": {"query": text}}),
        json!({"simple_query_string": {"query": text, "fields": ["request"], "minimum_should_match": "2<-25%"}}),
    ] {
        match only_query(&json!({"query": query})) {
            Ok(query) => count(&query),
            error => check(error),
        }
    }
}

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok().filter(|text| text.len() <= LONG)
}
