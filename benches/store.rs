//! Events per CPU-second into journal and store, bytes an event takes on disk, memory, and how fast columns come back.
//!
//! `cargo bench --bench store`. The captures (`../shared/captures/bench`, or those named on the command line) are
//! decoded first; each measurement then runs in a process of its own that reads the events from a plain file, so that
//! its memory is its own. Not a test: it prints, and fails only when something cannot be run.

#![allow(clippy::expect_used, clippy::panic, reason = "a bench that cannot run says why")]

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wirebeat_journal::{Batch, Next, Start};
use wirebeat_model::{Entries, Event, EventId, Schema, Time, read_event};
use wirebeat_store::block::{Block, Column, Rows, Values};
use wirebeat_store::{Incoming, Options, Store};

mod captures;

/// Set for the processes that measure: what they do.
const PART: &str = "WIREBEAT_STORE_BENCH";
/// The floor for journal and store together, in events per CPU-second.
const FLOOR: f64 = 120e3;
/// How long the events of the query part span.
const SPAN: i64 = 6 * 3600 * 1_000_000_000;

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
    let mut flats = Vec::new();
    for capture in &captures {
        let flat = dir.path().join(format!("{}.events", flats.len()));
        flatten(capture, dir.path(), &flat);
        flats.push((capture.clone(), flat));
    }
    let all = dir.path().join("all.events");
    let mut out = File::create(&all).expect("a file");
    for (_, flat) in &flats {
        std::io::copy(&mut File::open(flat).expect("events"), &mut out).expect("a copy");
    }
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
    for (capture, flat) in &flats {
        print!("{:14} ", capture.file_stem().unwrap_or_default().to_string_lossy().trim_end_matches(".pcap"));
        let _ = std::io::stdout().flush();
        run("store", flat, 1);
    }
    for (name, part, passes) in
        [("all: store", "store", 1), ("all x3: store", "store", 3), ("all x3: both", "both", 3)]
    {
        print!("{name:14} ");
        let _ = std::io::stdout().flush();
        run(part, &all, passes);
    }
    run("read", &all, 14);
}

/// Decodes a capture and writes its events as a plain file: stamp, id, length, entries.
fn flatten(capture: &Path, dir: &Path, flat: &Path) {
    let plain = captures::plain(capture, dir);
    let mut child = Command::new(env!("CARGO_BIN_EXE_wirebeat"))
        .args(["read", "--shards", "1", "--redact", "off", "-o", "-"])
        .arg(&plain)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("wirebeat");
    let schema = wirebeat::engine::schema();
    let mut out = BufWriter::new(File::create(flat).expect("a file"));
    for line in BufReader::new(child.stdout.take().expect("its output")).lines() {
        let line = line.expect("a line");
        let entries = read_event(schema, &line).expect("an event");
        let (time, id) = (text(schema, &entries, "@timestamp"), text(schema, &entries, "event.id"));
        let time = Time::parse_rfc3339(&time).expect("a time");
        let mut bytes = [0; 16];
        for (byte, hex) in bytes.iter_mut().zip(id.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(&String::from_utf8_lossy(hex), 16).expect("an id");
        }
        out.write_all(&time.0.to_le_bytes()).expect("writing");
        out.write_all(&bytes).expect("writing");
        out.write_all(&(entries.byte_len() as u32).to_le_bytes()).expect("writing");
        out.write_all(entries.as_bytes()).expect("writing");
    }
    out.flush().expect("writing");
    assert!(child.wait().is_ok_and(|s| s.success()), "wirebeat");
}

fn text(schema: &Schema, entries: &Entries, name: &str) -> String {
    let field = schema.by_name(name).expect("a field");
    match entries.get(field) {
        Some(wirebeat_model::Value::Scalar(wirebeat_model::Scalar::Str(s))) => s.to_owned(),
        Some(wirebeat_model::Value::Scalar(wirebeat_model::Scalar::Time(t))) => t.to_string(),
        _ => String::new(),
    }
}

/// Goes through a plain file, some passes; each pass gets other times.
struct Source {
    path: PathBuf,
    passes: usize,
    pass: usize,
    reader: BufReader<File>,
    /// From a pass to the next, in nanoseconds; 0: times are left as they are.
    shift: i64,
    stretch: f64,
    first: Option<i64>,
}

impl Source {
    fn new(path: &Path, passes: usize) -> Self {
        let reader = BufReader::with_capacity(1 << 20, File::open(path).expect("events"));
        Self { path: path.into(), passes, pass: 0, reader, shift: 0, stretch: 1.0, first: None }
    }

    /// The next event, into `fields`.
    fn next(&mut self, fields: &mut Vec<u8>) -> Option<(Time, EventId)> {
        let mut head = [0; 28];
        if self.reader.read_exact(&mut head).is_err() {
            self.pass += 1;
            if self.pass == self.passes {
                return None;
            }
            self.reader = BufReader::with_capacity(1 << 20, File::open(&self.path).expect("events"));
            self.reader.read_exact(&mut head).ok()?;
        }
        let old = head[..8].try_into().expect("8 bytes");
        let (time, id, len) = (i64::from_le_bytes(old), &head[8..24], &head[24..]);
        fields.resize(u32::from_le_bytes(len.try_into().expect("4 bytes")) as usize, 0);
        self.reader.read_exact(fields).ok()?;
        let mut id: [u8; 16] = id.try_into().expect("16 bytes");
        let mut stamp = time;
        if self.shift > 0 {
            let first = *self.first.get_or_insert(time);
            let within = (((time - first) as f64) * self.stretch) as i64;
            stamp = first + self.pass as i64 * self.shift + within.rem_euclid(self.shift);
            id[11] ^= self.pass as u8;
            // The first entry is `@timestamp`: id, tag, instant.
            fields[3..11].copy_from_slice(&stamp.to_le_bytes());
        }
        Some((Time(stamp), EventId(id)))
    }
}

fn measure(part: &str, events: &Path, place: &Path, passes: usize) {
    let schema = wirebeat::engine::schema();
    match part {
        "store" => store(schema, events, place, passes, 0),
        "both" => both(schema, events, place, passes),
        _ => read(schema, events, place, passes),
    }
}

fn options() -> Options {
    let mut options = Options::new(Box::new(|_| "packetbeat"));
    options.import = true;
    if let Some(rows) = std::env::var("GROUP_ROWS").ok().and_then(|r| r.parse().ok()) {
        options.group_rows = rows;
    }
    options
}

fn open(schema: &Schema, place: &Path) -> Arc<Store> {
    Store::open(&place.join("store"), options(), schema).expect("a store").0
}

/// Events that were read ahead of being offered.
#[derive(Default)]
struct Ahead {
    heads: Vec<(Time, EventId, usize)>,
    bytes: Vec<u8>,
}

impl Ahead {
    fn fill(&mut self, source: &mut Source, fields: &mut Vec<u8>, count: usize) -> bool {
        self.heads.clear();
        self.bytes.clear();
        while self.heads.len() < count
            && let Some((time, id)) = source.next(fields)
        {
            self.bytes.extend_from_slice(fields);
            self.heads.push((time, id, self.bytes.len()));
        }
        !self.heads.is_empty()
    }

    fn incoming(&self, first: u64) -> impl Iterator<Item = Incoming<'_>> {
        let mut from = 0;
        (first..).zip(&self.heads).map(move |(seq, &(stamp, id, end))| {
            let fields = &self.bytes[std::mem::replace(&mut from, end)..end];
            Incoming { seq, stamp, id, fields }
        })
    }
}

fn fill(store: &Store, source: &mut Source) -> u64 {
    let (mut ahead, mut fields, mut seq) = (Ahead::default(), Vec::new(), 0);
    while ahead.fill(source, &mut fields, 256) {
        let now = ahead.heads[0].0;
        store.ingest(now, ahead.incoming(seq)).expect("room");
        seq += ahead.heads.len() as u64;
        if seq % 16384 == 0 {
            store.tick(now).expect("a disk");
        }
    }
    seq
}

fn finish(store: &Store, events: u64, cpu: f64, inside: f64) {
    store.seal(Time::now()).expect("a disk");
    let cpu = seconds() - cpu;
    let (rss, days) = (peak_rss(), Duration::from_secs(30 * 86_400));
    while store.tick(Time::MAX - days).is_ok_and(|more| more) {}
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

fn store(schema: &Schema, events: &Path, place: &Path, passes: usize, shift: i64) {
    let store = open(schema, place);
    let mut source = Source::new(events, passes);
    source.shift = shift;
    let size = std::fs::metadata(events).expect("events").len() as f64 * passes as f64;
    let before = seconds();
    let count = fill(&store, &mut source);
    finish(&store, count, before, size / count as f64 - 28.0);
}

/// Journal and store as in the program: one thread appends, one reads and stores.
fn both(schema: &'static Schema, events: &Path, place: &Path, passes: usize) {
    let store = open(schema, place);
    let size = std::fs::metadata(events).expect("events").len() as f64 * passes as f64;
    let path = place.join("journal");
    let before = seconds();
    let (mut writer, journal, _) =
        wirebeat_journal::open(&path, wirebeat_journal::Options::default(), schema).expect("a journal");
    let mut reader = journal.reader("store", Start::Oldest).expect("a reader");
    let source = events.to_owned();
    let feeder = std::thread::spawn(move || {
        let (mut source, mut fields) = (Source::new(&source, passes), Vec::new());
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
    let mut source = Source::new(events, passes);
    // Each pass gets its share of the span.
    let mut fields = Vec::new();
    let mut times = (i64::MAX, i64::MIN);
    let mut once = Source::new(events, 1);
    while let Some((time, _)) = once.next(&mut fields) {
        times = (times.0.min(time.0), times.1.max(time.0));
    }
    source.shift = SPAN / passes as i64;
    source.stretch = source.shift as f64 / (times.1 - times.0) as f64;
    source.first = Some(times.0);
    let count = fill(&store, &mut source);
    store.seal(Time::now()).expect("a disk");
    while store.tick(Time::MAX - Duration::from_secs(86_400)).is_ok_and(|more| more) {}
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

/// CPU seconds of this process so far, user and system (proc(5), in ticks of 10 ms).
fn seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("/proc");
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn peak_rss() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let kb = text.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    kb.trim().trim_end_matches(" kB").parse().unwrap_or(0.0) / 1024.0
}
