//! Aggregations and what is told of hits, by example: values worked out by hand, forms from Elasticsearch's reference.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod memory;

use std::sync::Arc;

use memory::MemBlock;
use serde_json::{Value, json};
use wirebeat_model::Kind;
use wirebeat_store::block::Block;
use wirebeat_store::exec::{Context, IndexBlocks, Limits, Mapping, search};
use wirebeat_store::lang::request::SearchRequest;

const KINDS: &[(&str, Kind)] = &[
    ("@timestamp", Kind::Date),
    ("type", Kind::Keyword),
    ("host", Kind::Keyword),
    ("bytes", Kind::Long),
    ("ratio", Kind::Double),
    ("ok", Kind::Boolean),
    ("client.ip", Kind::Ip),
    ("message", Kind::Text),
    ("place", Kind::Keyword),
    ("h", Kind::Map),
    ("answers.data", Kind::Keyword),
];

/// Eight documents, an hour and a half apart.
fn documents() -> Vec<Value> {
    let rows = [
        ("http", "a", Some(10), 0.5, true, "10.0.0.1"),
        ("http", "a", Some(30), 1.5, true, "10.0.0.2"),
        ("dns", "b", Some(5), 2.5, false, "10.0.0.2"),
        ("http", "b", Some(20), 3.5, true, "10.1.0.1"),
        ("dns", "a", None, 4.5, true, "2001:db8::1"),
        ("redis", "c", Some(7), 5.5, false, "10.0.0.1"),
        ("http", "c", Some(100), 6.5, false, "192.168.0.1"),
        ("dns", "a", Some(1), 7.5, true, "10.0.0.1"),
    ];
    rows.iter()
        .enumerate()
        .map(|(i, (kind, host, bytes, ratio, ok, ip))| {
            let at = jiff::Timestamp::from_second(1_795_600_800 + i as i64 * 5400).unwrap();
            let mut out = json!({
                "@timestamp": at.to_string(), "type": kind, "host": host, "ratio": ratio, "ok": ok,
                "client": {"ip": ip}, "message": format!("Message number {i}"),
                "place": (if i % 2 == 0 { "52.5,13.4" } else { "48.1,11.6" }),
                "h": {"x": "1"}, "answers": [{"data": "one"}, {"data": "two", "ttl": 3}],
            });
            if let Some(bytes) = bytes {
                out["bytes"] = json!(bytes);
            }
            out
        })
        .collect()
}

fn ask_with(body: Value, url: &[(&str, &str)], limits: Limits) -> Value {
    let rows: Vec<(String, Value)> =
        documents().into_iter().enumerate().map(|(i, d)| (format!("id{i}"), d)).collect();
    let blocks: Vec<Arc<dyn Block>> = rows
        .chunks(3)
        .enumerate()
        .map(|(i, c)| Arc::new(MemBlock::new(c, KINDS, i as i64 * 3)) as Arc<dyn Block>)
        .collect();
    let mut mapping = Mapping::new();
    for (name, kind) in KINDS {
        mapping.add(name, *kind);
    }
    mapping.add("answers", Kind::Objects);
    mapping.add_geo_point("place");
    mapping.add_alias("kind", "type");
    let indices = [IndexBlocks { name: "events", blocks: &blocks }];
    // 2026-11-25T10:00:00Z is a little before the first document.
    let context = Context { limits, ..Context::at(1_795_600_800_000) };
    let run = || {
        let mut request = SearchRequest::parse(&body)?;
        request.apply_url(url)?;
        search(&indices, &mapping, &request, &context)
    };
    run().unwrap_or_else(|e| e.to_json())
}

fn ask(body: Value) -> Value {
    ask_with(body, &[], Limits::default())
}

fn agg(definition: Value) -> Value {
    let answer = ask(json!({"size": 0, "aggs": {"a": definition}}));
    answer.pointer("/aggregations/a").cloned().unwrap_or(answer)
}

/// Keys and counts of buckets.
fn keys(answer: &Value) -> Vec<(Value, u64)> {
    answer["buckets"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"))
        .iter()
        .map(|b| (b["key"].clone(), b["doc_count"].as_u64().unwrap()))
        .collect()
}

fn ids(answer: &Value) -> Vec<String> {
    answer["hits"]["hits"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"))
        .iter()
        .map(|h| h["_id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn terms() {
    let a = agg(json!({"terms": {"field": "type"}}));
    assert_eq!(
        a,
        json!({
            "doc_count_error_upper_bound": 0,
            "sum_other_doc_count": 0,
            "buckets": [
                {"key": "http", "doc_count": 4}, {"key": "dns", "doc_count": 3}, {"key": "redis", "doc_count": 1},
            ],
        })
    );
    let a = agg(json!({"terms": {"field": "kind", "size": 1}}));
    assert_eq!((keys(&a), &a["sum_other_doc_count"]), (vec![(json!("http"), 4)], &json!(4)));
    // By what is below, then by key.
    let a = agg(json!({
        "terms": {"field": "host", "order": [{"sum": "desc"}, {"_key": "asc"}]},
        "aggs": {"sum": {"sum": {"field": "bytes"}}},
    }));
    assert_eq!(keys(&a), [(json!("c"), 2), (json!("a"), 4), (json!("b"), 2)]);
    assert_eq!(a["buckets"][0]["sum"], json!({"value": 107.0}));
    let a = agg(json!({
        "terms": {"field": "host", "order": {"good>size.max": "asc"}},
        "aggs": {"good": {"filter": {"term": {"ok": true}}, "aggs": {"size": {"stats": {"field": "bytes"}}}}},
    }));
    // c has no good ones: the largest of nothing is below all numbers.
    assert_eq!(keys(&a), [(json!("c"), 2), (json!("b"), 2), (json!("a"), 4)]);
    assert_eq!(keys(&agg(json!({"terms": {"field": "type", "min_doc_count": 3}}))).len(), 2);
    assert_eq!(
        keys(&agg(json!({"terms": {"field": "bytes", "missing": 5, "size": 2}}))),
        [(json!(5), 2), (json!(1), 1)]
    );
    assert_eq!(
        keys(&agg(json!({"terms": {"field": "type", "include": ".*s", "exclude": ["dns"]}}))),
        [(json!("redis"), 1)]
    );
    assert_eq!(
        keys(&agg(json!({"terms": {"field": "bytes", "include": [7, "30"]}}))),
        [(json!(7), 1), (json!(30), 1)]
    );
    let a = agg(json!({"terms": {"field": "ok"}}));
    assert_eq!(a["buckets"][0], json!({"key": 1, "key_as_string": "true", "doc_count": 5}));
    assert_eq!(
        keys(&agg(json!({"terms": {"field": "client.ip", "size": 2}}))),
        [(json!("10.0.0.1"), 3), (json!("10.0.0.2"), 2)]
    );
    assert_eq!(keys(&agg(json!({"terms": {"field": "h.x"}}))), [(json!("1"), 8)]);
    assert_eq!(
        keys(&agg(json!({"terms": {"field": "answers.data"}}))),
        [(json!("one"), 8), (json!("two"), 8)]
    );
    assert_eq!(keys(&agg(json!({"terms": {"field": "_index"}}))), [(json!("events"), 8)]);
    let a = agg(json!({"terms": {"field": "not.there"}, "meta": {"why": "asked"}}));
    assert_eq!(
        a,
        json!({"doc_count_error_upper_bound": 0, "sum_other_doc_count": 0, "buckets": [], "meta": {"why": "asked"}})
    );
    let a = agg(json!({"terms": {"field": "@timestamp", "size": 1}}));
    assert_eq!(a["buckets"][0]["key"], json!(1_795_600_800_000_i64));
    assert_eq!(a["buckets"][0]["key_as_string"], "2026-11-25T10:00:00.000Z");
}

#[test]
fn date_histograms() {
    let a = agg(json!({"date_histogram": {"field": "@timestamp", "fixed_interval": "3h"}}));
    assert_eq!(
        a["buckets"][0],
        json!({"key_as_string": "2026-11-25T09:00:00.000Z", "key": 1_795_597_200_000_i64, "doc_count": 2})
    );
    // 10:00, 11:30, 13:00, 14:30, 16:00, 17:30, 19:00, 20:30
    assert_eq!(keys(&a).iter().map(|k| k.1).collect::<Vec<_>>(), [2, 2, 2, 2]);
    let a = agg(json!({"date_histogram": {
        "field": "@timestamp", "fixed_interval": "1h", "format": "HH:mm", "keyed": true, "time_zone": "+01:00",
    }}));
    assert!(a["buckets"]["11:00"]["doc_count"] == 1, "{a}");
    let a = agg(json!({"date_histogram": {
        "field": "@timestamp", "calendar_interval": "1d", "time_zone": "Asia/Tokyo", "min_doc_count": 1,
    }}));
    // 15:00 UTC is midnight there.
    assert_eq!(a["buckets"][0]["key_as_string"], "2026-11-25T00:00:00.000+09:00");
    assert_eq!(keys(&a).iter().map(|k| k.1).collect::<Vec<_>>(), [4, 4]);
    let a = agg(json!({"date_histogram": {
        "field": "@timestamp", "interval": "hour",
        "extended_bounds": {"min": "2026-11-25T08:00:00Z", "max": "now+12h"},
    }}));
    let all = keys(&a);
    assert_eq!((all.len(), all[0].1, all[1].1, all[2].1, all[14].1), (15, 0, 0, 1, 0));
    let a = agg(json!({"date_histogram": {
        "field": "@timestamp", "fixed_interval": "1h", "min_doc_count": 1,
        "hard_bounds": {"min": "2026-11-25T12:00:00Z", "max": "2026-11-25T16:00:00Z"},
    }}));
    assert_eq!(keys(&a).len(), 2);
    let a = agg(json!({"date_histogram": {
        "field": "@timestamp", "fixed_interval": "6h", "offset": "+1h", "order": {"_count": "desc"},
    }}));
    assert_eq!(a["buckets"][0]["key_as_string"], "2026-11-25T13:00:00.000Z");
    assert_eq!(
        agg(json!({"date_histogram": {"field": "@timestamp", "calendar_interval": "2d"}}))["error"]["caused_by"]
            ["reason"],
        "The supplied interval [2d] could not be parsed as a calendar interval."
    );
    let a = agg(json!({"date_histogram": {
        "field": "@timestamp", "fixed_interval": "1s", "extended_bounds": {"min": 0, "max": 1},
    }}));
    assert_eq!(a["error"]["root_cause"][0]["type"], "too_many_buckets_exception");
}

#[test]
fn numbers() {
    let a = agg(json!({"histogram": {"field": "bytes", "interval": 10}}));
    let all = keys(&a);
    assert_eq!(
        (all.len(), &all[0], &all[1], &all[10]),
        (11, &(json!(0.0), 3), &(json!(10.0), 1), &(json!(100.0), 1))
    );
    let a = agg(
        json!({"histogram": {"field": "ratio", "interval": 2, "offset": 1, "keyed": true, "min_doc_count": 2}}),
    );
    assert_eq!(a["buckets"]["1.0"], json!({"key": 1.0, "doc_count": 2}));
    assert_eq!(a["buckets"].as_object().unwrap().len(), 3);
    let a = agg(json!({"extended_stats": {"field": "bytes", "sigma": 3}}));
    // 10 30 5 20 7 100 1: sum 173, squares 11475.
    assert_eq!((&a["count"], &a["sum"], &a["sum_of_squares"]), (&json!(7), &json!(173.0), &json!(11475.0)));
    let variance = 11475.0 / 7.0 - (173.0_f64 / 7.0).powi(2);
    let close = |a: &Value, b: f64| (a.as_f64().unwrap() - b).abs() < 1e-9 * b.abs();
    assert!(close(&a["variance"], variance) && close(&a["variance_population"], variance), "{a}");
    assert!(close(&a["std_deviation_sampling"], (variance * 7.0 / 6.0).sqrt()), "{a}");
    assert!(close(&a["std_deviation_bounds"]["upper"], 173.0 / 7.0 + 3.0 * variance.sqrt()), "{a}");
    assert_eq!(
        agg(json!({"stats": {"field": "nope"}})),
        json!({"count": 0, "min": null, "max": null, "avg": null, "sum": 0.0})
    );
    assert_eq!(agg(json!({"avg": {"field": "bytes", "missing": 27}})), json!({"value": 25.0}));
    assert_eq!(agg(json!({"value_count": {"field": "host"}})), json!({"value": 8}));
    assert_eq!(agg(json!({"cardinality": {"field": "client.ip"}})), json!({"value": 5}));
    assert_eq!(
        agg(json!({"max": {"field": "@timestamp"}})),
        json!({"value": 1_795_638_600_000.0, "value_as_string": "2026-11-25T20:30:00.000Z"})
    );
    assert_eq!(
        agg(json!({"sum": {"field": "bytes", "format": "#,##0.00 B"}}))["value_as_string"],
        "173.00 B"
    );
    assert_eq!(agg(json!({"min": {"field": "ok"}})), json!({"value": 0.0, "value_as_string": "false"}));
    let a = agg(json!({"percentiles": {"field": "ratio", "percents": [50, 100], "keyed": false}}));
    assert_eq!(a, json!({"values": [{"key": 50.0, "value": 4.0}, {"key": 100.0, "value": 7.5}]}));
    let a = agg(json!({"percentile_ranks": {"field": "bytes", "values": [7, 1000]}}));
    // Two below 7 and 7 itself, which counts half.
    assert!(close(&a["values"]["7.0"], 2.5 / 7.0 * 100.0) && a["values"]["1000.0"] == 100.0, "{a}");
    assert_eq!(agg(json!({"percentiles": {"field": "nope"}}))["values"]["50.0"], Value::Null);
}

#[test]
fn ranges_and_filters() {
    let a = agg(json!({"range": {"field": "bytes", "ranges": [{"from": 10}, {"to": 10}], "keyed": true}}));
    assert_eq!(
        a["buckets"],
        json!({"*-10.0": {"to": 10.0, "doc_count": 3}, "10.0-*": {"from": 10.0, "doc_count": 4}})
    );
    let a = agg(json!({"date_range": {
        "field": "@timestamp", "format": "yyyy-MM-dd HH:mm",
        "ranges": [{"key": "late", "from": "2026-11-25 16:00"}, {"to": "now+3h"}],
    }}));
    assert_eq!(
        a["buckets"],
        json!([
            {"key": "*-2026-11-25 13:00", "to": 1_795_611_600_000.0, "to_as_string": "2026-11-25 13:00", "doc_count": 2},
            {"key": "late", "from": 1_795_622_400_000.0, "from_as_string": "2026-11-25 16:00", "doc_count": 4},
        ])
    );
    let a = agg(
        json!({"ip_range": {"field": "client.ip", "ranges": [{"mask": "10.0.0.0/24"}, {"to": "10.0.0.2"}, {"from": "11.0.0.0"}]}}),
    );
    assert_eq!(
        a["buckets"],
        json!([
            {"key": "*-10.0.0.2", "to": "10.0.0.2", "doc_count": 3},
            {"key": "10.0.0.0/24", "from": "10.0.0.0", "to": "10.0.1.0", "doc_count": 5},
            {"key": "11.0.0.0-*", "from": "11.0.0.0", "doc_count": 2},
        ])
    );
    let a = agg(
        json!({"filters": {"filters": [{"term": {"type": "http"}}, {"range": {"bytes": {"gte": 30}}}], "other_bucket": true}}),
    );
    assert_eq!(a["buckets"], json!([{"doc_count": 4}, {"doc_count": 2}, {"doc_count": 4}]));
    assert_eq!(agg(json!({"missing": {"field": "bytes"}})), json!({"doc_count": 1}));
    let answer = ask(json!({
        "size": 0,
        "query": {"term": {"type": "redis"}},
        "aggs": {
            "all": {"global": {}, "aggs": {"n": {"value_count": {"field": "type"}}}},
            "some": {"value_count": {"field": "type"}},
        },
    }));
    assert_eq!(
        answer["aggregations"],
        json!({"all": {"doc_count": 8, "n": {"value": 8}}, "some": {"value": 1}})
    );
}

#[test]
fn composites_in_pages() {
    let mut after = Value::Null;
    let mut got = Vec::new();
    for _ in 0..10 {
        let mut definition = json!({
            "size": 2,
            "sources": [
                {"host": {"terms": {"field": "host", "order": "desc"}}},
                {"day": {"date_histogram": {"field": "@timestamp", "fixed_interval": "6h", "format": "yyyy-MM-dd HH"}}},
                {"bytes": {"histogram": {"field": "bytes", "interval": 50, "missing_bucket": true}}},
            ],
        });
        if !after.is_null() {
            definition["after"] = after;
        }
        let a = agg(json!({"composite": definition, "aggs": {"n": {"value_count": {"field": "ok"}}}}));
        let buckets = a["buckets"].as_array().unwrap_or_else(|| panic!("{a}"));
        if buckets.is_empty() {
            break;
        }
        for bucket in buckets {
            assert_eq!(bucket["doc_count"], bucket["n"]["value"]);
            got.push((bucket["key"].clone(), bucket["doc_count"].as_u64().unwrap()));
        }
        after = a["after_key"].clone();
    }
    let key = |host: &str, day: &str, bytes: Value| json!({"host": host, "day": day, "bytes": bytes});
    assert_eq!(
        got,
        [
            (key("c", "2026-11-25 12", json!(0.0)), 1),
            (key("c", "2026-11-25 18", json!(100.0)), 1),
            (key("b", "2026-11-25 12", json!(0.0)), 2),
            (key("a", "2026-11-25 06", json!(0.0)), 2),
            (key("a", "2026-11-25 12", Value::Null), 1),
            (key("a", "2026-11-25 18", json!(0.0)), 1),
        ]
    );
}

#[test]
fn what_is_computed_from_buckets() {
    let a = ask(json!({"size": 0, "aggs": {
        "t": {
            "date_histogram": {"field": "@timestamp", "fixed_interval": "3h"},
            "aggs": {
                "sum": {"sum": {"field": "bytes"}},
                "change": {"derivative": {"buckets_path": "sum", "unit": "1h"}},
                "running": {"cumulative_sum": {"buckets_path": "sum"}},
                "ago": {"serial_diff": {"buckets_path": "sum", "lag": 2}},
                "each": {"bucket_script": {"buckets_path": {"s": "sum", "n": "_count"}, "script": "params.s / params.n"}},
            },
        },
        "most": {"max_bucket": {"buckets_path": "t>sum"}},
        "mean": {"avg_bucket": {"buckets_path": "t>sum"}},
        "all": {"sum_bucket": {"buckets_path": "t>_count"}},
    }}));
    // Sums by three hours: 10+30, 5+20, 7, 100+1.
    let buckets = a["aggregations"]["t"]["buckets"].as_array().unwrap_or_else(|| panic!("{a}"));
    let column = |name: &str| buckets.iter().map(|b| b[name]["value"].clone()).collect::<Vec<_>>();
    assert_eq!(column("sum"), [json!(40.0), json!(25.0), json!(7.0), json!(101.0)]);
    assert_eq!(column("change"), [Value::Null, json!(-15.0), json!(-18.0), json!(94.0)]);
    assert_eq!(buckets[1]["change"]["normalized_value"], -5.0);
    assert!(buckets[0].get("change").is_none());
    assert_eq!(column("running"), [json!(40.0), json!(65.0), json!(72.0), json!(173.0)]);
    assert_eq!(column("ago"), [Value::Null, Value::Null, json!(-33.0), json!(76.0)]);
    assert_eq!(column("each"), [json!(20.0), json!(12.5), json!(3.5), json!(50.5)]);
    assert_eq!(a["aggregations"]["most"], json!({"value": 101.0, "keys": ["2026-11-25T18:00:00.000Z"]}));
    assert_eq!(a["aggregations"]["mean"], json!({"value": 43.25}));
    assert_eq!(a["aggregations"]["all"], json!({"value": 8.0}));

    let a = agg(json!({
        "terms": {"field": "host"},
        "aggs": {
            "sum": {"sum": {"field": "bytes"}},
            "large": {"bucket_selector": {"buckets_path": {"s": "sum"}, "script": "params.s > 30"}},
            "cut": {"bucket_sort": {"sort": [{"sum": {"order": "desc"}}], "size": 1}},
        },
    }));
    assert_eq!(keys(&a), [(json!("c"), 2)]);
    let a = ask(json!({"size": 0, "aggs": {"d": {"derivative": {"buckets_path": "x"}}}}));
    assert_eq!(a["error"]["type"], "action_request_validation_exception");
    let a =
        agg(json!({"terms": {"field": "host"}, "aggs": {"d": {"cumulative_sum": {"buckets_path": "nope"}}}}));
    assert_eq!(a["status"], 400);
}

#[test]
fn first_documents() {
    let a = agg(json!({
        "terms": {"field": "host", "size": 1},
        "aggs": {
            "top": {"top_hits": {"size": 1, "sort": [{"bytes": "desc"}], "_source": ["type", "client.*"]}},
            "tm": {"top_metrics": {"metrics": [{"field": "type"}, {"field": "ratio"}], "sort": {"bytes": "desc"}}},
        },
    }));
    let bucket = &a["buckets"][0];
    assert_eq!(
        bucket["top"]["hits"],
        json!({
            "total": {"value": 4, "relation": "eq"},
            "max_score": null,
            "hits": [{
                "_index": "events", "_id": "id1", "_score": null, "sort": [30],
                "_source": {"type": "http", "client": {"ip": "10.0.0.2"}},
            }],
        })
    );
    assert_eq!(bucket["tm"], json!({"top": [{"sort": [30], "metrics": {"type": "http", "ratio": 1.5}}]}));
    let a = agg(json!({"top_hits": {"_source": false}}));
    assert_eq!(a["hits"]["hits"].as_array().unwrap().len(), 3);
    assert_eq!(a["hits"]["max_score"], 1.0);
}

#[test]
fn maps() {
    // https://www.elastic.co/docs/reference/aggregations/search-aggregations-bucket-geohashgrid-aggregation and the
    // geohash of Berlin's middle, u33db; tiles as web maps number them.
    assert_eq!(
        keys(&agg(json!({"geohash_grid": {"field": "place", "precision": 3}}))),
        [(json!("u28"), 4), (json!("u33"), 4)]
    );
    assert_eq!(
        keys(&agg(json!({"geotile_grid": {"field": "place", "precision": 8}}))),
        [(json!("8/136/88"), 4), (json!("8/137/83"), 4)]
    );
    assert_eq!(
        agg(json!({"geo_bounds": {"field": "place"}})),
        json!({"bounds": {"top_left": {"lat": 52.5, "lon": 11.6}, "bottom_right": {"lat": 48.1, "lon": 13.4}}})
    );
}

#[test]
fn names_with_types() {
    let answer = ask_with(
        json!({"size": 0, "aggs": {
            "t": {"terms": {"field": "type"}, "aggs": {"m": {"max": {"field": "bytes"}}}},
            "n": {"terms": {"field": "bytes"}},
            "d": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1h"}},
            "p": {"percentiles": {"field": "ratio"}},
            "f": {"filter": {"match_all": {}}},
        }}),
        &[("typed_keys", "true")],
        Limits::default(),
    );
    let mut names: Vec<&String> = answer["aggregations"].as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["date_histogram#d", "filter#f", "lterms#n", "sterms#t", "tdigest_percentiles#p"]);
    assert!(answer["aggregations"]["sterms#t"]["buckets"][0].get("max#m").is_some());
}

#[test]
fn limits() {
    let small = Limits { max_buckets: 3, memory: 64 << 20 };
    let body = json!({"size": 0, "aggs": {"a": {"terms": {"field": "ratio"}}}});
    let answer = ask_with(body.clone(), &[], small);
    assert_eq!(answer["error"]["root_cause"][0]["type"], "too_many_buckets_exception", "{answer}");
    assert_eq!(answer["error"]["root_cause"][0]["max_buckets"], 3);
    let answer = ask_with(body, &[], Limits { memory: 10, ..Limits::default() });
    assert_eq!(
        (&answer["error"]["type"], &answer["status"]),
        (&json!("circuit_breaking_exception"), &json!(429))
    );
}

#[test]
fn hits() {
    let answer = ask(json!({"size": 2, "track_total_hits": 3, "sort": [{"@timestamp": {"order": "desc"}}]}));
    assert_eq!(ids(&answer), ["id7", "id6"]);
    assert_eq!(answer["hits"]["total"], json!({"value": 3, "relation": "gte"}));
    assert_eq!(answer["hits"]["hits"][0]["sort"], json!([1_795_638_600_000_i64]));
    let answer = ask(json!({"track_total_hits": false, "size": 1}));
    assert!(answer["hits"].get("total").is_none());
    assert_eq!(
        (&answer["hits"]["max_score"], &answer["hits"]["hits"][0]["_score"]),
        (&json!(1.0), &json!(1.0))
    );
    assert_eq!(answer["_shards"], json!({"total": 1, "successful": 1, "skipped": 0, "failed": 0}));
    assert_eq!((&answer["timed_out"], answer["took"].is_u64()), (&json!(false), true));
    let answer =
        ask(json!({"query": {"constant_score": {"filter": {"term": {"type": "dns"}}, "boost": 2.5}}}));
    assert_eq!(answer["hits"]["max_score"], 2.5);
    let answer = ask(json!({"query": {"bool": {"filter": {"term": {"type": "dns"}}}}}));
    assert_eq!((ids(&answer).len(), &answer["hits"]["max_score"]), (3, &json!(0.0)));
    assert_eq!(ids(&ask(json!({"min_score": 1.5}))).len(), 0);
    assert_eq!(ask(json!({"size": 0}))["hits"]["max_score"], Value::Null);
    let answer = ask(json!({"terminate_after": 2}));
    assert_eq!((&answer["terminated_early"], &answer["hits"]["total"]["value"]), (&json!(true), &json!(2)));
    // Missing values: the largest or smallest number stands for them.
    let answer = ask(json!({"sort": [{"bytes": "asc"}], "size": 8}));
    assert_eq!(answer["hits"]["hits"][7]["sort"], json!([i64::MAX]));
    let answer = ask(json!({"sort": [{"bytes": {"order": "asc", "missing": 6}}], "size": 3}));
    assert_eq!(ids(&answer), ["id7", "id2", "id4"]);
    let answer =
        ask(json!({"sort": [{"nope": {"order": "asc", "unmapped_type": "long"}}, "_doc"], "size": 1}));
    assert_eq!(answer["hits"]["hits"][0]["sort"], json!([i64::MAX, 0]));
    let answer =
        ask(json!({"sort": [{"@timestamp": {"order": "asc", "format": "yyyy-MM-dd'T'HH:mm"}}], "size": 1,
        "search_after": ["2026-11-25T10:00"]}));
    assert_eq!(
        (ids(&answer), &answer["hits"]["hits"][0]["sort"]),
        (vec!["id1".to_owned()], &json!(["2026-11-25T11:30"]))
    );
    let answer = ask(
        json!({"query": {"ids": {"values": ["id3", "x"]}}, "version": true, "seq_no_primary_term": true}),
    );
    let hit = &answer["hits"]["hits"][0];
    assert_eq!((&hit["_version"], &hit["_seq_no"], &hit["_primary_term"]), (&json!(1), &json!(3), &json!(1)));
}

#[test]
fn what_is_told_of_documents() {
    let one = |extra: Value| {
        let mut body = json!({"query": {"ids": {"values": ["id2"]}}});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        ask(body)["hits"]["hits"][0].clone()
    };
    assert!(one(json!({"_source": false})).get("_source").is_none());
    assert_eq!(one(json!({"_source": "type"}))["_source"], json!({"type": "dns"}));
    assert_eq!(
        one(json!({"_source": ["client", "answers.d*"]}))["_source"],
        json!({"client": {"ip": "10.0.0.2"}, "answers": [{"data": "one"}, {"data": "two"}]})
    );
    let source =
        one(json!({"_source": {"includes": ["a*", "type"], "excludes": ["*.ttl"]}}))["_source"].clone();
    assert_eq!(source, json!({"type": "dns", "answers": [{"data": "one"}, {"data": "two"}]}));
    assert!(one(json!({"_source": {"excludes": ["*"]}}))["_source"] == json!({}));
    let fields = one(json!({"_source": false, "fields": [
        "@timestamp", "client.*", "bytes", "kind", "answers.data", "message", {"field": "@timestamp", "format": "epoch_millis"},
    ]}))["fields"].clone();
    assert_eq!(fields["client.ip"], json!(["10.0.0.2"]));
    assert_eq!(fields["bytes"], json!([5]));
    assert_eq!(fields["kind"], json!(["dns"]));
    assert_eq!(fields["answers.data"], json!(["one", "two"]));
    assert_eq!(fields["message"], json!(["Message number 2"]));
    assert_eq!(fields["@timestamp"], json!(["1795611600000"]));
    let fields = one(json!({"docvalue_fields": ["@timestamp", "ok"]}))["fields"].clone();
    assert_eq!(fields, json!({"@timestamp": ["2026-11-25T13:00:00.000Z"], "ok": [false]}));
    assert!(one(json!({"stored_fields": "_none_"})).get("_id").is_none());
    assert!(one(json!({"stored_fields": ["type"]})).get("_source").is_none());
    assert!(one(json!({"stored_fields": ["*"]})).get("_source").is_some());
    assert!(one(json!({"highlight": {"fields": {"*": {}}}})).get("_source").is_some());
}

#[test]
fn parameters_of_the_url() {
    let url = |parameters: &[(&str, &str)]| ask_with(Value::Null, parameters, Limits::default());
    assert_eq!(ids(&url(&[("q", "type:dns AND host:b")])), ["id2"]);
    assert_eq!(ids(&url(&[("size", "1"), ("sort", "bytes:desc"), ("_source", "false")])), ["id6"]);
    let answer = url(&[
        ("_source_includes", "type"),
        ("rest_total_hits_as_int", "true"),
        ("size", "1"),
        ("from", "7"),
    ]);
    assert_eq!(
        (&answer["hits"]["total"], &answer["hits"]["hits"][0]["_source"]),
        (&json!(8), &json!({"type": "dns"}))
    );
    let mut request = SearchRequest::default();
    assert_eq!(request.apply_url(&[("size", "3"), ("pretty", "")]).unwrap(), ["pretty"]);
    assert!(request.apply_url(&[("size", "x")]).is_err());
}

#[test]
fn queries_by_many_fields() {
    let found = |query: Value| ids(&ask(json!({"query": query})));
    assert_eq!(found(json!({"multi_match": {"query": "redis", "fields": ["host", "type^3"]}})), ["id5"]);
    assert_eq!(found(json!({"multi_match": {"query": "redis"}})), ["id5"]);
    assert_eq!(
        found(json!({"query_string": {"query": "message:\"number 4\" OR bytes:>=100"}})),
        ["id4", "id6"]
    );
    assert_eq!(found(json!({"query_string": {"query": "10.1.0.1"}})), ["id3"]);
    assert_eq!(found(json!({"simple_query_string": {"query": "number +4", "fields": ["message"]}})), ["id4"]);
    assert_eq!(found(json!({"match_phrase_prefix": {"message": "message num"}})).len(), 8);
    assert_eq!(found(json!({"match_bool_prefix": {"message": "number 7"}})).len(), 8);
    assert_eq!(found(json!({"fuzzy": {"type": {"value": "htpt"}}})), ["id0", "id1", "id3", "id6"]);
    assert_eq!(found(json!({"match": {"type": {"query": "radis", "fuzziness": "AUTO"}}})), ["id5"]);
    assert_eq!(found(json!({"exists": {"field": "cli*"}})).len(), 8);
    assert_eq!(found(json!({"term": {"_index": "events"}})).len(), 8);
    assert_eq!(found(json!({"prefix": {"_index": "other"}})).len(), 0);
    assert_eq!(found(json!({"range": {"@timestamp": {"gt": "now/d", "lte": "now+2h"}}})).len(), 0);
    assert_eq!(found(json!({"range": {"@timestamp": {"gte": "now/d", "lt": "now+2h"}}})), ["id0", "id1"]);
    assert_eq!(found(json!({"range": {"@timestamp": {"gte": "25/11/2026", "lte": "25/11/2026", "format": "dd/MM/yyyy"}}})).len(), 8);
    assert_eq!(
        found(json!({"range": {"client.ip": {"gte": "10.0.0.2", "lt": "10.2.0.0"}}})),
        ["id1", "id2", "id3"]
    );
    assert_eq!(found(json!({"range": {"bytes": {"gt": 6.5, "lte": "10"}}})), ["id0", "id5"]);
    assert_eq!(found(json!({"term": {"bytes": 5.5}})).len(), 0);
    assert_eq!(
        found(
            json!({"boosting": {"positive": {"term": {"type": "redis"}}, "negative": {"match_all": {}}, "negative_boost": 0.1}})
        ),
        ["id5"]
    );
    assert_eq!(
        found(json!({"dis_max": {"queries": [{"term": {"bytes": 5}}, {"term": {"bytes": 7}}]}})),
        ["id2", "id5"]
    );
}

#[test]
fn mappings_and_capabilities() {
    let mut mapping = Mapping::new();
    for (name, kind) in KINDS {
        mapping.add(name, *kind);
    }
    mapping.add("answers", Kind::Objects);
    mapping.add_alias("kind", "type");
    let json = mapping.to_json();
    let at = |path: &str| json.pointer(&format!("/mappings/properties/{path}")).cloned().unwrap_or_default();
    assert_eq!(at("client/properties/ip"), json!({"type": "ip"}));
    assert_eq!(at("answers"), json!({"properties": {"data": {"type": "keyword", "ignore_above": 1024}}}));
    assert_eq!(at("kind"), json!({"type": "alias", "path": "type"}));
    assert_eq!(at("h"), json!({"type": "flattened"}));
    let caps = mapping.field_caps(&["events"], &["*".to_owned()]);
    assert_eq!(caps["indices"], json!(["events"]));
    assert_eq!(
        caps["fields"]["bytes"],
        json!({"long": {"type": "long", "metadata_field": false, "searchable": true, "aggregatable": true}})
    );
    assert_eq!(caps["fields"]["message"]["text"]["aggregatable"], false);
    assert_eq!(caps["fields"]["client"]["object"]["searchable"], false);
    assert_eq!(caps["fields"]["kind"]["keyword"]["type"], "keyword");
    assert_eq!(caps["fields"]["_id"]["_id"]["metadata_field"], true);
    let caps = mapping.field_caps(&["events"], &["by*".to_owned()]);
    assert_eq!(caps["fields"].as_object().unwrap().len(), 1);
}
