//! Event → journal → event is the identity, for any values.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use wirebeat_journal::{Batch, Durability, Next, Options, Start};
use wirebeat_model::{Entries, Event, EventId, Field, Kind, Scalar, Schema, Time, fields};

fields! {
    FIELDS:
    KEYWORD = Field::new("a.keyword", Kind::Keyword, "k");
    LONG = Field::new("a.b.long", Kind::Long, "l");
    DOUBLE = Field::new("a.b.double", Kind::Double, "d");
    BOOLEAN = Field::new("boolean", Kind::Boolean, "b");
    IP = Field::new("z.ip", Kind::Ip, "i");
    DATE = Field::new("@timestamp", Kind::Date, "t");
    MANY = Field::new("a.many", Kind::Keyword, "m");
    MAP = Field::new("http.headers", Kind::Map, "h");
    LIST = Field::new("dns.answers", Kind::Objects, "o");
    LIST_NAME = Field::new("dns.answers.name", Kind::Keyword, "on");
    LIST_TTL = Field::new("dns.answers.ttl", Kind::Long, "ot");
}

fn schema() -> &'static Schema {
    Schema::install(&[FIELDS, wirebeat_journal::FIELDS])
}

/// One value, of any form.
#[derive(Clone, Debug)]
enum Put {
    Text(String),
    Int(i64),
    Uint(u64),
    Double(f64),
    Bool(bool),
    Ip(u128),
    Time(i64),
    Remove,
    Array(Vec<String>),
    Objects(Vec<(String, u64)>),
    Map(Vec<(String, Vec<String>)>),
}

fn put() -> impl Strategy<Value = Put> {
    prop_oneof![
        any::<String>().prop_map(Put::Text),
        any::<i64>().prop_map(Put::Int),
        any::<u64>().prop_map(Put::Uint),
        any::<f64>().prop_map(Put::Double),
        any::<bool>().prop_map(Put::Bool),
        any::<u128>().prop_map(Put::Ip),
        any::<i64>().prop_map(Put::Time),
        Just(Put::Remove),
        vec(any::<String>(), 0..4).prop_map(Put::Array),
        vec((any::<String>(), any::<u64>()), 0..4).prop_map(Put::Objects),
        vec((any::<String>(), vec(any::<String>(), 0..3)), 0..4).prop_map(Put::Map),
    ]
}

impl Put {
    fn into(self, e: &mut Entries) {
        match self {
            Self::Text(v) => e.put(&KEYWORD, v.as_str()),
            Self::Int(v) => e.put(&LONG, v),
            Self::Uint(v) => e.put(&LONG, v),
            Self::Double(v) => e.put(&DOUBLE, v),
            Self::Bool(v) => e.put(&BOOLEAN, v),
            Self::Ip(v) => e.put(&IP, Scalar::Ip(v)),
            Self::Time(v) => e.put(&DATE, Time(v)),
            Self::Remove => e.remove(&KEYWORD),
            Self::Array(v) => e.put_array(&MANY, |a| v.iter().for_each(|s| a.push(s.as_str()))),
            Self::Objects(v) => e.put_objects(&LIST, |l| {
                for (name, ttl) in &v {
                    l.push(|o| {
                        o.put(&LIST_NAME, name.as_str());
                        o.put(&LIST_TTL, *ttl);
                    });
                }
            }),
            Self::Map(v) => e.put_map(&MAP, |m| {
                for (key, values) in &v {
                    m.put_array(key.as_bytes(), |a| values.iter().for_each(|s| a.push(s.as_str())));
                }
            }),
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    (any::<i64>(), any::<[u8; 16]>(), vec(put(), 0..12)).prop_map(|(stamp, id, puts)| {
        schema();
        let mut fields = Entries::new();
        puts.into_iter().for_each(|put| put.into(&mut fields));
        Event { stamp: Time(stamp), id: EventId(id), fields }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn event_to_journal_to_event(
        appends in vec(vec(event(), 0..6), 1..6),
        segment_bytes in 1u64..3000,
        restart in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { segment_bytes, durability: Durability::None, ..Options::default() };
        let (mut writer, mut journal, _) =
            wirebeat_journal::open(dir.path(), options.clone(), schema()).unwrap();
        let mut reader = journal.reader("store", Start::Oldest).unwrap();
        let mut seq = 0;
        for events in &appends {
            let appended = writer.append(events).unwrap();
            prop_assert_eq!((appended.first_seq, appended.count), (seq, events.len() as u64));
            seq += appended.count;
        }
        if restart {
            drop((reader, writer, journal));
            (writer, journal, _) = wirebeat_journal::open(dir.path(), options, schema()).unwrap();
            reader = journal.reader("store", Start::Oldest).unwrap();
        }
        let mut expected = (0..).zip(appends.iter().flatten());
        let mut batch = Batch::new();
        while reader.next(&mut batch, Duration::ZERO).unwrap() == Next::Batch {
            for (seq, got) in &batch {
                let (want_seq, want) = expected.next().unwrap();
                prop_assert_eq!(seq, want_seq);
                prop_assert_eq!((got.stamp, got.id), (want.stamp, want.id));
                prop_assert_eq!(got.fields, want.fields.as_bytes());
                prop_assert_eq!(got.entries().count(), want.fields.iter().count());
            }
        }
        prop_assert!(expected.next().is_none());
        drop((writer, journal));
    }
}
