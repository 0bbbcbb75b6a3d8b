//! What the tests share: fields, events that tell their number, reading all there is.

#![allow(dead_code, unreachable_pub, reason = "no test uses all of it")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use wirebeat_journal::{Batch, Damage, Durability, Journal, Lost, Next, Options, Reader, Recovery, Writer};
use wirebeat_model::{Entries, Event, EventId, Field, Kind, Schema, Time, fields};

fields! {
    pub FIELDS:
    NUMBER = Field::new("number", Kind::Long, "n");
    TEXT = Field::new("text", Kind::Keyword, "t");
}

pub fn schema() -> &'static Schema {
    Schema::install(&[FIELDS, wirebeat_journal::FIELDS])
}

/// What an event is, to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub stamp: Time,
    pub id: EventId,
    pub fields: Vec<u8>,
}

impl Content {
    pub fn of(event: &Event) -> Self {
        Self { stamp: event.stamp, id: event.id, fields: event.fields.as_bytes().to_vec() }
    }
}

/// Text of a generator (splitmix64), which does not get shorter by compressing than by a quarter.
pub fn noise(seed: u64, len: usize) -> String {
    let mut state = seed;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).to_le_bytes()
    });
    words.flatten().take(len).map(|b| char::from(b' ' + (b & 63))).collect()
}

/// The event of this number, with so many bytes of noise.
pub fn event(number: u64, len: usize) -> Event {
    schema();
    let mut fields = Entries::new();
    fields.put(&NUMBER, number);
    fields.put(&TEXT, noise(number, len).as_str());
    Event { stamp: Time(number as i64 * 1000), id: EventId(u128::from(number).to_be_bytes()), fields }
}

pub fn events(numbers: std::ops::Range<u64>, len: usize) -> Vec<Event> {
    numbers.map(|n| event(n, len)).collect()
}

pub fn options() -> Options {
    Options { durability: Durability::None, ..Options::default() }
}

pub fn open(dir: &Path, options: Options) -> (Writer, Journal, Recovery) {
    wirebeat_journal::open(dir, options, schema()).unwrap()
}

/// All that a reader was told until there was nothing more.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub events: Vec<(u64, Content)>,
    pub lost: Vec<Lost>,
    pub damage: Vec<Damage>,
}

impl Told {
    pub fn seqs(&self) -> Vec<u64> {
        self.events.iter().map(|(seq, _)| *seq).collect()
    }

    pub fn contents(&self) -> Vec<Content> {
        self.events.iter().map(|(_, c)| c.clone()).collect()
    }

    pub fn damaged(&self) -> u64 {
        self.damage.iter().map(|d| d.to - d.from).sum()
    }
}

pub fn drain(reader: &mut Reader) -> Told {
    let mut told = Told::default();
    while step(reader, &mut told) {}
    told
}

/// One call; `false` when nothing came.
pub fn step(reader: &mut Reader, told: &mut Told) -> bool {
    let mut batch = Batch::new();
    match reader.next(&mut batch, Duration::ZERO).unwrap() {
        Next::Batch => {
            assert!(!batch.is_empty());
            assert_eq!(batch.iter().len(), batch.len());
            let (earliest, latest) = batch.time_range().unwrap();
            let mut seq = batch.first_seq();
            for (at, event) in &batch {
                assert_eq!(at, seq);
                assert!((earliest..=latest).contains(&event.stamp));
                seq += 1;
                let fields = event.fields.to_vec();
                told.events.push((at, Content { stamp: event.stamp, id: event.id, fields }));
            }
            assert_eq!(seq, batch.end_seq());
        }
        Next::Lost(lost) => told.lost.push(lost),
        Next::Damaged(damage) => told.damage.push(damage),
        Next::Timeout | Next::Closed => return false,
    }
    true
}

/// The directory as SIGKILL would leave it now.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Segments in order.
pub fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut all: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    all.retain(|p| p.extension().is_some_and(|e| e == "seg"));
    all.sort();
    all
}
