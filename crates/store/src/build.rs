//! Rows in the making: an event's entries are taken apart into columns.

use std::sync::Arc;

use wirebeat_model::{EventId, Kind, Scalar, Time, Value};

use crate::batch::Batch;
use crate::block::{Column, Rows, Terms, Values};
use crate::json::{write_ip, write_map, write_value};
use crate::layout::{EXTRA, ID, Layout, SEQ, Stored};
use crate::part::Part;
use crate::terms::{Ips, Texts};

/// No column yet.
const NONE: u16 = u16::MAX;

/// Columns that grow by a row with each event.
pub(crate) struct Builder {
    layout: Arc<Layout>,
    rows: u32,
    seqs: Vec<i64>,
    ids: Data,
    /// Rows whose `event.id` is their name.
    same_id: Vec<u32>,
    time: (i64, i64),
    /// What the columns take, about.
    bytes: usize,
    /// Place of the column of single values and of lists, by field id.
    places: Vec<[u16; 2]>,
    columns: Vec<Growing>,
    lists: Vec<Objects>,
    extra: Option<Growing>,
    text: Vec<u8>,
}

/// A column that grows.
struct Growing {
    stored: Stored,
    /// The list it is a member of, as a place in `lists`.
    list: Option<u16>,
    rows: Vec<u32>,
    /// Of a column of lists: where each row's values end.
    ends: Vec<u32>,
    values: Data,
}

enum Data {
    Text(Vec<u32>, Texts),
    Ip(Vec<u32>, Ips),
    Long(Vec<i64>),
    Double(Vec<f64>),
}

/// How many objects each row has.
struct Objects {
    id: u16,
    rows: Vec<u32>,
    ends: Vec<u32>,
}

impl Objects {
    fn count(&self) -> u32 {
        self.ends.last().copied().unwrap_or(0)
    }
}

/// A value as its column takes it.
enum Fitted<'a> {
    Text(&'a str),
    /// An address under a field of texts.
    IpText(u128),
    Ip(u128),
    Long(i64),
    Double(f64),
}

fn is_text(value: Value<'_>, text: &[u8]) -> bool {
    matches!(value, Value::Scalar(Scalar::Str(s)) if s.as_bytes() == text)
}

/// Integers up to here are the same as doubles.
const EXACT: i64 = 1 << 53;

fn fit<'a>(kind: Kind, scalar: Scalar<'a>) -> Option<Fitted<'a>> {
    Some(match (kind, scalar) {
        (Kind::Keyword | Kind::Text, Scalar::Str(v)) => Fitted::Text(v),
        (Kind::Keyword | Kind::Text, Scalar::Ip(v)) => Fitted::IpText(v),
        (Kind::Long, Scalar::Uint(v)) => Fitted::Long(i64::try_from(v).ok()?),
        (Kind::Long, Scalar::Int(v)) => Fitted::Long(v),
        (Kind::Double, Scalar::Double(v)) if v.is_finite() => Fitted::Double(v),
        (Kind::Double, Scalar::Uint(v)) if v <= EXACT as u64 => Fitted::Double(v as f64),
        (Kind::Double, Scalar::Int(v)) if (-EXACT..=EXACT).contains(&v) => Fitted::Double(v as f64),
        (Kind::Boolean, Scalar::Bool(v)) => Fitted::Long(v.into()),
        (Kind::Ip, Scalar::Ip(v)) => Fitted::Ip(v),
        (Kind::Date, Scalar::Time(v)) => Fitted::Long(v.0),
        _ => return None,
    })
}

impl Data {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Ip => Self::Ip(Vec::new(), Ips::new()),
            Kind::Long | Kind::Boolean | Kind::Date => Self::Long(Vec::new()),
            Kind::Double => Self::Double(Vec::new()),
            Kind::Keyword | Kind::Text | Kind::Map | Kind::Objects => Self::Text(Vec::new(), Texts::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(codes, _) | Self::Ip(codes, _) => codes.len(),
            Self::Long(v) => v.len(),
            Self::Double(v) => v.len(),
        }
    }

    /// Appends; answers what it takes.
    #[inline]
    fn push(&mut self, value: Fitted<'_>, text: &mut Vec<u8>) -> usize {
        match (self, value) {
            (Self::Text(codes, texts), Fitted::Text(v)) => {
                let before = texts.byte_len();
                // Most columns repeat themselves.
                let code = match codes.last() {
                    Some(&last) if texts.get(last) == v.as_bytes() => last,
                    _ => texts.code(v),
                };
                codes.push(code);
                return 4 + texts.byte_len() - before;
            }
            (Self::Text(codes, texts), Fitted::IpText(v)) => {
                text.clear();
                write_ip(v, text);
                codes.push(texts.code(std::str::from_utf8(text).unwrap_or_default()));
            }
            (Self::Ip(codes, ips), Fitted::Ip(v)) => codes.push(ips.code(v)),
            (Self::Long(list), Fitted::Long(v)) => list.push(v),
            (Self::Double(list), Fitted::Double(v)) => list.push(v),
            // `fit` answers what the kind's column takes.
            _ => {}
        }
        8
    }

    fn values(&self) -> Values {
        match self {
            Self::Text(codes, texts) => Values::Coded { codes: codes.clone(), terms: texts.terms() },
            Self::Ip(codes, ips) => {
                Values::Coded { codes: codes.clone(), terms: Terms::Ip(ips.list.clone()) }
            }
            Self::Long(v) => Values::Long(v.clone().into()),
            Self::Double(v) => Values::Double(v.clone()),
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Text(codes, texts) => {
                codes.clear();
                texts.clear();
            }
            Self::Ip(codes, ips) => {
                codes.clear();
                ips.clear();
            }
            Self::Long(v) => v.clear(),
            Self::Double(v) => v.clear(),
        }
    }
}

impl Growing {
    fn new(stored: Stored, list: Option<u16>) -> Self {
        let values = Data::new(stored.kind());
        Self { stored, list, rows: Vec::new(), ends: Vec::new(), values }
    }

    /// Row numbers and ends as a block's rows, of `total` rows.
    fn rows(&self, total: u32) -> Rows {
        if self.stored.many {
            Rows::Many(spread(&self.rows, &self.ends, total))
        } else if self.rows.len() == total as usize {
            Rows::Each
        } else {
            Rows::Few(self.rows.clone())
        }
    }
}

/// The offsets of all rows, from those of some.
fn spread(rows: &[u32], ends: &[u32], total: u32) -> Vec<u32> {
    let mut offsets = Vec::with_capacity(total as usize + 1);
    offsets.push(0);
    let mut last = 0;
    for (&row, &end) in rows.iter().zip(ends) {
        offsets.resize(row as usize + 1, last);
        offsets.push(end);
        last = end;
    }
    offsets.resize(total as usize + 1, last);
    offsets
}

impl Builder {
    pub(crate) fn new(layout: Arc<Layout>) -> Self {
        let places = vec![[NONE; 2]; layout.slots.len()];
        Self {
            layout,
            rows: 0,
            seqs: Vec::new(),
            ids: Data::new(Kind::Keyword),
            same_id: Vec::new(),
            time: (i64::MAX, i64::MIN),
            bytes: 0,
            places,
            columns: Vec::new(),
            lists: Vec::new(),
            extra: None,
            text: Vec::new(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows as usize
    }

    /// What the rows take in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// One more row. `entries` are an event's, each field once.
    pub(crate) fn push(&mut self, seq: u64, id: EventId, time: Time, entries: &[(u16, Value<'_>)]) {
        let mut hex = Vec::with_capacity(32);
        id.write(&mut hex);
        self.ids.push(Fitted::Text(std::str::from_utf8(&hex).unwrap_or_default()), &mut self.text);
        self.seqs.push(seq as i64);
        self.time = (self.time.0.min(time.0), self.time.1.max(time.0));
        self.bytes += 48;
        let mut extra: Vec<(u16, Value<'_>)> = Vec::new();
        for &(field, value) in entries {
            if Some(field) == self.layout.event_id && is_text(value, &hex) {
                self.same_id.push(self.rows);
            } else if !self.put(field, value) {
                extra.push((field, value));
            }
        }
        if !extra.is_empty() {
            self.put_extra(&extra);
        }
        self.rows += 1;
    }

    /// Puts a value into its column; `false` when it fits none.
    fn put(&mut self, field: u16, value: Value<'_>) -> bool {
        let layout = Arc::clone(&self.layout);
        let Some(slot) = layout.slots.get(usize::from(field)) else { return true };
        if slot.list.is_some() {
            return false;
        }
        match value {
            Value::Scalar(scalar) => {
                let Some(fitted) = fit(slot.kind, scalar) else { return false };
                let column = self.column(field, false);
                self.columns[column].rows.push(self.rows);
                self.bytes += 4 + self.columns[column].values.push(fitted, &mut self.text);
            }
            Value::Array(items) => {
                let mut count = 0;
                for item in items {
                    if fit(slot.kind, item).is_none() {
                        return false;
                    }
                    count += 1;
                }
                if count == 0 {
                    return false;
                }
                let column = self.column(field, true);
                self.append(column, self.rows, items, slot.kind);
            }
            Value::Map(map) if slot.kind == Kind::Map => {
                let mut json = Vec::new();
                write_map(map, &mut json);
                let column = self.column(field, false);
                self.columns[column].rows.push(self.rows);
                let json = Fitted::Text(std::str::from_utf8(&json).unwrap_or("{}"));
                self.bytes += 4 + self.columns[column].values.push(json, &mut self.text);
            }
            Value::Objects(objects) if slot.kind == Kind::Objects => {
                if !self.objects_fit(field, objects) {
                    return false;
                }
                self.put_objects(field, objects);
            }
            _ => return false,
        }
        true
    }

    /// A list under a row or an object.
    fn append<'v>(&mut self, column: usize, row: u32, items: impl Iterator<Item = Scalar<'v>>, kind: Kind) {
        let column = &mut self.columns[column];
        for item in items {
            if let Some(fitted) = fit(kind, item) {
                self.bytes += column.values.push(fitted, &mut self.text);
            }
        }
        column.rows.push(row);
        column.ends.push(column.values.len() as u32);
        self.bytes += 8;
    }

    /// Whether each object of a list has members, each once, of this list, with values of their kinds.
    fn objects_fit(&self, list: u16, objects: wirebeat_model::ObjectsIter<'_>) -> bool {
        let mut any = false;
        for object in objects {
            let mut seen: Vec<u16> = Vec::new();
            for (id, value) in object {
                let Some(slot) = self.layout.slots.get(usize::from(id)).filter(|s| s.list == Some(list))
                else {
                    return false;
                };
                let fits = match value {
                    Value::Scalar(scalar) => fit(slot.kind, scalar).is_some(),
                    Value::Array(mut items) => {
                        items.clone().next().is_some() && items.all(|item| fit(slot.kind, item).is_some())
                    }
                    _ => false,
                };
                if !fits || seen.contains(&id) {
                    return false;
                }
                seen.push(id);
            }
            if seen.is_empty() {
                return false;
            }
            any = true;
        }
        any
    }

    fn put_objects(&mut self, field: u16, objects: wirebeat_model::ObjectsIter<'_>) {
        let list = self.list(field);
        let layout = Arc::clone(&self.layout);
        let mut number = self.lists[list].count();
        for object in objects {
            for (id, value) in object {
                let Some(slot) = layout.slots.get(usize::from(id)) else { continue };
                match value {
                    Value::Scalar(scalar) => {
                        let column = self.column(id, false);
                        if let Some(fitted) = fit(slot.kind, scalar) {
                            self.columns[column].rows.push(number);
                            self.bytes += 4 + self.columns[column].values.push(fitted, &mut self.text);
                        }
                    }
                    Value::Array(items) => {
                        let column = self.column(id, true);
                        self.append(column, number, items, slot.kind);
                    }
                    _ => {}
                }
            }
            number += 1;
        }
        self.lists[list].rows.push(self.rows);
        self.lists[list].ends.push(number);
    }

    fn put_extra(&mut self, entries: &[(u16, Value<'_>)]) {
        let mut json = vec![b'{'];
        for (i, &(field, value)) in entries.iter().enumerate() {
            if i > 0 {
                json.push(b',');
            }
            let name = self.layout.slots.get(usize::from(field)).map_or("", |s| s.name);
            wirebeat_model::write_str(name, &mut json);
            json.push(b':');
            write_value(&self.layout, value, &mut json);
        }
        json.push(b'}');
        let column =
            self.extra.get_or_insert_with(|| Growing::new(Stored::new(EXTRA, None, false, Kind::Text), None));
        column.rows.push(self.rows);
        let json = Fitted::Text(std::str::from_utf8(&json).unwrap_or("{}"));
        self.bytes += 4 + column.values.push(json, &mut self.text);
    }

    /// The place of a field's column, made when it is the first value.
    #[inline]
    fn column(&mut self, field: u16, many: bool) -> usize {
        let place = self.places[usize::from(field)][usize::from(many)];
        if place != NONE { usize::from(place) } else { self.new_column(field, many) }
    }

    #[cold]
    fn new_column(&mut self, field: u16, many: bool) -> usize {
        let layout = Arc::clone(&self.layout);
        let slot = &layout.slots[usize::from(field)];
        let list = slot.list.map(|l| self.list(l) as u16);
        let stored = if many { slot.many.clone() } else { slot.one.clone() };
        self.columns.push(Growing::new(stored, list));
        let place = self.columns.len() - 1;
        self.places[usize::from(field)][usize::from(many)] = place as u16;
        place
    }

    fn list(&mut self, id: u16) -> usize {
        self.lists.iter().position(|l| l.id == id).unwrap_or_else(|| {
            self.lists.push(Objects { id, rows: Vec::new(), ends: Vec::new() });
            self.lists.len() - 1
        })
    }

    /// The rows so far as a block.
    pub(crate) fn freeze(&self) -> Batch {
        let total = self.rows;
        let objects: Vec<(u32, Arc<Vec<u32>>)> =
            self.lists.iter().map(|l| (l.count(), Arc::new(spread(&l.rows, &l.ends, total)))).collect();
        let mut parts: Vec<(Stored, Part)> = Vec::with_capacity(self.columns.len() + 3);
        for growing in self.columns.iter().chain(&self.extra).filter(|c| !c.rows.is_empty()) {
            let list = growing.list.map(|l| &objects[usize::from(l)]);
            let rows = growing.rows(list.map_or(total, |(count, _)| *count));
            let column = Column { kind: growing.stored.kind(), rows, values: growing.values.values() };
            let part = Part { objects: list.map(|(_, o)| Arc::clone(o)), column: Arc::new(column) };
            parts.push((growing.stored.clone(), part));
        }
        let own = |name, kind, values| {
            let column = Arc::new(Column { kind, rows: Rows::Each, values });
            (Stored::new(name, None, false, kind), Part { objects: None, column })
        };
        parts.push(own(ID, Kind::Keyword, self.ids.values()));
        if let (Some(id), false) = (self.layout.event_id, self.same_id.is_empty()) {
            let count = self.same_id.len();
            let rows = if count == total as usize { Rows::Each } else { Rows::Few(self.same_id.clone()) };
            let column = Column { kind: Kind::Boolean, rows, values: Values::Long(vec![1; count].into()) };
            let stored = Stored::same_as_id(self.layout.slots[usize::from(id)].name);
            parts.push((stored, Part { objects: None, column: Arc::new(column) }));
        }
        parts.push(own(SEQ, Kind::Long, Values::Long(self.seqs.clone().into())));
        Batch::new(total as usize, self.time, parts)
    }

    /// Forgets the rows, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.rows = 0;
        self.bytes = 0;
        self.time = (i64::MAX, i64::MIN);
        self.seqs.clear();
        self.ids.clear();
        self.same_id.clear();
        for column in self.columns.iter_mut().chain(&mut self.extra) {
            column.rows.clear();
            column.ends.clear();
            column.values.clear();
        }
        for list in &mut self.lists {
            list.rows.clear();
            list.ends.clear();
        }
    }
}
