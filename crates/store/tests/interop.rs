//! DuckDB and Polars find in a store's files what the store itself finds.
//!
//! They come from `cargo xtask setup`, which puts them under `target/python`; without them the test says so and ends.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use common::{DAY_LATER, Fields, open_with, parts, put};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use wirebeat_model::{Entries, Kind, Time, ip_addr};
use wirebeat_store::Store;
use wirebeat_store::block::{Terms, Values};

/// Values of a field and a sum over them: of numbers, of bytes of texts, of microseconds; `[ns]`: of nanoseconds.
type Found = BTreeMap<String, (usize, i128)>;

fn ours(store: &Store) -> Found {
    let mut found = Found::new();
    let mut add = |name: &str, count: usize, sum: i128| {
        let before = found.entry(name.to_owned()).or_default();
        *before = (before.0 + count, before.1 + sum);
    };
    for block in store.view().indices.iter().flat_map(|i| &i.blocks) {
        add("", block.rows(), 0);
        let internal = [("_id".to_owned(), Kind::Keyword), ("_seq".to_owned(), Kind::Long)];
        for (name, kind) in block.fields().iter().chain(&internal) {
            // A map's column is text to others.
            let Some(column) = block.column(name).unwrap().filter(|_| *kind != Kind::Map) else { continue };
            match (&column.values, kind) {
                (Values::Coded { codes, terms }, _) => {
                    let bytes = |c: &u32| match terms {
                        Terms::Text(texts) => texts.value_length(*c as usize) as i128,
                        Terms::Ip(ips) => ip_addr(ips[*c as usize]).to_string().len() as i128,
                    };
                    add(name, codes.len(), codes.iter().map(bytes).sum());
                }
                (Values::Long(v), Kind::Date) => {
                    add(name, v.len(), v.iter().map(|t| i128::from(t.div_euclid(1000))).sum());
                    let nanos: i128 = v.iter().map(|t| i128::from(t.rem_euclid(1000))).sum();
                    add(&format!("{name}[ns]"), 0, nanos);
                }
                (Values::Long(v), _) => add(name, v.len(), v.iter().map(|v| i128::from(*v)).sum()),
                (Values::Double(v), _) => add(name, v.len(), v.len() as i128),
            }
        }
    }
    found
}

fn theirs(engines: &Path, engine: &str, store: &Path) -> Found {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop.py");
    let pattern = store.join("*/*.parquet");
    let output = Command::new("python3")
        .arg(script)
        .arg(engine)
        .arg(pattern)
        .env("PYTHONPATH", engines)
        .output()
        .unwrap();
    assert!(output.status.success(), "{engine}: {}", String::from_utf8_lossy(&output.stderr));
    let mut found: Found = serde_json::from_slice(&output.stdout).unwrap();
    // Where the field is the name, 32 digits.
    if let Some((count, sum)) = found.remove("event.id[_id]") {
        assert_eq!(count as i128, sum, "never false");
        let same = found.entry("event.id".into()).or_default();
        *same = (same.0 + count, same.1 + 32 * sum);
    }
    // What is no field, and nanoseconds, whose zeros are not always written.
    found.retain(|name, _| name != "_extra" && name != "http.headers");
    found.iter_mut().filter(|(name, _)| name.ends_with("[ns]")).for_each(|(_, f)| f.0 = 0);
    found
}

#[test]
fn other_engines_find_the_same() {
    let engines = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients/engines");
    if !engines.join("wirebeat-ready").exists() {
        let why = "no DuckDB and Polars in target/clients (cargo xtask elastic)";
        assert!(std::env::var("WIREBEAT_LAB").as_deref() != Ok("require"), "{why}");
        eprintln!("skipped: {why}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), |o| (o.import, o.group_rows) = (true, 50));
    let mut runner = TestRunner::deterministic();
    let events: Vec<Fields> = (0..600).map(|_| parts().new_tree(&mut runner).unwrap().current()).collect();
    let mut entries: Vec<Entries> = events.iter().map(Fields::entries).collect();
    common::add_ids(&mut entries);
    for (i, some) in entries.chunks(70).enumerate() {
        put(&store, i as u64 * 70, some);
        store.seal(Time(0)).unwrap();
    }
    for merged in [false, true] {
        let ours = ours(&store);
        assert_eq!(ours[""].0, 600);
        assert!(ours.len() > 15 && ours["dns.answers.bits"].0 > 100 && ours["a.many"].0 > 100, "{ours:?}");
        for engine in ["duckdb", "polars"] {
            let theirs = theirs(&engines, engine, dir.path());
            let zero = |name: &String| !ours.contains_key(name) && theirs[name] == (0, 0);
            for name in ours.keys().chain(theirs.keys()).filter(|n| !zero(n)) {
                let (a, b) = (ours.get(name).copied(), theirs.get(name).copied());
                // Without a column for them, all nanoseconds are zero.
                assert_eq!(
                    a.unwrap_or_default(),
                    b.unwrap_or_default(),
                    "{engine}, {name}, merged: {merged}"
                );
            }
        }
        while store.tick(DAY_LATER).unwrap() {}
    }
}
