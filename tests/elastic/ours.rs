//! Our own API over a store with the documents: some in files that were merged, some in one that was not, some in
//! memory.

use std::sync::Arc;

use serde_json::Value;
use wirebeat::{api, engine};
use wirebeat_model::{EventId, Time, read_event};
use wirebeat_store::{Incoming, Options, Store};
use wirebeat_web::Server;

use crate::data;

/// A running API; it ends with this.
pub(crate) struct Ours {
    pub(crate) url: String,
    _server: Server,
    _dir: tempfile::TempDir,
}

/// Stores the documents in their order and answers searches.
pub(crate) fn start(documents: &[Value]) -> Ours {
    let schema = engine::schema();
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(Box::new(|_| "packetbeat"));
    options.import = true;
    let (store, _) = Store::open(dir.path(), options, schema).unwrap();
    let (early, late) = documents.split_at(documents.len() - 2_000);
    let mut seq = 0;
    for part in early.chunks(early.len().div_ceil(3)).chain([late]) {
        let events: Vec<_> = part.iter().map(|d| read_event(schema, &d.to_string()).unwrap()).collect();
        let incoming = part.iter().zip(&events).zip(seq..).map(|((document, entries), seq)| {
            let stamp = Time::parse_rfc3339(document["@timestamp"].as_str().unwrap()).unwrap();
            let id = EventId(u128::from_str_radix(data::id(document), 16).unwrap().to_be_bytes());
            Incoming { seq, stamp, id, fields: entries.as_bytes() }
        });
        store.ingest(Time::now(), incoming).unwrap();
        seq += part.len() as u64;
        if part.len() != late.len() {
            store.seal(Time::now()).unwrap();
        }
    }
    let backend = Arc::new(api::StoreBackend::new(store, schema, 7));
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let options = wirebeat_web::Options::new(listen, "a token of the tests".to_owned(), api::identity(7));
    let server = wirebeat_web::serve(options, backend).unwrap();
    Ours { url: format!("http://{}", server.addresses()[0]), _server: server, _dir: dir }
}
