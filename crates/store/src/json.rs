//! Values as JSON text, times with nanoseconds.

use wirebeat_model::{MapIter, Precision, Scalar, Value, ip_addr, write_str};

use crate::layout::Layout;

/// Appends a value. `null` stands for what JSON cannot say.
pub(crate) fn write_value(layout: &Layout, value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Absent => out.extend_from_slice(b"null"),
        Value::Scalar(scalar) => write_scalar(scalar, out),
        Value::Array(items) => list(items, out, |item, out| write_scalar(item, out)),
        Value::Objects(items) => list(items, out, |object, out| {
            out.push(b'{');
            let mut first = true;
            for (id, value) in object {
                let Some(slot) = layout.slots.get(usize::from(id)) else { continue };
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                let list = slot.list.map_or(0, |l| layout.slots[usize::from(l)].name.len() + 1);
                write_str(&slot.name[list..], out);
                out.push(b':');
                write_value(layout, value, out);
            }
            out.push(b'}');
        }),
        Value::Map(map) => write_map(map, out),
    }
}

/// Appends a map as an object.
pub(crate) fn write_map(map: MapIter<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    for (key, value) in map {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        write_str(key, out);
        out.push(b':');
        match value {
            Value::Scalar(scalar) => write_scalar(scalar, out),
            Value::Array(items) => list(items, out, |item, out| write_scalar(item, out)),
            _ => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
}

/// Appends items with commas between, in brackets.
pub(crate) fn list<T>(
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

pub(crate) fn write_scalar(scalar: Scalar<'_>, out: &mut Vec<u8>) {
    match scalar {
        Scalar::Bool(v) => out.extend_from_slice(if v { b"true" } else { b"false" }),
        Scalar::Uint(v) => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
        Scalar::Int(v) => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
        Scalar::Double(v) if v.is_finite() => {
            out.extend_from_slice(ryu::Buffer::new().format_finite(v).as_bytes());
        }
        Scalar::Double(_) => out.extend_from_slice(b"null"),
        Scalar::Str(v) => write_str(v, out),
        Scalar::Ip(v) => {
            out.push(b'"');
            write_ip(v, out);
            out.push(b'"');
        }
        Scalar::Time(v) => {
            out.push(b'"');
            v.write_rfc3339(Precision::Nano, out);
            out.push(b'"');
        }
    }
}

/// Appends an address as text.
pub(crate) fn write_ip(ip: u128, out: &mut Vec<u8>) {
    use std::io::Write;
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{}", ip_addr(ip));
}
