//! Whole terms and parts of terms: where a block cannot have them it is not read, and what it has is always found.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use std::path::Path;
use std::process::Command;

use common::fields::{KEYWORD, schema};
use common::{DAY_LATER, Fields, open_with, parts, put};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
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

/// A few rows of a file, read alone, are what they are among all of its rows, in every kind of column.
#[test]
fn a_few_rows() {
    let dir = tempfile::tempdir().unwrap();
    let rows = 9_000;
    let store = open_with(dir.path(), |o| (o.import, o.group_rows) = (true, rows));
    let mut runner = TestRunner::deterministic();
    let some: Vec<Fields> = (0..300).map(|_| parts().new_tree(&mut runner).unwrap().current()).collect();
    let mut events: Vec<Entries> = (0..rows)
        .map(|n| {
            let mut fields = some[n * 7 % some.len()].clone();
            fields.time = Some(n as i64 * 1_001);
            // Enough for several pages, of which some have none; and short ones.
            if n / 3_000 != 1 {
                fields.keyword = Some(format!("{:x}", n * n));
            }
            fields.entries()
        })
        .collect();
    common::add_ids(&mut events);
    put(&store, 0, &events);
    store.seal(Time(0)).unwrap();
    let view = store.view();
    let blocks: Vec<_> = view.indices.iter().flat_map(|i| &i.blocks).collect();
    assert_eq!(blocks.iter().map(|b| b.rows()).sum::<usize>(), rows);
    for block in blocks {
        let all: Vec<u32> = (0..block.rows() as u32).collect();
        let whole = block.sources(&all).unwrap();
        for step in [17, 100, 2_500, 8_999] {
            let wanted: Vec<u32> = (3..block.rows() as u32).step_by(step).collect();
            let expected: Vec<&String> = wanted.iter().map(|row| &whole[*row as usize]).collect();
            let told = block.sources(&wanted).unwrap();
            assert_eq!(told.iter().collect::<Vec<_>>(), expected, "every {step}th");
        }
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
