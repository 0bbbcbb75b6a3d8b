//! A store with a few known events, and the API over it.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use wirebeat::{api, engine};
use wirebeat_model::{EventId, Time, read_event};
use wirebeat_store::{Incoming, Options, Store};
use wirebeat_web::{Server, serve};

/// The token of the tests.
pub(crate) const TOKEN: &str = "a token of the tests";

/// A running API.
pub(crate) struct Running {
    pub(crate) store: Arc<Store>,
    pub(crate) at: SocketAddr,
    _server: Server,
    _dir: TempDir,
}

/// Nanoseconds of 2026-01-01T00:00:00Z (`date -d 2026-01-01Z +%s`).
const NEW_YEAR: i64 = 1_767_225_600_000_000_000;
const HOUR: i64 = 3_600_000_000_000;

/// Event number `n`: one an hour from New Year 2026 on, every third one a DNS question.
pub(crate) fn document(n: u64) -> Value {
    let (day, hour) = (1 + n / 24, n % 24);
    let timestamp = format!("2026-01-{day:02}T{hour:02}:00:00.000000000Z");
    let client = format!("10.0.0.{}", n % 5);
    if n.is_multiple_of(3) {
        json!({"@timestamp": timestamp, "type": "dns", "client": {"ip": client}, "dns": {"id": n}})
    } else {
        json!({
            "@timestamp": timestamp, "type": "http", "client": {"ip": client},
            "http": {"request": {"method": "GET", "headers": {"host": "bench.test"}},
                "response": {"status_code": if n.is_multiple_of(10) { 500 } else { 200 }}},
            "url": {"path": format!("/page/{n}")},
        })
    }
}

/// The `_id` of event number `n`.
pub(crate) fn id(n: u64) -> String {
    format!("{n:032x}")
}

/// Puts events into a store.
pub(crate) fn put(store: &Store, numbers: std::ops::Range<u64>) {
    let events: Vec<_> =
        numbers.map(|n| (n, read_event(engine::schema(), &document(n).to_string()).unwrap())).collect();
    let incoming = events.iter().map(|(n, entries)| Incoming {
        seq: *n,
        stamp: Time(NEW_YEAR + *n as i64 * HOUR),
        id: EventId(u128::from(*n).to_be_bytes()),
        fields: entries.as_bytes(),
    });
    store.ingest(Time(NEW_YEAR), incoming).unwrap();
}

/// The API over 48 events, half of them in files, half in memory.
pub(crate) fn start() -> Running {
    let schema = engine::schema();
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(Box::new(|_| "packetbeat"));
    options.import = true;
    let (store, _) = Store::open(dir.path(), options, schema).unwrap();
    put(&store, 0..12);
    store.seal(Time(NEW_YEAR)).unwrap();
    put(&store, 12..36);
    store.seal(Time(NEW_YEAR)).unwrap();
    put(&store, 36..48);
    let backend = Arc::new(api::StoreBackend::new(Arc::clone(&store), schema, 7));
    let options =
        wirebeat_web::Options::new(vec!["127.0.0.1:0".parse().unwrap()], TOKEN.to_owned(), api::identity(7));
    let server = serve(options, backend).unwrap();
    Running { store, at: server.addresses()[0], _server: server, _dir: dir }
}
