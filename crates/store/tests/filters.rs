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
    // Nothing is kept in memory: what was read with all rows would not be read again.
    let store = open_with(dir.path(), |o| (o.import, o.group_rows, o.cache_bytes) = (true, rows, 0));
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
    a_few_are_what_they_are_among_all(&store, rows);
    drop(store);
    // Files of the first format do not promise pages of lists: all of them are looked through, and merged they are of the
    // second.
    let path = only_file(dir.path());
    let mut bytes = std::fs::read(&path).unwrap();
    let at = memchr::memmem::find(&bytes, b"wirebeat.format").unwrap() + b"wirebeat.format".len();
    // A field of text, one byte long: the number.
    assert_eq!(bytes[at..at + 3], [0x18, 1, b'2']);
    bytes[at + 2] = b'1';
    std::fs::write(&path, bytes).unwrap();
    std::fs::write(dir.path().join("VERSION"), "1\n").unwrap();
    let store = open_with(dir.path(), |o| (o.import, o.group_rows, o.cache_bytes) = (true, 2 * rows, 0));
    a_few_are_what_they_are_among_all(&store, rows);
    assert_eq!(std::fs::read_to_string(dir.path().join("VERSION")).unwrap(), "2\n");
    put(&store, rows as u64, &events[..1]);
    store.seal(Time(0)).unwrap();
    assert!(store.tick(DAY_LATER).unwrap());
    drop(store);
    let merged = std::fs::read(only_file(dir.path())).unwrap();
    assert!(memchr::memmem::find(&merged, b"wirebeat.format\x18\x012").is_some());
}

fn only_file(dir: &Path) -> std::path::PathBuf {
    let entries = || std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let partition = entries().find(|p| p.is_dir()).unwrap();
    let files: Vec<_> = std::fs::read_dir(partition).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.into_iter().next().unwrap()
}

fn a_few_are_what_they_are_among_all(store: &Store, rows: usize) {
    let view = store.view();
    let blocks: Vec<_> = view.indices.iter().flat_map(|i| &i.blocks).collect();
    assert_eq!(blocks.iter().map(|b| b.rows()).sum::<usize>(), rows);
    for block in blocks {
        let all: Vec<u32> = (0..block.rows() as u32).collect();
        let whole = block.sources(&all).unwrap();
        for step in [17, 100, 2_500, 8_999] {
            let wanted: Vec<u32> = (3..block.rows() as u32).step_by(step).collect();
            let expected: Vec<&String> = wanted.iter().map(|row| &whole[*row as usize]).collect();
            // Those of a short list are kept, and told again.
            for _ in 0..2 {
                let told = block.sources(&wanted).unwrap();
                assert_eq!(told.iter().collect::<Vec<_>>(), expected, "every {step}th");
            }
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
