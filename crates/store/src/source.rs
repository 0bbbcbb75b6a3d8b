//! An event's document, rebuilt from the columns its fields are stored in.

use std::ops::Range;

use wirebeat_model::{Kind, Scalar, Time, write_str};

use crate::block::{BlockError, Column, Terms, Values};
use crate::json::{list, write_scalar};
use crate::layout::EXTRA;
use crate::part::{Part, Parts, same_as_id};

/// A field and the columns its values may be in.
struct Item<'a> {
    path: Vec<&'a str>,
    /// Single values; a field may be in two columns, a row only in one of them.
    one: Vec<Part>,
    many: Option<Part>,
    /// Members, when it is a list of objects: name, and the column.
    members: Vec<(&'a str, Part)>,
}

/// The documents of these rows, as JSON texts with nanosecond times.
pub(crate) fn sources(parts: &dyn Parts, rows: &[u32]) -> Result<Vec<String>, BlockError> {
    let (items, extra) = items(parts)?;
    let mut out = Vec::with_capacity(rows.len());
    let mut scratch = Vec::new();
    for &row in rows {
        scratch.clear();
        let mut found: Vec<(&[&str], Range<usize>)> = Vec::with_capacity(items.len());
        for item in &items {
            let start = scratch.len();
            if write_item(item, row, &mut scratch) {
                found.push((&item.path, start..scratch.len()));
            }
        }
        let more = extra.as_ref().map(|e| extras(e, row)).unwrap_or_default();
        let paths: Vec<Vec<&str>> = more.keys().map(|name| name.split('.').collect()).collect();
        for (path, value) in paths.iter().zip(more.values()) {
            let start = scratch.len();
            scratch.extend_from_slice(value.to_string().as_bytes());
            found.push((path, start..scratch.len()));
        }
        if !paths.is_empty() {
            found.sort_by(|a, b| a.0.cmp(b.0));
        }
        let mut json = Vec::with_capacity(scratch.len() * 2);
        nest(&found, &scratch, &mut json);
        // Made of texts and our own ASCII.
        out.push(String::from_utf8(json).unwrap_or_default());
    }
    Ok(out)
}

fn items(parts: &dyn Parts) -> Result<(Vec<Item<'_>>, Option<Part>), BlockError> {
    let mut items: Vec<Item<'_>> = Vec::new();
    let mut extra = None;
    for (at, stored) in parts.stored().iter().enumerate() {
        if stored.internal() && stored.name != EXTRA {
            continue;
        }
        let Some(part) = parts.part(at)? else { continue };
        if stored.name == EXTRA {
            extra = Some(part);
            continue;
        }
        let name = stored.list.as_deref().unwrap_or(&stored.field);
        let place =
            items.iter().position(|i| i.path.iter().copied().eq(name.split('.'))).unwrap_or_else(|| {
                items.push(Item {
                    path: name.split('.').collect(),
                    one: Vec::new(),
                    many: None,
                    members: Vec::new(),
                });
                items.len() - 1
            });
        let item = &mut items[place];
        match &stored.list {
            Some(list) => item.members.push((&stored.field[list.len() + 1..], part)),
            None if stored.same => item.one.extend(same_as_id(parts, &part)?),
            None if stored.many => item.many = Some(part),
            None => item.one.push(part),
        }
    }
    for item in &items {
        let counts = |p: &Part| p.objects.clone();
        let first = item.members.first().and_then(|(_, p)| counts(p));
        if item.members.iter().any(|(_, p)| counts(p) != first) {
            let what = format!("{}: members of its objects differ in number", item.path.join("."));
            return Err(BlockError::Damaged(parts.origin(), what));
        }
    }
    items.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((items, extra))
}

/// Appends a field's value; `false` when the row has none.
fn write_item(item: &Item<'_>, row: u32, out: &mut Vec<u8>) -> bool {
    for part in &item.one {
        if let Some(i) = part.column.of(row).next() {
            write(&part.column, i, out);
            return true;
        }
    }
    if let Some(part) = &item.many {
        let range = part.column.of(row);
        if !range.is_empty() {
            list(range, out, |i, out| write(&part.column, i, out));
            return true;
        }
    }
    let objects = item.members.first().and_then(|(_, p)| p.objects.as_ref());
    let objects = objects.map_or(0..0, |o| o[row as usize]..o[row as usize + 1]);
    if objects.is_empty() {
        return false;
    }
    list(objects, out, |object, out| {
        out.push(b'{');
        let mut first = true;
        for (name, part) in &item.members {
            let range = part.column.of(object);
            if range.is_empty() {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            write_str(name, out);
            out.push(b':');
            if matches!(part.column.rows, crate::block::Rows::Many(_)) {
                list(range, out, |i, out| write(&part.column, i, out));
            } else {
                write(&part.column, range.start, out);
            }
        }
        out.push(b'}');
    });
    true
}

/// Appends the value at an index.
fn write(column: &Column, i: usize, out: &mut Vec<u8>) {
    let scalar = match &column.values {
        Values::Coded { codes, terms: Terms::Text(terms) } => {
            let text = terms.value(codes[i] as usize);
            if column.kind == Kind::Map {
                out.extend_from_slice(text.as_bytes());
                return;
            }
            Scalar::Str(text)
        }
        Values::Coded { codes, terms: Terms::Ip(ips) } => Scalar::Ip(ips[codes[i] as usize]),
        Values::Long(v) => match column.kind {
            Kind::Boolean => Scalar::Bool(v[i] != 0),
            Kind::Date => Scalar::Time(Time(v[i])),
            _ => Scalar::Int(v[i]),
        },
        Values::Double(v) => Scalar::Double(v[i]),
    };
    write_scalar(scalar, out);
}

/// What did not fit a column, by field name.
fn extras(part: &Part, row: u32) -> serde_json::Map<String, serde_json::Value> {
    let (Some(i), Values::Coded { codes, terms: Terms::Text(terms) }) =
        (part.column.of(row).next(), &part.column.values)
    else {
        return serde_json::Map::new();
    };
    serde_json::from_str(terms.value(codes[i] as usize)).unwrap_or_default()
}

/// Fields with their values, ordered by path, as nested objects.
fn nest(found: &[(&[&str], Range<usize>)], scratch: &[u8], out: &mut Vec<u8>) {
    out.push(b'{');
    let mut open: &[&str] = &[];
    let mut first = true;
    for (path, value) in found {
        let Some((leaf, parents)) = path.split_last() else { continue };
        let common = open.iter().zip(parents).take_while(|(a, b)| a == b).count();
        out.extend(std::iter::repeat_n(b'}', open.len() - common));
        if !first {
            out.push(b',');
        }
        for name in &parents[common..] {
            write_str(name, out);
            out.extend_from_slice(b":{");
        }
        write_str(leaf, out);
        out.push(b':');
        out.extend_from_slice(&scratch[value.clone()]);
        (open, first) = (parents, false);
    }
    out.extend(std::iter::repeat_n(b'}', open.len() + 1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_open_and_close() {
        let found: Vec<(&[&str], Range<usize>)> =
            vec![(&["a", "b", "c"], 0..1), (&["a", "d"], 1..2), (&["e"], 2..3), (&["f", "g"], 3..4)];
        let mut out = Vec::new();
        nest(&found, b"1234", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":{"b":{"c":1},"d":2},"e":3,"f":{"g":4}}"#);
    }
}
