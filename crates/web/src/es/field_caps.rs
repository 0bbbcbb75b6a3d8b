//! `_field_caps`: what can be done with fields, over several indices.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::mapping::OBJECT as OBJECT_TYPE;
use crate::Failure;
use crate::backend::{FieldInfo, IndexInfo, Snapshot};
use crate::call::{Call, names_of};
use crate::names::any_glob;
use crate::reply::Reply;

/// Fields that every document has without holding them.
const METADATA: &[(&str, Caps)] = &[
    ("_doc_count", Caps { kind: "integer", metadata: true, searchable: false, aggregatable: false }),
    ("_id", Caps { kind: "_id", metadata: true, searchable: true, aggregatable: false }),
    ("_index", Caps { kind: "_index", metadata: true, searchable: true, aggregatable: true }),
    ("_source", Caps { kind: "_source", metadata: true, searchable: false, aggregatable: false }),
];

/// `GET|POST /_field_caps`, `/{index}/_field_caps`.
pub(crate) fn field_caps(call: &Call<'_>) -> Result<Reply, Failure> {
    let body = call.object()?;
    if let Some(name) =
        body.keys().find(|n| !["fields", "index_filter", "runtime_mappings"].contains(&n.as_str()))
    {
        let reason = format!("[1:2] [field_caps_request] unknown field [{name}]");
        return Err(Failure::new(400, "x_content_parse_exception", reason));
    }
    if body.get("runtime_mappings").and_then(Value::as_object).is_some_and(|m| !m.is_empty()) {
        return Err(Failure::unsupported("[runtime_mappings]"));
    }
    let wanted = Wanted {
        patterns: patterns(call, &body)?,
        filters: call.params.list("filters").unwrap_or_default(),
        types: call.params.list("types").unwrap_or_default(),
        unmapped: call.params.flag("include_unmapped")?,
        empty: call.params.boolean("include_empty_fields")?.unwrap_or(true),
    };
    wanted.check()?;
    let snapshot = call.snapshot();
    let indices = call.indices(&*snapshot)?;
    let indices = match body.get("index_filter") {
        Some(filter) => matching(call, &*snapshot, indices, filter)?,
        None => indices,
    };
    let of_indices: Vec<_> =
        indices.iter().map(|index| (index.name.as_str(), snapshot.fields(&index.name))).collect();
    Ok(json!({"indices": names_of(&indices), "fields": wanted.of(&of_indices)}).into())
}

/// The fields asked for, in the address or in the body.
fn patterns<'a>(call: &'a Call<'_>, body: &'a Map<String, Value>) -> Result<Vec<&'a str>, Failure> {
    let in_body: Vec<&str> = match body.get("fields") {
        None => Vec::new(),
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err(Failure::illegal("[fields] must be a text or a list of texts")),
    };
    match (call.params.list("fields").filter(|list| !list.is_empty()), in_body.is_empty()) {
        (Some(_), false) => Err(Failure::illegal(
            "can't specify a request body and [fields] request parameter, either specify a request body or the \
             [fields] request parameter",
        )),
        (Some(list), true) => Ok(list),
        (None, false) => Ok(in_body),
        (None, true) => Err(Failure::invalid(&["no fields specified"])),
    }
}

/// The indices in which something may match.
fn matching<'a>(
    call: &Call<'_>,
    snapshot: &dyn Snapshot,
    indices: Vec<&'a IndexInfo>,
    filter: &Value,
) -> Result<Vec<&'a IndexInfo>, Failure> {
    let body = json!({"query": filter});
    let options = call.search_options()?;
    let mut kept = Vec::new();
    for index in indices {
        if snapshot.count(&[&index.name], &body, &options)? > 0 {
            kept.push(index);
        }
    }
    Ok(kept)
}

struct Wanted<'a> {
    patterns: Vec<&'a str>,
    filters: Vec<&'a str>,
    types: Vec<&'a str>,
    unmapped: bool,
    /// Fields without values too.
    empty: bool,
}

/// What can be done with a field.
#[derive(Clone, Copy)]
struct Caps {
    kind: &'static str,
    metadata: bool,
    searchable: bool,
    aggregatable: bool,
}

const OBJECT: Caps = Caps { kind: OBJECT_TYPE, metadata: false, searchable: false, aggregatable: false };
const UNMAPPED: Caps = Caps { kind: "unmapped", ..OBJECT };

impl Caps {
    fn of(kind: &'static str) -> Self {
        Self { kind, metadata: false, searchable: true, aggregatable: kind != "text" }
    }
}

/// The types of each field, and the indices of each type.
#[derive(Default)]
struct Found<'a>(BTreeMap<String, BTreeMap<&'static str, (Caps, Vec<&'a str>)>>);

impl<'a> Found<'a> {
    fn add(&mut self, name: &str, caps: Caps, index: &'a str) {
        let (_, indices) =
            self.0.entry(name.to_owned()).or_default().entry(caps.kind).or_insert_with(|| (caps, Vec::new()));
        if indices.last() != Some(&index) {
            indices.push(index);
        }
    }
}

impl Wanted<'_> {
    fn check(&self) -> Result<(), Failure> {
        const KNOWN: [&str; 5] = ["+metadata", "-metadata", "-parent", "-nested", "-multifield"];
        match self.filters.iter().find(|f| !KNOWN.contains(f)) {
            Some(other) => Err(Failure::illegal(format!("Unknown field caps filter [{other}]"))),
            None => Ok(()),
        }
    }

    fn takes(&self, name: &str, caps: Caps) -> bool {
        let filtered = if caps.metadata { "-metadata" } else { "+metadata" };
        !self.filters.contains(&filtered)
            && (self.types.is_empty() || self.types.contains(&caps.kind))
            && any_glob(self.patterns.iter().copied(), name)
    }

    /// The fields of all indices. Objects are told with the fields in them, not by their own name.
    fn of(&self, indices: &[(&str, Vec<FieldInfo>)]) -> Value {
        let mut found = Found::default();
        for (index, fields) in indices {
            for (name, caps) in METADATA.iter().filter(|(name, caps)| self.takes(name, *caps)) {
                found.add(name, *caps, index);
            }
            let told = |field: &&FieldInfo| field.kind != OBJECT_TYPE && (field.filled || self.empty);
            for field in fields.iter().filter(told) {
                let caps = Caps::of(field.kind);
                if !self.takes(&field.name, caps) {
                    continue;
                }
                found.add(&field.name, caps, index);
                if !self.filters.contains(&"-parent") {
                    // Those of the field that an alias means, not of its own name: so does Elasticsearch.
                    let own = field.alias_of.as_ref().unwrap_or(&field.name);
                    for (dot, _) in own.match_indices('.') {
                        found.add(&own[..dot], OBJECT, index);
                    }
                }
            }
        }
        let fields = found.0.into_iter().map(|(name, kinds)| (name, self.one(kinds, indices)));
        Value::Object(fields.collect())
    }

    /// The types of one field; where there are several, each says in which indices.
    fn one<'i>(
        &self,
        mut kinds: BTreeMap<&'static str, (Caps, Vec<&'i str>)>,
        indices: &[(&'i str, Vec<FieldInfo>)],
    ) -> Value {
        if self.unmapped {
            let names = indices.iter().map(|(name, _)| *name);
            let missing: Vec<&str> =
                names.filter(|name| !kinds.values().any(|(_, known)| known.contains(name))).collect();
            if !missing.is_empty() {
                kinds.insert("unmapped", (UNMAPPED, missing));
            }
        }
        let several = kinds.len() > 1;
        let mut types = Map::new();
        for (kind, (caps, indices)) in kinds {
            let mut one = json!({
                "type": kind,
                "metadata_field": caps.metadata,
                "searchable": caps.searchable,
                "aggregatable": caps.aggregatable,
            });
            if several {
                one["indices"] = json!(indices);
            }
            types.insert(kind.to_owned(), one);
        }
        Value::Object(types)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(fields: &[&str], types: &[&str], filters: &[&str], unmapped: bool) -> Value {
        let field = FieldInfo::new;
        let empty = FieldInfo { filled: false, ..field("zeek.uid", "keyword") };
        let alias = FieldInfo { alias_of: Some("server.ip".to_owned()), ..field("old.ip", "ip") };
        let indices = [
            ("a", vec![field("client.ip", "ip"), field("dns.answers", OBJECT_TYPE), field("n", "long")]),
            (
                "b",
                vec![field("n", "keyword"), field("request", "text"), field("type", "keyword"), alias, empty],
            ),
        ];
        let wanted = Wanted {
            patterns: fields.to_vec(),
            filters: filters.to_vec(),
            types: types.to_vec(),
            unmapped,
            empty: false,
        };
        wanted.check().unwrap();
        wanted.of(&indices)
    }

    /// The forms are those of Elasticsearch 8.19.5.
    #[test]
    fn of_several_indices() {
        let one = |kind: &str, searchable: bool, aggregatable: bool| json!({"type": kind, "metadata_field": false, "searchable": searchable, "aggregatable": aggregatable});
        assert_eq!(
            caps(&["client.ip", "request"], &[], &[], false),
            json!({
                "client": {"object": one("object", false, false)},
                "client.ip": {"ip": one("ip", true, true)},
                "request": {"text": one("text", true, false)},
            })
        );
        assert_eq!(caps(&["client", "dns.answers", "none"], &[], &[], false), json!({}));
        assert_eq!(
            caps(&["client.*", "type"], &["ip"], &["-parent"], false),
            json!({"client.ip": {"ip": one("ip", true, true)}})
        );
        assert_eq!(
            caps(&["old*"], &[], &[], false),
            json!({"old.ip": {"ip": one("ip", true, true)}, "server": {"object": one("object", false, false)}})
        );
        let n = caps(&["n"], &[], &[], false);
        assert_eq!(n["n"]["long"]["indices"], json!(["a"]));
        assert_eq!(n["n"]["keyword"]["indices"], json!(["b"]));
        let kind = caps(&["type"], &[], &[], true);
        assert_eq!(kind["type"]["unmapped"]["indices"], json!(["a"]));
        assert_eq!(kind["type"]["keyword"]["indices"], json!(["b"]));
        assert_eq!(caps(&["_id"], &[], &[], false)["_id"]["_id"]["metadata_field"], true);
        assert_eq!(caps(&["*"], &[], &["+metadata"], false).as_object().unwrap().len(), 4);
        assert_eq!(caps(&["_*"], &[], &["-metadata"], false), json!({}));
    }
}
