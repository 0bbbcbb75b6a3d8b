//! Fields: declared once, beside the code that fills them; documents, templates, columns and labels follow from them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// What values a field holds, in Elasticsearch's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A short text taken as a whole.
    Keyword,
    /// A longer text that people search words of.
    Text,
    /// A whole number.
    Long,
    /// A number with a fraction.
    Double,
    /// True or false.
    Boolean,
    /// An IPv4 or IPv6 address.
    Ip,
    /// An instant.
    Date,
    /// A map whose keys come from the traffic: one field, however many keys (`flattened`).
    Map,
    /// A list of objects whose members are fields named below this one.
    Objects,
}

impl Kind {
    /// Elasticsearch's mapping type.
    pub fn es_type(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Text => "text",
            Self::Long => "long",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Ip => "ip",
            Self::Date => "date",
            Self::Map => "flattened",
            Self::Objects => "object",
        }
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nothing in particular.
    None,
    /// Bytes.
    Bytes,
    /// Packets.
    Packets,
    /// Nanoseconds.
    Nanos,
    /// Seconds.
    Seconds,
    /// A share from 0 to 1.
    Percent,
}

/// How careful one has to be with a field's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Metadata.
    Plain,
    /// Content of the conversation (bodies, arguments, returned values): a right of its own in the UI.
    Payload,
    /// May hold a password, key or session: masked while redaction is on.
    Secret,
}

/// A field of an event.
#[derive(Debug)]
pub struct Field {
    name: &'static str,
    kind: Kind,
    unit: Unit,
    class: Class,
    aliases: &'static [&'static str],
    doc: &'static str,
    id: AtomicU16,
}

/// The id of a field that no schema holds.
pub(crate) const NO_ID: u16 = u16::MAX;

impl Field {
    /// Declares a field; it must be in the list given to [`Schema::install`] before an event uses it.
    pub const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        let (unit, class) = (Unit::None, Class::Plain);
        Self { name, kind, unit, class, aliases: &[], doc, id: AtomicU16::new(NO_ID) }
    }

    /// Says what its number counts.
    pub const fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// Says how careful one has to be with it.
    pub const fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Older names under which queries still ask for it; events never hold them. Value and unit are the same.
    pub const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    /// Dotted name, e.g. `http.request.method`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What values it holds.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What its number counts.
    pub fn unit_of(&self) -> Unit {
        self.unit
    }

    /// How careful one has to be with it.
    pub fn class_of(&self) -> Class {
        self.class
    }

    /// Older names that mean it too.
    pub fn aliases_of(&self) -> &'static [&'static str] {
        self.aliases
    }

    /// One sentence for the reference.
    pub fn doc(&self) -> &'static str {
        self.doc
    }

    /// Its place in the installed schema.
    #[inline]
    pub fn id(&self) -> u16 {
        self.id.load(Ordering::Relaxed)
    }
}

/// Declares fields and the list of them: `fields! { pub FIELDS: NAME = Field::new(…); … }`.
#[macro_export]
macro_rules! fields {
    ($vis:vis $list:ident: $($name:ident = $field:expr;)+) => {
        $(
            #[allow(missing_docs)]
            pub static $name: $crate::Field = $field;
        )+
        /// Every field declared here.
        $vis static $list: &[&$crate::Field] = &[$(&$name),+];
    };
}

/// A field's place in JSON.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) field: &'static Field,
    /// `,"leaf":`
    pub(crate) key: Padded,
    /// The innermost object around it, an index into [`Schema::objects`].
    pub(crate) object: u16,
    /// All objects around it but the root, outermost first.
    pub(crate) parents: Vec<u16>,
}

/// An object on the way to a field.
#[derive(Debug)]
pub(crate) struct Object {
    /// `"name":{`
    pub(crate) key: String,
    /// The object around it; the root's is itself.
    pub(crate) parent: u16,
    /// How many objects are around it.
    pub(crate) depth: u16,
    /// The id after its last field's: ids of one object are neighbours.
    pub(crate) end: u16,
}

/// A short text that is appended by a copy of fixed size, which costs no call.
#[derive(Debug)]
pub(crate) struct Padded {
    room: [u8; Padded::ROOM],
    text: String,
}

impl Padded {
    const ROOM: usize = 32;

    fn new(text: String) -> Self {
        let mut room = [0; Self::ROOM];
        if let Some(part) = room.get_mut(..text.len()) {
            part.copy_from_slice(text.as_bytes());
        }
        Self { room, text }
    }

    /// The text with zeros behind it, and its length; `None` when it is too long.
    #[inline]
    pub(crate) fn padded(&self) -> Option<(&[u8; Self::ROOM], usize)> {
        (self.text.len() <= Self::ROOM).then_some((&self.room, self.text.len()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// Every field of the program, in the order in which JSON shows them.
#[derive(Debug)]
pub struct Schema {
    pub(crate) slots: Vec<Slot>,
    /// The root, then each object on the way to a field.
    pub(crate) objects: Vec<Object>,
    /// Older names, sorted, with the fields they mean.
    aliases: Vec<(&'static str, &'static Field)>,
}

static SCHEMA: OnceLock<Schema> = OnceLock::new();

impl Schema {
    /// The object that is the event.
    pub(crate) const ROOT: u16 = 0;

    /// Numbers the fields of all `lists`. The first call decides; later calls answer what it made.
    ///
    /// # Panics
    /// At start-up, when two declarations contradict each other (the same name with two kinds, or a name that is both
    /// a value and an object; aliases count as names): a mistake of ours that no input can cause.
    pub fn install(lists: &[&[&'static Field]]) -> &'static Self {
        SCHEMA.get_or_init(|| {
            let mut all: Vec<&'static Field> = lists.iter().flat_map(|l| l.iter().copied()).collect();
            all.sort_by(|x, y| x.name.split('.').cmp(y.name.split('.')));
            Self::number(&all)
        })
    }

    /// The installed schema, if any.
    pub fn get() -> Option<&'static Self> {
        SCHEMA.get()
    }

    #[allow(clippy::panic)]
    fn number(all: &[&'static Field]) -> Self {
        let mut slots: Vec<Slot> = Vec::with_capacity(all.len());
        let root = Object { key: String::new(), parent: Self::ROOT, depth: 0, end: NO_ID };
        let mut objects = vec![root];
        let mut paths = vec![String::new()];
        for field in all {
            if let Some(last) = slots.last() {
                if std::ptr::eq(last.field, *field) {
                    continue;
                }
                assert!(last.field.name != field.name, "field {} is declared twice", field.name);
                let nested = field.name.strip_prefix(last.field.name).is_some_and(|r| r.starts_with('.'));
                assert!(
                    !nested || last.field.kind == Kind::Objects,
                    "{} is a value and cannot hold {}",
                    last.field.name,
                    field.name
                );
            }
            let in_list = slots.iter().rev().find(|s| {
                s.field.kind == Kind::Objects
                    && field.name.strip_prefix(s.field.name).is_some_and(|r| r.starts_with('.'))
            });
            let (start, parents_of_list) = match in_list {
                Some(list) => (list.field.name.len() + 1, true),
                None => (0, false),
            };
            let mut parents = Vec::new();
            let mut leaf = &field.name[start..];
            let mut at = start;
            let mut object = Self::ROOT;
            let id = u16::try_from(slots.len()).unwrap_or(NO_ID);
            assert!(id < NO_ID, "too many fields");
            while let Some(dot) = leaf.find('.') {
                assert!(!parents_of_list, "{}: members of a list of objects are flat", field.name);
                at += dot;
                let path = &field.name[..at];
                let index = paths.iter().position(|p| p == path).unwrap_or_else(|| {
                    paths.push(path.to_owned());
                    let depth = u16::try_from(parents.len() + 1).unwrap_or(NO_ID);
                    let key = format!("\"{}\":{{", &leaf[..dot]);
                    objects.push(Object { key, parent: object, depth, end: 0 });
                    paths.len() - 1
                });
                object = u16::try_from(index).unwrap_or(NO_ID);
                objects[index].end = id + 1;
                parents.push(object);
                at += 1;
                leaf = &field.name[at..];
            }
            field.id.store(id, Ordering::Relaxed);
            slots.push(Slot { field, key: Padded::new(format!(",\"{leaf}\":")), object, parents });
        }
        let aliases = Self::collect_aliases(all);
        Self { slots, objects, aliases }
    }

    /// Every alias once, none of them the name of a field, and no name both a value and an object.
    #[allow(clippy::panic)]
    fn collect_aliases(all: &[&'static Field]) -> Vec<(&'static str, &'static Field)> {
        let mut aliases: Vec<(&'static str, &'static Field)> =
            all.iter().flat_map(|f| f.aliases.iter().map(|a| (*a, *f))).collect();
        aliases.sort_by_key(|(name, _)| *name);
        aliases.dedup_by(|x, y| x.0 == y.0 && std::ptr::eq(x.1, y.1));
        let mut names: Vec<&'static str> = aliases.iter().map(|(name, _)| *name).collect();
        let mut fields: Vec<&'static str> =
            all.iter().filter(|f| f.kind != Kind::Objects).map(|f| f.name).collect();
        fields.dedup();
        names.extend(fields);
        names.sort_by(|x, y| x.split('.').cmp(y.split('.')));
        for pair in names.windows(2) {
            let contradicts =
                pair[1].strip_prefix(pair[0]).is_some_and(|r| r.is_empty() || r.starts_with('.'));
            assert!(!contradicts, "{} is a field or an alias, and {} cannot be one too", pair[0], pair[1]);
        }
        aliases
    }

    /// The field that this name means: its own, or an alias of it.
    pub fn resolve(&self, name: &str) -> Option<&'static Field> {
        self.by_name(name).or_else(|| {
            let at = self.aliases.binary_search_by_key(&name, |(alias, _)| alias).ok()?;
            self.aliases.get(at).map(|(_, field)| *field)
        })
    }

    /// Older names with the fields they mean, sorted by name.
    pub fn aliases(&self) -> impl Iterator<Item = (&'static str, &'static Field)> + '_ {
        self.aliases.iter().copied()
    }

    /// Every field, in JSON order.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + '_ {
        self.slots.iter().map(|s| s.field)
    }

    /// The field with this id.
    pub fn field(&self, id: u16) -> Option<&'static Field> {
        self.slots.get(usize::from(id)).map(|s| s.field)
    }

    /// The field with this dotted name.
    pub fn by_name(&self, name: &str) -> Option<&'static Field> {
        self.slots
            .binary_search_by(|s| s.field.name.split('.').cmp(name.split('.')))
            .ok()
            .map(|i| self.slots[i].field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static LOAD: Field = Field::new("system.load.1", Kind::Double, "").aliases(&["load.load1", "load1"]);
    static USED: Field = Field::new("mem.used", Kind::Long, "");
    static BELOW: Field = Field::new("x.y", Kind::Long, "").aliases(&["mem.used.bytes"]);
    static SAME: Field = Field::new("x.z", Kind::Long, "").aliases(&["mem.used"]);
    static TWICE: Field = Field::new("x.w", Kind::Long, "").aliases(&["load1"]);

    #[test]
    fn aliases_resolve_and_contradictions_are_refused() {
        let schema = Schema::number(&[&USED, &LOAD]);
        let names: Vec<(&str, &str)> = schema.aliases().map(|(alias, field)| (alias, field.name())).collect();
        assert_eq!(names, [("load.load1", "system.load.1"), ("load1", "system.load.1")]);
        for name in ["system.load.1", "load.load1", "load1"] {
            assert!(std::ptr::eq(schema.resolve(name).unwrap(), &LOAD), "{name}");
        }
        assert!(schema.resolve("load").is_none() && schema.by_name("load1").is_none());
        for wrong in [[&USED, &BELOW], [&USED, &SAME], [&LOAD, &TWICE]] {
            assert!(std::panic::catch_unwind(|| Schema::collect_aliases(&wrong)).is_err());
        }
    }
}
