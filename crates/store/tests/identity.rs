//! What is put into the store comes out of it as the JSON writer would have written it: from the open block, from a
//! sealed file, from a merged one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use common::{DAY_LATER, Fields, equal, fields as f, open, open_with, parts, put};
use proptest::collection::vec;
use proptest::prelude::*;
use wirebeat_model::{Entries, EventId, JsonWriter, Precision, Time};
use wirebeat_store::{Incoming, Store, View};

fn written(entries: &Entries) -> serde_json::Value {
    let mut out = Vec::new();
    JsonWriter::new(f::schema(), Precision::Nano).write(entries, &mut out);
    serde_json::from_slice(&out).unwrap()
}

fn read(view: &View) -> Vec<serde_json::Value> {
    let mut rows: Vec<(i64, serde_json::Value)> = Vec::new();
    for block in view.indices.iter().flat_map(|i| &i.blocks) {
        let all: Vec<u32> = (0..block.rows() as u32).collect();
        let seqs = common::longs(&**block, "_seq");
        let sources = block.sources(&all).unwrap();
        rows.extend(seqs.into_iter().zip(sources.iter().map(|s| serde_json::from_str(s).unwrap())));
    }
    rows.sort_by_key(|r| r.0);
    rows.into_iter().map(|r| r.1).collect()
}

fn check(store: &Store, expected: &[serde_json::Value], when: &str) {
    let got = read(&store.view());
    assert_eq!(got.len(), expected.len(), "{when}");
    for (a, b) in got.iter().zip(expected) {
        assert!(equal(a, b), "{when}:\n{a}\n{b}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn documents_come_back(events in vec(parts(), 1..40), group_rows in prop_oneof![Just(4usize), Just(1000)]) {
        let dir = tempfile::tempdir().unwrap();
        let mut entries: Vec<Entries> = events.iter().map(Fields::entries).collect();
        common::add_ids(&mut entries);
        let expected: Vec<_> = entries.iter().map(written).collect();
        let half = entries.len() / 2;
        {
            let store = open_with(dir.path(), |o| (o.import, o.sync, o.group_rows) = (true, false, group_rows));
            put(&store, 0, &entries[..half]);
            check(&store, &expected[..half], "open");
            store.seal(Time(0)).unwrap();
            check(&store, &expected[..half], "sealed");
            put(&store, half as u64, &entries[half..]);
            check(&store, &expected, "sealed and open");
            store.seal(Time(0)).unwrap();
            check(&store, &expected, "several files");
        }
        let store = open_with(dir.path(), |o| (o.import, o.sync, o.group_rows) = (true, false, group_rows));
        check(&store, &expected, "opened again");
        let files = |store: &Store| store.stats(Time(0)).indices.iter().map(|i| i.files).sum::<usize>();
        let before = files(&store);
        while store.tick(DAY_LATER).unwrap() {}
        prop_assert!(files(&store) < before.max(2) || before == store.view().indices.len());
        check(&store, &expected, "merged");
        drop(store);
        check(&open(dir.path()), &expected, "merged and opened again");
    }
}

#[test]
fn ids_and_numbers_are_columns() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let entries = Entries::new();
    let id = EventId([0xab; 16]);
    let incoming = Incoming { seq: 7, stamp: Time(5), id, fields: entries.as_bytes() };
    store.ingest(Time(5), [incoming]).unwrap();
    for _ in 0..2 {
        let view = store.view();
        let block = &view.indices[0].blocks[0];
        assert_eq!(view.indices[0].name, "test-1970.01.01");
        assert_eq!(common::texts(&**block, "_id"), ["ab".repeat(16)]);
        assert_eq!(common::longs(&**block, "_seq"), [7]);
        assert_eq!(block.time(), (5, 5), "without @timestamp the stamp counts");
        assert_eq!(block.sources(&[0]).unwrap(), ["{}"]);
        store.seal(Time(5)).unwrap();
    }
}
