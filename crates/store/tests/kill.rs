//! SIGKILL at any moment loses nothing that a view has shown, and doubles nothing.
//!
//! The test runs itself as a child that plays journal and store: event number n is always the same, and the cursor it
//! writes down is what `sealed_upto` answered. The child tells what its views show; it is killed; the next one begins
//! at the cursor.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{fields as f, id, longs, open_with};
use wirebeat_model::{Entries, Time};
use wirebeat_store::{Incoming, Options, Store};

const CHILD: &str = "WIREBEAT_STORE_KILLED";
const DAY: i64 = 86_400_000_000_000;

fn options(o: &mut Options) {
    (o.import, o.group_rows, o.open_partitions) = (true, 64, 3);
}

/// Five days take turns, in runs of different length, so that partitions are sealed at different times.
fn event(seq: u64) -> Entries {
    let mut e = Entries::new();
    let day = (seq / 7 + seq / 31) % 5;
    e.put(&f::TIMESTAMP, Time(day as i64 * DAY + seq as i64));
    e.put(&f::KEYWORD, if seq.is_multiple_of(3) { "three" } else { "other" });
    e
}

fn put(store: &Store, from: u64, to: u64) {
    let entries: Vec<Entries> = (from..to).map(event).collect();
    let events = (from..).zip(&entries).map(|(seq, e)| Incoming {
        seq,
        stamp: Time(0),
        id: id(seq),
        fields: e.as_bytes(),
    });
    store.ingest(Time(0), events).unwrap();
}

fn cursor(dir: &Path) -> u64 {
    std::fs::read_to_string(dir.join("cursor")).ok().and_then(|t| t.parse().ok()).unwrap_or(0)
}

/// How often each number is there.
fn shown(store: &Store) -> HashMap<i64, usize> {
    let mut counts = HashMap::new();
    for index in &store.view().indices {
        for seq in index.blocks.iter().flat_map(|b| longs(&**b, "_seq")) {
            *counts.entry(seq).or_insert(0) += 1;
        }
    }
    counts
}

/// Runs until it is killed: prints the number below which its view has shown everything.
fn child(dir: PathBuf) {
    let store = open_with(&dir.join("store"), options);
    let mut seq = cursor(&dir);
    let mut out = std::io::stdout();
    for round in 0.. {
        let to = seq + 1 + round % 97;
        put(&store, seq, to);
        seq = to;
        if round % 5 == 0 {
            assert!(shown(&store).contains_key(&(seq as i64 - 1)));
            writeln!(out, "shown {seq}").unwrap();
        }
        if round % 3 == 0 {
            let temporary = dir.join("cursor.new");
            std::fs::write(&temporary, store.sealed_upto().to_string()).unwrap();
            std::fs::rename(temporary, dir.join("cursor")).unwrap();
        }
        // As if an hour had passed now and then: everything is written and merged.
        if round % 11 == 0 {
            store.tick(Time(DAY)).unwrap();
        }
    }
}

#[test]
fn killed_at_any_moment() {
    f::schema();
    if let Some(dir) = std::env::var_os(CHILD) {
        return child(dir.into());
    }
    let dir = tempfile::tempdir().unwrap();
    let mut most = 0;
    for round in 0u64..25 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["killed_at_any_moment", "--exact", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Killed when it has got some way, which takes as long as it takes, and a little later.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = |line: std::io::Result<String>| line.ok()?.strip_prefix("shown ")?.parse::<u64>().ok();
        let ways = lines.by_ref().filter_map(told).take(3 + round as usize % 5);
        most = most.max(ways.max().unwrap());
        std::thread::sleep(Duration::from_millis(round * 37 % 60));
        child.kill().unwrap();
        child.wait().unwrap();
        most = most.max(lines.filter_map(told).max().unwrap_or(0));
        let store = open_with(&dir.path().join("store"), options);
        let from = cursor(dir.path());
        put(&store, from, most.max(from));
        let counts = shown(&store);
        assert!(counts.values().all(|n| *n == 1), "round {round}: something is there twice");
        let missing = (0..most as i64).find(|seq| !counts.contains_key(seq));
        assert_eq!(missing, None, "round {round}, cursor {from}, shown {most}");
    }
    let files = open_with(&dir.path().join("store"), options)
        .stats(Time(0))
        .indices
        .iter()
        .map(|i| i.files)
        .sum::<usize>();
    assert!(most > 1000 && files > 1, "the children got nowhere: {most}");
}
