//! Fields, events and stores for the tests.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests; each uses a part"
)]

use std::path::Path;
use std::sync::Arc;

use arrow_array::Array;
use proptest::collection::vec;
use proptest::prelude::*;
use wirebeat_model::{Entries, EventId, Scalar, Time};
use wirebeat_store::block::{Block, Terms, Values};
use wirebeat_store::{Incoming, Options, Store};

pub mod fields {
    use wirebeat_model::{Field, Kind, Schema, fields};

    fields! {
        pub FIELDS:
        TIMESTAMP = Field::new("@timestamp", Kind::Date, "t");
        KEYWORD = Field::new("a.keyword", Kind::Keyword, "k");
        LONG = Field::new("a.b.long", Kind::Long, "l");
        DOUBLE = Field::new("a.b.double", Kind::Double, "d");
        BOOLEAN = Field::new("boolean", Kind::Boolean, "b");
        IP = Field::new("z.ip", Kind::Ip, "i");
        EVENT_ID = Field::new("event.id", Kind::Keyword, "n");
        DATE = Field::new("event.end", Kind::Date, "e");
        MANY = Field::new("a.many", Kind::Keyword, "m");
        TEXT = Field::new("text", Kind::Text, "x");
        MAP = Field::new("http.headers", Kind::Map, "h");
        LIST = Field::new("dns.answers", Kind::Objects, "o");
        LIST_NAME = Field::new("dns.answers.name", Kind::Keyword, "on");
        LIST_TTL = Field::new("dns.answers.ttl", Kind::Long, "ot");
        LIST_BITS = Field::new("dns.answers.bits", Kind::Keyword, "ob");
        LIST_IP = Field::new("dns.answers.ip", Kind::Ip, "oi");
        LIST_SEEN = Field::new("dns.answers.seen", Kind::Date, "os");
    }

    pub fn schema() -> &'static Schema {
        Schema::install(&[FIELDS, wirebeat_store::FIELDS])
    }
}

/// Nothing came since yesterday.
pub const DAY_LATER: Time = Time(86_400_000_000_000);

/// A store of imports under `test`.
pub fn open(dir: &Path) -> Arc<Store> {
    open_with(dir, |o| o.import = true)
}

pub fn open_with(dir: &Path, set: impl FnOnce(&mut Options)) -> Arc<Store> {
    let mut options = Options::new(Box::new(|_| "test"));
    set(&mut options);
    let (store, report) = Store::open(dir, options, fields::schema()).unwrap();
    assert!(report.damaged.is_empty(), "{report:?}");
    store
}

/// Puts events with numbers from `first` on.
pub fn put(store: &Store, first: u64, entries: &[Entries]) {
    let events = (first..).zip(entries).map(|(seq, e)| Incoming {
        seq,
        stamp: Time(0),
        id: id(seq),
        fields: e.as_bytes(),
    });
    store.ingest(Time(0), events).unwrap();
}

pub fn id(seq: u64) -> EventId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&seq.to_be_bytes());
    EventId(bytes)
}

/// Puts `event.id` into some: mostly the event's name, as real events have it, now and then another.
pub fn add_ids(entries: &mut [Entries]) {
    for (seq, e) in (0..).zip(entries) {
        match seq % 5 {
            0..3 => e.put_with(&fields::EVENT_ID, |out| id(seq).write(out)),
            3 => e.put(&fields::EVENT_ID, "other"),
            _ => {}
        }
    }
}

/// The whole numbers of a column, in the order of rows.
pub fn longs(block: &dyn Block, name: &str) -> Vec<i64> {
    match &block.column(name).unwrap().unwrap().values {
        Values::Long(v) => v.to_vec(),
        _ => unreachable!("{name} holds no whole numbers"),
    }
}

/// The texts of a column, in the order of rows.
pub fn texts(block: &dyn Block, name: &str) -> Vec<String> {
    let Some(column) = block.column(name).unwrap() else { return Vec::new() };
    match &column.values {
        Values::Coded { codes, terms: Terms::Text(terms) } => {
            assert!(codes.iter().all(|c| (*c as usize) < terms.len()));
            codes.iter().map(|c| terms.value(*c as usize).to_owned()).collect()
        }
        _ => unreachable!("{name} holds no texts"),
    }
}

/// JSON equality, numbers by value: 5 is 5.0.
pub fn equal(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value as V;
    match (a, b) {
        (V::Number(x), V::Number(y)) => match (x.as_i128(), y.as_i128()) {
            (Some(x), Some(y)) => x == y,
            _ => x.as_f64() == y.as_f64(),
        },
        (V::Array(x), V::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(x, y)),
        (V::Object(x), V::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(k, v)| y.get(k).is_some_and(|w| equal(v, w)))
        }
        _ => a == b,
    }
}

/// Any text, with the characters that escaping must get right.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{0,2}",
        "\\PC{0,12}",
        "[\\x00-\\x20\"\\\\\u{7f}\u{80}-\u{9f}\u{202e}<>&']{0,20}",
        any::<String>()
    ]
}

/// A scalar of any kind, fitting its field or not.
#[derive(Clone, Debug)]
pub enum Any {
    Bool(bool),
    Uint(u64),
    Int(i64),
    Double(f64),
    Str(String),
    Ip(u128),
    Time(i64),
}

impl Any {
    pub fn scalar(&self) -> Scalar<'_> {
        match self {
            Self::Bool(v) => Scalar::Bool(*v),
            Self::Uint(v) => Scalar::Uint(*v),
            Self::Int(v) => Scalar::Int(*v),
            Self::Double(v) => Scalar::Double(*v),
            Self::Str(v) => Scalar::Str(v),
            Self::Ip(v) => Scalar::Ip(*v),
            Self::Time(v) => Scalar::Time(Time(*v)),
        }
    }
}

pub fn any_scalar() -> impl Strategy<Value = Any> {
    prop_oneof![
        any::<bool>().prop_map(Any::Bool),
        any::<u64>().prop_map(Any::Uint),
        (0u64..1000).prop_map(Any::Uint),
        any::<i64>().prop_map(Any::Int),
        any::<f64>().prop_map(Any::Double),
        text().prop_map(Any::Str),
        any::<u128>().prop_map(Any::Ip),
        any::<i64>().prop_map(Any::Time),
    ]
}

fn times() -> impl Strategy<Value = i64> {
    // A few days, so that few partitions come of it; whole microseconds and others.
    prop_oneof![0i64..200_000_000_000_000, (0i64..200_000_000_000).prop_map(|us| us * 1000)]
}

/// An object of a list: name, ttl, bits, address, instant.
pub type Object = (Option<String>, Option<u64>, Vec<String>, Option<u128>, Option<i64>);

/// Events with anything in them: fitting values, several of them, maps, objects, and what fits nothing.
#[derive(Clone, Debug)]
pub struct Fields {
    pub time: Option<i64>,
    pub keyword: Option<String>,
    pub long: Option<i64>,
    pub double: Option<f64>,
    pub boolean: Option<bool>,
    pub ip: Option<u128>,
    pub date: Option<i64>,
    pub many: Vec<String>,
    pub ips: Vec<u128>,
    pub dates: Vec<i64>,
    pub map: Vec<(String, Vec<Any>)>,
    pub objects: Vec<Object>,
    pub odd: Vec<(usize, Vec<Any>, bool)>,
}

pub fn parts() -> impl Strategy<Value = Fields> {
    let scalars = (
        proptest::option::weighted(0.9, times()),
        proptest::option::of(text()),
        proptest::option::of(any::<i64>()),
        proptest::option::of(any::<f64>()),
        proptest::option::of(any::<bool>()),
        proptest::option::of(any::<u128>()),
        proptest::option::of(any::<i64>()),
    );
    let object = (
        proptest::option::of(text()),
        proptest::option::of(any::<u64>()),
        vec(text(), 0..3),
        proptest::option::of(any::<u128>()),
        proptest::option::of(any::<i64>()),
    );
    let lists = (
        vec(text(), 0..4),
        vec(any::<u128>(), 0..3),
        vec(any::<i64>(), 0..3),
        vec((text(), vec(any_scalar(), 1..3)), 0..4),
        vec(object, 0..4),
        vec((0usize..11, vec(any_scalar(), 0..3), any::<bool>()), 0..2),
    );
    (scalars, lists).prop_map(|(s, l)| Fields {
        time: s.0,
        keyword: s.1,
        long: s.2,
        double: s.3,
        boolean: s.4,
        ip: s.5,
        date: s.6,
        many: l.0,
        ips: l.1,
        dates: l.2,
        map: l.3,
        objects: l.4,
        odd: l.5,
    })
}

impl Fields {
    pub fn entries(&self) -> Entries {
        use fields::*;
        schema();
        let mut e = Entries::new();
        if let Some(v) = self.time {
            e.put(&TIMESTAMP, Time(v));
        }
        if let Some(v) = &self.keyword {
            e.put(&KEYWORD, v.as_str());
        }
        if let Some(v) = self.long {
            e.put(&LONG, v);
        }
        if let Some(v) = self.double {
            e.put(&DOUBLE, v);
        }
        if let Some(v) = self.boolean {
            e.put(&BOOLEAN, v);
        }
        if let Some(v) = self.ip {
            e.put(&IP, Scalar::Ip(v));
        }
        if let Some(v) = self.date {
            e.put(&DATE, Time(v));
        }
        e.put_array(&MANY, |a| self.many.iter().for_each(|s| a.push(s.as_str())));
        e.put_map(&MAP, |m| {
            for (key, values) in &self.map {
                match &values[..] {
                    [one] => m.put(key.as_bytes(), one.scalar()),
                    _ => m.put_array(key.as_bytes(), |a| values.iter().for_each(|v| a.push(v.scalar()))),
                }
            }
        });
        e.put_objects(&LIST, |l| {
            for (name, ttl, bits, ip, seen) in &self.objects {
                l.push(|o| {
                    if let Some(v) = name {
                        o.put(&LIST_NAME, v.as_str());
                    }
                    if let Some(v) = ttl {
                        o.put(&LIST_TTL, *v);
                    }
                    o.put_array(&LIST_BITS, |a| bits.iter().for_each(|b| a.push(b.as_str())));
                    if let Some(v) = ip {
                        o.put(&LIST_IP, Scalar::Ip(*v));
                    }
                    if let Some(v) = seen {
                        o.put(&LIST_SEEN, Time(*v));
                    }
                });
            }
        });
        // Lists where others have one value, values of other kinds, and fields said twice.
        if !self.ips.is_empty() && self.ip.is_none() {
            e.put_array(&IP, |a| self.ips.iter().for_each(|v| a.push(Scalar::Ip(*v))));
        }
        if !self.dates.is_empty() && self.date.is_none() {
            e.put_array(&DATE, |a| self.dates.iter().for_each(|v| a.push(Time(*v))));
        }
        let all = [&KEYWORD, &LONG, &DOUBLE, &BOOLEAN, &IP, &DATE, &MANY, &TEXT, &MAP, &LIST, &LONG];
        for (which, values, list) in &self.odd {
            match (&values[..], list) {
                ([], _) => e.remove(all[*which]),
                ([one, ..], false) => e.put(all[*which], one.scalar()),
                (_, true) => e.put_array(all[*which], |a| values.iter().for_each(|v| a.push(v.scalar()))),
            }
        }
        e
    }
}
