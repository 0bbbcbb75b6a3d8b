//! `_search/scroll`: a search told page by page, over what there was when it began.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::search::{over, plain_totals};
use crate::Failure;
use crate::backend::{SearchOptions, Snapshot};
use crate::call::Call;
use crate::contexts::{self, Context, Scroll};
use crate::json;
use crate::params::time_value;
use crate::reply::Reply;

/// Hits on a page, at most.
const MAX_PAGE: u64 = 10_000;

/// The first page: `_search?scroll=1m`.
///
/// # Errors
/// When a scroll cannot do what the body asks for, or the search fails.
pub(crate) fn open(call: &Call<'_>, mut body: Map<String, Value>, as_int: bool) -> Result<Reply, Failure> {
    let text = call.params.get("scroll").unwrap_or_default();
    let keep_alive = contexts::keep_alive(time_value(text, "scroll")?, text)?;
    check(&body)?;
    let hide_sort = add_tie_breaker(&mut body);
    body.insert("track_total_hits".to_owned(), json!(true));
    let snapshot = call.snapshot();
    let indices: Vec<String> = call.indices(&*snapshot)?.iter().map(|index| index.name.clone()).collect();
    let options = call.search_options()?;
    let mut scroll = Scroll {
        body,
        after: None,
        total: None,
        max_score: Value::Null,
        hide_sort,
        typed_keys: options.typed_keys,
    };
    let mut answer = page(&*snapshot, &indices, &mut scroll, &options)?;
    scroll.total = answer.pointer("/hits/total").cloned();
    scroll.max_score = answer.pointer("/hits/max_score").cloned().unwrap_or_default();
    // Told once.
    for name in ["aggs", "aggregations", "suggest"] {
        scroll.body.remove(name);
    }
    scroll.body.insert("track_total_hits".to_owned(), json!(false));
    let id = call.api.contexts.open(Context { snapshot, indices, scroll: Some(scroll) }, keep_alive)?;
    if as_int {
        plain_totals(&mut answer);
    }
    Ok(with_id(id, answer))
}

/// `GET|POST /_search/scroll`, `/_search/scroll/{scroll_id}`: the next page.
///
/// # Errors
/// 404 when the scroll is not open any more.
pub(crate) fn next(call: &Call<'_>) -> Result<Reply, Failure> {
    let body = call.object()?;
    check_names(&body, &["scroll_id", "scroll"])?;
    let text = |name: &str| {
        body.get(name).and_then(Value::as_str).or_else(|| call.params.text(name)).map(str::to_owned)
    };
    let id = text("scroll_id").ok_or_else(|| Failure::invalid(&["scrollId is missing"]))?;
    contexts::check_id(&id)?;
    let keep_alive = match text("scroll") {
        Some(text) => Some(contexts::keep_alive(time_value(&text, "scroll")?, &text)?),
        None => None,
    };
    let as_int = call.params.flag("rest_total_hits_as_int")?;
    let context = call.api.contexts.get(&id, keep_alive)?;
    let Some(mut scroll) = context.scroll.clone() else { return Err(contexts::unreadable()) };
    let options = SearchOptions { typed_keys: scroll.typed_keys, ..call.search_options()? };
    let mut answer = if scroll.after.is_some() {
        page(&*context.snapshot, &context.indices, &mut scroll, &options)?
    } else {
        json!({"took": call.took(), "timed_out": false, "_shards": crate::call::shards(context.indices.len()),
            "hits": {"hits": []}})
    };
    if let Some(hits) = answer.get_mut("hits").and_then(Value::as_object_mut) {
        let list = hits.remove("hits").unwrap_or_default();
        hits.insert("total".to_owned(), scroll.total.clone().unwrap_or_default());
        hits.insert("max_score".to_owned(), scroll.max_score.clone());
        hits.insert("hits".to_owned(), list);
    }
    let context = Context {
        snapshot: Arc::clone(&context.snapshot),
        indices: context.indices.clone(),
        scroll: Some(scroll),
    };
    call.api.contexts.replace(&id, context);
    if as_int {
        plain_totals(&mut answer);
    }
    Ok(with_id(id, answer))
}

/// `DELETE /_search/scroll`, `/_search/scroll/{scroll_id}`.
///
/// # Errors
/// When no id is given.
pub(crate) fn close(call: &Call<'_>) -> Result<Reply, Failure> {
    let body = call.object()?;
    check_names(&body, &["scroll_id"])?;
    let ids: Vec<String> = match body.get("scroll_id") {
        Some(Value::String(id)) => vec![id.clone()],
        Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(_) => return Err(Failure::illegal("scroll_id element should only contain scroll_id")),
        None => call.params.list("scroll_id").unwrap_or_default().into_iter().map(str::to_owned).collect(),
    };
    if ids.is_empty() {
        return Err(Failure::invalid(&["no scroll ids specified"]));
    }
    let freed = if ids == ["_all"] {
        call.api.contexts.close_scrolls()
    } else {
        ids.iter().try_for_each(|id| contexts::check_id(id))?;
        ids.iter().filter(|id| call.api.contexts.close(id)).count()
    };
    let status = if freed == 0 { 404 } else { 200 };
    Ok(Reply::json(status, json!({"succeeded": true, "num_freed": freed})))
}

/// What of a body a scroll cannot do.
fn check(body: &Map<String, Value>) -> Result<(), Failure> {
    let number = |name: &str| body.get(name).and_then(Value::as_u64);
    let mut problems = Vec::new();
    if body.get("track_total_hits").is_some_and(|t| *t == json!(false)) {
        problems.push("disabling [track_total_hits] is not allowed in a scroll context");
    }
    if number("from").is_some_and(|n| n > 0) {
        problems.push("using [from] is not allowed in a scroll context");
    }
    if number("size") == Some(0) {
        problems.push("[size] cannot be [0] in a scroll context");
    }
    if body.contains_key("search_after") {
        problems.push("[search_after] cannot be used in a scroll context");
    }
    if body.contains_key("rescore") {
        problems.push("using [rescore] is not allowed in a scroll context");
    }
    if body.contains_key("collapse") {
        problems.push("cannot use `collapse` in a scroll context");
    }
    if body.contains_key("pit") {
        problems.push("using [point in time] is not allowed in a scroll context");
    }
    if !problems.is_empty() {
        return Err(Failure::invalid(&problems));
    }
    if let Some(size) = number("size").filter(|n| *n > MAX_PAGE) {
        return Err(Failure::illegal(format!(
            "Batch size is too large, size must be less than or equal to: [{MAX_PAGE}] but was [{size}]. Scroll \
             batch sizes cost as much memory as result windows so they are controlled by the \
             [index.max_result_window] index level setting."
        )));
    }
    Ok(())
}

/// Makes the sort one that no two documents share; whether the user's own sort asks for no values in the answer.
pub(super) fn add_tie_breaker(body: &mut Map<String, Value>) -> bool {
    let mut sort = match body.remove("sort") {
        Some(Value::Array(all)) => all,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let hide = sort.is_empty();
    if hide {
        // All hits score the same, so their place is their order; the score is told all the same.
        body.insert("track_scores".to_owned(), json!(true));
    }
    sort.push(json!({"_shard_doc": "asc"}));
    body.insert("sort".to_owned(), Value::Array(sort));
    hide
}

/// Asks for the next page and remembers where it ends.
fn page(
    snapshot: &dyn Snapshot,
    indices: &[String],
    scroll: &mut Scroll,
    options: &SearchOptions,
) -> Result<Value, Failure> {
    if let Some(after) = &scroll.after {
        scroll.body.insert("search_after".to_owned(), after.clone());
        scroll.body.remove("from");
    }
    let names: Vec<&str> = indices.iter().map(String::as_str).collect();
    let mut answer = over(snapshot, &names, scroll.body.clone(), options)?;
    let hits = answer.pointer_mut("/hits/hits").and_then(Value::as_array_mut);
    scroll.after = hits.as_ref().and_then(|hits| hits.last()).and_then(|hit| hit.get("sort")).cloned();
    for hit in hits.into_iter().flatten() {
        let Some(hit) = hit.as_object_mut() else { continue };
        if scroll.hide_sort {
            hit.remove("sort");
        } else if let Some(sort) = hit.get_mut("sort").and_then(Value::as_array_mut) {
            sort.pop();
        }
    }
    Ok(answer)
}

fn with_id(id: String, answer: Value) -> Reply {
    let mut whole = Map::new();
    whole.insert("_scroll_id".to_owned(), json!(id));
    if let Value::Object(mut members) = answer {
        whole.append(&mut members);
    }
    Value::Object(whole).into()
}

fn check_names(body: &Map<String, Value>, known: &[&str]) -> Result<(), Failure> {
    match body.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, value)) => Err(Failure::illegal(format!(
            "Unknown parameter [{name}] in request body or parameter is of the wrong type[{}] ",
            json::token(value)
        ))),
        None => Ok(()),
    }
}

/// How long a point in time or scroll is kept, from a text.
///
/// # Errors
/// When it is no time, or too long.
pub(super) fn keep_alive(text: &str) -> Result<Duration, Failure> {
    contexts::keep_alive(time_value(text, "keep_alive")?, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn sorts_become_total() {
        let mut body = object(json!({"sort": {"@timestamp": "desc"}}));
        assert!(!add_tie_breaker(&mut body));
        assert_eq!(body["sort"], json!([{"@timestamp": "desc"}, {"_shard_doc": "asc"}]));
        let mut body = Map::new();
        assert!(add_tie_breaker(&mut body));
        assert_eq!(Value::Object(body), json!({"sort": [{"_shard_doc": "asc"}], "track_scores": true}));
    }

    #[test]
    fn what_a_scroll_cannot_do() {
        for bad in [
            json!({"size": 0}),
            json!({"from": 1}),
            json!({"search_after": [1]}),
            json!({"size": 10_001}),
            json!({"track_total_hits": false}),
            json!({"pit": {"id": "x"}}),
        ] {
            assert_eq!(check(&object(bad.clone())).unwrap_err().status, 400, "{bad}");
        }
        assert!(check(&object(json!({"from": 0, "size": 10_000}))).is_ok());
        let check_id = contexts::check_id;
        assert!(
            check_id("x").is_err() && check_id(&"é".repeat(16)).is_err() && check_id(&"a".repeat(32)).is_ok()
        );
    }
}
