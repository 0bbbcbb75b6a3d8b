//! `_mapping`: which fields there are, and of what kind.

use serde_json::{Map, Value, json};

use crate::Failure;
use crate::backend::{FieldInfo, Snapshot};
use crate::call::Call;
use crate::names::any_glob;
use crate::reply::Reply;

/// The type of what has members.
pub(super) const OBJECT: &str = "object";

/// `GET /_mapping`, `/{index}/_mapping`.
pub(crate) fn mapping(call: &Call<'_>) -> Result<Reply, Failure> {
    let snapshot = call.snapshot();
    let mut all = Map::new();
    for index in call.indices(&*snapshot)? {
        all.insert(index.name.clone(), json!({"mappings": of_index(&*snapshot, &index.name)}));
    }
    Ok(Value::Object(all).into())
}

/// `GET /_mapping/field/{fields}`, `/{index}/_mapping/field/{fields}`.
pub(crate) fn fields(call: &Call<'_>) -> Result<Reply, Failure> {
    call.params.flag("include_defaults")?;
    let patterns = call.params.list("fields").unwrap_or_default();
    let snapshot = call.snapshot();
    let mut all = Map::new();
    for index in call.indices(&*snapshot)? {
        let mut found = Map::new();
        for field in snapshot.fields(&index.name) {
            if field.kind == OBJECT || !any_glob(patterns.iter().copied(), &field.name) {
                continue;
            }
            let leaf = field.name.rsplit('.').next().unwrap_or(&field.name);
            let mapping = json!({"full_name": field.name, "mapping": {leaf: leaf_of(&field)}});
            found.insert(field.name.clone(), mapping);
        }
        all.insert(index.name.clone(), json!({"mappings": found}));
    }
    Ok(Value::Object(all).into())
}

/// The `mappings` of an index.
pub(crate) fn of_index(snapshot: &dyn Snapshot, index: &str) -> Value {
    Value::Object(tree(&snapshot.fields(index)))
}

/// Dotted names as objects in objects.
fn tree(fields: &[FieldInfo]) -> Map<String, Value> {
    let mut root = Map::new();
    for field in fields {
        let mut at = &mut root;
        let mut parts = field.name.split('.').peekable();
        while let Some(part) = parts.next() {
            let properties = at.entry("properties").or_insert_with(|| json!({})).as_object_mut();
            let Some(properties) = properties else { break };
            let is_leaf = parts.peek().is_none() && field.kind != OBJECT;
            let slot = properties.entry(part.to_owned());
            let next = slot.or_insert_with(|| if is_leaf { leaf_of(field) } else { json!({}) });
            let Some(next) = next.as_object_mut() else { break };
            at = next;
        }
    }
    say_objects(&mut root);
    root
}

/// Objects without members say that they are objects.
fn say_objects(at: &mut Map<String, Value>) {
    let Some(properties) = at.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (_, one) in properties.iter_mut() {
        let Some(one) = one.as_object_mut() else { continue };
        if one.is_empty() {
            one.insert("type".to_owned(), json!("object"));
        }
        say_objects(one);
    }
}

fn leaf_of(field: &FieldInfo) -> Value {
    match &field.alias_of {
        Some(path) => json!({"type": "alias", "path": path}),
        None => json!({"type": field.kind}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_in_objects() {
        let field = FieldInfo::new;
        let fields = [
            field("@timestamp", "date"),
            field("dns.answers", OBJECT),
            field("dns.answers.ttl", "long"),
            field("dns.additionals", OBJECT),
            field("dns.id", "long"),
            FieldInfo { alias_of: Some("http.code".to_owned()), ..field("code", "long") },
            field("http.request.headers", "flattened"),
        ];
        assert_eq!(
            Value::Object(tree(&fields)),
            json!({"properties": {
                "@timestamp": {"type": "date"},
                "code": {"type": "alias", "path": "http.code"},
                "dns": {"properties": {
                    "additionals": {"type": "object"},
                    "answers": {"properties": {"ttl": {"type": "long"}}},
                    "id": {"type": "long"}}},
                "http": {"properties": {"request": {"properties": {"headers": {"type": "flattened"}}}}},
            }})
        );
        assert_eq!(Value::Object(tree(&[])), json!({}));
    }
}
