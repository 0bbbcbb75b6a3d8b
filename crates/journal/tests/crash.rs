//! SIGKILL at any time: what a reader was given is there afterwards, nothing twice.
//!
//! The test starts itself again as the process that is killed; `WIREBEAT_FULL=1` kills 200 times.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Content, drain, event, events, open};
use wirebeat_journal::{Batch, Durability, Next, Options, Start};

const DIR: &str = "WIREBEAT_JOURNAL_TEST_DIR";
const RUN: &str = "WIREBEAT_JOURNAL_TEST_RUN";

fn options() -> Options {
    Options {
        segment_bytes: 300_000,
        quota_bytes: 1 << 40,
        durability: Durability::Interval(Duration::from_millis(50)),
    }
}

/// The process that is killed: 20,000 events/s in batches of 200; what its reader is given goes to stdout.
#[test]
#[ignore = "the process that the test below kills"]
fn victim() {
    let Some(dir) = std::env::var_os(DIR).map(PathBuf::from) else { return };
    let run: u64 = std::env::var(RUN).unwrap().parse().unwrap();
    let (mut writer, journal, _) = open(&dir, options());
    let mut reader = journal.reader("reader", Start::Oldest).unwrap();
    thread::spawn(move || {
        let (mut batch, mut stdout, mut n) = (Batch::new(), std::io::stdout(), 0);
        loop {
            match reader.next(&mut batch, Duration::from_secs(10)).unwrap() {
                Next::Batch => {}
                other => panic!("{other:?}"),
            }
            let mut lines = Vec::new();
            for (seq, event) in &batch {
                writeln!(lines, "\n=event {seq} {}", event.stamp.0 / 1000).unwrap();
            }
            stdout.write_all(&lines).unwrap();
            stdout.flush().unwrap();
            n += 1;
            if n % 3 == 0 {
                reader.commit(batch.end_seq()).unwrap();
            }
        }
    });
    let begin = Instant::now();
    for n in 0.. {
        let first = (run << 32) | (n * 200);
        writer.append(&events(first..first + 200, 60)).unwrap();
        thread::sleep(Duration::from_millis((n + 1) * 10).saturating_sub(begin.elapsed()));
    }
}

/// Runs the process for a while, answers what its reader told.
fn kill(dir: &Path, run: u64, after: Duration) -> Vec<(u64, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim", "--ignored", "--nocapture"])
        .env(DIR, dir)
        .env(RUN, run.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let told = thread::spawn(move || {
        let mut told = Vec::new();
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap() > 0 {
            // The last line may be cut.
            if let Some((seq, number)) = line
                .strip_prefix("=event ")
                .and_then(|l| l.strip_suffix('\n'))
                .and_then(|l| l.split_once(' '))
            {
                told.push((seq.parse().unwrap(), number.parse().unwrap()));
            }
            line.clear();
        }
        told
    });
    thread::sleep(after);
    child.kill().unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(errors, "", "run {run}");
    child.wait().unwrap();
    told.join().unwrap()
}

#[test]
fn what_a_reader_was_given_is_there_after_sigkill() {
    let runs = if std::env::var_os("WIREBEAT_FULL").is_some() { 200 } else { 30 };
    let dir = tempfile::tempdir().unwrap();
    // It never commits, so that everything stays.
    let (writer, journal, _) = open(dir.path(), options());
    drop(journal.reader("keeper", Start::Oldest).unwrap());
    drop((writer, journal));
    let random = RandomState::new();
    let mut told: BTreeMap<u64, u64> = BTreeMap::new();
    let mut speaking = 0;
    for run in 0..runs {
        let after = Duration::from_millis(random.hash_one(run) % 500);
        let given = kill(dir.path(), run, after);
        speaking += u32::from(!given.is_empty());
        assert!(given.is_sorted_by(|a, b| a.0 < b.0), "run {run}: twice in one run");
        for (seq, number) in given {
            let before = told.insert(seq, number);
            assert!(before.is_none_or(|b| b == number), "run {run}: {seq} was another event");
        }
    }
    assert!(speaking > runs as u32 / 3, "most runs came to read: {speaking} of {runs}");
    let (_writer, journal, recovery) = open(dir.path(), options());
    let all = drain(&mut journal.reader("keeper", Start::Oldest).unwrap());
    assert!(all.damage.is_empty() && all.lost.is_empty(), "{:?} {:?}", all.damage, all.lost);
    assert!(all.events.is_sorted_by(|a, b| a.0 < b.0), "a number twice");
    let mut ids = HashSet::new();
    for (seq, content) in &all.events {
        let number = content.stamp.0 as u64 / 1000;
        assert!(ids.insert(content.id), "event {number} twice");
        assert_eq!(*content, Content::of(&event(number, 60)), "{seq}");
        if let Some(given) = told.remove(seq) {
            assert_eq!(given, number, "{seq} is another event");
        }
    }
    assert!(told.is_empty(), "given and gone: {:?}", told.iter().take(5).collect::<Vec<_>>());
    // Whole batches only.
    assert_eq!(all.events.len() % 200, 0);
    println!("{runs} kills, {} events, {recovery}", all.events.len());
}
