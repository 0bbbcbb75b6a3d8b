//! The flat form of events, made and found, and their JSON.

use wirebeat_model::{
    Entries, EntryIter, Field, JsonWriter, Kind, Precision, Scalar, Schema, Time, Value, read_event,
    write_str,
};

use super::script::Script;

/// Fields that stand for themselves, and the members of lists of objects.
fn fields(schema: &'static Schema) -> (Vec<&'static Field>, Vec<(&'static Field, Vec<&'static Field>)>) {
    let all: Vec<_> = schema.fields().collect();
    let lists: Vec<_> = all.iter().copied().filter(|f| f.kind() == Kind::Objects).collect();
    let below =
        |f: &Field, list: &Field| f.name().strip_prefix(list.name()).is_some_and(|r| r.starts_with('.'));
    let own = all.iter().copied().filter(|f| f.kind() != Kind::Objects && !lists.iter().any(|l| below(f, l)));
    let members =
        |list: &Field| all.iter().copied().filter(|f| f.kind() != Kind::Objects && below(f, list)).collect();
    (own.collect(), lists.iter().map(|l| (*l, members(l))).collect())
}

/// A value that fits a kind. JSON tells neither NaN nor infinities.
fn scalar<'a>(kind: Kind, s: &mut Script<'_>, text: &'a mut String) -> Scalar<'a> {
    match kind {
        Kind::Long => match s.u8() {
            0 => Scalar::from(s.u64() as i64),
            1 => Scalar::Uint(s.u64()),
            n => Scalar::Uint(n.into()),
        },
        Kind::Double => Some(f64::from_bits(s.u64())).filter(|d| d.is_finite()).unwrap_or(0.5).into(),
        Kind::Boolean => Scalar::Bool(s.u8() & 1 == 1),
        Kind::Ip => Scalar::Ip(u128::from(s.u64()) << 64 | u128::from(s.u64())),
        Kind::Date => Scalar::Time(Time(s.u64() as i64)),
        Kind::Keyword | Kind::Text | Kind::Map | Kind::Objects => {
            let len = s.len();
            *text = String::from_utf8_lossy(s.bytes(len)).into_owned();
            Scalar::Str(text)
        }
    }
}

fn put(field: &'static Field, s: &mut Script<'_>, out: &mut Entries) {
    let mut text = String::new();
    match (field.kind(), s.u8() & 7) {
        (Kind::Map, n) => out.put_map(field, |map| {
            for i in 0..n {
                let len = usize::from(s.u8() & 15);
                let key = s.bytes(len);
                match i & 3 {
                    0 => map.put_array(key, |a| {
                        a.push(true);
                        a.push_text(key);
                    }),
                    1 => map.put(key, scalar(Kind::Double, s, &mut text)),
                    2 => {
                        let slot = map.put_slot(key);
                        assert_ne!(format!("{slot:?}"), "");
                    }
                    _ => map.put_text(key, s.bytes(len)),
                }
            }
        }),
        (Kind::Keyword | Kind::Text, 0) => {
            let len = s.len();
            out.put_text(field, s.bytes(len));
        }
        (Kind::Keyword | Kind::Text, 1) => {
            let len = s.len();
            out.put_with(field, |o| o.extend_from_slice(s.bytes(len)));
        }
        (_, 2) => out.remove(field),
        (kind, 3) => out.put_array(field, |a| {
            for _ in 0..s.u8() & 7 {
                let mut text = String::new();
                a.push(scalar(kind, s, &mut text));
            }
        }),
        (kind, _) => {
            let value = scalar(kind, s, &mut text);
            out.put(field, value);
        }
    }
}

fn written(schema: &'static Schema, entries: &Entries) -> String {
    let mut out = Vec::new();
    JsonWriter::new(schema, Precision::Nano).write(entries, &mut out);
    super::check_json(&out);
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// Goes through everything that bytes hold, as a reader of a journal does.
fn visit(entries: EntryIter<'_>, depth: usize) -> usize {
    entries.map(|(_, value)| visit_value(value, depth)).sum()
}

fn visit_value(value: Value<'_>, depth: usize) -> usize {
    match value {
        Value::Absent | Value::Scalar(_) => 1,
        Value::Array(items) => items.count(),
        // Each level takes some bytes; no event is so deep.
        _ if depth > 64 => 1,
        Value::Objects(objects) => objects.map(|o| visit(o, depth + 1)).sum(),
        Value::Map(map) => map.map(|(_, v)| visit_value(v, depth + 1)).sum(),
    }
}

pub fn run(data: &[u8]) {
    let schema = wirebeat::engine::schema();
    let mut s = Script::new(data);
    match s.u8() & 3 {
        0 => {
            let bytes = s.rest();
            assert!(visit(EntryIter::new(bytes), 0) <= bytes.len());
        }
        1 => {
            let text = String::from_utf8_lossy(s.rest()).into_owned();
            let mut out = Vec::new();
            write_str(&text, &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).expect("a JSON string"), text);
            if let Ok(entries) = read_event(schema, &text) {
                let once = written(schema, &entries);
                let again = read_event(schema, &once).expect("what we wrote");
                assert_eq!(written(schema, &again), once);
            }
        }
        _ => {
            let (own, lists) = fields(schema);
            let mut entries = Entries::new();
            while s.more() {
                let n = usize::from(s.u16());
                if n & 7 == 7 && !lists.is_empty() {
                    let (list, members) = &lists[(n >> 3) % lists.len()];
                    entries.put_objects(list, |objects| {
                        for _ in 0..s.u8() & 3 {
                            objects.push(|object| {
                                // A member stands once in an object.
                                let mut used = Vec::new();
                                for _ in 0..s.u8() & 7 {
                                    let at = usize::from(s.u8()) % members.len().max(1);
                                    match members.get(at) {
                                        Some(member) if !used.contains(&at) => put(member, &mut s, object),
                                        _ => {}
                                    }
                                    used.push(at);
                                }
                            });
                        }
                    });
                } else {
                    put(own[n % own.len()], &mut s, &mut entries);
                }
            }
            assert_eq!(entries.iter().rest().len(), entries.byte_len());
            let mut all = entries.iter();
            all.by_ref().for_each(drop);
            assert!(all.rest().is_empty(), "what was put can be read");
            let text = written(schema, &entries);
            // Objects whose members were taken away hold null, which is no value: only the text is looked at.
            if let Ok(again) = read_event(schema, &text) {
                let once = written(schema, &again);
                let twice = read_event(schema, &once).expect("what we wrote");
                assert_eq!(written(schema, &twice), once);
            }
        }
    }
}
