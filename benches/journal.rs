//! Events per CPU-second into the journal and out of it, with the events of real captures.
//!
//! `cargo bench --bench journal`. The events of each capture are appended in batches of 256, as the collector does, over
//! and over for a while, then read back; all of the process's CPU time counts, the forcing to the disk included. The
//! captures are others' (`../shared/captures/bench`); more can be named on the command line. Not a test: it prints, and
//! fails only when something cannot be run.

#![allow(clippy::expect_used, clippy::panic, reason = "a bench that cannot run says why")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use wirebeat::engine;
use wirebeat_journal::{Batch, Next, Options, Start};
use wirebeat_model::{Event, EventId, Time, read_event};

mod captures;
mod cpu;

/// Events held in memory, few enough for the CPU's cache: in the program they were made just now. And appended.
const HELD: usize = 5_000;
const APPENDED: usize = 1_000_000;
const BATCH: usize = 256;

fn main() {
    let captures = captures::chosen();
    if captures.is_empty() {
        println!("{}", captures::NONE);
        return;
    }
    println!(
        "{:10} {:>9} {:>7} {:>7} {:>14} {:>14} {:>8} {:>7}",
        "capture", "events", "fields", "B/event", "append/CPU-s", "read/CPU-s", "B stored", "MB more"
    );
    let dir = tempfile::tempdir().expect("a directory");
    for capture in captures {
        let events = events(&capture, dir.path());
        if !events.is_empty() {
            measure(&capture, &events, dir.path());
        }
    }
}

fn measure(capture: &Path, events: &[Event], dir: &Path) {
    let name = capture.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.split('.').next().unwrap_or_default();
    let count = events.len() as f64;
    let fields: usize = events.iter().map(|e| e.fields.iter().count()).sum();
    let bytes: usize = events.iter().map(|e| e.fields.byte_len()).sum();
    // The best of three: whatever else runs on the machine only takes.
    let runs = [(); 3].map(|()| run(events, bytes, &dir.join(name)));
    let best = |f: fn(&Run) -> f64| runs.iter().map(f).fold(f64::MIN, f64::max);
    println!(
        "{name:10} {:9} {:7.1} {:7.0} {:14.0} {:14.0} {:8.1} {:7.1}",
        runs[0].events,
        fields as f64 / count,
        bytes as f64 / count,
        best(|r| r.events as f64 / r.appended),
        best(|r| r.events as f64 / r.read),
        runs[0].stored as f64 / runs[0].events as f64,
        best(|r| r.megabytes),
    );
}

struct Run {
    events: usize,
    /// CPU seconds.
    appended: f64,
    read: f64,
    /// Bytes on the disk.
    stored: u64,
    /// By how much the process grew.
    megabytes: f64,
}

fn run(events: &[Event], bytes: usize, dir: &Path) -> Run {
    let rounds = APPENDED.div_ceil(events.len());
    let (before, resident) = (cpu::of("self"), memory());
    let (mut writer, journal, _) =
        wirebeat_journal::open(dir, Options::default(), engine::schema()).expect("a journal");
    let mut reader = journal.reader("bench", Start::Oldest).expect("a reader");
    for _ in 0..rounds {
        for batch in events.chunks(BATCH) {
            writer.append(batch).expect("room on the disk");
        }
    }
    writer.flush();
    let appended = cpu::of("self") - before;
    let stored = journal.stats().bytes;
    let before = cpu::of("self");
    let (mut batch, mut read, mut told) = (Batch::new(), 0, 0);
    loop {
        match reader.next(&mut batch, Duration::ZERO).expect("a batch") {
            Next::Batch => {
                for (_, event) in &batch {
                    (read, told) = (read + 1, told + event.fields.len());
                }
            }
            Next::Timeout => break,
            other => panic!("{other:?}"),
        }
    }
    let took = cpu::of("self") - before;
    let megabytes = (memory() - resident) / 1024.0;
    assert_eq!((read, told), (rounds * events.len(), rounds * bytes), "all is read");
    drop((reader, writer, journal));
    fs::remove_dir_all(dir).expect("cleaning up");
    Run { events: read, appended, read: took, stored, megabytes }
}

/// The events of a capture, from the lines that `wirebeat read` writes.
fn events(capture: &Path, dir: &Path) -> Vec<Event> {
    let plain = captures::plain(capture, dir);
    let lines = dir.join("events.ndjson");
    let status = Command::new(env!("CARGO_BIN_EXE_wirebeat"))
        .args(["read", "--redact", "off", "-o"])
        .args([&lines, &plain])
        .stderr(Stdio::null())
        .status()
        .expect("wirebeat");
    assert!(status.success(), "wirebeat: {status}");
    let text = fs::read_to_string(&lines).expect("the events");
    let schema = engine::schema();
    let events = text.lines().take(HELD).enumerate().map(|(n, line)| {
        let id =
            line.split_once(r#""id":""#).and_then(|(_, rest)| u128::from_str_radix(rest.get(..32)?, 16).ok());
        Event {
            stamp: Time(n as i64 * 50_000),
            id: EventId(id.unwrap_or_default().to_be_bytes()),
            fields: read_event(schema, line).expect("an event"),
        }
    });
    events.collect()
}

/// Resident kilobytes now.
fn memory() -> f64 {
    let text = fs::read_to_string("/proc/self/status").expect("/proc");
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0)
}
