//! What is refused, and in which words: Elasticsearch 8's types and reasons.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod memory;

use std::sync::Arc;

use memory::MemBlock;
use serde_json::{Value, json};
use wirebeat_model::Kind;
use wirebeat_store::block::Block;
use wirebeat_store::exec::{Context, IndexBlocks, Mapping, search};
use wirebeat_store::lang::request::SearchRequest;

const KINDS: &[(&str, Kind)] = &[
    ("@timestamp", Kind::Date),
    ("status", Kind::Keyword),
    ("bytes", Kind::Long),
    ("message", Kind::Text),
    ("client.ip", Kind::Ip),
    ("ok", Kind::Boolean),
];

fn run(body: &Value) -> Result<Value, Value> {
    let documents = [(
        "1".to_owned(),
        json!({
            "@timestamp": "2026-11-25T10:00:00Z", "status": "OK", "bytes": 7, "message": "Hello there",
            "client": {"ip": "10.0.0.1"}, "ok": true,
        }),
    )];
    let block: Arc<dyn Block> = Arc::new(MemBlock::new(&documents, KINDS, 0));
    let mut mapping = Mapping::new();
    mapping.add_all(block.fields());
    let blocks = [block];
    let indices = [IndexBlocks { name: "test", blocks: &blocks }];
    SearchRequest::parse(body)
        .and_then(|request| search(&indices, &mapping, &request, &Context::at(0)))
        .map_err(|e| e.to_json())
}

/// The error of a body: status, type, reason; of the failed shard where it is one.
fn error(body: Value) -> (u64, String, String) {
    let answer = run(&body).expect_err(&format!("{body} should be refused"));
    let error = &answer["error"];
    assert!(error["root_cause"].is_array(), "{answer}");
    let inner = error.pointer("/failed_shards/0/reason").unwrap_or(error);
    (
        answer["status"].as_u64().unwrap(),
        inner["type"].as_str().unwrap().to_owned(),
        inner["reason"].as_str().unwrap().to_owned(),
    )
}

#[track_caller]
fn refused(body: Value, status: u64, kind: &str, reason: &str) {
    let found = error(body);
    assert_eq!((found.0, found.1.as_str(), found.2.as_str()), (status, kind, reason));
}

#[test]
fn queries() {
    refused(
        json!({"query": {"trm": {"status": "OK"}}}),
        400,
        "parsing_exception",
        "unknown query [trm] did you mean any of [term, terms]?",
    );
    refused(json!({"query": {}}), 400, "illegal_argument_exception", "query malformed, empty clause found");
    refused(
        json!({"query": []}),
        400,
        "parsing_exception",
        "[_na] query malformed, must start with start_object",
    );
    refused(
        json!({"query": {"term": "x"}}),
        400,
        "parsing_exception",
        "[term] query malformed, no start_object after query name",
    );
    refused(
        json!({"query": {"term": {"status": ["a"]}}}),
        400,
        "parsing_exception",
        "[term] query does not support array of values",
    );
    refused(
        json!({"query": {"term": {"a": "x", "b": "y"}}}),
        400,
        "parsing_exception",
        "[term] query doesn't support multiple fields, found [a] and [b]",
    );
    refused(
        json!({"query": {"range": {"bytes": {"gtt": 1}}}}),
        400,
        "parsing_exception",
        "[range] query does not support [gtt]",
    );
    refused(
        json!({"query": {"exists": {}}}),
        400,
        "parsing_exception",
        "[exists] must be provided with a [field]",
    );
    refused(
        json!({"query": {"term": {"bytes": "many"}}}),
        400,
        "query_shard_exception",
        "failed to create query: For input string: \"many\"",
    );
    refused(
        json!({"query": {"term": {"client.ip": "home"}}}),
        400,
        "query_shard_exception",
        "failed to create query: 'home' is not an IP string literal.",
    );
    refused(
        json!({"query": {"term": {"ok": "yes"}}}),
        400,
        "query_shard_exception",
        "failed to create query: Can't parse boolean value [yes], expected [true] or [false]",
    );
    refused(
        json!({"query": {"prefix": {"bytes": "1"}}}),
        400,
        "query_shard_exception",
        "Can only use prefix queries on keyword, text and wildcard fields - not on [bytes] which is of type [long]",
    );
    refused(
        json!({"query": {"regexp": {"bytes": "1.*"}}}),
        400,
        "query_shard_exception",
        "Can only use regexp queries on keyword and text fields - not on [bytes] which is of type [long]",
    );
    refused(
        json!({"query": {"range": {"@timestamp": {"gte": "yesterday"}}}}),
        400,
        "parse_exception",
        "failed to parse date field [yesterday] with format [strict_date_optional_time||epoch_millis]: [failed to parse \
         date field [yesterday] with format [strict_date_optional_time||epoch_millis]]",
    );
}

#[test]
fn a_clause_inside_names_its_place() {
    let answer = run(&json!({"query": {"bool": {"must": [{"nope": {}}]}}})).expect_err("refused");
    assert_eq!(answer["error"]["type"], "x_content_parse_exception");
    assert_eq!(answer["error"]["reason"], "[bool] failed to parse field [must]");
    assert_eq!(answer["error"]["caused_by"]["type"], "parsing_exception");
    assert_eq!(answer["error"]["caused_by"]["reason"], "unknown query [nope]");
    assert_eq!(answer["error"]["root_cause"][0]["type"], "parsing_exception");
}

#[test]
fn a_failed_shard_is_told_as_one() {
    let answer = run(&json!({"sort": ["nope"]})).expect_err("refused");
    assert_eq!(answer["status"], 400);
    let error = &answer["error"];
    assert_eq!(error["type"], "search_phase_execution_exception");
    assert_eq!(error["reason"], "all shards failed");
    assert_eq!(error["phase"], "query");
    assert_eq!(error["root_cause"][0]["type"], "query_shard_exception");
    assert_eq!(error["root_cause"][0]["reason"], "No mapping found for [nope] in order to sort on");
    assert_eq!(error["root_cause"][0]["index"], "test");
    assert_eq!(error["failed_shards"][0]["reason"]["type"], "query_shard_exception");
    assert!(error.get("caused_by").is_none());
}

#[test]
fn javas_own_exceptions_are_wrapped() {
    let answer = run(&json!({"from": 9000, "size": 1001})).expect_err("refused");
    let error = &answer["error"];
    let reason = "Result window is too large, from + size must be less than or equal to: [10000] but was [10001]. See \
                  the scroll api for a more efficient way to request large data sets. This limit can be set by changing \
                  the [index.max_result_window] index level setting.";
    assert_eq!(error["root_cause"][0]["type"], "illegal_argument_exception");
    assert_eq!(error["root_cause"][0]["reason"], reason);
    assert_eq!(error["caused_by"]["reason"], reason);
    assert_eq!(error["caused_by"]["caused_by"]["reason"], reason);
}

#[test]
fn bodies() {
    refused(
        json!({"size": -1}),
        400,
        "illegal_argument_exception",
        "[size] parameter cannot be negative, found [-1]",
    );
    refused(
        json!({"from": -3}),
        400,
        "illegal_argument_exception",
        "[from] parameter cannot be negative, found [-3]",
    );
    refused(json!({"qeury": {}}), 400, "parsing_exception", "Unknown key for a START_OBJECT in [qeury].");
    refused(json!([]), 400, "parsing_exception", "Expected [START_OBJECT] but found [START_ARRAY]");
    refused(
        json!({"sort": ["bytes"], "search_after": [1, 2]}),
        400,
        "illegal_argument_exception",
        "search_after has 2 value(s) but sort has 1.",
    );
    refused(
        json!({"sort": ["message"]}),
        400,
        "illegal_argument_exception",
        "Fielddata is disabled on [message] in [test]. Text fields are not optimised for operations that require \
         per-document field data like aggregations and sorting, so these operations are disabled by default. Please use \
         a keyword field instead. Alternatively, set fielddata=true on [message] in order to load field data by \
         uninverting the inverted index. Note that this can use significant memory.",
    );
    for name in
        ["collapse", "knn", "rescore", "runtime_mappings", "script_fields", "slice", "suggest", "retriever"]
    {
        refused(
            json!({name: {"x": 1}}),
            400,
            "illegal_argument_exception",
            &format!("[{name}] is not supported by wirebeat"),
        );
    }
}

#[test]
fn aggregations() {
    let agg = |a: Value| json!({"size": 0, "aggs": {"a": a}});
    refused(
        agg(json!({"term": {"field": "status"}})),
        400,
        "parsing_exception",
        "Unknown aggregation type [term] did you mean [terms]?",
    );
    refused(agg(json!({})), 400, "parsing_exception", "Missing definition for aggregation [a]");
    refused(
        json!({"aggs": {"a>b": {"terms": {"field": "status"}}}}),
        400,
        "parsing_exception",
        "Invalid aggregation name [a>b]. Aggregation names can contain any character except '[', ']', and '>'",
    );
    refused(
        agg(json!({"avg": {"field": "bytes"}, "aggs": {"b": {"max": {"field": "bytes"}}}})),
        400,
        "illegal_argument_exception",
        "Aggregator [a] of type [avg] cannot accept sub-aggregations",
    );
    refused(
        agg(json!({"avg": {"field": "bytes"}, "max": {"field": "bytes"}})),
        400,
        "parsing_exception",
        "Found two aggregation type definitions in [a]: [avg] and [max]",
    );
    refused(
        agg(json!({"avg": {"field": "status"}})),
        400,
        "illegal_argument_exception",
        "Field [status] of type [keyword] is not supported for aggregation [avg]",
    );
    refused(
        agg(json!({"terms": {"field": "bytes", "include": "1.*"}})),
        400,
        "illegal_argument_exception",
        "Aggregation [a] cannot support regular expression style include/exclude settings as they can only be applied \
         to string fields. Use an array of values for include/exclude clauses",
    );
    refused(
        agg(
            json!({"histogram": {"field": "bytes", "interval": 1, "extended_bounds": {"min": 0, "max": 100_000}}}),
        ),
        400,
        "too_many_buckets_exception",
        "Trying to create too many buckets. Must be less than or equal to: [65536] but this number of buckets was \
         exceeded. This limit can be set by changing the [search.max_buckets] cluster level setting.",
    );
    refused(
        agg(json!({"terms": {"field": "status", "order": {"nope": "asc"}}})),
        400,
        "illegal_argument_exception",
        "Invalid aggregator order path [nope]. The provided aggregation [nope] either does not exist, or is a pipeline \
         aggregation and cannot be used to sort the buckets.",
    );
    for kind in
        ["moving_fn", "significant_terms", "rare_terms", "scripted_metric", "nested", "auto_date_histogram"]
    {
        refused(
            agg(json!({kind: {}})),
            400,
            "illegal_argument_exception",
            &format!("[{kind}] aggregation is not supported by wirebeat"),
        );
    }
}

#[test]
fn mistakes_in_kql_and_lucene_say_where() {
    for (body, kind, offset) in [
        (json!({"kql": {"query": "status: OK and"}}), "kql_parsing_exception", 11),
        (json!({"bool": {"filter": [{"kql": {"query": "bytes >"}}]}}), "kql_parsing_exception", 7),
        (json!({"query_string": {"query": "status:OK AND ("}}), "query_shard_exception", 15),
    ] {
        let answer = run(&json!({"query": body})).unwrap_err();
        let root = &answer["error"]["root_cause"][0];
        assert_eq!((&root["type"], &root["offset"]), (&json!(kind), &json!(offset)), "{answer}");
    }
    refused(
        json!({"query": {"kql": {"query": "a:"}}}),
        400,
        "query_shard_exception",
        "Failed to parse KQL query [a:]",
    );
    refused(
        json!({"query": {"kql": {"quer": "a"}}}),
        400,
        "parsing_exception",
        "[kql] query does not support [quer]",
    );
}

#[test]
fn kql_is_a_query_of_the_dsl() {
    let hits = |query: Value| {
        let answer = run(&json!({"query": {"kql": query}})).unwrap();
        answer["hits"]["total"]["value"].as_u64().unwrap()
    };
    for (query, expected) in [
        (json!({"query": ""}), 1),
        (json!({"query": "status: OK and bytes >= 7"}), 1),
        (json!({"query": "status: ok"}), 0),
        (json!({"query": "status: ok", "case_insensitive": true}), 1),
        (json!({"query": "status: \"ok\" and bytes: 7", "case_insensitive": true}), 1),
        (json!({"query": "status: o*", "case_insensitive": true}), 1),
        (json!({"query": "bytes: nonsense", "case_insensitive": true}), 0),
        (json!({"query": "hello"}), 1),
        (json!({"query": "hello", "default_field": "status"}), 0),
        (json!({"query": "ok", "default_field": "status", "case_insensitive": true}), 1),
        (json!({"query": "client.ip: \"10.0.0.0/8\" and not ok: false"}), 1),
        // Ten o'clock in UTC is eleven in Berlin.
        (json!({"query": "@timestamp >= \"2026-11-25T11:00:00\"", "time_zone": "Europe/Berlin"}), 1),
        (json!({"query": "@timestamp >= \"2026-11-25T11:00:00\""}), 0),
    ] {
        assert_eq!(hits(query.clone()), expected, "{query}");
    }
}
