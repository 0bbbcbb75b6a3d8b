//! The flat form of an event: fields and values one after the other in one buffer.
//!
//! An entry is a field id (u16, little endian), a tag and the value. A field stands once: of two entries with the same
//! field the later one counts. A value is a scalar, an array of scalars, a list of objects (each again entries) or a
//! map with keys from the traffic. JSON, journal and store read this form; there is no tree.

use std::net::IpAddr;

use crate::Time;
use crate::field::{Field, NO_ID};

pub(crate) mod tag {
    pub(crate) const ABSENT: u8 = 0;
    pub(crate) const FALSE: u8 = 1;
    pub(crate) const TRUE: u8 = 2;
    pub(crate) const UINT: u8 = 3;
    pub(crate) const INT: u8 = 4;
    pub(crate) const DOUBLE: u8 = 5;
    pub(crate) const STR: u8 = 6;
    pub(crate) const IP: u8 = 7;
    pub(crate) const TIME: u8 = 8;
    pub(crate) const ARRAY: u8 = 9;
    pub(crate) const OBJECTS: u8 = 10;
    pub(crate) const MAP: u8 = 11;
}

/// Fields and values, appended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    buf: Vec<u8>,
}

/// A scalar that can be put under a field, into an array or into a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// True or false.
    Bool(bool),
    /// A number ≥ 0.
    Uint(u64),
    /// A number that may be negative.
    Int(i64),
    /// A number with a fraction; NaN and infinities become absent in JSON (`null`).
    Double(f64),
    /// Text.
    Str(&'a str),
    /// An address (IPv4 as v4-mapped).
    Ip(u128),
    /// An instant.
    Time(Time),
}

impl From<bool> for Scalar<'_> {
    fn from(v: bool) -> Self {
        Self::Bool(v)
    }
}
impl From<u64> for Scalar<'_> {
    fn from(v: u64) -> Self {
        Self::Uint(v)
    }
}
impl From<u32> for Scalar<'_> {
    fn from(v: u32) -> Self {
        Self::Uint(v.into())
    }
}
impl From<u16> for Scalar<'_> {
    fn from(v: u16) -> Self {
        Self::Uint(v.into())
    }
}
impl From<u8> for Scalar<'_> {
    fn from(v: u8) -> Self {
        Self::Uint(v.into())
    }
}
impl From<i64> for Scalar<'_> {
    fn from(v: i64) -> Self {
        if let Ok(u) = u64::try_from(v) { Self::Uint(u) } else { Self::Int(v) }
    }
}
impl From<f64> for Scalar<'_> {
    fn from(v: f64) -> Self {
        Self::Double(v)
    }
}
impl<'a> From<&'a str> for Scalar<'a> {
    fn from(v: &'a str) -> Self {
        Self::Str(v)
    }
}
impl From<IpAddr> for Scalar<'_> {
    fn from(v: IpAddr) -> Self {
        Self::Ip(crate::Endpoint::new(v, 0).ip)
    }
}
impl From<Time> for Scalar<'_> {
    fn from(v: Time) -> Self {
        Self::Time(v)
    }
}

impl Entries {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing yet, with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { buf: Vec::with_capacity(bytes) }
    }

    /// From their encoded form, as [`Entries::as_bytes`] gave it. What makes no sense ends the iteration.
    pub fn from_encoded(bytes: Vec<u8>) -> Self {
        Self { buf: bytes }
    }

    /// Whether nothing was put.
    pub fn is_empty(&self) -> bool {
        self.buf.is_empty()
    }

    /// Bytes used.
    pub fn byte_len(&self) -> usize {
        self.buf.len()
    }

    /// Bytes reserved.
    pub fn capacity(&self) -> usize {
        self.buf.capacity()
    }

    /// Forgets the content, keeps the memory.
    pub fn clear(&mut self) {
        self.buf.clear();
    }

    /// The encoded form.
    pub fn as_bytes(&self) -> &[u8] {
        &self.buf
    }

    /// Appends what another one holds.
    pub fn append(&mut self, other: &Self) {
        self.buf.extend_from_slice(&other.buf);
    }

    #[inline]
    fn head(field: &Field) -> [u8; 2] {
        let id = field.id();
        debug_assert!(id != NO_ID, "{} is in no schema", field.name());
        id.to_le_bytes()
    }

    /// Id, tag and room for a length; answers where the content begins. One append: there are dozens in an event.
    #[inline]
    fn begin(&mut self, field: &Field, tag: u8) -> usize {
        let [low, high] = Self::head(field);
        self.buf.extend_from_slice(&[low, high, tag, 0, 0, 0, 0]);
        self.buf.len()
    }

    /// Id and text, known to be UTF-8.
    fn put_str(&mut self, field: &Field, text: &[u8]) {
        let [low, high] = Self::head(field);
        let [a, b, c, d] = (text.len() as u32).to_le_bytes();
        self.buf.reserve(7 + text.len());
        self.buf.extend_from_slice(&[low, high, tag::STR, a, b, c, d]);
        self.buf.extend_from_slice(text);
    }

    /// Id and eight bytes.
    fn put_fixed(&mut self, field: &Field, tag: u8, bytes: [u8; 8]) {
        let mut all = [0; 11];
        all[..2].copy_from_slice(&Self::head(field));
        all[2] = tag;
        all[3..].copy_from_slice(&bytes);
        self.buf.extend_from_slice(&all);
    }

    #[inline]
    fn scalar(&mut self, value: Scalar<'_>) {
        match value {
            Scalar::Bool(v) => self.buf.push(if v { tag::TRUE } else { tag::FALSE }),
            Scalar::Uint(v) => self.fixed(tag::UINT, v.to_le_bytes()),
            Scalar::Int(v) => self.fixed(tag::INT, v.to_le_bytes()),
            Scalar::Double(v) => self.fixed(tag::DOUBLE, v.to_le_bytes()),
            Scalar::Time(v) => self.fixed(tag::TIME, v.0.to_le_bytes()),
            Scalar::Ip(v) => {
                self.buf.push(tag::IP);
                self.buf.extend_from_slice(&v.to_le_bytes());
            }
            Scalar::Str(v) => {
                self.buf.push(tag::STR);
                self.buf.extend_from_slice(&(v.len() as u32).to_le_bytes());
                self.buf.extend_from_slice(v.as_bytes());
            }
        }
    }

    #[inline]
    fn fixed(&mut self, tag: u8, bytes: [u8; 8]) {
        let mut all = [0; 9];
        all[0] = tag;
        all[1..].copy_from_slice(&bytes);
        self.buf.extend_from_slice(&all);
    }

    /// Puts one value.
    #[inline]
    pub fn put<'a>(&mut self, field: &Field, value: impl Into<Scalar<'a>>) {
        match value.into() {
            // The commonest in one append each.
            Scalar::Uint(v) => self.put_fixed(field, tag::UINT, v.to_le_bytes()),
            Scalar::Time(v) => self.put_fixed(field, tag::TIME, v.0.to_le_bytes()),
            Scalar::Str(v) => self.put_str(field, v.as_bytes()),
            other => {
                self.buf.extend_from_slice(&Self::head(field));
                self.scalar(other);
            }
        }
    }

    /// Puts text of the wire: what is not UTF-8 becomes U+FFFD.
    pub fn put_text(&mut self, field: &Field, bytes: &[u8]) {
        if bytes.is_ascii() {
            return self.put_str(field, bytes);
        }
        self.buf.extend_from_slice(&Self::head(field));
        self.text(bytes);
    }

    /// Puts text written by `write`, without a buffer of its own. What is not UTF-8 becomes U+FFFD.
    pub fn put_with(&mut self, field: &Field, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.begin(field, tag::STR);
        write(&mut self.buf);
        self.fix_utf8(start);
        self.close(start);
    }

    /// Takes a field away again.
    pub fn remove(&mut self, field: &Field) {
        self.buf.extend_from_slice(&Self::head(field));
        self.buf.push(tag::ABSENT);
    }

    /// Puts several values under one field; nothing at all when `fill` adds none.
    pub fn put_array(&mut self, field: &Field, fill: impl FnOnce(&mut ArrayBuilder<'_>)) {
        let before = self.buf.len();
        let start = self.begin(field, tag::ARRAY);
        fill(&mut ArrayBuilder { entries: self });
        if self.buf.len() == start { self.buf.truncate(before) } else { self.close(start) }
    }

    /// Puts a list of objects; nothing at all when `fill` adds none.
    pub fn put_objects(&mut self, field: &Field, fill: impl FnOnce(&mut ObjectsBuilder<'_>)) {
        let before = self.buf.len();
        let start = self.begin(field, tag::OBJECTS);
        fill(&mut ObjectsBuilder { entries: self });
        if self.buf.len() == start { self.buf.truncate(before) } else { self.close(start) }
    }

    /// Puts a map with free keys; nothing at all when `fill` adds none.
    pub fn put_map(&mut self, field: &Field, fill: impl FnOnce(&mut MapBuilder<'_>)) {
        let before = self.buf.len();
        let start = self.begin(field, tag::MAP);
        fill(&mut MapBuilder { entries: self });
        if self.buf.len() == start { self.buf.truncate(before) } else { self.close(start) }
    }

    fn text(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(s) => self.scalar(Scalar::Str(s)),
            Err(_) => {
                self.buf.push(tag::STR);
                let start = self.open();
                self.buf.extend_from_slice(bytes);
                self.fix_utf8(start);
                self.close(start);
            }
        }
    }

    fn fix_utf8(&mut self, start: usize) {
        let text = &self.buf[start..];
        if !text.is_ascii() && std::str::from_utf8(text).is_err() {
            let fixed = String::from_utf8_lossy(&self.buf[start..]).into_owned();
            self.buf.truncate(start);
            self.buf.extend_from_slice(fixed.as_bytes());
        }
    }

    /// Leaves room for a length; answers where the content begins.
    fn open(&mut self) -> usize {
        self.buf.extend_from_slice(&[0; 4]);
        self.buf.len()
    }

    fn close(&mut self, start: usize) {
        let len = (self.buf.len() - start) as u32;
        self.buf[start - 4..start].copy_from_slice(&len.to_le_bytes());
    }

    /// Sets a number that was put before it was known. `slot` must be of these entries, not cleared since.
    pub fn set(&mut self, slot: &NumberSlot, value: u64) {
        if let Some(place) = self.buf.get_mut(slot.at..slot.at + 8) {
            place.copy_from_slice(&value.to_le_bytes());
        }
    }

    /// Every entry in the order it was put, superseded ones too.
    pub fn iter(&self) -> EntryIter<'_> {
        EntryIter { rest: &self.buf }
    }

    /// The value of a field.
    pub fn get(&self, field: &Field) -> Option<Value<'_>> {
        let id = field.id();
        self.iter().filter(|(i, _)| *i == id).last().map(|(_, v)| v).filter(|v| !matches!(v, Value::Absent))
    }

    /// The text of a field that holds text.
    pub fn get_str(&self, field: &Field) -> Option<&str> {
        match self.get(field)? {
            Value::Scalar(Scalar::Str(s)) => Some(s),
            _ => None,
        }
    }
}

/// Where a number stands that was put before it was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberSlot {
    at: usize,
}

/// Adds values to an array.
pub struct ArrayBuilder<'a> {
    entries: &'a mut Entries,
}

impl ArrayBuilder<'_> {
    /// One more value.
    pub fn push<'v>(&mut self, value: impl Into<Scalar<'v>>) {
        self.entries.scalar(value.into());
    }

    /// One more text of the wire.
    pub fn push_text(&mut self, bytes: &[u8]) {
        self.entries.text(bytes);
    }
}

/// Adds objects to a list.
pub struct ObjectsBuilder<'a> {
    entries: &'a mut Entries,
}

impl ObjectsBuilder<'_> {
    /// One more object; its members are fields declared below the list's name.
    pub fn push(&mut self, fill: impl FnOnce(&mut Entries)) {
        let start = self.entries.open();
        fill(self.entries);
        self.entries.close(start);
    }
}

/// Adds keys to a map.
pub struct MapBuilder<'a> {
    entries: &'a mut Entries,
}

impl MapBuilder<'_> {
    /// A key from the traffic with one value.
    pub fn put<'v>(&mut self, key: &[u8], value: impl Into<Scalar<'v>>) {
        self.key(key);
        self.entries.scalar(value.into());
    }

    /// A key from the traffic with a text of the wire.
    pub fn put_text(&mut self, key: &[u8], value: &[u8]) {
        self.key(key);
        self.entries.text(value);
    }

    /// A key with several values.
    pub fn put_array(&mut self, key: &[u8], fill: impl FnOnce(&mut ArrayBuilder<'_>)) {
        self.key(key);
        self.entries.buf.push(tag::ARRAY);
        let start = self.entries.open();
        fill(&mut ArrayBuilder { entries: self.entries });
        self.entries.close(start);
    }

    /// A key whose number comes later, with [`Entries::set`]; 0 until then.
    pub fn put_slot(&mut self, key: &[u8]) -> NumberSlot {
        self.put(key, 0u64);
        NumberSlot { at: self.entries.buf.len() - 8 }
    }

    fn key(&mut self, key: &[u8]) {
        let start = self.entries.open();
        self.entries.buf.extend_from_slice(key);
        self.entries.fix_utf8(start);
        self.entries.close(start);
    }
}

/// A value as it stands in the buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// The field was taken away.
    Absent,
    /// One value.
    Scalar(Scalar<'a>),
    /// Several values.
    Array(ArrayIter<'a>),
    /// A list of objects.
    Objects(ObjectsIter<'a>),
    /// A map.
    Map(MapIter<'a>),
}

#[inline]
pub(crate) fn split<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(n)?;
    *rest = tail;
    Some(head)
}

#[inline]
pub(crate) fn word<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}

#[inline]
pub(crate) fn sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let n = u32::from_le_bytes(word(rest)?);
    split(rest, n as usize)
}

#[inline]
pub(crate) fn raw_id(rest: &mut &[u8]) -> Option<u16> {
    Some(u16::from_le_bytes(word(rest)?))
}

/// Where the value in front ends, tag included; its content is not looked at.
#[inline]
pub(crate) fn end_of(value: &[u8]) -> Option<usize> {
    let end = match *value.first()? {
        tag::STR | tag::ARRAY | tag::OBJECTS | tag::MAP => {
            5 + u32::from_le_bytes(*value.get(1..)?.first_chunk()?) as usize
        }
        tag::UINT | tag::INT | tag::DOUBLE | tag::TIME => 9,
        tag::IP => 17,
        tag::ABSENT | tag::FALSE | tag::TRUE => 1,
        _ => return None,
    };
    (end <= value.len()).then_some(end)
}

fn value<'a>(rest: &mut &'a [u8]) -> Option<Value<'a>> {
    let scalar = match word::<1>(rest)?[0] {
        tag::ABSENT => return Some(Value::Absent),
        tag::FALSE => Scalar::Bool(false),
        tag::TRUE => Scalar::Bool(true),
        tag::UINT => Scalar::Uint(u64::from_le_bytes(word(rest)?)),
        tag::INT => Scalar::Int(i64::from_le_bytes(word(rest)?)),
        tag::DOUBLE => Scalar::Double(f64::from_le_bytes(word(rest)?)),
        tag::TIME => Scalar::Time(Time(i64::from_le_bytes(word(rest)?))),
        tag::IP => Scalar::Ip(u128::from_le_bytes(word(rest)?)),
        // Entries are only written by this module, which checks; `from_utf8` again costs little and needs no trust.
        tag::STR => Scalar::Str(std::str::from_utf8(sized(rest)?).ok()?),
        tag::ARRAY => return Some(Value::Array(ArrayIter { rest: sized(rest)? })),
        tag::OBJECTS => return Some(Value::Objects(ObjectsIter { rest: sized(rest)? })),
        tag::MAP => return Some(Value::Map(MapIter { rest: sized(rest)? })),
        _ => return None,
    };
    Some(Value::Scalar(scalar))
}

/// Goes through the entries of an event or object: field id and value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntryIter<'a> {
    rest: &'a [u8],
}

impl<'a> EntryIter<'a> {
    /// Entries from their encoded form, e.g. out of a journal; ends at the first byte that makes no sense.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for EntryIter<'a> {
    type Item = (u16, Value<'a>);
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let id = u16::from_le_bytes(word(&mut self.rest)?);
        Some((id, value(&mut self.rest)?))
    }
}

/// Goes through the values of an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArrayIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for ArrayIter<'a> {
    type Item = Scalar<'a>;
    fn next(&mut self) -> Option<Scalar<'a>> {
        match value(&mut self.rest)? {
            Value::Scalar(s) => Some(s),
            _ => None,
        }
    }
}

/// Goes through the objects of a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectsIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for ObjectsIter<'a> {
    type Item = EntryIter<'a>;
    fn next(&mut self) -> Option<EntryIter<'a>> {
        Some(EntryIter { rest: sized(&mut self.rest)? })
    }
}

/// Goes through a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for MapIter<'a> {
    type Item = (&'a str, Value<'a>);
    fn next(&mut self) -> Option<Self::Item> {
        let key = std::str::from_utf8(sized(&mut self.rest)?).ok()?;
        Some((key, value(&mut self.rest)?))
    }
}
