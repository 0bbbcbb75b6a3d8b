//! `_pit`: searches over what there was at one moment.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::scroll::{add_tie_breaker, keep_alive};
use super::search::over;
use crate::Failure;
use crate::backend::SearchOptions;
use crate::call::{Call, shards};
use crate::contexts::{self, Context};
use crate::reply::Reply;

/// `POST /{index}/_pit?keep_alive=1m`.
pub(crate) fn open(call: &Call<'_>) -> Result<Reply, Failure> {
    let (id, shards) = opened(call)?;
    Ok(json!({"id": id, "_shards": shards}).into())
}

/// A new point in time, and over what.
fn opened(call: &Call<'_>) -> Result<(String, Value), Failure> {
    let text = call.params.text("keep_alive");
    let text = text.ok_or_else(|| Failure::invalid(&["[keep_alive] is not specified"]))?;
    let keep_alive = keep_alive(text)?;
    if call.object()?.contains_key("index_filter") {
        return Err(Failure::unsupported("[index_filter] of a point in time"));
    }
    let snapshot = call.snapshot();
    let indices: Vec<String> = call.indices(&*snapshot)?.iter().map(|index| index.name.clone()).collect();
    let answer = shards(indices.len());
    let id = call.api.contexts.open(Context { snapshot, indices, scroll: None }, keep_alive)?;
    Ok((id, answer))
}

/// `DELETE /_pit`.
pub(crate) fn close(call: &Call<'_>) -> Result<Reply, Failure> {
    if call.body.is_empty() {
        return Err(Failure::no_body());
    }
    let body = call.object()?;
    let id = body.get("id").and_then(Value::as_str);
    let id = id.ok_or_else(|| Failure::illegal("search context id is is not provided"))?;
    contexts::check_id(id)?;
    let freed = call.api.contexts.close(id);
    let status = if freed { 200 } else { 404 };
    Ok(Reply::json(status, json!({"succeeded": freed, "num_freed": u8::from(freed)})))
}

/// `POST /{index}/_search/point_in_time?keep_alive=1m`, as OpenSearch has it.
pub(crate) fn open_of_opensearch(call: &Call<'_>) -> Result<Reply, Failure> {
    let (id, shards) = opened(call)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let created = u64::try_from(now).unwrap_or(u64::MAX);
    Ok(json!({"pit_id": id, "_shards": shards, "creation_time": created}).into())
}

/// `DELETE /_search/point_in_time`, as OpenSearch has it.
pub(crate) fn close_of_opensearch(call: &Call<'_>) -> Result<Reply, Failure> {
    let body = call.object()?;
    let ids: Vec<&str> = match body.get("pit_id") {
        Some(Value::String(id)) => vec![id],
        Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).collect(),
        _ => return Err(Failure::invalid(&["no pit ids specified"])),
    };
    ids.iter().try_for_each(|id| contexts::check_id(id))?;
    let one = |id: &&str| json!({"successful": call.api.contexts.close(id), "pit_id": id});
    Ok(json!({"pits": ids.iter().map(one).collect::<Vec<_>>()}).into())
}

/// A search whose body names a point in time instead of indices.
///
/// # Errors
/// 404 when it is not open any more.
pub(super) fn search(
    call: &Call<'_>,
    pit: &Value,
    mut body: Map<String, Value>,
    options: &SearchOptions,
) -> Result<Value, Failure> {
    let id = pit.get("id").and_then(Value::as_str);
    let id = id.ok_or_else(|| Failure::illegal("Required [id]"))?;
    contexts::check_id(id)
        .map_err(|_| Failure::new(400, "x_content_parse_exception", "[pit] failed to parse field [id]"))?;
    let given = |names: &[&str]| names.iter().any(|name| call.params.text(name).is_some());
    let mut problems = Vec::new();
    if given(&["index"]) {
        problems.push(
            "[indices] cannot be used with point in time. Do not specify any index with point in time.",
        );
    }
    if given(&["ignore_unavailable", "allow_no_indices", "expand_wildcards", "ignore_throttled"]) {
        problems.push("[indicesOptions] cannot be used with point in time");
    }
    if given(&["routing"]) {
        problems.push("[routing] cannot be used with point in time");
    }
    if given(&["preference"]) {
        problems.push("[preference] cannot be used with point in time");
    }
    if !problems.is_empty() {
        return Err(Failure::invalid(&problems));
    }
    let kept = match pit.get("keep_alive").and_then(Value::as_str) {
        Some(text) => Some(keep_alive(text)?),
        None => None,
    };
    let context = call.api.contexts.get(id, kept)?;
    if context.scroll.is_some() {
        return Err(Failure::illegal("this is the id of a scroll"));
    }
    place_every_hit(&mut body);
    let names: Vec<&str> = context.indices.iter().map(String::as_str).collect();
    let answer = over(&*context.snapshot, &names, body, options)?;
    let mut whole = Map::new();
    whole.insert("pit_id".to_owned(), json!(id));
    if let Value::Object(mut members) = answer {
        whole.append(&mut members);
    }
    Ok(Value::Object(whole))
}

/// With a sort, every hit gets a place of its own, so that `search_after` leaves none out; unless the client says the
/// place after which to go on without it.
fn place_every_hit(body: &mut Map<String, Value>) {
    let length = |name: &str| match body.get(name) {
        Some(Value::Array(items)) => items.len(),
        Some(_) => 1,
        None => 0,
    };
    let (sorts, after) = (length("sort"), length("search_after"));
    let placed = body.get("sort").is_some_and(|sort| sort.to_string().contains("\"_shard_doc\""));
    if sorts > 0 && !placed && (after == 0 || after == sorts + 1) {
        add_tie_breaker(body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        for (sort, after, placed) in [
            (json!("a"), Value::Null, true),
            (json!([{"a": "desc"}]), json!([1, 7]), true),
            (json!([{"a": "desc"}]), json!([1]), false),
            (json!(["a", "_shard_doc"]), Value::Null, false),
        ] {
            let mut body = Map::new();
            body.insert("sort".to_owned(), sort.clone());
            if !after.is_null() {
                body.insert("search_after".to_owned(), after);
            }
            place_every_hit(&mut body);
            assert_eq!(body["sort"] != sort, placed, "{sort}");
        }
    }
}
