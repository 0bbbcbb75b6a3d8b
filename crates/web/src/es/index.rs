//! What is told of indices, and their end: `GET|HEAD|DELETE /{index}`, `_alias`, `_settings`, `_resolve/index`.

use serde_json::{Map, Value, json};

use super::mapping;
use crate::Failure;
use crate::backend::IndexInfo;
use crate::call::Call;
use crate::identity::COMPATIBLE_ID;
use crate::names::{self, Expansion, any_glob};
use crate::reply::Reply;

/// `GET /{index}`.
pub(crate) fn get(call: &Call<'_>) -> Result<Reply, Failure> {
    for name in ["local", "flat_settings", "include_defaults"] {
        call.params.flag(name)?;
    }
    let features = call.params.list("features");
    if let Some(other) = features.iter().flatten().find(|f| !["aliases", "mappings", "settings"].contains(f))
    {
        return Err(Failure::illegal(format!("Invalid features specified [{other}]")));
    }
    let has = |name: &str| features.as_ref().is_none_or(|list| list.contains(&name));
    let snapshot = call.snapshot();
    let mut all = Map::new();
    for index in call.indices(&*snapshot)? {
        let mut one = Map::new();
        if has("aliases") {
            one.insert("aliases".to_owned(), json!({}));
        }
        if has("mappings") {
            one.insert("mappings".to_owned(), mapping::of_index(&*snapshot, &index.name));
        }
        if has("settings") {
            one.insert("settings".to_owned(), settings_of(call, index, &[])?);
        }
        all.insert(index.name.clone(), Value::Object(one));
    }
    Ok(Value::Object(all).into())
}

/// `HEAD /{index}`: whether it is there.
pub(crate) fn head(call: &Call<'_>) -> Result<Reply, Failure> {
    call.indices(&*call.snapshot())?;
    Ok(Reply::empty(200))
}

/// `DELETE /{index}`: by whole names only.
pub(crate) fn delete(call: &Call<'_>) -> Result<Reply, Failure> {
    for name in ["timeout", "master_timeout"] {
        call.params.time(name)?;
    }
    let expression = call.params.get("index").unwrap_or_default();
    if expression.split(',').any(|part| part == "_all" || part.contains('*')) {
        return Err(Failure::illegal("Wildcard expressions or all indices are not allowed"));
    }
    let snapshot = call.snapshot();
    let how = call.expansion(Expansion::STRICT)?;
    for index in names::resolve(Some(expression), snapshot.indices(), how)? {
        call.api.backend.delete_index(&index.name)?;
    }
    Ok(json!({"acknowledged": true}).into())
}

/// `GET /_settings`, `/{index}/_settings`, `/{index}/_settings/{name}`.
pub(crate) fn settings(call: &Call<'_>) -> Result<Reply, Failure> {
    for name in ["local", "include_defaults"] {
        call.params.flag(name)?;
    }
    let wanted = call.params.list("name").unwrap_or_default();
    let snapshot = call.snapshot();
    let mut all = Map::new();
    for index in call.indices(&*snapshot)? {
        all.insert(index.name.clone(), json!({"settings": settings_of(call, index, &wanted)?}));
    }
    Ok(Value::Object(all).into())
}

/// The settings that are true of an index here, nested or flat.
fn settings_of(call: &Call<'_>, index: &IndexInfo, wanted: &[&str]) -> Result<Value, Failure> {
    let flat = call.params.flag("flat_settings")?;
    let mut all = Map::new();
    for (name, value) in [
        ("index.creation_date", index.created_ms.to_string()),
        ("index.number_of_replicas", "0".to_owned()),
        ("index.number_of_shards", "1".to_owned()),
        ("index.provided_name", index.name.clone()),
        ("index.uuid", index.uuid.clone()),
        ("index.version.created", COMPATIBLE_ID.to_owned()),
    ] {
        if !wanted.is_empty() && !any_glob(wanted.iter().copied(), name) {
            continue;
        }
        if flat {
            all.insert(name.to_owned(), json!(value));
            continue;
        }
        let mut at = &mut all;
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                at.insert(part.to_owned(), json!(value));
                break;
            }
            let next = at.entry(part.to_owned()).or_insert_with(|| json!({})).as_object_mut();
            let Some(next) = next else { break };
            at = next;
        }
    }
    Ok(Value::Object(all))
}

/// `GET|HEAD /_alias`, `/{index}/_alias`, `/_alias/{name}`, `/{index}/_alias/{name}`: there are none.
pub(crate) fn alias(call: &Call<'_>) -> Result<Reply, Failure> {
    call.params.flag("local")?;
    call.params.time("master_timeout")?;
    let snapshot = call.snapshot();
    let indices = call.indices(&*snapshot)?;
    let names = call.params.list("name").unwrap_or_default();
    let missing: Vec<&str> = names.iter().copied().filter(|n| *n != "_all" && !n.contains('*')).collect();
    if !missing.is_empty() {
        let text = match missing.as_slice() {
            [one] => format!("alias [{one}] missing"),
            several => format!("aliases [{}] missing", several.join(",")),
        };
        return Ok(Reply::json(404, json!({"error": text, "status": 404})));
    }
    let mut all = Map::new();
    if names.is_empty() {
        all.extend(indices.iter().map(|index| (index.name.clone(), json!({"aliases": {}}))));
    }
    Ok(Value::Object(all).into())
}

/// `GET /_resolve/index/{index}`.
pub(crate) fn resolve(call: &Call<'_>) -> Result<Reply, Failure> {
    let snapshot = call.snapshot();
    let found: Vec<Value> = call
        .indices(&*snapshot)?
        .iter()
        .map(|index| json!({"name": index.name, "attributes": ["open"]}))
        .collect();
    Ok(json!({"indices": found, "aliases": [], "data_streams": []}).into())
}
