//! Whole terms and parts of terms: where a block cannot have them it is not read, and what it has is always found.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use std::path::Path;
use std::process::Command;

use common::fields::{KEYWORD, schema};
use common::{DAY_LATER, open_with, put};
use wirebeat_model::{Entries, Time};
use wirebeat_store::Store;

/// So many terms of a row group that a filter of them is written: more than 32 KiB.
const ROWS: u64 = 3_000;

fn term(n: u64) -> String {
    format!("term {n:06} of many")
}

fn fill(store: &Store) {
    schema();
    for first in (0..3 * ROWS).step_by(ROWS as usize) {
        let events: Vec<Entries> = (first..first + ROWS)
            .map(|n| {
                let mut entries = Entries::new();
                entries.put(&KEYWORD, term(n).as_str());
                entries
            })
            .collect();
        put(store, first, &events);
        store.seal(Time(0)).unwrap();
    }
}

/// Blocks that may have a term, that may have a part of one.
fn may(store: &Store, text: &str) -> (usize, usize) {
    let view = store.view();
    let blocks = || view.indices.iter().flat_map(|i| &i.blocks);
    let whole = blocks().filter(|b| b.may_contain("a.keyword", text)).count();
    (whole, blocks().filter(|b| b.may_contain_part("a.keyword", text)).count())
}

#[test]
fn terms_and_parts_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), |o| (o.import, o.group_rows) = (true, ROWS as usize));
    fill(&store);
    for merged in [false, true] {
        for n in (0..3 * ROWS).step_by(7) {
            let (whole, part) = may(&store, &term(n));
            assert!(whole >= 1 && part == 1, "{n}: {whole} {part}, merged: {merged}");
            assert_eq!(may(&store, &format!("{n:06} of")), (0, 1), "{n}, merged: {merged}");
        }
        assert_eq!(may(&store, "nowhere"), (0, 0));
        while store.tick(DAY_LATER).unwrap() {}
    }
}

/// An independent reader of the filters.
#[test]
fn duckdb_reads_the_filters() {
    let engines = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients/engines");
    if !engines.join("wirebeat-ready").exists() {
        let why = "no DuckDB in target/clients (cargo xtask elastic)";
        assert!(std::env::var("WIREBEAT_LAB").as_deref() != Ok("require"), "{why}");
        eprintln!("skipped: {why}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), |o| (o.import, o.group_rows) = (true, ROWS as usize));
    fill(&store);
    for files in [3, 1] {
        let output = Command::new("python3")
            .args(["-c", "import duckdb, sys\nfor term in sys.argv[2:]:\n    print(sum(not r[0] for r in duckdb.execute(\n        'select bloom_filter_excludes from parquet_bloom_probe(?, ?, ?)', [sys.argv[1], 'a.keyword', term]).fetchall()))"])
            .arg(dir.path().join("*/*.parquet"))
            .args([&term(4_567), "term 4567 of many"])
            .env("PYTHONPATH", &engines)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // Row groups that may have each.
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "1\n0\n", "{files} files");
        while store.tick(DAY_LATER).unwrap() {}
    }
}
