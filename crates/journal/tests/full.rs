//! A disk that is full: what is refused is counted, nothing is left half, and it goes on once there is room.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use common::{Content, Told, drain, event, events, open, options};
use wirebeat_journal::{Options, Start};

/// A file system in memory of so many bytes.
struct Small(PathBuf);

impl Small {
    fn mount(path: &Path, size: u64) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(path)
            .output()
            .is_ok_and(|o| o.status.success());
        mounted.then(|| Self(path.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_refuses_whole_batches_and_is_used_again() {
    let parent = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(parent.path(), 64 << 20) else {
        eprintln!("skipped: mounting a tmpfs takes root");
        return;
    };
    let dir = small.0.join("journal");
    let (mut writer, journal, _) = open(&dir, Options { segment_bytes: 8 << 20, ..options() });
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    let (mut accepted, mut refused) = (Vec::new(), 0);
    // Batches of 100 kB, until twelve were refused: those between fill what is left by smaller ones.
    let mut number = 0;
    while refused < 12 {
        let size = if number % 3 == 0 { 20 } else { 100 };
        match writer.append(&events(number..number + size, 1000)) {
            Ok(appended) => {
                assert_eq!(appended.count, size);
                accepted.extend((appended.first_seq..).zip(number..number + size));
            }
            Err(error) => {
                assert!(error.to_string().contains("No space left"), "{error}");
                refused += 1;
            }
        }
        number += size;
        assert!(number < 1_000_000, "64 MB hold no GB");
    }
    let stats = journal.stats();
    assert_eq!(stats.events + stats.events_refused, number);
    assert_eq!(stats.events, accepted.len() as u64);
    let on_disk: u64 = common::segments(&dir).iter().map(|p| p.metadata().unwrap().len()).sum();
    assert_eq!(on_disk, stats.bytes, "no part of a batch is left");
    assert!(on_disk > 60 << 20, "{on_disk}");
    let expected = |accepted: &[(u64, u64)]| -> Vec<(u64, Content)> {
        accepted.iter().map(|(seq, n)| (*seq, Content::of(&event(*n, 1000)))).collect()
    };
    let told = drain(&mut reader);
    assert!(told == Told { events: expected(&accepted), ..Told::default() }, "exactly what was accepted");
    // The reader is done, segments go, there is room.
    reader.commit(stats.next_seq).unwrap();
    let begin = Instant::now();
    while journal.stats().segments > 1 {
        assert!(begin.elapsed() < Duration::from_secs(20), "nothing is deleted: {:?}", journal.stats());
        thread::sleep(Duration::from_millis(50));
    }
    let first = accepted.len();
    for _ in 0..20 {
        let appended = writer.append(&events(number..number + 100, 1000)).unwrap();
        accepted.extend((appended.first_seq..).zip(number..number + 100));
        number += 100;
    }
    assert!(drain(&mut reader).events == expected(&accepted[first..]));
    assert_eq!(journal.stats().events_refused, stats.events_refused);
    // And it opens again.
    drop((reader, writer, journal));
    let (_writer, journal, recovery) = open(&dir, options());
    assert!(recovery.clean, "{recovery}");
    assert_eq!(recovery.next_seq, accepted.last().unwrap().0 + 1);
    drop(journal);
}

#[test]
fn a_disk_with_room_for_no_segment_refuses_too() {
    let parent = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(parent.path(), 1 << 20) else {
        eprintln!("skipped: mounting a tmpfs takes root");
        return;
    };
    let dir = small.0.join("journal");
    let (mut writer, journal, _) = open(&dir, options());
    let ballast = small.0.join("ballast");
    // Fails when nothing is left.
    assert!(fs::write(&ballast, vec![0; 2 << 20]).is_err());
    assert!(writer.append(&events(0..10, 100)).is_err());
    assert_eq!(common::segments(&dir), Vec::<PathBuf>::new());
    assert_eq!(journal.stats().events_refused, 10);
    fs::remove_file(&ballast).unwrap();
    // Its file can be made, the batch does not fit.
    let size = fs::metadata(dir.join("VERSION")).unwrap().len();
    assert!(writer.append(&events(0..3000, 1000)).is_err());
    assert_eq!(writer.append(&events(0..10, 100)).unwrap().count, 10);
    let told = drain(&mut journal.reader("store", Start::Oldest).unwrap());
    assert_eq!((told.events.len(), told.damage.len(), size), (10, 0, 19));
}
