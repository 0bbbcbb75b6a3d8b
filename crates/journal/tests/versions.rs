//! A journal written by a program with other fields.
//!
//! The test starts itself again as that program.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use wirebeat_journal::{Batch, JournalError, Next, OTHER, Options, Start};
use wirebeat_model::{Entries, Event, EventId, Field, Kind, Scalar, Schema, Time, fields};

/// The program as it was.
mod old {
    use super::*;
    fields! {
        pub(super) FIELDS:
        KEPT = Field::new("m.kept", Kind::Keyword, "k");
        CHANGED = Field::new("m.changed", Kind::Keyword, "its kind changes");
        GONE = Field::new("gone.count", Kind::Long, "g");
        GONE_MANY = Field::new("gone.many", Kind::Ip, "g");
        GONE_MAP = Field::new("gone.headers", Kind::Map, "g");
        GONE_LIST = Field::new("gone.list", Kind::Objects, "g");
        GONE_LIST_A = Field::new("gone.list.a", Kind::Long, "g");
        GONE_LIST_B = Field::new("gone.list.b", Kind::Keyword, "g");
        LIST = Field::new("dns.answers", Kind::Objects, "o");
        LIST_NAME = Field::new("dns.answers.name", Kind::Keyword, "on");
        LIST_TTL = Field::new("dns.answers.ttl", Kind::Long, "goes");
        MAP = Field::new("http.headers", Kind::Map, "h");
        // A list then, plain fields now.
        UNROLLED = Field::new("unrolled", Kind::Objects, "u");
        UNROLLED_X = Field::new("unrolled.x", Kind::Long, "u");
    }

    pub(super) fn events() -> Vec<Event> {
        let mut all = Vec::new();
        let mut put = |fill: fn(&mut Entries)| {
            let n = all.len() as u64;
            let mut fields = Entries::new();
            fill(&mut fields);
            all.push(Event { stamp: Time(n as i64), id: EventId(u128::from(n).to_be_bytes()), fields });
        };
        put(|e| {
            e.put(&KEPT, "a");
            e.put(&GONE, 7u64);
            e.put(&CHANGED, "text");
            e.put_array(&GONE_MANY, |a| {
                a.push(Scalar::Ip(1));
                a.push(Scalar::Ip(2));
            });
            e.put_map(&GONE_MAP, |m| {
                m.put(b"host", "x");
                m.put_array(b"via", |a| {
                    a.push("y");
                    a.push("z");
                });
            });
            e.put_objects(&GONE_LIST, |l| {
                l.push(|o| {
                    o.put(&GONE_LIST_A, 1u64);
                    o.put(&GONE_LIST_B, "one");
                });
                l.push(|o| o.put(&GONE_LIST_A, 2u64));
            });
            e.put_objects(&LIST, |l| {
                l.push(|o| {
                    o.put(&LIST_NAME, "n1");
                    o.put(&LIST_TTL, 60u64);
                });
                l.push(|o| o.put(&LIST_TTL, 61u64));
            });
            e.put_map(&MAP, |m| m.put(b"k", -5i64));
            e.put_objects(&UNROLLED, |l| l.push(|o| o.put(&UNROLLED_X, 3u64)));
        });
        // The later of two counts, and what was taken away is not there.
        put(|e| {
            e.put(&GONE, 1u64);
            e.put(&CHANGED, "text");
            e.put(&GONE, 2u64);
            e.remove(&CHANGED);
            e.put(&KEPT, "b");
            e.remove(&KEPT);
        });
        // Nothing unknown.
        put(|e| e.put(&KEPT, "c"));
        // It knew of another version itself.
        put(|e| {
            e.put_map(&OTHER, |m| m.put(b"older", 1.5));
            e.put(&GONE, 9u64);
        });
        put(|e| e.put_map(&OTHER, |m| m.put(b"older", 2.5)));
        put(|_| {});
        all
    }
}

fields! {
    FIELDS:
    FIRST = Field::new("a.first", Kind::Long, "so that all ids are others");
    KEPT = Field::new("m.kept", Kind::Keyword, "k");
    CHANGED = Field::new("m.changed", Kind::Long, "c");
    LIST = Field::new("dns.answers", Kind::Objects, "o");
    LIST_CLASS = Field::new("dns.answers.class", Kind::Keyword, "new");
    LIST_NAME = Field::new("dns.answers.name", Kind::Keyword, "on");
    MAP = Field::new("http.headers", Kind::Map, "h");
    UNROLLED_X = Field::new("unrolled.x", Kind::Long, "u");
}

/// What the events of [`old::events`] are now, by the rules: same name, kind and list stay, the rest goes by name.
fn expected() -> Vec<Entries> {
    let mut all = Vec::new();
    let mut put = |fill: fn(&mut Entries)| {
        let mut fields = Entries::new();
        fill(&mut fields);
        all.push(fields);
    };
    put(|e| {
        e.put(&KEPT, "a");
        e.put_objects(&LIST, |l| {
            l.push(|o| o.put(&LIST_NAME, "n1"));
            l.push(|_| {});
        });
        e.put_map(&MAP, |m| m.put(b"k", -5i64));
        e.put_map(&OTHER, |m| {
            m.put_array(b"dns.answers.ttl", |a| {
                a.push(60u64);
                a.push(61u64);
            });
            m.put(b"gone.count", 7u64);
            m.put(b"gone.headers.host", "x");
            m.put_array(b"gone.headers.via", |a| {
                a.push("y");
                a.push("z");
            });
            m.put_array(b"gone.list.a", |a| {
                a.push(1u64);
                a.push(2u64);
            });
            m.put(b"gone.list.b", "one");
            m.put_array(b"gone.many", |a| {
                a.push(Scalar::Ip(1));
                a.push(Scalar::Ip(2));
            });
            m.put(b"m.changed", "text");
            m.put(b"unrolled.x", 3u64);
        });
    });
    put(|e| {
        e.put(&KEPT, "b");
        e.remove(&KEPT);
        e.put_map(&OTHER, |m| m.put(b"gone.count", 2u64));
    });
    put(|e| e.put(&KEPT, "c"));
    put(|e| {
        e.put_map(&OTHER, |m| {
            m.put(b"gone.count", 9u64);
            m.put(b"older", 1.5);
        });
    });
    put(|e| e.put_map(&OTHER, |m| m.put(b"older", 2.5)));
    put(|_| {});
    all
}

const DIR: &str = "WIREBEAT_JOURNAL_OLD_DIR";

#[test]
#[ignore = "the program of another version"]
fn other_version() {
    let Some(dir) = std::env::var_os(DIR).map(PathBuf::from) else { return };
    let schema = Schema::install(&[old::FIELDS, wirebeat_journal::FIELDS]);
    let (mut writer, journal, _) = wirebeat_journal::open(&dir, Options::default(), schema).unwrap();
    drop(journal.reader("store", Start::Oldest).unwrap());
    writer.append(&old::events()).unwrap();
}

#[test]
fn events_of_another_version_are_those_of_this_one() {
    let dir = tempfile::tempdir().unwrap();
    let wrote = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "other_version", "--ignored"])
        .env(DIR, dir.path())
        .output()
        .unwrap();
    assert!(wrote.status.success(), "{}", String::from_utf8_lossy(&wrote.stdout));
    let schema = Schema::install(&[FIELDS, wirebeat_journal::FIELDS]);
    let (mut writer, journal, recovery) =
        wirebeat_journal::open(dir.path(), Options::default(), schema).unwrap();
    assert!(recovery.clean, "{recovery}");
    let mut own = Entries::new();
    own.put(&FIRST, 1u64);
    writer.append(&[Event { stamp: Time(99), id: EventId([9; 16]), fields: own.clone() }]).unwrap();
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    let mut batch = Batch::new();
    assert_eq!(reader.next(&mut batch, Duration::ZERO).unwrap(), Next::Batch);
    let expected = expected();
    assert_eq!(batch.len(), expected.len());
    for ((seq, event), expected) in batch.iter().zip(&expected) {
        assert_eq!((event.stamp, event.id), (Time(seq as i64), EventId(u128::from(seq).to_be_bytes())));
        let got: Vec<_> = event.entries().collect();
        assert_eq!(format!("{got:?}"), format!("{:?}", expected.iter().collect::<Vec<_>>()), "event {seq}");
        assert_eq!(event.fields, expected.as_bytes(), "event {seq}");
    }
    assert_eq!(reader.next(&mut batch, Duration::ZERO).unwrap(), Next::Batch);
    assert_eq!(
        batch.iter().map(|(seq, e)| (seq, e.fields.to_vec())).collect::<Vec<_>>(),
        [(6, own.as_bytes().to_vec())]
    );
    // In the middle of a batch of the other version.
    reader.commit(2).unwrap();
    drop(reader);
    let mut reader = journal.reader("store", Start::Oldest).unwrap();
    assert_eq!(reader.next(&mut batch, Duration::ZERO).unwrap(), Next::Batch);
    assert_eq!(batch.first_seq(), 2);
    assert!(batch.iter().map(|(_, e)| e.fields).eq(expected[2..].iter().map(Entries::as_bytes)));
}

#[test]
fn a_schema_without_the_field_for_the_rest_is_refused() {
    // The schema of this process has it; what is asked for is the check, in a process whose schema has not.
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "without", "--ignored"])
        .env(DIR, "x")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && told.contains("1 passed"), "{told}");
}

#[test]
#[ignore = "needs a process of its own"]
fn without() {
    if std::env::var_os(DIR).is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let refused = wirebeat_journal::open(dir.path(), Options::default(), Schema::install(&[FIELDS]));
    assert!(matches!(refused, Err(JournalError::Schema("wirebeat.other"))));
}
