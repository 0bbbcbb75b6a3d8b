//! `_search` and `_count`, `_validate/query`.

use serde_json::{Map, Value, json};

use super::{pit, scroll, url};
use crate::Failure;
use crate::backend::{SearchOptions, Snapshot};
use crate::call::{Call, as_object, names_of, shards};
use crate::names::{self, Expansion};
use crate::reply::Reply;

/// `GET|POST /_search`, `/{index}/_search`.
pub(crate) fn search(call: &Call<'_>) -> Result<Reply, Failure> {
    let mut body = call.object()?;
    url::search(&call.params, &mut body)?;
    let as_int = total_as_int(call, &mut body)?;
    if call.params.text("scroll").is_some() {
        return scroll::open(call, body, as_int);
    }
    let options = call.search_options()?;
    let mut answer = match body.remove("pit") {
        Some(pit) => pit::search(call, &pit, body, &options)?,
        None => {
            let snapshot = call.snapshot();
            let indices = call.indices(&*snapshot)?;
            over(&*snapshot, &names_of(&indices), body, &options)?
        }
    };
    if as_int {
        plain_totals(&mut answer);
    }
    Ok(answer.into())
}

/// A search over indices. Over none, Elasticsearch tells neither aggregations nor that nothing scored.
///
/// # Errors
/// In Elasticsearch's words.
pub(super) fn over(
    snapshot: &dyn Snapshot,
    indices: &[&str],
    body: Map<String, Value>,
    options: &SearchOptions,
) -> Result<Value, Failure> {
    let answer = snapshot.search(indices, &Value::Object(body), options)?;
    if !indices.is_empty() {
        return Ok(answer);
    }
    Ok(json!({
        "took": 0,
        "timed_out": false,
        "_shards": shards(0),
        "hits": {"total": {"value": 0, "relation": "eq"}, "max_score": 0.0, "hits": []},
    }))
}

/// Reads `rest_total_hits_as_int`: totals as numbers have to be exact.
///
/// # Errors
/// When the body says that they need not be.
pub(crate) fn total_as_int(call: &Call<'_>, body: &mut Map<String, Value>) -> Result<bool, Failure> {
    if !call.params.flag("rest_total_hits_as_int")? {
        return Ok(false);
    }
    match body.get("track_total_hits") {
        Some(Value::Number(n)) => Err(Failure::illegal(format!(
            "[rest_total_hits_as_int] cannot be used if the tracking of total hits is not accurate, got {n}"
        ))),
        Some(_) => Ok(true),
        None => {
            body.insert("track_total_hits".to_owned(), json!(true));
            Ok(true)
        }
    }
}

/// `hits.total` as a number, as before 7.0; in `top_hits` too.
pub(crate) fn plain_totals(answer: &mut Value) {
    if let Some(hits) = answer.get_mut("hits").and_then(Value::as_object_mut) {
        let total = match hits.get("total") {
            Some(total) => total.get("value").cloned().unwrap_or_else(|| total.clone()),
            None => json!(-1),
        };
        hits.insert("total".to_owned(), total);
    }
    if let Some(aggregations) = answer.get_mut("aggregations") {
        plain_totals_of_aggregations(aggregations);
    }
}

fn plain_totals_of_aggregations(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let total = member.get("total").filter(|total| total.get("relation").is_some());
                let total = total.and_then(|total| total.get("value")).cloned();
                match (total, member.as_object_mut()) {
                    (Some(total), Some(hits)) if name == "hits" => {
                        hits.insert("total".to_owned(), total);
                    }
                    _ => plain_totals_of_aggregations(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain_totals_of_aggregations),
        _ => {}
    }
}

/// `GET|POST /_count`, `/{index}/_count`.
pub(crate) fn count(call: &Call<'_>) -> Result<Reply, Failure> {
    let body = query_only(call)?;
    call.params.integer("terminate_after")?;
    if call.params.text("min_score").is_some() {
        return Err(Failure::unsupported("[min_score]"));
    }
    let snapshot = call.snapshot();
    let indices = call.indices(&*snapshot)?;
    let count = snapshot.count(&names_of(&indices), &body, &call.search_options()?)?;
    Ok(json!({"count": count, "_shards": shards(indices.len())}).into())
}

/// A body of nothing but a `query`.
fn query_only(call: &Call<'_>) -> Result<Value, Failure> {
    let mut body = call.object()?;
    if let Some(name) = body.keys().find(|name| *name != "query") {
        return Err(Failure::new(400, "parsing_exception", format!("request does not support [{name}]")));
    }
    if let Some(query) = url::query(&call.params)? {
        body.insert("query".to_owned(), query);
    }
    Ok(Value::Object(body))
}

/// `GET|POST /_validate/query`, `/{index}/_validate/query`.
pub(crate) fn validate(call: &Call<'_>) -> Result<Reply, Failure> {
    let explain = call.params.flag("explain")?;
    for name in ["rewrite", "all_shards"] {
        call.params.flag(name)?;
    }
    let body = query_only(call);
    let snapshot = call.snapshot();
    let indices = call.indices(&*snapshot)?;
    let verdict = body.and_then(|body| snapshot.validate(&names_of(&indices), &body));
    let told = |failure: &Failure| {
        let cause = failure.cause();
        let text = |name: &str| cause[name].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", text("type"), text("reason"))
    };
    // A body that is no query is told without looking at indices.
    if let Err(failure) = &verdict
        && !failure.is_of_search()
    {
        let error = explain.then(|| told(failure));
        return Ok(match error {
            Some(error) => json!({"valid": false, "error": error}).into(),
            None => json!({"valid": false}).into(),
        });
    }
    let mut answer = json!({
        "_shards": {"total": 1, "successful": 1, "failed": 0},
        "valid": verdict.is_ok(),
    });
    if explain {
        let each = indices.iter().map(|index| match &verdict {
            Ok(()) => json!({"index": index.name, "valid": true}),
            Err(failure) => json!({"index": index.name, "valid": false, "error": told(failure)}),
        });
        answer["explanations"] = each.collect();
    }
    Ok(answer.into())
}

/// One search of `_msearch`: a header that names the indices, and a body.
///
/// # Errors
/// Of the header, or of the search.
pub(crate) fn one_of_many(
    call: &Call<'_>,
    snapshot: &dyn Snapshot,
    header: Value,
    body: Value,
    as_int: bool,
) -> Result<Value, Failure> {
    let header = as_object(header)?;
    let mut how = call.expansion(Expansion::STRICT)?;
    let mut names = call.params.get("index").map(str::to_owned);
    for (name, value) in &header {
        match name.as_str() {
            "index" | "indices" => names = Some(list(value, name)?.join(",")),
            "ignore_unavailable" | "ignoreUnavailable" => how.ignore_unavailable = boolean(value, name)?,
            "allow_no_indices" | "allowNoIndices" => how.allow_no_indices = boolean(value, name)?,
            "expand_wildcards" | "expandWildcards" => {
                how = how.wildcards(list(value, name)?.iter().flat_map(|w| w.split(',')))?;
            }
            "search_type"
            | "searchType"
            | "request_cache"
            | "requestCache"
            | "preference"
            | "routing"
            | "allow_partial_search_results"
            | "ccs_minimize_roundtrips"
            | "ccsMinimizeRoundtrips"
            | "ignore_throttled"
            | "ignoreThrottled"
            | "project_routing" => {}
            other => {
                let reason = format!("key [{other}] is not supported in the metadata section");
                return Err(Failure::illegal(reason));
            }
        }
    }
    let mut body = as_object(body)?;
    if as_int {
        total_as_int(call, &mut body)?;
    }
    let options = call.search_options()?;
    let mut answer = match body.remove("pit") {
        Some(pit) => pit::search(call, &pit, body, &options)?,
        None => {
            let indices = names::resolve(names.as_deref(), snapshot.indices(), how)?;
            over(snapshot, &names_of(&indices), body, &options)?
        }
    };
    if as_int {
        plain_totals(&mut answer);
    }
    Ok(answer)
}

fn list(value: &Value, name: &str) -> Result<Vec<String>, Failure> {
    let wrong = || Failure::illegal(format!("[{name}] must be a text or a list of texts"));
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

fn boolean(value: &Value, name: &str) -> Result<bool, Failure> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text == "true" || text == "false" => Ok(text == "true"),
        other => Err(Failure::illegal(format!(
            "Could not convert [{name}] to boolean: Failed to parse value [{other}] as only [true] or [false] are \
             allowed."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_as_numbers() {
        let mut answer = json!({
            "hits": {"total": {"value": 3, "relation": "eq"}, "hits": []},
            "aggregations": {"t": {"buckets": [{"key": 1, "hits": {"value": 7.5}, "top": {
                "hits": {"total": {"value": 2, "relation": "eq"}, "hits": []}}}]}},
        });
        plain_totals(&mut answer);
        assert_eq!(
            answer,
            json!({
                "hits": {"total": 3, "hits": []},
                "aggregations": {"t": {"buckets": [{"key": 1, "hits": {"value": 7.5}, "top": {
                    "hits": {"total": 2, "hits": []}}}]}},
            })
        );
        let mut none = json!({"hits": {"hits": []}});
        plain_totals(&mut none);
        assert_eq!(none, json!({"hits": {"total": -1, "hits": []}}));
    }
}
