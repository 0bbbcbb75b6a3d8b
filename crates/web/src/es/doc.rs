//! Documents by their ids: `GET|HEAD /{index}/_doc/{id}`, `_source/{id}`, `_mget`.

use serde_json::{Map, Value, json};

use super::url;
use crate::Failure;
use crate::backend::Snapshot;
use crate::call::Call;
use crate::json;
use crate::names::{self, Expansion};
use crate::reply::Reply;

/// `GET|HEAD /{index}/_doc/{id}`.
pub(crate) fn get(call: &Call<'_>) -> Result<Reply, Failure> {
    let (index, id, hit) = asked(call)?;
    let status = if hit.is_some() { 200 } else { 404 };
    Ok(Reply::json(status, Value::Object(told(&index, id, hit))))
}

/// A hit, if there is one.
type Hit = Option<Map<String, Value>>;

/// The document of the address: its index, its id, and itself.
fn asked<'a>(call: &'a Call<'_>) -> Result<(String, &'a str, Hit), Failure> {
    let snapshot = call.snapshot();
    let index = one_index(&*snapshot, call.params.get("index").unwrap_or_default())?;
    let id = call.params.get("id").unwrap_or_default();
    let hit = find(call, &*snapshot, &index, id, url::source(&call.params))?;
    Ok((index, id, hit))
}

/// A document as `_doc` tells it.
fn told(index: &str, id: &str, hit: Hit) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("_index".to_owned(), json!(index));
    answer.insert("_id".to_owned(), json!(id));
    let Some(mut hit) = hit else {
        answer.insert("found".to_owned(), json!(false));
        return answer;
    };
    for (name, value) in [
        ("_version", hit.remove("_version")),
        ("_seq_no", hit.remove("_seq_no")),
        ("_primary_term", hit.remove("_primary_term")),
        ("found", Some(json!(true))),
        ("_source", hit.remove("_source")),
        ("fields", hit.remove("fields")),
    ] {
        if let Some(value) = value {
            answer.insert(name.to_owned(), value);
        }
    }
    answer
}

/// `GET|HEAD /{index}/_source/{id}`: nothing but the document.
pub(crate) fn source(call: &Call<'_>) -> Result<Reply, Failure> {
    let (index, id, hit) = asked(call)?;
    let source = hit.and_then(|mut hit| hit.remove("_source"));
    let missing = || {
        let reason = format!("Document not found [{index}]/[{id}]");
        Failure::new(404, "resource_not_found_exception", reason)
    };
    source.map(Reply::from).ok_or_else(missing)
}

/// Documents of one `_mget`, at most.
const MAX_GETS: usize = 1_000;

/// `GET|POST /_mget`, `/{index}/_mget`: several documents by their ids.
pub(crate) fn mget(call: &Call<'_>) -> Result<Reply, Failure> {
    let body = call.object()?;
    let mut wanted: Vec<(Option<String>, String, Option<Value>)> = Vec::new();
    for (name, value) in &body {
        let items = value.as_array().ok_or_else(|| Failure::illegal(format!("[{name}] must be a list")))?;
        for item in items {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let one = match (name.as_str(), item) {
                ("ids", Value::String(id)) => (None, id.clone(), None),
                ("docs", Value::Object(doc)) => {
                    if let Some(other) =
                        doc.keys().find(|k| !["_index", "_id", "_source", "routing"].contains(&k.as_str()))
                    {
                        return Err(Failure::unsupported(&format!("[{other}] of a document of _mget")));
                    }
                    let id = doc
                        .get("_id")
                        .and_then(text)
                        .ok_or_else(|| Failure::invalid(&["id is missing for doc 0"]))?;
                    (doc.get("_index").and_then(text), id, doc.get("_source").cloned())
                }
                _ => {
                    return Err(Failure::illegal(format!(
                        "unknown key [{name}] for a {}",
                        json::token(item)
                    )));
                }
            };
            wanted.push(one);
        }
    }
    if wanted.is_empty() {
        return Err(Failure::invalid(&["no documents to get"]));
    }
    if wanted.len() > MAX_GETS {
        return Err(Failure::illegal(format!("more than [{MAX_GETS}] documents in one request")));
    }
    let snapshot = call.snapshot();
    let mut docs = Vec::with_capacity(wanted.len());
    for (index, id, source) in wanted {
        let expression = index.as_deref().or_else(|| call.params.get("index"));
        let expression = expression.ok_or_else(|| Failure::invalid(&["index is missing for doc 0"]))?;
        let doc = one_index(&*snapshot, expression).and_then(|index| {
            let source = source.or_else(|| url::source(&call.params));
            let hit = find(call, &*snapshot, &index, &id, source)?;
            Ok(told(&index, &id, hit))
        });
        docs.push(match doc {
            Ok(doc) => Value::Object(doc),
            Err(failure) if failure.status == 404 => {
                json!({"_index": expression, "_id": id, "error": failure.body["error"]})
            }
            Err(failure) => return Err(failure),
        });
    }
    Ok(json!({"docs": docs}).into())
}

/// The one index asked for.
fn one_index(snapshot: &dyn Snapshot, expression: &str) -> Result<String, Failure> {
    if expression.contains('*') {
        return Err(Failure::no_index(expression));
    }
    let found = names::resolve(Some(expression), snapshot.indices(), Expansion::STRICT)?;
    match found.as_slice() {
        [one] => Ok(one.name.clone()),
        _ => Err(Failure::no_index(expression)),
    }
}

/// The hit of a document.
fn find(
    call: &Call<'_>,
    snapshot: &dyn Snapshot,
    index: &str,
    id: &str,
    source: Option<Value>,
) -> Result<Hit, Failure> {
    for name in ["realtime", "refresh", "force_synthetic_source"] {
        call.params.flag(name)?;
    }
    let mut body = Map::new();
    body.insert("query".to_owned(), json!({"ids": {"values": [id]}}));
    body.insert("size".to_owned(), json!(1));
    body.insert("version".to_owned(), json!(true));
    body.insert("seq_no_primary_term".to_owned(), json!(true));
    if let Some(source) = source {
        body.insert("_source".to_owned(), source);
    }
    if let Some(list) = call.params.list("stored_fields") {
        body.insert("stored_fields".to_owned(), json!(list));
    }
    let mut answer = snapshot.search(&[index], &Value::Object(body), &call.search_options()?)?;
    let hits = answer.pointer_mut("/hits/hits").and_then(Value::as_array_mut);
    let hit = hits.filter(|hits| !hits.is_empty()).map(|hits| hits.swap_remove(0));
    Ok(match hit {
        Some(Value::Object(hit)) => Some(hit),
        _ => None,
    })
}
