//! Events as nested JSON objects, written straight from the flat form, and back.

use crate::entries::{Entries, Scalar, raw, raw_id, raw_sized, tag, write_ip};
use crate::field::{Field, Kind, NO_ID, Schema};
use crate::{Precision, Time};

/// Writes events as JSON. Reuse one: it keeps its working memory.
pub struct JsonWriter {
    schema: &'static Schema,
    precision: Precision,
    /// Where each field's value stands in the event, by field id; valid where `present` has its bit.
    at: Vec<u32>,
    present: Vec<u64>,
}

impl JsonWriter {
    /// For events of this schema.
    pub fn new(schema: &'static Schema, precision: Precision) -> Self {
        let n = schema.slots.len();
        Self { schema, precision, at: vec![0; n], present: vec![0; n.div_ceil(64)] }
    }

    /// Appends one event as a JSON object, fields in schema order, without a line end.
    pub fn write(&mut self, entries: &Entries, out: &mut Vec<u8>) {
        let bytes = entries.as_bytes();
        out.reserve(bytes.len() * 3);
        self.present.fill(0);
        // Where each field stands. Values are not looked at: these entries were written by this crate.
        let mut rest = bytes;
        while let Some(id) = raw_id(&mut rest) {
            let at = bytes.len() - rest.len();
            let Some((tag, _)) = raw(&mut rest) else { break };
            let (word, bit) = (usize::from(id) / 64, 1u64 << (id % 64));
            if let (Some(slot), Some(present)) =
                (self.at.get_mut(usize::from(id)), self.present.get_mut(word))
            {
                *slot = at as u32;
                if tag == tag::ABSENT { *present &= !bit } else { *present |= bit }
            }
        }
        out.push(b'{');
        let (mut open, mut object): (&[u16], _) = (&[], NO_ID);
        let mut first = true;
        for (w, &word) in self.present.iter().enumerate() {
            let mut bits = word;
            while bits != 0 {
                let id = w * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let slot = &self.schema.slots[id];
                // Most neighbours are in the same object.
                if object != slot.object {
                    let common = open.iter().zip(&slot.parents).take_while(|(a, b)| a == b).count();
                    for _ in common..open.len() {
                        out.push(b'}');
                    }
                    if !first {
                        out.push(b',');
                    }
                    for &object in &slot.parents[common..] {
                        out.extend_from_slice(self.schema.objects[usize::from(object)].as_bytes());
                    }
                    (open, object) = (&slot.parents, slot.object);
                } else if !first {
                    out.push(b',');
                }
                first = false;
                slot.key.append(out);
                let mut value = &bytes[self.at[id] as usize..];
                if let Some((tag, content)) = raw(&mut value) {
                    self.value(tag, content, out);
                }
            }
        }
        for _ in open {
            out.push(b'}');
        }
        out.push(b'}');
    }

    #[inline]
    fn value(&self, tag: u8, content: &[u8], out: &mut Vec<u8>) {
        match tag {
            tag::STR => write_text(content, out),
            tag::UINT => out
                .extend_from_slice(itoa::Buffer::new().format(u64::from_le_bytes(eight(content))).as_bytes()),
            tag::IP => {
                out.push(b'"');
                write_ip(u128::from_le_bytes(content.try_into().unwrap_or_default()), out);
                out.push(b'"');
            }
            tag::TIME => {
                out.push(b'"');
                Time(i64::from_le_bytes(eight(content))).write_rfc3339(self.precision, out);
                out.push(b'"');
            }
            _ => self.seldom(tag, content, out),
        }
    }

    fn seldom(&self, tag: u8, content: &[u8], out: &mut Vec<u8>) {
        match tag {
            tag::TRUE => out.extend_from_slice(b"true"),
            tag::FALSE => out.extend_from_slice(b"false"),
            tag::INT => out
                .extend_from_slice(itoa::Buffer::new().format(i64::from_le_bytes(eight(content))).as_bytes()),
            tag::DOUBLE => match f64::from_le_bytes(eight(content)) {
                v if v.is_finite() => out.extend_from_slice(ryu::Buffer::new().format_finite(v).as_bytes()),
                _ => out.extend_from_slice(b"null"),
            },
            tag::ARRAY => self.array(content, out),
            tag::OBJECTS => self.objects(content, out),
            tag::MAP => self.map(content, out),
            _ => out.extend_from_slice(b"null"),
        }
    }

    fn array(&self, mut rest: &[u8], out: &mut Vec<u8>) {
        out.push(b'[');
        let mut first = true;
        while let Some((tag, content)) = raw(&mut rest) {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            self.value(tag, content, out);
        }
        out.push(b']');
    }

    fn objects(&self, mut rest: &[u8], out: &mut Vec<u8>) {
        out.push(b'[');
        let mut first = true;
        while let Some(mut object) = raw_sized(&mut rest) {
            out.extend_from_slice(if std::mem::take(&mut first) { b"{" } else { b",{" });
            let mut first = true;
            while let Some(id) = raw_id(&mut object) {
                let Some((tag, content)) = raw(&mut object) else { break };
                let Some(slot) = self.schema.slots.get(usize::from(id)) else { continue };
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                slot.key.append(out);
                self.value(tag, content, out);
            }
            out.push(b'}');
        }
        out.push(b']');
    }

    fn map(&self, mut rest: &[u8], out: &mut Vec<u8>) {
        out.push(b'{');
        let mut first = true;
        while let Some(key) = raw_sized(&mut rest) {
            let Some((tag, content)) = raw(&mut rest) else { break };
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            write_text(key, out);
            out.push(b':');
            self.value(tag, content, out);
        }
        out.push(b'}');
    }
}

fn eight(content: &[u8]) -> [u8; 8] {
    content.try_into().unwrap_or_default()
}

/// 0: as it is; `u`: `\u00xx`; else the letter after the backslash.
const ESCAPE: [u8; 256] = {
    let mut t = [0; 256];
    let mut i = 0;
    while i < 0x20 {
        t[i] = b'u';
        i += 1;
    }
    t[b'\n' as usize] = b'n';
    t[b'\r' as usize] = b'r';
    t[b'\t' as usize] = b't';
    t[0x08] = b'b';
    t[0x0c] = b'f';
    t[b'"' as usize] = b'"';
    t[b'\\' as usize] = b'\\';
    t[0x7f] = b'u';
    t
};

/// Appends a JSON string (RFC 8259 section 7). DEL is escaped too, so that a terminal is never controlled by it;
/// C1 controls are left to the reader: they are valid text.
pub fn write_str(text: &str, out: &mut Vec<u8>) {
    write_text(text.as_bytes(), out);
}

/// [`write_str`] for bytes known to be UTF-8.
#[inline]
fn write_text(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    // Without early exit, so that it is done many bytes at a time.
    let plain = bytes.iter().fold(true, |ok, &b| ok & (b >= 0x20) & (b != b'"') & (b != b'\\') & (b != 0x7f));
    if plain {
        out.extend_from_slice(bytes)
    } else {
        write_escaped(bytes, out)
    }
    out.push(b'"');
}

fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    let mut from = 0;
    for (i, &b) in bytes.iter().enumerate() {
        let escape = ESCAPE[usize::from(b)];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[from..i]);
        from = i + 1;
        if escape == b'u' {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(b >> 4)]);
            out.push(HEX[usize::from(b & 15)]);
        } else {
            out.extend_from_slice(&[b'\\', escape]);
        }
    }
    out.extend_from_slice(&bytes[from..]);
}

/// Why a JSON text is not an event.
#[derive(Debug)]
pub struct NotAnEvent(pub String);

impl std::fmt::Display for NotAnEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for NotAnEvent {}

/// Reads what [`JsonWriter::write`] writes. Fields come in schema order, so that reading what was written at nanosecond
/// precision and writing it again gives the same text.
///
/// # Errors
/// When the text is not a JSON object, a field is unknown or a value does not fit its field's kind.
pub fn read_event(schema: &Schema, text: &str) -> Result<Entries, NotAnEvent> {
    let tree: serde_json::Value = serde_json::from_str(text).map_err(|e| NotAnEvent(e.to_string()))?;
    let serde_json::Value::Object(tree) = tree else { return Err(NotAnEvent("not an object".into())) };
    let mut entries = Entries::new();
    read_object(schema, "", &tree, &mut entries)?;
    Ok(entries)
}

type Tree = serde_json::Map<String, serde_json::Value>;

fn read_object(schema: &Schema, prefix: &str, tree: &Tree, out: &mut Entries) -> Result<(), NotAnEvent> {
    for (key, value) in tree {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match (schema.by_name(&name), value) {
            (Some(field), value) => read_value(schema, field, value, out)?,
            (None, serde_json::Value::Object(inner)) => read_object(schema, &name, inner, out)?,
            (None, _) => return Err(NotAnEvent(format!("unknown field {name}"))),
        }
    }
    Ok(())
}

fn read_value(
    schema: &Schema,
    field: &Field,
    value: &serde_json::Value,
    out: &mut Entries,
) -> Result<(), NotAnEvent> {
    use serde_json::Value as Json;
    let wrong = || NotAnEvent(format!("{}: {value} is no {:?}", field.name(), field.kind()));
    match (field.kind(), value) {
        (Kind::Objects, Json::Array(items)) => {
            let mut result = Ok(());
            out.put_objects(field, |list| {
                for item in items {
                    list.push(|object| match item {
                        Json::Object(tree) => {
                            if let Err(e) = read_object(schema, field.name(), tree, object) {
                                result = Err(e);
                            }
                        }
                        _ => result = Err(wrong()),
                    });
                }
            });
            result
        }
        (Kind::Map, Json::Object(tree)) => {
            let mut result = Ok(());
            out.put_map(field, |map| {
                for (key, value) in tree {
                    match value {
                        Json::Array(items) => map.put_array(key.as_bytes(), |array| {
                            for item in items {
                                match free_scalar(item) {
                                    Some(s) => array.push(s),
                                    None => result = Err(wrong()),
                                }
                            }
                        }),
                        _ => match free_scalar(value) {
                            Some(s) => map.put(key.as_bytes(), s),
                            None => result = Err(wrong()),
                        },
                    }
                }
            });
            result
        }
        (_, Json::Array(items)) => {
            let mut result = Ok(());
            out.put_array(field, |array| {
                for item in items {
                    match typed_scalar(field.kind(), item) {
                        Some(s) => array.push(s),
                        None => result = Err(wrong()),
                    }
                }
            });
            result
        }
        (kind, _) => {
            out.put(field, typed_scalar(kind, value).ok_or_else(wrong)?);
            Ok(())
        }
    }
}

fn free_scalar(value: &serde_json::Value) -> Option<Scalar<'_>> {
    Some(match value {
        serde_json::Value::Bool(v) => Scalar::Bool(*v),
        serde_json::Value::String(v) => Scalar::Str(v),
        serde_json::Value::Number(n) => match (n.as_u64(), n.as_i64()) {
            (Some(u), _) => Scalar::Uint(u),
            (None, Some(i)) => Scalar::Int(i),
            _ => Scalar::Double(n.as_f64()?),
        },
        _ => return None,
    })
}

fn typed_scalar(kind: Kind, value: &serde_json::Value) -> Option<Scalar<'_>> {
    Some(match (kind, free_scalar(value)?) {
        (Kind::Keyword | Kind::Text, s @ Scalar::Str(_)) => s,
        (Kind::Long, s @ (Scalar::Uint(_) | Scalar::Int(_))) => s,
        (Kind::Double, s @ Scalar::Double(_)) => s,
        (Kind::Double, Scalar::Uint(v)) => Scalar::Double(v as f64),
        (Kind::Double, Scalar::Int(v)) => Scalar::Double(v as f64),
        (Kind::Boolean, s @ Scalar::Bool(_)) => s,
        (Kind::Ip, Scalar::Str(v)) => Scalar::from(v.parse::<std::net::IpAddr>().ok()?),
        (Kind::Date, Scalar::Str(v)) => Scalar::Time(Time::parse_rfc3339(v)?),
        _ => return None,
    })
}
