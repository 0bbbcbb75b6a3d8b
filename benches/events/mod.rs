//! Real events for a bench: those of captures, decoded once into a plain file and read back from it as often as wanted.
#![allow(dead_code, reason = "each bench uses a part of it")]
#![allow(clippy::expect_used, clippy::panic, reason = "a bench that cannot run says why")]

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use wirebeat::keep::{Keeper, Purpose};
use wirebeat_model::{Entries, Event, EventId, Schema, Time, read_event};
use wirebeat_store::{Incoming, Options, Store};

use crate::captures;

/// How long events are spread.
pub(crate) const SPAN: i64 = 6 * 3600 * 1_000_000_000;

/// The captures' events, one file each, in `dir`.
pub(crate) fn flats(captures: &[PathBuf], dir: &Path) -> Vec<PathBuf> {
    let flat = |(n, capture): (usize, &PathBuf)| {
        let flat = dir.join(format!("{n}.events"));
        flatten(capture, dir, &flat);
        flat
    };
    captures.iter().enumerate().map(flat).collect()
}

/// All of them in one file, mixed: every stretch of it has its share of each.
pub(crate) fn joined(flats: &[PathBuf], dir: &Path) -> PathBuf {
    let mut places = Vec::new();
    let contents: Vec<Vec<u8>> = flats.iter().map(|f| std::fs::read(f).expect("events")).collect();
    for bytes in &contents {
        let (mut at, mut records) = (0, Vec::new());
        while at < bytes.len() {
            let len = bytes[at + 24..at + 28].try_into().expect("4 bytes");
            let end = at + 28 + u32::from_le_bytes(len) as usize;
            records.push(&bytes[at..end]);
            at = end;
        }
        let count = records.len() as f64;
        places.extend(records.into_iter().enumerate().map(|(n, record)| (n as f64 / count, record)));
    }
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = dir.join("all.events");
    let mut out = BufWriter::new(File::create(&all).expect("a file"));
    for (_, record) in places {
        out.write_all(record).expect("writing");
    }
    out.flush().expect("writing");
    all
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

/// How many events a file holds, and the time of the earliest.
pub(crate) fn count(path: &Path) -> (u64, i64) {
    let (mut fields, mut count, mut first) = (Vec::new(), 0, i64::MAX);
    let mut once = Source::new(path, 1);
    while let Some((time, _)) = once.next(&mut fields) {
        (count, first) = (count + 1, first.min(time.0));
    }
    (count, first)
}

/// Goes through a plain file, some passes; each pass gets other times.
pub(crate) struct Source {
    path: PathBuf,
    passes: usize,
    pass: usize,
    reader: BufReader<File>,
    /// From an event to the next, in nanoseconds; 0: times are left as they are.
    step: i64,
    first: i64,
    told: i64,
}

impl Source {
    pub(crate) fn new(path: &Path, passes: usize) -> Self {
        let reader = BufReader::with_capacity(1 << 20, File::open(path).expect("events"));
        Self { path: path.into(), passes, pass: 0, reader, step: 0, first: 0, told: 0 }
    }

    /// All passes one after the other, evenly within [`SPAN`], each with other ids.
    pub(crate) fn spread(path: &Path, passes: usize) -> Self {
        let (_, first) = count(path);
        Self::between(path, passes, first, first + SPAN)
    }

    /// The same within other times, in nanoseconds.
    pub(crate) fn between(path: &Path, passes: usize, from: i64, to: i64) -> Self {
        let (count, _) = count(path);
        let mut source = Self::new(path, passes);
        source.first = from;
        source.step = (to - from) / (passes as i64 * count as i64);
        source
    }

    /// The next event, into `fields`.
    pub(crate) fn next(&mut self, fields: &mut Vec<u8>) -> Option<(Time, EventId)> {
        let mut head = [0; 28];
        if self.reader.read_exact(&mut head).is_err() {
            self.pass += 1;
            if self.pass >= self.passes {
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
        if self.step > 0 {
            stamp = self.first + self.step * self.told;
            self.told += 1;
            id[11] ^= self.pass as u8;
            // The first entry is `@timestamp`: id, tag, instant.
            fields[3..11].copy_from_slice(&stamp.to_le_bytes());
        }
        Some((Time(stamp), EventId(id)))
    }
}

fn options() -> Options {
    let mut options = Options::new(Box::new(|_| "packetbeat"));
    options.import = true;
    options.retention = wirebeat_store::Retention { age: None, bytes: None, free_percent: None };
    if let Some(rows) = std::env::var("GROUP_ROWS").ok().and_then(|r| r.parse().ok()) {
        options.group_rows = rows;
    }
    options
}

/// A store in `place`.
pub(crate) fn open(schema: &Schema, place: &Path) -> Arc<Store> {
    Store::open(&place.join("store"), options(), schema).expect("a store").0
}

/// Events that were read ahead of being offered.
#[derive(Default)]
pub(crate) struct Ahead {
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

/// Puts all events of a source into a store; answers with their number.
pub(crate) fn fill(store: &Store, source: &mut Source) -> u64 {
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

/// The store's thread is let catch up after so many events: else the journal's quota would be spent before it read them.
const AHEAD: u64 = 1 << 18;

/// Puts all events of a source into a data directory as `wirebeat read --data` does, by way of its journal, and ends when
/// everything is in files; answers with their number.
pub(crate) fn keep(dir: &Path, source: &mut Source) -> u64 {
    let config = wirebeat::config::load(None, &[], None).expect("the defaults");
    let schema = wirebeat::engine::schema();
    let keeper = Keeper::open(dir, &config.keeping, Purpose::Import, schema).expect("a data directory");
    let appender = keeper.appender();
    let (mut batch, mut fields, mut count) = (Vec::new(), Vec::new(), 0);
    loop {
        batch.clear();
        while batch.len() < 256
            && let Some((stamp, id)) = source.next(&mut fields)
        {
            batch.push(Event { stamp, id, fields: Entries::from_encoded(fields.clone()) });
        }
        if batch.is_empty() {
            break;
        }
        appender.append(&batch);
        count += batch.len() as u64;
        if count % AHEAD < 256 {
            keeper.settle();
        }
    }
    keeper.seal().expect("a disk");
    while keeper.store().tick(Time::now()).is_ok_and(|more| more) {}
    assert_eq!(keeper.finish_import().expect("a disk"), 0, "events that the journal refused");
    count
}
