//! Writing and reading in good times: order, cursors, several readers, quota, retention, one writer.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

use common::{Content, Told, copy, drain, event, events, open, options, segments, step};
use wirebeat_journal::{Batch, Durability, JournalError, Lost, Next, Options, Start};

fn contents(numbers: std::ops::Range<u64>, len: usize) -> Vec<Content> {
    numbers.map(|n| Content::of(&event(n, len))).collect()
}

/// Waits for the housekeeper.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what} does not happen");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_is_appended_is_read_in_order_with_its_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, journal, recovery) = open(dir.path(), options());
    assert!(recovery.clean && recovery.next_seq == 0, "{recovery}");
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    assert_eq!(drain(&mut reader), Told::default());
    for (n, size) in [(0, 1), (1, 10), (11, 300), (311, 1)] {
        let appended = writer.append(&events(n..n + size, 50)).unwrap();
        assert_eq!((appended.first_seq, appended.count), (n, size));
        // Seen at once.
        let told = drain(&mut reader);
        assert_eq!(told.seqs(), (n..n + size).collect::<Vec<_>>());
        assert_eq!(told.contents(), contents(n..n + size, 50));
    }
    assert_eq!(writer.append(&[]).unwrap().count, 0);
    writer.close();
    let mut batch = Batch::new();
    assert_eq!(reader.next(&mut batch, Duration::from_secs(9)).unwrap(), Next::Closed);
}

#[test]
fn large_appends_come_as_several_batches_and_are_one() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, journal, _) = open(dir.path(), options());
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    writer.append(&events(0..3000, 1000)).unwrap();
    let mut batch = Batch::new();
    assert_eq!(reader.next(&mut batch, Duration::ZERO).unwrap(), Next::Batch);
    assert!(batch.len() < 1100, "a batch is about a megabyte: {}", batch.len());
    assert!(drain(&mut reader).events.last().unwrap().0 == 2999);
}

#[test]
fn an_event_too_large_is_refused_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, journal, _) = open(dir.path(), options());
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    let mut huge = event(1, 0);
    huge.fields.put(&common::TEXT, "x".repeat(64 << 20).as_str());
    let appended = writer.append(&[event(0, 9), huge, event(2, 9)]).unwrap();
    assert_eq!(appended.count, 2);
    assert_eq!(journal.stats().events_refused, 1);
    assert_eq!(drain(&mut reader).contents(), [Content::of(&event(0, 9)), Content::of(&event(2, 9))]);
    // One as large as can be is written.
    let mut large = event(3, 0);
    large.fields.put(&common::TEXT, "x".repeat((64 << 20) - 200).as_str());
    let expected = Content::of(&large);
    writer.append(&[large]).unwrap();
    assert!(drain(&mut reader).contents() == [expected]);
}

#[test]
fn a_reader_waits_and_is_woken() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, journal, _) = open(dir.path(), options());
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    let waits = thread::spawn(move || {
        let mut batch = Batch::new();
        let begin = Instant::now();
        let next = reader.next(&mut batch, Duration::from_secs(60)).unwrap();
        (next, batch.len(), begin.elapsed())
    });
    thread::sleep(Duration::from_millis(100));
    writer.append(&events(0..7, 9)).unwrap();
    let (next, len, waited) = waits.join().unwrap();
    assert_eq!((next, len), (Next::Batch, 7));
    assert!(waited < Duration::from_secs(50), "{waited:?}");
    let mut late = journal.reader("late", Start::Now).unwrap();
    let begin = Instant::now();
    assert_eq!(late.next(&mut Batch::new(), Duration::from_millis(50)).unwrap(), Next::Timeout);
    assert!(begin.elapsed() >= Duration::from_millis(50));
}

#[test]
fn what_was_committed_does_not_come_again_and_the_rest_does() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, journal, _) = open(dir.path(), options());
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    writer.append(&events(0..10, 9)).unwrap();
    writer.append(&events(10..20, 9)).unwrap();
    assert_eq!(drain(&mut reader).events.len(), 20);
    // In the middle of a batch.
    reader.commit(13).unwrap();
    reader.commit(5).unwrap();
    assert!(matches!(reader.commit(21), Err(JournalError::NotGiven { given: 20, .. })));
    assert!(matches!(journal.reader("store", Start::Oldest), Err(JournalError::ReaderOpen(_))));
    drop(reader);
    let mut again = journal.reader("store", Start::Now).unwrap();
    assert_eq!(drain(&mut again).contents(), contents(13..20, 9));
    drop(again);
    drop((writer, journal));
    let (mut writer, journal, recovery) = open(dir.path(), options());
    assert!(recovery.clean, "{recovery}");
    assert_eq!(recovery.next_seq, 20, "closed in good order: no number is left out");
    writer.append(&events(20..22, 9)).unwrap();
    let mut reader = journal.reader("store", Start::Now).unwrap();
    let told = drain(&mut reader);
    assert_eq!(told.seqs(), (13..22).collect::<Vec<_>>());
    assert_eq!(told.contents(), contents(13..22, 9));
}

#[test]
fn readers_at_different_speeds_get_everything_once() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        segment_bytes: 40_000,
        durability: Durability::Interval(Duration::from_millis(5)),
        ..options()
    };
    let (mut writer, journal, _) = open(dir.path(), options);
    let threads: Vec<_> = (0..3)
        .map(|speed| {
            let mut reader = journal.reader(&format!("r{speed}"), Start::Oldest).unwrap();
            thread::spawn(move || {
                let (mut batch, mut seen) = (Batch::new(), Vec::new());
                loop {
                    match reader.next(&mut batch, Duration::from_secs(30)).unwrap() {
                        Next::Batch => seen.extend(batch.iter().map(|(seq, e)| (seq, e.stamp.0 / 1000))),
                        Next::Closed => return seen,
                        other => panic!("{other:?}"),
                    }
                    reader.commit(batch.end_seq()).unwrap();
                    thread::sleep(Duration::from_millis(speed * 3));
                }
            })
        })
        .collect();
    for n in 0..200 {
        writer.append(&events(n * 20..n * 20 + 20, 100)).unwrap();
    }
    writer.close();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), (0..4000u64).map(|n| (n, n as i64)).collect::<Vec<_>>());
    }
    let stats = journal.stats();
    assert!(stats.readers.iter().all(|r| r.cursor == 4000 && r.lag_events == 0 && !r.open), "{stats:?}");
    assert_eq!(stats.write_errors, 0);
}

#[test]
fn the_quota_takes_the_oldest_and_each_reader_is_told_what_it_missed() {
    let dir = tempfile::tempdir().unwrap();
    let quota = 200_000;
    let options = Options { segment_bytes: 20_000, quota_bytes: quota, ..options() };
    let (mut writer, journal, _) = open(dir.path(), options);
    let mut fast = journal.reader("fast", Start::Oldest).unwrap();
    let mut midway = journal.reader("midway", Start::Oldest).unwrap();
    let mut slow = journal.reader("slow", Start::Oldest).unwrap();
    drop(journal.reader("absent", Start::Oldest).unwrap());
    let (mut all, mut half) = (Told::default(), Told::default());
    for n in 0..1000 {
        writer.append(&events(n * 10..n * 10 + 10, 100)).unwrap();
        while step(&mut fast, &mut all) {}
        if n < 200 && n % 2 == 0 {
            step(&mut midway, &mut half);
        }
        let on_disk: u64 = segments(dir.path()).iter().map(|p| p.metadata().unwrap().len()).sum();
        assert!(on_disk <= quota, "{on_disk}");
        assert_eq!(on_disk, journal.stats().bytes);
    }
    assert_eq!(all.contents(), contents(0..10_000, 100));
    assert!(all.lost.is_empty());
    let first = journal.stats().first_seq;
    assert!(first > 5000, "most is gone: {first}");
    // The one that read nothing.
    let told = drain(&mut slow);
    assert_eq!(told.lost, [Lost { from: 0, to: first, events: first }]);
    assert_eq!(told.contents(), contents(first..10_000, 100));
    // The one that read some.
    let had = half.events.len() as u64;
    while step(&mut midway, &mut half) {}
    assert_eq!(half.lost, [Lost { from: had, to: first, events: first - had }]);
    assert_eq!(half.events.len() as u64, had + 10_000 - first);
    // The one that was not there.
    let told = drain(&mut journal.reader("absent", Start::Now).unwrap());
    assert_eq!(told.lost, [Lost { from: 0, to: first, events: first }]);
    let lost: Vec<_> = journal.stats().readers.into_iter().map(|r| (r.name, r.lost_to_quota)).collect();
    let expected = [("absent", first), ("fast", 0), ("midway", first - had), ("slow", first)];
    assert_eq!(lost, expected.map(|(n, l)| (n.to_owned(), l)));
    // What was lost is counted once, after a restart too.
    drop((fast, midway, slow));
    drop((writer, journal));
    let (_writer, journal, _) = open(dir.path(), common::options());
    let lost: Vec<_> = journal.stats().readers.into_iter().map(|r| (r.name, r.lost_to_quota)).collect();
    assert_eq!(lost, expected.map(|(n, l)| (n.to_owned(), l)));
}

#[test]
fn a_quota_loss_that_was_not_written_down_is_counted_at_the_next_start() {
    let (dir, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let options = Options { segment_bytes: 20_000, quota_bytes: 100_000, ..options() };
    let (mut writer, journal, _) = open(dir.path(), options);
    drop(journal.reader("absent", Start::Oldest).unwrap());
    let old = tempfile::tempdir().unwrap();
    copy(dir.path(), old.path());
    for n in 0..200 {
        writer.append(&events(n * 10..n * 10 + 10, 100)).unwrap();
    }
    copy(dir.path(), killed.path());
    copy(&old.path().join("readers"), &killed.path().join("readers"));
    let first = journal.stats().first_seq;
    let (_writer, journal, _) = open(killed.path(), common::options());
    assert_eq!(journal.stats().readers[0].lost_to_quota, first);
    let told = drain(&mut journal.reader("absent", Start::Now).unwrap());
    assert_eq!(told.lost, [Lost { from: 0, to: first, events: first }]);
    assert_eq!(told.contents(), contents(first..2000, 100));
}

#[test]
fn segments_wait_for_readers_and_only_for_them() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 20_000, ..options() };
    let (mut writer, journal, _) = open(dir.path(), options);
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    drop(journal.reader("absent", Start::Oldest).unwrap());
    for n in 0..100 {
        writer.append(&events(n * 10..n * 10 + 10, 100)).unwrap();
    }
    drain(&mut reader);
    reader.commit(1000).unwrap();
    let held = segments(dir.path()).len();
    assert!(held > 3, "{held}");
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(segments(dir.path()).len(), held, "one reader has not begun");
    assert!(matches!(journal.forget("store"), Err(JournalError::ReaderOpen(_))));
    assert!(matches!(journal.forget("nobody"), Err(JournalError::NoReader(_))));
    journal.forget("absent").unwrap();
    until("deleting", || segments(dir.path()).len() == 1);
    assert_eq!(journal.stats().segments, 1);
    assert!(journal.stats().first_seq > 0);
    // What is written next is read as ever.
    writer.append(&events(1000..1010, 100)).unwrap();
    assert_eq!(drain(&mut reader).contents(), contents(1000..1010, 100));
}

#[test]
fn nothing_waits_for_a_tail() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 20_000, ..options() };
    let (mut writer, journal, _) = open(dir.path(), options);
    writer.append(&events(0..10, 100)).unwrap();
    let mut tail = journal.tail().unwrap();
    writer.append(&events(10..20, 100)).unwrap();
    assert_eq!(drain(&mut tail).contents(), contents(10..20, 100));
    for n in 2..100 {
        writer.append(&events(n * 10..n * 10 + 10, 100)).unwrap();
    }
    until("deleting", || segments(dir.path()).len() == 1);
    let first = journal.stats().first_seq;
    let told = drain(&mut tail);
    assert_eq!(told.lost, [Lost { from: 20, to: first, events: first - 20 }]);
    assert_eq!(told.contents(), contents(first..1000, 100));
    tail.commit(1000).unwrap();
    drop(tail);
    assert!(journal.stats().readers.is_empty());
    assert_eq!(fs::read_dir(dir.path().join("readers")).unwrap().count(), 0);
}

#[test]
fn one_writes_and_the_other_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, journal, _) = open(dir.path(), options());
    let Err(refused) = wirebeat_journal::open(dir.path(), options(), common::schema()) else {
        panic!("opened twice")
    };
    let text = refused.to_string();
    assert!(text.contains(&dir.path().display().to_string()) && text.contains("another wirebeat"), "{text}");
    drop(writer);
    assert!(
        wirebeat_journal::open(dir.path(), options(), common::schema()).is_err(),
        "a reader may be at work"
    );
    drop(journal);
    assert!(wirebeat_journal::open(dir.path(), options(), common::schema()).is_ok());
}

#[test]
fn the_directory_is_the_owners_and_another_version_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data/journal");
    let (mut writer, journal, _) = open(&dir, options());
    writer.append(&events(0..1, 9)).unwrap();
    journal.reader("store", Start::Oldest).unwrap();
    let mode = |p: &std::path::Path| p.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for file in
        segments(&dir).into_iter().chain([dir.join("LOCK"), dir.join("VERSION"), dir.join("readers/store")])
    {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    drop((writer, journal));
    fs::write(dir.join("VERSION"), "wirebeat journal 2\n").unwrap();
    let Err(error) = wirebeat_journal::open(&dir, options(), common::schema()) else { panic!("read") };
    assert!(matches!(error, JournalError::Version { .. }));
    let text = error.to_string();
    assert!(
        text.contains("wirebeat journal 2") && text.contains("VERSION") && text.contains("move"),
        "{text}"
    );
}

#[test]
fn names_of_readers_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let (_writer, journal, _) = open(dir.path(), options());
    for bad in ["", "../x", "a/b", "tail 1", ".hidden"] {
        assert!(matches!(journal.reader(bad, Start::Now), Err(JournalError::Name(_))), "{bad}");
    }
}

#[test]
fn every_durability_writes_the_same() {
    for durability in [Durability::None, Durability::Batch, Durability::Interval(Duration::from_millis(1))] {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, journal, _) =
            open(dir.path(), Options { durability, segment_bytes: 5000, ..options() });
        let mut reader = journal.reader("store", Start::Oldest).unwrap();
        for n in 0..20 {
            writer.append(&events(n * 10..n * 10 + 10, 100)).unwrap();
        }
        writer.flush();
        assert_eq!(drain(&mut reader).contents(), contents(0..200, 100), "{durability:?}");
        assert_eq!(journal.stats().write_errors, 0);
    }
}
