//! Which fields there are and what kinds of values they have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use wirebeat_model::{Kind, Schema};

use crate::lang::json::matches_simple;

/// Which fields there are: those declared in the program, those found in blocks, and other names for them.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    fields: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug)]
enum Entry {
    /// The kinds of its values, the declared one first.
    Field { kinds: Vec<Kind>, geo: bool },
    /// Another name.
    Alias(String),
}

/// A field, found by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name of its column.
    pub column: String,
    /// What it is mapped as.
    pub kind: Kind,
    /// Further kinds that blocks have it as.
    pub others: Vec<Kind>,
    /// Its texts are points: `lat,lon`.
    pub geo: bool,
}

/// Names that every index has beside the documents' fields: name, type, whether it can be aggregated.
const BUILT_IN: &[(&str, &str, bool)] = &[
    ("_id", "_id", false),
    ("_ignored", "_ignored", true),
    ("_index", "_index", true),
    ("_routing", "_routing", false),
    ("_seq_no", "_seq_no", true),
    ("_source", "_source", false),
    ("_version", "_version", true),
];

impl Mapping {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// The fields declared in the program, and what they are called too.
    pub fn from_schema(schema: &Schema) -> Self {
        let mut out = Self::default();
        for field in schema.fields() {
            out.add(field.name(), field.kind());
        }
        for (alias, field) in schema.aliases() {
            out.add_alias(alias, field.name());
        }
        out
    }

    /// Adds a field; of one that is there already, a further kind. A field takes its name from an alias: what is stored
    /// under a name is what the name means.
    pub fn add(&mut self, name: &str, kind: Kind) {
        match self.fields.get_mut(name) {
            Some(Entry::Field { kinds, .. }) if kinds.contains(&kind) => {}
            Some(Entry::Field { kinds, .. }) => kinds.push(kind),
            Some(Entry::Alias(_)) | None => {
                self.fields.insert(name.to_owned(), Entry::Field { kinds: vec![kind], geo: false });
            }
        }
    }

    /// Adds the fields of a block ([`Block::fields`](crate::block::Block::fields)).
    pub fn add_all(&mut self, fields: &[(String, Kind)]) {
        for (name, kind) in fields {
            self.add(name, *kind);
        }
    }

    /// Adds a field of points: texts `lat,lon` under its name, or numbers under `.lat` and `.lon`.
    pub fn add_geo_point(&mut self, name: &str) {
        self.fields.insert(name.to_owned(), Entry::Field { kinds: vec![Kind::Keyword], geo: true });
    }

    /// Another name for a field. A name that a field has already stays that field's.
    pub fn add_alias(&mut self, alias: &str, target: &str) {
        self.fields.entry(alias.to_owned()).or_insert_with(|| Entry::Alias(target.to_owned()));
    }

    /// The field of this name; also a key of a map (`http.request.headers.host`), `_id` and `_index`.
    pub fn get(&self, name: &str) -> Option<Field> {
        match self.fields.get(name) {
            Some(Entry::Field { kinds, geo }) => {
                let (kind, others) = kinds.split_first()?;
                return Some(Field {
                    column: name.to_owned(),
                    kind: *kind,
                    others: others.to_vec(),
                    geo: *geo,
                });
            }
            Some(Entry::Alias(target)) if target != name => {
                return match self.fields.get(target) {
                    Some(Entry::Alias(_)) => None,
                    _ => self.get(target),
                };
            }
            _ => {}
        }
        let plain = |column: &str, kind| {
            Some(Field { column: column.to_owned(), kind, others: Vec::new(), geo: false })
        };
        match name {
            "_id" | "_index" => return plain(name, Kind::Keyword),
            "_seq_no" => return plain("_seq", Kind::Long),
            _ => {}
        }
        let mut end = name.len();
        while let Some(dot) = name[..end].rfind('.') {
            end = dot;
            if let Some(Entry::Field { kinds, .. }) = self.fields.get(&name[..dot])
                && kinds.contains(&Kind::Map)
            {
                return plain(name, Kind::Keyword);
            }
        }
        None
    }

    /// Whether it names a key of a map, not a field.
    pub(crate) fn is_key(&self, name: &str) -> bool {
        !self.fields.contains_key(name) && self.get(name).is_some_and(|f| f.column == name)
    }

    /// The names of fields with values that a pattern with `*` names, sorted; not of objects.
    pub fn matching(&self, pattern: &str) -> Vec<&str> {
        self.fields
            .iter()
            .filter(|(name, entry)| {
                matches_simple(pattern, name)
                    && !matches!(entry, Entry::Field { kinds, .. } if kinds.as_slice() == [Kind::Objects])
            })
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// The names among these, without those of which another one means the same field. A field's own name stays, else
    /// its first alias.
    pub(crate) fn each_once<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        let own: BTreeSet<&str> = names.iter().copied().filter(|n| self.alias_of(n).is_none()).collect();
        let mut told = BTreeSet::new();
        names.retain(|name| match self.alias_of(name) {
            Some(column) => !own.contains(column) && told.insert(column),
            None => true,
        });
        names
    }

    /// The field that this alias means; `None` for every other name.
    pub(crate) fn alias_of(&self, name: &str) -> Option<&str> {
        match self.fields.get(name) {
            Some(Entry::Alias(target)) => Some(target),
            _ => None,
        }
    }

    /// The names of fields below an object, sorted.
    pub fn below(&self, object: &str) -> Vec<&str> {
        let from = format!("{object}.");
        self.fields
            .range(from.clone()..)
            .map(|(name, _)| name.as_str())
            .take_while(|name| name.starts_with(&from))
            .filter(|name| self.get(name).is_some_and(|f| f.kind != Kind::Objects))
            .collect()
    }

    /// The body of `_mapping` for one index: `{"mappings": {"properties": …}}`.
    pub fn to_json(&self) -> Value {
        let mut root = Map::new();
        for (name, entry) in &self.fields {
            let mut at = &mut root;
            let mut parts = name.split('.').peekable();
            while let Some(part) = parts.next() {
                if parts.peek().is_none() {
                    let mut leaf = definition(entry);
                    if let (Value::Object(new), Some(Value::Object(old))) = (&mut leaf, at.get(part)) {
                        // An object that was seen through its members first.
                        if let Some(properties) = old.get("properties") {
                            new.insert("properties".to_owned(), properties.clone());
                        }
                    }
                    at.insert(part.to_owned(), leaf);
                    break;
                }
                let object = at.entry(part).or_insert_with(|| json!({}));
                let Value::Object(object) = object else { break };
                let inner = object.entry("properties").or_insert_with(|| json!({}));
                let Value::Object(inner) = inner else { break };
                at = inner;
            }
        }
        json!({"mappings": {"properties": root}})
    }

    /// The body of `_field_caps` for indices that share this mapping. Patterns may hold `*`.
    pub fn field_caps(&self, indices: &[&str], patterns: &[String]) -> Value {
        let wanted = |name: &str| patterns.iter().any(|p| matches_simple(p, name));
        let mut fields = Map::new();
        let mut put = |name: &str, kind: &str, metadata: bool, searchable: bool, aggregatable: bool| {
            let caps = json!({
                "type": kind,
                "metadata_field": metadata,
                "searchable": searchable,
                "aggregatable": aggregatable,
            });
            fields.insert(name.to_owned(), json!({kind: caps}));
        };
        for (name, kind, aggregatable) in BUILT_IN {
            if wanted(name) {
                put(name, kind, true, true, *aggregatable);
            }
        }
        for name in self.fields.keys() {
            if wanted(name)
                && let Some(field) = self.get(name)
            {
                let object = field.kind == Kind::Objects;
                let kind = if field.geo { "geo_point" } else { field.kind.es_type() };
                put(name, kind, false, !object, !object && field.kind != Kind::Text);
            }
            // Objects on the way.
            let mut end = name.len();
            while let Some(dot) = name[..end].rfind('.') {
                end = dot;
                let object = &name[..dot];
                if !wanted(object) || self.fields.contains_key(object) {
                    continue;
                }
                put(object, "object", false, false, false);
            }
        }
        json!({"indices": indices, "fields": fields})
    }
}

fn definition(entry: &Entry) -> Value {
    match entry {
        Entry::Alias(target) => json!({"type": "alias", "path": target}),
        Entry::Field { geo: true, .. } => json!({"type": "geo_point"}),
        Entry::Field { kinds, .. } => match kinds.first() {
            Some(Kind::Keyword) => json!({"type": "keyword", "ignore_above": 1024}),
            Some(Kind::Objects) | None => json!({}),
            Some(kind) => json!({"type": kind.es_type()}),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_under_a_name_is_what_it_means() {
        let mut mapping = Mapping::new();
        mapping.add("client.ip", Kind::Ip);
        mapping.add_alias("client_ip", "client.ip");
        mapping.add_alias("client.ip", "elsewhere");
        assert_eq!(mapping.get("client_ip").map(|f| f.column), Some("client.ip".to_owned()));
        assert_eq!(mapping.alias_of("client.ip"), None, "a field keeps its name");
        mapping.add("client_ip", Kind::Keyword);
        assert_eq!(
            mapping.get("client_ip").map(|f| (f.column, f.kind)),
            Some(("client_ip".to_owned(), Kind::Keyword))
        );
        mapping.add_alias("lost", "nowhere");
        assert_eq!(mapping.get("lost"), None);
    }

    #[test]
    fn a_field_with_several_names_is_asked_once() {
        let mut mapping = Mapping::new();
        mapping.add("host.name", Kind::Keyword);
        mapping.add("type", Kind::Keyword);
        mapping.add_alias("beat.name", "host.name");
        mapping.add_alias("beat.hostname", "host.name");
        assert_eq!(mapping.each_once(mapping.matching("*")), ["host.name", "type"]);
        assert_eq!(mapping.each_once(mapping.matching("beat.*")), ["beat.hostname"]);
        assert_eq!(mapping.each_once(mapping.below("beat")), ["beat.hostname"]);
        assert_eq!(
            mapping.each_once(["type", "beat.name", "type", "no.such"]),
            ["beat.name", "no.such", "type"]
        );
    }
}
