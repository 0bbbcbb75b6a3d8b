//! Event → JSON → event and event → bytes → event are identities, for any values.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::collection::vec;
use proptest::prelude::*;
use wirebeat_model::{
    Entries, EntryIter, Field, JsonWriter, Kind, Precision, Scalar, Schema, Time, fields, ip_addr, read_event,
};

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
    Schema::install(&[FIELDS])
}

/// Any text, with the characters that escaping must get right.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC*", "[\\x00-\\x20\"\\\\\u{7f}\u{80}-\u{9f}\u{202e}<>&']{0,20}", any::<String>()]
}

type Parts = (String, i64, f64, bool, u128, i64, Vec<String>, Vec<(String, Vec<String>)>, Vec<(String, u64)>);

fn parts() -> impl Strategy<Value = Parts> {
    (
        text(),
        any::<i64>(),
        proptest::num::f64::NORMAL | proptest::num::f64::ZERO,
        any::<bool>(),
        any::<u128>(),
        -9_000_000_000_000_000_000i64..9_000_000_000_000_000_000,
        vec(text(), 0..4),
        vec((text(), vec(text(), 1..3)), 0..4),
        vec((text(), any::<u64>()), 0..4),
    )
}

/// Puts everything in the order in which a reader of JSON finds it.
fn fill(p: &Parts) -> Entries {
    schema();
    let mut e = Entries::new();
    e.put(&DATE, Time(p.5));
    e.put(&DOUBLE, p.2);
    e.put(&LONG, p.1);
    e.put(&KEYWORD, p.0.as_str());
    e.put_array(&MANY, |a| p.6.iter().for_each(|s| a.push(s.as_str())));
    e.put(&BOOLEAN, p.3);
    e.put_objects(&LIST, |l| {
        for (name, ttl) in &p.8 {
            l.push(|o| {
                o.put(&LIST_NAME, name.as_str());
                o.put(&LIST_TTL, *ttl);
            });
        }
    });
    let mut keys: Vec<_> = p.7.clone();
    keys.sort();
    keys.dedup_by(|a, b| a.0 == b.0);
    e.put_map(&MAP, |m| {
        for (key, values) in &keys {
            if let [one] = &values[..] {
                m.put(key.as_bytes(), one.as_str());
            } else {
                m.put_array(key.as_bytes(), |a| values.iter().for_each(|v| a.push(v.as_str())));
            }
        }
    });
    e.put(&IP, Scalar::Ip(p.4));
    e
}

proptest! {
    #[test]
    fn json_and_back(p in parts()) {
        let mut writer = JsonWriter::new(schema(), Precision::Nano);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let entries = fill(&p);
        writer.write(&entries, &mut first);
        let text = std::str::from_utf8(&first).unwrap();
        prop_assert!(!text.bytes().any(|b| b < 0x20 || b == 0x7f), "control characters are escaped");
        let back = read_event(schema(), text).unwrap();
        writer.write(&back, &mut second);
        prop_assert_eq!(text, std::str::from_utf8(&second).unwrap());
        // An independent reader sees the values that were put.
        let tree: serde_json::Value = serde_json::from_str(text).unwrap();
        prop_assert_eq!(tree["a"]["keyword"].as_str().unwrap(), p.0.as_str());
        prop_assert_eq!(tree["a"]["b"]["long"].as_i64().unwrap(), p.1);
        prop_assert_eq!(tree["a"]["b"]["double"].as_f64().unwrap(), p.2);
        let answers = tree["dns"]["answers"].as_array().cloned().unwrap_or_default();
        let answers: Vec<_> = answers.iter().map(|a| (a["name"].as_str().unwrap().to_owned(), a["ttl"].as_u64().unwrap())).collect();
        prop_assert_eq!(&answers, &p.8);
        let many = tree["a"]["many"].as_array().cloned().unwrap_or_default();
        prop_assert_eq!(many.iter().map(|s| s.as_str().unwrap()).collect::<Vec<_>>(), p.6.iter().collect::<Vec<_>>());
        prop_assert_eq!(tree["z"]["ip"].as_str().unwrap(), ip_addr(p.4).to_string());
    }

    #[test]
    fn bytes_and_back(p in parts()) {
        let entries = fill(&p);
        let read: Vec<_> = EntryIter::new(entries.as_bytes()).map(|(id, v)| format!("{id} {v:?}")).collect();
        let direct: Vec<_> = entries.iter().map(|(id, v)| format!("{id} {v:?}")).collect();
        prop_assert_eq!(read, direct);
        prop_assert_eq!(EntryIter::new(entries.as_bytes()).count(), entries.iter().count());
    }

    #[test]
    fn damaged_bytes_end_the_iteration(mut bytes in vec(any::<u8>(), 0..200), cut in 0usize..200) {
        bytes.truncate(cut);
        for (_, value) in EntryIter::new(&bytes) {
            let _ = format!("{value:?}");
        }
    }
}

/// What one event looks like to an independent reader.
fn tree(writer: &mut JsonWriter, e: &Entries) -> serde_json::Value {
    let mut out = Vec::new();
    writer.write(e, &mut out);
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn text_of_every_length_with_something_special_anywhere() {
    let mut writer = JsonWriter::new(schema(), Precision::Milli);
    let mut e = Entries::new();
    for len in 0..70 {
        for special in ["x", "\"", "\\", "\n", "\u{1f}", "\u{7f}", "\u{80}", "ü", "\u{1f}\"\\\u{7f}"] {
            for at in 0..=len {
                let text = format!("{}{special}{}", "a".repeat(at), "b".repeat(len - at));
                for after in [false, true] {
                    e.clear();
                    e.put(&KEYWORD, text.as_str());
                    if after {
                        e.put(&IP, Scalar::Ip(u128::MAX));
                    }
                    assert_eq!(tree(&mut writer, &e)["a"]["keyword"], text.as_str());
                }
            }
        }
    }
}

#[test]
fn numbers_and_addresses_of_every_length() {
    let mut writer = JsonWriter::new(schema(), Precision::Milli);
    let mut e = Entries::new();
    for n in (0..20).flat_map(|d| [10u64.pow(d) - 1, 10u64.pow(d), 10u64.pow(d) / 10 * 12]).chain([u64::MAX])
    {
        e.clear();
        e.put(&LONG, n);
        assert_eq!(tree(&mut writer, &e)["a"]["b"]["long"].as_u64(), Some(n));
        e.put(&LONG, (n as i64).wrapping_neg());
        assert_eq!(tree(&mut writer, &e)["a"]["b"]["long"].as_i64(), Some((n as i64).wrapping_neg()));
    }
    for ip in ["0.0.0.0", "255.255.255.255", "1.22.133.4", "::", "::1", "2001:db8::ffff:1", "1:2:3:4:5:6:7:8"]
    {
        e.clear();
        e.put(&IP, ip.parse::<std::net::IpAddr>().unwrap());
        assert_eq!(tree(&mut writer, &e)["z"]["ip"], ip);
    }
}

#[test]
fn events_of_any_shape_after_one_another() {
    let mut writer = JsonWriter::new(schema(), Precision::Milli);
    let names = [&DATE, &LONG, &DOUBLE, &KEYWORD, &BOOLEAN, &IP];
    let mut e = Entries::new();
    for set in 0..64 {
        e.clear();
        for (i, field) in names.iter().enumerate().filter(|(i, _)| set & (1 << i) != 0) {
            e.put(field, i as u64);
        }
        let tree = tree(&mut writer, &e);
        for (i, field) in names.iter().enumerate() {
            let pointer = format!("/{}", field.name().replace('.', "/"));
            let expected = (set & (1 << i) != 0).then_some(i as u64);
            assert_eq!(tree.pointer(&pointer).and_then(serde_json::Value::as_u64), expected);
        }
    }
    e.clear();
    e.put_map(&MAP, |m| m.put_array(b"none", |_| ()));
    let mut out = Vec::new();
    writer.write(&e, &mut out);
    writer.write(&Entries::new(), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), r#"{"http":{"headers":{"none":[]}}}{}"#);
}

#[test]
fn the_later_value_counts_and_removal_removes() {
    let mut e = Entries::new();
    schema();
    e.put(&LONG, 1u64);
    e.put(&KEYWORD, "x");
    e.put(&LONG, 2u64);
    e.remove(&KEYWORD);
    let mut out = Vec::new();
    JsonWriter::new(schema(), Precision::Milli).write(&e, &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":{"b":{"long":2}}}"#);
    assert_eq!(e.get(&KEYWORD), None);
}

#[test]
fn text_of_the_wire_is_made_text() {
    schema();
    let mut e = Entries::new();
    e.put_text(&KEYWORD, b"caf\xe9\x00");
    assert_eq!(e.get_str(&KEYWORD), Some("caf\u{fffd}\0"));
}
