//! Segments and cursors as nobody wrote them: raw bytes, and whole ones changed anywhere with every checksum right again.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use wirebeat::engine;
use wirebeat_journal::{Batch, Durability, Next, Options, Start};
use wirebeat_model::{Entries, Event, EventId, Field, Kind, Time, Value};

use super::script::Script;

const HEADER: usize = 48;
const HEAD: usize = 52;
const SEGMENT: &str = "00000000000000000000.seg";
/// What a changed batch decompresses to at most.
const RAW: usize = 1 << 20;

fn options() -> Options {
    Options { durability: Durability::None, ..Options::default() }
}

fn event(fill: impl FnOnce(&mut Entries)) -> Event {
    let mut fields = Entries::new();
    fill(&mut fields);
    Event { stamp: Time(1), id: EventId([1; 16]), fields }
}

/// A segment with values of every form: its dictionary, and each batch's head and content.
struct Whole {
    start: Vec<u8>,
    dictionary: Vec<u8>,
    batches: Vec<(Vec<u8>, Vec<u8>)>,
}

fn whole() -> &'static Whole {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let schema = engine::schema();
        let of =
            |kind: Kind| -> &'static Field { schema.fields().find(|f| f.kind() == kind).expect("a field") };
        let list = of(Kind::Objects);
        let below = |f: &&Field| f.name().strip_prefix(list.name()).is_some_and(|r| r.starts_with('.'));
        let members: Vec<&'static Field> = schema.fields().filter(below).collect();
        let dir = tempfile::tempdir_in(place()).expect("a directory");
        let (mut writer, _, _) = wirebeat_journal::open(dir.path(), options(), schema).expect("a journal");
        let events = [
            event(|e| e.put(of(Kind::Keyword), "text")),
            event(|e| {
                e.put(of(Kind::Long), 5u64);
                e.put_array(of(Kind::Ip), |a| a.push(7u64));
                e.put_objects(list, |l| {
                    l.push(|o| members.iter().take(3).for_each(|m| o.put(m, "member")));
                    l.push(|_| {});
                });
                e.put_map(of(Kind::Map), |m| {
                    m.put(b"key", true);
                    m.put_array(b"many", |a| a.push(Time(3)));
                });
                e.put_map(&wirebeat_journal::OTHER, |m| m.put(b"older", 0.5));
                e.remove(of(Kind::Keyword));
            }),
            event(|_| {}),
        ];
        writer.append(&events[..1]).expect("room");
        writer.append(&events[1..]).expect("room");
        writer.close();
        let file = fs::read(dir.path().join(SEGMENT)).expect("the segment");
        let (start, mut rest) = file.split_at(HEADER);
        let dictionary = zstd::bulk::decompress(take(&mut rest, word(start, 36)), RAW).expect("a dictionary");
        let mut batches = Vec::new();
        while !rest.is_empty() {
            let head = take(&mut rest, HEAD);
            let stored = take(&mut rest, word(head, 40));
            let raw = if stored.is_empty() {
                Vec::new()
            } else {
                zstd::bulk::decompress(stored, RAW).expect("a batch")
            };
            batches.push((head.to_vec(), raw));
        }
        Whole { start: start.to_vec(), dictionary, batches }
    })
}

/// Memory, where there is such a folder.
fn place() -> &'static Path {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory } else { Path::new("/tmp") }
}

fn word(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> &'a [u8] {
    let (head, tail) = rest.split_at(n);
    *rest = tail;
    head
}

fn set(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Some bytes become others, some go, some come.
fn change(bytes: &mut Vec<u8>, s: &mut Script<'_>) {
    for _ in 0..s.u8() & 7 {
        let at = usize::from(s.u16()) % (bytes.len() + 1);
        match s.u8() {
            0 => bytes.truncate(at),
            1 => {
                let len = s.len();
                bytes.splice(at..at, s.bytes(len).iter().copied());
            }
            2 if at < bytes.len() => drop(bytes.remove(at)),
            n if at < bytes.len() => bytes[at] = bytes[at].wrapping_add(n),
            _ => {}
        }
    }
}

/// A segment whose parts were changed, each with sizes and checksums that fit unless the script says otherwise.
fn changed(s: &mut Script<'_>) -> Vec<u8> {
    let Whole { start, dictionary, batches } = whole();
    let mut dictionary = dictionary.clone();
    change(&mut dictionary, s);
    let stored = zstd::bulk::compress(&dictionary, 1).expect("compressing");
    let mut out = start.clone();
    for (at, value) in
        [(32, dictionary.len() as u32), (36, stored.len() as u32), (40, crc32c::crc32c(&stored))]
    {
        set(&mut out, at, value);
    }
    if s.u8() == 1 {
        let at = 16 + usize::from(s.u8()) % 24;
        out[at] = s.u8();
    }
    let crc = crc32c::crc32c(&out[..HEADER - 4]);
    set(&mut out, HEADER - 4, crc);
    out.extend_from_slice(&stored);
    for (head, raw) in batches {
        let (mut head, mut raw) = (head.clone(), raw.clone());
        change(&mut raw, s);
        let mut stored =
            if raw.is_empty() { Vec::new() } else { zstd::bulk::compress(&raw, 1).expect("compressing") };
        if s.u8() == 1 {
            change(&mut stored, s);
        }
        for (at, value) in [(36, raw.len() as u32), (40, stored.len() as u32), (44, crc32c::crc32c(&stored))]
        {
            set(&mut head, at, value);
        }
        if s.u8() & 1 == 1 {
            let at = 8 + usize::from(s.u8()) % 40;
            head[at] = s.u8();
        }
        let crc = crc32c::crc32c(&head[..HEAD - 4]);
        set(&mut head, HEAD - 4, crc);
        out.extend_from_slice(&head);
        out.extend_from_slice(&stored);
    }
    if s.u8() == 1 {
        change(&mut out, s);
    }
    out
}

/// A whole segment, as a first input.
pub fn seed() -> Vec<u8> {
    let mut s = Script::new(&[]);
    [&[0], &changed(&mut s)[..]].concat()
}

fn visit(value: Value<'_>) -> usize {
    match value {
        Value::Absent | Value::Scalar(_) => 1,
        Value::Array(items) => items.count(),
        Value::Objects(objects) => objects.map(Iterator::count).sum(),
        Value::Map(map) => map.count(),
    }
}

pub fn run(data: &[u8]) {
    let mut s = Script::new(data);
    let dir = tempfile::tempdir_in(place()).expect("a directory");
    let dir = dir.path();
    let mode = s.u8();
    let file = if mode & 1 == 0 { s.rest().to_vec() } else { changed(&mut s) };
    fs::write(dir.join(SEGMENT), &file).expect("room");
    fs::create_dir(dir.join("readers")).expect("room");
    if mode & 2 == 2 {
        let mut cursor = b"WBCURSR1".to_vec();
        cursor.extend([s.u64(), s.u64(), s.u64()].as_slice().iter().flat_map(|w| w.to_le_bytes()));
        cursor.extend(crc32c::crc32c(&cursor).to_le_bytes());
        fs::write(dir.join("readers/store"), cursor).expect("room");
    }
    let (mut writer, journal, recovery) =
        wirebeat_journal::open(dir, options(), engine::schema()).expect("whatever is in a segment");
    assert!(!recovery.to_string().is_empty());
    let mut reader = journal.reader("store", Start::Oldest).expect("a reader");
    let own = event(|e| e.put(&wirebeat_model::ecs::STATUS, "OK"));
    let first = writer.append(std::slice::from_ref(&own)).expect("room").first_seq;
    assert_eq!(first, recovery.next_seq);
    let mut batch = Batch::new();
    let mut next = 0;
    // Each step uses up a batch or a damage between two.
    for _ in 0..2 * (file.len() / HEAD) + 4 {
        match reader.next(&mut batch, Duration::ZERO).expect("a reader") {
            Next::Batch => {
                assert!(batch.first_seq() >= next && !batch.is_empty());
                assert_eq!(batch.iter().count(), batch.len());
                for (_, event) in &batch {
                    let values: usize = event.entries().map(|(_, value)| visit(value)).sum();
                    assert!(values <= event.fields.len());
                }
                next = batch.end_seq();
                reader.commit(next).expect("what was given");
            }
            Next::Damaged(damage) => {
                assert!(damage.from < damage.to && damage.from >= next, "{damage}");
                next = damage.to;
            }
            Next::Lost(lost) => {
                assert!(lost.from < lost.to && lost.events > 0);
                next = lost.to;
            }
            Next::Timeout => break,
            Next::Closed => panic!("the writer is there"),
        }
    }
    assert_eq!(next, first + 1, "the reader came to the end: {recovery}");
    let last = batch_of(&journal, first);
    assert_eq!(last, own.fields.as_bytes());
}

/// The fields of one event, as another reader gets them.
fn batch_of(journal: &wirebeat_journal::Journal, seq: u64) -> Vec<u8> {
    let mut reader = journal.reader("other", Start::Oldest).expect("a reader");
    let mut batch = Batch::new();
    loop {
        match reader.next(&mut batch, Duration::ZERO).expect("a reader") {
            Next::Timeout | Next::Closed => return Vec::new(),
            Next::Batch => {
                if let Some((_, event)) = batch.iter().find(|(s, _)| *s == seq) {
                    return event.fields.to_vec();
                }
            }
            Next::Damaged(_) | Next::Lost(_) => {}
        }
    }
}
