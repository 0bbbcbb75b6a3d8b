//! Many aggregations beside each other over a block large enough that two threads share them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod memory;

use std::sync::Arc;

use memory::MemBlock;
use serde_json::{Value, json};
use wirebeat_model::Kind;
use wirebeat_store::block::Block;
use wirebeat_store::exec::{Context, IndexBlocks, Mapping, search};
use wirebeat_store::lang::request::SearchRequest;

const KINDS: &[(&str, Kind)] =
    &[("@timestamp", Kind::Date), ("third", Kind::Long), ("fifth", Kind::Keyword), ("some", Kind::Long)];
const ROWS: u64 = 20_000;

#[test]
fn each_is_counted_once() {
    let rows: Vec<(String, Value)> = (0..ROWS)
        .map(|i| {
            let mut document = json!({
                "@timestamp": "2026-11-25T10:00:00Z", "third": i % 3, "fifth": format!("f{}", i % 5),
            });
            if i % 4 == 0 {
                document["some"] = json!(7);
            }
            (format!("id{i}"), document)
        })
        .collect();
    let blocks: Vec<Arc<dyn Block>> = vec![Arc::new(MemBlock::new(&rows, KINDS, 0))];
    let mut mapping = Mapping::new();
    KINDS.iter().for_each(|(name, kind)| mapping.add(name, *kind));
    let aggs: serde_json::Map<String, Value> = (0..30)
        .map(|n| {
            let agg = match n % 4 {
                0 => json!({"terms": {"field": "third"}}),
                1 => json!({"terms": {"field": "fifth"}}),
                2 => json!({"terms": {"field": "some", "missing": 8}}),
                _ => json!({"filter": {"exists": {"field": "some"}}}),
            };
            (n.to_string(), agg)
        })
        .collect();
    // All rows; and those of two thirds, which do not follow each other.
    for (query, of) in [(json!({"match_all": {}}), 3), (json!({"range": {"third": {"gte": 1}}}), 2)] {
        let request = SearchRequest::parse(&json!({"size": 0, "query": query, "aggs": aggs})).unwrap();
        let indices = [IndexBlocks { name: "events", blocks: &blocks }];
        let answer = search(&indices, &mapping, &request, &Context::at(0)).unwrap();
        let chosen = |test: &dyn Fn(u64) -> bool| {
            (0..ROWS).filter(|i| (of == 3 || i % 3 > 0) && test(*i)).count() as u64
        };
        for n in 0..30 {
            let told = &answer["aggregations"][n.to_string()];
            let count = |key: Value| {
                let buckets = told["buckets"].as_array().unwrap();
                buckets.iter().find(|b| b["key"] == key).map_or(0, |b| b["doc_count"].as_u64().unwrap())
            };
            match n % 4 {
                0 => (0..3).for_each(|key| assert_eq!(count(json!(key)), chosen(&|i| i % 3 == key), "{n}")),
                1 => (0..5).for_each(|key| {
                    assert_eq!(count(json!(format!("f{key}"))), chosen(&|i| i % 5 == key), "{n}");
                }),
                2 => {
                    assert_eq!(count(json!(7)), chosen(&|i| i % 4 == 0), "{n}");
                    assert_eq!(count(json!(8)), chosen(&|i| i % 4 != 0), "{n}");
                }
                _ => assert_eq!(told["doc_count"], chosen(&|i| i % 4 == 0), "{n}"),
            }
        }
    }
}
