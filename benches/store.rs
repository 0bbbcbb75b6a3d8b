//! Events per CPU-second into journal and store, bytes an event takes on disk, memory, and how fast columns come back.
//!
//! `cargo bench --bench store`. The captures (`../shared/captures/bench`, or those named on the command line) are
//! decoded first; each measurement then runs in a process of its own that reads the events from a plain file, so that
//! its memory is its own. Not a test: it prints, and fails only when something cannot be run.

#![allow(clippy::expect_used, clippy::panic, reason = "a bench that cannot run says why")]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wirebeat_journal::{Batch, Next, Start};
use wirebeat_model::{Entries, Event, Schema, Time};
use wirebeat_store::block::{Block, Column, Rows, Values};
use wirebeat_store::{Incoming, Store};

mod captures;
mod cpu;
mod events;

use events::{Source, fill, open};

/// Set for the processes that measure: what they do.
const PART: &str = "WIREBEAT_STORE_BENCH";
/// The floor for journal and store together, in events per CPU-second.
const FLOOR: f64 = 120e3;
/// How often all events are taken where many are wanted: 5.1 million with the shared captures.
const MANY: usize = 14;

fn main() {
    if let Ok(part) = std::env::var(PART) {
        let args: Vec<String> = std::env::args().filter(|a| !a.starts_with("--")).collect();
        return measure(&part, Path::new(&args[1]), Path::new(&args[2]), args[3].parse().expect("a number"));
    }
    let captures = captures::chosen();
    if captures.is_empty() {
        println!("{}", captures::NONE);
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let flats = events::flats(&captures, dir.path());
    let all = events::joined(&flats, dir.path());
    let run = |part: &str, events: &Path, passes: usize| {
        let place = tempfile::tempdir_in(dir.path()).expect("a directory");
        let status = Command::new(std::env::current_exe().expect("this program"))
            .env(PART, part)
            .args([events, place.path()])
            .arg(passes.to_string())
            .status();
        assert!(status.is_ok_and(|s| s.success()), "{part}");
    };
    println!(
        "{:14} {:>9} {:>8} {:>12} {:>7} {:>8} {:>6} {:>7} {:>7}",
        "", "events", "CPU s", "events/CPU-s", "floor", "B/event", "files", "RSS MB", "in"
    );
    for (capture, flat) in captures.iter().zip(&flats) {
        print!("{:14} ", captures::name(capture));
        let _ = std::io::stdout().flush();
        run("store", flat, 1);
    }
    for (name, part, passes) in [("all: store", "store", 1), ("all x14: both", "both", MANY)] {
        print!("{name:14} ");
        let _ = std::io::stdout().flush();
        run(part, &all, passes);
    }
    run("read", &all, MANY);
}

fn measure(part: &str, events: &Path, place: &Path, passes: usize) {
    let schema = wirebeat::engine::schema();
    match part {
        "store" => store(schema, events, place, passes),
        "both" => both(schema, events, place, passes),
        _ => read(schema, events, place, passes),
    }
}

fn finish(store: &Store, events: u64, cpu: f64, inside: f64) {
    store.seal(Time::now()).expect("a disk");
    let cpu = cpu::of("self") - cpu;
    let rss = peak_rss();
    while store.tick(Time::now()).is_ok_and(|more| more) {}
    let stats = store.stats(Time::now());
    let (bytes, files): (u64, usize) =
        stats.indices.iter().fold((0, 0), |sum, i| (sum.0 + i.bytes, sum.1 + i.files));
    let rate = events as f64 / cpu;
    println!(
        "{events:9} {cpu:8.2} {rate:12.0} {:>6.2}x {:8.1} {files:6} {rss:7.0} {inside:7.0}",
        rate / FLOOR,
        bytes as f64 / events as f64
    );
}

fn store(schema: &Schema, events: &Path, place: &Path, passes: usize) {
    let store = open(schema, place);
    let mut source = Source::new(events, passes);
    let size = std::fs::metadata(events).expect("events").len() as f64 * passes as f64;
    let before = cpu::of("self");
    let count = fill(&store, &mut source);
    finish(&store, count, before, size / count as f64 - 28.0);
}

/// Journal and store as in the program: one thread appends, one reads and stores.
fn both(schema: &'static Schema, events: &Path, place: &Path, passes: usize) {
    let store = open(schema, place);
    let size = std::fs::metadata(events).expect("events").len() as f64 * passes as f64;
    let path = place.join("journal");
    let before = cpu::of("self");
    let (mut writer, journal, _) =
        wirebeat_journal::open(&path, wirebeat_journal::Options::default(), schema).expect("a journal");
    let mut reader = journal.reader("store", Start::Oldest).expect("a reader");
    let source = events.to_owned();
    let feeder = std::thread::spawn(move || {
        let (mut source, mut fields) = (Source::spread(&source, passes), Vec::new());
        let mut batch: Vec<Event> = Vec::new();
        let mut count = 0u64;
        loop {
            let next = source.next(&mut fields);
            if let Some((stamp, id)) = next {
                batch.push(Event { stamp, id, fields: Entries::from_encoded(fields.clone()) });
                count += 1;
            }
            if batch.len() == 256 || next.is_none() {
                writer.append(&batch).expect("a disk");
                batch.clear();
            }
            if next.is_none() {
                return count;
            }
        }
    });
    let mut batch = Batch::new();
    loop {
        match reader.next(&mut batch, Duration::from_secs(1)).expect("a journal") {
            Next::Batch => {
                let events =
                    batch.iter().map(|(seq, e)| Incoming { seq, stamp: e.stamp, id: e.id, fields: e.fields });
                let now = batch.time_range().map_or(Time(0), |r| r.1);
                store.ingest(now, events).expect("room");
                store.tick(now).expect("a disk");
                reader.commit(store.sealed_upto()).expect("a disk");
            }
            Next::Closed => break,
            Next::Timeout => {}
            other => panic!("{other:?}"),
        }
    }
    let count = feeder.join().expect("the feeder");
    finish(&store, count, before, size / count as f64 - 28.0);
}

fn read(schema: &Schema, events: &Path, place: &Path, passes: usize) {
    let store = open(schema, place);
    let mut source = Source::spread(events, passes);
    let count = fill(&store, &mut source);
    store.seal(Time::now()).expect("a disk");
    while store.tick(Time::now()).is_ok_and(|more| more) {}
    drop(store);
    let started = Instant::now();
    let store = open(schema, place);
    println!("\n{count} events; opened in {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    println!("{:34} {:>8} {:>9} {:>9} {:>9}", "column", "blocks", "values", "ms first", "ms again");
    let view = store.view();
    let blocks: Vec<Arc<dyn Block>> = view.indices.iter().flat_map(|i| i.blocks.iter().cloned()).collect();
    for name in [
        "@timestamp",
        "status",
        "type",
        "http.response.status_code",
        "url.path",
        "source.ip",
        "event.duration",
        "source.port",
        "network.community_id",
        "_id",
        "query",
        "related.ip",
        "http.request.headers.user-agent",
        "dns.answers.data",
    ] {
        let mut times = [0.0; 2];
        let mut values = 0;
        for time in &mut times {
            let started = Instant::now();
            values = 0;
            for block in &blocks {
                let column = block.column(name).expect("a column");
                values += column.as_deref().map_or(0, values_of);
            }
            *time = started.elapsed().as_secs_f64() * 1e3;
        }
        println!("{name:34} {:8} {values:9} {:9.1} {:9.1}", blocks.len(), times[0], times[1]);
    }
    let newest: Vec<u32> =
        blocks.last().map(|b| (0..b.rows() as u32).rev().take(50).collect()).unwrap_or_default();
    let newest: Vec<u32> = newest.into_iter().rev().collect();
    for when in ["first", "again"] {
        let started = Instant::now();
        let sources = blocks.last().map(|b| b.sources(&newest)).expect("blocks").expect("documents");
        println!("{} documents {when}: {:.1} ms", sources.len(), started.elapsed().as_secs_f64() * 1e3);
    }
    let started = Instant::now();
    let may = blocks.iter().filter(|b| b.may_contain("network.community_id", "1:nosuch")).count();
    println!("a term that is nowhere: {may} blocks, {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    println!("peak {:.0} MB", peak_rss());
}

fn values_of(column: &Column) -> usize {
    let _: &Rows = &column.rows;
    match &column.values {
        Values::Coded { codes, .. } => codes.len(),
        Values::Long(v) => v.len(),
        Values::Double(v) => v.len(),
    }
}

fn peak_rss() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let kb = text.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    kb.trim().trim_end_matches(" kB").parse().unwrap_or(0.0) / 1024.0
}
