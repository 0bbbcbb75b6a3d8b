//! Searches in the address: `?q=…&size=10&sort=a:desc` becomes the body that says the same.

use serde_json::{Map, Value, json};

use crate::Failure;
use crate::params::Params;

/// Parameters that make a query.
pub(crate) const QUERY: &[&str] = &[
    "q",
    "df",
    "analyzer",
    "analyze_wildcard",
    "default_operator",
    "lenient",
    "source",
    "source_content_type",
];

/// Parameters that say what is told of a document.
pub(crate) const SOURCE: &[&str] = &["_source", "_source_includes", "_source_excludes", "stored_fields"];

/// Parameters of searches.
pub(crate) const SEARCH: &[&str] = &[
    "allow_partial_search_results",
    "batched_reduce_size",
    "ccs_minimize_roundtrips",
    "docvalue_fields",
    "explain",
    "from",
    "max_concurrent_shard_requests",
    "pre_filter_shard_size",
    "preference",
    "request_cache",
    "rest_total_hits_as_int",
    "routing",
    "scroll",
    "search_type",
    "seq_no_primary_term",
    "size",
    "sort",
    "stats",
    "terminate_after",
    "timeout",
    "track_scores",
    "track_total_hits",
    "typed_keys",
    "version",
];

/// The query of `?q=`.
///
/// # Errors
/// When a parameter is wrong.
pub(crate) fn query(params: &Params) -> Result<Option<Value>, Failure> {
    let Some(text) = params.get("q") else { return Ok(None) };
    let mut query = Map::new();
    query.insert("query".to_owned(), json!(text));
    if let Some(field) = params.text("df") {
        query.insert("default_field".to_owned(), json!(field));
    }
    if let Some(analyzer) = params.text("analyzer") {
        query.insert("analyzer".to_owned(), json!(analyzer));
    }
    if let Some(operator) = params.text("default_operator") {
        query.insert("default_operator".to_owned(), json!(operator));
    }
    for name in ["analyze_wildcard", "lenient"] {
        if let Some(flag) = params.boolean(name)? {
            query.insert(name.to_owned(), json!(flag));
        }
    }
    Ok(Some(json!({"query_string": query})))
}

/// Puts what the address says into the body; the address wins.
///
/// # Errors
/// When a parameter is wrong.
pub(crate) fn search(params: &Params, body: &mut Map<String, Value>) -> Result<(), Failure> {
    let mut set = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    if let Some(query) = query(params)? {
        set("query", query);
    }
    for name in ["from", "size", "terminate_after"] {
        if let Some(n) = params.integer(name)? {
            if n < 0 {
                let found = if name == "from" { " but was" } else { ", found" };
                return Err(Failure::illegal(format!("[{name}] parameter cannot be negative{found} [{n}]")));
            }
            set(name, json!(n));
        }
    }
    for name in ["explain", "version", "seq_no_primary_term", "track_scores"] {
        if let Some(flag) = params.boolean(name)? {
            set(name, json!(flag));
        }
    }
    if params.time("timeout")?.is_some() {
        set("timeout", json!(params.get("timeout")));
    }
    match params.text("track_total_hits") {
        None => {}
        Some("true") => set("track_total_hits", json!(true)),
        Some("false") => set("track_total_hits", json!(false)),
        Some(_) => {
            if let Some(n) = params.integer("track_total_hits")? {
                set("track_total_hits", json!(n));
            }
        }
    }
    for name in ["docvalue_fields", "stored_fields"] {
        if let Some(list) = params.list(name) {
            set(name, json!(list));
        }
    }
    if let Some(source) = source(params) {
        set("_source", source);
    }
    if let Some(list) = params.list("sort") {
        sort(&list, body);
    }
    Ok(())
}

/// What of `_source` is wanted.
pub(crate) fn source(params: &Params) -> Option<Value> {
    let mut includes = None;
    let mut excludes = params.list("_source_excludes");
    match params.get("_source") {
        Some("false") => return Some(json!(false)),
        None | Some("true" | "") => {}
        Some(_) => includes = params.list("_source"),
    }
    if let Some(list) = params.list("_source_includes") {
        includes = Some(list);
    }
    if includes.is_none() && excludes.is_none() {
        return params.text("_source").map(|_| json!(true));
    }
    Some(json!({
        "includes": includes.take().unwrap_or_default(),
        "excludes": excludes.take().unwrap_or_default(),
    }))
}

/// `a:desc,b`, behind what the body sorts by.
fn sort(list: &[&str], body: &mut Map<String, Value>) {
    let mut all = match body.remove("sort") {
        Some(Value::Array(all)) => all,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    all.extend(list.iter().filter_map(|part| match part.rsplit_once(':') {
        Some((field, order @ ("asc" | "desc"))) => Some(json!({field: order})),
        Some(_) => None, // as Elasticsearch: an order that is none sorts by nothing
        None => Some(json!(part)),
    }));
    body.insert("sort".to_owned(), Value::Array(all));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(query: &str) -> Result<Value, Failure> {
        let mut body = Map::new();
        search(&Params::parse(query)?, &mut body)?;
        Ok(Value::Object(body))
    }

    #[test]
    fn to_bodies() {
        assert_eq!(
            body("q=status:500&df=message&default_operator=AND&lenient").unwrap(),
            json!({"query": {"query_string": {"query": "status:500", "default_field": "message",
                "default_operator": "AND", "lenient": true}}})
        );
        assert_eq!(
            body("from=10&size=0&track_total_hits=100&sort=a.b:desc,_doc,c:asc,d:up&timeout=5s").unwrap(),
            json!({"from": 10, "size": 0, "track_total_hits": 100, "timeout": "5s",
                "sort": [{"a.b": "desc"}, "_doc", {"c": "asc"}]})
        );
        assert_eq!(
            body("_source=a,b*").unwrap(),
            json!({"_source": {"includes": ["a", "b*"], "excludes": []}})
        );
        assert_eq!(
            body("_source=true&_source_excludes=c").unwrap(),
            json!({"_source": {"includes": [], "excludes": ["c"]}})
        );
        assert_eq!(
            body("_source=false&stored_fields=*").unwrap(),
            json!({"_source": false, "stored_fields": ["*"]})
        );
        for bad in ["size=-1", "from=-1", "size=ten", "explain=maybe", "timeout=5", "track_total_hits=x"] {
            assert_eq!(body(bad).unwrap_err().status, 400, "{bad}");
        }
    }
}
