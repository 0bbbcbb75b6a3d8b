//! Partitions, files, recovery, retention and limits.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{fields as f, id, longs, open, open_with};
use wirebeat_model::{Entries, Time};
use wirebeat_store::{Incoming, IngestError, OpenError, Opened, Options, Retention, Store};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 2026-11-25T00:00:00Z, from `date -u -d 2026-11-25 +%s`.
const TODAY: i64 = 1_795_564_800 * SECOND;

fn event(time: i64) -> Entries {
    f::schema();
    let mut e = Entries::new();
    e.put(&f::TIMESTAMP, Time(time));
    e.put(&f::KEYWORD, "GET");
    e.put(&f::LONG, (time / SECOND % 1000).unsigned_abs());
    e
}

/// Events at these times, numbered from `first`, come in at `now`.
fn put_at(
    store: &Store,
    first: u64,
    times: impl IntoIterator<Item = i64>,
    now: i64,
) -> Result<(), IngestError> {
    let entries: Vec<Entries> = times.into_iter().map(event).collect();
    let events = (first..).zip(&entries).map(|(seq, e)| Incoming {
        seq,
        stamp: Time(now),
        id: id(seq),
        fields: e.as_bytes(),
    });
    store.ingest(Time(now), events)
}

/// Numbers of the events in each index.
fn seqs(store: &Store) -> BTreeMap<String, Vec<i64>> {
    let view = store.view();
    let all = |i: &wirebeat_store::Index| i.blocks.iter().flat_map(|b| longs(&**b, "_seq")).collect();
    view.indices.iter().map(|i| (i.name.clone(), all(i))).collect()
}

fn numbers(from: i64, to: i64) -> Vec<i64> {
    (from..to).collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut list: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .flat_map(|p| std::fs::read_dir(p).unwrap().map(|e| e.unwrap().path()))
        .collect();
    list.sort();
    list
}

fn reopen(dir: &Path, set: impl FnOnce(&mut Options)) -> (std::sync::Arc<Store>, Opened) {
    let mut options = Options::new(Box::new(|_| "test"));
    set(&mut options);
    Store::open(dir, options, f::schema()).unwrap()
}

#[test]
fn partitions_are_days_and_odd_dates_are_filed_under_today() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), |_| {});
    let times = [TODAY, TODAY - 1, TODAY + DAY, TODAY - DAY - 1, 0, TODAY + 2 * DAY];
    put_at(&store, 0, times, TODAY + 5).unwrap();
    let expected: BTreeMap<String, Vec<i64>> = [
        ("test-2026.11.24".into(), vec![1]),
        ("test-2026.11.25".into(), vec![0, 3, 4, 5]),
        ("test-2026.11.26".into(), vec![2]),
    ]
    .into();
    assert_eq!(seqs(&store), expected);
    assert_eq!(store.stats(Time(TODAY)).counts.misdated, 3);
    let view = store.view();
    let today = &view.indices[1].blocks[0];
    let marked = today.column("event.ingested").unwrap().unwrap();
    let marked: Vec<usize> = (0..4).map(|row| marked.of(row).len()).collect();
    assert_eq!(marked, [0, 1, 1, 1]);
    assert!(today.sources(&[2]).unwrap()[0].contains(r#""@timestamp":"1970-01-01T00:00:00.000000000Z""#));
    // The same as an import: everything under its own day.
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    put_at(&store, 0, times, TODAY + 5).unwrap();
    assert_eq!(seqs(&store).len(), 6);
    assert_eq!(store.stats(Time(TODAY)).counts.misdated, 0);
}

#[test]
fn what_was_sealed_is_not_taken_again() {
    let dir = tempfile::tempdir().unwrap();
    let days: Vec<i64> = (0..100).map(|i| TODAY + (i % 3) * DAY + i * SECOND).collect();
    let store = open(dir.path());
    put_at(&store, 10, days.clone(), TODAY).unwrap();
    assert_eq!(store.sealed_upto(), 10);
    store.seal(Time(TODAY)).unwrap();
    assert_eq!(store.sealed_upto(), 110);
    put_at(&store, 110, days.clone(), TODAY).unwrap();
    assert_eq!(store.sealed_upto(), 110);
    let before = seqs(&store);
    drop(store);
    // A crash: what was open is gone, and the journal gives everything again.
    let store = open(dir.path());
    assert_eq!(seqs(&store).values().map(Vec::len).sum::<usize>(), 100);
    put_at(&store, 10, days.clone(), TODAY).unwrap();
    put_at(&store, 110, days, TODAY).unwrap();
    assert_eq!(seqs(&store), before);
    assert_eq!(store.stats(Time(TODAY)).counts.again, 100);
}

#[test]
fn an_odd_date_is_filed_where_it_was_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), |_| {});
    // Odd, sealed; then odd and good ones that are lost.
    put_at(&store, 0, [5, TODAY], TODAY).unwrap();
    store.seal(Time(TODAY)).unwrap();
    put_at(&store, 2, [6, TODAY + 1], TODAY + 1).unwrap();
    drop(store);
    let later = TODAY + 5 * DAY;
    let store = open_with(dir.path(), |o| o.replay_below = 4);
    put_at(&store, 0, [5, TODAY, 6, TODAY + 1, 7, later], later).unwrap();
    let expected: BTreeMap<String, Vec<i64>> =
        [("test-2026.11.25".into(), numbers(0, 4)), ("test-2026.11.30".into(), numbers(4, 6))].into();
    assert_eq!(seqs(&store), expected);
}

#[test]
fn merged_files_win_over_what_they_were_made_of() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for i in 0..5u64 {
        put_at(&store, i * 10, (0..10).map(|n| TODAY + n), TODAY).unwrap();
        store.seal(Time(TODAY)).unwrap();
    }
    let copies = tempfile::tempdir().unwrap();
    let small = files(dir.path());
    assert_eq!(small.len(), 5);
    for path in &small {
        std::fs::copy(path, copies.path().join(path.file_name().unwrap())).unwrap();
    }
    // A view keeps what it shows until it is gone.
    let view = store.view();
    assert!(store.tick(Time(TODAY + DAY)).unwrap());
    assert_eq!(store.stats(Time(TODAY)).indices[0].files, 1);
    assert_eq!(files(dir.path()).len(), 6);
    let old: Vec<i64> = view.indices[0].blocks.iter().flat_map(|b| longs(&**b, "_seq")).collect();
    assert_eq!(old, numbers(0, 50));
    drop(view);
    assert_eq!(files(dir.path()).len(), 1);
    drop(store);
    // As after a crash between the rename and the deletions, and in the middle of writing.
    for path in &small {
        std::fs::copy(copies.path().join(path.file_name().unwrap()), path).unwrap();
    }
    std::fs::write(small[0].with_extension("part"), b"half a fi").unwrap();
    let (store, report) = reopen(dir.path(), |o| o.import = true);
    assert_eq!((report.removed, report.files, report.documents), (6, 1, 50));
    assert_eq!(seqs(&store).values().next().unwrap(), &numbers(0, 50));
    assert_eq!(files(dir.path()).len(), 1);
}

#[test]
fn a_deleted_index_does_not_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    put_at(&store, 0, [TODAY, TODAY + DAY, TODAY], TODAY).unwrap();
    store.seal(Time(TODAY)).unwrap();
    put_at(&store, 3, [TODAY, TODAY + DAY], TODAY).unwrap();
    assert!(store.delete_index("test-2026.11.25").unwrap());
    assert!(!store.delete_index("test-2026.11.25").unwrap());
    assert!(!store.delete_index("../../etc").unwrap());
    let rest: BTreeMap<String, Vec<i64>> = [("test-2026.11.26".into(), vec![1, 4])].into();
    assert_eq!(seqs(&store), rest);
    assert_eq!(store.stats(Time(TODAY)).counts.deleted, 3);
    drop(store);
    let store = open(dir.path());
    put_at(&store, 0, [TODAY, TODAY + DAY, TODAY, TODAY, TODAY + DAY], TODAY).unwrap();
    assert_eq!(seqs(&store), rest);
    // What comes after is a new index of that name.
    put_at(&store, 5, [TODAY], TODAY).unwrap();
    assert_eq!(seqs(&store)["test-2026.11.25"], [5]);
    store.seal(Time(TODAY)).unwrap();
    drop(store);
    let store = open(dir.path());
    put_at(&store, 6, [TODAY], TODAY).unwrap();
    assert_eq!(seqs(&store)["test-2026.11.25"], [5, 6]);
    let left = std::fs::read_dir(dir.path())
        .unwrap()
        .any(|e| e.unwrap().path().extension().is_some_and(|e| e == "deleted"));
    assert!(!left, "the note is gone when the journal is past it");
}

#[test]
fn retention_counts_from_ingest_then_bytes_oldest_first() {
    let dir = tempfile::tempdir().unwrap();
    let keep = |age, bytes| Retention { age, bytes, free_percent: None };
    let week = Some(Duration::from_secs(7 * 86_400));
    let store = open_with(dir.path(), |o| (o.import, o.retention) = (true, keep(week, None)));
    // An old capture that came in today, today's events that came in long ago.
    put_at(&store, 0, [TODAY], TODAY - 8 * DAY).unwrap();
    store.seal(Time(TODAY)).unwrap();
    put_at(&store, 1, [TODAY - 4000 * DAY, TODAY - 3999 * DAY], TODAY).unwrap();
    store.seal(Time(TODAY)).unwrap();
    store.tick(Time(TODAY)).unwrap();
    let names: Vec<String> = seqs(&store).into_keys().collect();
    assert_eq!(names, ["test-2015.12.13", "test-2015.12.14"]);
    assert_eq!(store.stats(Time(TODAY)).counts.expired_by_age, 1);
    assert_eq!(files(dir.path()).len(), 2);
    drop(store);
    let one = std::fs::metadata(&files(dir.path())[0]).unwrap().len();
    let store = open_with(dir.path(), |o| (o.import, o.retention) = (true, keep(week, Some(one * 3 / 2))));
    assert!(store.stats(Time(TODAY + DAY / 2)).days.unwrap() < 7.0);
    store.tick(Time(TODAY)).unwrap();
    assert_eq!(seqs(&store).into_keys().collect::<Vec<_>>(), ["test-2015.12.14"]);
    assert_eq!(store.stats(Time(TODAY)).counts.expired_by_bytes, 1);
}

#[test]
fn old_rows_are_written_and_few_files_stay() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), |_| {});
    // One event a second for a day, looked at every ten seconds.
    let mut most = 0;
    for ten in 0..8640i64 {
        let now = TODAY + ten * 10 * SECOND;
        put_at(&store, ten as u64 * 10, (0..10).map(|n| now + n * SECOND), now + 9 * SECOND).unwrap();
        store.tick(Time(now + 9 * SECOND)).unwrap();
        if ten % 360 == 0 {
            most = most.max(store.stats(Time(now)).indices[0].files);
        }
    }
    let now = Time(TODAY + DAY);
    store.seal(now).unwrap();
    let stats = store.stats(now);
    let index = &stats.indices[0];
    assert_eq!(index.documents, 86_400);
    assert!(most <= 25 && index.files <= 25, "{most}, then {}", index.files);
    assert!(index.bytes <= 200 * 86_400, "{} bytes an event", index.bytes / 86_400);
    while store.tick(Time(TODAY + DAY + DAY / 2)).unwrap() {}
    assert_eq!(store.stats(now).indices[0].files, 1);
    assert_eq!(seqs(&store)["test-2026.11.25"], numbers(0, 86_400));
}

#[test]
fn a_busy_minute_leaves_few_files() {
    let dir = tempfile::tempdir().unwrap();
    // A sixteenth of the usual size and of 50,000 events a second.
    let store = open_with(dir.path(), |o| o.group_rows = 4096);
    for second in 0..60i64 {
        let now = TODAY + second * SECOND;
        put_at(&store, second as u64 * 3125, (0..3125).map(|n| now + n), now).unwrap();
        store.tick(Time(now)).unwrap();
    }
    let now = Time(TODAY + 200 * SECOND);
    store.seal(now).unwrap();
    while store.tick(now).unwrap() {}
    let stats = store.stats(now);
    assert!(stats.indices[0].files <= 3, "{}", stats.indices[0].files);
    assert!(stats.counts.files_written + stats.counts.files_merged < 60, "{:?}", stats.counts);
    assert_eq!(seqs(&store)["test-2026.11.25"], numbers(0, 60 * 3125));
}

#[test]
fn five_thousand_days_with_a_packet_each() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), |o| (o.import, o.sync) = (true, false));
    put_at(&store, 0, (0..5000).map(|d| d * DAY), TODAY).unwrap();
    let stats = store.stats(Time(TODAY));
    assert_eq!(stats.indices.len(), 5000);
    assert_eq!(stats.indices.iter().filter(|i| i.open > 0).count(), 16);
    assert!(stats.open_bytes < 1 << 20 && stats.cache_bytes <= 64 << 20, "{stats:?}");
    let handles = std::fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(handles < 200, "{handles}");
    store.seal(Time(TODAY)).unwrap();
    assert!(!store.tick(Time(TODAY)).unwrap(), "nothing can be merged");
    drop(store);
    let (store, report) = reopen(dir.path(), |o| o.import = true);
    assert_eq!((report.files, report.documents), (5000, 5000));
    let view = store.view();
    let total: i64 = view.indices.iter().flat_map(|i| longs(&*i.blocks[0], "_seq")).sum();
    assert_eq!(total, 4999 * 5000 / 2);
}

#[test]
fn when_nothing_can_be_written_memory_stays_bounded_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), |o| (o.group_rows, o.open_bytes) = (1000, 2 << 20));
    // Where the partition's directory should be is a file.
    let obstacle = dir.path().join("test-2026.11.25");
    std::fs::write(&obstacle, "").unwrap();
    let (mut seq, mut refused) = (0, 0);
    for step in 0..400i64 {
        let now = TODAY + step * SECOND;
        match put_at(&store, seq, (0..1000).map(|n| now + n), now) {
            Ok(()) => seq += 1000,
            Err(e) => {
                assert!(e.to_string().contains("test-2026.11.25"), "{e}");
                refused += 1;
            }
        }
    }
    let stats = store.stats(Time(TODAY));
    assert!(
        refused > 100 && stats.counts.refused == refused && stats.counts.write_failures > 10,
        "{stats:?}"
    );
    assert!(stats.failing.is_some() && stats.open_bytes < 4 << 20, "{stats:?}");
    assert_eq!(store.sealed_upto(), 0);
    std::fs::remove_file(&obstacle).unwrap();
    let now = TODAY + 1000 * SECOND;
    put_at(&store, seq, (0..1000).map(|n| now + n), now).unwrap();
    store.seal(Time(now)).unwrap();
    let got = &seqs(&store)["test-2026.11.25"];
    assert_eq!(*got, numbers(0, seq as i64 + 1000));
    assert!(store.stats(Time(now)).failing.is_none());
    assert_eq!(store.sealed_upto(), seq + 1000);
}

#[test]
fn damaged_files_are_named_and_never_make_it_panic() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    put_at(&store, 0, (0..300).map(|n| TODAY + n * SECOND + n), TODAY).unwrap();
    store.seal(Time(TODAY)).unwrap();
    drop(store);
    let path = files(dir.path()).remove(0);
    let good = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for at in (0..good.len()).step_by(3) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bad).unwrap();
        let (store, report) = reopen(dir.path(), |o| o.import = true);
        refused += report.damaged.len();
        if let Some(e) = report.damaged.first() {
            assert!(e.to_string().contains(path.file_name().unwrap().to_str().unwrap()), "{e}");
        }
        for index in &store.view().indices {
            for block in &index.blocks {
                for (name, _) in block.fields() {
                    let _ = (block.column(name), block.bounds(name), block.may_contain(name, "GET"));
                }
                let _ = block.sources(&[0, 7, 299]);
            }
        }
        // What is left of it can be merged or is given up.
        let _ = store.tick(Time(TODAY + DAY));
    }
    assert!(refused > 10);
    for len in [0, 3, 11, 12, good.len() / 2, good.len() - 1] {
        std::fs::write(&path, &good[..len]).unwrap();
        let (store, report) = reopen(dir.path(), |o| o.import = true);
        assert_eq!(report.damaged.len(), 1);
        assert!(store.view().indices.is_empty());
        assert_eq!(store.stats(Time(0)).counts.damaged_files, 1);
        // The journal gives them again.
        put_at(&store, 0, [TODAY], TODAY).unwrap();
        assert_eq!(seqs(&store)["test-2026.11.25"], [0]);
    }
}

#[test]
fn one_process_and_no_later_version() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let store = open(&path);
    use std::os::unix::fs::PermissionsExt;
    let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    put_at(&store, 0, [TODAY], TODAY).unwrap();
    store.seal(Time(TODAY)).unwrap();
    assert_eq!((mode(&path.join("test-2026.11.25")), mode(&files(&path)[0])), (0o700, 0o600));
    let again = |expected: fn(&OpenError) -> bool| {
        let error = Store::open(&path, Options::new(Box::new(|_| "x")), f::schema()).err().unwrap();
        assert!(expected(&error), "{error}");
    };
    again(|e| matches!(e, OpenError::InUse(_)));
    drop(store);
    std::fs::write(path.join("VERSION"), "99\n").unwrap();
    again(|e| matches!(e, OpenError::Later(_, 99)));
    std::fs::write(path.join("VERSION"), "x").unwrap();
    again(|e| matches!(e, OpenError::NoVersion(_)));
    std::fs::write(path.join("VERSION"), "1").unwrap();
    assert_eq!(seqs(&open(&path)).len(), 1);
}
