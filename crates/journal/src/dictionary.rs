//! Which fields the numbers in a segment mean.
//!
//! Field ids are those of the program that wrote them. A segment tells its fields by name and kind; where they are those
//! of the running program, events pass untouched. Otherwise each event is written anew: a field of the same name, kind
//! and list gets its new id, and what the running program does not know goes into one map by its dotted name, so that
//! store and outputs keep it without knowing that there are versions.

use std::collections::BTreeMap;

use wirebeat_model::{Entries, EntryIter, Field, Kind, Scalar, Schema, Value, fields};

use crate::bytes;
use crate::record::{ROW, read_row, row};

fields! {
    pub FIELDS:
    OTHER = Field::new("wirebeat.other", Kind::Map, "Fields that another version of wirebeat wrote and this one does not know, by their dotted names.");
}

/// The longest name of a field, in bytes.
const MAX_NAME: usize = 255;

fn code(kind: Kind) -> u8 {
    match kind {
        Kind::Keyword => 1,
        Kind::Text => 2,
        Kind::Long => 3,
        Kind::Double => 4,
        Kind::Boolean => 5,
        Kind::Ip => 6,
        Kind::Date => 7,
        Kind::Map => 8,
        Kind::Objects => 9,
    }
}

/// The fields of a schema, as a segment tells them: kind (1 byte), length of the name (2), name; in the order of ids.
pub(crate) fn encode(schema: &Schema) -> Vec<u8> {
    let mut out = Vec::new();
    for field in schema.fields() {
        out.push(code(field.kind()));
        out.extend_from_slice(&(field.name().len() as u16).to_le_bytes());
        out.extend_from_slice(field.name().as_bytes());
    }
    out
}

fn parse(mut rest: &[u8]) -> Option<Vec<(u8, &str)>> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        let [kind] = bytes::take(&mut rest)?;
        let len = bytes::u16(&mut rest)?;
        let (name, tail) = rest.split_at_checked(usize::from(len)).filter(|(n, _)| n.len() <= MAX_NAME)?;
        all.push((kind, std::str::from_utf8(name).ok()?));
        rest = tail;
    }
    (all.len() < usize::from(u16::MAX)).then_some(all)
}

/// The list of objects that a field is a member of.
fn list_of<'a>(name: &str, lists: &[&'a str]) -> Option<&'a str> {
    lists.iter().copied().find(|l| name.strip_prefix(l).is_some_and(|r| r.starts_with('.')))
}

/// From the fields of a segment to those of the running program.
pub(crate) struct Mapping {
    names: Vec<String>,
    fields: Vec<Option<&'static Field>>,
    entries: Entries,
}

impl Mapping {
    /// `None` when the bytes are no dictionary.
    pub(crate) fn new(dictionary: &[u8], schema: &'static Schema) -> Option<Self> {
        let old = parse(dictionary)?;
        let objects = code(Kind::Objects);
        let old_lists: Vec<&str> = old.iter().filter(|(k, _)| *k == objects).map(|(_, n)| *n).collect();
        let new_lists: Vec<&str> =
            schema.fields().filter(|f| f.kind() == Kind::Objects).map(Field::name).collect();
        let same = |kind: u8, name: &str| {
            let field = schema.by_name(name).filter(|f| code(f.kind()) == kind)?;
            (list_of(name, &old_lists) == list_of(name, &new_lists)).then_some(field)
        };
        Some(Self {
            fields: old.iter().map(|(kind, name)| same(*kind, name)).collect(),
            names: old.iter().map(|(_, name)| (*name).to_owned()).collect(),
            entries: Entries::new(),
        })
    }

    /// Writes a checked batch anew. `None` when its entries make no sense.
    pub(crate) fn rewrite(&mut self, raw: &[u8], count: usize, out: &mut Vec<u8>) -> Option<()> {
        let (rows, mut fields) = raw.split_at_checked(count * ROW)?;
        out.clear();
        out.resize(count * ROW, 0);
        for (i, old) in rows.as_chunks::<ROW>().0.iter().enumerate() {
            let (stamp, id, len) = read_row(old);
            let (event, rest) = fields.split_at_checked(len)?;
            fields = rest;
            let mut entries = std::mem::take(&mut self.entries);
            entries.clear();
            self.event(event, &mut entries)?;
            out.extend_from_slice(entries.as_bytes());
            out[i * ROW..][..ROW].copy_from_slice(&row(stamp, id, entries.byte_len()));
            self.entries = entries;
        }
        Some(())
    }

    fn field(&self, id: u16) -> Option<Option<&'static Field>> {
        self.fields.get(usize::from(id)).copied()
    }

    fn event(&self, bytes: &[u8], out: &mut Entries) -> Option<()> {
        // What may hold unknown fields; the later of two entries counts.
        let mut aside: BTreeMap<u16, Value<'_>> = BTreeMap::new();
        let mut other = None;
        let mut entries = EntryIter::new(bytes);
        for (id, value) in entries.by_ref() {
            match self.field(id)? {
                Some(field) if std::ptr::eq(field, &raw const OTHER) => other = Some(value),
                Some(field) => {
                    self.put(field, value, out)?;
                    if field.kind() == Kind::Objects {
                        aside.insert(id, value);
                    }
                }
                None => {
                    aside.insert(id, value);
                }
            }
        }
        if !entries.rest().is_empty() {
            return None;
        }
        let mut unknown = BTreeMap::new();
        for (&id, &value) in &aside {
            let name = self.names.get(usize::from(id))?;
            self.flatten(name, value, self.field(id)?.is_some(), &mut unknown)?;
        }
        match other {
            Some(value) if unknown.is_empty() => return self.put(&OTHER, value, out),
            Some(value) => Self::flatten_flat("", value, &mut unknown)?,
            None => {}
        }
        out.put_map(&OTHER, |map| {
            for (name, values) in &unknown {
                match &values[..] {
                    [one] => map.put(name.as_bytes(), *one),
                    many => map.put_array(name.as_bytes(), |a| many.iter().for_each(|v| a.push(*v))),
                }
            }
        });
        Some(())
    }

    /// Puts a value under its field of the running program; members that are not known are left out here.
    fn put(&self, field: &'static Field, value: Value<'_>, out: &mut Entries) -> Option<()> {
        let mut sound = true;
        match value {
            Value::Absent => out.remove(field),
            Value::Scalar(scalar) => out.put(field, scalar),
            Value::Array(array) => out.put_array(field, |a| array.for_each(|v| a.push(v))),
            Value::Objects(objects) => out.put_objects(field, |list| {
                for object in objects {
                    list.push(|o| {
                        for (id, value) in object {
                            sound &= match (self.field(id), value) {
                                (_, Value::Objects(_)) | (None, _) => false,
                                (Some(None), _) => true,
                                (Some(Some(member)), value) => self.put(member, value, o).is_some(),
                            };
                        }
                    });
                }
            }),
            Value::Map(map) => out.put_map(field, |m| {
                for (key, value) in map {
                    match value {
                        Value::Scalar(scalar) => m.put(key.as_bytes(), scalar),
                        Value::Array(array) => {
                            m.put_array(key.as_bytes(), |a| array.for_each(|v| a.push(v)));
                        }
                        _ => sound = false,
                    }
                }
            }),
        }
        sound.then_some(())
    }

    /// All values of what is not known, by name. Of a list that is known (`known`), only the members that are not.
    fn flatten<'a>(
        &self,
        name: &str,
        value: Value<'a>,
        known: bool,
        out: &mut BTreeMap<String, Vec<Scalar<'a>>>,
    ) -> Option<()> {
        let Value::Objects(objects) = value else { return Self::flatten_flat(name, value, out) };
        for (id, value) in objects.flatten() {
            if !known || self.field(id)?.is_none() {
                Self::flatten_flat(self.names.get(usize::from(id))?, value, out)?;
            }
        }
        Some(())
    }

    fn flatten_flat<'a>(
        name: &str,
        value: Value<'a>,
        out: &mut BTreeMap<String, Vec<Scalar<'a>>>,
    ) -> Option<()> {
        match value {
            Value::Absent => {}
            Value::Scalar(scalar) => out.entry(name.to_owned()).or_default().push(scalar),
            Value::Array(array) => out.entry(name.to_owned()).or_default().extend(array),
            Value::Map(map) => {
                for (key, value) in map {
                    let key = if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
                    match value {
                        Value::Scalar(scalar) => out.entry(key).or_default().push(scalar),
                        Value::Array(array) => out.entry(key).or_default().extend(array),
                        _ => return None,
                    }
                }
            }
            // No list holds a list.
            Value::Objects(_) => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wirebeat_model::Time;

    fields! {
        OWN:
        WORD = Field::new("b.word", Kind::Keyword, "w");
        NUMBER = Field::new("b.number", Kind::Double, "n");
        LIST = Field::new("list", Kind::Objects, "l");
        LIST_AT = Field::new("list.at", Kind::Date, "a");
        HEADERS = Field::new("headers", Kind::Map, "h");
    }

    fn schema() -> &'static Schema {
        Schema::install(&[OWN, FIELDS])
    }

    fn entries() -> Entries {
        schema();
        let mut e = Entries::new();
        e.put(&NUMBER, f64::NAN);
        e.put(&WORD, "x");
        e.remove(&WORD);
        e.put_array(&WORD, |a| a.push("y"));
        e.put_objects(&LIST, |l| {
            l.push(|o| o.put(&LIST_AT, Time(5)));
            l.push(|_| {});
        });
        e.put_map(&HEADERS, |m| {
            m.put(b"a", true);
            m.put_array(b"b", |a| a.push(7u64));
        });
        e.put_map(&OTHER, |m| m.put(b"z", "z"));
        e
    }

    fn raw(events: &[&[u8]]) -> Vec<u8> {
        let rows = events.iter().flat_map(|e| row(Time(1), [2; 16], e.len()));
        rows.chain(events.iter().flat_map(|e| e.iter().copied())).collect()
    }

    #[test]
    fn the_same_fields_are_written_as_they_were() {
        let e = entries();
        let raw = raw(&[e.as_bytes(), &[], e.as_bytes()]);
        let mut out = vec![9];
        Mapping::new(&encode(schema()), schema()).unwrap().rewrite(&raw, 3, &mut out).unwrap();
        assert_eq!(out, raw);
    }

    #[test]
    fn nonsense_is_refused_and_never_panics() {
        let e = entries();
        let mut mapping = Mapping::new(&encode(schema()), schema()).unwrap();
        let mut out = Vec::new();
        // The first entry's id, then one that no dictionary has.
        assert!(mapping.rewrite(&raw(&[&[0xff, 0xfe, 1]]), 1, &mut out).is_none());
        assert!(mapping.rewrite(&raw(&[e.as_bytes()])[..40], 1, &mut out).is_none());
        for at in 0..e.byte_len() {
            for bit in 0..8 {
                let mut bad = e.as_bytes().to_vec();
                bad[at] ^= 1 << bit;
                let _ = mapping.rewrite(&raw(&[&bad]), 1, &mut out);
            }
        }
        let dictionary = encode(schema());
        for cut in 0..dictionary.len() {
            let fields = parse(&dictionary[..cut]).map_or(0, |f| f.len());
            assert!(fields < 6, "{cut}");
        }
    }
}
