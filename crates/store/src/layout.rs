//! Which columns an event's fields are stored in, and what they are called.
//!
//! | column | holds |
//! |---|---|
//! | `a.b` | the field's value where it has one |
//! | `a.b[]` | its values where it has a list |
//! | `a.b[].c` | member `c` of each object in the list `a.b`; null where an object lacks it |
//! | `a.b[].c[]` | the same where the member is a list |
//! | `…[ns]` | beside an instant in microseconds: the nanoseconds left over |
//! | `event.id[_id]` | true where the field is the event's name and not stored again |
//! | `_id`, `_seq` | the event's name and its number in the journal |
//! | `_extra` | a JSON object of what does not fit, by field name |

use wirebeat_model::{Kind, Schema};

/// The event's name.
pub(crate) const ID: &str = "_id";
/// Its number in the journal.
pub(crate) const SEQ: &str = "_seq";
/// The field that repeats it.
pub(crate) const EVENT_ID: &str = "event.id";
/// What fits no column.
pub(crate) const EXTRA: &str = "_extra";
/// Ends the name of a column that says where a field is the event's name.
const SAME: &str = "[_id]";
/// Ends the name of a column of left-over nanoseconds.
pub(crate) const NANOS: &str = "[ns]";

/// A stored column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Stored {
    /// Its name in the file, without `[ns]`.
    pub(crate) name: String,
    /// The field.
    pub(crate) field: String,
    /// The list of objects it is a member of.
    pub(crate) list: Option<String>,
    /// Whether it holds lists of values.
    pub(crate) many: bool,
    /// Whether it says where the field is the event's name.
    pub(crate) same: bool,
    /// The kind of its values.
    pub(crate) kind: KindOf,
}

/// A kind that can be ordered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KindOf(pub(crate) Kind);

impl PartialEq for KindOf {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for KindOf {}
impl PartialOrd for KindOf {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for KindOf {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.es_type().cmp(other.0.es_type())
    }
}
impl std::hash::Hash for KindOf {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.es_type().hash(state);
    }
}

impl Stored {
    pub(crate) fn new(field: &str, list: Option<&str>, many: bool, kind: Kind) -> Self {
        let end = if many { "[]" } else { "" };
        let name = match list.and_then(|l| Some((l, field.strip_prefix(l)?))) {
            Some((list, member)) => format!("{list}[]{member}{end}"),
            None => format!("{field}{end}"),
        };
        Self { name, field: field.into(), list: list.map(Into::into), many, same: false, kind: KindOf(kind) }
    }

    /// Says where a field is the event's name.
    pub(crate) fn same_as_id(field: &str) -> Self {
        let (name, kind) = (format!("{field}{SAME}"), KindOf(Kind::Boolean));
        Self { name, field: field.into(), list: None, many: false, same: true, kind }
    }

    /// From the name of a column in a file.
    pub(crate) fn parse(name: &str, kind: Kind) -> Self {
        if let Some(field) = name.strip_suffix(SAME) {
            return Self { kind: KindOf(kind), ..Self::same_as_id(field) };
        }
        let (rest, many) = name.strip_suffix("[]").map_or((name, false), |r| (r, true));
        let (list, field) = match rest.split_once("[].") {
            Some((list, member)) => (Some(list), format!("{list}.{member}")),
            None => (None, rest.to_owned()),
        };
        Self { name: name.into(), field, list: list.map(Into::into), many, same: false, kind: KindOf(kind) }
    }

    /// The kind of its values.
    pub(crate) fn kind(&self) -> Kind {
        self.kind.0
    }

    /// The field's kind.
    pub(crate) fn field_kind(&self) -> Kind {
        if self.same { Kind::Keyword } else { self.kind.0 }
    }

    /// Whether it is no field of the event.
    pub(crate) fn internal(&self) -> bool {
        self.field.starts_with('_')
    }
}

/// Where the values of one field go.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The list of objects it is a member of, by id.
    pub(crate) list: Option<u16>,
    pub(crate) one: Stored,
    pub(crate) many: Stored,
}

/// Where the values of every field go, by field id.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) slots: Vec<Slot>,
    pub(crate) timestamp: Option<u16>,
    pub(crate) ingested: Option<u16>,
    pub(crate) event_id: Option<u16>,
}

impl Layout {
    pub(crate) fn new(schema: &Schema) -> Self {
        let mut slots: Vec<Slot> = Vec::new();
        for field in schema.fields() {
            let (name, kind) = (field.name(), field.kind());
            let list = slots
                .iter()
                .position(|s| s.kind == Kind::Objects && is_below(name, s.name))
                .and_then(|i| u16::try_from(i).ok());
            let list_name = list.map(|i| slots[usize::from(i)].name);
            slots.push(Slot {
                name,
                kind,
                list,
                one: Stored::new(name, list_name, false, kind),
                many: Stored::new(name, list_name, true, kind),
            });
        }
        let id = |name| slots.iter().position(|s| s.name == name).and_then(|i| u16::try_from(i).ok());
        let (timestamp, ingested, event_id) = (id("@timestamp"), id("event.ingested"), id(EVENT_ID));
        Self { slots, timestamp, ingested, event_id }
    }
}

/// Whether `name` is a name inside `object`.
pub(crate) fn is_below(name: &str, object: &str) -> bool {
    name.strip_prefix(object).is_some_and(|rest| rest.starts_with('.'))
}

/// The kind that [`Kind::es_type`] names.
pub(crate) fn kind_of(es_type: &str) -> Option<Kind> {
    use Kind::*;
    [Keyword, Text, Long, Double, Boolean, Ip, Date, Map].into_iter().find(|k| k.es_type() == es_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_back() {
        let cases = [
            ("url.path", None, false, "url.path"),
            ("related.ip", None, true, "related.ip[]"),
            ("dns.answers.ttl", Some("dns.answers"), false, "dns.answers[].ttl"),
            ("dns.answers.type_bits", Some("dns.answers"), true, "dns.answers[].type_bits[]"),
        ];
        for (field, list, many, name) in cases {
            let stored = Stored::new(field, list, many, Kind::Keyword);
            assert_eq!(stored.name, name);
            assert_eq!(Stored::parse(name, Kind::Keyword), stored);
        }
        let same = Stored::same_as_id(EVENT_ID);
        assert_eq!((same.name.as_str(), same.field_kind()), ("event.id[_id]", Kind::Keyword));
        assert_eq!(Stored::parse(&same.name, Kind::Boolean), same);
    }
}
