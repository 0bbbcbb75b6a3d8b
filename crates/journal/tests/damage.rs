//! Files as a power cut or a failing disk leaves them: cut anywhere, any bit flipped.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{Content, Told, copy, drain, event, events, open, options, segments};
use wirebeat_journal::{JournalError, Options, Recovery, Start};

/// A journal of two segments, the second one not closed, as SIGKILL leaves it; and its events by number.
fn journal(dir: &Path) -> BTreeMap<u64, Content> {
    let live = tempfile::tempdir().unwrap();
    let mut all = BTreeMap::new();
    let mut put = |first: u64, numbers: std::ops::Range<u64>| {
        for (i, n) in numbers.enumerate() {
            all.insert(first + i as u64, Content::of(&event(n, 12)));
        }
    };
    let (mut writer, journal, _) = open(live.path(), options());
    drop(journal.reader("store", Start::Oldest).unwrap());
    for n in [0..3, 3..4, 4..9] {
        put(writer.append(&events(n.clone(), 12)).unwrap().first_seq, n);
    }
    drop((writer, journal));
    let (mut writer, journal, _) = open(live.path(), options());
    for n in [9..11, 11..12, 12..16] {
        put(writer.append(&events(n.clone(), 12)).unwrap().first_seq, n);
    }
    copy(live.path(), dir);
    drop((writer, journal));
    assert_eq!(segments(dir).len(), 2);
    all
}

fn read(dir: &Path) -> (Told, Recovery) {
    let (_writer, journal, recovery) = open(dir, options());
    let told = drain(&mut journal.reader("store", Start::Oldest).unwrap());
    (told, recovery)
}

/// Events in a tail that was cut off: in this journal the last batch, of four.
fn tail(recovery: &Recovery) -> u64 {
    if recovery.torn.is_some() { 4 } else { 0 }
}

/// Everything read is as it was written, in order, once; what is missing was named or cut off as the tail.
fn check(all: &BTreeMap<u64, Content>, told: &Told, recovery: &Recovery, what: &str) {
    let seqs = told.seqs();
    assert!(seqs.is_sorted_by(|a, b| a < b), "{what}: {seqs:?}");
    for (seq, content) in &told.events {
        assert_eq!(all.get(seq), Some(content), "{what}: event {seq}");
    }
    let named = |seq| told.damage.iter().any(|d| (d.from..d.to).contains(&seq));
    let last = seqs.last().copied().max(told.damage.iter().map(|d| d.to - 1).max());
    for seq in all.keys().filter(|s| seqs.binary_search(s).is_err()) {
        let tail = !recovery.clean && last.is_none_or(|l| *seq > l);
        assert!(named(*seq) || tail, "{what}: event {seq} is missing and not named: {told:?} {recovery}");
    }
    for seq in &seqs {
        assert!(!named(*seq), "{what}: event {seq} is read and said to be lost");
    }
    assert!(recovery.next_seq > 15, "{what}: numbers are given again");
    assert!(told.lost.is_empty(), "{what}");
}

#[test]
fn the_tail_is_cut_at_every_byte() {
    let (dir, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let all = journal(dir.path());
    let file = segments(dir.path()).pop().unwrap();
    let whole = fs::read(&file).unwrap();
    // Where the batch of the last four events begins: after the one of event 11.
    let salt = &whole[8..16];
    let places: Vec<_> = (16..whole.len() - 8).filter(|i| &whole[*i..*i + 8] == salt).collect();
    let &[_, _, begin] = &places[..] else { panic!("three batches, not {places:?}") };
    for cut in begin..whole.len() {
        let copied = work.path().join(cut.to_string());
        copy(dir.path(), &copied);
        let file = copied.join(file.file_name().unwrap());
        fs::write(&file, &whole[..cut]).unwrap();
        let (told, recovery) = read(&copied);
        check(&all, &told, &recovery, &format!("cut at {cut}"));
        assert_eq!(told.seqs(), (0..12).collect::<Vec<_>>());
        assert!(told.damage.is_empty() && !recovery.clean);
        assert_eq!(recovery.torn.is_some(), cut > begin, "cut at {cut}: {recovery}");
        if let Some(torn) = &recovery.torn {
            assert_eq!((torn.offset, torn.bytes), (begin as u64, (cut - begin) as u64));
            assert!(recovery.to_string().contains(&file.display().to_string()), "{recovery}");
        }
        assert_eq!(file.metadata().unwrap().len(), begin as u64);
        // What comes after it is read, and the next time there is no torn tail.
        let (mut writer, journal, again) = open(&copied, options());
        assert_eq!(again.torn, None);
        let appended = writer.append(&events(100..103, 12)).unwrap();
        assert!(appended.first_seq >= 16);
        let told = drain(&mut journal.reader("store", Start::Oldest).unwrap());
        assert_eq!(told.events.len(), 15);
        assert!(told.damage.is_empty());
    }
}

#[test]
fn a_bit_is_flipped_in_every_byte() {
    let full = std::env::var_os("WIREBEAT_FULL").is_some();
    let (dir, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let all = journal(dir.path());
    let copied = work.path().join("copy");
    let mut files: Vec<PathBuf> = segments(dir.path());
    files.extend([dir.path().join("VERSION"), dir.path().join("readers/store")]);
    let (mut whole, mut hurt) = (0, 0);
    for file in &files {
        let good = fs::read(file).unwrap();
        let relative = file.strip_prefix(dir.path()).unwrap();
        for byte in 0..good.len() {
            let bits = if full { 0..8 } else { byte % 8..byte % 8 + 1 };
            for bit in bits {
                let _ = fs::remove_dir_all(&copied);
                copy(dir.path(), &copied);
                let mut bad = good.clone();
                bad[byte] ^= 1 << bit;
                fs::write(copied.join(relative), bad).unwrap();
                let what = format!("{} byte {byte} bit {bit}", relative.display());
                if relative == Path::new("VERSION") {
                    let refused = wirebeat_journal::open(&copied, options(), common::schema());
                    assert!(matches!(refused, Err(JournalError::Version { .. })), "{what}");
                    continue;
                }
                let (told, recovery) = read(&copied);
                check(&all, &told, &recovery, &what);
                if relative.starts_with("readers") {
                    assert_eq!(recovery.damaged_cursors, [copied.join(relative)], "{what}");
                    assert_eq!(told.events.len(), all.len(), "{what}");
                    continue;
                }
                let missing = all.len() - told.events.len();
                assert!(missing <= 9, "{what}: more than a segment");
                // The first segment's last record says that it was closed, which costs no event.
                let ends = file == &files[0] && byte >= good.len() - 52;
                assert_eq!(missing == 0, ends, "{what}: {missing} are missing");
                assert_eq!(told.damaged() + tail(&recovery), missing as u64, "{what}: {told:?}");
                for damage in &told.damage {
                    let text = damage.to_string();
                    assert!(text.contains(&copied.join(relative).display().to_string()), "{what}: {text}");
                    if damage.offset == 0 { hurt += 1 } else { whole += 1 }
                }
            }
        }
    }
    assert!(whole > 100 && hurt > 50, "batches and headers were hit: {whole}, {hurt}");
}

#[test]
fn a_damaged_batch_costs_only_itself_while_writing_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, journal, _) = open(dir.path(), options());
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    let file = {
        writer.append(&events(0..5, 40)).unwrap();
        segments(dir.path()).pop().unwrap()
    };
    let at = file.metadata().unwrap().len() as usize;
    writer.append(&events(5..10, 40)).unwrap();
    let end = file.metadata().unwrap().len() as usize;
    // One in the content, one in the head: the last batch there is, and the next one comes later.
    for place in [end - 5, at + 20] {
        let mut bytes = fs::read(&file).unwrap();
        bytes[place] ^= 0x40;
        fs::write(&file, bytes).unwrap();
    }
    let told = drain(&mut reader);
    assert_eq!(told.seqs(), [0, 1, 2, 3, 4]);
    assert_eq!(told.damage.len(), 1);
    assert_eq!((told.damage[0].from, told.damage[0].to, told.damage[0].offset), (5, 10, at as u64));
    writer.append(&events(10..15, 40)).unwrap();
    let told = drain(&mut reader);
    assert_eq!((told.seqs(), told.damage.len()), (vec![10, 11, 12, 13, 14], 0));
    assert_eq!(journal.stats().readers[0].lost_to_damage, 5);
    // A new reader meets the same.
    let told = drain(&mut journal.reader("other", Start::Oldest).unwrap());
    assert_eq!((told.events.len(), told.damaged()), (10, 5));
}

#[test]
fn a_batch_inside_an_event_is_not_taken_for_one() {
    // Someone sends the bytes of a whole segment of ours as a body; then the batch that holds them is damaged.
    let (dir, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut writer, journal, _) = open(own.path(), options());
    writer.append(&events(5..9, 30)).unwrap();
    let bait = fs::read(segments(own.path()).pop().unwrap()).unwrap();
    drop((writer, journal));
    let (mut writer, journal, _) = open(dir.path(), options());
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    writer.append(&events(0..5, 3000)).unwrap();
    let file = segments(dir.path()).pop().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() - bait.len() - 2000;
    bytes[middle..middle + bait.len()].copy_from_slice(&bait);
    // Its head is gone too, so that everything behind it is searched.
    let salt: [u8; 8] = bytes[8..16].try_into().unwrap();
    let head = (16..bytes.len() - 8).find(|i| bytes[*i..*i + 8] == salt).unwrap();
    bytes[head] ^= 1;
    fs::write(&file, bytes).unwrap();
    writer.append(&events(5..6, 30)).unwrap();
    let told = drain(&mut reader);
    assert_eq!((told.seqs(), told.damaged()), (vec![5], 5));
}

#[test]
fn numbers_are_not_given_again_when_a_power_cut_took_the_tail() {
    let (dir, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut writer, journal, _) = open(dir.path(), options());
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    writer.append(&events(0..10, 30)).unwrap();
    copy(dir.path(), cut.path());
    for n in 1..50 {
        writer.append(&events(n * 10..n * 10 + 10, 30)).unwrap();
    }
    drain(&mut reader);
    reader.commit(500).unwrap();
    drop(reader);
    // The cursor was on the disk, the events were not.
    fs::copy(dir.path().join("readers/store"), cut.path().join("readers/store")).unwrap();
    let (mut writer, journal, recovery) = open(cut.path(), options());
    assert!(recovery.next_seq >= 500 && !recovery.clean, "{recovery}");
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    assert_eq!(drain(&mut reader), Told::default());
    let appended = writer.append(&events(900..910, 30)).unwrap();
    assert_eq!(appended.first_seq, recovery.next_seq);
    let told = drain(&mut reader);
    assert_eq!(told.seqs(), (recovery.next_seq..recovery.next_seq + 10).collect::<Vec<_>>());
    assert!(told.lost.is_empty() && told.damage.is_empty(), "numbers left out are no loss: {told:?}");
    assert_eq!(journal.stats().readers[0].lag_events, 10, "and no lag");
}

#[test]
fn a_segment_that_was_taken_away_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let small = Options { segment_bytes: 2000, ..options() };
    let (mut writer, journal, _) = open(dir.path(), small.clone());
    drop(journal.reader("store", Start::Oldest).unwrap());
    for n in 0..30 {
        writer.append(&events(n * 10..n * 10 + 10, 30)).unwrap();
    }
    drop((writer, journal));
    let files = segments(dir.path());
    assert!(files.len() > 4);
    let number = |i: usize| files[i].file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    fs::remove_file(&files[0]).unwrap();
    fs::remove_file(&files[2]).unwrap();
    let (_writer, journal, _) = open(dir.path(), small);
    let told = drain(&mut journal.reader("store", Start::Oldest).unwrap());
    assert_eq!(told.lost.len(), 1);
    assert_eq!((told.lost[0].from, told.lost[0].to, told.lost[0].events), (0, number(1), number(1)));
    assert_eq!(told.damage.len(), 1);
    assert_eq!((told.damage[0].from, told.damage[0].to), (number(2), number(3)));
    assert_eq!(told.events.len() as u64, 300 - number(1) - (number(3) - number(2)));
}

#[test]
fn a_segment_without_events_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    // Killed between beginning a segment and the first batch, twice; a reader waits at the start.
    let (writer, journal, _) = open(dir.path(), options());
    drop(journal.reader("store", Start::Oldest).unwrap());
    drop((writer, journal));
    for _ in 0..2 {
        let (mut writer, journal, _) = open(dir.path(), options());
        writer.append(&events(0..1, 9)).unwrap();
        let killed = tempfile::tempdir().unwrap();
        copy(dir.path(), killed.path());
        drop((writer, journal));
        let begun = segments(killed.path()).pop().unwrap();
        let bytes = fs::read(&begun).unwrap();
        let body = 48 + u32::from_le_bytes(bytes[36..40].try_into().unwrap()) as usize;
        fs::remove_dir_all(dir.path()).unwrap();
        copy(killed.path(), dir.path());
        fs::write(dir.path().join(begun.file_name().unwrap()), &bytes[..body]).unwrap();
    }
    let (mut writer, journal, recovery) = open(dir.path(), options());
    assert_eq!((recovery.torn, segments(dir.path()).len()), (None, 2));
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    assert_eq!(drain(&mut reader), Told::default());
    let first = writer.append(&events(0..2, 9)).unwrap().first_seq;
    let told = drain(&mut reader);
    assert_eq!((told.seqs(), told.lost.len(), told.damage.len()), (vec![first, first + 1], 0, 0));
}
